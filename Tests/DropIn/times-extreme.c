/* Times at the limits of a struct timeval, and times whose microseconds are a second or more, or negative. */
#include <stdint.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static const struct timeval times[] = {
    {0, 0},         {0, 1},         {0, -1},         {0, INT64_MAX},         {0, INT64_MIN},  {0, 1000000},
    {1, -1},        {-1, 0},        {-1, 999999},    {-1, INT64_MAX},        {INT64_MAX, 0},  {INT64_MAX, 999999},
    {INT64_MIN, 0}, {INT64_MIN, 5}, {INT64_MAX, -1}, {INT64_MAX, INT64_MAX}, {INT64_MIN, -7}, {INT64_MIN, INT64_MIN},
};
static const int count = sizeof(times) / sizeof(times[0]);

static void show(const char *what, struct timeval time) { printf(" %s %ld/%ld", what, time.tv_sec, time.tv_usec); }

static void calculate(void)
{
    const uint32_t most = UINT32_MAX;
    for (int i = 0; i < count; i++) {
        show("time", times[i]);
        printf("%s", tevent_timeval_is_zero(&times[i]) ? " is zero" : "");
        show("plus little", tevent_timeval_add(&times[i], 1, 1));
        show("plus much", tevent_timeval_add(&times[i], most, most));
        printf("\n");
        for (int j = 0; j < count; j++) {
            struct timeval left = tevent_timeval_until(&times[i], &times[j]);
            int order = tevent_timeval_compare(&times[i], &times[j]);
            if (order != (i < j ? 1 : i > j ? -1 : 0)) printf("    %d", order);
            if (!tevent_timeval_is_zero(&left)) show("until", left);
        }
        printf("\n");
    }
    show("set", tevent_timeval_set(most, most));
    struct timeval far = tevent_timeval_current_ofs(most, most);
    printf(" far %d\n", far.tv_sec > tevent_timeval_current().tv_sec + INT32_MAX);
}

static void run(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *name)
{
    printf("    it runs%s\n", now.tv_sec == 0 ? ", and is told no time" : "");
}

static void mark(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *over) { *(bool *)over = true; }

static void try(const char *name, struct timeval time)
{
    bool over = false;
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_timer *te = tevent_add_timer(ev, ev, tevent_timeval_current_ofs(3600, 0), run, NULL);
    printf("%s\n", name);
    tevent_add_timer(ev, ev, time, run, NULL);
    tevent_add_timer(ev, ev, tevent_timeval_current(), mark, &over);
    while (!over) tevent_loop_once(ev);
    /* An hour later, it gets the same time again. */
    over = false;
    tevent_update_timer(te, time);
    tevent_add_timer(ev, ev, tevent_timeval_current(), mark, &over);
    while (!over) tevent_loop_once(ev);
    talloc_free(ev);
}

int main(void)
{
    char name[80];
    calculate();
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%ld s %ld us", times[i].tv_sec, times[i].tv_usec);
        try(name, times[i]);
    }
    struct timeval now = tevent_timeval_current();
    try("ten seconds ago and twenty in microseconds", (struct timeval){now.tv_sec - 10, 20000000});
    try("ten seconds ahead and one back", (struct timeval){now.tv_sec + 10, -1000000});
    try("an hour ahead and many in microseconds", (struct timeval){now.tv_sec + 3600, INT64_MAX});
    return 0;
}
