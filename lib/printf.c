/* lib/printf.c - formats text into a sink. Owns nothing, allocates nothing. */
#include <lib/printf.h>
#include <lib/string.h>
#include <stdbool.h>
#include <stdint.h>

#define MOST_DIGITS 24 /* of 64 bits in base ten, and to spare */

/* One conversion, as "%-#0+ 20.8llx" spells it. */
struct spec {
	bool left, zero, alternate, plus, space;
	int width;
	int precision; /* -1: none given */
	int length;    /* -2 hh, -1 h, 0 int, 1 l, 2 ll, 3 z */
	char conversion;
};

struct output {
	struct text_sink *sink;
	size_t count;
};

/* The arguments behind a pointer: a va_list that is passed on cannot be read further by the caller. */
struct arguments {
	va_list list;
};

static void put(struct output *out, char c)
{
	out->sink->put(out->sink, c);
	out->count++;
}

static void put_many(struct output *out, char c, int count)
{
	while (count-- > 0)
		put(out, c);
}

static void put_text(struct output *out, const char *text, int length)
{
	for (int i = 0; i < length; i++)
		put(out, text[i]);
}

static const char *parse_flags(const char *p, struct spec *s)
{
	for (;; p++) {
		if (*p == '-')
			s->left = true;
		else if (*p == '0')
			s->zero = true;
		else if (*p == '#')
			s->alternate = true;
		else if (*p == '+')
			s->plus = true;
		else if (*p == ' ')
			s->space = true;
		else
			return p;
	}
}

/* Reads a number or the argument that * stands for. */
static const char *parse_number(const char *p, int *number, struct arguments *args)
{
	*number = 0;
	if (*p == '*') {
		*number = va_arg(args->list, int);
		return p + 1;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		if (*number < 10000)
			*number = *number * 10 + (*p - '0');
	return p;
}

static const char *parse_length(const char *p, struct spec *s)
{
	for (;; p++) {
		if (*p == 'l' && s->length < 2)
			s->length++;
		else if (*p == 'h' && s->length > -2)
			s->length--;
		else if (*p == 'z')
			s->length = 3;
		else
			return p;
	}
}

/* Reads what stands behind a percent sign and returns where it ends: at the conversion. */
static const char *parse_spec(const char *p, struct spec *s, struct arguments *args)
{
	*s = (struct spec){.precision = -1};
	p = parse_flags(p, s);
	p = parse_number(p, &s->width, args);
	if (s->width < 0) {
		s->left = true;
		s->width = s->width < -10000 ? 10000 : -s->width;
	}
	if (*p == '.')
		p = parse_number(p + 1, &s->precision, args);
	p = parse_length(p, s);
	s->conversion = *p;
	return p;
}

static uint64_t read_unsigned(const struct spec *s, struct arguments *args)
{
	unsigned value;

	if (s->length == 1)
		return va_arg(args->list, unsigned long);
	if (s->length == 2)
		return va_arg(args->list, unsigned long long);
	if (s->length == 3)
		return va_arg(args->list, size_t);
	value = va_arg(args->list, unsigned);
	if (s->length == -1)
		return (unsigned short)value;
	return s->length == -2 ? (unsigned char)value : value;
}

static int64_t read_signed(const struct spec *s, struct arguments *args)
{
	int value;

	if (s->length == 1)
		return va_arg(args->list, long);
	if (s->length == 2)
		return va_arg(args->list, long long);
	if (s->length == 3)
		return va_arg(args->list, ptrdiff_t);
	value = va_arg(args->list, int);
	if (s->length == -1)
		return (short)value;
	return s->length == -2 ? (signed char)value : value;
}

/* Writes the digits so that they end at `end`, and returns how many there are: none for 0. */
static int digits_of(uint64_t value, unsigned base, bool upper, char *end)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	int count = 0;

	for (; value; value /= base, count++)
		*--end = digits[value % base];
	return count;
}

/* Prints sign or prefix, zeros and digits, and fills up to the width. */
static void put_number(struct output *out, const struct spec *s, uint64_t value, const char *prefix)
{
	char buffer[MOST_DIGITS];
	bool decimal = s->conversion == 'd' || s->conversion == 'i' || s->conversion == 'u';
	int count = digits_of(value, decimal ? 10 : 16, s->conversion == 'X', buffer + MOST_DIGITS);
	int before = (int)strlen(prefix);
	int least = s->precision < 0 ? 1 : s->precision;
	int zeros = least > count ? least - count : 0;
	int fill = s->width - before - zeros - count;

	if (s->zero && !s->left && s->precision < 0 && fill > 0) {
		zeros += fill;
		fill = 0;
	}
	if (!s->left)
		put_many(out, ' ', fill);
	put_text(out, prefix, before);
	put_many(out, '0', zeros);
	put_text(out, buffer + MOST_DIGITS - count, count);
	if (s->left)
		put_many(out, ' ', fill);
}

static void put_signed(struct output *out, const struct spec *s, int64_t value)
{
	const char *sign = s->plus ? "+" : s->space ? " " : "";

	/* Negated as unsigned: -INT64_MIN has no signed form. */
	if (value < 0)
		put_number(out, s, 0 - (uint64_t)value, "-");
	else
		put_number(out, s, (uint64_t)value, sign);
}

static void put_hex(struct output *out, const struct spec *s, uint64_t value)
{
	const char *prefix = s->conversion == 'X' ? "0X" : "0x";

	put_number(out, s, value, s->alternate && value ? prefix : "");
}

static void put_string(struct output *out, const struct spec *s, const char *text)
{
	int length = 0;

	if (!text)
		text = "(null)";
	while ((s->precision < 0 || length < s->precision) && text[length])
		length++;
	if (!s->left)
		put_many(out, ' ', s->width - length);
	put_text(out, text, length);
	if (s->left)
		put_many(out, ' ', s->width - length);
}

static void put_char(struct output *out, const struct spec *s, char c)
{
	if (!s->left)
		put_many(out, ' ', s->width - 1);
	put(out, c);
	if (s->left)
		put_many(out, ' ', s->width - 1);
}

/* A pointer is printed with all its digits. */
static void put_pointer(struct output *out, const struct spec *s, const void *p)
{
	struct spec full = *s;

	full.conversion = 'x';
	full.precision = 2 * (int)sizeof(p);
	put_number(out, &full, (uintptr_t)p, "0x");
}

/* Prints one conversion; false for one that there is not. */
static bool convert(struct output *out, const struct spec *s, struct arguments *args)
{
	switch (s->conversion) {
	case 'd':
	case 'i':
		put_signed(out, s, read_signed(s, args));
		return true;
	case 'u':
		put_number(out, s, read_unsigned(s, args), "");
		return true;
	case 'x':
	case 'X':
		put_hex(out, s, read_unsigned(s, args));
		return true;
	case 'c':
		put_char(out, s, (char)va_arg(args->list, int));
		return true;
	case 's':
		put_string(out, s, va_arg(args->list, const char *));
		return true;
	case 'p':
		put_pointer(out, s, va_arg(args->list, void *));
		return true;
	case '%':
		put(out, '%');
		return true;
	default:
		return false;
	}
}

size_t text_format_to(struct text_sink *sink, const char *format, va_list list)
{
	struct output out = {.sink = sink};
	struct arguments args;
	struct spec s;

	va_copy(args.list, list);
	for (const char *p = format; *p; p++) {
		const char *percent = p;

		if (*p != '%') {
			put(&out, *p);
			continue;
		}
		p = parse_spec(p + 1, &s, &args);
		if (convert(&out, &s, &args))
			continue;
		put_text(&out, percent, (int)(p - percent));
		if (!*p)
			break;
		put(&out, *p);
	}
	va_end(args.list);
	return out.count;
}

struct buffer_sink {
	struct text_sink sink; /* first: put gets a pointer to it */
	char *next;
	size_t room; /* without the terminator */
};

static void put_in_buffer(struct text_sink *sink, char c)
{
	struct buffer_sink *b = (struct buffer_sink *)sink;

	if (!b->room)
		return;
	b->room--;
	*b->next++ = c;
}

size_t text_format_va(char *out, size_t size, const char *format, va_list args)
{
	struct buffer_sink b = {{put_in_buffer}, out, size ? size - 1 : 0};
	size_t length = text_format_to(&b.sink, format, args);

	if (size)
		*b.next = '\0';
	return length;
}

size_t text_format(char *out, size_t size, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = text_format_va(out, size, format, args);
	va_end(args);
	return length;
}
