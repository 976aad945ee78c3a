/* drivers/console/text.h - VGA text mode: a word for each character, and the cursor of the CRT controller. */
#ifndef DRIVERS_CONSOLE_TEXT_H
#define DRIVERS_CONSOLE_TEXT_H

#include <drivers/console/console.h>
#include <mm/boot_info.h>

struct text_screen {
	void *base;
	uint32_t pitch; /* bytes from a row to the next */
	uint32_t columns;
};

/* Finds out whether a VGA shows colour text, for when the loader does not tell; it is asked through its ports. */
bool text_is_on(void);

/* What the loader would tell of the BIOS's text mode. */
extern const struct boot_framebuffer text_mode_3;

/* True when this file can draw on what the loader describes. */
bool text_fits(const struct boot_framebuffer *how);

/* Draws on a struct text_screen. */
extern const struct console_device text_device;

#endif
