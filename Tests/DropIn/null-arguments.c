/* What each function does if one of its pointers is NULL. Where libtevent dereferences it, the program ends on both
 * libraries. */
#define shows_messages false
#include "Null/try.h"
