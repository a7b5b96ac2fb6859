/* The two loops: one serves a single event, the other continues until no event is left. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static int fired;

static void timer_fires(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("timer %d fires\n", ++fired);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    if (ev == NULL) return 1;
    struct timeval start = tevent_timeval_current();
    for (int number = 1; number <= 5; number++) {
        struct timeval due = tevent_timeval_add(&start, 0, number * 1000);
        if (tevent_add_timer(ev, ev, due, timer_fires, NULL) == NULL) return 1;
    }

    printf("tevent_loop_once returns %d\n", tevent_loop_once(ev));

    while (fired < 3) {
        if (tevent_loop_once(ev) != 0) return 1;
    }
    printf("three timers have fired\n");

    printf("tevent_loop_wait returns %d\n", tevent_loop_wait(ev));
    printf("tevent_loop_wait returns %d\n", tevent_loop_wait(ev));

    talloc_free(ev);
    return 0;
}
