/*
 * fs/tty.h - the console as a terminal: lines that can be corrected while they are typed (or single characters), echo,
 * the characters that send signals, and \n to \r\n. Lock: interrupts off around the input buffer.
 */
#ifndef FS_TTY_H
#define FS_TTY_H

#include <lib/types.h>

/* A byte came in; may be called by an interrupt's handler. */
void tty_input(uint8_t byte);

/* Terminal as after boot; nothing typed. */
void tty_init(void);

/* Up call: bytes to the console, as they are. kernel/printk.c. */
void console_write(const char *bytes, uint32_t n);

#endif
