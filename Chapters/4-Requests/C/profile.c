/* A profile of a request and its subrequests: what took part and how each ended, kept after they are freed. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct breakfast_state {
    int left;
};

static const char *words(enum tevent_req_state how)
{
    switch (how) {
    case TEVENT_REQ_INIT: return "has not ended";
    case TEVENT_REQ_DONE: return "done";
    case TEVENT_REQ_USER_ERROR: return "failed";
    case TEVENT_REQ_TIMED_OUT: return "timed out";
    default: return "something else";
    }
}

/* Prints a profile and all below it. */
static void show(const struct tevent_req_profile *profile, int depth)
{
    const char *name;
    pid_t process;
    enum tevent_req_state how;
    uint64_t error;
    tevent_req_profile_get_name(profile, &name);
    tevent_req_profile_get_status(profile, &process, &how, &error);
    printf("  %*s%s: %s, error %d\n", 2 * depth, "", name, words(how), (int)error);

    const struct tevent_req_profile *below = tevent_req_profile_get_subprofiles(profile);
    for (; below != NULL; below = tevent_req_profile_next(below)) show(below, depth + 1);
}

static void part_done(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    struct breakfast_state *state = tevent_req_data(req, struct breakfast_state);
    tevent_wakeup_recv(subreq);
    TALLOC_FREE(subreq);
    if (--state->left == 0) tevent_req_error(req, 5);
}

static void breakfast_done(struct tevent_req *req) { printf("The breakfast is over.\n"); }

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct breakfast_state *state;
    struct tevent_req *req = tevent_req_create(ev, &state, struct breakfast_state);
    if (req == NULL || !tevent_req_set_profile(req)) return 1;
    tevent_req_set_callback(req, breakfast_done, NULL);

    struct timeval start = tevent_timeval_current();
    for (state->left = 0; state->left < 2; state->left++) {
        struct timeval when = tevent_timeval_add(&start, 0, 5000 * (state->left + 1));
        struct tevent_req *subreq = tevent_wakeup_send(state, ev, when);
        tevent_req_set_callback(subreq, part_done, req);
        if (state->left == 1) tevent_req_set_endtime(subreq, ev, start);
    }
    printf("At first:\n");
    show(tevent_req_get_profile(req), 0);

    tevent_loop_wait(ev);
    struct tevent_req_profile *profile = tevent_req_move_profile(req, ev);
    talloc_free(req);
    printf("In the end, although the request is freed:\n");
    show(profile, 0);
    talloc_free(ev);
    return 0;
}
