/*
 * arch/string.h - copies and fills by string instructions: one for each word. The gates clear DF, so it is up
 * in all of the kernel. They serve 32-bit and 64-bit processors alike.
 */
#ifndef ARCH_STRING_H
#define ARCH_STRING_H

#include <stddef.h>
#include <stdint.h>

#define ARCH_STRING_WORD 4u

static inline void arch_copy(void *to, const void *from, size_t length)
{
	size_t words = length / ARCH_STRING_WORD, bytes = length % ARCH_STRING_WORD;

	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static inline void arch_fill(void *to, uint8_t byte, size_t length)
{
	size_t words = length / ARCH_STRING_WORD, bytes = length % ARCH_STRING_WORD;

	__asm__ volatile("rep stosl" : "+D"(to), "+c"(words) : "a"(byte * 0x01010101u) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(byte) : "memory");
}

#endif
