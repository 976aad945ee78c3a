/* tests/ktest/console_test.c - text on a screen: what is put where, what is drawn, and the pixels of it. */
#include <drivers/console/console.h>
#include <drivers/console/framebuffer.h>
#include <kernel/ktest.h>
#include <lib/string.h>
#include <mm/slab.h>

#define ROWS    4u
#define COLUMNS 10u
#define CELLS   (ROWS * COLUMNS)

/* A device that only remembers. */
static struct {
	char at[CELLS];
	uint32_t draws, row, column;
	bool fails; /* drawing ends in a fault, whose report is to be drawn */
} paper;

static struct {
	struct console console;
	char cell[CELLS], shown[CELLS];
	uint8_t *pixels; /* video memory */
} test;

static void put_text(const char *text)
{
	while (*text)
		console_put(&test.console, *text++);
}

static void print(const char *text)
{
	put_text(text);
	console_show(&test.console);
}

static void paper_draw(void *screen, uint32_t row, uint32_t column, char c)
{
	(void)screen;
	paper.draws++;
	paper.at[row * COLUMNS + column] = c;
	if (paper.fails)
		print("panic: page fault");
}

static void paper_move_cursor(void *screen, uint32_t row, uint32_t column)
{
	(void)screen;
	paper.row = row;
	paper.column = column;
}

static const struct console_device paper_device = {paper_draw, paper_move_cursor};

static void begin(const struct console_device *device, void *screen, uint32_t jump)
{
	test.console = (struct console){.device = device,
					.screen = screen,
					.rows = ROWS,
					.columns = COLUMNS,
					.jump = jump,
					.cell = test.cell,
					.shown = test.shown};
	console_clear(&test.console);
}

/* Reports the row unless it shows the text, and blanks behind it. */
static void expect_row(uint32_t row, const char *text)
{
	char shown[COLUMNS + 1] = {0}, want[COLUMNS + 1] = {0};

	memcpy(shown, paper.at + row * COLUMNS, COLUMNS);
	memset(want, ' ', COLUMNS);
	memcpy(want, text, strlen(text));
	if (strcmp(shown, want))
		ktest_fail("row %u shows \"%s\", not \"%s\"", row, shown, want);
}

KTEST_SETUP(console)
{
	memset(&paper, 0, sizeof(paper));
	begin(&paper_device, NULL, 1);
}

KTEST_TEARDOWN(console)
{
	kmfree(test.pixels);
	test.pixels = NULL;
}

KTEST(console, text_stands_where_it_was_put)
{
	print("one\ntwo");
	expect_row(0, "one");
	expect_row(1, "two");
	expect_row(2, "");
	EXPECT_EQ(paper.row, 1);
	EXPECT_EQ(paper.column, 3);
}

KTEST(console, control_characters_move_and_nothing_else_is_unprintable)
{
	print("abc\rX\n12\b3\n\ti\n\b\x01\xe4\x7f");
	expect_row(0, "Xbc");
	expect_row(1, "13");
	expect_row(2, "        i");
	expect_row(3, "???");
}

KTEST(console, a_line_as_wide_as_the_screen_adds_no_blank_one)
{
	print("0123456789\nnext");
	expect_row(0, "0123456789");
	expect_row(1, "next");
}

KTEST(console, a_longer_line_goes_on_below)
{
	print("0123456789abc");
	expect_row(0, "0123456789");
	expect_row(1, "abc");
}

KTEST(console, a_tab_at_the_right_edge_ends_there)
{
	print("12345678\tx\n");
	expect_row(0, "12345678");
	expect_row(1, "x");
}

KTEST(console, scrolling_keeps_the_last_lines)
{
	print("one\ntwo\nthree\nfour\nfive");
	expect_row(0, "two");
	expect_row(2, "four");
	expect_row(3, "five");
	print("\n");
	expect_row(0, "three");
	expect_row(3, "");
}

static const uint32_t jumps[] = {1, 2, 3, 4};

/* Whatever the jump, the rows are the text's last ones, in order, and blank below. */
KTEST_EACH(console, scrolling_jumps_as_far_as_told, jumps)
{
	static const char *const lines[] = {"one", "two", "three", "four"};

	begin(&paper_device, NULL, param);
	print("one\ntwo\nthree\nfour\n");
	for (uint32_t row = 0; row < ROWS; row++)
		expect_row(row, row + param < ROWS ? lines[row + param] : "");
	EXPECT_EQ(paper.row, ROWS - param);
}

/* What came and went between two calls is never drawn. */
KTEST(console, only_what_changed_is_drawn)
{
	print("same\nsame\nsame\nsame");
	EXPECT_EQ(paper.draws, CELLS);
	print("\nsame");
	EXPECT_EQ(paper.draws, CELLS);
	print("!");
	EXPECT_EQ(paper.draws, CELLS + 1);
	print("?\b\b\b\b\b\b");
	EXPECT_EQ(paper.draws, CELLS + 2);
	print("SAME?");
	EXPECT_EQ(paper.draws, CELLS + 2 + 5);
	print("x\b?");
	EXPECT_EQ(paper.draws, CELLS + 2 + 5);
}

/* The report of a fault in video memory would fault again, and so on. */
KTEST(console, a_device_that_faults_is_given_up)
{
	paper.fails = true;
	print("one");
	EXPECT_EQ(paper.draws, CELLS);
	EXPECT(test.console.broken);
	paper.fails = false;
	print("two");
	EXPECT_EQ(paper.draws, CELLS);
}

/* Pixels: an odd pitch, a margin to the right and below that is no cell's, and guards in front and behind. */

#define GUARD     64u
#define MARGIN    3u /* pixels */
#define PADDING   5u /* bytes */
#define UNTOUCHED 0xEE

struct format {
	struct boot_framebuffer how; /* without the geometry */
	uint32_t ink;                /* AA of FF in each colour */
};

static const struct format formats[] = {
	{{.bpp = 32, .type = 1, .red = {16, 8}, .green = {8, 8}, .blue = {0, 8}}, 0xAAAAAA},
	{{.bpp = 32, .type = 1, .red = {0, 10}, .green = {10, 10}, .blue = {20, 10}}, 0x2A8AA2A8},
	{{.bpp = 24, .type = 1, .red = {16, 8}, .green = {8, 8}, .blue = {0, 8}}, 0xAAAAAA},
	{{.bpp = 16, .type = 1, .red = {11, 5}, .green = {5, 6}, .blue = {0, 5}}, 0xAD55},
	{{.bpp = 15, .type = 1, .red = {10, 5}, .green = {5, 5}, .blue = {0, 5}}, 0x56B5},
};
static const uint32_t each_format[] = {0, 1, 2, 3, 4};

static struct boot_framebuffer with_geometry(struct boot_framebuffer how)
{
	how.width = COLUMNS * console_font.width + MARGIN;
	how.height = ROWS * console_font.height + MARGIN;
	how.pitch = how.width * ((how.bpp + 7u) / 8) + PADDING;
	return how;
}

static bool is_ink(uint32_t x, uint32_t y)
{
	uint32_t column = x / console_font.width, row = y / console_font.height;
	const uint8_t *bits = console_font.glyphs;

	if (column >= COLUMNS || row >= ROWS)
		return false;
	bits += (uint32_t)(test.cell[row * COLUMNS + column] - FONT_FIRST) * console_font.height *
		console_font.stride;
	bits += y % console_font.height * console_font.stride;
	x %= console_font.width;
	return bits[x / 8] & 0x80 >> x % 8;
}

/* What a byte of video memory must be. */
static uint8_t wanted(const struct boot_framebuffer *how, uint32_t at, uint32_t ink)
{
	uint32_t pixel_bytes = (how->bpp + 7u) / 8;
	uint32_t x, y;

	if (at < GUARD || at >= GUARD + how->pitch * how->height)
		return UNTOUCHED;
	y = (at - GUARD) / how->pitch;
	x = (at - GUARD) % how->pitch;
	if (x >= how->width * pixel_bytes)
		return UNTOUCHED;
	return is_ink(x / pixel_bytes, y) ? (uint8_t)(ink >> x % pixel_bytes * 8) : 0;
}

static void expect_picture(const struct boot_framebuffer *how, uint32_t ink)
{
	uint32_t end = framebuffer_bytes(how) + 2 * GUARD;

	for (uint32_t at = 0; at < end; at++) {
		uint8_t want = wanted(how, at, ink);

		if (test.pixels[at] == want)
			continue;
		ktest_fail("byte %u of %u is %02x, not %02x", at, end, test.pixels[at], want);
		return;
	}
}

/* The same after scrolling, when most cells are drawn over others. */
KTEST_EACH(console, pixels_are_the_fonts_and_nothing_else_is_touched, each_format)
{
	const struct format *f = &formats[param];
	struct boot_framebuffer how = with_geometry(f->how);
	struct framebuffer fb;

	ASSERT(framebuffer_fits(&how));
	test.pixels = kmalloc(framebuffer_bytes(&how) + 2 * GUARD);
	ASSERT(test.pixels);
	memset(test.pixels, UNTOUCHED, framebuffer_bytes(&how) + 2 * GUARD);
	framebuffer_init(&fb, &how, test.pixels + GUARD, &console_font);
	begin(&framebuffer_device, &fb, 2);
	print("Quire, g~!\n0123456789\nwyz\n\\{|}@#");
	expect_picture(&how, f->ink);
	print("\nand\nafter it has\nscrolled");
	EXPECT_EQ(test.cell[0], 'a');
	expect_picture(&how, f->ink);
}

/* The description is the loader's. Each of these would lead out of the memory or out of a pixel. */
KTEST(console, a_framebuffer_that_cannot_be_is_refused)
{
	const struct boot_framebuffer good = with_geometry(formats[0].how);
	struct boot_framebuffer bad[12];

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].type = 0;
	bad[1].bpp = 8;
	bad[2].bpp = 33;
	bad[3].width = 0;
	bad[4].height = 0;
	bad[5].pitch = good.width * 4 - 1;
	bad[6].pitch = 0;
	bad[7].width = 0x40000001;
	bad[8].height = UINT32_MAX;
	bad[9].pitch = 0x80000000;
	bad[10].red.size = 0;
	bad[11].blue.position = 25;
	EXPECT(framebuffer_fits(&good));
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (framebuffer_fits(&bad[i]))
			ktest_fail("description %u is taken", i);
}
