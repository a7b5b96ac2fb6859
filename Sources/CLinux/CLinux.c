#include "CLinux.h"

CLINUX_THREAD_LOCAL struct clinux_free_slots clinux_free_slots;
CLINUX_THREAD_LOCAL struct clinux_callbacks clinux_callbacks;
CLINUX_THREAD_LOCAL struct clinux_message_cells clinux_message_cells;
