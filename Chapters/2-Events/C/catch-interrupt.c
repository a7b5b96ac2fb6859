/* Catches SIGINT, which Ctrl-C sends, in the loop: the handler learns how often it arrived since the last call. */
#include <signal.h>
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static int arrived;

static void interrupted(
    struct tevent_context *ev, struct tevent_signal *event, int number, int count, void *info, void *data)
{
    arrived += count;
    printf("handler called: SIGINT, %d since the last call, %d in all\n", count, arrived);
    if (arrived >= 3) talloc_free(event);
}

static void is_busy(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    for (int i = 0; i < 3; i++) raise(SIGINT);
    printf("busy: 3 interrupts sent, the handler has seen %d\n", arrived);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    if (ev == NULL || !tevent_signal_support(ev)) return 1;

    if (tevent_add_signal(ev, ev, SIGINT, 0, interrupted, NULL) == NULL) return 1;
    tevent_add_timer(ev, ev, tevent_timeval_zero(), is_busy, NULL);
    printf("Waiting for interrupts.\n");
    if (tevent_loop_wait(ev) != 0) return 1;

    struct sigaction action;
    if (sigaction(SIGINT, NULL, &action) != 0) return 1;
    printf("No event is left; Ctrl-C does what it did before: %s\n", action.sa_handler == SIG_DFL ? "yes" : "no");
    talloc_free(ev);
    return 0;
}
