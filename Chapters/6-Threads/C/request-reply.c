/* A question from one loop to another, and the answer, in one block of memory that goes there and back. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct question {
    char text[32];
    size_t answer;
    /* Where to send the answer. */
    struct tevent_thread_proxy *reply_to;
    /* For the child only: whether the reply has arrived. */
    struct question **reply;
};

static bool is_answered;

/* Runs on the child's loop. The memory would be freed afterwards if the child did not take it. */
static void receive(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    struct question *question = talloc_get_type_abort(data, struct question);
    *question->reply = talloc_steal(ev, question);
    printf("child: the reply has come to '%s'\n", question->text);
}

/* Runs on the main thread's loop. The reply gets its own immediate: libtevent reads the one that it is running after
 * the handler has returned, when the child may already have freed it. */
static void answer(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    struct question *question = talloc_steal(ev, talloc_get_type_abort(data, struct question));
    printf("main: is asked '%s'\n", question->text);
    question->answer = strlen(question->text);
    is_answered = true;
    struct tevent_immediate *reply = tevent_create_immediate(ev);
    tevent_thread_proxy_schedule(question->reply_to, &reply, receive, &question);
}

/* Everything that the child does. */
static void *ask(void *data)
{
    struct tevent_thread_proxy *master = data;
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_thread_proxy *inbox = tevent_thread_proxy_create(ev);
    struct question *reply = NULL;

    struct question *question = talloc_zero(ev, struct question);
    strcpy(question->text, "How long is this?");
    question->reply_to = inbox;
    question->reply = &reply;
    struct tevent_immediate *immediate = tevent_create_immediate(ev);
    printf("child: asks\n");
    tevent_thread_proxy_schedule(master, &immediate, answer, &question);

    while (reply == NULL) {
        if (tevent_loop_once(ev) != 0) break;
    }
    if (reply != NULL) printf("child: the answer is %zu\n", reply->answer);
    talloc_free(ev);
    return NULL;
}

int main(void)
{
    talloc_disable_null_tracking();
    struct tevent_context *ev = tevent_context_init(NULL);
    struct tevent_thread_proxy *inbox = tevent_thread_proxy_create(ev);
    if (inbox == NULL) return 1;

    pthread_t thread;
    if (pthread_create(&thread, NULL, ask, inbox) != 0) return 1;
    while (!is_answered) {
        if (tevent_loop_once(ev) != 0) return 1;
    }
    pthread_join(thread, NULL);
    printf("main: the child has ended\n");
    talloc_free(ev);
    return 0;
}
