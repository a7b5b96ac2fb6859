#include "CLinux.h"

CLINUX_THREAD_LOCAL struct clinux_free_slots clinux_free_slots;
CLINUX_THREAD_LOCAL struct clinux_message_cells clinux_message_cells;
CLINUX_THREAD_LOCAL void *clinux_abort_reason;
CLINUX_THREAD_LOCAL void *clinux_recording;
CLINUX_THREAD_LOCAL struct clinux_tasks clinux_tasks;

clinux_resume_function clinux_resume_task;
clinux_run_left_function clinux_run_left;

long clinux_first_child_offset;
int64_t clinux_memory_limits;
int32_t clinux_recordings;
uintptr_t clinux_recent_type_names[clinux_recent_type_names_count];

clinux_scheduled_act_function clinux_scheduled_acts[32];
clinux_description_function clinux_descriptions[32];
clinux_stock_function clinux_stocks[32];
