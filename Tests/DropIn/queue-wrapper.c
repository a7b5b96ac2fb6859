/* Requests that are added, and immediates that threads schedule, through a wrapper context. */
#include <pthread.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct state {
    int unused;
};

static struct tevent_context *ev, *wrapper;
static struct tevent_queue *queue;

typedef struct tevent_context *context;
typedef const char *text;

/* Not declared in tevent.h, although the library has it. */
struct tevent_wrapper_ops {
    text name;
    bool (*before_use)(context, void *, context, text);
    void (*after_use)(context, void *, context, text);
    void (*fd[2])(context, void *, context, struct tevent_fd *, uint16_t, text, text);
    void (*timer[2])(
        context, void *, context, struct tevent_timer *, struct timeval, struct timeval, text, text);
    void (*before_immediate)(context, void *, context, struct tevent_immediate *, text, text);
    void (*after_immediate)(context, void *, context, struct tevent_immediate *, text, text);
    void (*signal[2])(context, void *, context, struct tevent_signal *, int, int, void *, text, text);
};
context _tevent_context_wrapper_create(
    context main, void *mem_ctx, const struct tevent_wrapper_ops *ops, void *state, size_t size, text type, text place);

static void before(context wrap_ev, void *state, context main_ev, struct tevent_immediate *im, text name, text place)
{
    printf("before, our wrapper %d, our context %d\n", wrap_ev == wrapper, main_ev == ev);
}
static void after(context wrap_ev, void *state, context main_ev, struct tevent_immediate *im, text name, text place)
{
    printf("after\n");
}

static const struct tevent_wrapper_ops ops = {.name = "test", .before_immediate = before, .after_immediate = after};

static void trigger(struct tevent_req *req, void *name) { printf("trigger %s\n", (const char *)name); }

static void run(context given, struct tevent_immediate *im, void *name)
{
    printf("immediate %s, the wrapper %d\n", (const char *)name, given == wrapper);
}

static struct tevent_req *add(context on, const char *name)
{
    struct state *state;
    struct tevent_req *req = tevent_req_create(ev, &state, struct state);
    printf("add %s: %d\n", name, tevent_queue_add(queue, on, req, trigger, (void *)name));
    return req;
}

int main(void)
{
    ev = tevent_context_init(NULL);
    queue = tevent_queue_create(ev, "queue");
    struct state *state;
    wrapper = _tevent_context_wrapper_create(ev, ev, &ops, &state, sizeof(*state), "struct state", "here");
    struct tevent_req *a = add(wrapper, "a"), *b = add(ev, "b"), *c = add(wrapper, "c");
    tevent_loop_wait(ev);
    talloc_free(a);
    tevent_loop_wait(ev);
    talloc_free(b);
    tevent_loop_wait(ev);
    talloc_free(c);

    printf("-- a threaded context\n");
    struct tevent_threaded_context *threaded = tevent_threaded_context_create(ev, wrapper);
    struct tevent_immediate *im = tevent_create_immediate(ev);
    tevent_threaded_schedule_immediate(threaded, im, run, "threaded");
    tevent_loop_once(ev);
    talloc_free(threaded);
    talloc_free(queue);
    talloc_free(ev);
    return 0;
}
