/* A thread writes lines into a pipe, and the main thread's loop watches the other end. They share nothing else. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

struct lines {
    int reader;
    size_t count;
    char text[128];
};

static void *write_lines(void *data)
{
    const int *writer = data;
    static const char *lines[] = {"one\n", "two\n", "three\n"};
    for (int i = 0; i < 3; i++) {
        if (write(*writer, lines[i], strlen(lines[i])) < 0) break;
    }
    close(*writer);
    return NULL;
}

/* Prints the complete lines, and keeps the rest. */
static void print_lines(struct lines *lines)
{
    char *end;
    while ((end = memchr(lines->text, '\n', lines->count)) != NULL) {
        size_t size = end - lines->text;
        printf("the main thread reads '%.*s'\n", (int)size, lines->text);
        lines->count -= size + 1;
        memmove(lines->text, end + 1, lines->count);
    }
}

static void can_be_read(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    struct lines *lines = talloc_get_type_abort(data, struct lines);
    ssize_t count = read(lines->reader, lines->text + lines->count, sizeof(lines->text) - lines->count);
    if (count <= 0) {
        printf("the main thread reads the end\n");
        talloc_free(event);
        return;
    }
    lines->count += count;
    print_lines(lines);
}

int main(void)
{
    talloc_disable_null_tracking();
    struct tevent_context *ev = tevent_context_init(NULL);
    struct lines *lines = talloc_zero(ev, struct lines);
    int ends[2];
    if (lines == NULL || pipe(ends) != 0) return 1;
    lines->reader = ends[0];
    struct tevent_fd *event = tevent_add_fd(ev, ev, ends[0], TEVENT_FD_READ, can_be_read, lines);
    tevent_fd_set_auto_close(event);

    pthread_t thread;
    if (pthread_create(&thread, NULL, write_lines, &ends[1]) != 0) return 1;
    printf("The loop: %d\n", tevent_loop_wait(ev));
    pthread_join(thread, NULL);
    talloc_free(ev);
    return 0;
}
