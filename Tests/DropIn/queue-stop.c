/* Stopped queues, and requests that only block. */
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

static void stop(struct tevent_req *req, void *name)
{
    printf("trigger %s stops the queue\n", (const char *)name);
    tevent_queue_stop(queue);
    talloc_free(req);
}

static void run(struct tevent_context *context, struct tevent_immediate *im, void *name)
{
    printf("immediate %s\n", (const char *)name);
}

static void show(const char *what)
{
    printf("%s: running %d, %zu in the queue\n", what, tevent_queue_running(queue), tevent_queue_length(queue));
}

int main(void)
{
    ev = tevent_context_init(NULL);
    queue = tevent_queue_create(ev, "queue");
    struct tevent_immediate *im = tevent_create_immediate(ev);

    tevent_queue_stop(queue);
    struct tevent_req *a = make(), *b = make(), *c = make();
    tevent_queue_add(queue, ev, a, trigger, "a");
    tevent_queue_add(queue, ev, b, stop, "b");
    tevent_queue_add(queue, ev, c, trigger, "c");
    show("added while stopped");
    tevent_loop_wait(ev);
    tevent_queue_start(queue);
    tevent_queue_start(queue);
    show("started");
    tevent_loop_wait(ev);
    talloc_free(a);
    tevent_loop_wait(ev);
    show("stopped by b");
    tevent_schedule_immediate(im, ev, run, "before");
    tevent_queue_start(queue);
    tevent_loop_wait(ev);

    printf("-- a turn of the loop ends where a stopped queue would have been started\n");
    struct tevent_req *d = make();
    tevent_queue_add(queue, ev, d, trigger, "d");
    talloc_free(c);
    tevent_queue_stop(queue);
    printf("%d\n", tevent_loop_once(ev));
    show("stopped");
    printf("-- starting again takes the place after the immediates\n");
    tevent_queue_start(queue);
    tevent_queue_stop(queue);
    tevent_schedule_immediate(im, ev, run, "before");
    tevent_queue_start(queue);
    tevent_queue_start(queue);
    tevent_loop_wait(ev);

    printf("-- a request without a trigger blocks\n");
    struct tevent_req *blocker = make(), *e = make();
    struct tevent_queue_entry *entry = tevent_queue_add_entry(queue, ev, blocker, NULL, NULL);
    printf("an entry is a %s below a %s\n", talloc_get_name(entry), talloc_get_name(talloc_parent(entry)));
    tevent_queue_add(queue, ev, e, trigger, "e");
    talloc_free(d);
    tevent_loop_wait(ev);
    show("blocked");
    talloc_free(entry);
    show("the entry is gone");
    tevent_loop_wait(ev);
    printf("the blocker is in progress: %d\n", tevent_req_is_in_progress(blocker));
    talloc_free(ev);
    return 0;
}
