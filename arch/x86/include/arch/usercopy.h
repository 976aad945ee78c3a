/*
 * arch/usercopy.h - user memory of the loaded directory, for mm/usercopy.c alone: it has checked that the range is the
 * program's. Two implementations: arch/x86/usercopy.c and tests/host/usercopy.c. A page that cannot be accessed is
 * offered to user_hooks.fault first. Nothing here waits.
 */
#ifndef ARCH_USERCOPY_H
#define ARCH_USERCOPY_H

#include <lib/types.h>

/* Copy or clear n bytes and return how many of them are left: 0, or those from the first on that cannot be reached. */
uint32_t arch_user_read(void *to, vaddr_t from, uint32_t n);
uint32_t arch_user_write(vaddr_t to, const void *from, uint32_t n);
uint32_t arch_user_zero(vaddr_t to, uint32_t n);

/*
 * Copies a string of at most n bytes, n not 0, with its 0. Returns its length, n when no 0 is among them, -EFAULT when
 * a byte before the 0 cannot be reached.
 */
int32_t arch_user_string(char *to, vaddr_t from, uint32_t n);

#endif
