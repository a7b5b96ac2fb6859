/* An immediate of the main thread's loop that another thread schedules, again and again, and after the loop has ended.
   */
#include <pthread.h>
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* What the thread receives. */
struct trigger {
    struct tevent_threaded_context *threads;
    struct tevent_immediate *immediate;
    pthread_t receiver;
    int runs;
};

/* Runs on the main thread's loop. */
static void runs(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    struct trigger *trigger = data;
    trigger->receiver = pthread_self();
    printf("  run %d\n", ++trigger->runs);
}

static void *schedule(void *data)
{
    struct trigger *trigger = data;
    tevent_threaded_schedule_immediate(trigger->threads, trigger->immediate, runs, trigger);
    return NULL;
}

static bool schedule_from_thread(struct trigger *trigger)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, schedule, trigger) == 0 && pthread_join(thread, NULL) == 0;
}

int main(void)
{
    talloc_disable_null_tracking();
    TALLOC_CTX *memory = talloc_new(NULL);
    struct tevent_context *ev = tevent_context_init(memory);
    struct trigger *trigger = talloc_zero(memory, struct trigger);
    trigger->threads = tevent_threaded_context_create(memory, ev);
    trigger->immediate = tevent_create_immediate(memory);
    if (trigger->threads == NULL || trigger->immediate == NULL) return 1;

    for (int round = 1; round <= 3; round++) {
        if (!schedule_from_thread(trigger)) return 1;
        printf("The thread has scheduled; the handler has run %d times.\n", trigger->runs);
        while (trigger->runs < round) {
            if (tevent_loop_once(ev) != 0) return 1;
        }
    }
    printf("It runs on the main thread: %s\n", pthread_equal(trigger->receiver, pthread_self()) ? "yes" : "no");

    talloc_free(ev);
    if (!schedule_from_thread(trigger)) return 1;
    printf("The loop has gone; scheduling does nothing, and the handler has run %d times.\n", trigger->runs);
    talloc_free(memory);
    return 0;
}
