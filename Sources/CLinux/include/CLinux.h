/* The few things of Linux and C that Swift's own modules do not offer. */
#ifndef CLINUX_H
#define CLINUX_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* What each thread has of its own; Swift has no thread-local variables.
 *
 * The list of free handle slots (see Sources/Talloc/HandleSlot.swift). */
extern _Thread_local void *clinux_free_slots;

static inline void **clinux_free_slots_here(void)
{
    return &clinux_free_slots;
}

/* How deep callbacks of requests are nested, and those that wait for the stack to unwind
 * (see Sources/Tevent/Requests/CallbackDepth.swift). */
struct clinux_callbacks {
    long depth;
    void *waiting[2];
};

extern _Thread_local struct clinux_callbacks clinux_callbacks;

static inline struct clinux_callbacks *clinux_callbacks_here(void)
{
    return &clinux_callbacks;
}

/* accept(2) with flags for the new descriptor; the headers hide it unless GNU extensions are asked for. */
extern int accept4(int listener, struct sockaddr *__restrict address, socklen_t *__restrict length, int flags);

#endif
