/* A handler frees its event, and then the context with the event below it, as smbd's does when smbd ends. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static void end(struct tevent_context *ev, void *event)
{
    printf("a handler runs\n");
    talloc_free(event);
    talloc_free(ev);
    printf("the context is gone\n");
    fflush(stdout);
    _exit(0);
}

static void on_signal(struct tevent_context *ev, struct tevent_signal *event, int number, int count, void *i, void *unused)
{
    end(ev, event);
}
static void on_fd(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *unused) { end(ev, event); }
static void on_time(struct tevent_context *ev, struct tevent_timer *event, struct timeval now, void *unused)
{
    end(ev, event);
}
static void on_immediate(struct tevent_context *ev, struct tevent_immediate *event, void *unused) { end(ev, event); }

static void add(struct tevent_context *ev, int kind)
{
    int ends[2];
    switch (kind) {
    case 0:
        tevent_add_signal(ev, ev, SIGTERM, 0, on_signal, NULL);
        raise(SIGTERM);
        return;
    case 1:
        if (pipe(ends) == 0 && write(ends[1], "x", 1) == 1) tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, on_fd, NULL);
        return;
    case 2: tevent_add_timer(ev, ev, tevent_timeval_zero(), on_time, NULL); return;
    case 3: tevent_schedule_immediate(tevent_create_immediate(ev), ev, on_immediate, NULL); return;
    }
}

int main(void)
{
    for (int kind = 0; kind < 4; kind++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            struct tevent_context *ev = tevent_context_init(NULL);
            add(ev, kind);
            tevent_loop_once(ev);
            _exit(1);
        }
        waitpid(child, &status, 0);
        printf("status %d\n", status);
        fflush(stdout);
    }
    return 0;
}
