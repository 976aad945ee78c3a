/*
 * mm/usercopy.h - the only ways to a program's memory. A range that is not wholly in the user part of the loaded
 * directory is refused; a page that is absent may be brought in by a fault on the way. On a CPU with SMAP the kernel
 * cannot reach that memory otherwise. Lock: none. Nothing here waits.
 */
#ifndef MM_USERCOPY_H
#define MM_USERCOPY_H

#include <lib/types.h>

/* Copy n bytes. Return 0, or -EFAULT: then part may have been copied. */
int copy_from_user(void *to, vaddr_t from, uint32_t n);
int copy_to_user(vaddr_t to, const void *from, uint32_t n);

/* The same, and return how many bytes were copied: all in front of the first that cannot be. */
uint32_t copy_from_user_some(void *to, vaddr_t from, uint32_t n);
uint32_t copy_to_user_some(vaddr_t to, const void *from, uint32_t n);

/* Writes n zero bytes. Returns 0, or -EFAULT: then part may have been written. */
int zero_user(vaddr_t to, uint32_t n);

/*
 * Copies a string and its 0 into `size` bytes, size below 2^31. Returns its length; -EFAULT when a byte of it cannot
 * be read; -ENAMETOOLONG when there is no 0 within size.
 */
int32_t string_from_user(char *to, vaddr_t from, uint32_t size);

#endif
