/* More bytes than a pipe can hold, sent without blocking: write interest is on only while something waits. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { TOTAL = 1000000 };

struct transfer {
    int writer, reader;
    size_t sent, received;
    char bytes[65536];
};

static void can_be_written(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct transfer *transfer = talloc_get_type_abort(data, struct transfer);
    size_t rest = TOTAL - transfer->sent;
    ssize_t count = write(transfer->writer, transfer->bytes, rest < 65536 ? rest : 65536);
    if (count > 0) transfer->sent += count;
    if (transfer->sent < TOTAL) return;
    TEVENT_FD_NOT_WRITEABLE(event);
    printf("all is written; the writer's flags: %d\n", tevent_fd_get_flags(event));
}

static void can_be_read(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct transfer *transfer = talloc_get_type_abort(data, struct transfer);
    char bytes[65536];
    ssize_t count = read(transfer->reader, bytes, sizeof(bytes));
    if (count > 0) transfer->received += count;
    if (transfer->received == TOTAL) talloc_free(event);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct transfer *transfer = talloc_zero(ev, struct transfer);
    int ends[2];
    if (transfer == NULL || pipe2(ends, O_NONBLOCK) != 0) return 1;
    transfer->reader = ends[0];
    transfer->writer = ends[1];

    struct tevent_fd *writer = tevent_add_fd(ev, ev, ends[1], TEVENT_FD_WRITE, can_be_written, transfer);
    struct tevent_fd *reader = tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, can_be_read, transfer);
    if (writer == NULL || reader == NULL) return 1;
    tevent_fd_set_auto_close(writer);
    tevent_fd_set_auto_close(reader);

    while (transfer->received < TOTAL) {
        if (tevent_loop_once(ev) != 0) return 1;
    }
    printf("received %zu of %d bytes\n", transfer->received, TOTAL);
    talloc_free(ev);
    return 0;
}
