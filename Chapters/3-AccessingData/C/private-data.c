/* The data that an event passes to its handler: any pointer, preferably to a chunk, whose type can be checked. */
#include <signal.h>
#include <stdio.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct visit {
    int visitors;
    char names[64];
};

static void note(void *data, const char *visitor)
{
    struct visit *visit = talloc_get_type_abort(data, struct visit);
    visit->visitors++;
    snprintf(visit->names, sizeof(visit->names), "%s", visitor);
    printf("visitor %d: %s\n", visit->visitors, visit->names);
}

static void descriptor_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    note(data, "a descriptor");
    talloc_free(event);
}

static void timer_due(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    note(data, "a timer");
}

static void immediate_runs(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    note(data, "an immediate");
}

static void signal_arrived(
    struct tevent_context *ev, struct tevent_signal *event, int number, int count, void *info, void *data)
{
    note(data, "a signal");
    talloc_free(event);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct visit *visit = talloc_zero(ev, struct visit);
    int ends[2];
    if (visit == NULL || pipe(ends) != 0 || write(ends[1], "x", 1) != 1) return 1;

    struct tevent_fd *descriptor = tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, descriptor_ready, visit);
    tevent_fd_set_auto_close(descriptor);
    tevent_add_timer(ev, ev, tevent_timeval_zero(), timer_due, visit);
    tevent_schedule_immediate(tevent_create_immediate(ev), ev, immediate_runs, visit);
    tevent_add_signal(ev, ev, SIGUSR1, 0, signal_arrived, visit);
    raise(SIGUSR1);

    if (tevent_loop_wait(ev) != 0) return 1;
    printf("together: %d\n", visit->visitors);
    talloc_free(ev);
    close(ends[1]);
    return 0;
}
