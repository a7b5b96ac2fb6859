/* Timers, and arithmetic with times. */
#include "differential.h"

/* A few times, so that many are equal: zero, long past, just past, now, and some to come. */
static struct timeval draw_time(int64_t *due)
{
    static const int64_t offsets[] = {-1000000, -5, -1, 0, 1, 1, 2, 3, 5, 50};
    if (chance(25)) {
        *due = INT64_MIN;
        return tevent_timeval_zero();
    }
    int64_t offset = offsets[draw(sizeof(offsets) / sizeof(offsets[0]))];
    *due = clock_now() + offset;
    return clock_after(offset);
}

/* A timer must not be updated by its own handler: Debian's library then frees it, but keeps it in its list. */
static bool can_be_updated(const struct object *timer)
{
    return !timer->detached && timer->running == 0;
}

static void handler(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *private_data)
{
    struct object *timer = private_data;
    int64_t due = timer->due;
    const char *told = tevent_timeval_is_zero(&now) ? "zero" : "a time";
    if (due != INT64_MIN && !tevent_timeval_is_zero(&now)) {
        struct timeval time = clock_after(due - clock_now()), current = clock_after(0);
        told = tevent_timeval_compare(&now, &time) < 0       ? "too early a time"
               : tevent_timeval_compare(&now, &current) != 0 ? "another time"
                                                             : "the time";
    }
    say("timer %s in %s is told %s%s", name_of(timer), name_of_pointer(ev), told,
        te == timer->pointer ? "" : ", not itself");
    uint64_t saved = enter(timer);
    act(timer, 3);
    give_up(timer);
    leave(timer, saved);
}

static bool add(struct object *self)
{
    (void)self;
    struct object *context = pick(CONTEXT), *parent = pick_parent();
    if (context == NULL || objects_full()) return false;
    int64_t due;
    struct timeval time = draw_time(&due);
    /* The handler's private data: where the object will be. */
    struct object *timer = &objects[object_count];
    note("tevent_add_timer T%d in %s under %s, at %lld", object_count, name_of(context), name_of(parent),
         due == INT64_MIN ? 0 : (long long)due);
    struct tevent_timer *te = tevent_add_timer(context->pointer, chance(20) ? NULL : parent->pointer, time, handler, timer);
    if (object_add(TIMER, te, context) == NULL) return false;
    timer->due = due;
    say("added %s", name_of(timer));
    return true;
}

static bool update(struct object *self)
{
    (void)self;
    struct object *timer = pick_where(TIMER, can_be_updated);
    if (timer == NULL) return false;
    int64_t due;
    struct timeval time = draw_time(&due);
    /* Debian's library puts later timers at zero before one that was updated to zero. */
    if (due == INT64_MIN && (classes & ZERO_UPDATES) == 0) return false;
    timer->due = due;
    note("tevent_update_timer %s, to %lld", name_of(timer), timer->due == INT64_MIN ? 0 : (long long)timer->due);
    tevent_update_timer(timer->pointer, time);
    return true;
}

static bool free_one(struct object *self)
{
    struct object *timer = self != NULL && self->kind == TIMER && chance(50) ? self : pick(TIMER);
    if (!can_free(timer)) return false;
    object_free(timer);
    return true;
}

const struct operation timer_operations[] = {
    {"add timer", TIMERS, 30, add},
    {"update timer", TIMERS, 12, update},
    {"free timer", TIMERS, 8, free_one},
    {NULL, 0, 0, NULL},
};

static struct timeval draw_any_time(void)
{
    return (struct timeval){.tv_sec = draw(4), .tv_usec = draw(3) * 499999};
}

static bool compute(struct object *self)
{
    (void)self;
    struct timeval a = draw_any_time(), b = draw_any_time();
    unsigned seconds = draw(3), micros = draw(5) * 600000;
    struct timeval sum = tevent_timeval_add(&a, seconds, micros), until = tevent_timeval_until(&a, &b);
    struct timeval set = tevent_timeval_set(seconds, micros), current = tevent_timeval_current(), expected = clock_after(0);
    struct timeval later = tevent_timeval_current_ofs(1, 500000), late = clock_after(1500);
    say("times %lld.%06d %lld.%06d %d %d %lld.%06d %d %d", (long long)sum.tv_sec, (int)sum.tv_usec, (long long)until.tv_sec,
        (int)until.tv_usec, tevent_timeval_compare(&a, &b), tevent_timeval_is_zero(&a), (long long)set.tv_sec,
        (int)set.tv_usec, tevent_timeval_compare(&current, &expected), tevent_timeval_compare(&later, &late));
    return true;
}

const struct operation pure_operations[] = {
    {"compute times", TIMEVALS, 2, compute},
    {NULL, 0, 0, NULL},
};
