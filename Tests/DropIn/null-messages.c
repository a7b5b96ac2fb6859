/* The message with which the program ends if a function needs a pointer that is NULL. Only ours: libtevent
 * dereferences it. */
#define shows_messages true
#include "Null/try.h"
