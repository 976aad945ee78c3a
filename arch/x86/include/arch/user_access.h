/*
 * arch/user_access.h - when the supervisor may touch USER pages. Where the CPU has SMAP it may not, but between
 * these two, which stand around the few instructions that copy from and to programs. SDM 3A 4.6.1.
 */
#ifndef ARCH_USER_ACCESS_H
#define ARCH_USER_ACCESS_H

#include <arch/cpu.h>

#define EFLAGS_AC 0x40000u /* set: USER pages may be read and written */

/*
 * Open and close the way to USER pages; they do not nest. A trap in between runs with the way closed and opens it
 * again where it returns. They do nothing on a CPU without SMAP, where the way is always open.
 */
static inline void arch_user_open(void)
{
	if (cpu_info.protections & CPUID_SMAP)
		__asm__ volatile("stac" : : : "memory", "cc");
}

static inline void arch_user_close(void)
{
	if (cpu_info.protections & CPUID_SMAP)
		__asm__ volatile("clac" : : : "memory", "cc");
}

#endif
