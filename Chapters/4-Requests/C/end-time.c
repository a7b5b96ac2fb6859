/* A request with a deadline, one that gets more time while it runs, and one whose deadline is removed. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct question_state {
    int answer;
};

static struct timeval start;

/* The time this many milliseconds after the question was asked. */
static struct timeval at(int milliseconds) { return tevent_timeval_add(&start, 0, milliseconds * 1000); }

static void answer_comes(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct question_state *state = tevent_req_data(req, struct question_state);
    printf("  question: the answer is there\n");
    state->answer = 42;
    tevent_req_done(req);
}

/* Sends a question that is answered after 50 ms. */
static struct tevent_req *question_send(TALLOC_CTX *memory, struct tevent_context *ev)
{
    struct question_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct question_state);
    if (req == NULL) return NULL;
    struct tevent_timer *timer = tevent_add_timer(ev, state, at(50), answer_comes, req);
    if (tevent_req_nomem(timer, req)) return tevent_req_post(req, ev);
    return req;
}

static void question_done(struct tevent_req *req)
{
    struct question_state *state = tevent_req_data(req, struct question_state);
    enum tevent_req_state how;
    uint64_t error;
    if (!tevent_req_is_error(req, &how, &error))
        printf("  receive: %d\n", state->answer);
    else
        printf("  receive: it %s\n", how == TEVENT_REQ_TIMED_OUT ? "did not end in time" : "failed");
    talloc_free(req);
}

static void extends(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    printf("  caller: extends the end time: %s\n", tevent_req_set_endtime(req, ev, at(70)) ? "yes" : "no");
}

static void takes_away(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    tevent_req_reset_endtime(talloc_get_type_abort(data, struct tevent_req));
    printf("  caller: takes the end time away\n");
}

/* Asks with a deadline of 30 ms, and runs the handler `interfere` after 20, if there is one. */
static void ask(const char *title, tevent_timer_handler_t interfere)
{
    printf("%s\n", title);
    struct tevent_context *ev = tevent_context_init(NULL);
    start = tevent_timeval_current();
    struct tevent_req *req = question_send(ev, ev);
    tevent_req_set_callback(req, question_done, NULL);
    if (!tevent_req_set_endtime(req, ev, at(30))) printf("  no end time\n");
    if (interfere != NULL) tevent_add_timer(ev, ev, at(20), interfere, req);
    tevent_loop_wait(ev);
    talloc_free(ev);
}

int main(void)
{
    ask("It may take 30 ms:", NULL);
    ask("30 ms, and after 20 it gets 40 more:", extends);
    ask("30 ms, and after 20 the limit is taken away:", takes_away);
    return 0;
}
