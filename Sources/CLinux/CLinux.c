#include "CLinux.h"

_Thread_local struct clinux_free_slots clinux_free_slots;
_Thread_local struct clinux_callbacks clinux_callbacks;
_Thread_local struct clinux_message_cells clinux_message_cells;
