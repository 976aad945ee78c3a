/* tests/host/printf_test.c - lib/printf.c, held against the host's printf wherever both know a conversion. */
#include <kernel/ktest.h>
#include <lib/printf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Formats into a buffer with guards around it. */
#define SIZE 96
static char text[SIZE + 2];

static size_t format_va(size_t size, const char *format, va_list args)
{
	memset(text, '#', sizeof(text));
	return text_format_va(text + 1, size, format, args);
}

static __attribute__((format(printf, 2, 3))) void expect_text(const char *want, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = format_va(SIZE, format, args);
	va_end(args);
	EXPECT_EQ(length, strlen(want));
	if (strcmp(text + 1, want))
		ktest_fail("%s gives \"%s\", not \"%s\"", format, text + 1, want);
}

/* The same text as the host's printf gives. */
static __attribute__((format(printf, 1, 2))) void expect_same(const char *format, ...)
{
	char want[SIZE];
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(want, sizeof(want), format, again);
	va_end(again);
	EXPECT_EQ(format_va(SIZE, format, args), length);
	va_end(args);
	if (strcmp(text + 1, want))
		ktest_fail("%s gives \"%s\", not \"%s\"", format, text + 1, want);
}

KTEST(printf, decimal)
{
	expect_same("%d %d %d", 0, 7, -7);
	expect_same("%d %d", INT32_MAX, INT32_MIN);
	expect_same("%i|%5d|%-5d|%05d", 42, 42, 42, 42);
	expect_same("%5d|%-5d|%05d", -42, -42, -42);
	expect_same("% d|% d|%+d|%+d", 3, -3, 3, -3);
	expect_same("%3d|%.5d|%8.3d|%-8.3d|", 12345, 42, 42, -42);
	expect_same("%lld %lld", (long long)INT64_MAX, (long long)INT64_MIN);
	expect_same("%ld %ld", 123456789L, -123456789L);
}

KTEST(printf, unsigned_and_hex)
{
	expect_same("%u %u", 0u, UINT32_MAX);
	expect_same("%llu", (unsigned long long)UINT64_MAX);
	expect_same("%x %X %#x %#X", 0xbeefu, 0xbeefu, 0xbeefu, 0xbeefu);
	expect_same("%#x %08x %#010x", 0u, 0xabcu, 0xabcu);
	expect_same("%llx", 0x123456789abcdef0ull);
	expect_same("%-8x|%8x|%.8x", 0xabcu, 0xabcu, 0xabcu);
	expect_same("%zu %zx", sizeof(text), sizeof(text));
}

KTEST(printf, short_lengths)
{
	expect_same("%hhu %hhd %hu %hd", (unsigned char)200, (signed char)-3, (unsigned short)60000,
		    (short)-300);
	expect_same("%hhx", (unsigned char)0xff);
}

KTEST(printf, text_and_characters)
{
	const char *volatile none = NULL; /* volatile: the compiler would complain */

	expect_same("%s|%10s|%-10s|%.2s|%5.1s|", "abc", "abc", "abc", "abc", "abc");
	expect_same("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
	expect_same("%s", "");
	expect_same("100%%");
	expect_text("(null)", "%s", none);
}

/* Text that is not terminated is read no further than the precision. */
KTEST(printf, precision_bounds_the_text)
{
	static const char raw[3] = {'x', 'y', 'z'};

	expect_same("%.3s|%.*s|", raw, 2, raw);
}

KTEST(printf, width_from_the_arguments)
{
	expect_same("%*d|%*d|%-*d|", 6, 42, -6, 42, 6, 42);
}

KTEST(printf, pointers_have_all_digits)
{
	char want[32];

	snprintf(want, sizeof(want), "0x%0*llx", (int)(2 * sizeof(void *)), 0x1234ull);
	expect_text(want, "%p", (void *)0x1234);
}

static size_t format_unknown(const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = format_va(SIZE, format, args);
	va_end(args);
	return length;
}

KTEST(printf, unknown_conversions_stand_as_they_are)
{
	EXPECT_EQ(format_unknown("a %y b"), 6);
	EXPECT(!strcmp(text + 1, "a %y b"));
	EXPECT_EQ(format_unknown("end %"), 5);
	EXPECT(!strcmp(text + 1, "end %"));
	EXPECT_EQ(format_unknown("end %5l"), 7);
	EXPECT(!strcmp(text + 1, "end %5l"));
}

static const uint32_t sizes[] = {0, 1, 2, 5, 6, 7};

/* Never a byte beyond the buffer, always terminated, and the length is that of the whole text. */
KTEST_EACH(printf, cut_text_is_terminated, sizes)
{
	memset(text, '#', sizeof(text));
	EXPECT_EQ(text_format(text + 1, param, "%s%d", "abc", 123), 6);
	EXPECT_EQ(text[0], '#');
	EXPECT_EQ(text[param + 1], '#');
	if (param == 0)
		return;
	EXPECT_EQ(strlen(text + 1), param > 6 ? 6 : param - 1);
	EXPECT(!strncmp(text + 1, "abc123", strlen(text + 1)));
}
