/* The order in which a queue's triggers, immediates and timers run. */
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct work {
    struct tevent_req *then_free;
};

static struct tevent_context *ev;
static struct tevent_queue *queue;

static struct tevent_req *make(void)
{
    struct work *work;
    return tevent_req_create(ev, &work, struct work);
}

static void trigger(struct tevent_req *req, void *name)
{
    printf("trigger %s, %zu in the queue\n", (const char *)name, tevent_queue_length(queue));
    if (strchr(name, '!') != NULL) talloc_free(req);
}

static void run(struct tevent_context *context, struct tevent_immediate *im, void *name)
{
    printf("immediate %s\n", (const char *)name);
}

static void on_time(struct tevent_context *context, struct tevent_timer *te, struct timeval now, void *name)
{
    printf("timer %s\n", (const char *)name);
}

static void add(const char *name)
{
    struct tevent_req *req = make();
    bool ok = tevent_queue_add(queue, ev, req, trigger, (void *)name);
    printf("added %s: %d, %zu in the queue\n", name, ok, tevent_queue_length(queue));
}

static void schedule(const char *name)
{
    tevent_schedule_immediate(tevent_create_immediate(ev), ev, run, (void *)name);
}

static void add_more(struct tevent_context *context, struct tevent_immediate *im, void *unused)
{
    printf("adding from an immediate\n");
    add("f!");
}

int main(void)
{
    char name[] = "writes";
    ev = tevent_context_init(NULL);
    queue = tevent_queue_create(ev, name);
    memset(name, 'x', sizeof(name) - 1);
    printf("a queue is a %s, running %d\n", talloc_get_name(queue), tevent_queue_running(queue));

    printf("-- one after the other\n");
    add("a!");
    add("b!");
    add("c!");
    tevent_loop_wait(ev);

    printf("-- each addition moves the first start after the immediates\n");
    add("d!");
    schedule("1");
    add("e!");
    schedule("2");
    tevent_schedule_immediate(tevent_create_immediate(ev), ev, add_more, NULL);
    tevent_loop_wait(ev);

    printf("-- before timers\n");
    tevent_add_timer(ev, ev, tevent_timeval_zero(), on_time, "t");
    add("g!");
    add("h!");
    tevent_loop_wait(ev);

    printf("-- two queues take turns\n");
    struct tevent_queue *first = queue, *second = tevent_queue_create(ev, "other");
    add("i!");
    queue = second;
    add("j!");
    queue = first;
    add("k!");
    queue = second;
    add("l!");
    tevent_loop_wait(ev);

    printf("-- the active one stays until it is freed\n");
    queue = first;
    struct tevent_req *active = make();
    tevent_queue_add(queue, ev, active, trigger, "m");
    add("n!");
    tevent_loop_wait(ev);
    schedule("3");
    talloc_free(active);
    schedule("4");
    tevent_loop_wait(ev);
    printf("%zu and %zu left\n", tevent_queue_length(first), tevent_queue_length(second));
    talloc_free(ev);
    return 0;
}
