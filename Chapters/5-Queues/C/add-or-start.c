/* What calls the trigger, and when: the loop, or immediately the call that adds to an empty queue. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct step_state {
    const char *name;
};

static void step_trigger(struct tevent_req *req, void *data)
{
    struct step_state *state = tevent_req_data(req, struct step_state);
    printf("  %s: the trigger is called\n", state->name);
    tevent_req_done(req);
}

static void step_done(struct tevent_req *req)
{
    struct step_state *state = tevent_req_data(req, struct step_state);
    printf("  %s: the callback is called\n", state->name);
    talloc_free(req);
}

/* Work that is done as soon as its turn comes. */
static void step(struct tevent_queue *queue, struct tevent_context *ev, const char *name, bool may_start)
{
    struct step_state *state;
    struct tevent_req *req = tevent_req_create(ev, &state, struct step_state);
    state->name = name;
    struct tevent_queue_entry *entry = may_start
        ? tevent_queue_add_optimize_empty(queue, ev, req, step_trigger, NULL)
        : tevent_queue_add_entry(queue, ev, req, step_trigger, NULL);
    if (tevent_req_nomem(entry, req) || !tevent_req_is_in_progress(req)) tevent_req_post(req, ev);
    printf("  %s: is in progress: %s\n", name, tevent_req_is_in_progress(req) ? "yes" : "no");
    tevent_req_set_callback(req, step_done, NULL);
}

static void show(const char *title, bool may_start, int steps)
{
    static const char *names[] = {"first", "second"};
    printf("%s\n", title);
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_queue *queue = tevent_queue_create(ev, "steps");
    for (int i = 0; i < steps; i++) step(queue, ev, names[i], may_start);
    printf("  the loop runs\n");
    tevent_loop_wait(ev);
    talloc_free(ev);
}

int main(void)
{
    show("tevent_queue_add_entry, to an empty queue:", false, 1);
    show("tevent_queue_add_optimize_empty, to an empty queue:", true, 1);
    show("tevent_queue_add_optimize_empty, after another entry:", true, 2);
    return 0;
}
