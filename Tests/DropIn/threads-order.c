/* The messages of one sender arrive in the order in which they were sent. Only ours: libtevent delivers
 * those that arrive together in reverse order. */
#include <pthread.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { senders = 4, messages = 5000 };

struct message {
    int sender, number;
};

static struct tevent_thread_proxy *proxy;
static int next[senders], wrong, count;

static void arrive(struct tevent_context *ev, struct tevent_immediate *im, void *data)
{
    struct message *message = talloc_get_type_abort(data, struct message);
    if (message->number != next[message->sender]++) wrong++;
    count++;
}

static void *send(void *number)
{
    for (int i = 0; i < messages; i++) {
        struct tevent_immediate *im = tevent_create_immediate(NULL);
        struct message *message = talloc(NULL, struct message);
        *message = (struct message){*(int *)number, i};
        tevent_thread_proxy_schedule(proxy, &im, arrive, &message);
    }
    return NULL;
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    proxy = tevent_thread_proxy_create(ev);
    pthread_t threads[senders];
    int numbers[senders];
    for (int i = 0; i < senders; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, send, &numbers[i]);
    }
    while (count < senders * messages) tevent_loop_once(ev);
    for (int i = 0; i < senders; i++) pthread_join(threads[i], NULL);
    printf("%d arrived, %d in the wrong order\n", count, wrong);
    talloc_free(ev);
    return 0;
}
