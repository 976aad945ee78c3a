/* kernel/printk.c - prints to the serial port. Owns the console lock. */
#include <drivers/serial/serial.h>
#include <kernel/printk.h>
#include <lib/lock.h>
#include <lib/panic.h>
#include <lib/printf.h>

static struct lock console_lock = LOCK_INIT("console", LOCK_CONSOLE);
static bool without_lock;
bool printk_quiet;

static void put(struct text_sink *sink, char c)
{
	(void)sink;
	if (c == '\n')
		serial_put('\r');
	serial_put(c);
}

void printk_init(void)
{
	serial_init();
}

void printk_without_lock(void)
{
	printk_quiet = false;
	without_lock = true;
}

void printk(const char *format, ...)
{
	struct text_sink sink = {put};
	va_list args;

	if (printk_quiet)
		return;
	va_start(args, format);
	if (without_lock) {
		text_format_to(&sink, format, args);
	} else {
		lock_acquire(&console_lock);
		text_format_to(&sink, format, args);
		lock_release(&console_lock);
	}
	va_end(args);
}
