/* An echo server that consists only of an epoll loop. */
#include "CBench.h"
#include <sys/epoll.h>

static int epoll;

static void watch(int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    bench_check(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
}

/* Sends back what has arrived; the messages are so small that there is always room. */
static void echo(int connection)
{
    char buffer[4096];
    ssize_t count = recv(connection, buffer, sizeof(buffer), 0);
    if (count <= 0)
        close(connection);
    else
        bench_check(send(connection, buffer, count, MSG_NOSIGNAL) == count, "send");
}

void serve_echo(struct bench_clients clients)
{
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = bench_listen();
    watch(listener);
    bench_start_clients(bench_port(listener), clients);
    while (true) {
        struct epoll_event ready[64];
        int count = epoll_wait(epoll, ready, 64, -1);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd != listener)
                echo(ready[i].data.fd);
            else
                watch(bench_accept(listener));
        }
    }
}
