/* libtevent's echo server: requests inside requests, each as those of Samba's libraries.
 *
 *     serve ─┬─ accept
 *            └─ echo, for each connection ─┬─ read
 *                                          └─ write all
 */
#include "CBench.h"
#include <tevent.h>

/* Accepting one connection, as accept_send(). */

struct accept_state {
    int listener, connection;
};

static void accept_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct accept_state *state = tevent_req_data(req, struct accept_state);
    state->connection = bench_accept(state->listener);
    if (state->connection < 0) {
        if (errno != EAGAIN) tevent_req_error(req, errno);
        return;
    }
    TALLOC_FREE(fde);
    tevent_req_done(req);
}

static struct tevent_req *accept_send(TALLOC_CTX *memory, struct tevent_context *ev, int listener)
{
    struct accept_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct accept_state);
    if (req == NULL) return NULL;
    state->listener = listener;
    struct tevent_fd *fde = tevent_add_fd(ev, state, listener, TEVENT_FD_READ, accept_ready, req);
    if (tevent_req_nomem(fde, req)) return tevent_req_post(req, ev);
    return req;
}

static int accept_recv(struct tevent_req *req)
{
    uint64_t error;
    enum tevent_req_state how;
    struct accept_state *state = tevent_req_data(req, struct accept_state);
    int connection = tevent_req_is_error(req, &how, &error) ? -1 : state->connection;
    tevent_req_received(req);
    return connection;
}

/* Reading what is there, as read_packet_send(). */

struct read_state {
    int descriptor;
    uint8_t *buffer;
    size_t size;
    ssize_t count;
};

static void read_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct read_state *state = tevent_req_data(req, struct read_state);
    state->count = recv(state->descriptor, state->buffer, state->size, 0);
    if (state->count < 0) {
        if (errno != EAGAIN && errno != EINTR) tevent_req_error(req, errno);
        return;
    }
    TALLOC_FREE(fde);
    tevent_req_done(req);
}

static struct tevent_req *read_send(TALLOC_CTX *memory, struct tevent_context *ev, int descriptor, size_t size)
{
    struct read_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct read_state);
    if (req == NULL) return NULL;
    state->descriptor = descriptor;
    state->size = size;
    state->buffer = talloc_array(state, uint8_t, size);
    if (tevent_req_nomem(state->buffer, req)) return tevent_req_post(req, ev);
    struct tevent_fd *fde = tevent_add_fd(ev, state, descriptor, TEVENT_FD_READ, read_ready, req);
    if (tevent_req_nomem(fde, req)) return tevent_req_post(req, ev);
    return req;
}

static ssize_t read_recv(struct tevent_req *req, TALLOC_CTX *memory, uint8_t **buffer)
{
    uint64_t error;
    enum tevent_req_state how;
    struct read_state *state = tevent_req_data(req, struct read_state);
    ssize_t count = tevent_req_is_error(req, &how, &error) ? -1 : state->count;
    *buffer = talloc_move(memory, &state->buffer);
    tevent_req_received(req);
    return count;
}

/* Writing all, as writev_send(). */

struct write_state {
    int descriptor;
    const uint8_t *rest;
    size_t count;
};

static void write_ready(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct write_state *state = tevent_req_data(req, struct write_state);
    ssize_t count = send(state->descriptor, state->rest, state->count, MSG_NOSIGNAL);
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR) tevent_req_error(req, errno);
        return;
    }
    state->rest += count;
    state->count -= count;
    if (state->count > 0) return;
    TALLOC_FREE(fde);
    tevent_req_done(req);
}

static struct tevent_req *write_send(
    TALLOC_CTX *memory, struct tevent_context *ev, int descriptor, const uint8_t *bytes, size_t count)
{
    struct write_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct write_state);
    if (req == NULL) return NULL;
    *state = (struct write_state){descriptor, bytes, count};
    struct tevent_fd *fde = tevent_add_fd(ev, state, descriptor, TEVENT_FD_WRITE, write_ready, req);
    if (tevent_req_nomem(fde, req)) return tevent_req_post(req, ev);
    return req;
}

static bool write_recv(struct tevent_req *req)
{
    uint64_t error;
    enum tevent_req_state how;
    bool is_error = tevent_req_is_error(req, &how, &error);
    tevent_req_received(req);
    return !is_error;
}

/* One connection: read, write, and again. */

struct echo_state {
    struct tevent_context *ev;
    int connection;
    uint8_t *buffer;
};

static void echo_read(struct tevent_req *subreq);
static void echo_written(struct tevent_req *subreq);

static void echo_next(struct tevent_req *req)
{
    struct echo_state *state = tevent_req_data(req, struct echo_state);
    struct tevent_req *subreq = read_send(state, state->ev, state->connection, 4096);
    if (tevent_req_nomem(subreq, req)) return;
    tevent_req_set_callback(subreq, echo_read, req);
}

static void echo_read(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    struct echo_state *state = tevent_req_data(req, struct echo_state);
    ssize_t count = read_recv(subreq, state, &state->buffer);
    TALLOC_FREE(subreq);
    if (count < 0) {
        tevent_req_error(req, EIO);
    } else if (count == 0) {
        tevent_req_done(req);
    } else {
        subreq = write_send(state, state->ev, state->connection, state->buffer, count);
        if (tevent_req_nomem(subreq, req)) return;
        tevent_req_set_callback(subreq, echo_written, req);
    }
}

static void echo_written(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    struct echo_state *state = tevent_req_data(req, struct echo_state);
    bool is_written = write_recv(subreq);
    TALLOC_FREE(subreq);
    TALLOC_FREE(state->buffer);
    if (is_written)
        echo_next(req);
    else
        tevent_req_error(req, EIO);
}

static void echo_cleanup(struct tevent_req *req, enum tevent_req_state how)
{
    struct echo_state *state = tevent_req_data(req, struct echo_state);
    if (state->connection >= 0) close(state->connection);
    state->connection = -1;
}

static struct tevent_req *echo_send(TALLOC_CTX *memory, struct tevent_context *ev, int connection)
{
    struct echo_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct echo_state);
    if (req == NULL) return NULL;
    state->ev = ev;
    state->connection = connection;
    tevent_req_set_cleanup_fn(req, echo_cleanup);
    echo_next(req);
    if (!tevent_req_is_in_progress(req)) return tevent_req_post(req, ev);
    return req;
}

static void echo_done(struct tevent_req *req) { TALLOC_FREE(req); }

/* The server. */

struct serve_state {
    struct tevent_context *ev;
    int listener;
};

static void serve_accepted(struct tevent_req *subreq);

static void serve_next(struct tevent_req *req)
{
    struct serve_state *state = tevent_req_data(req, struct serve_state);
    struct tevent_req *subreq = accept_send(state, state->ev, state->listener);
    if (tevent_req_nomem(subreq, req)) return;
    tevent_req_set_callback(subreq, serve_accepted, req);
}

static void serve_accepted(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    struct serve_state *state = tevent_req_data(req, struct serve_state);
    int connection = accept_recv(subreq);
    TALLOC_FREE(subreq);
    bench_check(connection >= 0, "accept");
    struct tevent_req *client = echo_send(state, state->ev, connection);
    if (tevent_req_nomem(client, req)) return;
    tevent_req_set_callback(client, echo_done, req);
    serve_next(req);
}

static struct tevent_req *serve_send(TALLOC_CTX *memory, struct tevent_context *ev, int listener)
{
    struct serve_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct serve_state);
    if (req == NULL) return NULL;
    *state = (struct serve_state){ev, listener};
    serve_next(req);
    if (!tevent_req_is_in_progress(req)) return tevent_req_post(req, ev);
    return req;
}

void serve_echo(struct bench_clients clients)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    int listener = bench_listen();
    struct tevent_req *req = serve_send(ev, ev, listener);
    bench_check(req != NULL, "serve_send");
    bench_start_clients(bench_port(listener), clients);
    tevent_loop_wait(ev);
}
