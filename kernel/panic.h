/* kernel/panic.h - panic's other doors; lib/panic.h has the front one. */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include <arch/trap.h>
#include <lib/panic.h>
#include <stdarg.h>

/* As panic, for a trap: reports the registers of the frame. */
_Noreturn void panic_at(const struct trap_frame *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with a list of arguments; panic's entry in arch/x86/trap.S ends here too. */
_Noreturn void panic_report(const struct trap_frame *f, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Ends the run: under QEMU with this status, else stands still with interrupts off. */
_Noreturn void machine_exit(bool passed);

/* The same with a program's status, which QEMU ends with (tests/boot/boot.py reads it). */
_Noreturn void machine_exit_status(uint8_t status);

#endif
