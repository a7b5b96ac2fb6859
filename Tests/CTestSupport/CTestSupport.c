#define _GNU_SOURCE
#include "CTestSupport.h"

#include <pthread.h>
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

int test_is_blocked(int signal)
{
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, signal);
}

int test_is_thread_sanitized(void)
{
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    return 1;
#endif
#endif
    return 0;
}
