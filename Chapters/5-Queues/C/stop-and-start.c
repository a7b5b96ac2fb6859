/* A queue that pauses while there is nothing to work with: stopped from outside, and by a trigger. */
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* What transfers need; down at first. */
struct link {
    struct tevent_context *ev;
    struct tevent_queue *queue;
    struct timeval start;
    bool is_up;
};

/* Work that needs the link, and ends at a planned time. */
struct transfer_state {
    struct link *link;
    struct tevent_queue_entry *entry;
    char name;
    int ends_at;
};

static struct timeval at(struct link *link, int milliseconds)
{
    return tevent_timeval_add(&link->start, 0, milliseconds * 1000);
}

static void transfer_ends(struct tevent_req *subreq)
{
    struct tevent_req *req = tevent_req_callback_data(subreq, struct tevent_req);
    bool is_over = tevent_wakeup_recv(subreq);
    TALLOC_FREE(subreq);
    if (is_over) tevent_req_done(req);
}

static void transfer_trigger(struct tevent_req *req, void *data)
{
    struct transfer_state *state = tevent_req_data(req, struct transfer_state);
    struct link *link = state->link;
    if (!link->is_up) {
        printf("%c cannot begin yet\n", state->name);
        tevent_queue_stop(link->queue);
        tevent_queue_entry_untrigger(state->entry);
        return;
    }
    printf("%c begins\n", state->name);
    struct tevent_req *subreq = tevent_wakeup_send(state, link->ev, at(link, state->ends_at));
    if (tevent_req_nomem(subreq, req)) return;
    tevent_req_set_callback(subreq, transfer_ends, req);
}

static void transfer_done(struct tevent_req *req)
{
    struct transfer_state *state = tevent_req_data(req, struct transfer_state);
    printf("%c is done\n", state->name);
    talloc_free(req);
}

static void transfer(struct link *link, char name, int ends_at)
{
    struct transfer_state *state;
    struct tevent_req *req = tevent_req_create(link, &state, struct transfer_state);
    *state = (struct transfer_state){.link = link, .name = name, .ends_at = ends_at};
    state->entry = tevent_queue_add_entry(link->queue, link->ev, req, transfer_trigger, NULL);
    tevent_req_set_callback(req, transfer_done, NULL);
}

static void comes_up(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    struct link *link = talloc_get_type_abort(data, struct link);
    printf("the link comes up\n");
    link->is_up = true;
    tevent_queue_start(link->queue);
}

static void is_stopped(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    struct link *link = talloc_get_type_abort(data, struct link);
    tevent_queue_stop(link->queue);
    printf("the queue is stopped; it runs: %s\n", tevent_queue_running(link->queue) ? "yes" : "no");
}

static void is_started(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    struct link *link = talloc_get_type_abort(data, struct link);
    tevent_queue_start(link->queue);
    printf("the queue is started; it runs: %s\n", tevent_queue_running(link->queue) ? "yes" : "no");
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    struct link *link = talloc_zero(ev, struct link);
    link->ev = ev;
    link->queue = tevent_queue_create(link, "link");
    link->start = tevent_timeval_current();

    tevent_add_timer(ev, link, at(link, 10), comes_up, link);
    tevent_add_timer(ev, link, at(link, 20), is_stopped, link);
    tevent_add_timer(ev, link, at(link, 40), is_started, link);
    transfer(link, 'A', 25);
    transfer(link, 'B', 55);
    transfer(link, 'C', 70);

    if (tevent_loop_wait(ev) != 0) return 1;
    talloc_free(ev);
    return 0;
}
