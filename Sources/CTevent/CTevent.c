#define _GNU_SOURCE
#include "CTevent.h"
#include <stdio.h>
#include <stdlib.h>

CTEVENT_THREAD_LOCAL void *ctevent_running;
CTEVENT_THREAD_LOCAL struct ctevent_call_depth ctevent_call_depth;

const char *ctevent_recording_path(void)
{
    const char *path = secure_getenv("TEVENT_RECORD");
    return path != NULL && *path != '\0' ? path : NULL;
}

void tevent_debug(struct tevent_context *ev, enum tevent_debug_level level, const char *format, ...)
{
    void *private_data;
    tevent_debug_fn debug = (tevent_debug_fn)ctevent_find_debug(ev, level, &private_data);
    if (debug == NULL) return;
    va_list arguments;
    va_start(arguments, format);
    debug(private_data, level, format, arguments);
    va_end(arguments);
}

int tevent_set_debug(struct tevent_context *ev, tevent_debug_fn debug, void *private_data)
{
    ctevent_set_debug(ev, (void *)debug, private_data);
    return 0;
}

static void print(void *unused, enum tevent_debug_level level, const char *format, va_list arguments)
{
    if (level <= TEVENT_DEBUG_WARNING) vfprintf(stderr, format, arguments);
}

int tevent_set_debug_stderr(struct tevent_context *ev) { return tevent_set_debug(ev, print, NULL); }

static void call_debug(
    tevent_debug_fn debug, void *private_data, enum tevent_debug_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    debug(private_data, level, format, arguments);
    va_end(arguments);
}

void ctevent_call_debug(void *debug, void *private_data, enum tevent_debug_level level, const char *message)
{
    call_debug((tevent_debug_fn)debug, private_data, level, "%s", message);
}

void ctevent_print_reason(const char *reason) { fprintf(stderr, "tevent: %s\n", reason); }
