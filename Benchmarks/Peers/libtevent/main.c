/* libtevent's part: every workload, written as its documentation recommends. */
#include "CBench.h"
#include <tevent.h>

static struct tevent_context *events;

static void make_context(void)
{
    events = tevent_context_init(NULL);
    bench_check(events != NULL, "tevent_context_init");
}

/* Immediates. */

static long left;

static void immediate_again(struct tevent_context *ev, struct tevent_immediate *im, void *data)
{
    if (--left > 0) tevent_schedule_immediate(im, ev, immediate_again, data);
}

static double run_immediate_again(long count)
{
    make_context();
    struct tevent_immediate *im = tevent_create_immediate(events);
    left = count;
    int64_t start = bench_now();
    tevent_schedule_immediate(im, events, immediate_again, NULL);
    while (left > 0) tevent_loop_once(events);
    return (double)(bench_now() - start) / count;
}

static void immediate_free(struct tevent_context *ev, struct tevent_immediate *im, void *data)
{
    left--;
    talloc_free(im);
}

static double run_immediate_life(long count)
{
    make_context();
    left = count;
    int64_t start = bench_now();
    while (left > 0) {
        struct tevent_immediate *im = tevent_create_immediate(events);
        tevent_schedule_immediate(im, events, immediate_free, NULL);
        tevent_loop_once(events);
    }
    return (double)(bench_now() - start) / count;
}

/* Timers. */

static void timer_fired(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *data) { left--; }

static double run_timer_life(long count)
{
    make_context();
    struct timeval later = tevent_timeval_current_ofs(100, 0);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) talloc_free(tevent_add_timer(events, events, later, timer_fired, NULL));
    return (double)(bench_now() - start) / count;
}

static struct tevent_timer **timers;

/* Adds all timers, at random times within the hundred seconds that begin `offset` seconds from now. */
/* The first of them is due so many seconds from now. */
static void fill_timers(long count, int offset)
{
    uint64_t seed = 1;
    /* Not `tevent_timeval_current_ofs`, whose offset cannot be negative. */
    struct timeval base = tevent_timeval_current();
    base.tv_sec += offset;
    for (long i = 0; i < count; i++) {
        uint64_t random = bench_random(&seed) % 100000000;
        struct timeval when = tevent_timeval_add(&base, random / 1000000, random % 1000000);
        timers[i] = tevent_add_timer(events, events, when, timer_fired, NULL);
    }
}

static double add_timers(long count, int offset)
{
    timers = calloc(count, sizeof(*timers));
    int64_t start = bench_now();
    fill_timers(count, offset);
    return (double)(bench_now() - start) / count;
}

static double run_timer_insert(long count)
{
    make_context();
    return add_timers(count, 100);
}

static double run_timer_cancel(long count)
{
    make_context();
    add_timers(count, 100);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) talloc_free(timers[i]);
    return (double)(bench_now() - start) / count;
}

static double run_timer_whole(long count)
{
    make_context();
    timers = calloc(count, sizeof(*timers));
    int64_t start = bench_now();
    fill_timers(count, 100);
    for (long i = 0; i < count; i++) talloc_free(timers[i]);
    return (double)(bench_now() - start) / count;
}

static double run_timer_dispatch(long count)
{
    make_context();
    add_timers(count, -200);
    left = count;
    int64_t start = bench_now();
    while (left > 0) tevent_loop_once(events);
    return (double)(bench_now() - start) / count;
}

static double run_timer_memory(long count)
{
    make_context();
    struct timeval later = tevent_timeval_current_ofs(100, 0);
    size_t before = bench_bytes();
    for (long i = 0; i < count; i++) tevent_add_timer(events, events, later, timer_fired, NULL);
    return (double)(bench_bytes() - before) / count;
}

/* Requests. */

struct state {
    struct tevent_req *sub;
    long number;
};

static void request_done(struct tevent_req *req)
{
    left--;
    talloc_free(req);
}

static double run_request_life(long count)
{
    make_context();
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        struct state *state;
        struct tevent_req *req = tevent_req_create(events, &state, struct state);
        tevent_req_set_callback(req, request_done, NULL);
        tevent_req_done(req);
    }
    return (double)(bench_now() - start) / count;
}

static double run_request_posted(long count)
{
    make_context();
    left = count;
    int64_t start = bench_now();
    while (left > 0) {
        struct state *state;
        struct tevent_req *req = tevent_req_create(events, &state, struct state);
        tevent_req_done(req);
        tevent_req_post(req, events);
        tevent_req_set_callback(req, request_done, NULL);
        tevent_loop_once(events);
    }
    return (double)(bench_now() - start) / count;
}

static void nested_done(struct tevent_req *sub)
{
    struct tevent_req *req = tevent_req_callback_data(sub, struct tevent_req);
    talloc_free(sub);
    tevent_req_done(req);
}

static struct tevent_req *nested_send(TALLOC_CTX *memory, int depth, struct tevent_req **innermost)
{
    struct state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct state);
    if (depth == 0) {
        *innermost = req;
        return req;
    }
    state->sub = nested_send(state, depth - 1, innermost);
    tevent_req_set_callback(state->sub, nested_done, req);
    return req;
}

static double run_request_nested(long count)
{
    make_context();
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        struct tevent_req *innermost = NULL;
        struct tevent_req *outermost = nested_send(events, 9, &innermost);
        tevent_req_set_callback(outermost, request_done, NULL);
        tevent_req_done(innermost);
    }
    return (double)(bench_now() - start) / count;
}

static double run_request_memory(long count)
{
    make_context();
    size_t before = bench_bytes();
    for (long i = 0; i < count; i++) {
        struct state *state;
        struct tevent_req *req = tevent_req_create(events, &state, struct state);
        tevent_req_set_callback(req, request_done, NULL);
    }
    return (double)(bench_bytes() - before) / count;
}

/* Queues. */

static void triggered(struct tevent_req *req, void *data) { tevent_req_done(req); }

static double run_queue(long waiting, long count)
{
    make_context();
    struct tevent_queue *queue = tevent_queue_create(events, "queue");
    int64_t start = bench_now();
    for (long made = 0; made < count; made += waiting) {
        for (long i = 0; i < waiting; i++) {
            struct state *state;
            struct tevent_req *req = tevent_req_create(events, &state, struct state);
            tevent_queue_add(queue, events, req, triggered, NULL);
            tevent_req_set_callback(req, request_done, NULL);
        }
        left = waiting;
        while (left > 0) tevent_loop_once(events);
    }
    return (double)(bench_now() - start) / count;
}

static double run_queue_short(long count) { return run_queue(16, count); }
static double run_queue_long(long count) { return run_queue(LONG_QUEUE, count); }
static double run_queue_growing(long size) { return run_queue(size, size < QUEUED ? QUEUED : size); }

/* Descriptors. */

static void unused(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *data) {}

static double run_fd_life(long count)
{
    make_context();
    int ends[2];
    bench_pipe(ends);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) talloc_free(tevent_add_fd(events, events, ends[0], TEVENT_FD_READ, unused, NULL));
    return (double)(bench_now() - start) / count;
}

struct side {
    int descriptor;
};

static void hop(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *data)
{
    struct side *side = data;
    bench_read_byte(side->descriptor);
    if (--left > 0) bench_write_byte(side->descriptor);
}

static double run_hop(long count)
{
    make_context();
    int ends[2];
    bench_socketpair(ends);
    struct side sides[2] = {{ends[0]}, {ends[1]}};
    for (int i = 0; i < 2; i++) tevent_add_fd(events, events, ends[i], TEVENT_FD_READ, hop, &sides[i]);
    left = count;
    int64_t start = bench_now();
    bench_write_byte(ends[0]);
    while (left > 0) tevent_loop_once(events);
    return (double)(bench_now() - start) / count;
}

static void pipe_read(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *data)
{
    bench_read_byte(((struct side *)data)->descriptor);
    left--;
}

static double run_pipes(long size, long count)
{
    int busy = size < BUSY_PIPES ? size : BUSY_PIPES;
    make_context();
    int(*pipes)[2] = calloc(size, sizeof(*pipes));
    struct side *sides = calloc(size, sizeof(*sides));
    for (long i = 0; i < size; i++) {
        bench_pipe_among(size, pipes[i]);
        sides[i].descriptor = pipes[i][0];
        tevent_add_fd(events, events, pipes[i][0], TEVENT_FD_READ, pipe_read, &sides[i]);
    }
    int64_t start = 0;
    for (long round = 0; round <= count / busy; round++) {
        /* The first round registers the descriptors. */
        if (round == 1) start = bench_now();
        for (int i = 0; i < busy; i++) bench_write_byte(pipes[i * (size / busy)][1]);
        left = busy;
        while (left > 0) tevent_loop_once(events);
    }
    return (double)(bench_now() - start) / count;
}

static double run_pipes_100(long count) { return run_pipes(100, count); }
static double run_pipes_5000(long count) { return run_pipes(5000, count); }
static double run_pipes_growing(long size) { return run_pipes(size, PIPE_EVENTS); }

/* Threads. */

static struct tevent_thread_proxy *proxy;

static void message_arrived(struct tevent_context *ev, struct tevent_immediate *im, void *data) { left--; }

static void *send_messages(void *data)
{
    long count = *(long *)data;
    TALLOC_CTX *memory = talloc_new(NULL);
    for (long i = 0; i < count; i++) {
        struct tevent_immediate *im = tevent_create_immediate(memory);
        long *number = talloc(memory, long);
        *number = i;
        tevent_thread_proxy_schedule(proxy, &im, message_arrived, &number);
    }
    talloc_free(memory);
    return NULL;
}

static double run_message(long count)
{
    make_context();
    proxy = tevent_thread_proxy_create(events);
    left = count;
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, send_messages, &count) == 0, "pthread_create");
    while (left > 0) tevent_loop_once(events);
    double figure = (double)(bench_now() - start) / count;
    pthread_join(thread, NULL);
    return figure;
}

struct question {
    struct tevent_thread_proxy *reply_to;
    bool *is_answered;
};

static void answered(struct tevent_context *ev, struct tevent_immediate *im, void *data)
{
    *((struct question *)data)->is_answered = true;
}

static void asked(struct tevent_context *ev, struct tevent_immediate *im, void *data)
{
    struct question *question = talloc_get_type_abort(data, struct question);
    talloc_steal(ev, question);
    struct tevent_immediate *back = tevent_create_immediate(ev);
    left--;
    tevent_thread_proxy_schedule(question->reply_to, &back, answered, &question);
}

static void *ask(void *data)
{
    long count = *(long *)data;
    struct tevent_context *own = tevent_context_init(NULL);
    struct tevent_thread_proxy *reply_to = tevent_thread_proxy_create(own);
    for (long i = 0; i < count; i++) {
        bool is_answered = false;
        struct tevent_immediate *im = tevent_create_immediate(own);
        struct question *question = talloc(own, struct question);
        *question = (struct question){reply_to, &is_answered};
        tevent_thread_proxy_schedule(proxy, &im, asked, &question);
        while (!is_answered) tevent_loop_once(own);
    }
    talloc_free(own);
    return NULL;
}

static double run_reply(long count)
{
    make_context();
    proxy = tevent_thread_proxy_create(events);
    left = count;
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, ask, &count) == 0, "pthread_create");
    while (left > 0) tevent_loop_once(events);
    double figure = (double)(bench_now() - start) / count;
    pthread_join(thread, NULL);
    return figure;
}

/* Signals. */

static void signalled(
    struct tevent_context *ev, struct tevent_signal *se, int number, int count, void *info, void *data)
{
    left--;
}

static double run_signal(long count)
{
    make_context();
    tevent_add_signal(events, events, SIGUSR1, 0, signalled, NULL);
    left = count;
    int64_t start = bench_now();
    for (long i = count; i > 0; i--) {
        raise(SIGUSR1);
        while (left >= i) tevent_loop_once(events);
    }
    return (double)(bench_now() - start) / count;
}

int main(int count, char **arguments)
{
    talloc_disable_null_tracking();
    static const struct bench_workload workloads[] = {
        {"immediate-again", run_immediate_again, IMMEDIATES},
        {"immediate-life", run_immediate_life, LIVES},
        BENCH_TIMER_ROWS,
        {"request-life", run_request_life, REQUESTS},
        {"request-nested", run_request_nested, NESTED},
        {"request-posted", run_request_posted, REQUESTS},
        {"request-memory", run_request_memory, LONG_QUEUE},
        {"queue-16", run_queue_short, QUEUED},
        {"queue-100000", run_queue_long, QUEUED},
        {"queue-growing", run_queue_growing, LONG_QUEUE},
        {"fd-life", run_fd_life, FD_LIVES},
        BENCH_SYSTEM_ROWS,
        {NULL, NULL, 0},
    };
    return bench_main(count, arguments, workloads);
}
