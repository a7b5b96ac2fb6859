/* More stack for deep recursion: trees of memory that are freed level by level, and callbacks that end the request
 * above them. A thread has 8 MB of stack, or half a megabyte, or less. When it runs low, the next call is made on a
 * separate piece of stack, which is released when the call returns.
 *
 * It is an ordinary call: only the stack pointer differs, so debuggers and unwinders see one uninterrupted stack. */

#define _GNU_SOURCE
#include "CLinux.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TELLS_SANITIZER 1
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **old_bottom, size_t *old_size);
#endif
#endif

/* What stays free on every stack, for code that does not check for room. */
static const uintptr_t reserve = 256 << 10;
static const size_t piece_size = 4 << 20;
/* An infinite recursion must end with a message before it has taken all of the machine's memory. */
static _Atomic long most_pieces = 1024;

CLINUX_THREAD_LOCAL struct clinux_stack_room clinux_stack_room;

/* The whole of the stack in use: its lowest address, and the first address above it. */
static CLINUX_THREAD_LOCAL uintptr_t stack_begin, stack_end;

static _Atomic long pieces;
/* One piece kept for reuse, so that calls back and forth across the end of a stack make no system call each time. */
static _Atomic uintptr_t spare;

static void use_stack(uintptr_t begin, uintptr_t end)
{
    stack_begin = begin;
    stack_end = end;
    clinux_stack_room.lowest = begin + reserve;
    clinux_stack_room.size = end - begin > reserve ? end - begin - reserve : 0;
}

static void find_stack_of_thread(void)
{
    pthread_attr_t attributes;
    void *begin = NULL;
    size_t size = 0;

    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &begin, &size) == 0)
        use_stack((uintptr_t)begin, (uintptr_t)begin + size);
    pthread_attr_destroy(&attributes);
}

static uintptr_t take_piece(void)
{
    uintptr_t piece = atomic_exchange(&spare, 0);
    void *memory;

    if (piece != 0)
        return piece;
    if (atomic_fetch_add(&pieces, 1) < most_pieces) {
        memory = mmap(NULL, piece_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        /* The lowest page is a guard: running past the end crashes immediately. */
        if (memory != MAP_FAILED && mprotect(memory, (size_t)getpagesize(), PROT_NONE) == 0)
            return (uintptr_t)memory;
        if (memory != MAP_FAILED)
            munmap(memory, piece_size);
    }
    atomic_fetch_sub(&pieces, 1);
    return 0;
}

static void give_back_piece(uintptr_t piece)
{
    uintptr_t none = 0;

    if (atomic_compare_exchange_strong(&spare, &none, piece))
        return;
    munmap((void *)piece, piece_size);
    atomic_fetch_sub(&pieces, 1);
}

struct call {
    void (*function)(void *);
    void *argument;
#ifdef TELLS_SANITIZER
    const void *old_begin;
    size_t old_size;
#endif
};

static void make_call(void *context)
{
    struct call *call = context;
#ifdef TELLS_SANITIZER
    __sanitizer_finish_switch_fiber(NULL, &call->old_begin, &call->old_size);
#endif
    call->function(call->argument);
#ifdef TELLS_SANITIZER
    __sanitizer_start_switch_fiber(NULL, call->old_begin, call->old_size);
#endif
}

/* Calls `make_call` with another stack pointer. */
__attribute__((noinline)) static bool call_on(uintptr_t top, struct call *call)
{
#if defined(__x86_64__)
    __asm__ volatile("movq %%rsp, %%rbx\n\t"
                     "movq %[top], %%rsp\n\t"
                     "callq *%[function]\n\t"
                     "movq %%rbx, %%rsp"
                     : "+D"(call)
                     : [top] "r"(top), [function] "r"(make_call)
                     : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15");
    return true;
#elif defined(__aarch64__)
    register struct call *argument __asm__("x0") = call;
    __asm__ volatile("mov x19, sp\n\t"
                     "mov sp, %[top]\n\t"
                     "blr %[function]\n\t"
                     "mov sp, x19"
                     : "+r"(argument)
                     : [top] "r"(top), [function] "r"(make_call)
                     : "x19", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
                       "x15", "x16", "x17", "x18", "x30", "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6",
                       "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20",
                       "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
    return true;
#else
    (void)top;
    (void)call;
    return false;
#endif
}

static bool call_on_new_piece(struct call *call)
{
    uintptr_t begin = stack_begin, end = stack_end, piece = take_piece();
    bool is_done;

    if (piece == 0)
        return false;
    use_stack(piece, piece + piece_size);
#ifdef TELLS_SANITIZER
    void *fake_stack;
    __sanitizer_start_switch_fiber(&fake_stack, (void *)piece, piece_size);
#endif
    is_done = call_on(piece + piece_size, call);
#ifdef TELLS_SANITIZER
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
    use_stack(begin, end);
    give_back_piece(piece);
    return is_done;
}

void clinux_limit_stack(long count) { most_pieces = count; }

bool clinux_call_with_stack_room(void (*function)(void *), void *argument)
{
    struct call call = {.function = function, .argument = argument};
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if (stack_end == 0)
        find_stack_of_thread();
    /* A program may run on a stack of its own, whose end is unknown here; it must provide enough room itself. */
    if (clinux_has_stack_room() || here < stack_begin || here >= stack_end) {
        function(argument);
        return true;
    }
    return call_on_new_piece(&call);
}
