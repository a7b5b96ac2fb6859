/* Events for numbers that are not open: they never happen, and can be used like any other until they are freed. */
#include <limits.h>
#include <stdio.h>
#include <talloc.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static void happened(struct tevent_context *ev, struct tevent_fd *fde, uint16_t flags, void *data)
{
    printf("it happened, flags %u\n", flags);
}

static void mark(struct tevent_context *ev, struct tevent_timer *te, struct timeval now, void *over) { *(bool *)over = true; }

static void try(const char *backend, int number, uint16_t flags)
{
    bool over = false;
    struct tevent_context *ev = tevent_context_init_byname(NULL, backend);
    struct tevent_fd *fde = tevent_add_fd(ev, ev, number, flags, happened, NULL);
    printf("%s, %d, flags %u: %s\n", backend, number, flags, fde == NULL ? "NULL" : "an event");
    if (fde != NULL) {
        /* Long enough for as many turns as it takes to notice. */
        tevent_add_timer(ev, ev, tevent_timeval_current_ofs(0, 1000), mark, &over);
        while (!over) printf(tevent_loop_once(ev) == 0 ? "" : "the loop failed\n");
        printf("flags then: %u\n", tevent_fd_get_flags(fde));
        tevent_fd_set_flags(fde, TEVENT_FD_READ | TEVENT_FD_WRITE);
        printf("flags set: %u\n", tevent_fd_get_flags(fde));
        tevent_fd_set_tag(fde, 7);
        printf("tag: %d\n", (int)tevent_fd_get_tag(fde));
        over = false;
        tevent_add_timer(ev, ev, tevent_timeval_current_ofs(0, 1000), mark, &over);
        while (!over) printf(tevent_loop_once(ev) == 0 ? "" : "the loop failed\n");
        printf("wait: %d\n", tevent_loop_wait(ev));
        talloc_free(fde);
    }
    talloc_free(ev);
}

int main(void)
{
    const char *backends[] = {"epoll", "poll", "poll_mt"};
    const int numbers[] = {50, 12345, INT_MAX, -1, INT_MIN};
    for (int b = 0; b < 3; b++) {
        for (int n = 0; n < 5; n++) {
            try(backends[b], numbers[n], TEVENT_FD_READ);
            try(backends[b], numbers[n], TEVENT_FD_READ | TEVENT_FD_WRITE);
        }
    }
    return 0;
}
