/* lib/string.c - the memory and string functions of C. Owns nothing. */
#include <arch/string.h>
#include <lib/string.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
	arch_copy(to, from, length);
	return to;
}

void *memmove(void *to, const void *from, size_t length)
{
	char *t = to;
	const char *f = from;

	/* Forwards is right unless the destination begins inside of the source. */
	if ((uintptr_t)t - (uintptr_t)f >= length) {
		while (length--)
			*t++ = *f++;
		return to;
	}
	while (length--)
		t[length] = f[length];
	return to;
}

void *memset(void *to, int byte, size_t length)
{
	arch_fill(to, (uint8_t)byte, length);
	return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
	const uint8_t *x = a;
	const uint8_t *y = b;

	for (; length--; x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t length)
{
	for (; length--; a++, b++) {
		if (*a != *b)
			return (uint8_t)*a - (uint8_t)*b;
		if (!*a)
			return 0;
	}
	return 0;
}

bool string_copy(char *to, size_t size, const char *from, size_t length)
{
	size_t n = 0;

	for (; n < length && from[n]; n++) {
		if (n + 1 == size) {
			to[n] = '\0';
			return false;
		}
		to[n] = from[n];
	}
	to[n] = '\0';
	return true;
}
