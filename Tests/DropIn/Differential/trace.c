/* What is printed. */
#include "differential.h"
#include <stdarg.h>

bool verbose;
int depth;

static void print(const char *mark, const char *format, va_list arguments)
{
    printf("%*s%s", depth * 2, "", mark);
    vprintf(format, arguments);
    putchar('\n');
}

/* A line to print only if another one is printed before it is withdrawn. */
static char waiting[200];

void say_if_more(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(waiting, sizeof(waiting), format, arguments);
    va_end(arguments);
}

bool take_back(void)
{
    bool was_waiting = waiting[0] != 0;
    waiting[0] = 0;
    return was_waiting;
}

void say(const char *format, ...)
{
    if (waiting[0] != 0) {
        char text[sizeof(waiting)];
        memcpy(text, waiting, sizeof(text));
        waiting[0] = 0;
        say("%s", text);
    }
    va_list arguments;
    va_start(arguments, format);
    print("", format, arguments);
    va_end(arguments);
}

void note(const char *format, ...)
{
    if (!verbose) return;
    va_list arguments;
    va_start(arguments, format);
    print("# ", format, arguments);
    va_end(arguments);
}

const char *name_of(const struct object *object)
{
    return object == NULL ? "none" : object->name;
}

const char *name_of_pointer(const void *pointer)
{
    if (pointer == NULL) return "none";
    for (int i = object_count; i-- > 0;) {
        if (objects[i].alive && objects[i].pointer == pointer) return name_of(&objects[i]);
    }
    return "inner";
}

const char *without_addresses(const char *text)
{
    static char result[512];
    size_t length = 0;
    while (*text != '\0' && length < sizeof(result) - 1) {
        size_t digits = strncmp(text, "0x", 2) == 0 ? strspn(text + 2, "0123456789abcdef") : 0;
        /* Error numbers are shorter than any address, even under valgrind. */
        bool is_address = digits >= 7;
        result[length++] = is_address ? '*' : *text;
        text += is_address ? digits + 2 : 1;
    }
    result[length] = '\0';
    return result;
}

const char *place(const char *location)
{
    if (location == NULL) return "nowhere";
    const char *file = strrchr(location, '/');
    /* Places inside a library are not compared. */
    return strstr(location, "Differential/") == NULL ? "elsewhere" : file + 1;
}
