/* Proxies and loops that are freed while messages are in transit. */
#include <pthread.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static struct tevent_context *ev;
static struct tevent_thread_proxy *proxy;
static int runs;
static _Atomic int freed;

static int count_free(char *text)
{
    freed++;
    return 0;
}

static void send(tevent_immediate_handler_t handler)
{
    struct tevent_immediate *im = tevent_create_immediate(NULL);
    char *data = talloc_strdup(NULL, "data");
    talloc_set_destructor(data, count_free);
    tevent_thread_proxy_schedule(proxy, &im, handler, &data);
}

static void run(struct tevent_context *context, struct tevent_immediate *im, void *data) { runs++; }

static void end(struct tevent_context *context, struct tevent_immediate *im, void *data)
{
    runs++;
    TALLOC_FREE(proxy);
}

static void show(const char *what)
{
    printf("%s: %d ran, %d freed\n", what, runs, freed);
    runs = freed = 0;
}

static void *send_many(void *unused)
{
    for (int i = 0; i < 1000; i++) send(run);
    return NULL;
}

int main(void)
{
    ev = tevent_context_init(NULL);
    proxy = tevent_thread_proxy_create(ev);
    send(run);
    send(run);
    talloc_free(proxy);
    show("the proxy is freed before the loop runs");
    printf("wait: %d\n", tevent_loop_wait(ev));
    show("then");

    proxy = tevent_thread_proxy_create(ev);
    send(end);
    printf("wait: %d\n", tevent_loop_wait(ev));
    show("the handler frees the proxy");

    proxy = tevent_thread_proxy_create(ev);
    send(run);
    send(run);
    talloc_free(ev);
    show("the context is freed before the loop runs");

    ev = tevent_context_init(NULL);
    proxy = tevent_thread_proxy_create(ev);
    talloc_steal(NULL, proxy);
    send(run);
    talloc_free(ev);
    send(run);
    talloc_free(proxy);
    show("sent after the end");

    ev = tevent_context_init(NULL);
    proxy = tevent_thread_proxy_create(ev);
    talloc_steal(NULL, proxy);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, send_many, NULL);
    while (runs < 100) tevent_loop_once(ev);
    talloc_free(ev);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    talloc_free(proxy);
    runs = 0;
    show("three threads go on sending");
    return 0;
}
