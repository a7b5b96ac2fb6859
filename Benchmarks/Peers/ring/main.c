/* The floor again, but waiting with io_uring's multishot poll instead of epoll. It answers one question: would such a
 * backend make any row faster? The benchmarks' README has the answer. */
#include "CBench.h"
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { ENTRIES = 4096 };

static struct {
    int descriptor;
    unsigned *submit_tail, *submit_mask, *complete_head, *complete_tail, *complete_mask;
    struct io_uring_sqe *submissions;
    struct io_uring_cqe *completions;
    unsigned pending;
} ring;

static void enter(unsigned least)
{
    unsigned flags = IORING_ENTER_GETEVENTS;
    long taken = syscall(SYS_io_uring_enter, ring.descriptor, ring.pending, least, flags, NULL, 0);
    bench_check(taken >= 0, "io_uring_enter");
    ring.pending -= taken;
}

static void open_ring(void)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = 4 * ENTRIES,
    };
    ring.descriptor = syscall(SYS_io_uring_setup, ENTRIES, &params);
    bench_check(ring.descriptor >= 0, "io_uring_setup");
    int access = PROT_READ | PROT_WRITE, sharing = MAP_SHARED | MAP_POPULATE;
    size_t size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    size_t indices = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    if (indices > size) size = indices;
    char *memory = mmap(NULL, size, access, sharing, ring.descriptor, IORING_OFF_SQ_RING);
    bench_check(memory != MAP_FAILED, "mmap");
    ring.submit_tail = (unsigned *)(memory + params.sq_off.tail);
    ring.submit_mask = (unsigned *)(memory + params.sq_off.ring_mask);
    ring.complete_head = (unsigned *)(memory + params.cq_off.head);
    ring.complete_tail = (unsigned *)(memory + params.cq_off.tail);
    ring.complete_mask = (unsigned *)(memory + params.cq_off.ring_mask);
    ring.completions = (struct io_uring_cqe *)(memory + params.cq_off.cqes);
    /* Each place in the queue stands for the submission of the same number. */
    unsigned *order = (unsigned *)(memory + params.sq_off.array);
    for (unsigned i = 0; i < params.sq_entries; i++) order[i] = i;
    size = params.sq_entries * sizeof(struct io_uring_sqe);
    ring.submissions = mmap(NULL, size, access, sharing, ring.descriptor, IORING_OFF_SQES);
    bench_check(ring.submissions != MAP_FAILED, "mmap");
}

static void watch_for(int descriptor, unsigned how)
{
    if (ring.pending == ENTRIES) enter(0);
    struct io_uring_sqe *entry = &ring.submissions[*ring.submit_tail & *ring.submit_mask];
    *entry = (struct io_uring_sqe){
        .opcode = IORING_OP_POLL_ADD,
        .fd = descriptor,
        .len = how,
        .poll32_events = POLLIN,
        .user_data = descriptor,
    };
    __atomic_store_n(ring.submit_tail, *ring.submit_tail + 1, __ATOMIC_RELEASE);
    ring.pending++;
}

/* With this flag the ring reports each change of a descriptor; a program that has not read everything gets no second
 * report. Without it the ring reports once what holds at submission, and must be armed again each time. A loop must do
 * that, since its handlers may leave data unread. */
static unsigned way_to_watch = IORING_POLL_ADD_MULTI;

static void watch(int descriptor) { watch_for(descriptor, way_to_watch); }

/* Waits until a descriptor is ready, and returns it. */
static int next_ready(void)
{
    while (true) {
        unsigned head = *ring.complete_head;
        while (head == __atomic_load_n(ring.complete_tail, __ATOMIC_ACQUIRE)) enter(1);
        struct io_uring_cqe completion = ring.completions[head & *ring.complete_mask];
        __atomic_store_n(ring.complete_head, head + 1, __ATOMIC_RELEASE);
        /* A descriptor that has been closed. */
        if (completion.res < 0) continue;
        if (!(completion.flags & IORING_CQE_F_MORE)) watch_for(completion.user_data, 0);
        return completion.user_data;
    }
}

static double run_hop(long count)
{
    open_ring();
    int ends[2];
    bench_socketpair(ends);
    watch(ends[0]);
    watch(ends[1]);
    enter(0);
    int64_t start = bench_now();
    bench_write_byte(ends[0]);
    for (long left = count; left > 0; left--) {
        int end = next_ready();
        bench_read_byte(end);
        if (left > 1) bench_write_byte(end);
    }
    return (double)(bench_now() - start) / count;
}

static double run_pipes(long size, long count)
{
    int busy = size < BUSY_PIPES ? size : BUSY_PIPES;
    open_ring();
    int(*pipes)[2] = calloc(size, sizeof(*pipes));
    for (long i = 0; i < size; i++) {
        bench_pipe_among(size, pipes[i]);
        watch(pipes[i][0]);
    }
    enter(0);
    int64_t start = bench_now();
    for (long round = 0; round < count / busy; round++) {
        for (int i = 0; i < busy; i++) bench_write_byte(pipes[i * (size / busy)][1]);
        for (int left = busy; left > 0; left--) bench_read_byte(next_ready());
    }
    return (double)(bench_now() - start) / count;
}

static double run_pipes_100(long count) { return run_pipes(100, count); }
static double run_pipes_5000(long count) { return run_pipes(5000, count); }

/* The same, with reports of what holds instead of changes. */

static double run_hop_level(long count)
{
    way_to_watch = 0;
    return run_hop(count);
}

static double run_pipes_100_level(long count)
{
    way_to_watch = 0;
    return run_pipes_100(count);
}

static double run_pipes_5000_level(long count)
{
    way_to_watch = 0;
    return run_pipes_5000(count);
}

void serve_echo(struct bench_clients clients)
{
    open_ring();
    int listener = bench_listen();
    watch_for(listener, 0);
    bench_start_clients(bench_port(listener), clients);
    while (true) {
        int ready = next_ready();
        if (ready == listener) {
            watch(bench_accept(listener));
            continue;
        }
        char buffer[4096];
        ssize_t count = recv(ready, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (count > 0) bench_check(send(ready, buffer, count, MSG_NOSIGNAL) == count, "send");
        if (count == 0) close(ready);
    }
}

int main(int count, char **arguments)
{
    static const struct bench_workload workloads[] = {
        {"hop", run_hop, HOPS},
        {"pipes-100", run_pipes_100, PIPE_EVENTS},
        {"pipes-5000", run_pipes_5000, PIPE_EVENTS},
        {"hop-level", run_hop_level, HOPS},
        {"pipes-100-level", run_pipes_100_level, PIPE_EVENTS},
        {"pipes-5000-level", run_pipes_5000_level, PIPE_EVENTS},
        BENCH_ECHO_ROWS,
        {NULL, NULL},
    };
    return bench_main(count, arguments, workloads);
}
