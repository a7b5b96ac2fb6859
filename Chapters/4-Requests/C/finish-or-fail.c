/* The ways to end a request by hand, and what its receiver gets from each. No loop is needed. */
#include <stdio.h>
#include <tevent.h>

enum kettle_error { NO_WATER = 1, NO_POWER = 7 };

struct tea_state {
    int cups;
};

static void tea_done(struct tevent_req *req)
{
    struct tea_state *state = tevent_req_data(req, struct tea_state);
    enum tevent_req_state how;
    uint64_t error;
    if (!tevent_req_is_error(req, &how, &error))
        printf("  the callback finds it done, with %d cup\n", state->cups);
    else if (how == TEVENT_REQ_USER_ERROR)
        printf("  the callback finds it failed, error %d\n", (int)error);
    else
        printf("  the callback finds it %s\n", how == TEVENT_REQ_NO_MEMORY ? "out of memory" : "timed out");
    tevent_req_received(req);
}

static struct tevent_req *make(TALLOC_CTX *memory, const char *title)
{
    printf("%s\n", title);
    struct tea_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct tea_state);
    state->cups = 1;
    tevent_req_set_callback(req, tea_done, NULL);
    return req;
}

int main(void)
{
    TALLOC_CTX *memory = talloc_new(NULL);

    struct tevent_req *req = make(memory, "tevent_req_done");
    tevent_req_done(req);
    talloc_free(req);

    req = make(memory, "tevent_req_error with number 7");
    printf("  the call returns %d\n", tevent_req_error(req, NO_POWER));
    talloc_free(req);

    req = make(memory, "tevent_req_error with number 1");
    printf("  the call returns %d\n", tevent_req_error(req, NO_WATER));
    talloc_free(req);

    req = make(memory, "tevent_req_error with number 0, which is no error");
    printf("  the call returns %d\n", tevent_req_error(req, 0));
    printf("  it is in progress: %d\n", tevent_req_is_in_progress(req));
    talloc_free(req);

    req = make(memory, "tevent_req_nomem with memory");
    printf("  the call returns %d\n", tevent_req_nomem(memory, req));
    printf("  it is in progress: %d\n", tevent_req_is_in_progress(req));
    talloc_free(req);

    req = make(memory, "tevent_req_nomem with none");
    printf("  the call returns %d\n", tevent_req_nomem(NULL, req));
    talloc_free(req);

    req = make(memory, "tevent_req_oom");
    tevent_req_oom(req);
    talloc_free(req);

    talloc_free(memory);
    return 0;
}
