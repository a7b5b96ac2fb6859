/* Waiting for a place at the front of a queue. */
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

static void trigger(struct tevent_req *req, void *name) { printf("trigger %s\n", (const char *)name); }

static void show(const char *name, struct tevent_req *req)
{
    enum tevent_req_state state = TEVENT_REQ_DONE;
    uint64_t error = 0;
    bool is_error = tevent_req_is_error(req, &state, &error);
    printf("%s: in progress %d, error %d, state %d, code %d, %zu in the queue\n", name,
        tevent_req_is_in_progress(req), is_error, state, (int)error, tevent_queue_length(queue));
}

static void done(struct tevent_req *req)
{
    printf("callback\n");
    show((const char *)tevent_req_callback_data_void(req), req);
}

static struct tevent_req *wait(const char *name)
{
    struct tevent_req *req = tevent_queue_wait_send(ev, ev, queue);
    tevent_req_set_callback(req, done, (void *)name);
    show(name, req);
    return req;
}

int main(void)
{
    ev = tevent_context_init(NULL);
    queue = tevent_queue_create(ev, "queue");
    struct work *work;
    struct tevent_req *a = tevent_req_create(ev, &work, struct work);
    struct tevent_req *b = tevent_req_create(ev, &work, struct work);

    tevent_queue_add(queue, ev, a, trigger, "a");
    struct tevent_req *first = wait("first");
    tevent_queue_add(queue, ev, b, trigger, "b");
    printf("cancelled: %d\n", tevent_req_cancel(first));
    tevent_loop_wait(ev);
    talloc_free(a);
    tevent_loop_wait(ev);
    printf("received: %d\n", tevent_queue_wait_recv(first));
    show("first", first);
    tevent_loop_wait(ev);
    talloc_free(first);
    tevent_loop_wait(ev);
    talloc_free(b);

    printf("-- in an empty queue\n");
    struct tevent_req *second = wait("second");
    tevent_loop_wait(ev);
    printf("received: %d\n", tevent_queue_wait_recv(second));
    talloc_free(second);

    printf("-- not long enough\n");
    struct tevent_req *blocker = wait("blocker");
    tevent_loop_wait(ev);
    struct tevent_req *third = wait("third");
    tevent_req_set_endtime(third, ev, tevent_timeval_current_ofs(0, 1000));
    tevent_loop_wait(ev);
    printf("received: %d\n", tevent_queue_wait_recv(third));
    show("third", third);
    talloc_free(third);
    talloc_free(blocker);
    printf("-- freed while it waits\n");
    blocker = wait("blocker");
    third = wait("third");
    talloc_free(third);
    tevent_loop_wait(ev);
    talloc_free(ev);
    return 0;
}
