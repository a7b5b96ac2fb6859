/* What every peer written in C shares: a clock, a source of random numbers, and the command line
 *
 *     PEER list                the names of the workloads, one a line
 *     PEER WORKLOAD            the figure of one run: nanoseconds per operation, or bytes
 *     PEER WORKLOAD COUNT      the same with another number of operations; with a larger world, if it is one that grows
 */
#ifndef CBENCH_H
#define CBENCH_H

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How often one run does each operation, unless the command line says otherwise; the same for every peer. */
enum {
    IMMEDIATES = 2000000,
    LIVES = 1000000,
    FD_LIVES = 200000,
    TIMERS = 20000,
    REQUESTS = 500000,
    NESTED = 100000,
    QUEUED = 400000,
    LONG_QUEUE = 100000,
    HOPS = 100000,
    PIPE_EVENTS = 200000,
    BUSY_PIPES = 100,
    MESSAGES = 500000,
    REPLIES = 10000,
    SIGNALS = 100000,
    ECHOES = 50000,
};

/* The time in nanoseconds. It is called directly before and after the work, and nowhere else. The instruction counter
 * recognises the work by these calls, so they must not be inlined. */
int64_t bench_now(void);

/* Prints an error and ends the program: a peer that cannot do its work has no figure. */
static inline void bench_check(bool is_right, const char *what)
{
    if (is_right) return;
    fprintf(stderr, "%s failed: %s\n", what, strerror(errno));
    exit(1);
}

/* The same random numbers for every peer. */
static inline uint64_t bench_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* The number of bytes that malloc has allocated. */
static inline size_t bench_bytes(void) { return mallinfo2().uordblks; }

/* Allows the process enough descriptors for the workload that needs most. */
static inline void bench_raise_descriptor_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static inline void bench_set_nonblocking(int descriptor)
{
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

static inline void bench_pipe(int ends[2])
{
    bench_check(pipe(ends) == 0, "pipe");
    bench_set_nonblocking(ends[0]);
    bench_set_nonblocking(ends[1]);
}

/* Creates one of `size` pipes. If there are many, each has one descriptor for both ends, since a process is often
 * limited to 20,000 descriptors. */
static inline void bench_pipe_among(long size, int ends[2])
{
    bench_pipe(ends);
    if (size <= 5000) return;
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    int both = open(path, O_RDWR | O_NONBLOCK);
    bench_check(both >= 0, "open");
    close(ends[0]);
    close(ends[1]);
    ends[0] = ends[1] = both;
}

static inline void bench_socketpair(int ends[2])
{
    bench_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    bench_set_nonblocking(ends[0]);
    bench_set_nonblocking(ends[1]);
}

static inline void bench_read_byte(int descriptor)
{
    char byte;
    bench_check(read(descriptor, &byte, 1) == 1, "read");
}

static inline void bench_write_byte(int descriptor)
{
    bench_check(write(descriptor, "x", 1) == 1, "write");
}

/* Messages for another thread: a list under a lock, for peers whose way to wake a loop carries nothing. */
struct bench_message {
    struct bench_message *next;
    long number;
};

struct bench_mailbox {
    pthread_mutex_t lock;
    struct bench_message *first, **last;
};

static inline void bench_open(struct bench_mailbox *box)
{
    pthread_mutex_init(&box->lock, NULL);
    box->first = NULL;
    box->last = &box->first;
}

/* Stores a message; returns whether it is the only one. */
static inline bool bench_send(struct bench_mailbox *box, long number)
{
    struct bench_message *message = malloc(sizeof(*message));
    message->next = NULL;
    message->number = number;
    pthread_mutex_lock(&box->lock);
    bool was_empty = box->first == NULL;
    *box->last = message;
    box->last = &message->next;
    pthread_mutex_unlock(&box->lock);
    return was_empty;
}

/* Takes all messages; returns their number. */
static inline long bench_receive(struct bench_mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    struct bench_message *message = box->first;
    box->first = NULL;
    box->last = &box->first;
    pthread_mutex_unlock(&box->lock);
    long count = 0;
    while (message != NULL) {
        struct bench_message *next = message->next;
        free(message);
        count++;
        message = next;
    }
    return count;
}

/* The load of an echo server: connections that each have one message of 64 bytes in transit. */
struct bench_clients {
    int connections;
    /* Whether the figure is the server's processor time per message in nanoseconds, or thousands of messages per
       second. */
    bool measures_cpu;
    /* How many messages they exchange in total. */
    long messages;
};

/* Sends 64 bytes, which must find room. */
static inline void bench_send_message(int descriptor)
{
    static const char message[64];
    bench_check(write(descriptor, message, sizeof(message)) == sizeof(message), "write");
}

/* Receives 64 bytes, which must have arrived. */
static inline void bench_receive_message(int descriptor)
{
    char message[64];
    bench_check(read(descriptor, message, sizeof(message)) == sizeof(message), "read");
}

/* How many connections may wait for an echo server to accept them. */
enum { BENCH_BACKLOG = 1024 };

/* Creates a listening socket, on a port that the system chooses, that does not block. */
int bench_listen(void);

/* Accepts a connection that does not block and sends immediately; returns -1 if none is waiting. */
int bench_accept(int listener);

/* The port of a listening socket. */
int bench_port(int listener);

/* Starts a process that connects to the port and measures. It prints the figure; when it ends, so does this process. */
void bench_start_clients(int port, struct bench_clients clients);

struct bench_workload {
    const char *name;
    /* Does the work once, with this many operations, and returns the figure. */
    double (*run)(long count);
    /* How many operations, unless the command line says otherwise. */
    long count;
    /* Alternatively, serves until the clients have the figure. */
    void (*serve)(struct bench_clients);
    struct bench_clients clients;
};

/* The peer's own echo server: listens, starts the clients, and serves. */
void serve_echo(struct bench_clients clients);

/* The rows that several peers have. */
#define BENCH_TIMER_ROWS \
    {"timer-life", run_timer_life, LIVES}, {"timer-insert", run_timer_insert, TIMERS}, \
    {"timer-cancel", run_timer_cancel, TIMERS}, {"timer-dispatch", run_timer_dispatch, TIMERS}, \
    {"timer-whole", run_timer_whole, TIMERS}, {"timer-memory", run_timer_memory, TIMERS}
#define BENCH_SYSTEM_ROWS \
    {"hop", run_hop, HOPS}, {"pipes-100", run_pipes_100, PIPE_EVENTS}, {"pipes-5000", run_pipes_5000, PIPE_EVENTS}, \
    {"pipes-growing", run_pipes_growing, BUSY_PIPES}, {"message", run_message, MESSAGES}, \
    {"reply", run_reply, REPLIES}, {"signal", run_signal, SIGNALS}, BENCH_ECHO_ROWS
#define BENCH_ECHO_ROWS \
    {"echo-50", NULL, ECHOES, serve_echo, {50, false}}, {"echo-500", NULL, ECHOES, serve_echo, {500, false}}, \
    {"echo-50-cpu", NULL, ECHOES, serve_echo, {50, true}}

/* Prints how to call a peer; returns the exit code for a wrong call. */
static inline int bench_usage(const char *program)
{
    fprintf(stderr, "usage: %s WORKLOAD [COUNT], or list\n", program);
    return 64;
}

/* The main function of every peer. */
static inline int bench_main(int count, char **arguments, const struct bench_workload *workloads)
{
    if (count == 2 && strcmp(arguments[1], "list") == 0) {
        for (; workloads->name != NULL; workloads++) puts(workloads->name);
        return 0;
    }
    for (; (count == 2 || count == 3) && workloads->name != NULL; workloads++) {
        if (strcmp(arguments[1], workloads->name) != 0) continue;
        long operations = count == 3 ? atol(arguments[2]) : workloads->count;
        if (operations < 1) break;
        bench_raise_descriptor_limit();
        struct bench_clients clients = workloads->clients;
        clients.messages = operations;
        if (workloads->serve != NULL) workloads->serve(clients);
        printf("%.3f\n", workloads->run(operations));
        return 0;
    }
    return bench_usage(arguments[0]);
}

#endif
