/* Signals that are ignored by default, raised by the program itself. */
#include "differential.h"
#include <signal.h>

enum { NUMBERS = 3 };

/* From the first on, turns cannot be counted: waking up may take the library a turn of its own. */
bool signals_raised;
/* How many signal handlers are on the stack. */
int signal_depth;

static const int numbers[NUMBERS] = {SIGWINCH, SIGURG, SIGCHLD};
/* Whether it may be pending: only a turn without any handler shows that all events have been notified. */
static bool pending[NSIG];

void signals_reset(void)
{
    signals_raised = false;
    signal_depth = 0;
    memset(pending, 0, sizeof(pending));
    for (int i = 0; i < NUMBERS; i++) signal(numbers[i], SIG_DFL);
}

bool signal_pending(int signum)
{
    return pending[signum];
}

static void handler(struct tevent_context *ev, struct tevent_signal *se, int signum, int count, void *siginfo,
                    void *private_data)
{
    struct object *signal = private_data;
    siginfo_t *info = siginfo;
    bool right = se == signal->pointer && signum == signal->signum;
    say("signal %s in %s, number %d, count %d, %s%d%s", name_of(signal), name_of_pointer(ev), signum, count,
        info == NULL ? "no info " : "info of ", info == NULL ? 0 : info->si_signo, right ? "" : ", wrong arguments");
    signal_depth++;
    uint64_t saved = enter(signal);
    act(signal, 2);
    if ((signal->sa_flags & (int)SA_RESETHAND) != 0) give_up(signal);
    leave(signal, saved);
    signal_depth--;
}

static bool watched_elsewhere(int signum, const struct object *context)
{
    for (int i = 0; i < object_count; i++) {
        const struct object *signal = &objects[i];
        if (signal->kind == SIGNAL && signal->alive && signal->signum == signum && signal->context != context) return true;
    }
    return false;
}

/* Debian's library keeps no details of a signal whose first watcher did not ask for them. */
static bool has_watcher_without_info(int signum)
{
    for (int i = 0; i < object_count; i++) {
        const struct object *signal = &objects[i];
        bool is_watched = signal->kind == SIGNAL && signal->alive && signal->signum == signum;
        if (is_watched && (signal->sa_flags & SA_SIGINFO) == 0) return true;
    }
    return false;
}

static bool add(struct object *self)
{
    (void)self;
    static const int flags[] = {0, SA_RESTART, SA_SIGINFO, SA_SIGINFO, SA_RESETHAND, SA_RESETHAND | SA_SIGINFO};
    struct object *context = pick(CONTEXT), *parent = pick_parent();
    int signum = numbers[draw(NUMBERS)], sa_flags = flags[draw(6)];
    if (context == NULL || context->closing || objects_full() || signal_depth > 0 || pending[signum]) return false;
    if ((classes & SHARED_SIGNALS) == 0 && watched_elsewhere(signum, context)) return false;
    if ((sa_flags & SA_SIGINFO) != 0 && has_watcher_without_info(signum)) return false;
    struct object *signal = &objects[object_count];
    note("tevent_add_signal S%d in %s under %s, number %d, flags %#x", object_count, name_of(context),
         name_of(parent), signum, sa_flags);
    struct tevent_signal *se = tevent_add_signal(context->pointer, parent->pointer, signum, sa_flags, handler, signal);
    if (object_add(SIGNAL, se, context) == NULL) return false;
    signal->signum = signum;
    signal->sa_flags = sa_flags;
    say("added %s", name_of(signal));
    return true;
}

static bool is_attached(const struct object *signal)
{
    return !signal->detached;
}

static bool raise_one(struct object *self)
{
    (void)self;
    struct object *signal = pick_where(SIGNAL, is_attached);
    if (signal == NULL || turns_counted > 0) return false;
    int times = (classes & STORMS) != 0 && chance(10) ? 300 : chance(80) ? 1 : 1 + (int)draw(5);
    note("raise %d, %d times", signal->signum, times);
    signals_raised = true;
    pending[signal->signum] = true;
    while (times-- > 0) raise(signal->signum);
    return true;
}

static bool free_one(struct object *self)
{
    struct object *signal = self != NULL && self->kind == SIGNAL && chance(60) ? self : pick(SIGNAL);
    if (!can_free(signal)) return false;
    object_free(signal);
    return true;
}

/* A context that has been idle has delivered all signals, if it has any. */
void signals_delivered(const struct object *context)
{
    for (int i = 0; i < object_count; i++) {
        const struct object *signal = &objects[i];
        if (signal->kind != SIGNAL || !is_usable(signal) || signal->context != context || signal->detached) continue;
        memset(pending, 0, sizeof(pending));
    }
}

static void ignore(struct tevent_context *ev, struct tevent_signal *se, int signum, int count, void *siginfo,
                   void *private_data)
{
    (void)ev, (void)se, (void)signum, (void)count, (void)siginfo, (void)private_data;
}

static void expire(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *private_data)
{
    (void)ev, (void)te, (void)now, (void)private_data;
}

/* Debian's library keeps arrivals without a watcher until the next loop with a signal event checks. */
static void take_leftovers(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    tevent_add_signal(ev, ev, numbers[0], 0, ignore, NULL);
    tevent_add_timer(ev, ev, tevent_timeval_zero(), expire, NULL);
    tevent_loop_once(ev);
    talloc_free(ev);
}

/* Before the end: pending signals must not reach the next seed's program. */
void signals_settle(void)
{
    for (int i = 0; i < object_count; i++) {
        struct object *context = &objects[i];
        if (context->kind != CONTEXT || !is_usable(context)) continue;
        for (int signum = 0; signum < NSIG; signum++) {
            for (int turns = 0; turns < 4 && pending[signum]; turns++) loop_turn(context);
        }
    }
    memset(pending, 0, sizeof(pending));
    if (signals_raised) take_leftovers();
}

const struct operation signal_operations[] = {
    {"add signal", SIGNALS, 14, add},
    {"raise", SIGNALS, 20, raise_one},
    {"free signal", SIGNALS, 6, free_one},
    {NULL, 0, 0, NULL},
};
