/* Details of a signal: with SA_SIGINFO each arrival has its own record, with SA_RESETHAND only one is delivered. */
#include <signal.h>
#include <stdio.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static int letters;

static void letter_comes(
    struct tevent_context *ev, struct tevent_signal *event, int number, int count, void *info, void *data)
{
    const siginfo_t *letter = info;
    printf("letter %d: from this process: %s, count %d\n", letter->si_value.sival_int,
        letter->si_pid == getpid() ? "yes" : "no", count);
    if (++letters == 3) talloc_free(event);
}

static void comes_once(
    struct tevent_context *ev, struct tevent_signal *event, int number, int count, void *info, void *data)
{
    printf("once: a record comes with it: %s\n", info != NULL ? "yes" : "no");
}

static void sends(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    for (int i = 1; i <= 3; i++) sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i * 10});
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    if (ev == NULL) return 1;

    if (tevent_add_signal(ev, ev, SIGRTMIN, SA_SIGINFO, letter_comes, NULL) == NULL) return 1;
    tevent_add_timer(ev, ev, tevent_timeval_zero(), sends, NULL);
    if (tevent_loop_wait(ev) != 0) return 1;

    if (tevent_add_signal(ev, ev, SIGUSR1, SA_RESETHAND, comes_once, NULL) == NULL) return 1;
    raise(SIGUSR1);
    if (tevent_loop_wait(ev) != 0) return 1;
    printf("No event is left.\n");
    talloc_free(ev);
    return 0;
}
