/* A seed's program: which operations are drawn, at the top and in handlers. */
#include "differential.h"
#include <unistd.h>

enum { SECONDS_PER_SEED = 10 };

int budget;
/* At the end, handlers do nothing any more. */
bool finale;
unsigned handlers_run;
static uint64_t current_seed;

/* What the library reports before it gives up. */
static void show_complaint(void *context, enum tevent_debug_level level, const char *format, va_list arguments)
{
    (void)context;
    if (level > TEVENT_DEBUG_ERROR) return;
    fprintf(stderr, "seed %llu: ", (unsigned long long)current_seed);
    vfprintf(stderr, format, arguments);
}

static void show_abort(const char *reason)
{
    say("abort: %s", reason);
}

void begin_running(struct object *object)
{
    if (object->running++ > 0) object->reentered = true;
}

void end_running(struct object *object)
{
    if (--object->running == 0) object->reentered = false;
}

uint64_t enter(struct object *object)
{
    handlers_run++;
    depth++;
    begin_running(object);
    object->runs++;
    return random_begin(current_seed, (uint64_t)object->number << 32 | (uint64_t)object->kind << 24 | object->runs);
}

void leave(struct object *object, uint64_t saved)
{
    end_running(object);
    depth--;
    random_end(saved);
}

static const struct operation *const tables[] = {timer_operations, immediate_operations, descriptor_operations,
    signal_operations, request_operations, queue_operations, tree_operations, trace_operations, loop_operations,
    pure_operations, telling_operations};

static bool act_once(struct object *self)
{
    unsigned total = 0;
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct operation *o = tables[t]; o->name != NULL; o++) {
            if ((o->class & ~classes) == 0) total += o->weight;
        }
    }
    unsigned drawn = draw(total);
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct operation *o = tables[t]; o->name != NULL; o++) {
            if ((o->class & ~classes) != 0) continue;
            if (drawn < o->weight) {
                budget--;
                return o->run(self);
            }
            drawn -= o->weight;
        }
    }
    return false;
}

void act(struct object *self, unsigned most)
{
    if (finale) return;
    for (unsigned count = draw(most + 1); count > 0 && budget > 0 && depth < 8; count--) act_once(self);
}

static void free_all(enum kind kind)
{
    for (int i = 0; i < object_count; i++) {
        if (objects[i].kind == kind && can_free(&objects[i])) object_free(&objects[i]);
    }
}

/* Ends a program: lets the loops run dry, then frees what is left in an order that depends on the seed. */
static void finish(void)
{
    note("the end");
    if (chance(50)) {
        for (int i = 0; i < object_count; i++) {
            struct object *context = &objects[i];
            if (context->kind != CONTEXT || !is_usable(context)) continue;
            for (int turns = 0; turns < 4; turns++) loop_turn(context);
        }
    }
    finale = true;
    signals_settle();
    for (int i = 0; i < object_count; i++) {
        if (objects[i].kind == QUEUE && objects[i].alive) tevent_queue_stop(objects[i].pointer);
    }
    /* Entries of queues must be freed before their contexts. */
    bool queues_first = chance(50);
    free_all(queues_first ? QUEUE : REQUEST);
    free_all(queues_first ? REQUEST : QUEUE);
    if (chance(50)) free_all(CONTEXT);
    talloc_free(root->pointer);
    for (int i = 0; i < object_count; i++) {
        if (objects[i].alive) say("left over: %s", name_of(&objects[i]));
    }
    descriptors_close_all();
}

/* Leaves some classes out, so that programs differ by more than chance. */
static unsigned classes_of_seed(unsigned allowed)
{
    /* Libraries differ in which loop calls the handler of a signal: use either signals or more than one context. */
    if ((allowed & SHARED_SIGNALS) == 0 && (allowed & SIGNALS) != 0) allowed &= chance(50) ? ~SIGNALS : ~CONTEXTS;
    if (chance(20)) return allowed;
    unsigned chosen = draw(1 << 12) | (chance(60) ? TREE : 0);
    unsigned big = TIMERS | IMMEDIATES | DESCRIPTORS | SIGNALS | REQUESTS | QUEUES | TRACES | CONTEXTS | NESTING | TREE;
    chosen = allowed & (chosen | ~big);
    if ((chosen & QUEUES) != 0) chosen |= REQUESTS;
    return chosen;
}

void run_seed(uint64_t seed)
{
    unsigned allowed = classes;
    alarm(SECONDS_PER_SEED);
    current_seed = seed;
    random_begin(seed, 0);
    clock_reset();
    objects_reset(seed);
    descriptors_reset();
    signals_reset();
    depth = 0;
    handlers_run = 0;
    finale = false;
    tevent_set_abort_fn((classes & ABORTS) != 0 ? show_abort : NULL);
    classes = classes_of_seed(allowed);
    budget = 40 + draw(120);
    depths_begin();
    printf("seed %llu\n", (unsigned long long)seed);
    for (unsigned count = (classes & CONTEXTS) != 0 ? 1 + draw(3) : 1; count > 0; count--) {
        struct object *context = object_add(CONTEXT, tevent_context_init(root->pointer), NULL);
        tevent_set_debug(context->pointer, show_complaint, NULL);
        if ((classes & NESTING) != 0 && chance(50)) allow_nesting(context);
        if ((classes & TRACES) != 0 && chance(60)) traces_set(context);
    }
    for (int step = 0; step < 100 && budget > 0; step++) act_once(NULL);
    finish();
    depths_end();
    classes = allowed;
    fflush(stdout);
}
