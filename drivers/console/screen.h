/* drivers/console/screen.h - the machine's one screen: text mode, or the loader's framebuffer. Lock: the console's. */
#ifndef DRIVERS_CONSOLE_SCREEN_H
#define DRIVERS_CONSOLE_SCREEN_H

#include <lib/types.h>

/*
 * Finds the screen that the loader tells of, or else a VGA in text mode, maps it and blanks it. Only the first call
 * does anything. Needs the boot information; on the entry page tables what it maps ends with them, so that is for
 * last words only. Returns whether there is a screen now that there was not before.
 */
bool screen_open(void);

/* True after a screen_open that found one. */
bool screen_is_open(void);

/* As console_put and console_show, on the screen; nothing happens where there is none. */
void screen_put(char c);
void screen_show(void);

#endif
