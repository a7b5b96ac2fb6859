#include "CLinux.h"

_Thread_local void *clinux_free_slots;
_Thread_local struct clinux_callbacks clinux_callbacks;
