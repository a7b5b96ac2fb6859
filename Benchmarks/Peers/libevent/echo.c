/* libevent's echo server, as in its book: bufferevents, behind a listener. */
#include "CBench.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static void echo(struct bufferevent *connection, void *data)
{
    evbuffer_add_buffer(bufferevent_get_output(connection), bufferevent_get_input(connection));
}

static void happened(struct bufferevent *connection, short events, void *data)
{
    if (events & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) bufferevent_free(connection);
}

static void accepted(
    struct evconnlistener *listener, evutil_socket_t descriptor, struct sockaddr *address, int size, void *data)
{
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct event_base *base = evconnlistener_get_base(listener);
    struct bufferevent *connection = bufferevent_socket_new(base, descriptor, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(connection, echo, NULL, happened, NULL);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

void serve_echo(struct bench_clients clients)
{
    struct event_base *base = event_base_new();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct evconnlistener *listener = evconnlistener_new_bind(
        base, accepted, NULL, LEV_OPT_CLOSE_ON_FREE, BENCH_BACKLOG, (struct sockaddr *)&address, sizeof(address));
    bench_check(listener != NULL, "evconnlistener_new_bind");
    bench_start_clients(bench_port(evconnlistener_get_fd(listener)), clients);
    event_base_dispatch(base);
}
