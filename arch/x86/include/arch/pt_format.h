/*
 * arch/pt_format.h - the geometry of the i386's two page-table formats. Level 0 maps pages, level 1 holds
 * page tables ("page directory"), level ARCH_PT_LEVELS - 1 is the root that CR3 names.
 *
 *   two-level (SDM 3A 4.3)      31       22 21       12 11        0
 *                               | level 1  | level 0   | offset   |
 *   PAE (SDM 3A 4.4)       31 30 29     21 20       12 11        0
 *                          | 2  | level 1 | level 0   | offset   |
 */
#ifndef ARCH_PT_FORMAT_H
#define ARCH_PT_FORMAT_H

#include <lib/types.h>

#if QUIRE_PAE
typedef struct {
	uint64_t raw;
} pte_t;
#define ARCH_PT_LEVELS       3
#define ARCH_PT_BITS(l)      ((l) == 2 ? 2u : 9u)
#define ARCH_PT_SPAN_BITS(l) (9u * (l)) /* log2 of the pages that one entry at level l spans */
#define ARCH_PT_ROOT_EAGER   1          /* the CPU reads the root at CR3 load only: full from the start */
#define ARCH_PFN_END         (1u << 24) /* 64 GiB */
#else
typedef struct {
	uint32_t raw;
} pte_t;
#define ARCH_PT_LEVELS       2
#define ARCH_PT_BITS(l)      10u
#define ARCH_PT_SPAN_BITS(l) (10u * (l))
#define ARCH_PT_ROOT_EAGER   0
#define ARCH_PFN_END         (1u << 20) /* 4 GiB */
#endif

#define ARCH_PT_ENTRIES(l)  (1u << ARCH_PT_BITS(l))
#define ARCH_PT_SPAN(l)     (1u << ARCH_PT_SPAN_BITS(l))
#define ARCH_PT_INDEX(l, v) (((v) >> ARCH_PT_SPAN_BITS(l)) & (ARCH_PT_ENTRIES(l) - 1))
#define ARCH_LARGE_PAGES    ARCH_PT_SPAN(1) /* pages of a large page: 1024 or 512 */

#define ARCH_KERNEL_VPN 0xC0000u  /* the kernel's half begins here */
#define ARCH_VPN_END    0x100000u /* pages of the address space */
#define ARCH_STACK_VPN                                                                                       \
	0xF8000u /* what lies between serves the direct map and, behind it, frame descriptors */
#define ARCH_DESC_PAGES    (ARCH_PFN_END >> 8) /* of descriptors, 256 in each: 16 MiB, PAE 256 MiB */
#define ARCH_DESC_VPN      (ARCH_STACK_VPN - ARCH_DESC_PAGES)
#define ARCH_DIRECT_PAGES  (ARCH_DESC_VPN - ARCH_KERNEL_VPN) /* the direct map's reach: 880 MiB, PAE 640 MiB */
#define ARCH_TLB_RANGE_MAX 32u   /* beyond it one whole flush is cheaper than single ones */
#define ARCH_NO_LARGE_END  1024u /* frames: no large leaf in the first 4 MiB (fixed MTRRs, image) */

#endif
