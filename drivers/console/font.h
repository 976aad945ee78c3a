/* drivers/console/font.h - the font in the image; scripts/make_font.py makes it from a PSF file at build time. */
#ifndef DRIVERS_CONSOLE_FONT_H
#define DRIVERS_CONSOLE_FONT_H

#include <lib/types.h>

#define FONT_FIRST ' '
#define FONT_LAST  '~'

struct font {
	uint32_t width, height; /* pixels */
	uint32_t stride; /* bytes of a glyph's row: the leftmost pixel is the first byte's highest bit */
	const uint8_t *glyphs; /* FONT_FIRST to FONT_LAST, one behind the other */
};

extern const struct font console_font;

#endif
