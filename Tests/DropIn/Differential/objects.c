/* The objects of a program, and which of them may be used and freed. */
#include "differential.h"

enum { MOST = 400 };

/* A child of every object's chunk, whose destructor notes that the object was freed. */
struct watch {
    struct object *object;
};

struct object *root;
struct object objects[MOST];
int object_count;

static int watch_destructor(struct watch *watch)
{
    struct object *object = watch->object;
    object->alive = false;
    object->pointer = NULL;
    say("gone %s", name_of(object));
    return 0;
}

void objects_reset(uint64_t seed)
{
    memset(objects, 0, sizeof(objects));
    object_count = 0;
    root = object_add(BLOCK, talloc_named(NULL, 0, "seed %llu", (unsigned long long)seed), NULL);
}

bool objects_full(void)
{
    return object_count > MOST - 4;
}

struct object *object_add(enum kind kind, void *pointer, struct object *context)
{
    if (pointer == NULL) {
        say("no memory, or refused");
        return NULL;
    }
    if (object_count == MOST) {
        fprintf(stderr, "too many objects\n");
        exit(2);
    }
    struct object *object = &objects[object_count];
    *object = (struct object){.kind = kind, .number = object_count++, .pointer = pointer, .context = context,
        .alive = true, .end = -1};
    snprintf(object->name, sizeof(object->name), "%c%d", "CBTIFSRDQE"[kind], object->number);
    struct watch *watch = talloc(pointer, struct watch);
    watch->object = object;
    talloc_set_destructor(watch, watch_destructor);
    return object;
}

bool is_usable(const struct object *object)
{
    return object != NULL && object->alive && !object->doomed;
}

struct object *pick_where(enum kind kind, bool (*fits)(const struct object *))
{
    struct object *fitting[MOST];
    unsigned count = 0;
    for (int i = 0; i < object_count; i++) {
        struct object *object = &objects[i];
        if (object->kind == kind && is_usable(object) && (fits == NULL || fits(object))) fitting[count++] = object;
    }
    return count == 0 ? NULL : fitting[draw(count)];
}

struct object *pick(enum kind kind)
{
    return pick_where(kind, NULL);
}

/* Something that a new object can be a child of. */
struct object *pick_parent(void)
{
    static const enum kind kinds[] = {CONTEXT, BLOCK, BLOCK, STATE, REQUEST, TIMER, QUEUE};
    struct object *parent = NULL;
    if ((classes & TREE) != 0) parent = pick(kinds[draw(sizeof(kinds) / sizeof(kinds[0]))]);
    return parent == NULL ? root : parent;
}

bool descends_from(const struct object *object, const struct object *ancestor)
{
    for (const void *pointer = object->pointer; pointer != NULL; pointer = talloc_parent(pointer)) {
        if (pointer == ancestor->pointer) return true;
    }
    return false;
}

/* Whether an object that lives on would use the context, which the library does not check. */
static bool context_is_needed(const struct object *context)
{
    if (context->loops > 0) return true;
    for (int i = 0; i < object_count; i++) {
        const struct object *object = &objects[i];
        if (!object->alive) continue;
        if (object->kind == ENTRY && object->context == context) return true;
        if (object->kind == REQUEST && object->deferred == context) return true;
        if (object->kind == REQUEST && object->waits && object->context == context) return true;
        if (object->context == context && object->running > 0) return true;
        if (object->kind != SIGNAL || object->context != context) continue;
        if (signal_depth > 0 || signal_pending(object->signum)) return true;
    }
    return false;
}

/* A signal's watcher must stay while its signal is pending. */
static bool signal_is_needed(const struct object *signal, const struct object *freed)
{
    if (signal_depth > 0) return signal->running == 0 || signal != freed;
    return (classes & STALE_SIGNALS) == 0 && signal_pending(signal->signum);
}

/* Whether the object must not be freed with `freed`. One of the reasons: Debian's library forgets that an event's
 * handler is on the stack once that handler has also been called in a nested loop. */
static bool is_needed(const struct object *object, const struct object *freed)
{
    if (object->pins > 0 || object->reentered) return true;
    if (object->kind == CONTEXT) return context_is_needed(object);
    return object->kind == SIGNAL && signal_is_needed(object, freed);
}

/* Whether the object and everything below it may be freed. */
bool can_go(const struct object *freed)
{
    for (int i = 0; i < object_count; i++) {
        const struct object *object = &objects[i];
        if (!object->alive || !descends_from(object, freed)) continue;
        if (is_needed(object, freed)) return false;
    }
    return true;
}

bool can_free(const struct object *freed)
{
    return is_usable(freed) && freed != root && freed->kind != STATE && can_go(freed);
}

/* The object is about to be freed: nothing that has a handler on the stack may be used any more. */
void doom(const struct object *freed)
{
    for (int i = 0; i < object_count; i++) {
        struct object *object = &objects[i];
        bool is_kept = object->kind != REQUEST && object->kind != QUEUE;
        if (object->alive && object->running > 0 && is_kept && descends_from(object, freed)) object->doomed = true;
    }
}

/* Moves what code on the stack still needs away from an object that will be freed. */
void save_below(const struct object *freed)
{
    for (int i = 0; i < object_count; i++) {
        struct object *object = &objects[i];
        if (!object->alive || object == freed || !is_needed(object, freed) || !descends_from(object, freed)) continue;
        talloc_steal(root->pointer, object->pointer);
    }
}

/* The library frees the object after this handler. */
void give_up(const struct object *freed)
{
    if (!freed->alive) return;
    save_below(freed);
    doom(freed);
}

/* Frees an object, which must not be used any more, even if its handler keeps it alive. */
int object_free(struct object *freed)
{
    for (int i = 0; i < object_count; i++) {
        struct object *object = &objects[i];
        if (freed->kind == CONTEXT && object->alive && object->context == freed) object->detached = true;
    }
    doom(freed);
    const char *name = name_of(freed);
    note("talloc_free %s", name);
    int result = talloc_free(freed->pointer);
    say("freed %s = %d", name, result);
    return result;
}
