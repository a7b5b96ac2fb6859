/* What a trace is notified of about a queue's entries. */
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct work {
    int unused;
};

static struct tevent_context *ev;
static struct tevent_queue *queue;

static void trace(struct tevent_queue_entry *entry, enum tevent_event_trace_point point, void *name)
{
    static const char *points[] = {"attach", "detach", "before handler"};
    printf("%s %s, tag %d, %zu in the queue\n", (const char *)name, points[point],
        (int)tevent_queue_entry_get_tag(entry), tevent_queue_length(queue));
    if (point == TEVENT_EVENT_TRACE_ATTACH) tevent_queue_entry_set_tag(entry, 100 + tevent_queue_length(queue));
}

static void trigger(struct tevent_req *req, void *name) { printf("trigger %s\n", (const char *)name); }

static struct tevent_req *make(void)
{
    struct work *work;
    return tevent_req_create(ev, &work, struct work);
}

int main(void)
{
    ev = tevent_context_init(NULL);
    queue = tevent_queue_create(ev, "queue");
    tevent_trace_queue_callback_t function;
    void *data;
    tevent_get_trace_queue_callback(ev, &function, &data);
    printf("none at first: %d\n", function == NULL);
    tevent_set_trace_queue_callback(ev, trace, "trace:");
    tevent_get_trace_queue_callback(ev, &function, &data);
    printf("now ours: %d %s\n", function == trace, (const char *)data);

    printf("-- two requests\n");
    struct tevent_req *a = make(), *b = make();
    tevent_queue_add(queue, ev, a, trigger, "a");
    tevent_queue_add(queue, ev, b, trigger, "b");
    tevent_loop_wait(ev);
    talloc_free(a);
    tevent_loop_wait(ev);
    talloc_free(b);
    printf("-- one that is freed before it is its turn\n");
    talloc_free(tevent_queue_add_entry(queue, ev, make(), trigger, "c"));
    tevent_loop_wait(ev);
    printf("-- a blocker\n");
    struct tevent_req *blocker = make();
    tevent_queue_add(queue, ev, blocker, NULL, NULL);
    tevent_loop_wait(ev);
    talloc_free(blocker);
    printf("-- at once\n");
    struct tevent_req *d = make();
    tevent_queue_add_optimize_empty(queue, ev, d, trigger, "d");
    talloc_free(d);
    printf("-- stopped\n");
    struct tevent_req *e = make();
    tevent_queue_add(queue, ev, e, trigger, "e");
    tevent_queue_stop(queue);
    tevent_loop_wait(ev);
    tevent_queue_start(queue);
    tevent_loop_wait(ev);
    printf("-- waiting\n");
    struct tevent_req *wait = tevent_queue_wait_send(ev, ev, queue);
    talloc_free(e);
    tevent_loop_wait(ev);
    printf("-- the queue goes\n");
    tevent_queue_add(queue, ev, make(), trigger, "f");
    talloc_free(queue);
    talloc_free(wait);
    printf("-- no trace any more\n");
    queue = tevent_queue_create(ev, "queue");
    tevent_set_trace_queue_callback(ev, NULL, NULL);
    tevent_queue_add(queue, ev, make(), trigger, "g");
    tevent_loop_wait(ev);
    talloc_free(ev);
    return 0;
}
