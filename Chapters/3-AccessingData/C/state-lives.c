/* The life of a request's state: it is freed, with everything below it, when the result is received. */
#include <stdio.h>
#include <tevent.h>

/* What counting words has to remember. */
struct count_state {
    int words;
};

/* What the caller needs again. */
struct extra {
    const char *title;
};

static int goes(char *name)
{
    printf("  (%s goes)\n", name);
    return 0;
}

/* Puts a chunk under another one that prints a line when it is freed. */
static void watch(const void *parent, const char *name) { talloc_set_destructor(talloc_strdup(parent, name), goes); }

static int count_recv(struct tevent_req *req)
{
    struct count_state *state = tevent_req_data(req, struct count_state);
    int words = state->words;
    tevent_req_received(req);
    return words;
}

static void counted(struct tevent_req *req)
{
    struct extra *extra = tevent_req_callback_data(req, struct extra);
    printf("  %s is done: %s\n", extra->title, tevent_req_is_in_progress(req) ? "no" : "yes");
}

int main(void)
{
    TALLOC_CTX *memory = talloc_named_const(NULL, 0, "main");
    struct extra *extra = talloc(memory, struct extra);
    struct count_state *state;
    struct tevent_req *req = tevent_req_create(memory, &state, struct count_state);
    if (req == NULL || extra == NULL) return 1;
    extra->title = "A poem";
    tevent_req_set_callback(req, counted, extra);
    watch(state, "a buffer under the state");
    watch(req, "a note under the request");

    printf("In progress:\n");
    state->words += 3;
    state->words += 4;
    printf("  words in the state: %d\n", state->words);
    printf("Ended:\n");
    tevent_req_done(req);
    printf("  words in the state: %d\n", state->words);
    printf("Received:\n");
    printf("  the result: %d words\n", count_recv(req));
    printf("Freed:\n");
    talloc_free(req);
    printf("  still there: %s\n", extra->title);
    talloc_free(memory);
    return 0;
}
