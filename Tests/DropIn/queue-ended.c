/* A trigger is called even if its request has ended while it waited. */
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct work {
    int unused;
};

static void trigger(struct tevent_req *req, void *name)
{
    printf("trigger %s, in progress %d\n", (const char *)name, tevent_req_is_in_progress(req));
}

static void finish(struct tevent_req *req, void *name)
{
    printf("trigger %s\n", (const char *)name);
    tevent_req_done(req);
}

static void done(struct tevent_req *req)
{
    printf("done %s\n", (const char *)tevent_req_callback_data_void(req));
    talloc_free(req);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_queue *queue = tevent_queue_create(ev, "queue");
    struct tevent_req *req[4];
    static const char *names[] = {"done", "failed", "received", "well"};
    struct work *work;
    for (int i = 0; i < 4; i++) {
        req[i] = tevent_req_create(ev, &work, struct work);
        tevent_queue_add(queue, ev, req[i], i == 3 ? finish : trigger, (void *)names[i]);
    }
    tevent_req_done(req[0]);
    tevent_req_error(req[1], 5);
    tevent_req_done(req[2]);
    tevent_req_received(req[2]);
    tevent_req_set_callback(req[3], done, "well");
    for (int i = 0; i < 4; i++) {
        tevent_loop_wait(ev);
        printf("%zu in the queue\n", tevent_queue_length(queue));
        if (i < 3) talloc_free(req[i]);
    }
    talloc_free(ev);
    return 0;
}
