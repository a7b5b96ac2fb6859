/* Two contexts with different events: a loop serves only the events of its own context. */
#include <signal.h>
#include <stdio.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static void descriptor_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    printf("%s: a descriptor is ready\n", (const char *)data);
    talloc_free(event);
}

static void timer_due(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("%s: a timer is due\n", (const char *)data);
}

static void bell_rings(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("%s: the bell rings\n", (const char *)data);
    raise(SIGUSR1);
}

static void signal_arrived(
    struct tevent_context *ev, struct tevent_signal *event, int number, int count, void *info, void *data)
{
    printf("%s: the signal has arrived\n", (const char *)data);
    talloc_free(event);
}

int main(void)
{
    struct tevent_context *letters = tevent_context_init(NULL);
    struct tevent_context *alarms = tevent_context_init(NULL);
    int ends[2];
    if (letters == NULL || alarms == NULL || pipe(ends) != 0) return 1;

    static char letters_name[] = "letters", alarms_name[] = "alarms";
    struct tevent_fd *descriptor =
        tevent_add_fd(letters, letters, ends[0], TEVENT_FD_READ, descriptor_ready, letters_name);
    if (descriptor == NULL) return 1;
    tevent_fd_set_auto_close(descriptor);
    tevent_add_timer(alarms, alarms, tevent_timeval_zero(), bell_rings, alarms_name);
    tevent_add_timer(alarms, alarms, tevent_timeval_current_ofs(0, 1000), timer_due, alarms_name);
    tevent_add_signal(alarms, alarms, SIGUSR1, 0, signal_arrived, alarms_name);

    if (write(ends[1], "x", 1) != 1) return 1;

    printf("main: runs the loop of letters\n");
    if (tevent_loop_wait(letters) != 0) return 1;
    printf("main: runs the loop of alarms\n");
    if (tevent_loop_wait(alarms) != 0) return 1;

    talloc_free(letters);
    talloc_free(alarms);
    close(ends[1]);
    return 0;
}
