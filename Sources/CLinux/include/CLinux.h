/* Functions of Linux and C that Swift's own modules do not offer. */
#ifndef CLINUX_H
#define CLINUX_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* Thread-local variables, which Swift does not have.
 *
 * In a shared library, each access to such a variable is a call unless its place is known when the program is loaded.
 * Fixing the place makes the library for C programs take 9 % fewer instructions in the benchmark `immediate-again`, and
 * 6 % fewer in `queue-16`. The price: in a library that is loaded later, all such variables must fit into a few hundred
 * bytes; these take 120. */
#define CLINUX_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/* The list of free handle slots (see Sources/Talloc/HandleSlot.swift). */
struct clinux_free_slots {
    void *first;
    long count;
    /* Another full list of free slots, or NULL. */
    void *set_aside;
};

extern CLINUX_THREAD_LOCAL struct clinux_free_slots clinux_free_slots;

static inline struct clinux_free_slots *clinux_free_slots_here(void)
{
    return &clinux_free_slots;
}

/* Where the next message of the thread will lie (see Sources/Tevent/Waking/MessageBlock.swift). */
struct clinux_message_cells {
    void *next;
    long left;
};

extern CLINUX_THREAD_LOCAL struct clinux_message_cells clinux_message_cells;

static inline struct clinux_message_cells *clinux_message_cells_here(void)
{
    return &clinux_message_cells;
}

/* Why the thread is about to end the program, while the abort hook runs (see Sources/Talloc/Abort.swift). */
extern CLINUX_THREAD_LOCAL void *clinux_abort_reason;

static inline void **clinux_abort_reason_here(void)
{
    return &clinux_abort_reason;
}

/* How many recordings the process makes, and that of this thread, or NULL (see Sources/Talloc/Recording). The number is
 * asked for so often that it is reached directly, not through the table of a library's symbols. */
extern int32_t clinux_recordings __attribute__((visibility("hidden")));

__attribute__((always_inline)) static inline bool clinux_is_recording(void)
{
    /* An atomic load takes an instruction more, each time, for the same read of an aligned word. */
#if __has_feature(thread_sanitizer)
    return __atomic_load_n(&clinux_recordings, __ATOMIC_RELAXED) != 0;
#else
    return __builtin_expect(clinux_recordings != 0, 0);
#endif
}

static inline void clinux_count_recordings(int32_t change)
{
    __atomic_fetch_add(&clinux_recordings, change, __ATOMIC_RELAXED);
}

extern CLINUX_THREAD_LOCAL void *clinux_recording;

static inline void **clinux_recording_here(void)
{
    return &clinux_recording;
}

/* The tasks of this thread's loops (see Sources/TeventTasks): the loop whose job runs now, or NULL, and what all of them
 * share. */
struct clinux_tasks {
    void *loop;
    void *thread;
};

extern CLINUX_THREAD_LOCAL struct clinux_tasks clinux_tasks;

static inline struct clinux_tasks *clinux_tasks_here(void)
{
    return &clinux_tasks;
}

/* What the engine calls for tasks, whose module it does not know; NULL in a program that has none. The first has a task
 * continue whose wait is over, the second runs the jobs of contexts that were freed. */
typedef void (*clinux_resume_function)(uint64_t waiter);
typedef void (*clinux_run_left_function)(void);
extern clinux_resume_function clinux_resume_task;
extern clinux_run_left_function clinux_run_left;

static inline void clinux_set_task_functions(clinux_resume_function resume, clinux_run_left_function run_left)
{
    __atomic_store_n(&clinux_resume_task, resume, __ATOMIC_RELAXED);
    __atomic_store_n(&clinux_run_left, run_left, __ATOMIC_RELAXED);
}

static inline void clinux_resume(uint64_t waiter)
{
    __atomic_load_n(&clinux_resume_task, __ATOMIC_RELAXED)(waiter);
}

static inline void clinux_run_left_jobs(void)
{
    clinux_run_left_function run_left = __atomic_load_n(&clinux_run_left, __ATOMIC_RELAXED);
    if (run_left) run_left();
}

/* The part of the stack in use from which anything may be called. It ends above the real end of the stack, so that some
 * room is always left (see Stack.c). Empty until the thread first asks. */
struct clinux_stack_room {
    uintptr_t lowest;
    uintptr_t size;
};

extern CLINUX_THREAD_LOCAL struct clinux_stack_room clinux_stack_room;

/* Whether there is room to call anything. */
__attribute__((always_inline)) static inline bool clinux_has_stack_room(void)
{
    return (uintptr_t)__builtin_frame_address(0) - clinux_stack_room.lowest < clinux_stack_room.size;
}

/* Calls a function on this stack if there is room, and otherwise on a new piece of stack. Returns false without calling
 * it if there is no memory for a piece, or the process has as many pieces as it may have. */
bool clinux_call_with_stack_room(void (*function)(void *), void *argument);

/* Limits how many pieces of stack the process may use in addition to its threads' own; for tests. */
void clinux_limit_stack(long pieces);

/* A lock that fork waits for, so that a child never finds it held by a thread that does not exist there. */
struct clinux_lock {
    pthread_mutex_t mutex;
    struct clinux_lock *next;
    struct clinux_lock *previous;
};

void clinux_lock_begin(struct clinux_lock *lock);
void clinux_lock_end(struct clinux_lock *lock);

/* Runs the function that sets up a part of the program, once. Fork waits for it: unlike with swift_once, a child never
 * finds the set-up half done. */
enum clinux_part { clinux_part_talloc, clinux_part_tevent, clinux_part_c, clinux_part_count };
void clinux_set_up(enum clinux_part part, void (*function)(void));
extern bool clinux_parts[clinux_part_count];

static inline bool clinux_is_set_up(enum clinux_part part)
{
    return __atomic_load_n(&clinux_parts[part], __ATOMIC_ACQUIRE);
}

/* Calls a function in each child of a fork, before fork returns there. */
void clinux_in_each_child(void (*function)(void));

/* How many forks separate this process from the first one; set while a child still has only one thread. */
extern uint32_t clinux_fork_count;

static inline uint32_t clinux_forks(void)
{
    return clinux_fork_count;
}

/* The names of the types asked for most recently, indexed by a number that differs for most types (see
 * Sources/Talloc/TypeNames.swift). They are here because Swift initialises a global at its first use, and a fork may
 * catch it half done. */
enum { clinux_recent_type_names_count = 64 };
extern uintptr_t clinux_recent_type_names[clinux_recent_type_names_count];

static inline uintptr_t clinux_recent_type_name(uintptr_t type)
{
    return __atomic_load_n(&clinux_recent_type_names[type % clinux_recent_type_names_count], __ATOMIC_ACQUIRE);
}

static inline void clinux_set_recent_type_name(uintptr_t type, uintptr_t name)
{
    __atomic_store_n(&clinux_recent_type_names[type % clinux_recent_type_names_count], name, __ATOMIC_RELEASE);
}

/* The offset from a chunk's address at which libtalloc keeps the chunk's first child; 0 if unknown (see
 * Sources/Talloc/Children.swift). */
extern long clinux_first_child_offset;

static inline void clinux_set_first_child_offset(long offset)
{
    clinux_first_child_offset = offset;
}

/* Whether a chunk may have children. */
__attribute__((always_inline)) static inline bool clinux_may_have_children(const void *chunk)
{
    return clinux_first_child_offset == 0 || *(void *const *)((const char *)chunk + clinux_first_child_offset) != NULL;
}

/* How many memory limits the program has set (see Sources/Talloc/MemoryLimits.swift). */
extern int64_t clinux_memory_limits;

__attribute__((always_inline)) static inline bool clinux_has_memory_limits(void)
{
    return __atomic_load_n(&clinux_memory_limits, __ATOMIC_RELAXED) != 0;
}

static inline void clinux_set_memory_limits(int64_t count)
{
    __atomic_store_n(&clinux_memory_limits, count, __ATOMIC_RELAXED);
}

/* The headers declare these only for GNU extensions: accept(2), pipe(2) and dup2(2) with flags for the new descriptors,
 * a thread's name, and the processors that a process may use. */
extern int accept4(int listener, struct sockaddr *__restrict address, socklen_t *__restrict length, int flags);
extern int pipe2(int ends[2], int flags);
extern int dup3(int descriptor, int number, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int pthread_getname_np(pthread_t thread, char *name, size_t size);
extern int sched_getaffinity(__pid_t process, size_t size, cpu_set_t *set);

/* Has a function see what the program prints to standard output from now on, line by line; NULL ends that. The function is
 * called after the text was written, by the thread that printed it, and must not print. */
typedef void (*clinux_output_function)(int descriptor, const char *text, long length);
void clinux_watch_output(clinux_output_function function);

/* Stores the name of the calling thread, at most 16 bytes with its end; the process's first thread is called "main". Returns
 * false if the program has not named the thread. */
bool clinux_name_of_this_thread(char *name);

/* The number of this thread in the system, which no other thread has meanwhile. */
pid_t clinux_number_of_this_thread(void);

/* Tells the processor to start fetching memory that will be needed soon; any address is allowed. */
static inline void clinux_prefetch(const void *address)
{
    __builtin_prefetch(address);
}

/* Functions of each kind of object. They are set again and again, always to the same: only the first time is the memory
 * written, so that the processors share its cache line. */
#define CLINUX_SET(table, kind, function) \
    do { \
        if (__atomic_load_n(&table[kind], __ATOMIC_RELAXED) != function) \
            __atomic_store_n(&table[kind], function, __ATOMIC_RELAXED); \
    } while (0)

/* What each kind of scheduled object does when its turn comes (see Sources/Tevent/Events/Scheduled.swift). */
typedef void (*clinux_scheduled_act_function)(void *object, void *left_behind);
extern clinux_scheduled_act_function clinux_scheduled_acts[32];

static inline void clinux_set_scheduled_act(uint8_t kind, clinux_scheduled_act_function act)
{
    CLINUX_SET(clinux_scheduled_acts, kind, act);
}

static inline clinux_scheduled_act_function clinux_scheduled_act(uint8_t kind)
{
    return __atomic_load_n(&clinux_scheduled_acts[kind], __ATOMIC_RELAXED);
}

/* How reports describe the contents of each kind of object (see Sources/Talloc/TallocReport.swift). */
typedef const char *(*clinux_description_function)(void *object);
extern clinux_description_function clinux_descriptions[32];

static inline void clinux_set_description(uint8_t kind, clinux_description_function describe)
{
    CLINUX_SET(clinux_descriptions, kind, describe);
}

static inline clinux_description_function clinux_description(uint8_t kind)
{
    return __atomic_load_n(&clinux_descriptions[kind], __ATOMIC_RELAXED);
}

/* How many bytes an object of each kind has reserved for what is below it (see Sources/Talloc/MemoryLimits.swift). */
typedef long (*clinux_stock_function)(void *object);
extern clinux_stock_function clinux_stocks[32];

static inline void clinux_set_stock(uint8_t kind, clinux_stock_function stock) { CLINUX_SET(clinux_stocks, kind, stock); }

static inline clinux_stock_function clinux_stock(uint8_t kind)
{
    return __atomic_load_n(&clinux_stocks[kind], __ATOMIC_RELAXED);
}

#endif
