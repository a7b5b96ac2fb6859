/* A trigger that was called immediately is not called again. Only ours: libtevent calls it again from the
 * loop if the loop had been told to start a request that was freed since. */
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct work {
    int unused;
};

static void trigger(struct tevent_req *req, void *name) { printf("trigger %s\n", (const char *)name); }

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_queue *queue = tevent_queue_create(ev, "queue");
    struct work *work;
    struct tevent_req *req = tevent_req_create(ev, &work, struct work);
    tevent_queue_add(queue, ev, req, trigger, "a");
    talloc_free(req);
    req = tevent_req_create(ev, &work, struct work);
    tevent_queue_add_optimize_empty(queue, ev, req, trigger, "b");
    tevent_loop_wait(ev);
    printf("%zu in the queue\n", tevent_queue_length(queue));
    talloc_free(ev);
    return 0;
}
