/* The few things of Linux and C that Swift's own modules do not offer. */
#ifndef CLINUX_H
#define CLINUX_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* This thread's list of free handle slots (see Sources/Talloc/HandleSlot.swift).
 * Swift has no thread-local variables; this is the only one we need. */
extern _Thread_local void *clinux_free_slots;

static inline void **clinux_free_slots_here(void)
{
    return &clinux_free_slots;
}

/* accept(2) with flags for the new descriptor; the headers hide it unless GNU extensions are asked for. */
extern int accept4(int listener, struct sockaddr *__restrict address, socklen_t *__restrict length, int flags);

#endif
