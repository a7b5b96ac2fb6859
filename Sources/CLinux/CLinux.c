#include "CLinux.h"

_Thread_local struct clinux_free_slots clinux_free_slots;
_Thread_local struct clinux_callbacks clinux_callbacks;
