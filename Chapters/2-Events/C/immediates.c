/* Immediates run before timers and descriptors; their own handlers can schedule them again, and they can be cancelled.
   */
#include <stdio.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static void descriptor_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    printf("descriptor: readable all the time\n");
    talloc_free(event);
}

static void timer_due(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("timer: due all the time\n");
}

static void runs_again(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    int *runs = talloc_get_type_abort(data, int);
    printf("again: run %d of 3\n", ++*runs);
    if (*runs < 3) tevent_schedule_immediate(immediate, ev, runs_again, runs);
}

static void cancels(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    printf("first: cancels its neighbour\n");
    struct tevent_immediate **neighbour = data;
    TALLOC_FREE(*neighbour);
}

static void says(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    printf("%s\n", (const char *)data);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    int ends[2];
    if (ev == NULL || pipe(ends) != 0 || write(ends[1], "x", 1) != 1) return 1;
    struct tevent_fd *descriptor = tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, descriptor_ready, NULL);
    tevent_fd_set_auto_close(descriptor);
    tevent_add_timer(ev, ev, tevent_timeval_zero(), timer_due, NULL);

    struct tevent_immediate *first = tevent_create_immediate(ev), *again = tevent_create_immediate(ev),
                            *cancelled = tevent_create_immediate(ev), *twice = tevent_create_immediate(ev);
    static char never[] = "this is never said", once[] = "twice: runs once, at its new place";

    tevent_schedule_immediate(twice, ev, says, never);
    tevent_schedule_immediate(again, ev, runs_again, talloc_zero(ev, int));
    tevent_schedule_immediate(first, ev, cancels, &cancelled);
    tevent_schedule_immediate(cancelled, ev, says, never);
    tevent_schedule_immediate(twice, ev, says, once);

    if (tevent_loop_wait(ev) != 0) return 1;
    printf("cancelled is gone: %s\n", cancelled == NULL ? "yes" : "no");
    talloc_free(ev);
    close(ends[1]);
    return 0;
}
