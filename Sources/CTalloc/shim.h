/* Debian's libtalloc, unchanged: the tree that owns all memory of this project. */

/* talloc.h marks memory limits as deprecated. Tests use them to make allocations fail, so this hides the warning. */
#define _DEPRECATED_
#include <talloc.h>
