/* lib/string.h - the memory and string functions of C that the kernel uses; the compiler calls the first four. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t length);

/*
 * Copies the string in from[0..length), which need not be terminated, and terminates the copy in to[0..size),
 * size not 0. Returns false when the copy is cut.
 */
bool string_copy(char *to, size_t size, const char *from, size_t length);

#endif
