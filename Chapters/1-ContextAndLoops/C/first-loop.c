/* The smallest program with a loop: a context, one timer, and a loop that runs until there is nothing to wait for. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static void kettle_boils(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("The kettle boils.\n");
}

int main(void)
{
    TALLOC_CTX *memory = talloc_new(NULL);
    if (memory == NULL) return 1;
    struct tevent_context *ev = tevent_context_init(memory);
    if (ev == NULL) return 1;

    struct tevent_timer *timer = tevent_add_timer(ev, memory, tevent_timeval_current_ofs(0, 20000), kettle_boils, NULL);
    if (timer == NULL) return 1;

    printf("The kettle is on.\n");
    if (tevent_loop_wait(ev) != 0) return 1;
    printf("There is nothing left to wait for.\n");

    talloc_free(memory);
    return 0;
}
