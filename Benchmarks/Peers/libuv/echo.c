/* libuv's echo server: it tries each write immediately, and queues what does not fit. */
#include "CBench.h"
#include <uv.h>

static uv_loop_t loop;

/* One buffer for every read, since its content is sent or copied before the next one. */
static char slab[65536];

struct write {
    uv_write_t request;
    char bytes[];
};

static void closed(uv_handle_t *handle) { free(handle); }

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    *buffer = uv_buf_init(slab, sizeof(slab));
}

static void written(uv_write_t *request, int status) { free(request); }

static void send_back(uv_stream_t *stream, const char *bytes, size_t count)
{
    uv_buf_t buffer = uv_buf_init((char *)bytes, count);
    int sent = uv_try_write(stream, &buffer, 1);
    if (sent < 0) sent = 0;
    if ((size_t)sent == count) return;
    size_t rest = count - sent;
    struct write *write = malloc(sizeof(*write) + rest);
    memcpy(write->bytes, bytes + sent, rest);
    buffer = uv_buf_init(write->bytes, rest);
    uv_write(&write->request, stream, &buffer, 1, written);
}

static void was_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    if (count > 0)
        send_back(stream, buffer->base, count);
    else if (count < 0)
        uv_close((uv_handle_t *)stream, closed);
}

static void connected(uv_stream_t *server, int status)
{
    bench_check(status == 0, "uv_listen");
    uv_tcp_t *client = malloc(sizeof(*client));
    uv_tcp_init(&loop, client);
    if (uv_accept(server, (uv_stream_t *)client) == 0) {
        uv_tcp_nodelay(client, 1);
        uv_read_start((uv_stream_t *)client, allocate, was_read);
    } else {
        uv_close((uv_handle_t *)client, closed);
    }
}

void serve_echo(struct bench_clients clients)
{
    uv_loop_init(&loop);
    uv_tcp_t server;
    uv_tcp_init(&loop, &server);
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(&server, (const struct sockaddr *)&address, 0);
    bench_check(uv_listen((uv_stream_t *)&server, BENCH_BACKLOG, connected) == 0, "uv_listen");
    int listener;
    uv_fileno((uv_handle_t *)&server, &listener);
    bench_start_clients(bench_port(listener), clients);
    uv_run(&loop, UV_RUN_DEFAULT);
}
