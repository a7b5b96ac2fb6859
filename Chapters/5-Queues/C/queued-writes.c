/* Three messages for one pipe, each larger than the pipe: in a queue, each waits until the one before it is written. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { PIPEFUL = 4096, PIPEFULS = 3 };

struct write_state {
    struct tevent_context *ev;
    int descriptor;
    char message[PIPEFULS * PIPEFUL];
    size_t written;
};

static void write_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct write_state *state = tevent_req_data(req, struct write_state);
    ssize_t count =
        write(state->descriptor, state->message + state->written, sizeof(state->message) - state->written);
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR) tevent_req_error(req, errno);
        return;
    }
    state->written += count;
    if (state->written == sizeof(state->message)) tevent_req_done(req);
}

/* The request's turn has come: it may use the pipe until it is freed. */
static void write_trigger(struct tevent_req *req, void *data)
{
    struct write_state *state = tevent_req_data(req, struct write_state);
    printf("%c begins\n", state->message[0]);
    struct tevent_fd *event = tevent_add_fd(state->ev, state, state->descriptor, TEVENT_FD_WRITE, write_ready, req);
    tevent_req_nomem(event, req);
}

/* Writes a message that repeats one letter, after everything queued before it has been written. */
static struct tevent_req *write_send(
    TALLOC_CTX *memory, struct tevent_context *ev, struct tevent_queue *queue, int descriptor, char letter)
{
    struct write_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct write_state);
    if (req == NULL) return NULL;
    state->ev = ev;
    state->descriptor = descriptor;
    memset(state->message, letter, sizeof(state->message));
    if (!tevent_queue_add(queue, ev, req, write_trigger, NULL)) {
        tevent_req_oom(req);
        return tevent_req_post(req, ev);
    }
    return req;
}

static void written(struct tevent_req *req)
{
    enum tevent_req_state how;
    uint64_t error;
    char *letter = tevent_req_callback_data(req, char);
    printf("%c is written: %s\n", *letter, tevent_req_is_error(req, &how, &error) ? "no" : "yes");
    /* This also frees its place in the queue, so that the next request may start. */
    talloc_free(req);
}

/* Reads from the other end of the pipe. */
struct reader {
    int descriptor;
    size_t received;
    char letters[16];
};

/* Notes a letter each time the pipe was full of it. */
static void read_ready(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct reader *reader = talloc_get_type_abort(data, struct reader);
    char buffer[512];
    ssize_t count = read(reader->descriptor, buffer, sizeof(buffer));
    for (ssize_t i = 0; i < count; i++) {
        if (reader->received++ % PIPEFUL == 0) strncat(reader->letters, &buffer[i], 1);
    }
    if (reader->received == 3 * PIPEFULS * PIPEFUL) talloc_free(event);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_queue *queue = tevent_queue_create(ev, "line");
    int ends[2];
    if (queue == NULL || pipe2(ends, O_NONBLOCK) != 0 || fcntl(ends[1], F_SETPIPE_SZ, PIPEFUL) < 0) return 1;

    struct reader *reader = talloc_zero(ev, struct reader);
    reader->descriptor = ends[0];
    tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, read_ready, reader);
    for (char name = 'A'; name <= 'C'; name++) {
        char *letter = talloc(ev, char);
        *letter = name;
        struct tevent_req *req = write_send(ev, ev, queue, ends[1], name);
        if (req == NULL) return 1;
        tevent_req_set_callback(req, written, letter);
    }
    printf("in the queue: %zu\n", tevent_queue_length(queue));
    if (tevent_loop_wait(ev) != 0) return 1;
    printf("in the queue: %zu\n", tevent_queue_length(queue));
    printf("the reader got: %s\n", reader->letters);

    talloc_free(ev);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
