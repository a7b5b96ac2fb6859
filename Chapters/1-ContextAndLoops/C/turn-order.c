/* One event of each kind, all ready at once: the loop serves them in the order of a turn, not in the order of adding.
   */
#include <signal.h>
#include <stdio.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static int served;

static void descriptor_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    printf("descriptor: there is something to read\n");
    served++;
    talloc_free(event);
}

static void timer_due(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("timer:      it is due\n");
    served++;
}

static void immediate_runs(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    printf("immediate:  it was scheduled\n");
    served++;
}

static void signal_arrived(
    struct tevent_context *ev, struct tevent_signal *event, int number, int count, void *info, void *data)
{
    printf("signal:     it has arrived\n");
    served++;
    talloc_free(event);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    int ends[2];
    if (ev == NULL || pipe(ends) != 0 || write(ends[1], "x", 1) != 1) return 1;

    struct tevent_fd *descriptor = tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, descriptor_ready, NULL);
    if (descriptor == NULL) return 1;
    tevent_fd_set_auto_close(descriptor);

    if (tevent_add_timer(ev, ev, tevent_timeval_zero(), timer_due, NULL) == NULL) return 1;

    struct tevent_immediate *immediate = tevent_create_immediate(ev);
    if (immediate == NULL) return 1;
    tevent_schedule_immediate(immediate, ev, immediate_runs, NULL);

    if (tevent_add_signal(ev, ev, SIGUSR1, 0, signal_arrived, NULL) == NULL) return 1;
    raise(SIGUSR1);

    while (served < 4) {
        if (tevent_loop_once(ev) != 0) return 1;
    }
    close(ends[1]);
    talloc_free(ev);
    return 0;
}
