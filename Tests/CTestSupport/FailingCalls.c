/* System calls that fail when a test wants them to. They replace the C library's in the whole test program. Calls that
 * fail only for wrong arguments, such as sigaction, are not among them. */
#define _GNU_SOURCE
#include "CTestSupport.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
/* A sanitizer has its own versions of these functions. */
int test_can_fail_calls(void) { return 0; }
void test_note_calls(void) {}
void test_fail_calls(const char *name, long after, long count, int code)
{
    (void)name, (void)after, (void)count, (void)code;
}
long test_stop_failing_calls(void) { return 0; }
const char *test_call(long number) { (void)number; return NULL; }
#else

enum { most_calls = 1000 };

/* What happens to the calls of this thread; nothing while neither is set. */
static _Thread_local struct {
    int notes;
    long noted;
    const char *names[most_calls];

    const char *name;
    long before, left, failed;
    int code;
} plan;

int test_can_fail_calls(void) { return 1; }

void test_note_calls(void)
{
    plan.noted = 0;
    plan.notes = 1;
}

void test_fail_calls(const char *name, long after, long count, int code)
{
    plan.before = after;
    plan.left = count;
    plan.failed = 0;
    plan.code = code;
    plan.name = name;
}

long test_stop_failing_calls(void)
{
    plan.notes = 0;
    plan.name = NULL;
    return plan.failed;
}

const char *test_call(long number) { return number < plan.noted ? plan.names[number] : NULL; }

/* Whether this call must fail. */
static int fails(const char *name)
{
    if (plan.notes && plan.noted < most_calls)
        plan.names[plan.noted++] = name;
    if (plan.name == NULL || strcmp(plan.name, name) != 0 || plan.before-- > 0 || plan.left <= 0)
        return 0;
    plan.left--;
    plan.failed++;
    errno = plan.code;
    return 1;
}

/* The C library's function, looked up before main, since a signal handler may need it. */
#define REAL(name) \
    static __typeof__(name) *real_##name; \
    __attribute__((constructor)) static void find_##name(void) \
    { \
        if (real_##name == NULL) \
            real_##name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name); \
    }

#define CALL(name, ...) (real_##name != NULL ? (void)0 : find_##name(), real_##name(__VA_ARGS__))

#define REPLACE(result, name, parameters, ...) \
    REAL(name) \
    result name parameters { return fails(#name) ? -1 : CALL(name, __VA_ARGS__); }

REPLACE(int, epoll_create1, (int flags), flags)
REPLACE(int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event), epoll, what, fd, event)
REPLACE(int, epoll_wait, (int epoll, struct epoll_event *events, int room, int timeout), epoll, events, room, timeout)
REPLACE(int, poll, (struct pollfd *fds, nfds_t count, int timeout), fds, count, timeout)
REPLACE(int, eventfd, (unsigned int count, int flags), count, flags)
REPLACE(int, pipe2, (int ends[2], int flags), ends, flags)
REPLACE(int, dup3, (int fd, int number, int flags), fd, number, flags)
REPLACE(ssize_t, read, (int fd, void *bytes, size_t count), fd, bytes, count)
REPLACE(ssize_t, write, (int fd, const void *bytes, size_t count), fd, bytes, count)
REPLACE(ssize_t, send, (int fd, const void *bytes, size_t count, int flags), fd, bytes, count, flags)
REPLACE(int, socket, (int family, int type, int protocol), family, type, protocol)
REPLACE(int, socketpair, (int family, int type, int protocol, int ends[2]), family, type, protocol, ends)
REPLACE(int, bind, (int fd, const struct sockaddr *address, socklen_t size), fd, address, size)
REPLACE(int, listen, (int fd, int backlog), fd, backlog)
REPLACE(int, connect, (int fd, const struct sockaddr *address, socklen_t size), fd, address, size)
REPLACE(int, accept4, (int fd, struct sockaddr *address, socklen_t *size, int flags), fd, address, size, flags)
REPLACE(int, getsockname, (int fd, struct sockaddr *address, socklen_t *size), fd, address, size)
REPLACE(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t size), fd, level, name, value, size)

REAL(fcntl)
int fcntl(int fd, int what, ...)
{
    va_list list;
    va_start(list, what);
    void *argument = va_arg(list, void *);
    va_end(list);
    return fails("fcntl") ? -1 : CALL(fcntl, fd, what, argument);
}

/* On Linux the descriptor is closed even if the call fails. */
REAL(close)
int close(int fd)
{
    int failed = fails("close");
    int code = errno;
    int result = CALL(close, fd);
    if (!failed)
        return result;
    errno = code;
    return -1;
}
#endif
