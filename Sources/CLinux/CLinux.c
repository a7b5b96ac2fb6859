#include "CLinux.h"

_Thread_local void *clinux_free_slots;
