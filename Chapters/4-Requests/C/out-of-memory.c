/* Running out of memory while a request is being created: the request fails, and its caller learns it as usual. */
#include <stdio.h>
#include <tevent.h>

/* Memory limits are deprecated, but useful for testing. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

struct download_state {
    char *buffer;
};

/* Needs a million bytes. */
static struct tevent_req *download_send(TALLOC_CTX *memory, struct tevent_context *ev)
{
    struct download_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct download_state);
    if (req == NULL) return NULL;
    state->buffer = talloc_array(state, char, 1000000);
    if (tevent_req_nomem(state->buffer, req)) return tevent_req_post(req, ev);
    tevent_req_done(req);
    return tevent_req_post(req, ev);
}

static bool download_recv(struct tevent_req *req, size_t *size)
{
    struct download_state *state = tevent_req_data(req, struct download_state);
    enum tevent_req_state how;
    uint64_t error;
    bool is_error = tevent_req_is_error(req, &how, &error);
    if (is_error) printf("  receive: out of memory: %s\n", how == TEVENT_REQ_NO_MEMORY ? "yes" : "no");
    *size = is_error ? 0 : talloc_get_size(state->buffer);
    tevent_req_received(req);
    return !is_error;
}

static void downloaded(struct tevent_req *req)
{
    size_t size;
    if (download_recv(req, &size)) printf("  receive: %zu bytes\n", size);
    talloc_free(req);
}

/* Downloads something with limited memory. */
static void try_with(struct tevent_context *ev, size_t limit)
{
    printf("At most %zu bytes:\n", limit);
    TALLOC_CTX *user = talloc_named_const(NULL, 0, "user");
    if (talloc_set_memlimit(user, limit) != 0) printf("  no limit\n");
    struct tevent_req *req = download_send(user, ev);
    if (req == NULL) {
        printf("  send returns NULL\n");
    } else {
        printf("  send has returned\n");
        tevent_req_set_callback(req, downloaded, NULL);
        tevent_loop_wait(ev);
    }
    printf("  left under the user: %zu\n", talloc_total_blocks(user) - 1);
    talloc_free(user);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    if (ev == NULL) return 1;
    try_with(ev, 100);
    try_with(ev, 100000);
    try_with(ev, 10000000);
    talloc_free(ev);
    return 0;
}
