/* What the library reports about requests: their text, their profiles, how deeply they are nested. Also its constants.
   */
#include "differential.h"
#include <signal.h>
#include <unistd.h>

static size_t call_depth;
static bool depth_is_shown;

void depths_begin(void)
{
    depth_is_shown = (classes & DEPTHS) != 0 && chance(40);
    if (depth_is_shown) tevent_thread_call_depth_activate(&call_depth);
}

void depths_end(void)
{
    if (depth_is_shown) tevent_thread_call_depth_deactivate();
}

void show_depth(void)
{
    if (depth_is_shown) say("call depth %zu", call_depth);
}

static bool change_depth(struct object *self)
{
    struct object *request = pick(REQUEST);
    /* A turn sets it to zero, and a library may take one more to wake up. */
    if (request == NULL || (self == NULL && signals_raised)) return false;
    if (chance(60)) {
        note("tevent_thread_call_depth_start %s", name_of(request));
        tevent_thread_call_depth_start(request->pointer);
    } else {
        note("tevent_thread_call_depth_reset_from_req %s", name_of(request));
        tevent_thread_call_depth_reset_from_req(request->pointer);
    }
    show_depth();
    return true;
}

static bool print_one(struct object *self)
{
    (void)self;
    struct object *request = pick(REQUEST);
    if (request == NULL || !is_usable(request->state)) return false;
    char *text = tevent_req_print(root->pointer, request->pointer);
    say("%s is %s", name_of(request), without_addresses(text));
    talloc_free(text);
    return true;
}

static void show_profile(const struct tevent_req_profile *profile, int level)
{
    const char *name = NULL, *start = NULL, *stop = NULL;
    struct timeval start_time, stop_time;
    pid_t pid = -1;
    enum tevent_req_state state = TEVENT_REQ_INIT;
    uint64_t error = 0;
    tevent_req_profile_get_name(profile, &name);
    tevent_req_profile_get_start(profile, &start, &start_time);
    tevent_req_profile_get_stop(profile, &stop, &stop_time);
    tevent_req_profile_get_status(profile, &pid, &state, &error);
    struct timeval beginning = clock_after(-clock_now());
    bool in_time = tevent_timeval_compare(&start_time, &beginning) >= 0;
    say("%*sprofile %s from %s%s to %s%s, state %d, error %llu%s", level * 2, "", name == NULL ? "none" : name, place(start),
        in_time ? "" : " at no time", place(stop), tevent_timeval_is_zero(&stop_time) ? " at no time" : "", state,
        (unsigned long long)error, pid == getpid() ? "" : pid == 0 ? ", no process" : ", another process");
    for (profile = tevent_req_profile_get_subprofiles(profile); profile != NULL;
         profile = tevent_req_profile_next(profile)) {
        show_profile(profile, level + 1);
    }
}

static bool profile_one(struct object *self)
{
    (void)self;
    struct object *request = pick(REQUEST);
    /* The name of a request's state goes into its profile. */
    if (request == NULL || !is_usable(request->state)) return false;
    if (chance(40) && tevent_req_get_profile(request->pointer) == NULL) {
        /* Libraries differ in what they report about one that begins after the end. */
        if (!tevent_req_is_in_progress(request->pointer)) return false;
        say("profile of %s: %d", name_of(request), tevent_req_set_profile(request->pointer));
        return true;
    }
    const struct tevent_req_profile *profile = tevent_req_get_profile(request->pointer);
    if (profile == NULL) return false;
    show_profile(profile, 0);
    if (!chance(30)) return true;
    struct tevent_req_profile *moved = tevent_req_move_profile(request->pointer, root->pointer);
    say("moved the profile of %s, it has %s", name_of(request),
        tevent_req_get_profile(request->pointer) == NULL ? "none now" : "one still");
    talloc_free(moved);
    return true;
}

static void never_called(struct tevent_context *ev, struct tevent_signal *se, int signum, int count, void *siginfo,
                         void *private_data)
{
    (void)ev, (void)se, (void)signum, (void)count, (void)siginfo, (void)private_data;
    say("a handler that should never be called");
}

/* What never changes, and calls that are refused. */
static bool ask_constants(struct object *self)
{
    (void)self;
    struct object *context = pick(CONTEXT);
    say("signals %zu, queued %zu, process %d", tevent_num_signals(), tevent_sa_info_queue_count(),
        tevent_cached_getpid() == getpid());
    if (context == NULL) return true;
    errno = 0;
    struct tevent_signal *se = tevent_add_signal(context->pointer, NULL, (int)tevent_num_signals(), 0, never_called, NULL);
    say("a signal too high: %s, errno %d", se == NULL ? "refused" : "taken", errno);
    struct tevent_fd *fde = tevent_add_fd(context->pointer, NULL, -1, TEVENT_FD_READ, NULL, NULL);
    say("no descriptor: %s, flags of none: %d", fde == NULL ? "refused" : "taken", tevent_fd_get_flags(NULL));
    tevent_fd_set_flags(NULL, TEVENT_FD_READ);
    tevent_fd_set_close_fn(NULL, NULL);
    return true;
}

static bool list_backends(struct object *self)
{
    (void)self;
    const char **names = tevent_backend_list(root->pointer);
    for (const char **name = names; *name != NULL; name++) say("back end %s", *name);
    talloc_free(names);
    say("an unknown one: %s", tevent_context_init_byname(root->pointer, "unknown") == NULL ? "refused" : "taken");
    return true;
}

const struct operation telling_operations[] = {
    {"change depth", REQUESTS | DEPTHS, 6, change_depth},
    {"print", REQUESTS | PRINTS, 4, print_one},
    {"profile", REQUESTS | PROFILES, 5, profile_one},
    {"ask constants", CONSTANTS, 2, ask_constants},
    {"list back ends", BACKENDS, 1, list_backends},
    {NULL, 0, 0, NULL},
};
