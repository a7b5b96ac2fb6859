/* libuv's part. It has no requests, and no immediates that run in the same turn; timers count milliseconds. */
#include "CBench.h"
#include <uv.h>

static uv_loop_t loop;
static long left;

static void make_loop(void) { bench_check(uv_loop_init(&loop) == 0, "uv_loop_init"); }

/* Timers. */

static uv_timer_t *timers;

static void timer_fired(uv_timer_t *timer) { left--; }

static double run_timer_life(long count)
{
    make_loop();
    uv_timer_t timer;
    uv_timer_init(&loop, &timer);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        uv_timer_start(&timer, timer_fired, 100000, 0);
        uv_timer_stop(&timer);
    }
    return (double)(bench_now() - start) / count;
}

static double add_timers(long count, uint64_t unit)
{
    make_loop();
    uint64_t seed = 1;
    timers = calloc(count, sizeof(*timers));
    for (long i = 0; i < count; i++) uv_timer_init(&loop, &timers[i]);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++)
        uv_timer_start(&timers[i], timer_fired, bench_random(&seed) % 100000000 / unit, 0);
    return (double)(bench_now() - start) / count;
}

static double run_timer_insert(long count) { return add_timers(count, 1000); }

static double run_timer_cancel(long count)
{
    add_timers(count, 1000);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) uv_timer_stop(&timers[i]);
    return (double)(bench_now() - start) / count;
}

/* Each timer is allocated, added, stopped and freed. */
static double run_timer_whole(long count)
{
    make_loop();
    uint64_t seed = 1;
    uv_timer_t **timers = calloc(count, sizeof(*timers));
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        timers[i] = malloc(sizeof(uv_timer_t));
        uv_timer_init(&loop, timers[i]);
        uv_timer_start(timers[i], timer_fired, bench_random(&seed) % 100000000 / 1000, 0);
    }
    /* Closing stops the timer; its memory may be freed only when the loop says so. */
    for (long i = 0; i < count; i++) uv_close((uv_handle_t *)timers[i], (uv_close_cb)free);
    uv_run(&loop, UV_RUN_NOWAIT);
    return (double)(bench_now() - start) / count;
}

static double run_timer_dispatch(long count)
{
    /* Due within 200 ms, which the loop's clock then passes. */
    add_timers(count, 500000);
    struct timespec pause = {0, 300000000};
    nanosleep(&pause, NULL);
    left = count;
    int64_t start = bench_now();
    while (left > 0) uv_run(&loop, UV_RUN_NOWAIT);
    return (double)(bench_now() - start) / count;
}

static double run_timer_memory(long count) { return sizeof(uv_timer_t) + 8; }

/* Descriptors. */

static void unused(uv_poll_t *poll, int status, int events) {}

static double run_fd_life(long count)
{
    make_loop();
    int ends[2];
    bench_pipe(ends);
    uv_poll_t poll;
    uv_poll_init(&loop, &poll, ends[0]);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        uv_poll_start(&poll, UV_READABLE, unused);
        uv_poll_stop(&poll);
    }
    return (double)(bench_now() - start) / count;
}

struct side {
    uv_poll_t poll;
    int descriptor;
};

static void hop(uv_poll_t *poll, int status, int events)
{
    struct side *side = poll->data;
    bench_read_byte(side->descriptor);
    if (--left > 0) bench_write_byte(side->descriptor);
}

static double run_hop(long count)
{
    make_loop();
    int ends[2];
    bench_socketpair(ends);
    struct side sides[2];
    for (int i = 0; i < 2; i++) {
        sides[i].descriptor = ends[i];
        uv_poll_init(&loop, &sides[i].poll, ends[i]);
        sides[i].poll.data = &sides[i];
        uv_poll_start(&sides[i].poll, UV_READABLE, hop);
    }
    left = count;
    int64_t start = bench_now();
    bench_write_byte(ends[0]);
    while (left > 0) uv_run(&loop, UV_RUN_ONCE);
    return (double)(bench_now() - start) / count;
}

static void pipe_read(uv_poll_t *poll, int status, int events)
{
    bench_read_byte(((struct side *)poll->data)->descriptor);
    left--;
}

static double run_pipes(long size, long count)
{
    int busy = size < BUSY_PIPES ? size : BUSY_PIPES;
    make_loop();
    int(*pipes)[2] = calloc(size, sizeof(*pipes));
    struct side *sides = calloc(size, sizeof(*sides));
    for (long i = 0; i < size; i++) {
        bench_pipe_among(size, pipes[i]);
        sides[i].descriptor = pipes[i][0];
        uv_poll_init(&loop, &sides[i].poll, pipes[i][0]);
        sides[i].poll.data = &sides[i];
        uv_poll_start(&sides[i].poll, UV_READABLE, pipe_read);
    }
    int64_t start = 0;
    for (long round = 0; round <= count / busy; round++) {
        /* The first round registers the descriptors. */
        if (round == 1) start = bench_now();
        for (int i = 0; i < busy; i++) bench_write_byte(pipes[i * (size / busy)][1]);
        left = busy;
        while (left > 0) uv_run(&loop, UV_RUN_ONCE);
    }
    return (double)(bench_now() - start) / count;
}

static double run_pipes_100(long count) { return run_pipes(100, count); }
static double run_pipes_5000(long count) { return run_pipes(5000, count); }
static double run_pipes_growing(long size) { return run_pipes(size, PIPE_EVENTS); }

/* Threads: uv_async_t passes no data, so the messages are in a list under a lock. */

static uv_async_t async;
static struct bench_mailbox mailbox;

static void messages_arrived(uv_async_t *handle)
{
    left -= bench_receive(&mailbox);
}

static void send_messages(void *data)
{
    long count = *(long *)data;
    for (long i = 0; i < count; i++) {
        bench_send(&mailbox, i);
        uv_async_send(&async);
    }
}

static double run_message(long count)
{
    make_loop();
    bench_open(&mailbox);
    uv_async_init(&loop, &async, messages_arrived);
    left = count;
    int64_t start = bench_now();
    uv_thread_t thread;
    uv_thread_create(&thread, send_messages, &count);
    while (left > 0) uv_run(&loop, UV_RUN_ONCE);
    double figure = (double)(bench_now() - start) / count;
    uv_thread_join(&thread);
    return figure;
}

static uv_async_t answer;

static void asked(uv_async_t *handle)
{
    left--;
    uv_async_send(&answer);
}

static bool is_answered;
static uv_barrier_t is_ready;

static void answered(uv_async_t *handle) { is_answered = true; }

static void ask(void *data)
{
    long count = *(long *)data;
    uv_loop_t own;
    uv_loop_init(&own);
    uv_async_init(&own, &answer, answered);
    uv_barrier_wait(&is_ready);
    for (long i = 0; i < count; i++) {
        is_answered = false;
        uv_async_send(&async);
        while (!is_answered) uv_run(&own, UV_RUN_ONCE);
    }
}

static double run_reply(long count)
{
    make_loop();
    uv_async_init(&loop, &async, asked);
    uv_barrier_init(&is_ready, 2);
    uv_thread_t thread;
    uv_thread_create(&thread, ask, &count);
    uv_barrier_wait(&is_ready);
    left = count;
    int64_t start = bench_now();
    while (left > 0) uv_run(&loop, UV_RUN_ONCE);
    double figure = (double)(bench_now() - start) / count;
    uv_thread_join(&thread);
    return figure;
}

/* Signals. */

static void signalled(uv_signal_t *handle, int number) { left--; }

static double run_signal(long count)
{
    make_loop();
    uv_signal_t handle;
    uv_signal_init(&loop, &handle);
    uv_signal_start(&handle, signalled, SIGUSR1);
    left = count;
    int64_t start = bench_now();
    for (long i = count; i > 0; i--) {
        raise(SIGUSR1);
        while (left >= i) uv_run(&loop, UV_RUN_ONCE);
    }
    return (double)(bench_now() - start) / count;
}

int main(int count, char **arguments)
{
    static const struct bench_workload workloads[] = {
        BENCH_TIMER_ROWS,
        {"fd-life", run_fd_life, FD_LIVES},
        BENCH_SYSTEM_ROWS,
        {NULL, NULL, 0},
    };
    return bench_main(count, arguments, workloads);
}
