/* tevent_queue_add_optimize_empty: when the trigger is called immediately. */
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

static struct tevent_req *make(void)
{
    struct work *work;
    return tevent_req_create(ev, &work, struct work);
}

static void trigger(struct tevent_req *req, void *name) { printf("trigger %s\n", (const char *)name); }
static void finish(struct tevent_req *req, void *name)
{
    printf("trigger %s ends the request\n", (const char *)name);
    tevent_req_done(req);
}
static void done(struct tevent_req *req)
{
    printf("done: %s\n", (const char *)tevent_req_callback_data_void(req));
    talloc_free(req);
}

static struct tevent_req *add(const char *name, tevent_queue_trigger_fn_t function, const char *callback)
{
    struct tevent_req *req = make();
    if (callback != NULL) tevent_req_set_callback(req, done, (void *)callback);
    printf("add %s\n", name);
    struct tevent_queue_entry *entry = tevent_queue_add_optimize_empty(queue, ev, req, function, (void *)name);
    printf("added %s: %d, %zu in the queue\n", name, entry != NULL, tevent_queue_length(queue));
    return req;
}

int main(void)
{
    ev = tevent_context_init(NULL);
    queue = tevent_queue_create(ev, "queue");

    printf("-- empty: at once; not empty: from the loop\n");
    struct tevent_req *a = add("a", trigger, NULL), *b = add("b", trigger, NULL);
    talloc_free(a);
    tevent_loop_wait(ev);
    talloc_free(b);

    printf("-- with a callback: from the loop\n");
    add("c", finish, "c");
    tevent_loop_wait(ev);

    printf("-- ended while it is made, and posted\n");
    struct tevent_req *d = add("d", finish, NULL);
    tevent_req_post(d, ev);
    tevent_req_set_callback(d, done, "d");
    tevent_loop_wait(ev);

    printf("-- stopped: when it is started\n");
    tevent_queue_stop(queue);
    struct tevent_req *e = add("e", trigger, NULL);
    tevent_queue_start(queue);
    tevent_loop_wait(ev);
    talloc_free(e);

    printf("-- without a trigger\n");
    struct tevent_req *blocker = add("blocker", NULL, NULL), *f = add("f", trigger, NULL);
    tevent_loop_wait(ev);
    talloc_free(blocker);
    tevent_loop_wait(ev);
    talloc_free(f);
    talloc_free(ev);
    return 0;
}
