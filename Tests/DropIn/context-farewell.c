/* Objects that are freed with a context may use it until the end, as Samba's connections do to send a last message:
 * everything that they begin is created, and none of it runs. */
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static struct tevent_context *ev;
static struct tevent_fd *old;

struct connection {
    const char *name;
    struct tevent_queue *queue;
};

static void on_fd(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *p) { printf("readable\n"); }
static void on_time(struct tevent_context *context, struct tevent_timer *t, struct timeval now, void *p) { printf("late\n"); }
static void on_immediate(struct tevent_context *context, struct tevent_immediate *im, void *p) { printf("at once\n"); }
static void on_end(struct tevent_req *req) { printf("a request has ended\n"); }
static void trigger(struct tevent_req *req, void *p) { printf("a request may begin\n"); }

static void say(const char *what, bool so) { printf("    %s: %s\n", what, so ? "yes" : "no"); }

static int farewell(struct connection *connection)
{
    struct timeval soon = tevent_timeval_current_ofs(0, 100);
    int *state;
    printf("%s sends a last message\n", connection->name);
    say("the old event waits", tevent_fd_get_flags(old) != 0);
    struct tevent_req *req = tevent_req_create(connection, &state, int);
    tevent_req_set_callback(req, on_end, NULL);
    say("an end time", tevent_req_set_endtime(req, ev, soon));
    say("a place in the queue", tevent_queue_add(connection->queue, ev, req, trigger, NULL));
    say("a wakeup", tevent_wakeup_send(ev, ev, soon) != NULL);
    say("a timer", tevent_add_timer(ev, ev, soon, on_time, NULL) != NULL);
    say("a timer without a parent", tevent_add_timer(ev, NULL, soon, on_time, NULL) != NULL);
    struct tevent_immediate *im = tevent_create_immediate(ev);
    tevent_schedule_immediate(im, ev, on_immediate, NULL);
    struct tevent_req *done = tevent_req_create(ev, &state, int);
    tevent_req_done(done);
    tevent_req_post(done, ev);
    tevent_req_set_callback(done, on_end, NULL);
    return 0;
}

static void make_connection(const char *name)
{
    struct connection *connection = talloc(ev, struct connection);
    connection->name = name;
    connection->queue = tevent_queue_create(connection, "farewells");
    talloc_set_destructor(connection, farewell);
}

int main(void)
{
    int ends[2];
    if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1) return 1;
    for (int round = 0; round < 2; round++) {
        TALLOC_CTX *other = talloc_new(NULL);
        ev = tevent_context_init(NULL);
        old = tevent_add_fd(ev, other, ends[0], TEVENT_FD_READ, on_fd, NULL);
        make_connection("the first");
        make_connection("the second");
        /* In one of the rounds there was a timer before. */
        if (round > 0) tevent_add_timer(ev, ev, tevent_timeval_current_ofs(100, 0), on_time, NULL);
        talloc_free(ev);
        talloc_free(other);
    }
    return 0;
}
