/* The floor: no library, only the system calls, or the single allocation, that the work requires. */
#include "CBench.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

static int epoll;

static void watch(int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    bench_check(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
}

static double run_request_life(long count)
{
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        void *volatile memory = malloc(256);
        free(memory);
    }
    return (double)(bench_now() - start) / count;
}

/* Descriptors. */

static double run_hop(long count)
{
    epoll = epoll_create1(0);
    int ends[2];
    bench_socketpair(ends);
    watch(ends[0]);
    watch(ends[1]);
    int64_t start = bench_now();
    bench_write_byte(ends[0]);
    for (long left = count; left > 0;) {
        struct epoll_event ready[64];
        int found = epoll_wait(epoll, ready, 64, -1);
        for (int i = 0; i < found; i++) {
            bench_read_byte(ready[i].data.fd);
            if (--left > 0) bench_write_byte(ready[i].data.fd);
        }
    }
    return (double)(bench_now() - start) / count;
}

static double run_pipes(long size, long count)
{
    int busy = size < BUSY_PIPES ? size : BUSY_PIPES;
    epoll = epoll_create1(0);
    int(*pipes)[2] = calloc(size, sizeof(*pipes));
    for (long i = 0; i < size; i++) {
        bench_pipe_among(size, pipes[i]);
        watch(pipes[i][0]);
    }
    int64_t start = bench_now();
    for (long round = 0; round < count / busy; round++) {
        for (int i = 0; i < busy; i++) bench_write_byte(pipes[i * (size / busy)][1]);
        for (int left = busy; left > 0;) {
            struct epoll_event ready[BUSY_PIPES];
            int found = epoll_wait(epoll, ready, BUSY_PIPES, -1);
            for (int i = 0; i < found; i++) bench_read_byte(ready[i].data.fd);
            left -= found;
        }
    }
    return (double)(bench_now() - start) / count;
}

static double run_pipes_100(long count) { return run_pipes(100, count); }
static double run_pipes_5000(long count) { return run_pipes(5000, count); }
static double run_pipes_growing(long size) { return run_pipes(size, PIPE_EVENTS); }

/* Threads: a list under a lock, and a condition variable for the waiting thread. */

static struct bench_mailbox mailbox;
static pthread_cond_t has_message = PTHREAD_COND_INITIALIZER;

static void *send_messages(void *data)
{
    long count = *(long *)data;
    for (long i = 0; i < count; i++)
        if (bench_send(&mailbox, i)) pthread_cond_signal(&has_message);
    return NULL;
}

static double run_message(long count)
{
    bench_open(&mailbox);
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, send_messages, &count) == 0, "pthread_create");
    for (long left = count; left > 0;) {
        pthread_mutex_lock(&mailbox.lock);
        while (mailbox.first == NULL) pthread_cond_wait(&has_message, &mailbox.lock);
        pthread_mutex_unlock(&mailbox.lock);
        left -= bench_receive(&mailbox);
    }
    double figure = (double)(bench_now() - start) / count;
    pthread_join(thread, NULL);
    return figure;
}

static int question, answer;

static void signal_eventfd(int descriptor)
{
    uint64_t one = 1;
    bench_check(write(descriptor, &one, 8) == 8, "write");
}

/* Waits as a loop does: for the eventfd among other descriptors, and then empties it. */
static void await_eventfd(int epoll, int descriptor)
{
    struct epoll_event ready;
    bench_check(epoll_wait(epoll, &ready, 1, -1) == 1, "epoll_wait");
    uint64_t count;
    bench_check(read(descriptor, &count, 8) == 8, "read");
}

static int make_eventfd(int *epoll)
{
    int descriptor = eventfd(0, EFD_NONBLOCK);
    *epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    bench_check(epoll_ctl(*epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
    return descriptor;
}

static int answers_epoll;

static void *ask(void *data)
{
    long count = *(long *)data;
    for (long i = 0; i < count; i++) {
        signal_eventfd(question);
        await_eventfd(answers_epoll, answer);
    }
    return NULL;
}

static double run_reply(long count)
{
    question = make_eventfd(&epoll);
    answer = make_eventfd(&answers_epoll);
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, ask, &count) == 0, "pthread_create");
    for (long i = 0; i < count; i++) {
        await_eventfd(epoll, question);
        signal_eventfd(answer);
    }
    double figure = (double)(bench_now() - start) / count;
    pthread_join(thread, NULL);
    return figure;
}

/* Signals: the handler writes to an eventfd, as every loop's does. */

static int arrival;

static void handle(int number) { signal_eventfd(arrival); }

static double run_signal(long count)
{
    arrival = make_eventfd(&epoll);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    int64_t start = bench_now();
    for (long i = 0; i < count; i++) {
        raise(SIGUSR1);
        await_eventfd(epoll, arrival);
    }
    return (double)(bench_now() - start) / count;
}

int main(int count, char **arguments)
{
    static const struct bench_workload workloads[] = {
        {"request-life", run_request_life, REQUESTS},
        BENCH_SYSTEM_ROWS,
        {NULL, NULL, 0},
    };
    return bench_main(count, arguments, workloads);
}
