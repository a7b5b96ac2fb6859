/* Proxies and loops are freed while other threads send, which stop when the loop's thread tells them to. */
#include <pthread.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { senders = 3, rounds = 50 };

static struct tevent_context *ev;
static struct tevent_thread_proxy *proxy;
static int runs;
static _Atomic int sent;

static void run(struct tevent_context *context, struct tevent_immediate *im, void *data) { runs++; }

static void *send(void *unused)
{
    for (int i = 0; i < 200; i++) {
        struct tevent_immediate *im = tevent_create_immediate(NULL);
        char *data = talloc_strdup(im, "data");
        tevent_thread_proxy_schedule(proxy, &im, run, &data);
        sent++;
    }
    return NULL;
}

int main(void)
{
    talloc_disable_null_tracking();
    for (int i = 0; i < rounds; i++) {
        ev = tevent_context_init(NULL);
        proxy = talloc_steal(NULL, tevent_thread_proxy_create(ev));
        runs = 0;
        pthread_t threads[senders];
        for (int k = 0; k < senders; k++) pthread_create(&threads[k], NULL, send, NULL);
        while (runs < i * 8) tevent_loop_once(ev);
        talloc_free(ev);
        for (int k = 0; k < senders; k++) pthread_join(threads[k], NULL);
        talloc_free(proxy);
    }
    printf("%d sent\n", sent);
    return 0;
}
