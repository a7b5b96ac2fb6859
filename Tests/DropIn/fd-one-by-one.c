/* When several descriptors are ready at once, each is checked only when its turn comes: one handler may have read what
 * another was going to read, or may free the other's event, as smbd does when it has handed a connection to another
 * process. */
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static struct tevent_context *ev;
static int one[2], other[2];
static struct tevent_fd *connection;

static void put(int *pipe) { if (write(pipe[1], "x", 1) != 1) perror("write"); }

static void take(int *pipe)
{
    char byte;
    if (read(pipe[0], &byte, 1) != 1) perror("read");
}

static void stop_waiting(struct tevent_context *context, struct tevent_timer *timer, struct timeval now, void *unused)
{
    printf("nothing more\n");
}

/* The limit is for the last turn only: a due timer would run before ready descriptors. */
static void turns(int count)
{
    while (count-- > 0) tevent_loop_once(ev);
    tevent_add_timer(ev, ev, tevent_timeval_current_ofs(0, 20000), stop_waiting, NULL);
    tevent_loop_once(ev);
}

static void take_both(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *name)
{
    take(one);
    take(other);
    printf("the %s handler has taken both\n", (const char *)name);
}

static void on_request(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *unused)
{
    take(one);
    printf("a request is read\n");
}

/* Leaves the connection to another process, which reports when it has it. Then the client sends more. */
static void on_first_request(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *unused)
{
    on_request(context, event, flags, unused);
    talloc_free(event);
    connection = tevent_add_fd(ev, ev, one[0], TEVENT_FD_READ, on_request, NULL);
    put(other);
    put(one);
}

static void on_message(struct tevent_context *context, struct tevent_fd *event, uint16_t flags, void *unused)
{
    take(other);
    printf("the other process has the connection\n");
    talloc_free(connection);
}

static void read_by_another(void)
{
    struct tevent_fd *first = tevent_add_fd(ev, ev, one[0], TEVENT_FD_READ, take_both, "one");
    struct tevent_fd *second = tevent_add_fd(ev, ev, other[0], TEVENT_FD_READ, take_both, "other");
    put(one);
    put(other);
    turns(1);
    talloc_free(first);
    talloc_free(second);
}

static void given_away(void)
{
    struct tevent_fd *message = tevent_add_fd(ev, ev, other[0], TEVENT_FD_READ, on_message, NULL);
    tevent_add_fd(ev, ev, one[0], TEVENT_FD_READ, on_first_request, NULL);
    put(one);
    turns(2);
    talloc_free(message);
}

int main(void)
{
    ev = tevent_context_init(NULL);
    if (ev == NULL || pipe(one) != 0 || pipe(other) != 0) return 1;
    read_by_another();
    given_away();
    talloc_free(ev);
    return 0;
}
