/*
 * drivers/console/framebuffer.c - characters as pixels. Owns no memory: it draws where it is told to. Lock: the
 * console's, held by the caller.
 *
 *	base  +-- width pixels ------------+ pitch
 *	      | glyph | glyph | ...        |  not ours
 *	      |                            |
 */
#include <drivers/console/framebuffer.h>

#define PITCH_MOST  (1u << 16)
#define HEIGHT_MOST (1u << 13)

#define INK 0xAA /* of each colour, in 8 bits: the grey of text mode */

struct colour_field {
	uint8_t position, size;
};

static bool field_fits(struct colour_field f, uint8_t bpp)
{
	return f.size && f.size <= 16 && f.position + f.size <= bpp;
}

bool framebuffer_fits(const struct boot_framebuffer *how)
{
	uint32_t pixel_bytes = (how->bpp + 7u) / 8;

	return how->type == 1 && how->bpp >= 15 && how->bpp <= 32 && how->pitch <= PITCH_MOST &&
	       how->height && how->height <= HEIGHT_MOST && how->width &&
	       how->width <= how->pitch / pixel_bytes &&
	       field_fits((struct colour_field){how->red.position, how->red.size}, how->bpp) &&
	       field_fits((struct colour_field){how->green.position, how->green.size}, how->bpp) &&
	       field_fits((struct colour_field){how->blue.position, how->blue.size}, how->bpp);
}

uint32_t framebuffer_bytes(const struct boot_framebuffer *how)
{
	return how->pitch * how->height;
}

/* A value of 8 bits as the pixel has it. */
static uint32_t in_field(uint32_t value, struct colour_field f)
{
	return (f.size < 8 ? value >> (8 - f.size) : value << (f.size - 8)) << f.position;
}

static uint32_t grey(const struct boot_framebuffer *how, uint32_t value)
{
	return in_field(value, (struct colour_field){how->red.position, how->red.size}) |
	       in_field(value, (struct colour_field){how->green.position, how->green.size}) |
	       in_field(value, (struct colour_field){how->blue.position, how->blue.size});
}

/* One write of the pixel's width, and a pitch need not keep pixels aligned: what the builtin makes of each size. */
static void store(uint8_t *at, uint32_t pixel, uint32_t pixel_bytes)
{
	if (pixel_bytes == 4)
		__builtin_memcpy(at, &pixel, 4);
	else if (pixel_bytes == 3)
		__builtin_memcpy(at, &pixel, 3);
	else
		__builtin_memcpy(at, &pixel, 2);
}

void framebuffer_init(struct framebuffer *fb, const struct boot_framebuffer *how, void *base,
		      const struct font *font)
{
	*fb = (struct framebuffer){base, how->pitch, (how->bpp + 7u) / 8, grey(how, INK), 0, font};
	for (uint32_t y = 0; y < how->height; y++) {
		uint8_t *at = fb->base + y * fb->pitch;

		for (uint32_t x = 0; x < how->width; x++, at += fb->pixel_bytes)
			store(at, fb->paper, fb->pixel_bytes);
	}
}

static void draw_glyph_row(const struct framebuffer *fb, uint8_t *at, const uint8_t *bits)
{
	for (uint32_t x = 0; x < fb->font->width; x++, at += fb->pixel_bytes)
		store(at, bits[x / 8] << x % 8 & 0x80 ? fb->ink : fb->paper, fb->pixel_bytes);
}

static void draw(void *screen, uint32_t row, uint32_t column, char c)
{
	const struct framebuffer *fb = screen;
	const struct font *font = fb->font;
	const uint8_t *bits = font->glyphs + (uint32_t)(c - FONT_FIRST) * font->height * font->stride;
	uint8_t *at = fb->base + row * font->height * fb->pitch + column * font->width * fb->pixel_bytes;

	for (uint32_t y = 0; y < font->height; y++, at += fb->pitch, bits += font->stride)
		draw_glyph_row(fb, at, bits);
}

const struct console_device framebuffer_device = {draw, NULL};
