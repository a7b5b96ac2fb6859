/* A connection that waits for a question, then for room for the answer, then for the next question, each time with a
 * new event. Meanwhile its number may come to refer to another file. */
#include <stdio.h>
#include <sys/socket.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct connection {
    char name;
    int here, there;
};

static struct tevent_context *ev;
static TALLOC_CTX *clients;
static bool over;

static void stop_waiting(struct tevent_context *context, struct tevent_timer *timer, struct timeval now, void *unused)
{
    printf("nothing more\n");
    over = true;
}

/* The limit is for what comes after them: a due timer would run before ready descriptors. There may be a turn in which
 * nothing happens, when the loop notices that a file lives on whose number it knew. */
static void turns(int count)
{
    while (count-- > 0) tevent_loop_once(ev);
    tevent_add_timer(ev, ev, tevent_timeval_current_ofs(0, 20000), stop_waiting, NULL);
    for (over = false; !over;) tevent_loop_once(ev);
}

static void on_room(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *data);

static void on_question(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct connection *c = data;
    char byte;
    if (read(c->here, &byte, 1) != 1) perror("read");
    printf("%c asks\n", c->name);
    talloc_free(event);
    tevent_add_fd(ev, clients, c->here, TEVENT_FD_WRITE, on_room, c);
}

static void on_room(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct connection *c = data;
    printf("%c is answered\n", c->name);
    talloc_free(event);
    tevent_add_fd(ev, clients, c->here, TEVENT_FD_READ, on_question, c);
}

static void ask(struct connection *c) { if (write(c->there, "?", 1) != 1) perror("write"); }

static struct connection connect_one(char name)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) perror("socketpair");
    struct connection c = {.name = name, .here = ends[0], .there = ends[1]};
    return c;
}

static void two_clients(void)
{
    struct connection a = connect_one('a'), b = connect_one('b');
    clients = talloc_new(ev);
    tevent_add_fd(ev, clients, a.here, TEVENT_FD_READ, on_question, &a);
    tevent_add_fd(ev, clients, b.here, TEVENT_FD_READ, on_question, &b);
    for (int round = 0; round < 2; round++) {
        ask(&a);
        turns(2);
        ask(&b);
        turns(2);
    }
    talloc_free(clients);
}

static void on_room_elsewhere(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *unused)
{
    printf("the other file has room\n");
    talloc_free(event);
}

/* From now on the connection's number refers to the end of a pipe; the connection may live on under another number. */
static void on_last_question(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct connection *c = data;
    int pipe_ends[2];
    printf("%c asks for the last time\n", c->name);
    if (pipe(pipe_ends) != 0) perror("pipe");
    talloc_free(event);
    dup2(pipe_ends[1], c->here);
    tevent_add_fd(ev, ev, c->here, TEVENT_FD_WRITE, on_room_elsewhere, NULL);
}

static void another_file(char name, bool lives_on)
{
    struct connection c = connect_one(name);
    if (lives_on) dup(c.here);
    tevent_add_fd(ev, ev, c.here, TEVENT_FD_READ, on_last_question, &c);
    ask(&c);
    turns(2);
}

int main(void)
{
    ev = tevent_context_init(NULL);
    if (ev == NULL) return 1;
    two_clients();
    another_file('c', false);
    another_file('d', true);
    talloc_free(ev);
    return 0;
}
