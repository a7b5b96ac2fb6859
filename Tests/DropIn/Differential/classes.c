/* The names by which kinds of operations are switched on and off. */
#include "differential.h"

static const struct {
    const char *name;
    enum class class;
    const char *meaning;
} names[] = {
    {"timers", TIMERS, "timers: add, update, free"},
    {"immediates", IMMEDIATES, "immediates: schedule, schedule elsewhere, cancel, free"},
    {"fds", DESCRIPTORS, "descriptors: sockets and pipes, flags, close functions"},
    {"signals", SIGNALS, "signals: raise, SA_SIGINFO, SA_RESETHAND"},
    {"requests", REQUESTS, "requests: finish, post, defer, cancel, end time, poll"},
    {"queues", QUEUES, "queues: entries, triggers, stop, start, wait"},
    {"tree", TREE, "talloc: blocks, free, steal"},
    {"traces", TRACES, "trace callbacks and tags"},
    {"contexts", CONTEXTS, "more than one context, and freeing them"},
    {"nesting", NESTING, "loops in handlers"},
    {"timevals", TIMEVALS, "arithmetic with times"},
    {"prints", PRINTS, "requests as text, and the names of chunks"},
    {"shared-fds", SHARED, "several events on one descriptor (off: ours serves them in turn)"},
    {"shared-signals", SHARED_SIGNALS, "signals, with more than one context (off: ours calls handlers from their own loop)"},
    {"idle", IDLE, "turns in which nothing happens but time"},
    {"inner", INNER, "trace callbacks for what the library makes for itself (off: ours makes less)"},
    {"unposted", UNPOSTED, "requests whose callback is set after they are finished, or called again"},
    {"profiles", PROFILES, "profiles of requests"},
    {"depths", DEPTHS, "how deeply requests are nested"},
    {"constants", CONSTANTS, "what never changes, and arguments that are refused"},
    {"backends", BACKENDS, "the list of back ends"},
    {"stale-signals", STALE_SIGNALS, "freeing the watchers of a signal that is under way"},
    {"waits", WAITS, "trace points before and after waiting"},
    {"reinitialise", REINITIALISE, "tevent_re_initialise"},
    {"zero-updates", ZERO_UPDATES, "timers that are updated to zero (off: ours puts them after those that are zero already)"},
    {"storms", STORMS, "more signals at once than the library can keep (off)"},
    {"many-ready", MANY_READY, "several descriptors ready at once (off)"},
    {"lonely-writers", LONELY_WRITERS, "waiting only to write where the peer has gone (off)"},
    {"crowded-fds", CROWDED, "more than two events on one descriptor (off)"},
    {"aborts", ABORTS, "nesting where it is not allowed, with an abort function (off)"},
};

unsigned classes = (STORMS - 1) & ~(SHARED | SHARED_SIGNALS | INNER | ZERO_UPDATES);

bool class_named(const char *name, unsigned *class)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, name) == 0) {
            *class = names[i].class;
            return true;
        }
    }
    return false;
}

void print_classes(void)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) printf("  %-15s %s\n", names[i].name, names[i].meaning);
}
