/*
 * drivers/console/screen.c - the machine's one screen. Owns its text and the mapping of its memory. Lock: the
 * console's, held by the caller, but in screen_open: nobody else knows of the screen by then.
 */
#include <arch/boot.h>
#include <arch/mmu.h>
#include <drivers/console/framebuffer.h>
#include <drivers/console/screen.h>
#include <drivers/console/text.h>
#include <mm/kmap.h>

/* A larger screen stays empty to the right and below. */
#define COLUMNS_MOST 128u
#define ROWS_MOST    64u

static struct {
	bool tried, open;
	struct console console;
	struct text_screen text;
	struct framebuffer framebuffer;
	char cell[COLUMNS_MOST * ROWS_MOST], shown[COLUMNS_MOST * ROWS_MOST];
} screen;

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* On whichever tables are loaded. */
static void *map(paddr_t base, uint32_t bytes)
{
	if (kernel_pdir.root.n && arch_mmu_root().n == kernel_pdir.root.n)
		return kmap_device(base, bytes);
	return arch_boot_device(base, bytes);
}

static void begin(const struct console_device *device, void *its_own, uint32_t rows, uint32_t columns)
{
	struct console *c = &screen.console;

	c->device = device;
	c->screen = its_own;
	c->rows = least(rows, ROWS_MOST);
	c->columns = least(columns, COLUMNS_MOST);
	c->jump = 1;
	c->cell = screen.cell;
	c->shown = screen.shown;
	console_clear(c);
}

static bool open_text(const struct boot_framebuffer *how)
{
	if (!text_fits(how))
		return false;
	screen.text = (struct text_screen){map(how->base, how->pitch * how->height), how->pitch, how->width};
	if (!screen.text.base)
		return false;
	begin(&text_device, &screen.text, how->height, how->width);
	return true;
}

/* All of it or, where the entry page tables have not that much room, as much from the top as they have. */
static void *map_framebuffer(struct boot_framebuffer *how)
{
	void *base = map(how->base, framebuffer_bytes(how));

	while (!base && how->height / 2 >= console_font.height) {
		how->height /= 2;
		base = map(how->base, framebuffer_bytes(how));
	}
	return base;
}

static bool open_framebuffer(struct boot_framebuffer how)
{
	void *base;

	if (!framebuffer_fits(&how) || how.height < console_font.height || how.width < console_font.width)
		return false;
	base = map_framebuffer(&how);
	if (!base)
		return false;
	framebuffer_init(&screen.framebuffer, &how, base, &console_font);
	begin(&framebuffer_device, &screen.framebuffer, how.height / console_font.height,
	      how.width / console_font.width);
	/* A line costs a hundred times what it does in text mode, and video memory is not cached. */
	screen.console.jump = (screen.console.rows + 3) / 4;
	return true;
}

bool screen_open(void)
{
	if (screen.tried)
		return false;
	screen.tried = true;
	if (!boot_info.has_framebuffer)
		screen.open = text_is_on() && open_text(&text_mode_3);
	else
		screen.open = open_text(&boot_info.framebuffer) || open_framebuffer(boot_info.framebuffer);
	return screen.open;
}

bool screen_is_open(void)
{
	return screen.open;
}

void screen_put(char c)
{
	if (screen.open)
		console_put(&screen.console, c);
}

void screen_show(void)
{
	if (screen.open)
		console_show(&screen.console);
}
