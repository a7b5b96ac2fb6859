/* A request that ends while it is being created, before its caller could set a callback: it is posted to the loop. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct lookup_state {
    const char *address;
};

static void lookup_answered(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct lookup_state *state = tevent_req_data(req, struct lookup_state);
    state->address = "192.0.2.7";
    tevent_req_done(req);
}

static struct tevent_req *lookup_send(TALLOC_CTX *memory, struct tevent_context *ev, const char *name)
{
    struct lookup_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct lookup_state);
    if (req == NULL) return NULL;
    if (strcmp(name, "") == 0) {
        tevent_req_error(req, EINVAL);
        return tevent_req_post(req, ev);
    }
    if (strcmp(name, "localhost") == 0) {
        state->address = "127.0.0.1";
        tevent_req_done(req);
        return tevent_req_post(req, ev);
    }
    struct tevent_timer *timer =
        tevent_add_timer(ev, state, tevent_timeval_current_ofs(0, 1000), lookup_answered, req);
    if (tevent_req_nomem(timer, req)) return tevent_req_post(req, ev);
    return req;
}

/* Returns the address, or NULL and the reason. */
static const char *lookup_recv(struct tevent_req *req, int *error)
{
    struct lookup_state *state = tevent_req_data(req, struct lookup_state);
    const char *address = state->address;
    enum tevent_req_state how;
    uint64_t number;
    *error = 0;
    if (tevent_req_is_error(req, &how, &number)) {
        *error = how == TEVENT_REQ_USER_ERROR ? (int)number : EIO;
        address = NULL;
    }
    tevent_req_received(req);
    return address;
}

static void looked_up(struct tevent_req *req)
{
    int error;
    const char *address = lookup_recv(req, &error);
    printf("receive: %s\n", address != NULL ? address : error == EINVAL ? "that is no name" : "failed");
    talloc_free(req);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    const char *names[] = {"far.example", "localhost", ""};
    for (int i = 0; i < 3; i++) {
        struct tevent_req *req = lookup_send(ev, ev, names[i]);
        if (req == NULL) return 1;
        printf("send: \"%s\" is in progress: %s\n", names[i], tevent_req_is_in_progress(req) ? "yes" : "no");
        tevent_req_set_callback(req, looked_up, NULL);
    }
    printf("the loop runs\n");
    if (tevent_loop_wait(ev) != 0) return 1;
    talloc_free(ev);
    return 0;
}
