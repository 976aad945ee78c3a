/*
 * drivers/console/text.c - VGA text mode. Owns the CRT controller's cursor, and both controllers' index registers.
 * Lock: the console's, held by the caller. IBM VGA Technical Reference, "Video Subsystem".
 */
#include <arch/io.h>
#include <drivers/console/text.h>

#define MISC_READ  0x3CC
#define GRAPHICS   0x3CE /* index; data behind it */
#define CRTC       0x3D4 /* index; data behind it */
#define MISC_GC    6     /* of the graphics controller */
#define CURSOR_HI  0x0E
#define CURSOR_LO  0x0F
#define GC_AT_MASK 0x0D /* graphics mode, and where the memory lies */
#define GC_TEXT_B8 0x0C /* text, at 0xB8000 */
#define MISC_COLOR 0x01 /* the CRT controller is at 0x3D4 */

#define GREY_ON_BLACK 0x0700

const struct boot_framebuffer text_mode_3 = {
	.base = {0xB8000}, .pitch = 160, .width = 80, .height = 25, .bpp = 16, .type = 2};

static void write_indexed(uint16_t port, uint8_t index, uint8_t value)
{
	arch_out8(port, index);
	arch_out8((uint16_t)(port + 1), value);
}

static uint8_t read_indexed(uint16_t port, uint8_t index)
{
	arch_out8(port, index);
	return arch_in8((uint16_t)(port + 1));
}

/* Where there is no controller, reads give what the bus left, not what was written. */
static bool keeps(uint8_t value)
{
	write_indexed(CRTC, CURSOR_LO, value);
	return read_indexed(CRTC, CURSOR_LO) == value;
}

bool text_is_on(void)
{
	uint8_t misc = arch_in8(MISC_READ);

	return misc != 0xFF && misc & MISC_COLOR &&
	       (read_indexed(GRAPHICS, MISC_GC) & GC_AT_MASK) == GC_TEXT_B8 && keeps(0x55) && keeps(0xAA);
}

bool text_fits(const struct boot_framebuffer *how)
{
	return how->type == 2 && how->width && how->height && how->width <= 256 && how->height <= 256 &&
	       how->base.a % 2 == 0 && how->pitch % 2 == 0 && how->pitch >= how->width * 2 &&
	       how->pitch <= 1024;
}

static void draw(void *screen, uint32_t row, uint32_t column, char c)
{
	const struct text_screen *t = screen;
	volatile uint16_t *cells = (volatile uint16_t *)((uintptr_t)t->base + row * t->pitch);

	cells[column] = GREY_ON_BLACK | (uint8_t)c;
}

/* The hardware counts cells, and has none behind the last column. */
static void move_cursor(void *screen, uint32_t row, uint32_t column)
{
	const struct text_screen *t = screen;
	uint32_t at = row * (t->pitch / 2) + (column < t->columns ? column : t->columns - 1);

	write_indexed(CRTC, CURSOR_HI, (uint8_t)(at >> 8));
	write_indexed(CRTC, CURSOR_LO, (uint8_t)at);
}

const struct console_device text_device = {draw, move_cursor};
