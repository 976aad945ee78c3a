/*
 * lib/printf.h - formats text. Conversions: %d %i %u %x %X %c %s %p %%, flags - 0 # + and a space, width and
 * precision (numbers or *), lengths hh h l ll z. An unknown conversion is printed as it stands.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/* Where the text goes: put is called for each character. */
struct text_sink {
	void (*put)(struct text_sink *sink, char c);
};

/* Formats into a sink. Returns how many characters that were. */
size_t text_format_to(struct text_sink *sink, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/*
 * Format into out[0..size), cut to fit and terminated where size is not 0. Return the length without the cut.
 */
size_t text_format(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t text_format_va(char *out, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
