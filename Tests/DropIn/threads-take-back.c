/* Immediates that are freed, cancelled or scheduled otherwise before the loop receives what a thread has scheduled, and
 * threaded contexts that are freed then. Only ours: libtevent crashes with some of it. */
#include <pthread.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static struct tevent_context *ev;
static struct tevent_threaded_context *threaded;
static struct tevent_immediate *im, *other;

static void show(struct tevent_context *context, struct tevent_immediate *immediate, void *name)
{
    printf("immediate %s\n", (const char *)name);
}

static void again(struct tevent_context *context, struct tevent_immediate *immediate, void *name)
{
    printf("immediate %s schedules itself\n", (const char *)name);
    tevent_threaded_schedule_immediate(threaded, immediate, show, "again");
}

static void *schedule(void *name)
{
    tevent_threaded_schedule_immediate(threaded, im, show, name);
    return NULL;
}

static void from_thread(const char *name)
{
    pthread_t thread;
    pthread_create(&thread, NULL, schedule, (void *)name);
    pthread_join(thread, NULL);
}

static void run(const char *what)
{
    printf("-- %s\n", what);
    tevent_schedule_immediate(other, ev, show, "other");
    tevent_loop_wait(ev);
}

int main(void)
{
    ev = tevent_context_init(NULL);
    threaded = tevent_threaded_context_create(NULL, ev);
    other = tevent_create_immediate(NULL);
    im = tevent_create_immediate(NULL);

    from_thread("freed");
    talloc_free(im);
    run("freed");
    im = tevent_create_immediate(NULL);
    from_thread("cancelled");
    tevent_schedule_immediate(im, NULL, NULL, NULL);
    run("cancelled");
    from_thread("of the thread");
    run("not cancelled");
    from_thread("of the thread");
    tevent_schedule_immediate(im, ev, show, "of the loop");
    run("scheduled by the loop");
    tevent_threaded_schedule_immediate(threaded, im, again, "im");
    run("scheduled in its handler");
    run("then");
    from_thread("of a context that is gone");
    talloc_free(threaded);
    run("the threaded context is freed");
    threaded = tevent_threaded_context_create(NULL, ev);
    from_thread("of a new context");
    run("a new one");

    from_thread("of a loop that is gone");
    talloc_free(ev);
    ev = tevent_context_init(NULL);
    run("the loop is freed");
    from_thread("after the loop");
    tevent_schedule_immediate(im, ev, show, "im");
    run("scheduled after the loop");
    talloc_free(threaded);
    talloc_free(im);
    talloc_free(other);
    talloc_free(ev);
    return 0;
}
