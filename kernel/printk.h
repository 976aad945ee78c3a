/* kernel/printk.h - the console below printk (lib/panic.h). Lock: its own, the innermost of all. */
#ifndef KERNEL_PRINTK_H
#define KERNEL_PRINTK_H

#include <lib/types.h>

/* Finds the serial port; before it printk prints nothing there. */
void printk_init(void);

/* Opens the screen and puts there what was printed before. */
void printk_open_screen(void);

/*
 * From here on printk takes no lock and keeps no quiet: for panic, which may interrupt who holds it. Opens the screen
 * if that was still to come: for a boot that ends here, on the entry page tables too.
 */
void printk_last_words(void);

#endif
