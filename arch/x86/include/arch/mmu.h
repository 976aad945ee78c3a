/*
 * arch/mmu.h - the paging unit, CR3 and the TLB, and what the mm layer must know of the image. Two
 * implementations: arch/x86/mmu.c and tests/host/machine.c.
 */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H

#include <arch/pte.h>

/* Finds out what the CPU's paging unit can do and fills arch_mmu. as_486: take it for one without CPUID. */
void arch_mmu_probe(bool as_486);

/*
 * Loads the root with every feature of arch_mmu on: PSE and PAE before CR3, PG and WP, then PGE, in the order
 * of SDM 3A 4.1.2, 4.10.4 and 11.11.8. The code that runs is mapped at the same address by the root. Where the
 * CPU has them, SMEP, SMAP and UMIP are on from here on: the kernel cannot execute USER pages, and reads and
 * writes them only as arch/user_access.h says; programs cannot ask where the descriptor tables are.
 */
void arch_mmu_enable(pfn_t root);

/* Loads CR3: drops every translation that is not global. */
void arch_mmu_load(pfn_t root);

/* Returns the root that is loaded. */
pfn_t arch_mmu_root(void);

/* Drop the cached translations of one page, of a run of pages, of all that is not global, of everything. */
void arch_tlb_flush_page(vpn_t v);
void arch_tlb_flush_range(struct pages range);
void arch_tlb_flush_user(void);
void arch_tlb_flush_all(void);

/*
 * Phase one: maps the span of one page table (4 MiB, in PAE 2 MiB) that begins at first into the direct map of
 * the entry page tables, with `table` (a mapped frame, any content) as the page table.
 */
void arch_boot_window_map(pfn_t first, pfn_t table);

/* Tells mm where the entries of this processor's two windows onto high frames are, once the map is loaded. */
void arch_window_init(pte_t *entries);
#define ARCH_WINDOW_PAGES 2u

/* The image in memory: frames of each part, in this order, one behind the other. */
struct arch_image {
	pfn_t boot;         /* code and data for starting only, given back after it */
	pfn_t suite_text;   /* the suites' code: no part of the kernel where they are not wanted */
	pfn_t text;         /* read and execute */
	pfn_t rodata;       /* read */
	pfn_t data;         /* read and write, with bss */
	pfn_t suite_rodata; /* of the suites, as their code */
	pfn_t suite_data;
	pfn_t end;
};
struct arch_image arch_image(void);

#endif
