/* The two kinds of data of a request: the state of its work, and the data that its caller wants back in the callback.
   */
#include <stdio.h>
#include <tevent.h>

struct foo_state {
    int x;
};

/* What the caller needs again when the work is done. */
struct extra {
    int y;
};

static void foo_done(struct tevent_req *req)
{
    struct foo_state *state = tevent_req_data(req, struct foo_state);
    printf("state:                  x is %d\n", state->x);

    struct extra *typed = tevent_req_callback_data(req, struct extra);
    printf("callback data, typed:   y is %d\n", typed->y);

    struct extra *untyped = tevent_req_callback_data_void(req);
    printf("callback data, untyped: y is %d\n", untyped->y);
    printf("the same:               %s\n", typed == untyped ? "yes" : "no");
}

int main(void)
{
    TALLOC_CTX *memory = talloc_named_const(NULL, 0, "main");
    struct foo_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct foo_state);
    struct extra *extra = talloc(memory, struct extra);
    if (req == NULL || extra == NULL) return 1;
    state->x = 10;
    extra->y = 9;

    printf("a '%s' with a '%s'\n", talloc_get_name(req), talloc_get_name(state));
    tevent_req_set_callback(req, foo_done, extra);
    tevent_req_done(req);

    talloc_free(memory);
    return 0;
}
