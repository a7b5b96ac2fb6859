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

static double run_immediate_again(long count)
{
    make_loop();
    ev_idle watcher;
    ev_idle_init(&watcher, immediate_again);
    left = count;
    int64_t start = bench_now();
    ev_feed_event(loop, &watcher, EV_IDLE);
    while (left > 0) ev_invoke_pending(loop);
    return (double)(bench_now() - start) / count;
}

/* Timers. */

static ev_timer *timers;

static void timer_fired(struct ev_loop *loop, ev_timer *timer, int events) { left--; }

static double run_timer_life(long count)
{
    make_loop();
    ev_timer timer;
    ev_timer_init(&timer, timer_fired, 100, 0);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        ev_timer_start(loop, &timer);
        ev_timer_stop(loop, &timer);
    }
    return (double)(bench_now() - start) / count;
}

static double add_timers(long count, double seconds)
{
    make_loop();
    uint64_t seed = 1;
    timers = calloc(count, sizeof(*timers));
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        ev_timer_init(&timers[i], timer_fired, bench_random(&seed) % 100000000 * seconds / 1e8, 0);
        ev_timer_start(loop, &timers[i]);
    }
    return (double)(bench_now() - start) / count;
}

static double run_timer_insert(long count) { return add_timers(count, 100); }

static double run_timer_cancel(long count)
{
    add_timers(count, 100);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) ev_timer_stop(loop, &timers[i]);
    return (double)(bench_now() - start) / count;
}

/* Each timer is allocated, added, stopped and freed. */
static double run_timer_whole(long count)
{
    make_loop();
    uint64_t seed = 1;
    ev_timer **timers = calloc(count, sizeof(*timers));
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        timers[i] = malloc(sizeof(ev_timer));
        ev_timer_init(timers[i], timer_fired, bench_random(&seed) % 100000000 / 1e6, 0);
        ev_timer_start(loop, timers[i]);
    }
    for (long i = 0; i < count; i++) {
        ev_timer_stop(loop, timers[i]);
        free(timers[i]);
    }
    return (double)(bench_now() - start) / count;
}

static double run_timer_dispatch(long count)
{
    /* Due within 200 ms, which then pass. */
    add_timers(count, 0.2);
    struct timespec pause = {0, 300000000};
    nanosleep(&pause, NULL);
    left = count;
    int64_t start = bench_now();
    run_until_done();
    return (double)(bench_now() - start) / count;
}

static double run_timer_memory(long count) { return sizeof(ev_timer) + 24; }

/* Descriptors. */

static void unused(struct ev_loop *loop, ev_io *io, int events) {}

static double run_fd_life(long count)
{
    make_loop();
    int ends[2];
    bench_pipe(ends);
    ev_io io;
    ev_io_init(&io, unused, ends[0], EV_READ);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        ev_io_start(loop, &io);
        ev_io_stop(loop, &io);
    }
    return (double)(bench_now() - start) / count;
}

static void hop(struct ev_loop *loop, ev_io *io, int events)
{
    bench_read_byte(io->fd);
    if (--left > 0) bench_write_byte(io->fd);
}

static double run_hop(long count)
{
    make_loop();
    int ends[2];
    bench_socketpair(ends);
    ev_io sides[2];
    for (int i = 0; i < 2; i++) {
        ev_io_init(&sides[i], hop, ends[i], EV_READ);
        ev_io_start(loop, &sides[i]);
    }
    left = count;
    int64_t start = bench_now();
    bench_write_byte(ends[0]);
    run_until_done();
    return (double)(bench_now() - start) / count;
}

static void pipe_read(struct ev_loop *loop, ev_io *io, int events)
{
    bench_read_byte(io->fd);
    left--;
}

static double run_pipes(long size, long count)
{
    int busy = size < BUSY_PIPES ? size : BUSY_PIPES;
    make_loop();
    int(*pipes)[2] = calloc(size, sizeof(*pipes));
    ev_io *watchers = calloc(size, sizeof(*watchers));
    for (long i = 0; i < size; i++) {
        bench_pipe_among(size, pipes[i]);
        ev_io_init(&watchers[i], pipe_read, pipes[i][0], EV_READ);
        ev_io_start(loop, &watchers[i]);
    }
    int64_t start = 0;
    for (long round = 0; round <= count / busy; round++) {
        /* The first round registers the descriptors. */
        if (round == 1) start = bench_now();
        for (int i = 0; i < busy; i++) bench_write_byte(pipes[i * (size / busy)][1]);
        left = busy;
        run_until_done();
    }
    return (double)(bench_now() - start) / count;
}

static double run_pipes_100(long count) { return run_pipes(100, count); }
static double run_pipes_5000(long count) { return run_pipes(5000, count); }
static double run_pipes_growing(long size) { return run_pipes(size, PIPE_EVENTS); }

/* Threads: ev_async carries nothing, so a list under a lock carries the messages. */

static ev_async arrival;
static struct bench_mailbox mailbox;

static void messages_arrived(struct ev_loop *loop, ev_async *async, int events)
{
    left -= bench_receive(&mailbox);
}

static void *send_messages(void *data)
{
    long count = *(long *)data;
    for (long i = 0; i < count; i++) {
        bench_send(&mailbox, i);
        ev_async_send(loop, &arrival);
    }
    return NULL;
}

static double run_message(long count)
{
    make_loop();
    ev_async_init(&arrival, messages_arrived);
    ev_async_start(loop, &arrival);
    bench_open(&mailbox);
    left = count;
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, send_messages, &count) == 0, "pthread_create");
    run_until_done();
    double figure = (double)(bench_now() - start) / count;
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
    long count = *(long *)data;
    own = ev_loop_new(EVBACKEND_EPOLL);
    ev_async_init(&answer, answered);
    ev_async_start(own, &answer);
    pthread_barrier_wait(&is_ready);
    for (long i = 0; i < count; i++) {
        is_answered = false;
        ev_async_send(loop, &question);
        while (!is_answered) ev_run(own, EVRUN_ONCE);
    }
    return NULL;
}

static double run_reply(long count)
{
    make_loop();
    ev_async_init(&question, asked);
    ev_async_start(loop, &question);
    pthread_barrier_init(&is_ready, NULL, 2);
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, ask, &count) == 0, "pthread_create");
    pthread_barrier_wait(&is_ready);
    left = count;
    int64_t start = bench_now();
    run_until_done();
    double figure = (double)(bench_now() - start) / count;
    pthread_join(thread, NULL);
    return figure;
}

/* Signals. */

static void signalled(struct ev_loop *loop, ev_signal *signal, int events) { left--; }

static double run_signal(long count)
{
    loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_signal watcher;
    ev_signal_init(&watcher, signalled, SIGUSR1);
    ev_signal_start(loop, &watcher);
    left = count;
    int64_t start = bench_now();
    for (long i = count; i > 0; i--) {
        raise(SIGUSR1);
        while (left >= i) ev_run(loop, EVRUN_ONCE);
    }
    return (double)(bench_now() - start) / count;
}

int main(int count, char **arguments)
{
    static const struct bench_workload workloads[] = {
        {"immediate-again", run_immediate_again, IMMEDIATES},
        BENCH_TIMER_ROWS,
        {"fd-life", run_fd_life, FD_LIVES},
        BENCH_SYSTEM_ROWS,
        {NULL, NULL, 0},
    };
    return bench_main(count, arguments, workloads);
}
