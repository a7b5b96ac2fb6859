/* libev's part. Its immediates are prepared watchers that are fed an event. */
#include "CBench.h"
#include <ev.h>

static struct ev_loop *loop;
static long left;

static void make_loop(void)
{
    loop = ev_loop_new(EVBACKEND_EPOLL);
    bench_check(loop != NULL, "ev_loop_new");
}

static void run_until_done(void)
{
    while (left > 0) ev_run(loop, EVRUN_ONCE);
}

/* Immediates. */

static void immediate_again(struct ev_loop *loop, ev_idle *watcher, int events)
{
    if (--left > 0) ev_feed_event(loop, watcher, EV_IDLE);
}

static double run_immediate_again(void)
{
    make_loop();
    ev_idle watcher;
    ev_idle_init(&watcher, immediate_again);
    left = IMMEDIATES;
    int64_t start = bench_now();
    ev_feed_event(loop, &watcher, EV_IDLE);
    while (left > 0) ev_invoke_pending(loop);
    return (double)(bench_now() - start) / IMMEDIATES;
}

/* Timers. */

static ev_timer timers[TIMERS];

static void timer_fired(struct ev_loop *loop, ev_timer *timer, int events) { left--; }

static double run_timer_life(void)
{
    make_loop();
    ev_timer timer;
    ev_timer_init(&timer, timer_fired, 100, 0);
    int64_t start = bench_now();
    for (int i = 0; i < LIVES; i++) {
        ev_timer_start(loop, &timer);
        ev_timer_stop(loop, &timer);
    }
    return (double)(bench_now() - start) / LIVES;
}

static double add_timers(double seconds)
{
    make_loop();
    uint64_t seed = 1;
    int64_t start = bench_now();
    for (int i = 0; i < TIMERS; i++) {
        ev_timer_init(&timers[i], timer_fired, bench_random(&seed) % 100000000 * seconds / 1e8, 0);
        ev_timer_start(loop, &timers[i]);
    }
    return (double)(bench_now() - start) / TIMERS;
}

static double run_timer_insert(void) { return add_timers(100); }

static double run_timer_cancel(void)
{
    add_timers(100);
    int64_t start = bench_now();
    for (int i = 0; i < TIMERS; i++) ev_timer_stop(loop, &timers[i]);
    return (double)(bench_now() - start) / TIMERS;
}

static double run_timer_dispatch(void)
{
    /* Due within 200 ms, which then pass. */
    add_timers(0.2);
    struct timespec pause = {0, 300000000};
    nanosleep(&pause, NULL);
    left = TIMERS;
    int64_t start = bench_now();
    run_until_done();
    return (double)(bench_now() - start) / TIMERS;
}

static double run_timer_memory(void) { return sizeof(ev_timer) + 24; }

/* Descriptors. */

static void unused(struct ev_loop *loop, ev_io *io, int events) {}

static double run_fd_life(void)
{
    make_loop();
    int ends[2];
    bench_pipe(ends);
    ev_io io;
    ev_io_init(&io, unused, ends[0], EV_READ);
    int64_t start = bench_now();
    for (int i = 0; i < LIVES; i++) {
        ev_io_start(loop, &io);
        ev_io_stop(loop, &io);
    }
    return (double)(bench_now() - start) / LIVES;
}

static void hop(struct ev_loop *loop, ev_io *io, int events)
{
    bench_read_byte(io->fd);
    if (--left > 0) bench_write_byte(io->fd);
}

static double run_hop(void)
{
    make_loop();
    int ends[2];
    bench_socketpair(ends);
    ev_io sides[2];
    for (int i = 0; i < 2; i++) {
        ev_io_init(&sides[i], hop, ends[i], EV_READ);
        ev_io_start(loop, &sides[i]);
    }
    left = HOPS;
    int64_t start = bench_now();
    bench_write_byte(ends[0]);
    run_until_done();
    return (double)(bench_now() - start) / HOPS;
}

static void pipe_read(struct ev_loop *loop, ev_io *io, int events)
{
    bench_read_byte(io->fd);
    left--;
}

static double run_pipes(int count)
{
    make_loop();
    int(*pipes)[2] = calloc(count, sizeof(*pipes));
    ev_io *watchers = calloc(count, sizeof(*watchers));
    for (int i = 0; i < count; i++) {
        bench_pipe(pipes[i]);
        ev_io_init(&watchers[i], pipe_read, pipes[i][0], EV_READ);
        ev_io_start(loop, &watchers[i]);
    }
    int64_t taken = 0;
    for (int round = 0; round <= PIPE_ROUNDS; round++) {
        int64_t start = bench_now();
        for (int i = 0; i < BUSY_PIPES; i++) bench_write_byte(pipes[i * (count / BUSY_PIPES)][1]);
        left = BUSY_PIPES;
        run_until_done();
        if (round > 0) taken += bench_now() - start;
    }
    return (double)taken / PIPE_ROUNDS / BUSY_PIPES;
}

static double run_pipes_100(void) { return run_pipes(BUSY_PIPES); }
static double run_pipes_5000(void) { return run_pipes(MANY_PIPES); }

/* Threads: ev_async carries nothing, so a list under a lock carries the messages. */

static ev_async arrival;
static struct bench_mailbox mailbox;

static void messages_arrived(struct ev_loop *loop, ev_async *async, int events)
{
    left -= bench_receive(&mailbox);
}

static void *send_messages(void *data)
{
    for (int i = 0; i < MESSAGES; i++) {
        bench_send(&mailbox, i);
        ev_async_send(loop, &arrival);
    }
    return NULL;
}

static double run_message(void)
{
    make_loop();
    ev_async_init(&arrival, messages_arrived);
    ev_async_start(loop, &arrival);
    bench_open(&mailbox);
    left = MESSAGES;
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, send_messages, NULL) == 0, "pthread_create");
    run_until_done();
    double figure = (double)(bench_now() - start) / MESSAGES;
    pthread_join(thread, NULL);
    return figure;
}

static ev_async question, answer;
static struct ev_loop *own;
static bool is_answered;
static pthread_barrier_t is_ready;

static void asked(struct ev_loop *loop, ev_async *async, int events)
{
    left--;
    ev_async_send(own, &answer);
}

static void answered(struct ev_loop *loop, ev_async *async, int events) { is_answered = true; }

static void *ask(void *data)
{
    own = ev_loop_new(EVBACKEND_EPOLL);
    ev_async_init(&answer, answered);
    ev_async_start(own, &answer);
    pthread_barrier_wait(&is_ready);
    for (int i = 0; i < REPLIES; i++) {
        is_answered = false;
        ev_async_send(loop, &question);
        while (!is_answered) ev_run(own, EVRUN_ONCE);
    }
    return NULL;
}

static double run_reply(void)
{
    make_loop();
    ev_async_init(&question, asked);
    ev_async_start(loop, &question);
    pthread_barrier_init(&is_ready, NULL, 2);
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, ask, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&is_ready);
    left = REPLIES;
    int64_t start = bench_now();
    run_until_done();
    double figure = (double)(bench_now() - start) / REPLIES;
    pthread_join(thread, NULL);
    return figure;
}

/* Signals. */

static void signalled(struct ev_loop *loop, ev_signal *signal, int events) { left--; }

static double run_signal(void)
{
    loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_signal watcher;
    ev_signal_init(&watcher, signalled, SIGUSR1);
    ev_signal_start(loop, &watcher);
    left = SIGNALS;
    int64_t start = bench_now();
    for (int i = SIGNALS; i > 0; i--) {
        raise(SIGUSR1);
        while (left >= i) ev_run(loop, EVRUN_ONCE);
    }
    return (double)(bench_now() - start) / SIGNALS;
}

int main(int count, char **arguments)
{
    static const struct bench_workload workloads[] = {
        {"immediate-again", run_immediate_again},
        {"timer-life", run_timer_life},
        {"timer-insert", run_timer_insert},
        {"timer-cancel", run_timer_cancel},
        {"timer-dispatch", run_timer_dispatch},
        {"timer-memory", run_timer_memory},
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
