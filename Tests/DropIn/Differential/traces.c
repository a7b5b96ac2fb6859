/* Trace callbacks, and the tags that go with them. */
#include "differential.h"

/* Descriptors that the library watches for itself are not shown: libraries may wake up in different ways. */
bool adding_descriptor;

static const char *const points[] = {"attach", "detach", "before handler"};

static void trace(const char *what, const void *pointer, unsigned point, const void *private_data)
{
    const char *name = name_of_pointer(pointer);
    if ((classes & INNER) == 0 && strcmp(name, "inner") == 0) return;
    say("trace of %s: %s %s, %s", name_of(private_data), what, name, point < 3 ? points[point] : "unknown point");
}

static void trace_descriptor(struct tevent_fd *fde, enum tevent_event_trace_point point, void *private_data)
{
    if (!adding_descriptor && strcmp(name_of_pointer(fde), "inner") == 0) return;
    trace("descriptor", fde, point, private_data);
}

static void trace_signal(struct tevent_signal *se, enum tevent_event_trace_point point, void *private_data)
{
    trace("signal", se, point, private_data);
}

static void trace_timer(struct tevent_timer *te, enum tevent_event_trace_point point, void *private_data)
{
    trace("timer", te, point, private_data);
}

static void trace_immediate(struct tevent_immediate *im, enum tevent_event_trace_point point, void *private_data)
{
    trace("immediate", im, point, private_data);
}

static void trace_entry(struct tevent_queue_entry *entry, enum tevent_event_trace_point point, void *private_data)
{
    trace("entry", entry, point, private_data);
}

static void trace_loop(enum tevent_trace_point point, void *private_data)
{
    static const char *const names[] = {"before wait", "after wait", "before turn", "after turn"};
    bool is_wait = point == TEVENT_TRACE_BEFORE_WAIT || point == TEVENT_TRACE_AFTER_WAIT;
    if (is_wait && (classes & WAITS) == 0) return;
    if (signals_raised) return;
    say("trace of %s: %s", name_of(private_data), point < 4 ? names[point] : "unknown point");
}

/* Whether a get function returns what was set. */
#define CHECK_CALLBACK(get, context, expected, type)                                                                       \
    do {                                                                                                                   \
        type set = NULL;                                                                                                   \
        void *data = NULL;                                                                                                 \
        get((context)->pointer, &set, &data);                                                                              \
        if (set != (expected) || data != ((expected) == NULL ? NULL : (context))) say(#get " returns something else");     \
    } while (0)

void traces_set(struct object *context)
{
    struct tevent_context *ev = context->pointer;
    void *data = context;
    note("trace callbacks of %s", name_of(context));
    if (chance(70)) {
        tevent_set_trace_fd_callback(ev, trace_descriptor, data);
        CHECK_CALLBACK(tevent_get_trace_fd_callback, context, trace_descriptor, tevent_trace_fd_callback_t);
    }
    if (chance(70)) {
        tevent_set_trace_signal_callback(ev, trace_signal, data);
        CHECK_CALLBACK(tevent_get_trace_signal_callback, context, trace_signal, tevent_trace_signal_callback_t);
    }
    if (chance(70)) {
        tevent_set_trace_timer_callback(ev, trace_timer, data);
        CHECK_CALLBACK(tevent_get_trace_timer_callback, context, trace_timer, tevent_trace_timer_callback_t);
    }
    if (chance(70)) {
        tevent_set_trace_immediate_callback(ev, trace_immediate, data);
        CHECK_CALLBACK(tevent_get_trace_immediate_callback, context, trace_immediate, tevent_trace_immediate_callback_t);
    }
    if (chance(70)) {
        tevent_set_trace_queue_callback(ev, trace_entry, data);
        CHECK_CALLBACK(tevent_get_trace_queue_callback, context, trace_entry, tevent_trace_queue_callback_t);
    }
    if (chance(40)) {
        tevent_set_trace_callback(ev, trace_loop, data);
        CHECK_CALLBACK(tevent_get_trace_callback, context, trace_loop, tevent_trace_callback_t);
    }
}

static bool set_or_clear(struct object *self)
{
    (void)self;
    struct object *context = pick(CONTEXT);
    if (context == NULL) return false;
    if (chance(60)) {
        traces_set(context);
        return true;
    }
    note("no more trace callbacks of %s", name_of(context));
    tevent_set_trace_fd_callback(context->pointer, NULL, NULL);
    tevent_set_trace_signal_callback(context->pointer, NULL, NULL);
    tevent_set_trace_timer_callback(context->pointer, NULL, NULL);
    tevent_set_trace_immediate_callback(context->pointer, NULL, NULL);
    tevent_set_trace_queue_callback(context->pointer, NULL, NULL);
    tevent_set_trace_callback(context->pointer, NULL, NULL);
    return true;
}

/* Sets a tag, or reads it, and shows it. */
static bool tag(struct object *self)
{
    (void)self;
    static const enum kind kinds[] = {TIMER, IMMEDIATE, DESCRIPTOR, SIGNAL, ENTRY};
    struct object *object = pick(kinds[draw(5)]);
    if (object == NULL) return false;
    void *pointer = object->pointer;
    bool sets = chance(60);
    uint64_t value = draw(1000), got = 0;
    if (sets) note("set the tag of %s to %llu", name_of(object), (unsigned long long)value);
    switch (object->kind) {
    case TIMER:
        if (sets) tevent_timer_set_tag(pointer, value);
        got = tevent_timer_get_tag(pointer);
        break;
    case IMMEDIATE:
        if (sets) tevent_immediate_set_tag(pointer, value);
        got = tevent_immediate_get_tag(pointer);
        break;
    case DESCRIPTOR:
        if (sets) tevent_fd_set_tag(pointer, value);
        got = tevent_fd_get_tag(pointer);
        break;
    case SIGNAL:
        if (sets) tevent_signal_set_tag(pointer, value);
        got = tevent_signal_get_tag(pointer);
        break;
    default:
        if (sets) tevent_queue_entry_set_tag(pointer, value);
        got = tevent_queue_entry_get_tag(pointer);
    }
    say("tag of %s: %llu", name_of(object), (unsigned long long)got);
    return true;
}

const struct operation trace_operations[] = {
    {"trace", TRACES, 3, set_or_clear},
    {"tag", TRACES, 6, tag},
    {NULL, 0, 0, NULL},
};
