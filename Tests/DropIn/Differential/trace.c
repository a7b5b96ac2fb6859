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

void say(const char *format, ...)
{
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

/* The name of an object: a letter for its kind, and its number. Eight of them can be in use at once. */
const char *name_of(const struct object *object)
{
    static char names[8][16];
    static unsigned next;
    if (object == NULL) return "none";
    char *name = names[next++ % 8];
    snprintf(name, sizeof(names[0]), "%c%d", "CBTIFSRDQE"[object->kind], object->number);
    return name;
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
        /* The numbers of errors are shorter than any address. */
        bool is_address = digits >= 8;
        result[length++] = is_address ? '*' : *text;
        text += is_address ? digits + 2 : 1;
    }
    result[length] = '\0';
    return result;
}
