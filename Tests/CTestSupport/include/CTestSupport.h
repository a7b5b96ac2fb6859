/* What tests need from the system that Swift does not offer. */
#ifndef CTESTSUPPORT_H
#define CTESTSUPPORT_H

#include <signal.h>
#include <sys/types.h>

/* fork(2), which Swift's own modules hide. */
pid_t test_fork(void);

/* Sets the soft limit of open descriptors; returns the previous one, or -1. */
long test_limit_descriptors(long count);

/* Sends the calling process a signal with a value. */
int test_queue_signal(int signal, int value);

/* Sends the calling thread a signal with a value; it is delivered before the call returns. */
int test_queue_signal_here(int signal, int value);

/* Sets a signal's disposition to SIG_DFL or SIG_IGN; returns 0 for SIG_DFL, 1 for SIG_IGN, 2 for a handler. */
void test_set_disposition(int signal, int is_ignored);
int test_disposition(int signal);

/* Makes the calling thread block the signal, or stop blocking it. */
void test_block(int signal, int is_blocked);

/* Whether the calling thread blocks the signal. */
int test_is_blocked(int signal);

/* Whether the thread sanitizer watches the program. */
int test_is_thread_sanitized(void);

/* How often the calling thread has called malloc, if that is counted; a sanitizer has its own malloc. */
long test_allocations(void);
int test_counts_allocations(void);

/* Sets the size of the stacks of new threads; returns 0 or an error. */
int test_set_stack_size(long size);

/* Limits the calling thread to one of its processors; returns 0 or -1. */
int test_use_one_processor(void);

/* Records the system calls that the calling thread makes from now on, of those that can be made to fail. */
void test_note_calls(void);

/* The name of a recorded call, or NULL if fewer were recorded. */
const char *test_call(long number);

/* Makes system calls of the calling thread fail from now on: `count` calls of this name, after `after` others. The name
 * must stay valid. */
void test_fail_calls(const char *name, long after, long count, int code);

/* Ends both, and returns how many calls failed. */
long test_stop_failing_calls(void);

/* Whether calls can be made to fail; a sanitizer has its own versions of these functions. */
int test_can_fail_calls(void);

#endif
