/* kernel/start.h - from the kernel's boot to the first program, and its end. */
#ifndef KERNEL_START_H
#define KERNEL_START_H

#include <lib/types.h>

/* True when the command line names a first program, or names none and there is a module that may have files. */
bool start_is_wanted(void);

/* Unpacks the files, makes the first process and runs it. Does not return. */
_Noreturn void start_first_program(void);

/* What becomes of the machine when the first process ends; the status as wait4 tells it. */
_Noreturn void init_ended(int status);

#endif
