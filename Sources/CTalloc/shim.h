/* Debian's libtalloc, as it is: the tree that owns all memory of this project. */

/* talloc.h marks memory limits as deprecated; they are the only way to make
 * "no memory" happen on purpose, so we keep them without the warning. */
#define _DEPRECATED_
#include <talloc.h>
