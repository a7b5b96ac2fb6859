/* What tests need of the system and Swift does not offer. */
#ifndef CTESTSUPPORT_H
#define CTESTSUPPORT_H

#include <signal.h>
#include <sys/types.h>

/* fork(2), which Swift's own modules hide. */
pid_t test_fork(void);

/* Sets the soft limit of open descriptors and returns the one before, or -1. */
long test_limit_descriptors(long count);

/* Sends the calling process a signal with a number. */
int test_queue_signal(int signal, int value);

/* Sends the calling thread a signal with a number; it is delivered before the call returns. */
int test_queue_signal_here(int signal, int value);

/* Puts SIG_DFL or SIG_IGN in place, and tells which of them, or a handler (2), is there. */
void test_set_disposition(int signal, int is_ignored);
int test_disposition(int signal);

/* Lets the calling thread block the signal, or not. */
void test_block(int signal, int is_blocked);

/* Whether the calling thread blocks the signal. */
int test_is_blocked(int signal);

/* Whether the program is watched by the thread sanitizer. */
int test_is_thread_sanitized(void);

/* How often the calling thread has called malloc, if that is counted: a sanitizer has its own malloc. */
long test_allocations(void);
int test_counts_allocations(void);

/* Sets the size of the stacks of new threads; returns 0 or an error. */
int test_set_stack_size(long size);

/* Lets the calling thread use just one of the processors that it may use now; returns 0 or -1. */
int test_use_one_processor(void);

/* Notes the system calls that the calling thread makes from now on, of those that can be made to fail. */
void test_note_calls(void);

/* The name of one of the calls that were noted, or NULL if there were not as many. */
const char *test_call(long number);

/* Lets system calls of the calling thread fail from now on: of those with this name, the one that comes after so many
 * others, and those that follow it, `count` in all. The name must stay where it is. */
void test_fail_calls(const char *name, long after, long count, int code);

/* Ends both, and tells how many calls failed. */
long test_stop_failing_calls(void);

/* Whether calls can fail: a sanitizer has its own functions in their places. */
int test_can_fail_calls(void);

#endif
