/* Immediates. */
#include "differential.h"

static void handler(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
    struct object *immediate = private_data;
    say("immediate %s in %s%s", name_of(immediate), name_of_pointer(ev), im == immediate->pointer ? "" : ", not itself");
    uint64_t saved = enter(immediate);
    act(immediate, 3);
    leave(immediate, saved);
}

static void second_handler(struct tevent_context *ev, struct tevent_immediate *im, void *private_data)
{
    say("second way:");
    handler(ev, im, private_data);
}

static bool create(struct object *self)
{
    (void)self;
    struct object *parent = pick_parent();
    if (objects_full()) return false;
    note("tevent_create_immediate I%d under %s", object_count, name_of(parent));
    struct object *immediate = object_add(IMMEDIATE, tevent_create_immediate(parent->pointer), NULL);
    if (immediate != NULL) say("created %s", name_of(immediate));
    return true;
}

static bool schedule(struct object *self)
{
    struct object *immediate = self != NULL && self->kind == IMMEDIATE && chance(50) ? self : pick(IMMEDIATE);
    struct object *context = pick(CONTEXT);
    if (!is_usable(immediate) || context == NULL || immediate->runs > 5) return false;
    tevent_immediate_handler_t way = chance(15) ? NULL : chance(70) ? handler : second_handler;
    note("tevent_schedule_immediate %s in %s%s", name_of(immediate), name_of(context), way == NULL ? ", to cancel it" : "");
    tevent_schedule_immediate(immediate->pointer, context->pointer, way, immediate);
    immediate->context = context;
    return true;
}

static bool free_one(struct object *self)
{
    struct object *immediate = self != NULL && self->kind == IMMEDIATE && chance(50) ? self : pick(IMMEDIATE);
    if (!can_free(immediate)) return false;
    object_free(immediate);
    return true;
}

const struct operation immediate_operations[] = {
    {"create immediate", IMMEDIATES, 15, create},
    {"schedule immediate", IMMEDIATES, 40, schedule},
    {"free immediate", IMMEDIATES, 8, free_one},
    {NULL, 0, 0, NULL},
};
