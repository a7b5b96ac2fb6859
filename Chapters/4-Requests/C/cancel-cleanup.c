/* A request that ends by itself, by cancelling and by freeing: which functions are called, in which order. */
#include <errno.h>
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Downloads three pieces, one every 20 ms. */
struct download_state {
    struct timeval start;
    int pieces;
    struct tevent_timer *next;
};

static const char *words(enum tevent_req_state how)
{
    switch (how) {
    case TEVENT_REQ_DONE: return "done";
    case TEVENT_REQ_USER_ERROR: return "failed";
    case TEVENT_REQ_RECEIVED: return "received";
    default: return "something else";
    }
}

static bool download_cancel(struct tevent_req *req)
{
    printf("  cancel\n");
    tevent_req_error(req, ECANCELED);
    return true;
}

static void download_cleanup(struct tevent_req *req, enum tevent_req_state how)
{
    struct download_state *state = tevent_req_data(req, struct download_state);
    printf("  cleanup: %s%s\n", words(how), state->next != NULL ? ", no more pieces" : "");
    TALLOC_FREE(state->next);
}

static void download_piece(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct download_state *state = tevent_req_data(req, struct download_state);
    state->next = NULL;
    printf("  download: piece %d\n", ++state->pieces);
    if (state->pieces == 3) {
        tevent_req_done(req);
        return;
    }
    struct timeval when = tevent_timeval_add(&state->start, 0, (state->pieces + 1) * 20000);
    state->next = tevent_add_timer(ev, state, when, download_piece, req);
    tevent_req_nomem(state->next, req);
}

static struct tevent_req *download_send(TALLOC_CTX *memory, struct tevent_context *ev, struct timeval start)
{
    struct download_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct download_state);
    if (req == NULL) return NULL;
    state->start = start;
    tevent_req_set_cancel_fn(req, download_cancel);
    tevent_req_set_cleanup_fn(req, download_cleanup);
    state->next = tevent_add_timer(ev, state, tevent_timeval_add(&start, 0, 20000), download_piece, req);
    if (tevent_req_nomem(state->next, req)) return tevent_req_post(req, ev);
    return req;
}

static int download_recv(struct tevent_req *req, int *pieces)
{
    struct download_state *state = tevent_req_data(req, struct download_state);
    enum tevent_req_state how;
    uint64_t error;
    int result = 0;
    if (tevent_req_is_error(req, &how, &error)) result = how == TEVENT_REQ_USER_ERROR ? (int)error : EIO;
    *pieces = state->pieces;
    tevent_req_received(req);
    return result;
}

static void downloaded(struct tevent_req *req)
{
    int pieces;
    int error = download_recv(req, &pieces);
    if (error == 0)
        printf("  receive: %d pieces\n", pieces);
    else
        printf("  receive: %s\n", error == ECANCELED ? "the request was cancelled" : "failed");
}

static void cancels(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("  caller: cancels: %s\n", tevent_req_cancel(data) ? "yes" : "no");
    printf("  caller: cancels: %s\n", tevent_req_cancel(data) ? "yes" : "no");
}

static void frees(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("  caller: frees\n");
    talloc_free(data);
}

/* Downloads, and runs the handler `interfere` after the first piece, if there is one. */
static void download(const char *title, tevent_timer_handler_t interfere)
{
    printf("%s\n", title);
    struct tevent_context *ev = tevent_context_init(NULL);
    struct timeval start = tevent_timeval_current();
    struct tevent_req *req = download_send(ev, ev, start);
    tevent_req_set_callback(req, downloaded, NULL);
    if (interfere != NULL) tevent_add_timer(ev, ev, tevent_timeval_add(&start, 0, 30000), interfere, req);
    tevent_loop_wait(ev);
    talloc_free(ev);
}

int main(void)
{
    download("Left alone:", NULL);
    download("Cancelled, and cancelled again:", cancels);
    download("Freed:", frees);
    return 0;
}
