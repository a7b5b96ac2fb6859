/* The floor: no library, only the system calls, or the one allocation, that the work cannot be done without. */
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

static double run_request_life(void)
{
    int64_t start = bench_now();
    for (int i = 0; i < REQUESTS; i++) {
        void *volatile memory = malloc(256);
        free(memory);
    }
    return (double)(bench_now() - start) / REQUESTS;
}

/* Descriptors. */

static double run_hop(void)
{
    epoll = epoll_create1(0);
    int ends[2];
    bench_socketpair(ends);
    watch(ends[0]);
    watch(ends[1]);
    int64_t start = bench_now();
    bench_write_byte(ends[0]);
    for (long left = HOPS; left > 0;) {
        struct epoll_event ready[64];
        int count = epoll_wait(epoll, ready, 64, -1);
        for (int i = 0; i < count; i++) {
            bench_read_byte(ready[i].data.fd);
            if (--left > 0) bench_write_byte(ready[i].data.fd);
        }
    }
    return (double)(bench_now() - start) / HOPS;
}

static double run_pipes(int count)
{
    epoll = epoll_create1(0);
    int(*pipes)[2] = calloc(count, sizeof(*pipes));
    for (int i = 0; i < count; i++) {
        bench_pipe(pipes[i]);
        watch(pipes[i][0]);
    }
    int64_t start = bench_now();
    for (int round = 0; round < PIPE_ROUNDS; round++) {
        for (int i = 0; i < BUSY_PIPES; i++) bench_write_byte(pipes[i * (count / BUSY_PIPES)][1]);
        for (int left = BUSY_PIPES; left > 0;) {
            struct epoll_event ready[BUSY_PIPES];
            int found = epoll_wait(epoll, ready, BUSY_PIPES, -1);
            for (int i = 0; i < found; i++) bench_read_byte(ready[i].data.fd);
            left -= found;
        }
    }
    return (double)(bench_now() - start) / PIPE_ROUNDS / BUSY_PIPES;
}

static double run_pipes_100(void) { return run_pipes(BUSY_PIPES); }
static double run_pipes_5000(void) { return run_pipes(MANY_PIPES); }

/* Threads: a list under a lock, and a condition for whoever waits. */

static struct bench_mailbox mailbox;
static pthread_cond_t has_message = PTHREAD_COND_INITIALIZER;

static void *send_messages(void *data)
{
    for (int i = 0; i < MESSAGES; i++)
        if (bench_send(&mailbox, i)) pthread_cond_signal(&has_message);
    return NULL;
}

static double run_message(void)
{
    bench_open(&mailbox);
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, send_messages, NULL) == 0, "pthread_create");
    for (long left = MESSAGES; left > 0;) {
        pthread_mutex_lock(&mailbox.lock);
        while (mailbox.first == NULL) pthread_cond_wait(&has_message, &mailbox.lock);
        pthread_mutex_unlock(&mailbox.lock);
        left -= bench_receive(&mailbox);
    }
    double figure = (double)(bench_now() - start) / MESSAGES;
    pthread_join(thread, NULL);
    return figure;
}

static int question, answer;

static void signal_eventfd(int descriptor)
{
    uint64_t one = 1;
    bench_check(write(descriptor, &one, 8) == 8, "write");
}

/* Waits as a loop does: for the eventfd among descriptors, and then empties it. */
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
    for (int i = 0; i < REPLIES; i++) {
        signal_eventfd(question);
        await_eventfd(answers_epoll, answer);
    }
    return NULL;
}

static double run_reply(void)
{
    question = make_eventfd(&epoll);
    answer = make_eventfd(&answers_epoll);
    int64_t start = bench_now();
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, ask, NULL) == 0, "pthread_create");
    for (int i = 0; i < REPLIES; i++) {
        await_eventfd(epoll, question);
        signal_eventfd(answer);
    }
    double figure = (double)(bench_now() - start) / REPLIES;
    pthread_join(thread, NULL);
    return figure;
}

/* Signals: the handler writes to an eventfd, as every loop's does. */

static int arrival;

static void handle(int number) { signal_eventfd(arrival); }

static double run_signal(void)
{
    arrival = make_eventfd(&epoll);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    int64_t start = bench_now();
    for (int i = 0; i < SIGNALS; i++) {
        raise(SIGUSR1);
        await_eventfd(epoll, arrival);
    }
    return (double)(bench_now() - start) / SIGNALS;
}

int main(int count, char **arguments)
{
    static const struct bench_workload workloads[] = {
        {"request-life", run_request_life},
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
