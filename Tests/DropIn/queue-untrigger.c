/* A trigger that finds that it cannot start yet, and what must not be untriggered. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct work {
    int unused;
};

static struct tevent_context *ev;
static struct tevent_queue *queue;
static struct tevent_queue_entry *entry;
static int calls;

static struct tevent_req *make(void)
{
    struct work *work;
    return tevent_req_create(ev, &work, struct work);
}

static void trigger(struct tevent_req *req, void *unused)
{
    printf("trigger, call %d\n", ++calls);
    if (calls == 3) return;
    tevent_queue_stop(queue);
    tevent_queue_entry_untrigger(entry);
}

static void while_running(void) { tevent_queue_entry_untrigger(entry); }

static void not_first(void)
{
    struct tevent_queue_entry *second = tevent_queue_add_entry(queue, ev, make(), trigger, NULL);
    tevent_queue_stop(queue);
    tevent_queue_entry_untrigger(second);
}

static void not_triggered(void)
{
    struct tevent_queue *other = tevent_queue_create(ev, "other");
    struct tevent_queue_entry *first = tevent_queue_add_entry(other, ev, make(), trigger, NULL);
    tevent_queue_stop(other);
    tevent_queue_entry_untrigger(first);
}

/* Shows how a program ends that does this. */
static void try(const char *what, void (*function)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        freopen("/dev/null", "w", stderr);
        function();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("%s: %s\n", what, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? "aborts" : "is allowed");
}

int main(void)
{
    ev = tevent_context_init(NULL);
    queue = tevent_queue_create(ev, "queue");
    struct tevent_req *req = make();
    entry = tevent_queue_add_entry(queue, ev, req, trigger, NULL);
    tevent_queue_entry_set_tag(entry, 17);
    for (int i = 0; i < 4; i++) {
        tevent_loop_wait(ev);
        printf("running %d, %zu in the queue, tag %d\n", tevent_queue_running(queue), tevent_queue_length(queue),
            (int)tevent_queue_entry_get_tag(entry));
        tevent_queue_start(queue);
    }
    try("while running", while_running);
    try("not the first", not_first);
    try("not triggered", not_triggered);
    talloc_free(ev);
    return 0;
}
