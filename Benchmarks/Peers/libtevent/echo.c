/* libtevent's echo server is chapter 4's listing in C, just as this engine's is chapter 4's in Swift. */
#include "CBench.h"
#define main echo_server_main
#include "../../../Chapters/4-Requests/C/echo-server.c"
#undef main

void serve_echo(struct bench_clients clients)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    int listener = bench_listen();
    bench_check(serve_send(ev, ev, listener, 0) != NULL, "serve_send");
    bench_start_clients(bench_port(listener), clients);
    tevent_loop_wait(ev);
}
