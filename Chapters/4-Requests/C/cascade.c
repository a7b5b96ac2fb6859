/* A request inside a request inside a request: down with send, up again with done; each frees its subrequest. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Prints a line when the request above is freed. */
static int request_goes(char *name)
{
    printf("    (%s is freed)\n", name);
    return 0;
}

static void watch(struct tevent_req *req, const char *name)
{
    talloc_set_destructor(talloc_strdup(req, name), request_goes);
}

/* The result of each of the three requests is a list of names. */
struct names_state {
    char *names;
};

/* Returns the names to the caller; an error counts as none. */
static char *names_recv(struct tevent_req *req, TALLOC_CTX *memory)
{
    struct names_state *state = tevent_req_data(req, struct names_state);
    enum tevent_req_state how;
    uint64_t error;
    char *names = tevent_req_is_error(req, &how, &error) ? NULL : talloc_move(memory, &state->names);
    tevent_req_received(req);
    return names;
}

/* Takes the names from a subrequest, adds one, and ends the request. */
static void names_add(struct tevent_req *subreq, const char *name)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    struct names_state *state = tevent_req_data(req, struct names_state);
    char *names = names_recv(subreq, state);
    TALLOC_FREE(subreq);
    if (tevent_req_nomem(names, req)) return;
    state->names = talloc_asprintf_append(names, ", %s", name);
    if (tevent_req_nomem(state->names, req)) return;
    tevent_req_done(req);
}

/* The innermost request, test: its work is to wait for an event. */

static void test_wrapper(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("the loop calls the wrapper\n");
    struct tevent_req *req = talloc_get_type_abort(data, struct tevent_req);
    struct names_state *state = tevent_req_data(req, struct names_state);
    printf("  test done\n");
    state->names = talloc_strdup(state, "test");
    if (tevent_req_nomem(state->names, req)) return;
    tevent_req_done(req);
}

static struct tevent_req *test_send(TALLOC_CTX *memory, struct tevent_context *ev)
{
    printf("      test send\n");
    struct names_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct names_state);
    if (req == NULL) return NULL;
    watch(req, "test");
    struct tevent_timer *timer = tevent_add_timer(ev, state, tevent_timeval_current_ofs(0, 1000), test_wrapper, req);
    if (tevent_req_nomem(timer, req)) return tevent_req_post(req, ev);
    return req;
}

/* The request in the middle, bar. */

static void bar_done(struct tevent_req *subreq)
{
    printf("  bar done\n");
    names_add(subreq, "bar");
}

static struct tevent_req *bar_send(TALLOC_CTX *memory, struct tevent_context *ev)
{
    printf("    bar send\n");
    struct names_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct names_state);
    if (req == NULL) return NULL;
    watch(req, "bar");
    struct tevent_req *subreq = test_send(state, ev);
    if (tevent_req_nomem(subreq, req)) return tevent_req_post(req, ev);
    tevent_req_set_callback(subreq, bar_done, req);
    return req;
}

/* The outermost request, foo. */

static void foo_done(struct tevent_req *subreq)
{
    printf("  foo done\n");
    names_add(subreq, "foo");
}

static struct tevent_req *foo_send(TALLOC_CTX *memory, struct tevent_context *ev)
{
    printf("  foo send\n");
    struct names_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct names_state);
    if (req == NULL) return NULL;
    watch(req, "foo");
    struct tevent_req *subreq = bar_send(state, ev);
    if (tevent_req_nomem(subreq, req)) return tevent_req_post(req, ev);
    tevent_req_set_callback(subreq, foo_done, req);
    return req;
}

/* The caller of the whole cascade. */

static void run_done(struct tevent_req *req)
{
    printf("  run done\n");
    char **result = tevent_req_callback_data(req, char *);
    *result = names_recv(req, result);
    talloc_free(req);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    char **result = talloc_zero(ev, char *);
    printf("main runs\n");
    struct tevent_req *req = foo_send(ev, ev);
    if (req == NULL) return 1;
    tevent_req_set_callback(req, run_done, result);
    if (tevent_loop_wait(ev) != 0) return 1;
    printf("the result: %s\n", *result);
    talloc_free(ev);
    return 0;
}
