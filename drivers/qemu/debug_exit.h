/* drivers/qemu/debug_exit.h - QEMU's isa-debug-exit device at port 0xf4: a way out with a status. */
#ifndef DRIVERS_QEMU_DEBUG_EXIT_H
#define DRIVERS_QEMU_DEBUG_EXIT_H

#include <lib/types.h>

/* Ends QEMU with status 33 (passed) or 35 (failed). Returns where there is no such device. */
void qemu_debug_exit(bool passed);

/* Ends QEMU with a program's status; those from 127 on are one. */
void qemu_debug_exit_status(uint8_t status);

#endif
