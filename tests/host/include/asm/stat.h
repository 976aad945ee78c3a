/*
 * asm/stat.h - the i386's structures for a host that is none. Their words become the host's, so only their fields'
 * names are to be relied on.
 */
#ifndef TESTS_ASM_STAT_H
#define TESTS_ASM_STAT_H

#include <asm/posix_types.h>

#ifdef __i386__
#include_next <asm/stat.h>
#else
#define __i386__
#define _ASM_X86_POSIX_TYPES_32_H /* the host's own are there already, and are others */
#include_next <asm/stat.h>
#undef __i386__
#endif

#endif
