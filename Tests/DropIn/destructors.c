/* Objects whose destructor a program has replaced or removed, and that are freed where libtevent allows it: what is
 * called then, and that no memory is leaked. */
#define TEVENT_DEPRECATED 1
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static struct tevent_context *ev, *other;
static void *parent;
static int ends[2], destructions, callbacks;
static bool replaces;

static int destroy(void *object)
{
    destructions++;
    return 0;
}

static void *with_destructor(void *object)
{
    _talloc_set_destructor(object, replaces ? destroy : NULL);
    return object;
}

static void on_fd(struct tevent_context *e, struct tevent_fd *fde, uint16_t flags, void *data) { callbacks++; }
static void on_time(struct tevent_context *e, struct tevent_timer *te, struct timeval now, void *data) { callbacks++; }
static void at_once(struct tevent_context *e, struct tevent_immediate *im, void *data) { callbacks++; }
static void on_signal(struct tevent_context *e, struct tevent_signal *se, int n, int count, void *info, void *data)
{
    callbacks++;
}
static void trigger(struct tevent_req *req, void *data) { callbacks++; }
static void ended(struct tevent_req *req) { callbacks++; }
static void clean_up(struct tevent_req *req, enum tevent_req_state state) { callbacks++; }

static struct tevent_req *request(void)
{
    int *state;
    struct tevent_req *req = tevent_req_create(parent, &state, int);
    tevent_req_set_callback(req, ended, NULL);
    return req;
}

/* Requests. */
static void unfinished(void) { talloc_free(with_destructor(request())); }

static void finished(void)
{
    struct tevent_req *req = request();
    tevent_req_done(req);
    talloc_free(with_destructor(req));
}

static void posted(void)
{
    struct tevent_req *req = request();
    tevent_req_set_callback(req, NULL, NULL);
    tevent_req_done(req);
    tevent_req_post(req, ev);
    tevent_req_set_callback(req, ended, NULL);
    talloc_free(with_destructor(req));
}

static void deferred(void)
{
    struct tevent_req *req = request();
    tevent_req_defer_callback(req, ev);
    tevent_req_done(req);
    talloc_free(with_destructor(req));
}

static void with_functions(void)
{
    struct tevent_req *req = request();
    tevent_req_set_cleanup_fn(req, clean_up);
    tevent_req_set_endtime(req, ev, tevent_timeval_zero());
    tevent_req_set_profile(req);
    talloc_free(with_destructor(req));
}

static void received(void)
{
    struct tevent_req *req = request();
    tevent_req_received(req);
    talloc_free(with_destructor(req));
}

static void queued(void)
{
    struct tevent_queue *queue = tevent_queue_create(parent, "queue");
    struct tevent_req *req = request();
    tevent_queue_add(queue, ev, req, trigger, NULL);
    talloc_free(with_destructor(req));
    printf("%zu in the queue, ", tevent_queue_length(queue));
    talloc_free(queue);
}

/* Queues and proxies. */
static void empty_queue(void)
{
    struct tevent_queue *queue = tevent_queue_create(parent, "a queue whose name needs memory of its own");
    tevent_queue_stop(queue);
    tevent_queue_start(queue);
    talloc_free(with_destructor(queue));
}

static void proxy(void) { talloc_free(with_destructor(tevent_thread_proxy_create(ev))); }

/* Events that their loop frees, or that are not in a loop. */
static void timer_that_runs(void)
{
    with_destructor(tevent_add_timer(ev, parent, tevent_timeval_zero(), on_time, NULL));
    tevent_loop_once(ev);
}

static void immediate(void) { talloc_free(with_destructor(tevent_create_immediate(parent))); }

static void immediate_that_is_scheduled_then(void)
{
    struct tevent_immediate *im = with_destructor(tevent_create_immediate(parent));
    tevent_schedule_immediate(im, ev, at_once, NULL);
    talloc_free(im);
}

static void immediate_that_has_run(void)
{
    struct tevent_immediate *im = tevent_create_immediate(parent);
    tevent_schedule_immediate(im, ev, at_once, NULL);
    with_destructor(im);
    tevent_loop_once(ev);
    talloc_free(im);
}

static void events_whose_context_is_gone(void)
{
    other = tevent_context_init(NULL);
    void *events[] = {
        tevent_add_fd(other, parent, ends[1], TEVENT_FD_WRITE, on_fd, NULL),
        tevent_add_timer(other, parent, tevent_timeval_zero(), on_time, NULL),
        tevent_add_signal(other, parent, SIGUSR2, SA_RESETHAND, on_signal, NULL), tevent_create_immediate(parent)};
    tevent_schedule_immediate(events[3], other, at_once, NULL);
    talloc_free(other);
    for (int i = 0; i < 4; i++) talloc_free(with_destructor(events[i]));
}

/* How much a thousand more of them take. */
static long growth(void (*freed)(void))
{
    size_t before = 0;
    for (int i = 0; i < 2000; i++) {
        if (i == 1000) before = mallinfo2().uordblks;
        freed();
    }
    return (long)(mallinfo2().uordblks - before);
}

static void try(const char *name, void (*freed)(void))
{
    for (int i = 0; i < 2; i++) {
        replaces = i == 0;
        destructions = callbacks = 0;
        printf("%s, %s: ", name, replaces ? "replaced" : "taken away");
        freed();
        /* Whatever can still be called is called before a due timer. */
        for (int turn = 0; turn < 3; turn++) {
            tevent_add_timer(ev, ev, tevent_timeval_current(), on_time, NULL);
            tevent_loop_once(ev);
        }
        printf("%d destroyed, %d called\n", destructions, callbacks - 3);
    }
}

static void lose(const char *name, void (*freed)(void))
{
    replaces = true;
    long bytes = growth(freed);
    if (bytes > 4000) printf("a thousand of '%s' lose %ld bytes\n", name, bytes);
}

int main(void)
{
    if (pipe(ends) != 0) return 1;
    ev = tevent_context_init(NULL);
    parent = talloc_new(NULL);
    try("an unfinished request", unfinished);
    try("a finished request", finished);
    try("a posted request", posted);
    try("a deferred request", deferred);
    try("a request with functions", with_functions);
    try("a received request", received);
    try("a queued request", queued);
    try("an empty queue", empty_queue);
    try("a thread proxy", proxy);
    try("a timer that runs", timer_that_runs);
    try("an immediate", immediate);
    try("an immediate that is scheduled then", immediate_that_is_scheduled_then);
    try("an immediate that has run", immediate_that_has_run);
    try("events whose context is gone", events_whose_context_is_gone);
    /* For an event, this library leaks the sixteen bytes of its slot. */
    lose("an unfinished request", unfinished);
    lose("a posted request", posted);
    lose("a request with functions", with_functions);
    lose("an empty queue", empty_queue);
    talloc_free(parent);
    talloc_free(ev);
    return 0;
}
