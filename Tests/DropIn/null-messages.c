/* The message with which the program ends if a function needs a pointer that is NULL. Only ours: libtevent reads what is
 * not there. */
#define shows_messages true
#include "Null/try.h"
