/* A timer runs once; a repeating one adds its successor, at a time counted from the plan and not from now. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { INTERVAL = 10, LAST = 5 };

struct ticker {
    int ticks;
    struct timeval planned;
};

static void tick(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    struct ticker *ticker = talloc_get_type_abort(data, struct ticker);
    ticker->ticks++;
    bool is_late = tevent_timeval_compare(&now, &ticker->planned) >= 0;
    printf("tick %d, planned for %d ms, %s\n", ticker->ticks, ticker->ticks * INTERVAL,
        is_late ? "not before that" : "too early");
    if (ticker->ticks == LAST) return;
    ticker->planned = tevent_timeval_add(&ticker->planned, 0, INTERVAL * 1000);
    tevent_add_timer(ev, ticker, ticker->planned, tick, ticker);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct ticker *ticker = talloc_zero(ev, struct ticker);
    if (ev == NULL || ticker == NULL) return 1;

    printf("A tick every %d ms for %d ms:\n", INTERVAL, INTERVAL * LAST);
    ticker->planned = tevent_timeval_current_ofs(0, INTERVAL * 1000);
    if (tevent_add_timer(ev, ticker, ticker->planned, tick, ticker) == NULL) return 1;
    printf("The loop has ended: %d\n", tevent_loop_wait(ev));
    printf("Left under the ticker: %s\n", talloc_total_blocks(ticker) == 1 ? "nothing" : "something");
    talloc_free(ev);
    return 0;
}
