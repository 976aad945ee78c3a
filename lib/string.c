/* lib/string.c - the memory and string functions of C. Owns nothing. */
#include <lib/string.h>
#include <stdint.h>

#define WORD 4u

/* By words, then bytes: one instruction for each, on processors of 32 bits and of 64. Gates clear DF on entry. */
void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
	void *t = to;
	const void *f = from;
	size_t words = length / WORD, bytes = length % WORD;

	__asm__ volatile("rep movsl" : "+D"(t), "+S"(f), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(t), "+S"(f), "+c"(bytes) : : "memory");
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
	void *t = to;
	size_t words = length / WORD, bytes = length % WORD;

	__asm__ volatile("rep stosl" : "+D"(t), "+c"(words) : "a"((uint8_t)byte * 0x01010101u) : "memory");
	__asm__ volatile("rep stosb" : "+D"(t), "+c"(bytes) : "a"(byte) : "memory");
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
