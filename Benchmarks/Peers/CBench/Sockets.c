#include "CBench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

int bench_listen(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bench_check(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
    bench_check(listen(listener, BENCH_BACKLOG) == 0, "listen");
    return listener;
}

int bench_port(int listener)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    bench_check(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    return ntohs(address.sin_port);
}

int bench_accept(int listener)
{
    int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) return -1;
    int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return connection;
}
