/* How the library calls the function for the flow of requests, which tevent_thread_call_depth_set_callback sets.
 * Only ours: the function came with tevent 0.15; 0.17 prints the same. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum command { RESET, CREATE, CANCEL, CLEANUP, NOTIFY, ENTER, TRIGGER, LEAVE };
static const char *const names[] = {"reset", "create", "cancel", "cleanup", "notify", "enter", "trigger", "leave"};

/* Functions that came with 0.15. */
typedef void (*flow_t)(void *data, enum command command, struct tevent_req *req, size_t depth, const char *function);
static void (*set_flow)(flow_t flow, void *data);
static void (*set_callback)(struct tevent_req *req, tevent_req_fn callback, const char *name, void *data);
static void (*set_cancel)(struct tevent_req *req, tevent_req_cancel_fn cancel, const char *name);
static void (*set_cleanup)(struct tevent_req *req, tevent_req_cleanup_fn cleanup, const char *name);
static bool (*add)(
    struct tevent_queue *queue, struct tevent_context *ev, struct tevent_req *req, tevent_queue_trigger_fn_t trigger,
    const char *name, void *data);
static struct tevent_req *(*create)(
    void *parent, void *state, size_t size, const char *type, const char *function, const char *location);
static void (*reset)(struct tevent_req *req, const char *function);

struct state {
    const char *name;
};

static const char *name_of(struct tevent_req *req)
{
    if (req == NULL) return "no request";
    struct state *state = _tevent_req_data(req);
    bool is_ours = state != NULL && strcmp(talloc_get_name(state), "struct state") == 0;
    return is_ours && state->name != NULL ? state->name : "a request";
}

static void flow(void *data, enum command command, struct tevent_req *req, size_t depth, const char *function)
{
    printf("    %s%s: %s at %zu, %s\n", (char *)data, names[command], name_of(req), depth, function ? function : "NULL");
}

static struct tevent_req *make(void *parent, const char *name)
{
    struct state *state;
    struct tevent_req *req = create(parent, &state, sizeof(*state), "struct state", "make", "here");
    state->name = name;
    return req;
}

static void *state_of(struct tevent_req *req) { return _tevent_req_data(req); }

static void ended(struct tevent_req *req) { printf("callback of %s\n", name_of(req)); }
static bool cancel(struct tevent_req *req) { return true; }
static void clean_up(struct tevent_req *req, enum tevent_req_state state)
{
    printf("cleanup of %s, %d\n", name_of(req), state);
}
static void start(struct tevent_req *req, void *data)
{
    printf("trigger of %s\n", name_of(req));
    make(state_of(req), "started");
    tevent_req_done(req);
}

static void once(struct tevent_context *ev)
{
    printf("turn\n");
    tevent_loop_once(ev);
}

#define FIND(variable, function) variable = dlsym(RTLD_DEFAULT, function)

int main(void)
{
    FIND(set_flow, "tevent_thread_call_depth_set_callback");
    FIND(set_callback, "_tevent_req_set_callback");
    FIND(set_cancel, "_tevent_req_set_cancel_fn");
    FIND(set_cleanup, "_tevent_req_set_cleanup_fn");
    FIND(add, "_tevent_queue_add");
    FIND(create, "__tevent_req_create");
    FIND(reset, "_tevent_thread_call_depth_reset_from_req");

    struct tevent_context *ev = tevent_context_init(NULL);
    set_flow(flow, "");
    printf("a chain\n");
    struct tevent_req *a = make(ev, "a"), *b = make(state_of(a), "b"), *c = make(state_of(b), "c");
    set_callback(a, ended, "ended", NULL);
    tevent_req_set_callback(b, ended, NULL);
    set_callback(c, ended, "ended c", NULL);
    reset(b, "main");
    printf("cancelled\n");
    tevent_req_cancel(c);
    set_cancel(c, cancel, "cancel");
    tevent_req_cancel(c);
    printf("ended, with and without a cleanup function\n");
    set_cleanup(c, clean_up, "clean_up");
    tevent_req_done(c);
    tevent_req_error(b, 5);
    printf("posted\n");
    tevent_req_done(a);
    tevent_req_post(a, ev);
    once(ev);
    printf("received\n");
    tevent_req_received(c);
    printf("freed\n");
    talloc_free(a);

    printf("a queue\n");
    struct tevent_queue *queue = tevent_queue_create(ev, "queue");
    struct tevent_req *d = make(ev, "d"), *e = make(state_of(d), "e"), *f = make(ev, "f");
    set_callback(e, ended, "ended", NULL);
    add(queue, ev, e, start, "start", NULL);
    add(queue, ev, f, start, NULL, NULL);
    once(ev);
    printf("freed\n");
    talloc_free(d);
    once(ev);
    talloc_free(f);
    printf("waiting for it\n");
    struct tevent_req *wait = tevent_queue_wait_send(ev, ev, queue);
    once(ev);
    talloc_free(wait);
    printf("waking\n");
    struct tevent_req *wakeup = tevent_wakeup_send(ev, ev, tevent_timeval_zero());
    once(ev);
    talloc_free(wakeup);

    printf("polled\n");
    struct tevent_req *g = make(ev, "g");
    tevent_req_set_endtime(g, ev, tevent_timeval_current());
    tevent_req_poll(g, ev);
    printf("another function\n");
    set_flow(flow, "2: ");
    reset(g, NULL);
    set_flow(NULL, NULL);
    make(ev, "not told");
    talloc_free(ev);
    return 0;
}
