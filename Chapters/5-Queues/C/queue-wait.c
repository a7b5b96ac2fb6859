/* A wait in the queue: it ends when everything added before it is done, and holds up everything added after it. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct entry_state {
    struct tevent_context *ev;
    char name;
};

static void entry_over(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    tevent_req_done(talloc_get_type_abort(data, struct tevent_req));
}

/* The work takes one turn of the loop. */
static void entry_trigger(struct tevent_req *req, void *data)
{
    struct entry_state *state = tevent_req_data(req, struct entry_state);
    struct tevent_immediate *immediate = tevent_create_immediate(state);
    if (tevent_req_nomem(immediate, req)) return;
    tevent_schedule_immediate(immediate, state->ev, entry_over, req);
}

static void entry_done(struct tevent_req *req)
{
    struct entry_state *state = tevent_req_data(req, struct entry_state);
    printf("%c is written\n", state->name);
    talloc_free(req);
}

static struct tevent_req *write_entry(struct tevent_queue *queue, struct tevent_context *ev, char name)
{
    struct entry_state *state;
    struct tevent_req *req = tevent_req_create(queue, &state, struct entry_state);
    *state = (struct entry_state){.ev = ev, .name = name};
    if (!tevent_queue_add(queue, ev, req, entry_trigger, NULL)) return NULL;
    tevent_req_set_callback(req, entry_done, NULL);
    return req;
}

static void barrier_reached(struct tevent_req *req)
{
    struct tevent_queue *queue = tevent_req_callback_data(req, struct tevent_queue);
    printf("barrier: all before it is written: %s\n", tevent_queue_wait_recv(req) ? "yes" : "no");
    printf("barrier: the old file is closed; waiting behind it: %zu\n", tevent_queue_length(queue) - 1);
    talloc_free(req);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_queue *queue = tevent_queue_create(ev, "log");

    write_entry(queue, ev, 'A');
    write_entry(queue, ev, 'B');
    struct tevent_req *barrier = tevent_queue_wait_send(ev, ev, queue);
    if (barrier == NULL) return 1;
    tevent_req_set_callback(barrier, barrier_reached, queue);
    struct tevent_req *freed = write_entry(queue, ev, 'C');
    write_entry(queue, ev, 'D');
    printf("in the queue: %zu\n", tevent_queue_length(queue));

    /* A request that is freed while it waits leaves the queue, and no callback is called. */
    talloc_free(freed);
    printf("C is freed; in the queue: %zu\n", tevent_queue_length(queue));

    if (tevent_loop_wait(ev) != 0) return 1;
    printf("in the queue: %zu\n", tevent_queue_length(queue));
    talloc_free(ev);
    return 0;
}
