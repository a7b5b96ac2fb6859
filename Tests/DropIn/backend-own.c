/* A program's own backend, which waits without limit: signals and threads wake it through one of the library's
   descriptors. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Functions of the library for backends, which its header does not declare. */
struct tevent_fd *tevent_common_add_fd(struct tevent_context *, TALLOC_CTX *, int, uint16_t, tevent_fd_handler_t, void *,
    const char *, const char *);
int tevent_common_fd_destructor(struct tevent_fd *);
uint16_t tevent_common_fd_get_flags(struct tevent_fd *);
void tevent_common_fd_set_flags(struct tevent_fd *, uint16_t);
void tevent_common_fd_set_close_fn(struct tevent_fd *, tevent_fd_close_fn_t);
int tevent_common_invoke_fd_handler(struct tevent_fd *, uint16_t, bool *);
struct tevent_signal *tevent_common_add_signal(struct tevent_context *, TALLOC_CTX *, int, int, tevent_signal_handler_t, void *,
    const char *, const char *);
int tevent_common_check_signal(struct tevent_context *);
void tevent_common_schedule_immediate(struct tevent_immediate *, struct tevent_context *, tevent_immediate_handler_t, void *,
    const char *, const char *);
bool tevent_common_loop_immediate(struct tevent_context *);
void tevent_common_threaded_activate_immediate(struct tevent_context *);
int tevent_common_context_destructor(struct tevent_context *);

static struct {
    struct tevent_fd *fde;
    int fd;
} watched[8];
static int watched_count;
static bool is_done;

static int init(struct tevent_context *ev)
{
    printf("the backend is set up, with %d descriptors\n", watched_count);
    return 0;
}

static int forget_fd(struct tevent_fd *fde)
{
    for (int i = 0; i < watched_count; i++)
        if (watched[i].fde == fde) watched[i] = watched[--watched_count];
    return tevent_common_fd_destructor(fde);
}

static struct tevent_fd *add_fd(struct tevent_context *ev, TALLOC_CTX *parent, int fd, uint16_t flags,
    tevent_fd_handler_t handler, void *data, const char *name, const char *location)
{
    struct tevent_fd *fde = tevent_common_add_fd(ev, parent, fd, flags, handler, data, name, location);
    talloc_set_destructor(fde, forget_fd);
    watched[watched_count].fde = fde;
    watched[watched_count++].fd = fd;
    return fde;
}

static int loop_once(struct tevent_context *ev, const char *location)
{
    if (tevent_common_check_signal(ev)) return 0;
    tevent_common_threaded_activate_immediate(ev);
    if (tevent_common_loop_immediate(ev)) return 0;
    struct pollfd fds[8];
    for (int i = 0; i < watched_count; i++)
        fds[i] = (struct pollfd){ .fd = watched[i].fd, .events = tevent_common_fd_get_flags(watched[i].fde) ? POLLIN : 0 };
    if (poll(fds, (nfds_t)watched_count, -1) < 0) return 0;
    for (int i = 0; i < watched_count; i++)
        if (fds[i].revents) return tevent_common_invoke_fd_handler(watched[i].fde, TEVENT_FD_READ, NULL);
    return 0;
}

static const struct tevent_ops ops = {
    .context_init = init,
    .add_fd = add_fd,
    .set_fd_close_fn = tevent_common_fd_set_close_fn,
    .get_fd_flags = tevent_common_fd_get_flags,
    .set_fd_flags = tevent_common_fd_set_flags,
    .schedule_immediate = tevent_common_schedule_immediate,
    .add_signal = tevent_common_add_signal,
    .loop_once = loop_once,
};

static void on_signal(struct tevent_context *ev, struct tevent_signal *se, int number, int count, void *info, void *data)
{
    printf("a signal that came to another thread\n");
    is_done = true;
}

static void on_message(struct tevent_context *ev, struct tevent_immediate *im, void *text)
{
    printf("a message %s\n", (const char *)text);
    is_done = true;
}

static void *raise_signal(void *unused)
{
    usleep(10000);
    pthread_kill(pthread_self(), SIGUSR1);
    return NULL;
}

static struct tevent_immediate *im;

static void *send_by_proxy(void *proxy)
{
    usleep(10000);
    struct tevent_immediate *sent = tevent_create_immediate(NULL);
    char *text = talloc_strdup(NULL, "by a proxy");
    tevent_thread_proxy_schedule(proxy, &sent, on_message, &text);
    return NULL;
}

static void *schedule(void *threaded)
{
    usleep(10000);
    tevent_threaded_schedule_immediate(threaded, im, on_message, "of a threaded context");
    return NULL;
}

/* Runs the loop, which sleeps, until another thread has woken it. */
static void wait_for(struct tevent_context *ev, void *(*function)(void *), void *argument)
{
    pthread_t thread;
    is_done = false;
    pthread_create(&thread, NULL, function, argument);
    while (!is_done) tevent_loop_once(ev);
    pthread_join(thread, NULL);
}

static int end(struct tevent_context *ev)
{
    printf("the context ends\n");
    return tevent_common_context_destructor(ev);
}

int main(void)
{
    /* No test sleeps that long. */
    alarm(20);
    struct tevent_context *ev = tevent_context_init_ops(NULL, &ops, NULL);
    struct tevent_signal *se = tevent_add_signal(ev, ev, SIGUSR1, 0, on_signal, NULL);
    printf("%d descriptor for signals\n", watched_count);
    for (int round = 0; round < 3; round++) wait_for(ev, raise_signal, NULL);
    talloc_free(se);

    im = tevent_create_immediate(NULL);
    struct tevent_threaded_context *threaded = tevent_threaded_context_create(NULL, ev);
    for (int round = 0; round < 3; round++) wait_for(ev, schedule, threaded);
    talloc_free(threaded);
    struct tevent_thread_proxy *proxy = tevent_thread_proxy_create(ev);
    for (int round = 0; round < 3; round++) wait_for(ev, send_by_proxy, proxy);
    talloc_free(proxy);

    printf("started again: %d\n", tevent_re_initialise(ev));
    se = tevent_add_signal(ev, ev, SIGUSR1, 0, on_signal, NULL);
    wait_for(ev, raise_signal, NULL);
    talloc_free(im);
    talloc_set_destructor(ev, end);
    talloc_free(ev);
    printf("%d descriptors\n", watched_count);
    return 0;
}
