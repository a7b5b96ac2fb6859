/* Events freed by handlers: a timer is freed automatically, a descriptor event explicitly; others may be freed too. */
#include <stdio.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Prints a line when the event above is freed. */
static int witness_goes(const char **name)
{
    printf("  (%s goes)\n", *name);
    return 0;
}

static void watch(const void *event, const char *name)
{
    const char **witness = talloc(event, const char *);
    *witness = name;
    talloc_set_destructor(witness, witness_goes);
}

static void timer_due(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("  the timer's handler begins and ends\n");
}

static void descriptor_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    printf("  the descriptor's handler begins\n");
    talloc_free(event);
    printf("  the descriptor's handler ends\n");
}

static void frees_other(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    printf("  an immediate's handler begins\n");
    talloc_free(data);
    talloc_free(immediate);
    printf("  an immediate's handler ends\n");
}

static void never_runs(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("  this is never said\n");
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    int ends[2];
    if (ev == NULL || pipe(ends) != 0) return 1;

    printf("A timer:\n");
    watch(tevent_add_timer(ev, ev, tevent_timeval_zero(), timer_due, NULL), "the timer");
    tevent_loop_wait(ev);

    printf("A descriptor's event:\n");
    struct tevent_fd *event = tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, descriptor_ready, NULL);
    tevent_fd_set_auto_close(event);
    watch(event, "the descriptor's event");
    close(ends[1]);
    tevent_loop_wait(ev);

    printf("An immediate that frees a timer, which is due, and itself:\n");
    struct tevent_timer *timer = tevent_add_timer(ev, ev, tevent_timeval_zero(), never_runs, NULL);
    watch(timer, "the timer");
    struct tevent_immediate *immediate = tevent_create_immediate(ev);
    watch(immediate, "the immediate");
    tevent_schedule_immediate(immediate, ev, frees_other, timer);
    tevent_loop_wait(ev);

    talloc_free(ev);
    return 0;
}
