/* lib/panic.h - the last word, and the one way to print. Implemented by kernel/ and by tests/host. */
#ifndef LIB_PANIC_H
#define LIB_PANIC_H

#include <lib/types.h>

/*
 * Prints a message to the console. Conversions: %d %i %u %x %X %c %s %p %%, flags - 0 # and a space,
 * width, precision, and the lengths hh h l ll z.
 */
void printk(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* While true printk prints nothing: for tests that provoke the report of a check. panic ends it. */
extern bool printk_quiet;

/*
 * Stops the machine over a broken invariant: prints the reason with everything that helps to find it, and
 * under test leaves QEMU with the failing status. Never for input or exhaustion.
 */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define INVARIANT(condition)                                                                                 \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			panic("%s:%d: %s does not hold", __FILE__, __LINE__, #condition);                    \
	} while (0)

/* Checked in debug builds only; compiled in all of them. */
#define DEBUG_INVARIANT(condition)                                                                           \
	do {                                                                                                 \
		if (QUIRE_DEBUG)                                                                             \
			INVARIANT(condition);                                                                \
	} while (0)

#endif
