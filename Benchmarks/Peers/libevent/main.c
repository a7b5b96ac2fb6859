/* libevent's part. Its immediates are events that are activated manually. */
#include "CBench.h"
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>

static struct event_base *base;
static long left;

static void make_base(void)
{
    base = event_base_new();
    bench_check(base != NULL, "event_base_new");
}

static void run_until_done(void)
{
    while (left > 0) event_base_loop(base, EVLOOP_ONCE);
}

/* Immediates. */

static struct event *again_event;

static void immediate_again(evutil_socket_t fd, short what, void *data)
{
    if (--left > 0) event_active(again_event, EV_TIMEOUT, 0);
}

static double run_immediate_again(long count)
{
    make_base();
    again_event = event_new(base, -1, 0, immediate_again, NULL);
    left = count;
    int64_t start = bench_now();
    event_active(again_event, EV_TIMEOUT, 0);
    run_until_done();
    return (double)(bench_now() - start) / count;
}

static void immediate_free(evutil_socket_t fd, short what, void *data)
{
    left--;
    event_free(*(struct event **)data);
}

static double run_immediate_life(long count)
{
    make_base();
    left = count;
    int64_t start = bench_now();
    while (left > 0) {
        struct event *event;
        event = event_new(base, -1, 0, immediate_free, &event);
        event_active(event, EV_TIMEOUT, 0);
        event_base_loop(base, EVLOOP_ONCE);
    }
    return (double)(bench_now() - start) / count;
}

/* Timers. */

static struct event *timers;

static void fired(evutil_socket_t fd, short what, void *data) { left--; }

static double run_timer_life(long count)
{
    make_base();
    struct event timer;
    evtimer_assign(&timer, base, fired, NULL);
    struct timeval later = {100, 0};
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        evtimer_add(&timer, &later);
        evtimer_del(&timer);
    }
    return (double)(bench_now() - start) / count;
}

static double add_timers(long count, uint64_t unit)
{
    make_base();
    uint64_t seed = 1;
    timers = calloc(count, sizeof(*timers));
    for (long i = 0; i < count; i++) evtimer_assign(&timers[i], base, fired, NULL);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        uint64_t random = bench_random(&seed) % 100000000 / unit;
        struct timeval delay = {random / 1000000, random % 1000000};
        evtimer_add(&timers[i], &delay);
    }
    return (double)(bench_now() - start) / count;
}

static double run_timer_insert(long count) { return add_timers(count, 1); }

static double run_timer_cancel(long count)
{
    add_timers(count, 1);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) evtimer_del(&timers[i]);
    return (double)(bench_now() - start) / count;
}

/* Each timer is allocated, added, stopped and freed. */
static double run_timer_whole(long count)
{
    make_base();
    uint64_t seed = 1;
    struct event **timers = calloc(count, sizeof(*timers));
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        uint64_t random = bench_random(&seed) % 100000000;
        struct timeval delay = {random / 1000000, random % 1000000};
        timers[i] = evtimer_new(base, fired, NULL);
        evtimer_add(timers[i], &delay);
    }
    for (long i = 0; i < count; i++) event_free(timers[i]);
    return (double)(bench_now() - start) / count;
}

static double run_timer_dispatch(long count)
{
    /* Due within 200 ms, which then pass. */
    add_timers(count, 500);
    struct timespec pause = {0, 300000000};
    nanosleep(&pause, NULL);
    left = count;
    int64_t start = bench_now();
    run_until_done();
    return (double)(bench_now() - start) / count;
}

static double run_timer_memory(long count)
{
    make_base();
    struct timeval later = {100, 0};
    size_t before = bench_bytes();
    for (long i = 0; i < count; i++) evtimer_add(evtimer_new(base, fired, NULL), &later);
    return (double)(bench_bytes() - before) / count;
}

/* Descriptors. */

static double run_fd_life(long count)
{
    make_base();
    int ends[2];
    bench_pipe(ends);
    struct event event;
    event_assign(&event, base, ends[0], EV_READ | EV_PERSIST, fired, NULL);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        event_add(&event, NULL);
        event_del(&event);
    }
    return (double)(bench_now() - start) / count;
}

static void hop(evutil_socket_t fd, short what, void *data)
{
    bench_read_byte(fd);
    if (--left > 0) bench_write_byte(fd);
}

static double run_hop(long count)
{
    make_base();
    int ends[2];
    bench_socketpair(ends);
    for (int i = 0; i < 2; i++) event_add(event_new(base, ends[i], EV_READ | EV_PERSIST, hop, NULL), NULL);
    left = count;
    int64_t start = bench_now();
    bench_write_byte(ends[0]);
    run_until_done();
    return (double)(bench_now() - start) / count;
}

static void pipe_read(evutil_socket_t fd, short what, void *data)
{
    bench_read_byte(fd);
    left--;
}

static double run_pipes(long size, long count)
{
    int busy = size < BUSY_PIPES ? size : BUSY_PIPES;
    make_base();
    int(*pipes)[2] = calloc(size, sizeof(*pipes));
    for (long i = 0; i < size; i++) {
        bench_pipe_among(size, pipes[i]);
        event_add(event_new(base, pipes[i][0], EV_READ | EV_PERSIST, pipe_read, NULL), NULL);
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

/* Threads: activating an event manually passes no data, so the messages are in a list under a lock. */

static struct event *arrival;
static struct bench_mailbox mailbox;

static void messages_arrived(evutil_socket_t fd, short what, void *data)
{
    left -= bench_receive(&mailbox);
}

static void *send_messages(void *data)
{
    long count = *(long *)data;
    for (long i = 0; i < count; i++) {
        bench_send(&mailbox, i);
        event_active(arrival, EV_READ, 0);
    }
    return NULL;
}

static double run_message(long count)
{
    evthread_use_pthreads();
    make_base();
    arrival = event_new(base, -1, EV_PERSIST, messages_arrived, NULL);
    bench_open(&mailbox);
    left = count;
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, send_messages, &count) == 0, "pthread_create");
    while (left > 0) event_base_loop(base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
    double figure = (double)(bench_now() - start) / count;
    pthread_join(thread, NULL);
    return figure;
}

static struct event *question, *answer;
static struct event_base *own;
static bool is_answered;
static pthread_barrier_t is_ready;

static void asked(evutil_socket_t fd, short what, void *data)
{
    left--;
    event_active(answer, EV_READ, 0);
}

static void answered(evutil_socket_t fd, short what, void *data) { is_answered = true; }

static void *ask(void *data)
{
    long count = *(long *)data;
    own = event_base_new();
    answer = event_new(own, -1, EV_PERSIST, answered, NULL);
    pthread_barrier_wait(&is_ready);
    for (long i = 0; i < count; i++) {
        is_answered = false;
        event_active(question, EV_READ, 0);
        while (!is_answered) event_base_loop(own, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
    }
    return NULL;
}

static double run_reply(long count)
{
    evthread_use_pthreads();
    make_base();
    question = event_new(base, -1, EV_PERSIST, asked, NULL);
    pthread_barrier_init(&is_ready, NULL, 2);
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, ask, &count) == 0, "pthread_create");
    pthread_barrier_wait(&is_ready);
    left = count;
    int64_t start = bench_now();
    while (left > 0) event_base_loop(base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
    double figure = (double)(bench_now() - start) / count;
    pthread_join(thread, NULL);
    return figure;
}

/* Signals. */

static double run_signal(long count)
{
    make_base();
    event_add(evsignal_new(base, SIGUSR1, fired, NULL), NULL);
    left = count;
    int64_t start = bench_now();
    for (long i = count; i > 0; i--) {
        raise(SIGUSR1);
        while (left >= i) event_base_loop(base, EVLOOP_ONCE);
    }
    return (double)(bench_now() - start) / count;
}

int main(int count, char **arguments)
{
    static const struct bench_workload workloads[] = {
        {"immediate-again", run_immediate_again, IMMEDIATES},
        {"immediate-life", run_immediate_life, LIVES},
        BENCH_TIMER_ROWS,
        {"fd-life", run_fd_life, FD_LIVES},
        BENCH_SYSTEM_ROWS,
        {NULL, NULL, 0},
    };
    return bench_main(count, arguments, workloads);
}
