/* A callback that runs inside the call that ends the request, and one that is deferred until the loop runs again. */
#include <stdio.h>
#include <tevent.h>

struct transfer_state {
    int mine, yours;
};

static void transferred(struct tevent_req *req)
{
    struct transfer_state *state = tevent_req_data(req, struct transfer_state);
    printf("  the callback sees %d and %d, together %d\n", state->mine, state->yours, state->mine + state->yours);
}

/* Moves 30 from one account to the other, and ends the request too early: in the middle. */
static void transfer(const char *title, bool is_deferred)
{
    printf("%s\n", title);
    struct tevent_context *ev = tevent_context_init(NULL);
    struct transfer_state *state;
    struct tevent_req *req = tevent_req_create(ev, &state, struct transfer_state);
    state->mine = 100;
    tevent_req_set_callback(req, transferred, NULL);
    if (is_deferred) tevent_req_defer_callback(req, ev);

    state->mine -= 30;
    printf("  30 are taken from me\n");
    tevent_req_done(req);
    state->yours += 30;
    printf("  30 are given to you\n");

    printf("  tevent_loop_wait returns %d\n", tevent_loop_wait(ev));
    talloc_free(ev);
}

int main(void)
{
    transfer("The callback at once:", false);
    transfer("The callback deferred:", true);
    return 0;
}
