/* A context and its events as memory: each has a parent, and is freed with it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static void timer_handler(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data) {}

static void immediate_handler(struct tevent_context *ev, struct tevent_immediate *immediate, void *data) {}

static void signal_handler(
    struct tevent_context *ev, struct tevent_signal *event, int number, int count, void *info, void *data)
{
}

static void descriptor_handler(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data) {}

/* A chunk that prints a line when it is freed. */
struct witness {
    const char *of;
};

static int witness_goes(struct witness *witness)
{
    printf("  (%s goes)\n", witness->of);
    return 0;
}

/* Puts a witness under an event, or any other chunk, and prints the chunk's parent. */
static void watch(const void *chunk, const char *name)
{
    struct witness *witness = talloc(chunk, struct witness);
    witness->of = name;
    talloc_set_destructor(witness, witness_goes);
    printf("  %s is a '%s' under '%s'\n", name, talloc_get_name(chunk), talloc_get_name(talloc_parent(chunk)));
}

int main(void)
{
    TALLOC_CTX *program = talloc_named_const(NULL, 0, "program");
    struct tevent_context *ev = tevent_context_init(program);
    if (ev == NULL) return 1;

    printf("With events:\n");
    watch(ev, "the context");
    TALLOC_CTX *session = talloc_named_const(program, 0, "session");
    watch(session, "the session");

    struct timeval later = tevent_timeval_current_ofs(5, 0);
    watch(tevent_add_timer(ev, ev, later, timer_handler, NULL), "the program's timer");
    watch(tevent_add_timer(ev, session, later, timer_handler, NULL), "the session's timer");
    struct tevent_immediate *immediate = tevent_create_immediate(session);
    tevent_schedule_immediate(immediate, ev, immediate_handler, NULL);
    watch(immediate, "the immediate");
    watch(tevent_add_signal(ev, ev, SIGINT, 0, signal_handler, NULL), "the signal");
    watch(tevent_add_fd(ev, ev, STDIN_FILENO, TEVENT_FD_READ, descriptor_handler, NULL), "the descriptor");

    printf("The session is freed:\n");
    talloc_free(session);

    printf("The program is freed:\n");
    talloc_free(program);
    return 0;
}
