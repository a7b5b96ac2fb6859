/* Standard output that is seen on its way: a stream of our own in place of C's, through which Swift prints as well. */

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t clinux_number_of_this_thread(void) { return (pid_t)syscall(SYS_gettid); }

bool clinux_name_of_this_thread(char *name)
{
    /* A thread begins with the name of the process, which is the short name of the program. */
    if (clinux_number_of_this_thread() == getpid()) {
        strcpy(name, "main");
        return true;
    }
    if (pthread_getname_np(pthread_self(), name, 16) != 0)
        return false;
    return strncmp(name, program_invocation_short_name, 15) != 0;
}

static clinux_output_function _Atomic watcher;
static FILE *original;

static ssize_t pass_on(void *cookie, const char *text, size_t length)
{
    (void)cookie;
    clinux_output_function watch = watcher;
    size_t done = 0;
    while (done < length) {
        ssize_t count = write(STDOUT_FILENO, text + done, length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            break;
        done += (size_t)count;
    }
    if (watch != NULL && done > 0)
        watch(STDOUT_FILENO, text, (long)done);
    /* Zero is how such a stream reports an error. */
    return done == length ? (ssize_t)length : 0;
}

void clinux_watch_output(clinux_output_function function)
{
    if (function == NULL) {
        if (original != NULL) {
            fflush(stdout);
            watcher = NULL;
        }
        return;
    }
    if (original == NULL) {
        cookie_io_functions_t functions = {.write = pass_on};
        FILE *stream = fopencookie(NULL, "w", functions);
        if (stream == NULL)
            return;
        fflush(stdout);
        setvbuf(stream, NULL, _IOLBF, BUFSIZ);
        original = stdout;
        stdout = stream;
    }
    watcher = function;
}
