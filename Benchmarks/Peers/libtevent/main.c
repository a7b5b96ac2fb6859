/* libtevent's part: every workload as its own documentation would have it. */
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

static double run_immediate_again(void)
{
    make_context();
    struct tevent_immediate *im = tevent_create_immediate(events);
    left = IMMEDIATES;
    int64_t start = bench_now();
    tevent_schedule_immediate(im, events, immediate_again, NULL);
    while (left > 0) tevent_loop_once(events);
    return (double)(bench_now() - start) / IMMEDIATES;
}

static void immediate_free(struct tevent_context *ev, struct tevent_immediate *im, void *data)
{
    left--;
    talloc_free(im);
}

static double run_immediate_life(void)
{
    make_context();
    left = LIVES;
    int64_t start = bench_now();
    while (left > 0) {
        struct tevent_immediate *im = tevent_create_immediate(events);
        tevent_schedule_immediate(im, events, immediate_free, NULL);
        tevent_loop_once(events);
    }
    return (double)(bench_now() - start) / LIVES;
}

/* Timers. */

static void timer_fired(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *data) { left--; }

static double run_timer_life(void)
{
    make_context();
    struct timeval later = tevent_timeval_current_ofs(100, 0);
    int64_t start = bench_now();
    for (int i = 0; i < LIVES; i++) talloc_free(tevent_add_timer(events, events, later, timer_fired, NULL));
    return (double)(bench_now() - start) / LIVES;
}

static struct tevent_timer *timers[TIMERS];

/* Adds all timers, at random times within the hundred seconds that begin `offset` seconds from now. */
static double add_timers(int offset)
{
    uint64_t seed = 1;
    struct timeval base = tevent_timeval_current_ofs(offset, 0);
    int64_t start = bench_now();
    for (int i = 0; i < TIMERS; i++) {
        uint64_t random = bench_random(&seed) % 100000000;
        struct timeval when = tevent_timeval_add(&base, random / 1000000, random % 1000000);
        timers[i] = tevent_add_timer(events, events, when, timer_fired, NULL);
    }
    return (double)(bench_now() - start) / TIMERS;
}

static double run_timer_insert(void)
{
    make_context();
    return add_timers(100);
}

static double run_timer_cancel(void)
{
    make_context();
    add_timers(100);
    int64_t start = bench_now();
    for (int i = 0; i < TIMERS; i++) talloc_free(timers[i]);
    return (double)(bench_now() - start) / TIMERS;
}

static double run_timer_dispatch(void)
{
    make_context();
    add_timers(-200);
    left = TIMERS;
    int64_t start = bench_now();
    while (left > 0) tevent_loop_once(events);
    return (double)(bench_now() - start) / TIMERS;
}

static double run_timer_memory(void)
{
    make_context();
    struct timeval later = tevent_timeval_current_ofs(100, 0);
    size_t before = bench_bytes();
    for (int i = 0; i < TIMERS; i++) tevent_add_timer(events, events, later, timer_fired, NULL);
    return (double)(bench_bytes() - before) / TIMERS;
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

static double run_request_life(void)
{
    make_context();
    int64_t start = bench_now();
    for (int i = 0; i < REQUESTS; i++) {
        struct state *state;
        struct tevent_req *req = tevent_req_create(events, &state, struct state);
        tevent_req_set_callback(req, request_done, NULL);
        tevent_req_done(req);
    }
    return (double)(bench_now() - start) / REQUESTS;
}

static double run_request_posted(void)
{
    make_context();
    left = REQUESTS;
    int64_t start = bench_now();
    while (left > 0) {
        struct state *state;
        struct tevent_req *req = tevent_req_create(events, &state, struct state);
        tevent_req_done(req);
        tevent_req_post(req, events);
        tevent_req_set_callback(req, request_done, NULL);
        tevent_loop_once(events);
    }
    return (double)(bench_now() - start) / REQUESTS;
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

static double run_request_nested(void)
{
    make_context();
    int64_t start = bench_now();
    for (int i = 0; i < NESTED; i++) {
        struct tevent_req *innermost = NULL;
        struct tevent_req *outermost = nested_send(events, 9, &innermost);
        tevent_req_set_callback(outermost, request_done, NULL);
        tevent_req_done(innermost);
    }
    return (double)(bench_now() - start) / NESTED;
}

static double run_request_memory(void)
{
    make_context();
    size_t before = bench_bytes();
    for (int i = 0; i < LONG_QUEUE; i++) {
        struct state *state;
        struct tevent_req *req = tevent_req_create(events, &state, struct state);
        tevent_req_set_callback(req, request_done, NULL);
    }
    return (double)(bench_bytes() - before) / LONG_QUEUE;
}

/* Queues. */

static void triggered(struct tevent_req *req, void *data) { tevent_req_done(req); }

static double run_queue(int waiting)
{
    make_context();
    struct tevent_queue *queue = tevent_queue_create(events, "queue");
    int64_t start = bench_now();
    for (int made = 0; made < QUEUED; made += waiting) {
        for (int i = 0; i < waiting; i++) {
            struct state *state;
            struct tevent_req *req = tevent_req_create(events, &state, struct state);
            tevent_queue_add(queue, events, req, triggered, NULL);
            tevent_req_set_callback(req, request_done, NULL);
        }
        left = waiting;
        while (left > 0) tevent_loop_once(events);
    }
    return (double)(bench_now() - start) / QUEUED;
}

static double run_queue_short(void) { return run_queue(16); }
static double run_queue_long(void) { return run_queue(LONG_QUEUE); }

/* Descriptors. */

static void unused(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *data) {}

static double run_fd_life(void)
{
    make_context();
    int ends[2];
    bench_pipe(ends);
    int64_t start = bench_now();
    for (int i = 0; i < LIVES; i++) talloc_free(tevent_add_fd(events, events, ends[0], TEVENT_FD_READ, unused, NULL));
    return (double)(bench_now() - start) / LIVES;
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

static double run_hop(void)
{
    make_context();
    int ends[2];
    bench_socketpair(ends);
    struct side sides[2] = {{ends[0]}, {ends[1]}};
    for (int i = 0; i < 2; i++) tevent_add_fd(events, events, ends[i], TEVENT_FD_READ, hop, &sides[i]);
    left = HOPS;
    int64_t start = bench_now();
    bench_write_byte(ends[0]);
    while (left > 0) tevent_loop_once(events);
    return (double)(bench_now() - start) / HOPS;
}

static void pipe_read(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *data)
{
    bench_read_byte(((struct side *)data)->descriptor);
    left--;
}

static double run_pipes(int count)
{
    make_context();
    int(*pipes)[2] = calloc(count, sizeof(*pipes));
    struct side *sides = calloc(count, sizeof(*sides));
    for (int i = 0; i < count; i++) {
        bench_pipe(pipes[i]);
        sides[i].descriptor = pipes[i][0];
        tevent_add_fd(events, events, pipes[i][0], TEVENT_FD_READ, pipe_read, &sides[i]);
    }
    int64_t taken = 0;
    for (int round = 0; round <= PIPE_ROUNDS; round++) {
        int64_t start = bench_now();
        for (int i = 0; i < BUSY_PIPES; i++) bench_write_byte(pipes[i * (count / BUSY_PIPES)][1]);
        left = BUSY_PIPES;
        while (left > 0) tevent_loop_once(events);
        /* The first round registers the descriptors. */
        if (round > 0) taken += bench_now() - start;
    }
    return (double)taken / PIPE_ROUNDS / BUSY_PIPES;
}

static double run_pipes_100(void) { return run_pipes(BUSY_PIPES); }
static double run_pipes_5000(void) { return run_pipes(MANY_PIPES); }

/* Threads. */

static struct tevent_thread_proxy *proxy;

static void message_arrived(struct tevent_context *ev, struct tevent_immediate *im, void *data) { left--; }

static void *send_messages(void *data)
{
    TALLOC_CTX *memory = talloc_new(NULL);
    for (int i = 0; i < MESSAGES; i++) {
        struct tevent_immediate *im = tevent_create_immediate(memory);
        long *number = talloc(memory, long);
        *number = i;
        tevent_thread_proxy_schedule(proxy, &im, message_arrived, &number);
    }
    talloc_free(memory);
    return NULL;
}

static double run_message(void)
{
    make_context();
    proxy = tevent_thread_proxy_create(events);
    left = MESSAGES;
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, send_messages, NULL) == 0, "pthread_create");
    while (left > 0) tevent_loop_once(events);
    double figure = (double)(bench_now() - start) / MESSAGES;
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
    struct tevent_context *own = tevent_context_init(NULL);
    struct tevent_thread_proxy *reply_to = tevent_thread_proxy_create(own);
    for (int i = 0; i < REPLIES; i++) {
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

static double run_reply(void)
{
    make_context();
    proxy = tevent_thread_proxy_create(events);
    left = REPLIES;
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, ask, NULL) == 0, "pthread_create");
    while (left > 0) tevent_loop_once(events);
    double figure = (double)(bench_now() - start) / REPLIES;
    pthread_join(thread, NULL);
    return figure;
}

/* Signals. */

static void signalled(
    struct tevent_context *ev, struct tevent_signal *se, int number, int count, void *info, void *data)
{
    left--;
}

static double run_signal(void)
{
    make_context();
    tevent_add_signal(events, events, SIGUSR1, 0, signalled, NULL);
    left = SIGNALS;
    int64_t start = bench_now();
    for (int i = SIGNALS; i > 0; i--) {
        raise(SIGUSR1);
        while (left >= i) tevent_loop_once(events);
    }
    return (double)(bench_now() - start) / SIGNALS;
}

int main(int count, char **arguments)
{
    talloc_disable_null_tracking();
    static const struct bench_workload workloads[] = {
        {"immediate-again", run_immediate_again},
        {"immediate-life", run_immediate_life},
        {"timer-life", run_timer_life},
        {"timer-insert", run_timer_insert},
        {"timer-cancel", run_timer_cancel},
        {"timer-dispatch", run_timer_dispatch},
        {"timer-memory", run_timer_memory},
        {"request-life", run_request_life},
        {"request-nested", run_request_nested},
        {"request-posted", run_request_posted},
        {"request-memory", run_request_memory},
        {"queue-16", run_queue_short},
        {"queue-100000", run_queue_long},
        {"fd-life", run_fd_life},
        {"hop", run_hop},
        {"pipes-100", run_pipes_100},
        {"pipes-5000", run_pipes_5000},
        {"message", run_message},
        {"reply", run_reply},
        {"signal", run_signal},
        BENCH_ECHO_WORKLOADS,
        {NULL, NULL},
    };
    return bench_main(count, arguments, workloads);
}
