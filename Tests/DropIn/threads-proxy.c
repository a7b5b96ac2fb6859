/* Immediates sent to a loop by other threads. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static struct tevent_context *ev;
static struct tevent_thread_proxy *proxy;
static pthread_t loop_thread;
static int freed;
static bool has_run, are_taken;

static int count_free(char *text)
{
    freed++;
    return 0;
}

static void send(tevent_immediate_handler_t handler, const char *text)
{
    struct tevent_immediate *im = tevent_create_immediate(NULL);
    char *data = NULL;
    if (text != NULL) {
        data = talloc_strdup(NULL, text);
        talloc_set_destructor(data, count_free);
    }
    tevent_thread_proxy_schedule(proxy, &im, handler, text == NULL ? NULL : &data);
    are_taken = im == NULL && data == NULL;
}

static void show(struct tevent_context *context, struct tevent_immediate *im, void *data)
{
    has_run = true;
    printf("%s, on the loop's thread %d, its context %d, not freed %d, tag %d\n", data == NULL ? "nothing" : (char *)data,
        (int)pthread_equal(pthread_self(), loop_thread), context == ev, freed == 0,
        (int)tevent_immediate_get_tag(im));
}

static void keep(struct tevent_context *context, struct tevent_immediate *im, void *data)
{
    show(context, im, data);
    talloc_steal(context, im);
    talloc_steal(context, data);
}

static void free_it(struct tevent_context *context, struct tevent_immediate *im, void *data)
{
    show(context, im, data);
    talloc_free(im);
    talloc_free(data);
}

static void again(struct tevent_context *context, struct tevent_immediate *im, void *data)
{
    show(context, im, data);
    talloc_steal(context, im);
    talloc_steal(context, data);
    tevent_schedule_immediate(im, context, show, data);
}

static void *sleep_and_send(void *handler)
{
    usleep(10000);
    send((tevent_immediate_handler_t)handler, "from a thread");
    return NULL;
}

/* Makes a thread send while the loop sleeps, and runs the loop until this many chunks have been freed. */
static void from_thread(tevent_immediate_handler_t handler, int frees)
{
    pthread_t thread;
    freed = 0;
    has_run = false;
    pthread_create(&thread, NULL, sleep_and_send, (void *)handler);
    while (!has_run) tevent_loop_once(ev);
    while (freed < frees) tevent_loop_once(ev);
    pthread_join(thread, NULL);
    printf("freed %d, the sender has nothing any more %d\n", freed, are_taken);
}

int main(void)
{
    loop_thread = pthread_self();
    ev = tevent_context_init(NULL);
    proxy = tevent_thread_proxy_create(ev);
    printf("a proxy is a %s below a %s\n", talloc_get_name(proxy), talloc_get_name(talloc_parent(proxy)));

    printf("-- left where it is\n");
    from_thread(show, 1);
    printf("-- taken\n");
    from_thread(keep, 0);
    printf("-- freed\n");
    from_thread(free_it, 1);
    printf("-- taken, and scheduled again\n");
    from_thread(again, 0);
    has_run = false;
    while (!has_run) tevent_loop_once(ev);
    printf("-- nothing sent along\n");
    freed = 0;
    has_run = false;
    send(show, NULL);
    while (!has_run) tevent_loop_once(ev);
    printf("-- sent by the loop's own thread\n");
    has_run = false;
    send(show, "from here");
    while (freed == 0) tevent_loop_once(ev);
    printf("freed %d\n", freed);
    printf("-- no proxy, no events\n");
    talloc_free(proxy);
    printf("%d\n", tevent_loop_wait(ev));
    talloc_free(ev);
    return 0;
}
