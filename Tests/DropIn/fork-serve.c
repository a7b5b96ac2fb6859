/* A server that forks for each of its clients, and whose child serves in the handler in which it was forked. The child
 * has restarted its context, so its loop is the outermost, and the parent's events and hook are removed. */
/* The hook is declared deprecated. */
#define TEVENT_DEPRECATED 1
#include <stdio.h>
#include <sys/wait.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static const char *who = "parent";

static int nesting(
    struct tevent_context *ev, void *unused, uint32_t level, bool begins, void *stack, const char *place)
{
    printf("%s: loop %u %s\n", who, level, begins ? "begins" : "ends");
    return 0;
}

static void on_time(
    struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *text)
{
    printf("%s: %s\n", who, (const char *)text);
}

static void serve(struct tevent_context *ev)
{
    who = "child";
    if (tevent_re_initialise(ev) != 0) perror("tevent_re_initialise");
    tevent_add_timer(ev, ev, tevent_timeval_current_ofs(0, 1000), on_time, "a timer of its own");
    printf("child: its loop came to %d\n", tevent_loop_wait(ev));
    tevent_loop_set_nesting_hook(ev, nesting, NULL);
    tevent_add_timer(ev, ev, tevent_timeval_zero(), on_time, "a timer after the hook");
    printf("child: its loop came to %d\n", tevent_loop_wait(ev));
}

static void on_client(struct tevent_context *ev, struct tevent_fd *listener, uint16_t flags, void *unused)
{
    printf("%s: a client\n", who);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        serve(ev);
        printf("child: flags of the listener: %d\n", tevent_fd_get_flags(listener));
        talloc_free(ev);
        fflush(stdout);
        _exit(7);
    }
    int status = -1;
    waitpid(child, &status, 0);
    printf("parent: the child ended with %d\n", WEXITSTATUS(status));
    talloc_free(listener);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    int ends[2];
    if (ev == NULL || pipe(ends) != 0 || write(ends[1], "x", 1) != 1) return 1;
    tevent_loop_set_nesting_hook(ev, nesting, NULL);
    tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, on_client, NULL);
    tevent_add_timer(ev, ev, tevent_timeval_current_ofs(0, 50000), on_time, "the parent's timer");
    printf("parent: its loop came to %d\n", tevent_loop_wait(ev));
    talloc_free(ev);
    return 0;
}
