/* libtevent's interface to C programs, as this project's engine implements it (see Sources/TeventC).
 *
 * Programs include libtevent's own tevent.h. This header repeats it for the Swift compiler, which checks each function
 * against its declaration here; a test compares these declarations with tevent.h. */
#ifndef CTEVENT_H
#define CTEVENT_H

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/types.h>

struct tevent_context;
struct tevent_fd;
struct tevent_immediate;
struct tevent_queue;
struct tevent_queue_entry;
struct tevent_req;
struct tevent_req_profile;
struct tevent_signal;
struct tevent_thread_proxy;
struct tevent_threaded_context;
struct tevent_timer;

/* Names that libtevent does not have, or not yet in 0.14. */

typedef void (*tevent_abort_fn_t)(const char *reason);
typedef bool (*tevent_finished_fn_t)(void *private_data);

enum tevent_thread_call_depth_cmd {
    TEVENT_CALL_FLOW_REQ_RESET,
    TEVENT_CALL_FLOW_REQ_CREATE,
    TEVENT_CALL_FLOW_REQ_CANCEL,
    TEVENT_CALL_FLOW_REQ_CLEANUP,
    TEVENT_CALL_FLOW_REQ_NOTIFY_CB,
    TEVENT_CALL_FLOW_REQ_QUEUE_ENTER,
    TEVENT_CALL_FLOW_REQ_QUEUE_TRIGGER,
    TEVENT_CALL_FLOW_REQ_QUEUE_LEAVE,
};

typedef void (*tevent_call_depth_callback_t)(
    void *private_data, enum tevent_thread_call_depth_cmd command, struct tevent_req *req, size_t depth,
    const char *function);

/* Also declared in tevent.h; if that is included first, both must declare each function alike. */
#ifndef __TEVENT_H__

/* Functions of the program. */

typedef void (*tevent_fd_handler_t)(
    struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *private_data);
typedef void (*tevent_fd_close_fn_t)(struct tevent_context *ev, struct tevent_fd *fde, int fd, void *private_data);
typedef void (*tevent_timer_handler_t)(
    struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *private_data);
typedef void (*tevent_immediate_handler_t)(
    struct tevent_context *ev, struct tevent_immediate *im, void *private_data);
typedef void (*tevent_signal_handler_t)(
    struct tevent_context *ev, struct tevent_signal *se, int number, int count, void *info, void *private_data);
typedef int (*tevent_nesting_hook)(
    struct tevent_context *ev, void *private_data, uint32_t level, bool begins, void *stack, const char *location);

enum tevent_debug_level {
    TEVENT_DEBUG_FATAL,
    TEVENT_DEBUG_ERROR,
    TEVENT_DEBUG_WARNING,
    TEVENT_DEBUG_TRACE,
};

typedef void (*tevent_debug_fn)(
    void *private_data, enum tevent_debug_level level, const char *format, va_list arguments);

enum tevent_trace_point {
    TEVENT_TRACE_BEFORE_WAIT,
    TEVENT_TRACE_AFTER_WAIT,
    TEVENT_TRACE_BEFORE_LOOP_ONCE,
    TEVENT_TRACE_AFTER_LOOP_ONCE,
};

enum tevent_event_trace_point {
    TEVENT_EVENT_TRACE_ATTACH,
    TEVENT_EVENT_TRACE_DETACH,
    TEVENT_EVENT_TRACE_BEFORE_HANDLER,
};

typedef void (*tevent_trace_callback_t)(enum tevent_trace_point point, void *private_data);
typedef void (*tevent_trace_fd_callback_t)(
    struct tevent_fd *fde, enum tevent_event_trace_point point, void *private_data);
typedef void (*tevent_trace_signal_callback_t)(
    struct tevent_signal *se, enum tevent_event_trace_point point, void *private_data);
typedef void (*tevent_trace_timer_callback_t)(
    struct tevent_timer *te, enum tevent_event_trace_point point, void *private_data);
typedef void (*tevent_trace_immediate_callback_t)(
    struct tevent_immediate *im, enum tevent_event_trace_point point, void *private_data);
typedef void (*tevent_trace_queue_callback_t)(
    struct tevent_queue_entry *entry, enum tevent_event_trace_point point, void *private_data);

enum tevent_req_state {
    TEVENT_REQ_INIT,
    TEVENT_REQ_IN_PROGRESS,
    TEVENT_REQ_DONE,
    TEVENT_REQ_USER_ERROR,
    TEVENT_REQ_TIMED_OUT,
    TEVENT_REQ_NO_MEMORY,
    TEVENT_REQ_RECEIVED,
};

typedef void (*tevent_req_fn)(struct tevent_req *req);
typedef char *(*tevent_req_print_fn)(struct tevent_req *req, void *mem_ctx);
typedef bool (*tevent_req_cancel_fn)(struct tevent_req *req);
typedef void (*tevent_req_cleanup_fn)(struct tevent_req *req, enum tevent_req_state state);
typedef void (*tevent_queue_trigger_fn_t)(struct tevent_req *req, void *private_data);

/* The functions of a backend and of a wrapper. */

struct tevent_ops {
    int (*context_init)(struct tevent_context *ev);
    struct tevent_fd *(*add_fd)(
        struct tevent_context *ev, void *mem_ctx, int fd, uint16_t flags, tevent_fd_handler_t handler,
        void *private_data, const char *handler_name, const char *location);
    void (*set_fd_close_fn)(struct tevent_fd *fde, tevent_fd_close_fn_t close_fn);
    uint16_t (*get_fd_flags)(struct tevent_fd *fde);
    void (*set_fd_flags)(struct tevent_fd *fde, uint16_t flags);
    struct tevent_timer *(*add_timer)(
        struct tevent_context *ev, void *mem_ctx, struct timeval deadline, tevent_timer_handler_t handler,
        void *private_data, const char *handler_name, const char *location);
    void (*schedule_immediate)(
        struct tevent_immediate *im, struct tevent_context *ev, tevent_immediate_handler_t handler,
        void *private_data, const char *handler_name, const char *location);
    struct tevent_signal *(*add_signal)(
        struct tevent_context *ev, void *mem_ctx, int number, int sa_flags, tevent_signal_handler_t handler,
        void *private_data, const char *handler_name, const char *location);
    int (*loop_once)(struct tevent_context *ev, const char *location);
    int (*loop_wait)(struct tevent_context *ev, const char *location);
};

struct tevent_wrapper_ops {
    const char *name;
    bool (*before_use)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, const char *location);
    void (*after_use)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, const char *location);
    void (*before_fd_handler)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, struct tevent_fd *fde,
        uint16_t flags, const char *handler_name, const char *location);
    void (*after_fd_handler)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, struct tevent_fd *fde,
        uint16_t flags, const char *handler_name, const char *location);
    void (*before_timer_handler)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, struct tevent_timer *te,
        struct timeval requested, struct timeval now, const char *handler_name, const char *location);
    void (*after_timer_handler)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, struct tevent_timer *te,
        struct timeval requested, struct timeval now, const char *handler_name, const char *location);
    void (*before_immediate_handler)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, struct tevent_immediate *im,
        const char *handler_name, const char *location);
    void (*after_immediate_handler)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, struct tevent_immediate *im,
        const char *handler_name, const char *location);
    void (*before_signal_handler)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, struct tevent_signal *se,
        int number, int count, void *info, const char *handler_name, const char *location);
    void (*after_signal_handler)(
        struct tevent_context *wrapper, void *state, struct tevent_context *main, struct tevent_signal *se,
        int number, int count, void *info, const char *handler_name, const char *location);
};

#endif

/* Contexts and loops. */

struct tevent_context *tevent_context_init(void *mem_ctx);
struct tevent_context *tevent_context_init_byname(void *mem_ctx, const char *name);
struct tevent_context *tevent_context_init_ops(void *mem_ctx, const struct tevent_ops *ops, void *additional_data);
uint32_t tevent_context_set_wait_timeout(struct tevent_context *ev, uint32_t seconds);
const char **tevent_backend_list(void *mem_ctx);
void tevent_set_default_backend(const char *name);
bool tevent_register_backend(const char *name, const struct tevent_ops *ops);
const struct tevent_ops *tevent_find_ops_byname(const char *name);
int tevent_re_initialise(struct tevent_context *ev);
int _tevent_loop_once(struct tevent_context *ev, const char *location);
int _tevent_loop_wait(struct tevent_context *ev, const char *location);
int _tevent_loop_until(
    struct tevent_context *ev, tevent_finished_fn_t finished, void *private_data, const char *location);
void tevent_loop_allow_nesting(struct tevent_context *ev);
void tevent_loop_set_nesting_hook(struct tevent_context *ev, tevent_nesting_hook hook, void *private_data);

/* Events. */

struct tevent_fd *_tevent_add_fd(
    struct tevent_context *ev, void *mem_ctx, int fd, uint16_t flags, tevent_fd_handler_t handler,
    void *private_data, const char *handler_name, const char *location);
void tevent_fd_set_close_fn(struct tevent_fd *fde, tevent_fd_close_fn_t close_fn);
void tevent_fd_set_auto_close(struct tevent_fd *fde);
uint16_t tevent_fd_get_flags(struct tevent_fd *fde);
void tevent_fd_set_flags(struct tevent_fd *fde, uint16_t flags);
void tevent_fd_set_tag(struct tevent_fd *fde, uint64_t tag);
uint64_t tevent_fd_get_tag(const struct tevent_fd *fde);

struct tevent_timer *_tevent_add_timer(
    struct tevent_context *ev, void *mem_ctx, struct timeval deadline, tevent_timer_handler_t handler,
    void *private_data, const char *handler_name, const char *location);
void tevent_update_timer(struct tevent_timer *te, struct timeval deadline);
void tevent_timer_set_tag(struct tevent_timer *te, uint64_t tag);
uint64_t tevent_timer_get_tag(const struct tevent_timer *te);

struct tevent_immediate *_tevent_create_immediate(void *mem_ctx, const char *location);
void _tevent_schedule_immediate(
    struct tevent_immediate *im, struct tevent_context *ev, tevent_immediate_handler_t handler, void *private_data,
    const char *handler_name, const char *location);
void tevent_reset_immediate(struct tevent_immediate *im);
void tevent_immediate_set_tag(struct tevent_immediate *im, uint64_t tag);
uint64_t tevent_immediate_get_tag(const struct tevent_immediate *im);

struct tevent_signal *_tevent_add_signal(
    struct tevent_context *ev, void *mem_ctx, int number, int sa_flags, tevent_signal_handler_t handler,
    void *private_data, const char *handler_name, const char *location);
void tevent_signal_set_tag(struct tevent_signal *se, uint64_t tag);
uint64_t tevent_signal_get_tag(const struct tevent_signal *se);
bool tevent_signal_support(struct tevent_context *ev);
size_t tevent_num_signals(void);
size_t tevent_sa_info_queue_count(void);
void tevent_cleanup_pending_signal_handlers(struct tevent_signal *se);

/* Times. */

int tevent_timeval_compare(const struct timeval *left, const struct timeval *right);
struct timeval tevent_timeval_zero(void);
struct timeval tevent_timeval_current(void);
struct timeval tevent_timeval_set(uint32_t seconds, uint32_t microseconds);
struct timeval tevent_timeval_until(const struct timeval *from, const struct timeval *to);
bool tevent_timeval_is_zero(const struct timeval *time);
struct timeval tevent_timeval_add(const struct timeval *time, uint32_t seconds, uint32_t microseconds);
struct timeval tevent_timeval_current_ofs(uint32_t seconds, uint32_t microseconds);

/* Debugging. */

void tevent_set_abort_fn(tevent_abort_fn_t abort_fn);
void tevent_abort(struct tevent_context *ev, const char *reason);
int tevent_set_debug(struct tevent_context *ev, tevent_debug_fn debug, void *private_data);
int tevent_set_debug_stderr(struct tevent_context *ev);
enum tevent_debug_level tevent_set_max_debug_level(struct tevent_context *ev, enum tevent_debug_level level);
void tevent_debug(struct tevent_context *ev, enum tevent_debug_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
pid_t tevent_cached_getpid(void);

void tevent_set_trace_callback(struct tevent_context *ev, tevent_trace_callback_t callback, void *private_data);
void tevent_get_trace_callback(struct tevent_context *ev, tevent_trace_callback_t *callback, void *private_data);
void tevent_trace_point_callback(struct tevent_context *ev, enum tevent_trace_point point);
void tevent_set_trace_fd_callback(struct tevent_context *ev, tevent_trace_fd_callback_t callback, void *private_data);
void tevent_get_trace_fd_callback(
    struct tevent_context *ev, tevent_trace_fd_callback_t *callback, void *private_data);
void tevent_trace_fd_callback(
    struct tevent_context *ev, struct tevent_fd *fde, enum tevent_event_trace_point point);
void tevent_set_trace_signal_callback(
    struct tevent_context *ev, tevent_trace_signal_callback_t callback, void *private_data);
void tevent_get_trace_signal_callback(
    struct tevent_context *ev, tevent_trace_signal_callback_t *callback, void *private_data);
void tevent_trace_signal_callback(
    struct tevent_context *ev, struct tevent_signal *se, enum tevent_event_trace_point point);
void tevent_set_trace_timer_callback(
    struct tevent_context *ev, tevent_trace_timer_callback_t callback, void *private_data);
void tevent_get_trace_timer_callback(
    struct tevent_context *ev, tevent_trace_timer_callback_t *callback, void *private_data);
void tevent_trace_timer_callback(
    struct tevent_context *ev, struct tevent_timer *te, enum tevent_event_trace_point point);
void tevent_set_trace_immediate_callback(
    struct tevent_context *ev, tevent_trace_immediate_callback_t callback, void *private_data);
void tevent_get_trace_immediate_callback(
    struct tevent_context *ev, tevent_trace_immediate_callback_t *callback, void *private_data);
void tevent_trace_immediate_callback(
    struct tevent_context *ev, struct tevent_immediate *im, enum tevent_event_trace_point point);
void tevent_set_trace_queue_callback(
    struct tevent_context *ev, tevent_trace_queue_callback_t callback, void *private_data);
void tevent_get_trace_queue_callback(
    struct tevent_context *ev, tevent_trace_queue_callback_t *callback, void *private_data);
void tevent_trace_queue_callback(
    struct tevent_context *ev, struct tevent_queue_entry *entry, enum tevent_event_trace_point point);

/* Requests. */

struct tevent_req *_tevent_req_create(
    void *mem_ctx, void *state_place, size_t state_size, const char *type, const char *location);
struct tevent_req *__tevent_req_create(
    void *mem_ctx, void *state_place, size_t state_size, const char *type, const char *function,
    const char *location);
void *_tevent_req_data(struct tevent_req *req);
void *_tevent_req_callback_data(struct tevent_req *req);
void tevent_req_set_callback(struct tevent_req *req, tevent_req_fn callback, void *private_data);
void _tevent_req_set_callback(
    struct tevent_req *req, tevent_req_fn callback, const char *callback_name, void *private_data);
void tevent_req_set_cancel_fn(struct tevent_req *req, tevent_req_cancel_fn cancel);
void _tevent_req_set_cancel_fn(struct tevent_req *req, tevent_req_cancel_fn cancel, const char *cancel_name);
void tevent_req_set_cleanup_fn(struct tevent_req *req, tevent_req_cleanup_fn cleanup);
void _tevent_req_set_cleanup_fn(struct tevent_req *req, tevent_req_cleanup_fn cleanup, const char *cleanup_name);
void tevent_req_set_print_fn(struct tevent_req *req, tevent_req_print_fn print);
char *tevent_req_default_print(struct tevent_req *req, void *mem_ctx);
char *tevent_req_print(void *mem_ctx, struct tevent_req *req);
void _tevent_req_done(struct tevent_req *req, const char *location);
bool _tevent_req_error(struct tevent_req *req, uint64_t error, const char *location);
bool _tevent_req_nomem(const void *memory, struct tevent_req *req, const char *location);
void _tevent_req_oom(struct tevent_req *req, const char *location);
void _tevent_req_notify_callback(struct tevent_req *req, const char *location);
bool _tevent_req_cancel(struct tevent_req *req, const char *location);
struct tevent_req *tevent_req_post(struct tevent_req *req, struct tevent_context *ev);
void tevent_req_defer_callback(struct tevent_req *req, struct tevent_context *ev);
bool tevent_req_set_endtime(struct tevent_req *req, struct tevent_context *ev, struct timeval deadline);
void tevent_req_reset_endtime(struct tevent_req *req);
// snippet: in-progress
bool tevent_req_is_in_progress(struct tevent_req *req);
// snippet-end: in-progress
bool tevent_req_is_error(struct tevent_req *req, enum tevent_req_state *state, uint64_t *error);
bool tevent_req_poll(struct tevent_req *req, struct tevent_context *ev);
void tevent_req_received(struct tevent_req *req);
struct tevent_req *tevent_wakeup_send(void *mem_ctx, struct tevent_context *ev, struct timeval deadline);
bool tevent_wakeup_recv(struct tevent_req *req);

bool tevent_req_set_profile(struct tevent_req *req);
const struct tevent_req_profile *tevent_req_get_profile(struct tevent_req *req);
struct tevent_req_profile *tevent_req_move_profile(struct tevent_req *req, void *mem_ctx);
struct tevent_req_profile *tevent_req_profile_create(void *mem_ctx);
bool tevent_req_profile_set_name(struct tevent_req_profile *profile, const char *name);
void tevent_req_profile_get_name(const struct tevent_req_profile *profile, const char **name);
bool tevent_req_profile_set_start(struct tevent_req_profile *profile, const char *location, struct timeval time);
void tevent_req_profile_get_start(
    const struct tevent_req_profile *profile, const char **location, struct timeval *time);
bool tevent_req_profile_set_stop(struct tevent_req_profile *profile, const char *location, struct timeval time);
void tevent_req_profile_get_stop(
    const struct tevent_req_profile *profile, const char **location, struct timeval *time);
void tevent_req_profile_set_status(
    struct tevent_req_profile *profile, pid_t process, enum tevent_req_state state, uint64_t error);
void tevent_req_profile_get_status(
    const struct tevent_req_profile *profile, pid_t *process, enum tevent_req_state *state, uint64_t *error);
const struct tevent_req_profile *tevent_req_profile_get_subprofiles(const struct tevent_req_profile *profile);
const struct tevent_req_profile *tevent_req_profile_next(const struct tevent_req_profile *profile);
void tevent_req_profile_append_sub(struct tevent_req_profile *parent, struct tevent_req_profile **subprofile);

void tevent_thread_call_depth_activate(size_t *depth);
void tevent_thread_call_depth_deactivate(void);
void tevent_thread_call_depth_start(struct tevent_req *req);
void tevent_thread_call_depth_reset_from_req(struct tevent_req *req);
void _tevent_thread_call_depth_reset_from_req(struct tevent_req *req, const char *function);
void tevent_thread_call_depth_set_callback(tevent_call_depth_callback_t callback, void *private_data);

/* Queues. */

struct tevent_queue *_tevent_queue_create(void *mem_ctx, const char *name, const char *location);
bool tevent_queue_add(
    struct tevent_queue *queue, struct tevent_context *ev, struct tevent_req *req,
    tevent_queue_trigger_fn_t trigger, void *private_data);
bool _tevent_queue_add(
    struct tevent_queue *queue, struct tevent_context *ev, struct tevent_req *req,
    tevent_queue_trigger_fn_t trigger, const char *trigger_name, void *private_data);
struct tevent_queue_entry *tevent_queue_add_entry(
    struct tevent_queue *queue, struct tevent_context *ev, struct tevent_req *req,
    tevent_queue_trigger_fn_t trigger, void *private_data);
struct tevent_queue_entry *_tevent_queue_add_entry(
    struct tevent_queue *queue, struct tevent_context *ev, struct tevent_req *req,
    tevent_queue_trigger_fn_t trigger, const char *trigger_name, void *private_data);
struct tevent_queue_entry *tevent_queue_add_optimize_empty(
    struct tevent_queue *queue, struct tevent_context *ev, struct tevent_req *req,
    tevent_queue_trigger_fn_t trigger, void *private_data);
struct tevent_queue_entry *_tevent_queue_add_optimize_empty(
    struct tevent_queue *queue, struct tevent_context *ev, struct tevent_req *req,
    tevent_queue_trigger_fn_t trigger, const char *trigger_name, void *private_data);
void tevent_queue_entry_untrigger(struct tevent_queue_entry *entry);
void tevent_queue_entry_set_tag(struct tevent_queue_entry *entry, uint64_t tag);
uint64_t tevent_queue_entry_get_tag(const struct tevent_queue_entry *entry);
void tevent_queue_start(struct tevent_queue *queue);
void tevent_queue_stop(struct tevent_queue *queue);
size_t tevent_queue_length(struct tevent_queue *queue);
bool tevent_queue_running(struct tevent_queue *queue);
struct tevent_req *tevent_queue_wait_send(void *mem_ctx, struct tevent_context *ev, struct tevent_queue *queue);
bool tevent_queue_wait_recv(struct tevent_req *req);

/* Threads. */

struct tevent_thread_proxy *tevent_thread_proxy_create(struct tevent_context *ev);
void tevent_thread_proxy_schedule(
    struct tevent_thread_proxy *proxy, struct tevent_immediate **im_place, tevent_immediate_handler_t handler,
    void *private_data_place);
struct tevent_threaded_context *tevent_threaded_context_create(void *mem_ctx, struct tevent_context *ev);
void _tevent_threaded_schedule_immediate(
    struct tevent_threaded_context *threaded, struct tevent_immediate *im, tevent_immediate_handler_t handler,
    void *private_data, const char *handler_name, const char *location);

/* Wrapper contexts. */

struct tevent_context *_tevent_context_wrapper_create(
    struct tevent_context *main, void *mem_ctx, const struct tevent_wrapper_ops *ops, void *state_place,
    size_t state_size, const char *type, const char *location);
bool tevent_context_is_wrapper(struct tevent_context *ev);
bool tevent_context_same_loop(struct tevent_context *left, struct tevent_context *right);
bool _tevent_context_push_use(struct tevent_context *ev, const char *location);
void _tevent_context_pop_use(struct tevent_context *ev, const char *location);

/* For the program's own backends. */

struct tevent_fd *tevent_common_add_fd(
    struct tevent_context *ev, void *mem_ctx, int fd, uint16_t flags, tevent_fd_handler_t handler,
    void *private_data, const char *handler_name, const char *location);
int tevent_common_fd_destructor(struct tevent_fd *fde);
void tevent_common_fd_set_close_fn(struct tevent_fd *fde, tevent_fd_close_fn_t close_fn);
uint16_t tevent_common_fd_get_flags(struct tevent_fd *fde);
void tevent_common_fd_set_flags(struct tevent_fd *fde, uint16_t flags);
int tevent_common_invoke_fd_handler(struct tevent_fd *fde, uint16_t flags, bool *removed);
struct tevent_timer *tevent_common_add_timer(
    struct tevent_context *ev, void *mem_ctx, struct timeval deadline, tevent_timer_handler_t handler,
    void *private_data, const char *handler_name, const char *location);
struct tevent_timer *tevent_common_add_timer_v2(
    struct tevent_context *ev, void *mem_ctx, struct timeval deadline, tevent_timer_handler_t handler,
    void *private_data, const char *handler_name, const char *location);
struct timeval tevent_common_loop_timer_delay(struct tevent_context *ev);
int tevent_common_invoke_timer_handler(struct tevent_timer *te, struct timeval now, bool *removed);
void tevent_common_schedule_immediate(
    struct tevent_immediate *im, struct tevent_context *ev, tevent_immediate_handler_t handler, void *private_data,
    const char *handler_name, const char *location);
void tevent_common_immediate_cancel(struct tevent_immediate *im);
bool tevent_common_loop_immediate(struct tevent_context *ev);
int tevent_common_invoke_immediate_handler(struct tevent_immediate *im, bool *removed);
struct tevent_signal *tevent_common_add_signal(
    struct tevent_context *ev, void *mem_ctx, int number, int sa_flags, tevent_signal_handler_t handler,
    void *private_data, const char *handler_name, const char *location);
int tevent_common_check_signal(struct tevent_context *ev);
int tevent_common_invoke_signal_handler(struct tevent_signal *se, int number, int count, void *info, bool *removed);
void tevent_common_threaded_activate_immediate(struct tevent_context *ev);
bool tevent_common_have_events(struct tevent_context *ev);
int tevent_common_loop_wait(struct tevent_context *ev, const char *location);
int tevent_common_context_destructor(struct tevent_context *ev);
void tevent_common_check_double_free(void *memory, const char *reason);
int tevent_common_wakeup_init(struct tevent_context *ev);
int tevent_common_wakeup(struct tevent_context *ev);
int tevent_common_wakeup_fd(int fd);

/* Functions with variable arguments, which Swift cannot define. */

/* Stores the function that receives messages, and its data. The function is passed as an address, since Swift cannot
   express a function type with va_list. */
void ctevent_set_debug(struct tevent_context *ev, void *debug, void *private_data);

/* Returns the receiver of messages of this level, or NULL if there is none. */
void *ctevent_find_debug(struct tevent_context *ev, enum tevent_debug_level level, void **private_data);

/* Found without a call, like those of Sources/CLinux/include/CLinux.h. */
#define CTEVENT_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/* The innermost event handler running in this thread; see Sources/TeventC/Running.swift. */
extern CTEVENT_THREAD_LOCAL void *ctevent_running;

static inline void **ctevent_running_here(void) { return &ctevent_running; }

/* Where to store how deeply the thread's requests are nested, and the function to call about it; see
   Sources/TeventC/CallDepth.swift. */
struct ctevent_call_depth {
    size_t *depth;
    tevent_call_depth_callback_t callback;
    void *private_data;
};

extern CTEVENT_THREAD_LOCAL struct ctevent_call_depth ctevent_call_depth;

static inline struct ctevent_call_depth *ctevent_call_depth_here(void) { return &ctevent_call_depth; }

/* Calls a debug function with a message that is already formatted. */
void ctevent_call_debug(void *debug, void *private_data, enum tevent_debug_level level, const char *message);

/* Ends a program that has no abort function. */
void ctevent_print_reason(const char *reason);

/* Where the environment asks for a recording, or NULL; an environment that another user may have set does not count. */
const char *ctevent_recording_path(void);

#endif
