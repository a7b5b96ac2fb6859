/* Numbers, time and waiting that depend only on the seed. The functions that ask the system for the time, and the one
 * that waits for descriptors, are defined here in place of the C library's, and both libraries use these. A wait takes
 * no time; if nothing is ready, the clock jumps to the end of the wait. */
#define _GNU_SOURCE
#include "differential.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Whole seconds, so that all times of the programs are whole milliseconds in any clock. */
enum { START = 1600000000, MONOTONIC_START = 1000 };

static uint64_t state;
static int64_t now;
static unsigned idle;

static uint64_t mix(uint64_t word)
{
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return word ^ (word >> 31);
}

unsigned draw(unsigned bound)
{
    state += 0x9e3779b97f4a7c15u;
    return bound == 0 ? 0 : (unsigned)((mix(state) >> 32) % bound);
}

bool chance(unsigned percent)
{
    return draw(100) < percent;
}

/* Begins a separate stream of numbers, and returns what restores the previous one. */
uint64_t random_begin(uint64_t seed, uint64_t stream)
{
    uint64_t saved = state;
    state = mix(mix(seed + 1) + stream);
    return saved;
}

void random_end(uint64_t saved)
{
    state = saved;
}

/* Milliseconds since the seed's beginning. */
int64_t clock_now(void)
{
    return now;
}

void clock_reset(void)
{
    now = 0;
    idle = 0;
}

struct timeval clock_after(int64_t milliseconds)
{
    int64_t time = now + milliseconds;
    return (struct timeval){.tv_sec = START + time / 1000, .tv_usec = time % 1000 * 1000};
}

unsigned idle_waits(void)
{
    return idle;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    (void)zone;
    *time = clock_after(0);
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    bool is_real = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    time->tv_sec = (is_real ? START : MONOTONIC_START) + now / 1000;
    time->tv_nsec = now % 1000 * 1000000;
    return 0;
}

// snippet: virtual-wait
/* There is no other process that could end a wait without limit. */
static void pass(int timeout)
{
    now += timeout < 0 ? 3600 * 1000 : timeout;
    idle++;
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout)
{
    int ready = (int)syscall(SYS_epoll_pwait, epoll, events, count, 0, NULL, 8);
    if (ready != 0 || timeout == 0) return ready;
    pass(timeout);
    return 0;
}
// snippet-end: virtual-wait

int ready_now(struct pollfd *asked, nfds_t count)
{
    return (int)syscall(SYS_poll, asked, count, 0);
}

int poll(struct pollfd *asked, nfds_t count, int timeout)
{
    int ready = ready_now(asked, count);
    if (ready == 0 && timeout != 0) pass(timeout);
    return ready;
}
