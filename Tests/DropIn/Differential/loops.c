/* Loops, contexts and the tree of chunks. */
#include "differential.h"

/* A wait in a loop that has nothing to wait for ends with this, long after everything else. */
enum { CLOSING_TIME = 24 * 3600 * 1000, TICK = 1000, TURNS = 6 };

int turns_counted;

bool can_loop(const struct object *context)
{
    if (!is_usable(context) || context->kind != CONTEXT) return false;
    if (signal_depth > 0 || depth >= 6) return false;
    if (context->loops == 0) return true;
    return (classes & NESTING) != 0 && (context->nests || (classes & ABORTS) != 0);
}

static int hook(struct tevent_context *ev, void *private_data, uint32_t level, bool begin, void *stack, const char *location)
{
    void **kept = stack;
    /* A hook finds at the end what it left there at the beginning. */
    const char *found = begin ? (*kept == NULL ? "nothing" : "something") : *kept == private_data ? "its own" : "another's";
    *kept = private_data;
    /* Libraries differ in how many turns they take to wake up. */
    if (begin) {
        say_if_more("nesting of %s, level %u, begins, finds %s, %s", name_of_pointer(ev), level, found, place(location));
    } else if (!take_back()) {
        say("nesting of %s, level %u, ends, finds %s, %s", name_of_pointer(ev), level, found, place(location));
    }
    return 0;
}

void allow_nesting(struct object *context)
{
    context->nests = true;
    tevent_loop_allow_nesting(context->pointer);
    if (chance(30)) tevent_loop_set_nesting_hook(context->pointer, hook, context);
}

static void tick(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *private_data)
{
    (void)te;
    (void)now;
    bool *done = private_data;
    *done = true;
    say("tick in %s", name_of_pointer(ev));
}

/* Gives the loop something to wait for, unless it may be idle. Returns what to free. */
static struct tevent_timer *add_tick(struct object *context, bool *done)
{
    *done = false;
    if ((classes & IDLE) != 0) return NULL;
    return tevent_add_timer(context->pointer, root->pointer, clock_after(TICK), tick, done);
}

static void remove_tick(struct tevent_timer *timer, bool done)
{
    if (timer != NULL && !done) talloc_free(timer);
}

/* One handler, or a turn without any handler to call. */
void loop_turn(struct object *context)
{
    if (!can_loop(context)) return;
    bool done = false;
    struct tevent_timer *timer = add_tick(context, &done);
    unsigned before = handlers_run, idle = idle_waits();
    context->loops++;
    note("tevent_loop_once %s", name_of(context));
    int result, turns = 0;
    do {
        result = tevent_loop_once(context->pointer);
    } while (signals_raised && handlers_run == before && idle_waits() == idle && !done && ++turns < TURNS);
    context->loops--;
    say("turned %s = %d%s", name_of(context), result, handlers_run == before ? ", no handler" : "");
    if (handlers_run == before) signals_delivered(context);
    remove_tick(timer, done);
}

/* Whether there seems to be a handler to call. */
static bool has_work(const struct object *context)
{
    for (int i = 0; i < object_count; i++) {
        const struct object *object = &objects[i];
        if (!is_usable(object) || object->context != context || object->detached) continue;
        if (object->kind == DESCRIPTOR && tevent_fd_get_flags(object->pointer) == 0) continue;
        if (object->kind != SIGNAL || signal_pending(object->signum)) return true;
    }
    return false;
}

static bool turn(struct object *self)
{
    struct object *context = chance(95) ? pick_where(CONTEXT, has_work) : pick(CONTEXT);
    if (!can_loop(context) || (self != NULL && chance(50))) return false;
    loop_turn(context);
    return true;
}

static bool keeps_loop(const struct object *object, const struct object *context)
{
    bool is_watcher = object->kind == DESCRIPTOR || object->kind == SIGNAL;
    return is_watcher && object->context == context && object->alive && !object->detached;
}

static void close_context(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *private_data)
{
    struct object *context = private_data;
    (void)te;
    (void)now;
    say("closing time in %s", name_of_pointer(ev));
    context->closing = true;
    signals_delivered(context);
    bool again = false;
    for (int i = 0; i < object_count; i++) {
        struct object *object = &objects[i];
        if (!keeps_loop(object, context)) continue;
        save_below(object);
        if (can_free(object)) {
            object_free(object);
        } else if (!object->doomed) {
            again = true;
        }
    }
    if (again) tevent_add_timer(ev, context->pointer, clock_after(CLOSING_TIME), close_context, context);
}

static bool wait(struct object *self)
{
    struct object *context = pick(CONTEXT);
    if (!can_loop(context) || (self != NULL && chance(80))) return false;
    for (int i = 0; i < object_count; i++) {
        if (objects[i].running > 0 && keeps_loop(&objects[i], context)) return false;
    }
    bool is_nested = context->waiting;
    context->waiting = true;
    context->loops++;
    tevent_add_timer(context->pointer, context->pointer, clock_after(CLOSING_TIME), close_context, context);
    note("tevent_loop_wait %s", name_of(context));
    int result = tevent_loop_wait(context->pointer);
    say("waited for %s = %d", name_of(context), result);
    context->loops--;
    /* A nested loop has also reached the closing time of the one around it. */
    context->waiting = is_nested;
    if (!is_nested) context->closing = false;
    return true;
}

struct goal {
    int asked, enough;
    bool ticked;
};

static bool reached(void *private_data)
{
    struct goal *goal = private_data;
    bool result = goal->asked++ >= goal->enough || goal->ticked;
    /* Libraries differ in how many turns they take to wake up from a signal. */
    if (!signals_raised) say("asked %d times: %d", goal->asked, result);
    return result;
}

static bool until(struct object *self)
{
    struct object *context = pick(CONTEXT);
    /* Each turn is counted, so signals must not take turns of their own. */
    if (!can_loop(context) || signals_raised || (self != NULL && chance(80))) return false;
    struct goal goal = {.enough = (int)draw(5)};
    struct tevent_timer *timer = add_tick(context, &goal.ticked);
    context->loops++;
    turns_counted++;
    note("tevent_loop_until %s", name_of(context));
    int result = tevent_loop_until(context->pointer, reached, &goal);
    say("looped until in %s = %d", name_of(context), result);
    turns_counted--;
    context->loops--;
    remove_tick(timer, goal.ticked);
    return true;
}

static bool more_contexts(struct object *self)
{
    (void)self;
    static const char *const names[] = {NULL, "standard", "epoll"};
    /* With the name epoll, the library does not switch to poll. */
    const char *name = names[draw((classes & CROWDED) != 0 ? 2 : 3)];
    if (objects_full()) return false;
    note("tevent_context_init_byname C%d, %s", object_count, name == NULL ? "none" : name);
    struct object *context = object_add(CONTEXT, tevent_context_init_byname(root->pointer, name), NULL);
    if (context == NULL) return false;
    say("made %s, signals supported: %d", name_of(context), tevent_signal_support(context->pointer));
    if ((classes & TRACES) != 0 && chance(60)) traces_set(context);
    return true;
}

static bool free_context(struct object *self)
{
    (void)self;
    struct object *context = pick(CONTEXT);
    if (!can_free(context)) return false;
    object_free(context);
    return true;
}

static bool reinitialise(struct object *self)
{
    (void)self;
    struct object *context = pick(CONTEXT);
    if (!can_free(context)) return false;
    for (int i = 0; i < object_count; i++) {
        if (objects[i].context == context) objects[i].detached = true;
    }
    note("tevent_re_initialise %s", name_of(context));
    say("initialised %s again = %d", name_of(context), tevent_re_initialise(context->pointer));
    return true;
}

const struct operation loop_operations[] = {
    {"turn", 0, 90, turn},
    {"wait", 0, 6, wait},
    {"until", 0, 8, until},
    {"make context", CONTEXTS, 2, more_contexts},
    {"free context", CONTEXTS, 3, free_context},
    {"initialise again", CONTEXTS | REINITIALISE, 3, reinitialise},
    {NULL, 0, 0, NULL},
};

static bool add_block(struct object *self)
{
    (void)self;
    struct object *parent = pick_parent();
    if (objects_full()) return false;
    note("talloc B%d under %s", object_count, name_of(parent));
    object_add(BLOCK, talloc_named_const(parent->pointer, 1, "block"), NULL);
    return true;
}

static bool free_block(struct object *self)
{
    (void)self;
    struct object *block = pick(BLOCK);
    if (!can_free(block)) return false;
    object_free(block);
    return true;
}

static bool steal(struct object *self)
{
    (void)self;
    static const enum kind kinds[] = {BLOCK, TIMER, IMMEDIATE, DESCRIPTOR, SIGNAL, REQUEST, QUEUE};
    struct object *object = pick(kinds[draw(sizeof(kinds) / sizeof(kinds[0]))]), *parent = pick_parent();
    if (object == NULL || object == root || descends_from(parent, object) || !can_go(object)) return false;
    note("talloc_steal %s to %s", name_of(object), name_of(parent));
    talloc_steal(parent->pointer, object->pointer);
    return true;
}

static bool show_name(struct object *self)
{
    (void)self;
    struct object *object = pick(draw(KINDS));
    if (object == NULL || object == root) return false;
    say("%s is a %s under %s", name_of(object), talloc_get_name(object->pointer),
        name_of_pointer(talloc_parent(object->pointer)));
    return true;
}

const struct operation tree_operations[] = {
    {"add block", TREE, 8, add_block},
    {"free block", TREE, 5, free_block},
    {"steal", TREE, 10, steal},
    {"show name", PRINTS, 4, show_name},
    {NULL, 0, 0, NULL},
};
