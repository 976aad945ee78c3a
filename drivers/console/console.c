/*
 * drivers/console/console.c - text on a screen. Owns the rules of moving, scrolling and redrawing; the text is the
 * caller's. Lock: the caller's.
 */
#include <drivers/console/console.h>
#include <lib/string.h>

#define TAB 8u

static void mark_all_changed(struct console *c)
{
	c->changed_first = 0;
	c->changed_end = c->rows;
}

static void mark_changed(struct console *c, uint32_t row)
{
	if (row < c->changed_first)
		c->changed_first = row;
	if (row >= c->changed_end)
		c->changed_end = row + 1;
}

void console_clear(struct console *c)
{
	memset(c->cell, ' ', c->rows * c->columns);
	memset(c->shown, '\0', c->rows * c->columns); /* differs from every character */
	c->row = c->column = 0;
	c->drawing = c->broken = false;
	mark_all_changed(c);
}

static void scroll(struct console *c)
{
	uint32_t gone = c->jump * c->columns;
	uint32_t kept = c->rows * c->columns - gone;

	memmove(c->cell, c->cell + gone, kept);
	memset(c->cell + kept, ' ', gone);
	c->row -= c->jump;
	mark_all_changed(c);
}

static void next_line(struct console *c)
{
	c->column = 0;
	if (++c->row == c->rows)
		scroll(c);
}

/* A line as wide as the screen wraps with the character that follows it, so that its own \n adds no blank line. */
static void put_visible(struct console *c, char what)
{
	if (c->column == c->columns)
		next_line(c);
	c->cell[c->row * c->columns + c->column++] = what;
	mark_changed(c, c->row);
}

void console_put(struct console *c, char what)
{
	switch (what) {
	case '\n':
		next_line(c);
		break;
	case '\r':
		c->column = 0;
		break;
	case '\b':
		c->column -= c->column != 0;
		break;
	case '\t':
		do
			put_visible(c, ' ');
		while (c->column % TAB && c->column < c->columns);
		break;
	default:
		put_visible(c, what < ' ' || what > '~' ? '?' : what);
	}
}

static void show_row(struct console *c, uint32_t row)
{
	const char *cell = c->cell + row * c->columns;
	char *shown = c->shown + row * c->columns;

	for (uint32_t column = 0; column < c->columns; column++) {
		if (cell[column] == shown[column])
			continue;
		c->device->draw(c->screen, row, column, cell[column]);
		shown[column] = cell[column];
	}
}

void console_show(struct console *c)
{
	if (c->drawing)
		c->broken = true;
	if (c->broken)
		return;
	c->drawing = true;
	for (uint32_t row = c->changed_first; row < c->changed_end; row++)
		show_row(c, row);
	if (c->device->move_cursor)
		c->device->move_cursor(c->screen, c->row, c->column);
	c->changed_first = c->rows;
	c->changed_end = 0;
	c->drawing = false;
}
