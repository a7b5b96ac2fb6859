/* An echo server of nested requests: each client gets back what it sends.
 *
 *     serve ─┬─ accept
 *            └─ echo, for each client ─┬─ read
 *                                      └─ write
 *
 * `echo-server PORT` serves until SIGTERM or SIGINT; with port 0 the system chooses one. Without a port the program
 * starts two clients of its own, serves them, and ends.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Ends the program, with the reason from errno, unless a condition holds. */
static void require(bool is_so, const char *what)
{
    if (is_so) return;
    perror(what);
    exit(1);
}

/* How a request ended: 0, or a number as in errno. Releases its state. */
static int simple_recv(struct tevent_req *req)
{
    enum tevent_req_state how;
    uint64_t error;
    int result = 0;
    if (tevent_req_is_error(req, &how, &error)) result = how == TEVENT_REQ_USER_ERROR ? (int)error : ENOMEM;
    tevent_req_received(req);
    return result;
}

/* Whether to make a call again when the descriptor is next ready. */
static bool must_wait(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR);
}

/* MARK: Accepting one client */

struct accept_state {
    int listener, client;
};

static void accept_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct accept_state *state = tevent_req_data(req, struct accept_state);
    state->client = accept4(state->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (must_wait(state->client)) return;
    if (state->client < 0)
        tevent_req_error(req, errno);
    else
        tevent_req_done(req);
}

static struct tevent_req *accept_send(TALLOC_CTX *memory, struct tevent_context *ev, int listener)
{
    struct accept_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct accept_state);
    if (req == NULL) return NULL;
    *state = (struct accept_state){.listener = listener, .client = -1};
    struct tevent_fd *event = tevent_add_fd(ev, state, listener, TEVENT_FD_READ, accept_ready, req);
    if (tevent_req_nomem(event, req)) return tevent_req_post(req, ev);
    return req;
}

static int accept_recv(struct tevent_req *req, int *client)
{
    struct accept_state *state = tevent_req_data(req, struct accept_state);
    *client = state->client;
    return simple_recv(req);
}

/* MARK: Reading what has arrived */

struct read_state {
    int descriptor;
    char *buffer;
    size_t size, count;
};

static void read_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct read_state *state = tevent_req_data(req, struct read_state);
    ssize_t count = recv(state->descriptor, state->buffer, state->size, 0);
    if (must_wait(count)) return;
    if (count < 0) {
        tevent_req_error(req, errno);
        return;
    }
    state->count = count;
    tevent_req_done(req);
}

static struct tevent_req *read_send(
    TALLOC_CTX *memory, struct tevent_context *ev, int descriptor, char *buffer, size_t size)
{
    struct read_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct read_state);
    if (req == NULL) return NULL;
    *state = (struct read_state){.descriptor = descriptor, .buffer = buffer, .size = size};
    struct tevent_fd *event = tevent_add_fd(ev, state, descriptor, TEVENT_FD_READ, read_ready, req);
    if (tevent_req_nomem(event, req)) return tevent_req_post(req, ev);
    return req;
}

/* The count is 0 when the other side will send nothing more. */
static int read_recv(struct tevent_req *req, size_t *count)
{
    struct read_state *state = tevent_req_data(req, struct read_state);
    *count = state->count;
    return simple_recv(req);
}

/* MARK: Writing everything */

struct write_state {
    int descriptor;
    const char *rest;
    size_t count;
};

static void write_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct write_state *state = tevent_req_data(req, struct write_state);
    ssize_t count = send(state->descriptor, state->rest, state->count, MSG_NOSIGNAL);
    if (must_wait(count)) return;
    if (count < 0) {
        tevent_req_error(req, errno);
        return;
    }
    state->rest += count;
    state->count -= count;
    if (state->count == 0) tevent_req_done(req);
}

static struct tevent_req *write_send(
    TALLOC_CTX *memory, struct tevent_context *ev, int descriptor, const char *bytes, size_t count)
{
    struct write_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct write_state);
    if (req == NULL) return NULL;
    *state = (struct write_state){.descriptor = descriptor, .rest = bytes, .count = count};
    struct tevent_fd *event = tevent_add_fd(ev, state, descriptor, TEVENT_FD_WRITE, write_ready, req);
    if (tevent_req_nomem(event, req)) return tevent_req_post(req, ev);
    return req;
}

/* MARK: One client: read, write, repeat */

struct echo_state {
    struct tevent_context *ev;
    int client;
    size_t echoed, count;
    /* The current read or write. */
    struct tevent_req *step;
    char buffer[4096];
};

static void echo_has_read(struct tevent_req *subreq);
static void echo_has_written(struct tevent_req *subreq);

static void echo_read(struct tevent_req *req)
{
    struct echo_state *state = tevent_req_data(req, struct echo_state);
    state->step = read_send(state, state->ev, state->client, state->buffer, sizeof(state->buffer));
    if (tevent_req_nomem(state->step, req)) return;
    tevent_req_set_callback(state->step, echo_has_read, req);
}

static void echo_has_read(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    struct echo_state *state = tevent_req_data(req, struct echo_state);
    int error = read_recv(subreq, &state->count);
    TALLOC_FREE(state->step);
    if (tevent_req_error(req, error)) return;
    if (state->count == 0) {
        tevent_req_done(req);
        return;
    }
    state->step = write_send(state, state->ev, state->client, state->buffer, state->count);
    if (tevent_req_nomem(state->step, req)) return;
    tevent_req_set_callback(state->step, echo_has_written, req);
}

static void echo_has_written(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    struct echo_state *state = tevent_req_data(req, struct echo_state);
    int error = simple_recv(subreq);
    TALLOC_FREE(state->step);
    if (tevent_req_error(req, error)) return;
    state->echoed += state->count;
    echo_read(req);
}

/* However the request ends, free what watches the descriptor first, then close the descriptor. */
static void echo_cleanup(struct tevent_req *req, enum tevent_req_state how)
{
    struct echo_state *state = tevent_req_data(req, struct echo_state);
    if (state->client < 0) return;
    TALLOC_FREE(state->step);
    close(state->client);
    state->client = -1;
}

static struct tevent_req *echo_send(TALLOC_CTX *memory, struct tevent_context *ev, int client)
{
    struct echo_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct echo_state);
    if (req == NULL) return NULL;
    state->ev = ev;
    state->client = client;
    tevent_req_set_cleanup_fn(req, echo_cleanup);
    echo_read(req);
    if (!tevent_req_is_in_progress(req)) return tevent_req_post(req, ev);
    return req;
}

static int echo_recv(struct tevent_req *req, size_t *echoed)
{
    struct echo_state *state = tevent_req_data(req, struct echo_state);
    *echoed = state->echoed;
    return simple_recv(req);
}

/* MARK: The server: accepts clients, and ends when enough have left or when it is cancelled */

struct tally {
    int accepted, gone, lost;
    size_t echoed;
};

struct serve_state {
    struct tevent_context *ev;
    int listener, clients;
    struct tally tally;
};

static void serve_accepted(struct tevent_req *subreq);
static void serve_client_gone(struct tevent_req *subreq);

static void serve_accept(struct tevent_req *req)
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
    int client;
    int error = accept_recv(subreq, &client);
    TALLOC_FREE(subreq);
    if (tevent_req_error(req, error)) return;
    state->tally.accepted++;
    int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    subreq = echo_send(state, state->ev, client);
    if (tevent_req_nomem(subreq, req)) {
        close(client);
        return;
    }
    tevent_req_set_callback(subreq, serve_client_gone, req);
    if (state->tally.accepted != state->clients) serve_accept(req);
}

static void serve_client_gone(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    struct serve_state *state = tevent_req_data(req, struct serve_state);
    size_t echoed;
    if (echo_recv(subreq, &echoed) != 0) state->tally.lost++;
    TALLOC_FREE(subreq);
    state->tally.gone++;
    state->tally.echoed += echoed;
    if (state->tally.gone == state->clients) tevent_req_done(req);
}

static bool serve_cancel(struct tevent_req *req)
{
    tevent_req_done(req);
    return true;
}

/* Serves this many clients, or all that come if 0. */
static struct tevent_req *serve_send(TALLOC_CTX *memory, struct tevent_context *ev, int listener, int clients)
{
    struct serve_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct serve_state);
    if (req == NULL) return NULL;
    *state = (struct serve_state){.ev = ev, .listener = listener, .clients = clients > 0 ? clients : -1};
    tevent_req_set_cancel_fn(req, serve_cancel);
    serve_accept(req);
    if (!tevent_req_is_in_progress(req)) return tevent_req_post(req, ev);
    return req;
}

static int serve_recv(struct tevent_req *req, struct tally *tally)
{
    struct serve_state *state = tevent_req_data(req, struct serve_state);
    *tally = state->tally;
    return simple_recv(req);
}

/* MARK: The program */

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listen_at(uint16_t port, uint16_t *chosen)
{
    struct sockaddr_in address = loopback(port);
    socklen_t size = sizeof(address);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    require(listener >= 0, "socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    require(bind(listener, (struct sockaddr *)&address, size) == 0, "bind");
    require(listen(listener, SOMAXCONN) == 0, "listen");
    require(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    *chosen = ntohs(address.sin_port);
    return listener;
}

/* Starts a process that sends a text, and exits with 0 if it receives the same. */
static pid_t start_client(uint16_t port, const char *text)
{
    pid_t process = fork();
    require(process >= 0, "fork");
    if (process > 0) return process;

    struct sockaddr_in address = loopback(port);
    char heard[64] = "";
    ssize_t size = strlen(text);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    bool is_well = connect(server, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        send(server, text, size, 0) == size && shutdown(server, SHUT_WR) == 0 &&
        recv(server, heard, size, MSG_WAITALL) == size && strcmp(heard, text) == 0 &&
        recv(server, heard, sizeof(heard), 0) == 0;
    _exit(is_well ? 0 : 1);
}

static void stop(struct tevent_context *ev, struct tevent_signal *event, int number, int count, void *info, void *data)
{
    tevent_req_cancel(talloc_get_type_abort(data, struct tevent_req));
}

static void run_server(int listener, int clients)
{
    TALLOC_CTX *program = talloc_named_const(NULL, 0, "program");
    struct tevent_context *ev = tevent_context_init(program);
    require(ev != NULL, "tevent_context_init");
    struct tevent_req *req = serve_send(program, ev, listener, clients);
    require(req != NULL, "serve_send");
    tevent_add_signal(ev, req, SIGINT, 0, stop, req);
    tevent_add_signal(ev, req, SIGTERM, 0, stop, req);
    require(tevent_req_poll(req, ev), "tevent_req_poll");

    struct tally tally;
    errno = serve_recv(req, &tally);
    require(errno == 0, "serve");
    printf("served %d clients, %d lost, %zu bytes echoed\n", tally.accepted, tally.lost, tally.echoed);
    talloc_free(program);
}

/* Serves two clients that are separate processes. */
static void demonstrate(void)
{
    uint16_t port;
    int listener = listen_at(0, &port);
    pid_t anna = start_client(port, "hello"), ben = start_client(port, "still there?");
    run_server(listener, 2);
    int status;
    printf("Anna has heard the same: %s\n", waitpid(anna, &status, 0) == anna && status == 0 ? "yes" : "no");
    printf("Ben has heard the same: %s\n", waitpid(ben, &status, 0) == ben && status == 0 ? "yes" : "no");
    close(listener);
}

int main(int count, char **arguments)
{
    if (count == 1) {
        demonstrate();
        return 0;
    }
    char *end;
    long port = strtol(arguments[1], &end, 10);
    if (count != 2 || *end != '\0' || end == arguments[1] || port < 0 || port > 65535) {
        fprintf(stderr, "usage: echo-server [PORT]; 0 lets the system choose one\n");
        return 64;
    }
    uint16_t chosen;
    int listener = listen_at(port, &chosen);
    printf("listening on 127.0.0.1:%d\n", chosen);
    fflush(stdout);
    run_server(listener, 0);
    close(listener);
    return 0;
}
