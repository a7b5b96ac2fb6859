/* A random program of calls to libtevent, made from a seed, and a trace of what they did. The same binary runs with two
 * libraries, and their traces must agree. A trace shows objects by number, never an address or a time. */
#ifndef DIFFERENTIAL_H
#define DIFFERENTIAL_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#define TEVENT_DEPRECATED 1
#include <tevent.h>

/* Deprecated functions must still work. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* The classes that can be switched on and off by name, see classes.c. */
enum class {
    TIMERS = 1 << 0,
    IMMEDIATES = 1 << 1,
    DESCRIPTORS = 1 << 2,
    SIGNALS = 1 << 3,
    REQUESTS = 1 << 4,
    QUEUES = 1 << 5,
    TREE = 1 << 6,
    TRACES = 1 << 7,
    CONTEXTS = 1 << 8,
    NESTING = 1 << 9,
    TIMEVALS = 1 << 10,
    PRINTS = 1 << 11,
    SHARED = 1 << 12,
    SHARED_SIGNALS = 1 << 13,
    IDLE = 1 << 14,
    INNER = 1 << 15,
    UNPOSTED = 1 << 16,
    PROFILES = 1 << 17,
    DEPTHS = 1 << 18,
    CONSTANTS = 1 << 19,
    BACKENDS = 1 << 20,
    WAITS = 1 << 21,
    STALE_SIGNALS = 1 << 22,
    REINITIALISE = 1 << 23,
    ZERO_UPDATES = 1 << 24,
    /* The following are left out unless asked for. */
    STORMS = 1 << 25,
    MANY_READY = 1 << 26,
    LONELY_WRITERS = 1 << 27,
    CROWDED = 1 << 28,
    ABORTS = 1 << 29,
};

/* Classes that only refine others: --only keeps them. */
#define REFINEMENTS \
    (SHARED | SHARED_SIGNALS | IDLE | INNER | UNPOSTED | PRINTS | PROFILES | DEPTHS | WAITS | STALE_SIGNALS | ZERO_UPDATES)

enum kind { CONTEXT, BLOCK, TIMER, IMMEDIATE, DESCRIPTOR, SIGNAL, REQUEST, STATE, QUEUE, ENTRY, KINDS };

/* An object of the program. The program learns of its end when a child of its chunk is freed, see objects.c. */
struct object {
    enum kind kind;
    int number;
    char name[8];
    void *pointer;
    /* The context that the object belongs to, or was last scheduled on. */
    struct object *context;
    bool alive;
    /* Freed by its own handler: it lives until that returns, but must not be used any more. */
    bool doomed;
    /* Its context was freed. */
    bool detached;
    /* How many of its handlers are on the stack, and how many have run. */
    int running, runs;
    /* A handler of this object that is on the stack was called from another of its handlers. */
    bool reentered;
    /* Code on the stack needs it: it must not be freed. */
    int pins;
    /*
     * A context's loops on the stack, whether they may be nested, whether one of them waits until there is nothing to wait
     * for, and whether that takes no more descriptors and signals.
     */
    int loops;
    bool nests, waiting, closing;
    /* A descriptor's end, a signal's number and flags, a timer's time. */
    int end, signum, sa_flags;
    int64_t due;
    /* Whether its close function closes. */
    bool closes;
    /* A request's state, and the context that its callback is deferred to; an entry's queue and request. */
    struct object *state, *deferred, *queue, *request;
    bool waits, has_callback, posted;
    /* A queue whose first entry may not be the one with the smallest number. */
    bool unordered;
    /* Of a queue: whether it ever had an entry. */
    bool used;
};

struct operation {
    const char *name;
    enum class class;
    unsigned weight;
    /* Returns false if there was nothing that it could do. `self` is the object whose handler runs, or NULL. */
    bool (*run)(struct object *self);
};

/* classes.c */
extern unsigned classes;
bool class_named(const char *name, unsigned *class);
void print_classes(void);

/* random.c: numbers, the clock and waiting, all of which depend only on the seed */
unsigned draw(unsigned bound);
bool chance(unsigned percent);
uint64_t random_begin(uint64_t seed, uint64_t stream);
void random_end(uint64_t saved);
int64_t clock_now(void);
void clock_reset(void);
struct timeval clock_after(int64_t milliseconds);
/* poll without a wait. */
int ready_now(struct pollfd *asked, nfds_t count);
/* How many waits have ended with nothing but time having passed. */
unsigned idle_waits(void);

/* trace.c */
extern bool verbose;
extern int depth;
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_if_more(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool take_back(void);
/* A line that is shown only with -v. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *name_of(const struct object *object);
const char *name_of_pointer(const void *pointer);
/* File and line of a place in these files, without the path. */
const char *place(const char *location);
/* `text` without addresses, in memory that the next call reuses. */
const char *without_addresses(const char *text);

/* objects.c */
extern struct object *root;
extern struct object objects[];
extern int object_count;
void objects_reset(uint64_t seed);
bool objects_full(void);
struct object *object_add(enum kind kind, void *pointer, struct object *context);
/* A live, usable object of that kind, drawn at random; NULL if there is none. */
struct object *pick(enum kind kind);
struct object *pick_where(enum kind kind, bool (*fits)(const struct object *));
struct object *pick_parent(void);
bool is_usable(const struct object *object);
bool descends_from(const struct object *object, const struct object *ancestor);
bool can_go(const struct object *object);
bool can_free(const struct object *object);
void doom(const struct object *object);
void save_below(const struct object *object);
void give_up(const struct object *object);
int object_free(struct object *object);

/* program.c: what handlers do */
extern int budget;
extern bool finale;
extern unsigned handlers_run;
/* Begins and ends a handler of an object: what it does depends on the seed, the object and the count of its runs. */
uint64_t enter(struct object *object);
void leave(struct object *object, uint64_t saved);
void begin_running(struct object *object);
void end_running(struct object *object);
/* Performs at most this many random operations. */
void act(struct object *self, unsigned most);
void run_seed(uint64_t seed);

/* descriptors.c */
void descriptors_reset(void);
void descriptors_close_all(void);

/* signals.c */
extern bool signals_raised;
extern int signal_depth;
void signals_reset(void);
bool signal_pending(int signum);
void signals_delivered(const struct object *context);
void signals_settle(void);

/* loops.c */
/* How many loops on the stack count their turns. */
extern int turns_counted;
void loop_turn(struct object *context);
void allow_nesting(struct object *context);
bool can_loop(const struct object *context);

/* profiles.c */
void depths_begin(void);
void depths_end(void);
/* How deeply the request is nested that the library last entered, if the program asks for that. */
void show_depth(void);

/* traces.c */
extern bool adding_descriptor;
void traces_set(struct object *context);

extern const struct operation timer_operations[], immediate_operations[], descriptor_operations[], signal_operations[],
    request_operations[], queue_operations[], tree_operations[], trace_operations[], loop_operations[], pure_operations[],
    telling_operations[];

#endif
