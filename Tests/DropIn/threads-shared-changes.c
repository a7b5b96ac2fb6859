/* What another thread may change in a context of the kind poll_mt while its loop waits: it posts a request, ends one whose
 * callback is deferred, and frees an event that closes its descriptor. Each must reach the loop, and disturb no wait. */
#include <pthread.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Handlers seldom need all they are given. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct tevent_context *shared;
static int is_waiting, calls, is_over;

static void loop_waits(enum tevent_trace_point point, void *unused)
{
    if (point == TEVENT_TRACE_AFTER_WAIT) pthread_mutex_lock(&lock);
    is_waiting = point == TEVENT_TRACE_BEFORE_WAIT;
    pthread_cond_signal(&changed);
    if (point == TEVENT_TRACE_BEFORE_WAIT) pthread_mutex_unlock(&lock);
}

static void *loop(void *unused)
{
    pthread_mutex_lock(&lock);
    while (!is_over) tevent_loop_once(shared);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void request_called(struct tevent_req *req)
{
    calls++;
    pthread_cond_signal(&changed);
}

static void on_byte(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *end)
{
    char byte;
    if (read(*(int *)end, &byte, 1) == 1) calls++;
    pthread_cond_signal(&changed);
}

static void never(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *unused)
{
    puts("the handler of a freed event was called");
}

/* The caller has the lock, which is free while it waits here. */
static void await_wait(void) { while (!is_waiting) pthread_cond_wait(&changed, &lock); }
static void await_call(void) { while (calls == 0) pthread_cond_wait(&changed, &lock); calls = 0; }

int main(void)
{
    int first[2], second[2];
    pthread_t thread;
    int *state;
    alarm(20);
    if (pipe(first) != 0 || pipe(second) != 0) return 1;
    shared = tevent_context_init_byname(NULL, "poll_mt");
    tevent_set_trace_callback(shared, loop_waits, NULL);
    struct tevent_fd *closing = tevent_add_fd(shared, shared, first[0], TEVENT_FD_READ, never, NULL);
    tevent_fd_set_auto_close(closing);
    tevent_add_fd(shared, shared, second[0], TEVENT_FD_READ, on_byte, &second[0]);
    struct tevent_req *posted = tevent_req_create(shared, &state, int);
    struct tevent_req *deferred = tevent_req_create(shared, &state, int);
    tevent_req_set_callback(deferred, request_called, NULL);
    pthread_mutex_lock(&lock);
    pthread_create(&thread, NULL, loop, NULL);

    await_wait();
    tevent_req_done(posted);
    tevent_req_post(posted, shared);
    tevent_req_set_callback(posted, request_called, NULL);
    await_call();
    puts("a posted request was called back");

    await_wait();
    tevent_req_defer_callback(deferred, shared);
    tevent_req_done(deferred);
    await_call();
    puts("a deferred callback was called");

    await_wait();
    talloc_free(closing);
    if (write(second[1], "x", 1) != 1) return 1;
    await_call();
    puts("a byte arrived after an earlier event was freed");

    is_over = 1;
    if (write(second[1], "x", 1) != 1) return 1;
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    talloc_free(shared);
    return 0;
}
