/* kernel/printk.h - the console below printk (lib/panic.h). Lock: its own, the innermost of all. */
#ifndef KERNEL_PRINTK_H
#define KERNEL_PRINTK_H

#include <lib/types.h>

/* Finds the serial port; before it printk prints nothing. */
void printk_init(void);

/* From here on printk takes no lock: for panic, which may interrupt who holds it. */
void printk_without_lock(void);

#endif
