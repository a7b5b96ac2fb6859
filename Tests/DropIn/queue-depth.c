/* How deeply the requests of a queue are nested, as their triggers see it in a thread that asked for it. */
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct work {
    int unused;
};

static size_t depth;

static void trigger(struct tevent_req *req, void *name) { printf("trigger %s at %zu\n", (const char *)name, depth); }

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_queue *queue = tevent_queue_create(ev, "queue");
    struct work *outer, *inner, *unused;
    tevent_thread_call_depth_activate(&depth);
    struct tevent_req *a = tevent_req_create(ev, &outer, struct work);
    tevent_thread_call_depth_start(a);
    printf("a is at %zu\n", depth);
    struct tevent_req *b = tevent_req_create(outer, &inner, struct work);
    printf("b is at %zu\n", depth);
    struct tevent_req *c = tevent_req_create(inner, &unused, struct work);
    printf("c is at %zu\n", depth);
    tevent_queue_add(queue, ev, a, trigger, "a");
    tevent_queue_add(queue, ev, c, trigger, "c");
    printf("added at %zu\n", depth);
    struct tevent_queue_entry *entry = tevent_queue_add_entry(queue, ev, b, trigger, "b");
    tevent_thread_call_depth_reset_from_req(a);
    printf("reset to %zu\n", depth);
    tevent_loop_wait(ev);
    printf("then at %zu\n", depth);
    struct tevent_queue *other = tevent_queue_create(ev, "other");
    struct tevent_req *d = tevent_req_create(inner, &unused, struct work);
    tevent_thread_call_depth_reset_from_req(a);
    tevent_queue_add_optimize_empty(other, ev, d, trigger, "d");
    printf("d was started at %zu\n", depth);
    tevent_thread_call_depth_reset_from_req(a);
    talloc_free(entry);
    printf("an entry is gone at %zu\n", depth);
    talloc_free(c);
    printf("c is gone at %zu\n", depth);
    tevent_thread_call_depth_deactivate();
    talloc_free(ev);
    return 0;
}
