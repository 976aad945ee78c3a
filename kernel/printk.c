/*
 * kernel/printk.c - prints to the serial port and to the screen. Owns the console lock, and what is printed before
 * there is a screen.
 */
#include <drivers/console/screen.h>
#include <drivers/serial/serial.h>
#include <fs/tty.h>
#include <kernel/printk.h>
#include <lib/lock.h>
#include <lib/panic.h>
#include <lib/printf.h>

static struct lock console_lock = LOCK_INIT("console", LOCK_CONSOLE);
static bool without_lock;
bool printk_quiet;

/* What the screen will show first; it comes after a handful of lines. */
static struct {
	uint32_t length;
	char text[2048];
} early;

static void put_byte(char c)
{
	serial_put(c);
	if (screen_is_open())
		screen_put(c);
	else if (early.length < sizeof(early.text))
		early.text[early.length++] = c;
}

static void put(struct text_sink *sink, char c)
{
	(void)sink;
	if (c == '\n')
		serial_put('\r');
	put_byte(c);
}

void console_write(const char *bytes, uint32_t n)
{
	lock_acquire(&console_lock);
	for (uint32_t i = 0; i < n; i++)
		put_byte(bytes[i]);
	screen_show();
	lock_release(&console_lock);
}

void printk_init(void)
{
	serial_init();
}

void printk_open_screen(void)
{
	if (!screen_open())
		return;
	for (uint32_t i = 0; i < early.length; i++)
		screen_put(early.text[i]);
	screen_show();
}

void printk_last_words(void)
{
	printk_quiet = false;
	without_lock = true;
	printk_open_screen();
}

static void print(const char *format, va_list args)
{
	struct text_sink sink = {put};

	text_format_to(&sink, format, args);
	screen_show();
}

void printk(const char *format, ...)
{
	va_list args;

	if (printk_quiet)
		return;
	va_start(args, format);
	if (without_lock) {
		print(format, args);
	} else {
		lock_acquire(&console_lock);
		print(format, args);
		lock_release(&console_lock);
	}
	va_end(args);
}
