/* A context that lets other threads add events while its loop waits, under a lock that the loop's trace releases before
 * each wait. In addition, threads create their own contexts and proxies at the same time. */
#include <pthread.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { rounds = 100, threads = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct tevent_context *shared;
static int read_end, bytes;

static void loop_waits(enum tevent_trace_point point, void *unused)
{
    if (point == TEVENT_TRACE_BEFORE_WAIT) pthread_mutex_unlock(&lock);
    if (point == TEVENT_TRACE_AFTER_WAIT) pthread_mutex_lock(&lock);
}

static void *loop(void *unused)
{
    pthread_mutex_lock(&lock);
    while (bytes < rounds) tevent_loop_once(shared);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void on_byte(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *unused)
{
    char byte;
    bytes += read(read_end, &byte, 1);
    talloc_free(fde);
    pthread_cond_signal(&changed);
}

static void add_from_outside(void)
{
    int ends[2];
    pthread_t thread;
    if (pipe(ends) != 0) return;
    read_end = ends[0];
    shared = tevent_context_init_byname(NULL, "poll_mt");
    tevent_set_trace_callback(shared, loop_waits, NULL);
    pthread_create(&thread, NULL, loop, NULL);
    pthread_mutex_lock(&lock);
    for (int i = 0; i < rounds; i++) {
        tevent_add_fd(shared, shared, read_end, TEVENT_FD_READ, on_byte, NULL);
        if (write(ends[1], "x", 1) != 1) return;
        while (bytes == i) pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    printf("added from outside, while the loop waits: %d\n", bytes);
    talloc_free(shared);
    close(ends[0]);
    close(ends[1]);
}

static void *own_context(void *made)
{
    for (int i = 0; i < rounds; i++) {
        struct tevent_context *ev = tevent_context_init(NULL);
        if (tevent_thread_proxy_create(ev) != NULL) ++*(int *)made;
        talloc_free(ev);
    }
    return NULL;
}

int main(void)
{
    pthread_t thread[threads];
    int made[threads] = {0};
    talloc_disable_null_tracking();
    add_from_outside();
    for (int i = 0; i < threads; i++) pthread_create(&thread[i], NULL, own_context, &made[i]);
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        printf("thread %d has made %d contexts and proxies\n", i, made[i]);
    }
    return 0;
}
