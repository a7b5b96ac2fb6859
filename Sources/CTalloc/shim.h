/* Debian's libtalloc, as it is: the tree that owns all memory of this project. */
#include <talloc.h>
