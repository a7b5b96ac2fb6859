/* Messages that a thread sends to the main thread's loop: each is memory that changes hands. The library chooses the
 * order in which messages of one burst are handled, so the program only counts them. */
#include <pthread.h>
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { MESSAGES = 5 };

struct message {
    int number;
};

static int heard, together;

/* Runs on the main thread's loop. What it does not keep is freed when it returns. */
static void hear(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    struct message *message = talloc_get_type_abort(data, struct message);
    heard++;
    together += message->number;
}

/* Everything that the thread does. */
static void *send_all(void *data)
{
    struct tevent_thread_proxy *proxy = data;
    TALLOC_CTX *memory = talloc_new(NULL);
    bool is_given_away = true;
    for (int number = 1; number <= MESSAGES; number++) {
        struct tevent_immediate *immediate = tevent_create_immediate(memory);
        struct message *message = talloc(memory, struct message);
        message->number = number;
        tevent_thread_proxy_schedule(proxy, &immediate, hear, &message);
        if (immediate != NULL || message != NULL) is_given_away = false;
    }
    printf("thread: the messages are given away: %s\n", is_given_away ? "yes" : "no");
    printf("thread: left of its memory: %zu\n", talloc_total_blocks(memory) - 1);
    talloc_free(memory);
    return NULL;
}

int main(void)
{
    talloc_disable_null_tracking();
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_thread_proxy *proxy = tevent_thread_proxy_create(ev);
    if (proxy == NULL) return 1;

    pthread_t thread;
    if (pthread_create(&thread, NULL, send_all, proxy) != 0) return 1;
    pthread_join(thread, NULL);
    printf("main: the thread has ended; heard %d messages\n", heard);

    while (heard < MESSAGES) {
        if (tevent_loop_once(ev) != 0) return 1;
    }
    printf("main: heard %d messages, together %d\n", heard, together);
    talloc_free(proxy);
    printf("main: the proxy is freed, the loop ends: %d\n", tevent_loop_wait(ev));
    talloc_free(ev);
    return 0;
}
