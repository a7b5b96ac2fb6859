/* Queues. */
#include "differential.h"

/* What a trigger does with its request. */
enum plan { FINISH, FREE_REQUEST, KEEP, PLANS };

struct ticket {
    struct object *request, *queue;
};

static void trigger(struct tevent_req *req, void *private_data)
{
    const struct ticket *ticket = private_data;
    struct object *request = ticket->request, *queue = ticket->queue;
    bool right = req == request->pointer;
    say("trigger of %s%s", name_of(request), right ? "" : ", not its request");
    if (!request->alive) return;
    uint64_t saved = enter(request);
    begin_running(queue);
    show_depth();
    switch ((enum plan)draw(PLANS)) {
    case FINISH:
        if (is_usable(request) && tevent_req_is_in_progress(request->pointer)) tevent_req_done(request->pointer);
        break;
    case FREE_REQUEST:
        if (can_free(request)) object_free(request);
        break;
    case KEEP:
    case PLANS:
        break;
    }
    act(request, 2);
    end_running(queue);
    leave(request, saved);
}

static bool can_be_queued(const struct object *request)
{
    return !request->waits;
}

static void show_queue(const struct object *queue)
{
    say("queue %s: length %zu, running %d", name_of(queue), tevent_queue_length(queue->pointer),
        tevent_queue_running(queue->pointer));
}

static bool create(struct object *self)
{
    (void)self;
    struct object *parent = pick_parent();
    if (objects_full()) return false;
    note("tevent_queue_create Q%d under %s", object_count, name_of(parent));
    struct object *queue = object_add(QUEUE, tevent_queue_create(parent->pointer, "queue"), NULL);
    if (queue != NULL) show_queue(queue);
    return true;
}

/* Gives the entry that the library has created a number, if it still exists. */
static void add_entry(struct tevent_queue_entry *entry, struct object *queue, struct object *request, struct object *context)
{
    if (!queue->alive || !request->alive) {
        say("gone before it was known");
        return;
    }
    struct object *object = object_add(ENTRY, entry, context);
    if (object == NULL) return;
    object->queue = queue;
    object->request = request;
    say("%s of %s in %s", name_of(object), name_of(request), name_of(queue));
}

static bool add(struct object *self)
{
    (void)self;
    struct object *queue = pick(QUEUE), *request = pick_where(REQUEST, can_be_queued), *context = pick(CONTEXT);
    if (queue == NULL || request == NULL || context == NULL || objects_full()) return false;
    tevent_queue_trigger_fn_t function = chance(15) ? NULL : trigger;
    const char *trigger_name = function == NULL ? "without trigger" : "with trigger";
    struct ticket *ticket = talloc(request->pointer, struct ticket);
    *ticket = (struct ticket){.request = request, .queue = queue};
    /* Debian's library calls a trigger twice if the queue's immediate is still scheduled for an entry that was freed:
     * once immediately, and once from the loop. */
    bool was_used = queue->used;
    queue->used = true;
    if (was_used || chance(50)) {
        note("tevent_queue_add_entry %s to %s in %s, %s", name_of(request), name_of(queue), name_of(context), trigger_name);
        add_entry(tevent_queue_add_entry(queue->pointer, context->pointer, request->pointer, function, ticket), queue,
                  request, context);
    } else {
        /* The trigger may be called immediately, and free anything but the context. */
        note("tevent_queue_add_optimize_empty %s to %s in %s, %s", name_of(request), name_of(queue), name_of(context),
             trigger_name);
        context->pins++;
        int count = object_count;
        add_entry(tevent_queue_add_optimize_empty(queue->pointer, context->pointer, request->pointer, function, ticket),
                  queue, request, context);
        context->pins--;
        /* The trigger may have added entries that got their numbers first. */
        if (object_count > count + 1) queue->unordered = true;
    }
    if (queue->alive) show_queue(queue);
    return true;
}

static bool start_or_stop(struct object *self)
{
    (void)self;
    struct object *queue = pick(QUEUE);
    if (queue == NULL) return false;
    if (chance(60)) {
        note("tevent_queue_start %s", name_of(queue));
        tevent_queue_start(queue->pointer);
    } else {
        note("tevent_queue_stop %s", name_of(queue));
        tevent_queue_stop(queue->pointer);
    }
    show_queue(queue);
    return true;
}

static bool is_first(const struct object *entry)
{
    for (int i = 0; i < object_count; i++) {
        const struct object *other = &objects[i];
        if (other == entry) return true;
        if (other->kind == ENTRY && other->alive && other->queue == entry->queue) return false;
    }
    return false;
}

static bool untrigger(struct object *self)
{
    (void)self;
    struct object *entry = pick_where(ENTRY, is_first);
    if (entry == NULL || tevent_queue_running(entry->queue->pointer) || entry->queue->unordered) return false;
    note("tevent_queue_entry_untrigger %s", name_of(entry));
    tevent_queue_entry_untrigger(entry->pointer);
    return true;
}

static bool wait(struct object *self)
{
    (void)self;
    struct object *queue = pick(QUEUE), *context = pick(CONTEXT), *parent = pick_parent();
    if (queue == NULL || context == NULL || objects_full()) return false;
    note("tevent_queue_wait_send R%d for %s in %s under %s", object_count, name_of(queue), name_of(context),
         name_of(parent));
    struct tevent_req *req = tevent_queue_wait_send(parent->pointer, context->pointer, queue->pointer);
    struct object *request = object_add(REQUEST, req, context);
    if (request == NULL) return false;
    request->waits = true;
    request->queue = queue;
    queue->used = true;
    say("%s waits", name_of(request));
    /* Its entry has no number. */
    queue->unordered = true;
    return true;
}

static bool free_one(struct object *self)
{
    (void)self;
    struct object *object = pick(chance(60) ? ENTRY : QUEUE);
    if (!can_free(object)) return false;
    object_free(object);
    return true;
}

const struct operation queue_operations[] = {
    {"create queue", QUEUES, 12, create},
    {"add to queue", QUEUES, 40, add},
    {"start or stop", QUEUES, 10, start_or_stop},
    {"untrigger", QUEUES, 8, untrigger},
    {"wait for queue", QUEUES, 14, wait},
    {"free of queue", QUEUES, 8, free_one},
    {NULL, 0, 0, NULL},
};
