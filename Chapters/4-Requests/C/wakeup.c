/* Two steps in sequence, each of which waits with a wakeup, and must check how the waiting ended. */
#include <stdio.h>
#include <tevent.h>

struct tea_state {
    struct tevent_context *ev;
    struct timeval start;
};

static void tea_has_brewed(struct tevent_req *subreq);
static void tea_has_cooled(struct tevent_req *subreq);

/* Starts waiting until this many milliseconds have passed since the tea was started. */
static void tea_wait(struct tevent_req *req, int milliseconds, tevent_req_fn next)
{
    struct tea_state *state = tevent_req_data(req, struct tea_state);
    struct timeval when = tevent_timeval_add(&state->start, 0, milliseconds * 1000);
    struct tevent_req *subreq = tevent_wakeup_send(state, state->ev, when);
    if (tevent_req_nomem(subreq, req)) return;
    tevent_req_set_callback(subreq, next, req);
}

static struct tevent_req *tea_send(TALLOC_CTX *memory, struct tevent_context *ev)
{
    struct tea_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct tea_state);
    if (req == NULL) return NULL;
    state->ev = ev;
    state->start = tevent_timeval_current();
    printf("tea: brews\n");
    tea_wait(req, 10, tea_has_brewed);
    if (!tevent_req_is_in_progress(req)) return tevent_req_post(req, ev);
    return req;
}

static void tea_has_brewed(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    bool is_over = tevent_wakeup_recv(subreq);
    TALLOC_FREE(subreq);
    if (!is_over) {
        tevent_req_error(req, 1);
        return;
    }
    printf("tea: cools\n");
    tea_wait(req, 20, tea_has_cooled);
}

static void tea_has_cooled(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    struct tea_state *state = tevent_req_data(req, struct tea_state);
    bool is_over = tevent_wakeup_recv(subreq);
    TALLOC_FREE(subreq);
    struct timeval now = tevent_timeval_current(), earliest = tevent_timeval_add(&state->start, 0, 20000);
    printf("tea: is ready, after 20 ms or more: %s\n", tevent_timeval_compare(&now, &earliest) >= 0 ? "yes" : "no");
    if (is_over)
        tevent_req_done(req);
    else
        tevent_req_error(req, 1);
}

static bool tea_recv(struct tevent_req *req)
{
    enum tevent_req_state how;
    uint64_t error;
    bool is_error = tevent_req_is_error(req, &how, &error);
    tevent_req_received(req);
    return !is_error;
}

static void tea_done(struct tevent_req *req)
{
    printf("receive: %s\n", tea_recv(req) ? "a cup of tea" : "no tea");
    talloc_free(req);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_req *req = tea_send(ev, ev);
    if (req == NULL) return 1;
    tevent_req_set_callback(req, tea_done, NULL);
    printf("the loop runs\n");
    if (tevent_loop_wait(ev) != 0) return 1;
    talloc_free(ev);
    return 0;
}
