/* Calls each function once for each of its pointers with NULL in its place, in a child of its own with all that the calls
 * need, and tells what came of it.
 *
 * A program defines `shows_messages`: whether to print what the library says of calls that end the program, or what the
 * other calls return and that these end. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <talloc.h>
#define TEVENT_DEPRECATED 1
#include <tevent.h>
#include <unistd.h>
#include "../../../Sources/CTevent/include/CTevent.h"

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"
/* The type of an argument is not always known where NULL is passed. */
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* Functions of a program. */
static bool finished(void *data) { return true; }
static int nesting_hook(struct tevent_context *e, void *d, uint32_t l, bool b, void *s, const char *w) { return 0; }
static void fd_handler(struct tevent_context *e, struct tevent_fd *f, uint16_t flags, void *data) {}
static void close_fn(struct tevent_context *e, struct tevent_fd *f, int fd, void *data) {}
static void timer_handler(struct tevent_context *e, struct tevent_timer *t, struct timeval now, void *data) {}
static void immediate_handler(struct tevent_context *e, struct tevent_immediate *i, void *data) {}
static void signal_handler(struct tevent_context *e, struct tevent_signal *s, int n, int c, void *i, void *data) {}
static void abort_fn(const char *text) {}
static void debug_fn(void *data, enum tevent_debug_level level, const char *format, va_list arguments) {}
static void trace(enum tevent_trace_point point, void *data) {}
static void trace_fd(struct tevent_fd *f, enum tevent_event_trace_point point, void *data) {}
static void trace_signal(struct tevent_signal *s, enum tevent_event_trace_point point, void *data) {}
static void trace_timer(struct tevent_timer *t, enum tevent_event_trace_point point, void *data) {}
static void trace_immediate(struct tevent_immediate *i, enum tevent_event_trace_point point, void *data) {}
static void trace_queue(struct tevent_queue_entry *e, enum tevent_event_trace_point point, void *data) {}
static void req_fn(struct tevent_req *r) {}
static bool cancel_fn(struct tevent_req *r) { return true; }
static void cleanup_fn(struct tevent_req *r, enum tevent_req_state state) {}
static char *print_fn(struct tevent_req *r, void *parent) { return talloc_strdup(parent, "printed"); }
static void trigger(struct tevent_req *r, void *data) {}
static void finish(struct tevent_context *e, struct tevent_immediate *i, void *r) { tevent_req_done(r); }
static void depth_callback(
    void *data, enum tevent_thread_call_depth_cmd command, struct tevent_req *r, size_t depth, const char *function)
{
}
static bool before_use(struct tevent_context *w, void *s, struct tevent_context *m, const char *l) { return true; }
static void after_use(struct tevent_context *w, void *s, struct tevent_context *m, const char *l) {}
static const struct tevent_wrapper_ops wrapper_functions = {
    .name = "wrapper", .before_use = before_use, .after_use = after_use};

/* The arguments of the calls. */
static struct tevent_context *ev, *fresh, *busy, *finishing;
static void *mem_ctx, *data, *no_data, *state;
static int ends[2];
static struct tevent_fd *fde;
static struct tevent_timer *te;
static struct tevent_immediate *im, *scheduled, *no_im;
static struct tevent_signal *se;
static struct tevent_req *req;
static struct tevent_queue *queue, *empty_queue;
static struct tevent_queue_entry *entry;
static struct tevent_thread_proxy *proxy;
static struct tevent_threaded_context *threaded;
static struct tevent_req_profile *profile, *subprofile, *no_profile;
static const struct tevent_ops *ops;
static const char *const backend = "poll", *const name = "a name", *const location = "here", *const type = "char",
                         *const reason = "a reason", *const empty = "";
static const struct tevent_wrapper_ops *const wrapper_ops = &wrapper_functions;
static struct timeval time[1], other_time[1], later;
static size_t depth[1];
static bool removed[1];
static pid_t process[1];
static enum tevent_req_state state_of_req[1];
static uint64_t error[1];
static const char *name_place[1];
static void **const data_place = &data, **const state_place = &state;
static struct tevent_immediate **const im_place = &im;
static struct tevent_req_profile **const subprofile_place = &subprofile;
static tevent_trace_callback_t trace_place[1];
static tevent_trace_fd_callback_t trace_fd_place[1];
static tevent_trace_signal_callback_t trace_signal_place[1];
static tevent_trace_timer_callback_t trace_timer_place[1];
static tevent_trace_immediate_callback_t trace_immediate_place[1];
static tevent_trace_queue_callback_t trace_queue_place[1];

static void prepare(void)
{
    ev = tevent_context_init(NULL);
    fresh = tevent_context_init(NULL);
    busy = tevent_context_init(NULL);
    finishing = tevent_context_init(NULL);
    mem_ctx = talloc_new(NULL);
    if (pipe(ends) != 0) _exit(1);
    later = tevent_timeval_current_ofs(3600, 0);
    fde = tevent_add_fd(ev, mem_ctx, ends[0], TEVENT_FD_READ, fd_handler, NULL);
    te = tevent_add_timer(ev, mem_ctx, later, timer_handler, NULL);
    im = tevent_create_immediate(NULL);
    se = tevent_add_signal(ev, mem_ctx, SIGUSR1, 0, signal_handler, NULL);
    data = talloc_size(NULL, 256);
    req = _tevent_req_create(mem_ctx, &state, 8, "struct state", "where the request was made");
    queue = tevent_queue_create(mem_ctx, "queue");
    empty_queue = tevent_queue_create(mem_ctx, "empty");
    entry = tevent_queue_add_entry(queue, ev, req, trigger, NULL);
    proxy = tevent_thread_proxy_create(ev);
    threaded = tevent_threaded_context_create(NULL, ev);
    profile = tevent_req_profile_create(mem_ctx);
    subprofile = tevent_req_profile_create(mem_ctx);
    ops = tevent_find_ops_byname("epoll");
    tevent_schedule_immediate(tevent_create_immediate(finishing), finishing, finish, req);
    scheduled = tevent_create_immediate(busy);
    tevent_schedule_immediate(scheduled, busy, immediate_handler, NULL);
}

/* The current call, and which of its arguments is NULL; none if only the call's text is wanted. */
static int wanted, turn;
static char nulled[40];
static const char *text;
static char outcome[200];

#define N(argument) (strcmp(nulled, #argument) == 0 ? NULL : (argument))
#define M(argument) N(argument)
#define NEW(function) ((__typeof__(&function))dlsym(RTLD_DEFAULT, #function))
#define WHEN(call, ...)             \
    if (turn++ == wanted) {         \
        if (nulled[0] == 0) {       \
            text = call;            \
        } else {                    \
            __VA_ARGS__;            \
        }                           \
    }
#define NOTHING(...) WHEN(#__VA_ARGS__, __VA_ARGS__; strcpy(outcome, "returns"))
#define NUMBER(...) WHEN(#__VA_ARGS__, sprintf(outcome, "%lld", (long long)(__VA_ARGS__)))
#define POINTER(...) WHEN(#__VA_ARGS__, strcpy(outcome, (__VA_ARGS__) ? "something" : "NULL"))
#define TIME(...) \
    WHEN(#__VA_ARGS__, struct timeval t = __VA_ARGS__; sprintf(outcome, "%ld s %ld us", t.tv_sec, t.tv_usec))

static void do_call(int number)
{
    wanted = number;
    turn = 0;
#include "calls.h"
}

/* Makes a call in a child; its outcome is what it returned, or the message at its end. */
static bool does_return(int number)
{
    int channel[2], status;
    if (pipe(channel) != 0) _exit(1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(channel[1], 1);
        dup2(channel[1], 2);
        prepare();
        do_call(number);
        dprintf(1, "%s", outcome);
        _exit(0);
    }
    close(channel[1]);
    ssize_t count = 0, more;
    memset(outcome, 0, sizeof(outcome));
    while ((more = read(channel[0], outcome + count, sizeof(outcome) - 1 - count)) > 0) count += more;
    close(channel[0]);
    waitpid(child, &status, 0);
    outcome[strcspn(outcome, "\n")] = 0;
    return WIFEXITED(status);
}

/* Prints a call without the marks. */
static void print_call(void)
{
    for (const char *at = text; *at != 0; at++) {
        char name[80];
        int length = 0;
        if (sscanf(at, "NEW(%79[a-z_])%n", name, &length) == 1 || sscanf(at, "N(%79[a-z_])%n", name, &length) == 1 ||
            sscanf(at, "M(%79[a-z_])%n", name, &length) == 1) {
            printf("%s", name);
            at += length - 1;
        } else {
            putchar(*at);
        }
    }
    printf(":\n");
}

/* Tries a call with NULL for an argument, and prints the requested part of the outcome. */
static void try_without(bool is_needed_in_c, int number, bool *is_first)
{
    if (is_needed_in_c && !shows_messages) return;
    bool returns = does_return(number);
    if (shows_messages && returns && !is_needed_in_c) return;
    if (*is_first) print_call();
    *is_first = false;
    printf("    %s: %s\n", nulled, returns || shows_messages ? outcome : "ends the program");
}

int main(void)
{
    for (int number = 0;; number++) {
        nulled[0] = 0;
        text = NULL;
        do_call(number);
        if (text == NULL) return 0;
        /* Functions that the installed library lacks can only be called on this one. */
        if (strstr(text, "NEW(") != NULL && !shows_messages) continue;
        bool is_first = true;
        for (const char *at = text; *at != 0; at++) {
            bool is_needed = at[0] == 'M';
            if ((is_needed || at[0] == 'N') && sscanf(at + 1, "(%39[a-z_])", nulled) == 1)
                try_without(is_needed, number, &is_first);
        }
    }
}
