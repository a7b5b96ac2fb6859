/* A loop inside a handler of the same context: refused at first, then allowed, with a hook that sees each level. */
#define TEVENT_DEPRECATED 1
#include <errno.h>
#include <stdio.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters, and the function that allows nesting is deprecated. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* Called instead of abort(), which would end the program. */
static void refused(const char *reason)
{
    printf("  the library calls the abort function, and says why: %s\n", reason[0] != '\0' ? "yes" : "no");
}

static void first_runs(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    printf("  first begins\n");
    errno = 0;
    int result = tevent_loop_once(ev);
    printf("  its tevent_loop_once returns %d%s\n", result, errno == ELOOP ? ", errno is ELOOP" : "");
    printf("  first ends\n");
}

static void second_runs(struct tevent_context *ev, struct tevent_immediate *immediate, void *data)
{
    printf("  second runs\n");
}

static int level_changes(
    struct tevent_context *ev, void *data, uint32_t level, bool begins, void *stack, const char *location)
{
    printf("  a loop at level %u %s\n", (unsigned)level, begins ? "begins" : "ends");
    return 0;
}

/* Creates a context with two immediates, the first of which runs the loop itself. */
static struct tevent_context *make_context(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    tevent_schedule_immediate(tevent_create_immediate(ev), ev, first_runs, NULL);
    tevent_schedule_immediate(tevent_create_immediate(ev), ev, second_runs, NULL);
    return ev;
}

int main(void)
{
    tevent_set_abort_fn(refused);

    printf("Refused:\n");
    struct tevent_context *ev = make_context();
    tevent_loop_once(ev);
    /* Libtevent's context is unusable after that: an ordinary program would have ended in abort(). */
    talloc_free(ev);

    printf("Allowed:\n");
    ev = make_context();
    tevent_loop_allow_nesting(ev);
    tevent_loop_set_nesting_hook(ev, level_changes, NULL);
    printf("  tevent_loop_wait returns %d\n", tevent_loop_wait(ev));
    talloc_free(ev);
    return 0;
}
