/* libev's echo server: a watcher for each connection, which waits for room when there is none. */
#include "CBench.h"
#include <ev.h>

struct connection {
    ev_io watcher;
    /* What has been read and not yet sent. */
    size_t start, end;
    char buffer[4096];
};

static void wait_for(struct ev_loop *loop, ev_io *watcher, int events)
{
    if ((watcher->events & (EV_READ | EV_WRITE)) == events) return;
    ev_io_stop(loop, watcher);
    ev_io_set(watcher, watcher->fd, events);
    ev_io_start(loop, watcher);
}

static void end(struct ev_loop *loop, struct connection *connection)
{
    ev_io_stop(loop, &connection->watcher);
    close(connection->watcher.fd);
    free(connection);
}

static void ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct connection *connection = (struct connection *)watcher;
    if (events & EV_READ) {
        ssize_t count = recv(watcher->fd, connection->buffer, sizeof(connection->buffer), 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return end(loop, connection);
        connection->start = 0;
        connection->end = count;
    }
    ssize_t sent = send(
        watcher->fd, connection->buffer + connection->start, connection->end - connection->start, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return end(loop, connection);
    if (sent > 0) connection->start += sent;
    wait_for(loop, watcher, connection->start == connection->end ? EV_READ : EV_WRITE);
}

static void accepted(struct ev_loop *loop, ev_io *watcher, int events)
{
    int descriptor = bench_accept(watcher->fd);
    if (descriptor < 0) return;
    struct connection *connection = malloc(sizeof(*connection));
    ev_io_init(&connection->watcher, ready, descriptor, EV_READ);
    ev_io_start(loop, &connection->watcher);
}

void serve_echo(struct bench_clients clients)
{
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    bench_check(loop != NULL, "ev_loop_new");
    int listener = bench_listen();
    ev_io watcher;
    ev_io_init(&watcher, accepted, listener, EV_READ);
    ev_io_start(loop, &watcher);
    bench_start_clients(bench_port(listener), clients);
    ev_run(loop, 0);
}
