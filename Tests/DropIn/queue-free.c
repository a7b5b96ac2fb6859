/* Requests, entries and queues that are freed at any time. */
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
static struct tevent_req *requests[4];
static struct tevent_queue_entry *entries[4];

static struct tevent_req *make(void)
{
    struct work *work;
    return tevent_req_create(ev, &work, struct work);
}

static void trigger(struct tevent_req *req, void *name) { printf("trigger %s\n", (const char *)name); }
static void free_request(struct tevent_req *req, void *name)
{
    printf("trigger %s frees the request\n", (const char *)name);
    talloc_free(req);
}
static void free_entry(struct tevent_req *req, void *name)
{
    printf("trigger %s frees the entry\n", (const char *)name);
    for (int i = 0; i < 4; i++) {
        if (requests[i] == req) talloc_free(entries[i]);
    }
    printf("%zu in the queue\n", tevent_queue_length(queue));
}
static void free_next(struct tevent_req *req, void *name)
{
    printf("trigger %s frees all others\n", (const char *)name);
    for (int i = 0; i < 4; i++) {
        if (requests[i] != req) TALLOC_FREE(requests[i]);
    }
    printf("%zu in the queue\n", tevent_queue_length(queue));
}
static void free_queue(struct tevent_req *req, void *name)
{
    printf("trigger %s frees the queue\n", (const char *)name);
    talloc_free(queue);
    printf("in progress %d\n", tevent_req_is_in_progress(req));
}
static void free_context(struct tevent_req *req, void *name)
{
    printf("trigger %s frees the context\n", (const char *)name);
    TALLOC_FREE(ev);
}

static void fill(tevent_queue_trigger_fn_t first)
{
    static const char *names[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) {
        requests[i] = make();
        entries[i] = tevent_queue_add_entry(queue, ev, requests[i], i == 0 ? first : trigger, (void *)names[i]);
    }
}

static void drain(void)
{
    tevent_loop_wait(ev);
    for (int i = 0; i < 4; i++) TALLOC_FREE(requests[i]);
    printf("%zu in the queue\n", tevent_queue_length(queue));
    tevent_loop_wait(ev);
}

int main(void)
{
    ev = tevent_context_init(NULL);
    queue = tevent_queue_create(ev, "queue");

    printf("-- a request that waits\n");
    fill(trigger);
    TALLOC_FREE(requests[1]);
    drain();
    printf("-- the first one, before it has begun\n");
    fill(trigger);
    TALLOC_FREE(requests[0]);
    drain();
    printf("-- in its trigger\n");
    fill(free_request);
    requests[0] = NULL;
    drain();
    printf("-- the entry, in its trigger\n");
    fill(free_entry);
    drain();
    printf("-- the others\n");
    fill(free_next);
    drain();
    printf("-- entries moved away from their requests\n");
    fill(trigger);
    talloc_steal(ev, entries[2]);
    TALLOC_FREE(requests[2]);
    printf("%zu in the queue\n", tevent_queue_length(queue));
    talloc_free(entries[2]);
    drain();
    printf("-- the queue, while requests wait\n");
    fill(trigger);
    talloc_free(queue);
    tevent_loop_wait(ev);
    queue = tevent_queue_create(ev, "queue");
    for (int i = 0; i < 4; i++) printf("in progress %d\n", tevent_req_is_in_progress(requests[i]));
    drain();
    printf("-- the queue, in a trigger\n");
    fill(free_queue);
    tevent_loop_wait(ev);
    queue = tevent_queue_create(NULL, "queue");
    printf("-- the context\n");
    fill(trigger);
    for (int i = 0; i < 4; i++) talloc_steal(NULL, requests[i]);
    talloc_free(ev);
    printf("%zu in the queue\n", tevent_queue_length(queue));
    for (int i = 3; i >= 0; i--) talloc_free(requests[i]);
    printf("%zu in the queue\n", tevent_queue_length(queue));
    printf("-- the context, in a trigger\n");
    ev = tevent_context_init(NULL);
    fill(free_context);
    tevent_loop_once(ev);
    printf("%zu in the queue\n", tevent_queue_length(queue));
    talloc_free(queue);
    return 0;
}
