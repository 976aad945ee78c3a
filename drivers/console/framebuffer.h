/*
 * drivers/console/framebuffer.h - characters as pixels: any resolution and pitch, 15 to 32 bits a pixel, colours
 * where the loader's masks say. Multiboot2 3.6.12.
 */
#ifndef DRIVERS_CONSOLE_FRAMEBUFFER_H
#define DRIVERS_CONSOLE_FRAMEBUFFER_H

#include <drivers/console/console.h>
#include <drivers/console/font.h>
#include <mm/boot_info.h>

struct framebuffer {
	uint8_t *base;
	uint32_t pitch;       /* bytes from a row of pixels to the next */
	uint32_t pixel_bytes; /* 2 to 4 */
	uint32_t ink, paper;  /* pixels */
	const struct font *font;
};

/* True when this file can draw on what the loader describes. It is the loader's: hostile. */
bool framebuffer_fits(const struct boot_framebuffer *how);

/* The bytes that it takes in memory. framebuffer_fits was true. */
uint32_t framebuffer_bytes(const struct boot_framebuffer *how);

/* Makes fb draw at base, with the font, and paints all of it with paper. framebuffer_fits was true. */
void framebuffer_init(struct framebuffer *fb, const struct boot_framebuffer *how, void *base,
		      const struct font *font);

/* Draws on a struct framebuffer. */
extern const struct console_device framebuffer_device;

#endif
