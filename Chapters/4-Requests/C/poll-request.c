/* An ordinary function waits for a request: the loop runs until the request has ended, and no longer. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct count_state {
    int count, last;
};

static void count_next(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct count_state *state = tevent_req_data(req, struct count_state);
    printf("counting: %d of %d\n", ++state->count, state->last);
    if (state->count == state->last)
        tevent_req_done(req);
    else
        tevent_schedule_immediate(immediate, ev, count_next, req);
}

static struct tevent_req *count_send(TALLOC_CTX *memory, struct tevent_context *ev, int last)
{
    struct count_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct count_state);
    if (req == NULL) return NULL;
    state->last = last;
    struct tevent_immediate *immediate = tevent_create_immediate(state);
    if (tevent_req_nomem(immediate, req)) return tevent_req_post(req, ev);
    tevent_schedule_immediate(immediate, ev, count_next, req);
    return req;
}

static void counted(struct tevent_req *req) { printf("the callback is called\n"); }

static char *count_print(struct tevent_req *req, TALLOC_CTX *memory)
{
    struct count_state *state = tevent_req_data(req, struct count_state);
    return talloc_asprintf(memory, "counting to %d, at %d", state->last, state->count);
}

static void too_late(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("this is never said\n");
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_req *req = count_send(ev, ev, 3);
    if (req == NULL) return 1;
    tevent_req_set_callback(req, counted, NULL);
    tevent_req_set_print_fn(req, count_print);
    tevent_add_timer(ev, ev, tevent_timeval_current_ofs(100, 0), too_late, NULL);

    printf("printed: %s\n", tevent_req_print(ev, req));
    printf("tevent_req_poll returns %d\n", tevent_req_poll(req, ev));
    printf("printed: %s\n", tevent_req_print(ev, req));
    tevent_req_received(req);
    talloc_free(ev);
    return 0;
}
