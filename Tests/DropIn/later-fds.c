/* Several events on one descriptor take turns, each with all the flags that it waits for; those that wait for errors
 * learn that the peer has closed or sends no more. Only ours: 0.14 has no such flag. 0.17 prints the same,
 * except for events that wait only for writing, which it no longer calls once there is such a peer, and for the order
 * in which `poll` begins. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define FD_ERROR 4

static int calls;

static void ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *name)
{
    printf(" %s", (const char *)name);
    printf(":%s%s%s", flags & TEVENT_FD_READ ? "r" : "", flags & TEVENT_FD_WRITE ? "w" : "", flags & FD_ERROR ? "e" : "");
    calls++;
}

static uint16_t flags_of(const char *name)
{
    return (strchr(name, 'R') ? TEVENT_FD_READ : 0) | (strchr(name, 'W') ? TEVENT_FD_WRITE : 0) |
           (strchr(name, 'E') ? FD_ERROR : 0);
}

enum peer { SILENT, SENDS, SENDS_NO_MORE, CLOSED };

static void try(const char *backend, const char *const *names, enum peer peer)
{
    const char *const peers[] = {"silent", "sends", "sends no more", "closed"};
    int ends[2], count;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return;
    struct tevent_context *ev = tevent_context_init_byname(NULL, backend);
    for (count = 0; names[count] != NULL; count++)
        tevent_add_fd(ev, ev, ends[0], flags_of(names[count]), ready, (void *)names[count]);
    if (peer == SENDS) printf("%s", write(ends[1], "x", 1) == 1 ? "" : "not sent\n");
    if (peer == SENDS_NO_MORE) shutdown(ends[1], SHUT_WR);
    if (peer == CLOSED) close(ends[1]);
    printf("%s, peer %s:", backend, peers[peer]);
    /* Two rounds of turns, each of which calls one of them. */
    for (calls = 0; calls < 2 * count;) tevent_loop_once(ev);
    printf("\n");
    talloc_free(ev);
    close(ends[0]);
    if (peer != CLOSED) close(ends[1]);
}

int main(void)
{
    const char *const both[] = {"R", "W", "RW", NULL}, *const pairs[] = {"R1", "R2", "W1", "W2", NULL},
                      *const mixed[] = {"RE", "E", "WE", NULL};
    const char *const nine[] = {"RWE1", "RWE2", "RWE3", "RWE4", "RWE5", "RWE6", "RWE7", "RWE8", "RWE9", NULL};
    const char *const backends[] = {"epoll", "poll", "poll_mt"};
    for (int i = 0; i < 3; i++) {
        try(backends[i], nine, SENDS);
        try(backends[i], nine, SILENT);
        try(backends[i], nine, CLOSED);
        try(backends[i], both, SENDS);
        try(backends[i], pairs, SENDS);
        try(backends[i], mixed, SENDS_NO_MORE);
        try(backends[i], mixed, CLOSED);
        try(backends[i], both, SENDS_NO_MORE);
    }
    return 0;
}
