/* Descriptor events, on the ends of sockets and pipes. Unless the classes ask for more, only one end is ready at a
   time. */
#define _GNU_SOURCE
#include "differential.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ENDS = 12, READY_RUNS = 3 };

static struct end {
    int descriptor, peer;
    bool open, is_socket;
    uint16_t possible_flags;
    /* The peer is closed, or will not write any more. */
    bool peer_gone;
    /* An event closes it, or an event of its peer does that: no (other) events any more. */
    bool owned, unwatched;
} ends[ENDS];
static int end_count;

void descriptors_reset(void)
{
    end_count = 0;
}

void descriptors_close_all(void)
{
    for (int i = 0; i < end_count; i++) {
        if (ends[i].open && !ends[i].owned) close(ends[i].descriptor);
    }
}

static bool watches(const struct object *event, int end)
{
    return event->kind == DESCRIPTOR && event->alive && event->end == end;
}

static int count_watchers(int end)
{
    int count = 0;
    for (int i = 0; i < object_count; i++) count += watches(&objects[i], end);
    return count;
}

static bool is_ready(int end, uint16_t flags)
{
    struct pollfd asked = {.fd = ends[end].descriptor};
    if (flags == 0) return false;
    if ((flags & TEVENT_FD_READ) != 0) asked.events |= POLLIN;
    if ((flags & TEVENT_FD_WRITE) != 0) asked.events |= POLLOUT;
    return ready_now(&asked, 1) > 0;
}

/* Whether an event on another end is ready, so that this one must not become ready. */
static bool another_is_ready(int end)
{
    if ((classes & MANY_READY) != 0) return false;
    for (int i = 0; i < object_count; i++) {
        struct object *event = &objects[i];
        if (event->kind != DESCRIPTOR || !is_usable(event) || event->detached || event->end == end) continue;
        if (is_ready(event->end, tevent_fd_get_flags(event->pointer))) return true;
    }
    return false;
}

static bool may_have_flags(int end, uint16_t flags)
{
    if ((flags & ~ends[end].possible_flags) != 0) return false;
    if (ends[end].peer_gone && flags == TEVENT_FD_WRITE && (classes & LONELY_WRITERS) == 0) return false;
    return !is_ready(end, flags) || !another_is_ready(end);
}

/* Whether the end may learn that its peer has closed or that there is something to read. */
static bool may_become_ready(int end, bool peer_goes)
{
    bool watched = false;
    for (int i = 0; i < object_count; i++) {
        struct object *event = &objects[i];
        if (!watches(event, end) || !is_usable(event) || event->detached) continue;
        uint16_t flags = tevent_fd_get_flags(event->pointer);
        if (peer_goes && flags == TEVENT_FD_WRITE && (classes & LONELY_WRITERS) == 0) return false;
        if (flags != 0) watched = true;
    }
    return !watched || !another_is_ready(end);
}

static int draw_end(void)
{
    int end = end_count == 0 ? -1 : (int)draw(end_count);
    return end >= 0 && ends[end].open && !ends[end].owned ? end : -1;
}

/* Reads once what is there; returns whether the peer has closed. */
static bool read_some(int end, size_t most)
{
    char bytes[64];
    ssize_t count = read(ends[end].descriptor, bytes, most);
    say("read %zd from end %d%s", count, end, count < 0 && errno == EAGAIN ? ", would block" : "");
    return count == 0;
}

/* Stops a descriptor that has been ready often enough from being ready forever. */
static void settle(struct object *event, uint16_t flags)
{
    bool at_end = (flags & TEVENT_FD_READ) != 0 && read_some(event->end, 64);
    if (!is_usable(event) || event->detached) return;
    uint16_t rest = tevent_fd_get_flags(event->pointer) & ~TEVENT_FD_WRITE;
    if (at_end || ends[event->end].peer_gone) rest = 0;
    note("tevent_fd_set_flags %s, to %d", name_of(event), rest);
    tevent_fd_set_flags(event->pointer, rest);
}

static void handler(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *private_data)
{
    struct object *event = private_data;
    say("descriptor %s in %s, flags %d%s", name_of(event), name_of_pointer(ev), flags,
        fde == event->pointer ? "" : ", not itself");
    uint64_t saved = enter(event);
    if ((flags & TEVENT_FD_READ) != 0 && chance(50)) read_some(event->end, 1 + draw(4));
    act(event, 2);
    if (event->runs >= READY_RUNS && is_usable(event) && !event->detached) settle(event, flags);
    leave(event, saved);
}

static void close_function(struct tevent_context *ev, struct tevent_fd *fde, int descriptor, void *private_data)
{
    struct object *event = private_data;
    bool right = fde == event->pointer && descriptor == ends[event->end].descriptor;
    say("close function of %s in %s%s", name_of(event), name_of_pointer(ev), right ? "" : ", wrong arguments");
    if (event->closes) close(descriptor);
}

static bool open_pair(struct object *self)
{
    (void)self;
    int descriptors[2];
    if (end_count > ENDS - 2) return false;
    bool socket = chance(75);
    int failed = socket ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, descriptors)
                        : pipe2(descriptors, O_NONBLOCK | O_CLOEXEC);
    if (failed != 0) abort();
    note("%s: ends %d and %d", socket ? "socketpair" : "pipe", end_count, end_count + 1);
    for (int i = 0; i < 2; i++) {
        uint16_t possible = socket ? TEVENT_FD_READ | TEVENT_FD_WRITE : i == 0 ? TEVENT_FD_READ : TEVENT_FD_WRITE;
        ends[end_count + i] = (struct end){.descriptor = descriptors[i], .peer = end_count + 1 - i, .open = true,
            .is_socket = socket, .possible_flags = possible};
    }
    end_count += 2;
    return true;
}

static bool add(struct object *self)
{
    (void)self;
    struct object *context = pick(CONTEXT), *parent = pick_parent();
    int end = draw_end();
    uint16_t flags = chance(15) ? 0 : chance(50) ? TEVENT_FD_READ : draw(4);
    if (context == NULL || context->closing || objects_full() || end < 0 || ends[end].unwatched) return false;
    /* From three on, Debian's library switches from epoll to poll. */
    int most = (classes & CROWDED) != 0 ? 4 : (classes & SHARED) != 0 ? 2 : 1;
    if (count_watchers(end) >= most || !may_have_flags(end, flags)) return false;
    struct object *event = &objects[object_count];
    note("tevent_add_fd F%d in %s under %s on end %d, flags %d", object_count, name_of(context),
         name_of(parent), end, flags);
    adding_descriptor = true;
    struct tevent_fd *fde = tevent_add_fd(context->pointer, parent->pointer, ends[end].descriptor, flags, handler, event);
    adding_descriptor = false;
    if (object_add(DESCRIPTOR, fde, context) == NULL) return false;
    event->end = end;
    say("added %s, flags %d", name_of(event), tevent_fd_get_flags(fde));
    return true;
}

static bool set_flags(struct object *self)
{
    struct object *event = self != NULL && self->kind == DESCRIPTOR && chance(50) ? self : pick(DESCRIPTOR);
    uint16_t flags = draw(4);
    if (!is_usable(event) || event->runs > 6) return false;
    if (!event->detached && !may_have_flags(event->end, flags)) return false;
    note("tevent_fd_set_flags %s, to %d", name_of(event), flags);
    tevent_fd_set_flags(event->pointer, flags);
    say("flags of %s: %d", name_of(event), tevent_fd_get_flags(event->pointer));
    return true;
}

static bool set_closing(struct object *self)
{
    (void)self;
    struct object *event = pick(DESCRIPTOR);
    if (event == NULL) return false;
    struct end *end = &ends[event->end];
    bool alone = count_watchers(event->end) == 1 && count_watchers(end->peer) == 0 && !event->detached;
    if (alone && !end->owned && chance(70)) {
        end->owned = ends[end->peer].unwatched = true;
        event->closes = chance(50);
        note(event->closes ? "tevent_fd_set_close_fn %s, which closes" : "tevent_fd_set_auto_close %s", name_of(event));
        if (event->closes) {
            tevent_fd_set_close_fn(event->pointer, close_function);
        } else {
            tevent_fd_set_auto_close(event->pointer);
        }
    } else if (!end->owned) {
        note("tevent_fd_set_close_fn %s, which does not close", name_of(event));
        tevent_fd_set_close_fn(event->pointer, chance(80) ? close_function : NULL);
    }
    return true;
}

/* Prefers an end whose peer is watched. */
static int draw_peer(void)
{
    struct object *event = chance(75) ? pick(DESCRIPTOR) : NULL;
    if (event == NULL) return draw_end();
    int end = ends[event->end].peer;
    return ends[end].open && !ends[end].owned ? end : -1;
}

static bool write_some(struct object *self)
{
    (void)self;
    int end = draw_peer();
    if (end < 0 || (ends[end].possible_flags & TEVENT_FD_WRITE) == 0) return false;
    if (!may_become_ready(ends[end].peer, false)) return false;
    size_t count = 1 + draw(3);
    say("wrote %zd into end %d", write(ends[end].descriptor, "abc", count), end);
    return true;
}

static bool read_any(struct object *self)
{
    (void)self;
    int end = draw_end();
    if (end < 0 || (ends[end].possible_flags & TEVENT_FD_READ) == 0) return false;
    read_some(end, 1 + draw(8));
    return true;
}

static bool go(struct object *self)
{
    (void)self;
    int end = draw_end();
    if (end < 0 || !may_become_ready(ends[end].peer, true)) return false;
    struct end *peer = &ends[ends[end].peer];
    bool only_shuts = ends[end].is_socket && !ends[end].peer_gone && chance(40);
    if (!only_shuts && count_watchers(end) > 0) return false;
    note(only_shuts ? "shutdown of end %d" : "close of end %d", end);
    if (only_shuts) {
        shutdown(ends[end].descriptor, SHUT_WR);
        ends[end].possible_flags &= ~TEVENT_FD_WRITE;
    } else {
        ends[end].open = false;
        close(ends[end].descriptor);
    }
    peer->peer_gone = true;
    return true;
}

static bool free_one(struct object *self)
{
    struct object *event = self != NULL && self->kind == DESCRIPTOR && chance(40) ? self : pick(DESCRIPTOR);
    if (!can_free(event)) return false;
    object_free(event);
    return true;
}

const struct operation descriptor_operations[] = {
    {"open pair", DESCRIPTORS, 10, open_pair},
    {"add descriptor", DESCRIPTORS, 30, add},
    {"set flags", DESCRIPTORS, 20, set_flags},
    {"set close function", DESCRIPTORS, 4, set_closing},
    {"write", DESCRIPTORS, 40, write_some},
    {"read", DESCRIPTORS, 10, read_any},
    {"close or shut", DESCRIPTORS, 3, go},
    {"free descriptor", DESCRIPTORS, 8, free_one},
    {NULL, 0, 0, NULL},
};
