/* kernel/symbols.h - the names of the kernel's functions, for backtraces. */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include <lib/types.h>

/* True while the suites are in memory, and with them the table of their names. */
extern bool symbols_of_suites;

/*
 * Returns the name of the function that an address lies in, and stores how far into it; null where no function
 * is or the kernel was linked without the table.
 */
const char *symbol_find(uint32_t address, uint32_t *offset);

#endif
