/*
 * drivers/console/console.h - text on a screen: characters in RAM, and a device that draws them. Knows no hardware.
 * Lock: the caller's.
 */
#ifndef DRIVERS_CONSOLE_CONSOLE_H
#define DRIVERS_CONSOLE_CONSOLE_H

#include <lib/types.h>

/* What shows the characters. Video memory is slow to write and slower to read, so each call only writes. */
struct console_device {
	/* Draws one character from ' ' to '~' over whatever is there. */
	void (*draw)(void *screen, uint32_t row, uint32_t column, char c);
	/* Moves the cursor; null where the device has none. The column may lie behind the last one. */
	void (*move_cursor)(void *screen, uint32_t row, uint32_t column);
};

struct console {
	/* Set by whoever makes one, before console_clear. */
	const struct console_device *device;
	void *screen;           /* the device's own */
	uint32_t rows, columns; /* 1 or more */
	uint32_t jump;          /* rows that one scrolling takes away, 1 to rows */
	char *cell, *shown;     /* rows * columns each: as they should be, as the device has them */

	uint32_t row, column;                /* of the next character */
	uint32_t changed_first, changed_end; /* rows to compare */
	bool drawing;                        /* the device is at work */
	bool broken;                         /* it failed there: nothing is drawn any more */
};

/* Blanks the text and takes for granted nothing of what the device shows. */
void console_clear(struct console *c);

/*
 * Puts a character into the text. \n, \r, \t and \b move; what is no printable ASCII becomes '?'. Below the last
 * row the text moves up. Nothing is drawn yet.
 */
void console_put(struct console *c, char what);

/*
 * Draws what has changed since the last call, and moves the cursor. Called in the middle of itself, by the report
 * of a fault in the device's memory, it gives the device up for good.
 */
void console_show(struct console *c);

#endif
