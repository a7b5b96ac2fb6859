/* Random programs with queues, the same on every run: which handlers are called, in which order. Prints a checksum for
 * each hundred programs; with two numbers, everything that these programs and those between them do. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>
#include <tevent.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

enum { queues = 3, most = 12, steps = 60 };

struct work {
    int number;
};

struct place {
    struct tevent_req *req;
    struct tevent_queue_entry *entry;
    int queue;
};

static struct tevent_context *ev;
static struct tevent_queue *queue[queues];
static struct place places[most];
static int next_number, depth;
static uint64_t seed;

static bool shows_all;
static uint64_t checksum = 14695981039346656037u;

static void say(const char *format, ...)
{
    char text[100];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (const char *c = text; *c != '\0'; c++) checksum = (checksum ^ (unsigned char)*c) * 1099511628211u;
    if (shows_all) fputs(text, stdout);
}

/* Every program generates its own numbers, so that both libraries see the same ones. */
static unsigned below(unsigned limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % limit;
}

static void step(void);

static struct place *find(struct tevent_req *req)
{
    for (int i = 0; i < most; i++) {
        if (places[i].req == req) return &places[i];
    }
    return NULL;
}

static void forget(struct place *place)
{
    struct tevent_req *req = place->req;
    *place = (struct place){0};
    talloc_free(req);
}

static int number(struct tevent_req *req)
{
    struct work *work = tevent_req_data(req, struct work);
    return work->number;
}

/* Whether it is still the same request, since another may have its address or its place. */
static bool is_there(struct place *place, int me) { return place->req != NULL && number(place->req) == me; }

static void more(void)
{
    if (depth > 2) return;
    depth++;
    for (unsigned i = below(4); i > 0; i--) step();
    depth--;
}

static void trigger(struct tevent_req *req, void *unused)
{
    struct place *place = find(req);
    int me = number(req);
    say("trigger %d of queue %d, in progress %d\n", number(req), place->queue, tevent_req_is_in_progress(req));
    more();
    if (!is_there(place, me)) return;
    switch (below(6)) {
    case 0:
        if (tevent_req_is_in_progress(req)) tevent_req_done(req);
        break;
    case 1:
        tevent_queue_stop(queue[place->queue]);
        if (place->entry != NULL) tevent_queue_entry_untrigger(place->entry);
        break;
    case 2:
    case 3:
        forget(place);
        break;
    }
}

static void done(struct tevent_req *req)
{
    int me = number(req);
    say("done %d\n", me);
    struct place *place = find(req);
    more();
    if (is_there(place, me) && below(2) == 0) forget(place);
}

static void run(struct tevent_context *context, struct tevent_immediate *im, void *unused)
{
    say("immediate\n");
    talloc_free(im);
    more();
}

static void add(void)
{
    struct place *place = find(NULL);
    if (place == NULL) return;
    struct work *work;
    place->req = tevent_req_create(ev, &work, struct work);
    work->number = next_number++;
    place->queue = below(queues);
    say("add %d to queue %d\n", work->number, place->queue);
    struct tevent_queue *to = queue[place->queue];
    unsigned how = below(5);
    if (how > 1) tevent_req_set_callback(place->req, done, NULL);
    if (how == 0) {
        tevent_queue_add(to, ev, place->req, NULL, NULL);
    } else if (how == 1 && tevent_queue_length(to) > 0) {
        place->entry = tevent_queue_add_optimize_empty(to, ev, place->req, trigger, NULL);
    } else {
        place->entry = tevent_queue_add_entry(to, ev, place->req, trigger, NULL);
    }
}

static void step(void)
{
    struct place *place = &places[below(most)];
    struct tevent_queue *some = queue[below(queues)];
    switch (below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
        add();
        break;
    case 4:
        if (place->req != NULL) {
            say("free %d\n", number(place->req));
            forget(place);
        }
        break;
    case 5:
        if (place->entry != NULL) {
            say("free the entry of %d\n", number(place->req));
            TALLOC_FREE(place->entry);
        }
        break;
    case 6:
        tevent_queue_stop(some);
        break;
    case 7:
        tevent_queue_start(some);
        break;
    case 8:
        tevent_schedule_immediate(tevent_create_immediate(ev), ev, run, NULL);
        break;
    case 9:
        if (place->req != NULL && tevent_req_is_in_progress(place->req)) tevent_req_done(place->req);
        break;
    }
}

static void program(uint64_t number)
{
    seed = number;
    next_number = 0;
    ev = tevent_context_init(NULL);
    for (int i = 0; i < queues; i++) queue[i] = tevent_queue_create(ev, "queue");
    for (int i = 0; i < steps; i++) {
        step();
        if (below(3) > 0) continue;
        /* Everything that was waiting has run by now. */
        say("loop\n");
        tevent_loop_wait(ev);
        for (int k = 0; k < queues; k++) {
            say("%d %zu ", tevent_queue_running(queue[k]), tevent_queue_length(queue[k]));
        }
        say("\n");
    }
    for (int i = 0; i < most; i++) {
        if (places[i].req != NULL) forget(&places[i]);
    }
    talloc_free(ev);
}

int main(int count, char **arguments)
{
    shows_all = count > 2;
    uint64_t first = shows_all ? strtoull(arguments[1], NULL, 10) : 1;
    uint64_t last = shows_all ? strtoull(arguments[2], NULL, 10) : 1000;
    for (uint64_t number = first; number <= last; number++) {
        say("-- program %d\n", (int)number);
        program(number);
        if (!shows_all && number % 100 == 0) printf("%4d %016llx\n", (int)number, (unsigned long long)checksum);
    }
    return 0;
}
