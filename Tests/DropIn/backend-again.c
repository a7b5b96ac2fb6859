/* A program's own backend is called by tevent_re_initialise, and may refuse. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static const struct tevent_ops *epoll;
static int code;

static int initialise(struct tevent_context *ev)
{
    printf("the backend is asked\n");
    errno = code;
    return code == 0 ? epoll->context_init(ev) : -1;
}

static void on_readable(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *name)
{
    printf("%s is readable\n", (const char *)name);
    talloc_free(event);
}

static void again(struct tevent_context *ev)
{
    int result = tevent_re_initialise(ev);
    printf("it came to %d%s%s\n", result, result == 0 ? "" : ": ", result == 0 ? "" : strerror(errno));
}

int main(void)
{
    epoll = tevent_find_ops_byname("epoll");
    struct tevent_ops ops = *epoll;
    ops.context_init = initialise;
    tevent_register_backend("ours", &ops);
    struct tevent_context *ev = tevent_context_init_byname(NULL, "ours");
    int ends[2];
    if (ev == NULL || pipe(ends) != 0 || write(ends[1], "x", 1) != 1) return 1;
    tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, on_readable, "what was added before");
    again(ev);
    tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, on_readable, "what was added since");
    printf("the loop came to %d\n", tevent_loop_wait(ev));
    code = EMFILE;
    again(ev);
    talloc_free(ev);
    return 0;
}
