/* Timers added in one order and run in another: by deadline, and for equal deadlines in the order of adding. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static void says(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("%s\n", (const char *)data);
}

static void adds_another(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("%s\n", (const char *)data);
    static char g[] = "G: added by F";
    tevent_add_timer(ev, ev, tevent_timeval_zero(), says, g);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    if (ev == NULL) return 1;
    static char a[] = "A: due after 40 ms", b[] = "B: moved to 20 ms", c[] = "C: due after 20 ms",
                d[] = "D: due after 20 ms", e[] = "E: never runs", f[] = "F: due at once";

    struct timeval start = tevent_timeval_current();
    struct timeval later = tevent_timeval_add(&start, 0, 20000);
    tevent_add_timer(ev, ev, tevent_timeval_add(&start, 0, 40000), says, a);
    struct tevent_timer *moved = tevent_add_timer(ev, ev, tevent_timeval_add(&start, 0, 1000), says, b);
    tevent_add_timer(ev, ev, later, says, c);
    tevent_add_timer(ev, ev, later, says, d);
    tevent_update_timer(moved, later);

    struct tevent_timer *cancelled = tevent_add_timer(ev, ev, tevent_timeval_add(&start, 0, 10000), says, e);
    talloc_free(cancelled);

    tevent_add_timer(ev, ev, tevent_timeval_zero(), adds_another, f);
    if (tevent_loop_wait(ev) != 0) return 1;
    talloc_free(ev);
    return 0;
}
