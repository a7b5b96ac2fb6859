/* A descriptor event by hand: called while there is data, switched off and on, called at the end of the file, closed.
   */
#include <stdio.h>
#include <string.h>
#include <tevent.h>
#include <unistd.h>

/* Most handlers do not use all of their parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static int reader;

static void can_be_read(struct tevent_context *ev, struct tevent_fd *event, uint16_t flags, void *data)
{
    char text[6] = "";
    ssize_t count = read(reader, text, 5);
    printf("  handler, flags %d: %s\n", flags, count > 0 ? text : count == 0 ? "the end of the data" : "failed");
}

static void tired_of_waiting(struct tevent_context *ev, struct tevent_timer *timer, struct timeval now, void *data)
{
    printf("  nothing for a while\n");
}

static void closes(struct tevent_context *ev, struct tevent_fd *event, int descriptor, void *data)
{
    printf("  closing the descriptor that was watched: %s\n", descriptor == reader ? "yes" : "no");
    close(descriptor);
}

static bool write_text(int descriptor, const char *text)
{
    return write(descriptor, text, strlen(text)) == (ssize_t)strlen(text);
}

int main(void)
{
    struct tevent_context *ev = tevent_context_init(NULL);
    int ends[2];
    if (ev == NULL || pipe(ends) != 0) return 1;
    reader = ends[0];
    struct tevent_fd *event = tevent_add_fd(ev, ev, reader, TEVENT_FD_READ, can_be_read, NULL);
    if (event == NULL) return 1;

    printf("Ten bytes, read in two calls:\n");
    if (!write_text(ends[1], "helloworld")) return 1;
    tevent_loop_once(ev);
    tevent_loop_once(ev);

    TEVENT_FD_NOT_READABLE(event);
    printf("The interest is off, flags %d:\n", tevent_fd_get_flags(event));
    if (!write_text(ends[1], "again")) return 1;
    tevent_add_timer(ev, ev, tevent_timeval_current_ofs(0, 5000), tired_of_waiting, NULL);
    tevent_loop_once(ev);

    TEVENT_FD_READABLE(event);
    printf("And on, flags %d:\n", tevent_fd_get_flags(event));
    tevent_loop_once(ev);

    printf("The writing end is closed:\n");
    close(ends[1]);
    tevent_loop_once(ev);

    printf("The event is freed:\n");
    tevent_fd_set_close_fn(event, closes);
    talloc_free(event);
    talloc_free(ev);
    return 0;
}
