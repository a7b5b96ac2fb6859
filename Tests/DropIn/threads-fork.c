/* Threads and a loop in the child of a fork, with objects from before it. Only ours: libtevent's threaded
 * contexts end with the fork, and its proxies share their pipe with the parent. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static struct tevent_context *ev;
static struct tevent_thread_proxy *proxy;
static struct tevent_threaded_context *threaded;
static struct tevent_immediate *im;
static int runs;

static void run(struct tevent_context *context, struct tevent_immediate *immediate, void *unused) { runs++; }

static void *send(void *unused)
{
    for (int i = 0; i < 3; i++) {
        usleep(5000);
        struct tevent_immediate *immediate = tevent_create_immediate(NULL);
        tevent_thread_proxy_schedule(proxy, &immediate, run, NULL);
    }
    usleep(5000);
    tevent_threaded_schedule_immediate(threaded, im, run, NULL);
    return NULL;
}

static void serve(const char *who)
{
    pthread_t thread;
    pthread_create(&thread, NULL, send, NULL);
    for (runs = 0; runs < 4;) tevent_loop_once(ev);
    pthread_join(thread, NULL);
    printf("%s: %d ran\n", who, runs);
    fflush(stdout);
}

static void in_child(const char *who, bool tells)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (tells && tevent_re_initialise(ev) != 0) perror("tevent_re_initialise");
        serve(who);
        talloc_free(ev);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("its status: %d\n", status);
}

int main(void)
{
    ev = tevent_context_init(NULL);
    proxy = tevent_thread_proxy_create(ev);
    threaded = tevent_threaded_context_create(ev, ev);
    im = tevent_create_immediate(ev);
    serve("the parent");
    in_child("a child", true);
    in_child("a child that does not re-initialise", false);
    if (tevent_re_initialise(ev) != 0) perror("tevent_re_initialise");
    serve("the parent again");
    talloc_free(ev);
    return 0;
}
