/* Immediates of the loop's thread that other threads schedule. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { workers = 4, rounds = 500 };

struct job {
    struct tevent_threaded_context *threaded;
    struct tevent_immediate *im;
    sem_t may_go;
    int runs;
};

static struct tevent_context *ev;
static struct tevent_threaded_context *threaded;
static struct tevent_immediate *im;
static pthread_t loop_thread;
static bool has_run;

static void show(struct tevent_context *context, struct tevent_immediate *immediate, void *name)
{
    has_run = true;
    printf("immediate %s, on the loop's thread %d, its context %d\n", (const char *)name,
        (int)pthread_equal(pthread_self(), loop_thread), context == ev);
}

static void *sleep_and_schedule(void *unused)
{
    usleep(10000);
    tevent_threaded_schedule_immediate(threaded, im, show, "from a thread");
    return NULL;
}

static void finish(struct tevent_context *context, struct tevent_immediate *immediate, void *data)
{
    struct job *job = data;
    job->runs++;
}

static void *work(void *data)
{
    struct job *job = data;
    for (int i = 0; i < rounds; i++) {
        sem_wait(&job->may_go);
        tevent_threaded_schedule_immediate(job->threaded, job->im, finish, job);
    }
    return NULL;
}

static void many(void)
{
    struct job jobs[workers];
    pthread_t threads[workers];
    for (int i = 0; i < workers; i++) {
        jobs[i] = (struct job){.threaded = tevent_threaded_context_create(ev, ev), .im = tevent_create_immediate(ev)};
        sem_init(&jobs[i].may_go, 0, 1);
        pthread_create(&threads[i], NULL, work, &jobs[i]);
    }
    int left = workers * rounds;
    while (left > 0) {
        int before[workers];
        for (int i = 0; i < workers; i++) before[i] = jobs[i].runs;
        tevent_loop_once(ev);
        for (int i = 0; i < workers; i++) {
            if (jobs[i].runs == before[i]) continue;
            left--;
            if (jobs[i].runs < rounds) sem_post(&jobs[i].may_go);
        }
    }
    for (int i = 0; i < workers; i++) {
        pthread_join(threads[i], NULL);
        printf("worker %d: %d\n", i, jobs[i].runs);
        talloc_free(jobs[i].threaded);
    }
}

static void without_handler(void) { tevent_threaded_schedule_immediate(threaded, im, NULL, NULL); }

static void twice(void)
{
    tevent_threaded_schedule_immediate(threaded, im, show, "x");
    tevent_threaded_schedule_immediate(threaded, im, show, "x");
}

static void scheduled(void)
{
    tevent_schedule_immediate(im, ev, show, "x");
    tevent_threaded_schedule_immediate(threaded, im, show, "x");
}

/* Shows how a program ends that does this. */
static void try(const char *what, void (*function)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        freopen("/dev/null", "w", stderr);
        /* In libtevent, the ones created before the fork cannot be used in the child. */
        threaded = tevent_threaded_context_create(NULL, ev);
        function();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("%s: %s\n", what, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? "aborts" : "is allowed");
}

int main(void)
{
    loop_thread = pthread_self();
    ev = tevent_context_init(NULL);
    threaded = tevent_threaded_context_create(NULL, ev);
    im = tevent_create_immediate(ev);
    printf("a threaded context is a %s\n", talloc_get_name(threaded));
    printf("it keeps no loop going: %d\n", tevent_loop_wait(ev));

    printf("-- while the loop sleeps\n");
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_and_schedule, NULL);
    while (!has_run) tevent_loop_once(ev);
    pthread_join(thread, NULL);
    printf("-- behind what is scheduled, in order\n");
    struct tevent_immediate *second = tevent_create_immediate(ev), *third = tevent_create_immediate(ev);
    tevent_threaded_schedule_immediate(threaded, im, show, "1");
    tevent_schedule_immediate(second, ev, show, "2");
    tevent_threaded_schedule_immediate(threaded, third, show, "3");
    for (int i = 0; i < 3; i++) tevent_loop_once(ev);
    printf("-- many threads, many times\n");
    many();
    try("without a handler", without_handler);
    try("twice", twice);
    try("scheduled already", scheduled);
    talloc_free(threaded);

    printf("-- after the context\n");
    threaded = tevent_threaded_context_create(NULL, ev);
    talloc_free(ev);
    tevent_threaded_schedule_immediate(threaded, im, show, "x");
    talloc_free(threaded);
    return 0;
}
