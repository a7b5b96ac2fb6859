/* The few things of Linux and C that Swift's own modules do not offer. */
#ifndef CLINUX_H
#define CLINUX_H

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* What each thread has of its own; Swift has no thread-local variables.
 *
 * In a shared library each look at such a variable would be a call, unless its place is known when the program is loaded.
 * With that, the library for C programs takes 9 % fewer instructions in the benchmark `immediate-again`, and 6 % in `queue-16`.
 * The price: of a library that is loaded later, all such variables have to fit into a few hundred bytes; these take 96. */
#define CLINUX_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/* The list of free handle slots (see Sources/Talloc/HandleSlot.swift). */
struct clinux_free_slots {
    void *first;
    long count;
    /* A list of as many as there may be in one, or NULL. */
    void *set_aside;
};

extern CLINUX_THREAD_LOCAL struct clinux_free_slots clinux_free_slots;

static inline struct clinux_free_slots *clinux_free_slots_here(void)
{
    return &clinux_free_slots;
}

/* How deep callbacks of requests are nested, and those that wait for the stack to unwind
 * (see Sources/Tevent/Requests/CallbackDepth.swift). */
struct clinux_callbacks {
    long depth;
    void *waiting[2];
};

extern CLINUX_THREAD_LOCAL struct clinux_callbacks clinux_callbacks;

static inline struct clinux_callbacks *clinux_callbacks_here(void)
{
    return &clinux_callbacks;
}

/* Where the next message of the thread will lie (see Sources/Tevent/Threads/MessageBlock.swift). */
struct clinux_message_cells {
    void *next;
    long left;
};

extern CLINUX_THREAD_LOCAL struct clinux_message_cells clinux_message_cells;

static inline struct clinux_message_cells *clinux_message_cells_here(void)
{
    return &clinux_message_cells;
}

/* The headers hide these unless GNU extensions are asked for: accept(2) with flags for the new descriptor, a thread's
 * name, and the processors a process may use. */
extern int accept4(int listener, struct sockaddr *__restrict address, socklen_t *__restrict length, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int sched_getaffinity(__pid_t process, size_t size, cpu_set_t *set);

/* Lets the processor begin to fetch what will be needed soon; any address will do. */
static inline void clinux_prefetch(const void *address)
{
    __builtin_prefetch(address);
}

#endif
