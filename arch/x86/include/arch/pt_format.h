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

#define ARCH_PT_ENTRIES(l) (1u << ARCH_PT_BITS(l))
#define ARCH_PT_SPAN(l)    (1u << ARCH_PT_SPAN_BITS(l))
#define ARCH_LARGE_PAGES   ARCH_PT_SPAN(1) /* pages of a large page: 1024 or 512 */

#define ARCH_KERNEL_VPN 0xC0000u  /* the kernel's half begins here */
#define ARCH_VPN_END    0x100000u /* pages of the address space */
#define ARCH_STACK_VPN                                                                                       \
	0xF8000u /* what lies between serves the direct map and, behind it, frame descriptors */
#define ARCH_DESC_PAGES    (ARCH_PFN_END >> 8) /* of descriptors, 256 in each: 16 MiB, PAE 256 MiB */
#define ARCH_DESC_VPN      (ARCH_STACK_VPN - ARCH_DESC_PAGES)
#define ARCH_DIRECT_PAGES  (ARCH_DESC_VPN - ARCH_KERNEL_VPN) /* the direct map's reach: 880 MiB, PAE 640 MiB */
#define ARCH_TLB_RANGE_MAX 32u   /* beyond it one whole flush is cheaper than single ones */
#define ARCH_NO_LARGE_END  1024u /* frames: no large leaf in the first 4 MiB (fixed MTRRs, image) */

#include <arch/pt_proof.h>

/* Returns which entry of a table at this level stands for page v. */
/*@ requires is_level(level) && v < ARCH_VPN_END;
  @ assigns \nothing;
  @ ensures level == 0 ==> \result == index_0(v);
  @ ensures level == 1 ==> \result == index_1(v);
  @ ensures level == 2 ==> \result == index_2(v); */
static inline uint32_t arch_pt_index(unsigned level, vpn_t v)
{
	return v >> ARCH_PT_SPAN_BITS(level) & (ARCH_PT_ENTRIES(level) - 1);
}

/* Returns the first page behind those that the entry for page v spans at this level. */
/*@ requires is_level(level) && v < ARCH_VPN_END;
  @ assigns \nothing;
  @ ensures level == 0 ==> \result == v + 1;
  @ ensures level == 1 ==> \result == next_1(v);
  @ ensures level == 2 ==> \result == next_2(v); */
static inline vpn_t arch_pt_next(unsigned level, vpn_t v)
{
	return (v | (ARCH_PT_SPAN(level) - 1)) + 1;
}

/* Returns where the pages [v, end) leave the page table that v lies in, or end where they do not. */
/*@ requires v < end <= ARCH_VPN_END;
  @ assigns \nothing;
  @ ensures v < \result <= end && index_0(v) + (\result - v) <= ARCH_PT_ENTRIES(0);
  @ ensures \result < end ==> index_0(v) + (\result - v) == ARCH_PT_ENTRIES(0); */
static inline vpn_t arch_pt_run_end(vpn_t v, vpn_t end)
{
	vpn_t next = arch_pt_next(1, v);

	return next < end ? next : end;
}

/* True for a range that does not leave the address space. Any numbers may be asked. */
/*@ assigns \nothing;
  @ ensures \result <==> in_space(range); */
static inline bool arch_pt_in_space(struct pages range)
{
	return range.first <= ARCH_VPN_END && range.count <= ARCH_VPN_END - range.first;
}

/* True where a large page has room in a range: aligned, all of it, and beyond the first 4 MiB. */
/*@ assigns \nothing;
  @ ensures \result <==> rest.first % ARCH_LARGE_PAGES == 0 && rest.count >= ARCH_LARGE_PAGES &&
  @	f.n % ARCH_LARGE_PAGES == 0 && f.n >= 1024; */
static inline bool arch_large_has_room(struct pages rest, pfn_t f)
{
	return rest.count >= ARCH_LARGE_PAGES && rest.first % ARCH_LARGE_PAGES == 0 &&
	       f.n % ARCH_LARGE_PAGES == 0 && f.n >= ARCH_NO_LARGE_END;
}

#endif
