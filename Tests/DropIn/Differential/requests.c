/* Requests. */
#include "differential.h"

/* What a request's state holds. */
struct differential_state {
    int number;
};

static struct object *object_of(struct tevent_req *req)
{
    for (int i = object_count; i-- > 0;) {
        if (objects[i].kind == REQUEST && objects[i].alive && objects[i].pointer == req) return &objects[i];
    }
    return NULL;
}

static bool is_in_progress(const struct object *request)
{
    return tevent_req_is_in_progress(request->pointer);
}

static bool can_be_finished(const struct object *request)
{
    return is_in_progress(request) && !request->waits;
}

static bool can_be_received(const struct object *request)
{
    if (request->pins > 0 || (request->waits && is_in_progress(request))) return false;
    return request->state == NULL || !request->state->alive || can_go(request->state);
}

static void show_result(const struct object *request)
{
    enum tevent_req_state state = TEVENT_REQ_IN_PROGRESS;
    uint64_t error = 4711;
    bool is_error = tevent_req_is_error(request->pointer, &state, &error);
    say("result of %s: %d, state %d, error %llu, in progress %d", name_of(request), is_error, state,
        (unsigned long long)error, is_in_progress(request));
}

static void receive(struct object *request)
{
    note("tevent_req_received %s", name_of(request));
    if (request->state != NULL && request->state->alive) doom(request->state);
    if (request->waits && request->queue == NULL) {
        say("woken by %s = %d", name_of(request), tevent_wakeup_recv(request->pointer));
    } else if (request->waits) {
        say("waited for a queue with %s = %d", name_of(request), tevent_queue_wait_recv(request->pointer));
    } else {
        tevent_req_received(request->pointer);
    }
    if (request->alive) show_result(request);
}

static void finish(struct object *request)
{
    struct tevent_req *req = request->pointer;
    const char *name = name_of(request);
    unsigned error = draw(4);
    note("finish %s", name);
    switch (draw(6)) {
    case 0:
        say("error of %s: %d", name, tevent_req_error(req, error == 0 ? 0 : error * 1000));
        break;
    case 1:
        say("memory for %s: %d", name, tevent_req_nomem(error == 0 ? &error : NULL, req));
        break;
    case 2:
        tevent_req_oom(req);
        break;
    default:
        tevent_req_done(req);
    }
}

/* The caller's part: checks the result, takes it, frees the request or not, and finishes the request that it was made
   for. */
static void callback(struct tevent_req *req)
{
    struct object *request = object_of(req);
    if (request == NULL) {
        say("callback of an unknown request");
        return;
    }
    struct object *outer = tevent_req_callback_data_void(req);
    say("callback of %s for %s", name_of(request), name_of(outer));
    /* The trigger of a queue calls back a request that waits for the queue. */
    struct object *queue = request->waits && request->queue != NULL && request->queue->alive ? request->queue : NULL;
    uint64_t saved = enter(request);
    if (queue != NULL) begin_running(queue);
    show_depth();
    show_result(request);
    if (chance(40) && can_be_received(request)) receive(request);
    if (chance(40) && can_free(request)) object_free(request);
    if (outer != NULL && outer->kind == REQUEST && is_usable(outer) && can_be_finished(outer) && chance(70)) finish(outer);
    act(request, 2);
    if (queue != NULL) end_running(queue);
    leave(request, saved);
}

static void cleanup(struct tevent_req *req, enum tevent_req_state state)
{
    struct object *request = object_of(req);
    say("cleanup of %s, state %d, %s", name_of(request), state, _tevent_req_data(req) == NULL ? "no data" : "data");
    if (request == NULL) return;
    uint64_t saved = enter(request);
    request->pins++;
    if (state != TEVENT_REQ_RECEIVED) act(request, 2);
    request->pins--;
    leave(request, saved);
}

static bool cancel(struct tevent_req *req)
{
    struct object *request = object_of(req);
    say("asked to cancel %s", name_of(request));
    if (request == NULL || !can_be_finished(request)) return false;
    uint64_t saved = enter(request);
    bool result = chance(70);
    if (result && chance(60)) finish(request);
    leave(request, saved);
    return result;
}

static char *print(struct tevent_req *req, TALLOC_CTX *memory)
{
    char *text = tevent_req_default_print(req, memory);
    return talloc_asprintf_append(text, " and more");
}

static void set_up(struct object *request, struct object *outer)
{
    struct tevent_req *req = request->pointer;
    if (chance(70)) {
        note("tevent_req_set_callback %s for %s", name_of(request), name_of(outer));
        tevent_req_set_callback(req, callback, outer);
        request->has_callback = true;
    }
    if (chance(30)) {
        note("tevent_req_set_cleanup_fn %s", name_of(request));
        tevent_req_set_cleanup_fn(req, cleanup);
    }
    if (chance(30)) tevent_req_set_cancel_fn(req, cancel);
    if (chance(30)) tevent_req_set_print_fn(req, print);
}

static bool create(struct object *self)
{
    (void)self;
    struct object *outer = pick(REQUEST), *parent = outer != NULL && is_usable(outer->state) ? outer->state : pick_parent();
    if (chance(50)) parent = pick_parent();
    if (objects_full()) return false;
    struct differential_state *state;
    note("tevent_req_create R%d under %s", object_count, name_of(parent));
    struct tevent_req *req = tevent_req_create(parent->pointer, &state, struct differential_state);
    struct object *request = object_add(REQUEST, req, NULL);
    if (request == NULL) return false;
    request->state = object_add(STATE, state, NULL);
    bool same = tevent_req_data(request->pointer, struct differential_state) == state;
    say("created %s with %s, state %d%s", name_of(request), name_of(request->state), state->number, same ? "" : ", not its");
    state->number = request->number;
    show_depth();
    set_up(request, outer);
    return true;
}

static bool finish_any(struct object *self)
{
    (void)self;
    struct object *request = pick_where(REQUEST, can_be_finished);
    if (request == NULL) return false;
    finish(request);
    return true;
}

/* Finished before a callback could be set. */
static bool post(struct object *self)
{
    (void)self;
    struct object *request = pick_where(REQUEST, can_be_finished), *context = pick(CONTEXT);
    if (request == NULL || context == NULL || request->has_callback || request->posted) return false;
    if (request->deferred != NULL) return false;
    request->pins++;
    context->pins++;
    finish(request);
    request->pins--;
    context->pins--;
    if (!request->alive || is_in_progress(request)) return false;
    enum tevent_req_state state;
    uint64_t error;
    if (tevent_req_is_error(request->pointer, &state, &error) && state == TEVENT_REQ_RECEIVED) return false;
    note("tevent_req_post %s in %s", name_of(request), name_of(context));
    struct tevent_req *same = tevent_req_post(request->pointer, context->pointer);
    if (same != request->pointer) say("posted as another");
    request->posted = true;
    request->context = context;
    tevent_req_set_callback(request->pointer, callback, NULL);
    request->has_callback = true;
    return true;
}

static bool defer(struct object *self)
{
    (void)self;
    struct object *request = pick_where(REQUEST, can_be_finished), *context = pick(CONTEXT);
    if (request == NULL || context == NULL) return false;
    note("tevent_req_defer_callback %s to %s", name_of(request), name_of(context));
    tevent_req_defer_callback(request->pointer, context->pointer);
    request->deferred = context;
    return true;
}

static bool end_in_time(struct object *self)
{
    (void)self;
    struct object *request = pick_where(REQUEST, can_be_finished), *context = pick(CONTEXT);
    if (request == NULL || context == NULL) return false;
    if (chance(20) && request->pins == 0) {
        note("tevent_req_reset_endtime %s", name_of(request));
        tevent_req_reset_endtime(request->pointer);
        return true;
    }
    int64_t after = (int64_t)draw(6) - 1;
    note("tevent_req_set_endtime %s in %s, in %lld ms", name_of(request), name_of(context), (long long)after);
    if (request->pins > 0) return false;
    request->context = context;
    say("end time: %d", tevent_req_set_endtime(request->pointer, context->pointer, clock_after(after)));
    return true;
}

static bool cancel_any(struct object *self)
{
    (void)self;
    struct object *request = pick(REQUEST);
    if (request == NULL) return false;
    const char *name = name_of(request);
    note("tevent_req_cancel %s", name);
    say("cancel %s = %d", name, tevent_req_cancel(request->pointer));
    return true;
}

static bool notify(struct object *self)
{
    (void)self;
    struct object *request = pick(REQUEST);
    if (request == NULL || request->runs > 3 || request->deferred != NULL) return false;
    note("tevent_req_notify_callback %s", name_of(request));
    tevent_req_notify_callback(request->pointer);
    return true;
}

static bool receive_any(struct object *self)
{
    (void)self;
    struct object *request = pick_where(REQUEST, can_be_received);
    if (request == NULL || request->deferred != NULL) return false;
    enum tevent_req_state state;
    uint64_t error;
    if (tevent_req_is_error(request->pointer, &state, &error) && state == TEVENT_REQ_RECEIVED) return false;
    receive(request);
    return true;
}

static bool poll_one(struct object *self)
{
    (void)self;
    struct object *request = pick_where(REQUEST, can_be_finished), *context = pick(CONTEXT);
    if (request == NULL || !can_loop(context) || request->pins > 0) return false;
    /* Moved away from anything that the library may free. */
    talloc_steal(root->pointer, request->pointer);
    note("tevent_req_poll %s in %s, ends in 3 ms", name_of(request), name_of(context));
    tevent_req_set_endtime(request->pointer, context->pointer, clock_after(3));
    request->pins++;
    context->loops++;
    bool result = tevent_req_poll(request->pointer, context->pointer);
    context->loops--;
    request->pins--;
    say("polled %s = %d", name_of(request), result);
    show_result(request);
    return true;
}

static bool wake(struct object *self)
{
    (void)self;
    struct object *context = pick(CONTEXT), *parent = pick_parent();
    if (context == NULL || objects_full()) return false;
    int64_t after = (int64_t)draw(4);
    note("tevent_wakeup_send R%d under %s in %s, in %lld ms", object_count, name_of(parent), name_of(context),
         (long long)after);
    struct tevent_req *req = tevent_wakeup_send(parent->pointer, context->pointer, clock_after(after));
    struct object *request = object_add(REQUEST, req, context);
    if (request == NULL) return false;
    request->waits = true;
    tevent_req_set_callback(req, callback, pick(REQUEST));
    return true;
}

static bool free_one(struct object *self)
{
    (void)self;
    struct object *request = pick(REQUEST);
    if (!can_free(request)) return false;
    object_free(request);
    return true;
}

const struct operation request_operations[] = {
    {"create request", REQUESTS, 30, create},
    {"finish", REQUESTS, 16, finish_any},
    {"post", REQUESTS, 10, post},
    {"defer", REQUESTS, 6, defer},
    {"end time", REQUESTS, 8, end_in_time},
    {"cancel", REQUESTS, 6, cancel_any},
    {"notify", REQUESTS | UNPOSTED, 3, notify},
    {"received", REQUESTS, 4, receive_any},
    {"poll", REQUESTS, 3, poll_one},
    {"wakeup", REQUESTS, 6, wake},
    {"free request", REQUESTS, 6, free_one},
    {NULL, 0, 0, NULL},
};
