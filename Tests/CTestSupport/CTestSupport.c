#define _GNU_SOURCE
#include "CTestSupport.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t test_fork(void) { return fork(); }

long test_limit_descriptors(long count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return -1;
    }
    long before = (long)limit.rlim_cur;
    limit.rlim_cur = (rlim_t)count;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? before : -1;
}

int test_queue_signal(int signal, int value)
{
    return sigqueue(getpid(), signal, (union sigval){.sival_int = value});
}

int test_queue_signal_here(int signal, int value)
{
    return pthread_sigqueue(pthread_self(), signal, (union sigval){.sival_int = value});
}

void test_set_disposition(int signal, int is_ignored)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = is_ignored ? SIG_IGN : SIG_DFL;
    sigaction(signal, &action, NULL);
}

int test_disposition(int signal)
{
    struct sigaction action;
    sigaction(signal, NULL, &action);
    if (action.sa_handler == SIG_DFL) {
        return 0;
    }
    return action.sa_handler == SIG_IGN ? 1 : 2;
}

void test_block(int signal, int is_blocked)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(is_blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

int test_is_blocked(int signal)
{
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, signal);
}

int test_is_thread_sanitized(void)
{
#if __has_feature(thread_sanitizer)
    return 1;
#else
    return 0;
#endif
}

#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
long test_allocations(void) { return 0; }

int test_counts_allocations(void) { return 0; }
#else
static _Thread_local long allocations;

extern void *__libc_malloc(size_t size);

/* Replaces the C library's malloc in the whole test program, and counts its calls. */
void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

long test_allocations(void) { return allocations; }

int test_counts_allocations(void) { return 1; }
#endif

int test_set_stack_size(long size)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    int result = pthread_attr_setstacksize(&attributes, (size_t)size);
    if (result == 0) {
        result = pthread_setattr_default_np(&attributes);
    }
    pthread_attr_destroy(&attributes);
    return result;
}

int test_use_one_processor(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return -1;
    }
    int processor = 0;
    while (!CPU_ISSET(processor, &set)) {
        processor++;
    }
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return sched_setaffinity(0, sizeof(set), &set);
}
