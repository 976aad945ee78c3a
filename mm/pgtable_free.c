/*
 * mm/pgtable_free.c - directories that are given back, with their tables. Owns nothing. Lock: the directory owner's.
 *
 * What is empty goes back as a table that holds zeros, so that the next one need not be zeroed. A root and what stands
 * between it and the page tables are cleared entry by entry; the page tables of a space are empty by then.
 */
#include <arch/frame_access.h>
#include <arch/pte_store.h>
#include <lib/panic.h>
#include <mm/pgtable.h>

#define ROOT_LEVEL (ARCH_PT_LEVELS - 1)
#define USER_ROOTS arch_pt_index(ROOT_LEVEL, ARCH_KERNEL_VPN) /* root entries of the user part */
#define ROOTS      ARCH_PT_ENTRIES(ROOT_LEVEL)
#define SPAN       ARCH_PT_SPAN(1)

static void must_not_be_loaded(const struct pdir *pd)
{
	if (arch_mmu_root().n == pd->root.n)
		panic("vm_free of the loaded directory 0x%x", pd->root.n);
}

/* Frees a root whose user part is cleared by now. */
static void free_root(struct pdir *pd)
{
	pdir_clear_kernel_part(pd);
	table_free(pd->root);
	pd->root = NO_FRAME;
}

/* Drops the references that a page table's entries hold. A large page never holds one. */
static void put_leaves(pfn_t table)
{
	const pte_t *entry = arch_frame_direct(table);
	uint32_t count = ARCH_PT_ENTRIES(0);

	for (uint32_t i = arch_pte_find(entry, 0, count); i < count; i = arch_pte_find(entry, i + 1, count)) {
		pte_t e = arch_pte_read(&entry[i]);

		if (arch_pte_prot(e) & PROT_OWNED)
			frame_put(arch_pte_pfn(e));
	}
}

/* Clears the first `count` entries of a table, and frees the tables below. Page tables may be another's too. */
static void free_below(pfn_t table, unsigned level, uint32_t count)
{
	pte_t *entry = arch_frame_direct(table);

	for (uint32_t i = arch_pte_find(entry, 0, count); i < count; i = arch_pte_find(entry, i + 1, count)) {
		pte_t e = arch_pte_read(&entry[i]);

		arch_pte_write(&entry[i], arch_pte_none());
		if (arch_pte_kind(level, e) != PTE_TABLE)
			continue;
		if (level > 1) {
			free_below(arch_pte_pfn(e), level - 1, ARCH_PT_ENTRIES(level - 1));
			table_free(arch_pte_pfn(e));
		} else {
			put_leaves(arch_pte_pfn(e));
			table_put(arch_pte_pfn(e));
		}
	}
}

void vm_free(struct pdir *pd)
{
	must_not_be_loaded(pd);
	free_below(pd->root, ROOT_LEVEL, pd->owns_kernel ? ROOTS : USER_ROOTS);
	free_root(pd);
}

void vm_free_run(struct pdir *pd, struct pages range)
{
	vpn_t end = range.first + range.count;
	uint32_t count;

	for (vpn_t v = range.first & ~(SPAN - 1); v < end && pd->tables; v += count * SPAN) {
		pte_t *entry = pgdir_walk(pd, v, 1, NULL).entry;
		uint32_t room = ARCH_PT_ENTRIES(1) - arch_pt_index(1, v);

		count = (end - v + SPAN - 1) / SPAN;
		count = count < room ? count : room;
		for (uint32_t i = 0; (i = arch_pte_find(entry, i, count)) < count; pd->tables--) {
			pfn_t table = arch_pte_pfn(arch_pte_read(&entry[i]));

			arch_pte_write(&entry[i], arch_pte_none());
			table_free(table);
		}
	}
}

void vm_free_empty(struct pdir *pd)
{
	pte_t *root = arch_frame_direct(pd->root);

	must_not_be_loaded(pd);
	vm_free_run(pd, PAGES(0, ARCH_KERNEL_VPN));
	for (uint32_t i = 0; ARCH_PT_ROOT_EAGER && i < USER_ROOTS; i++) {
		table_free(arch_pte_pfn(arch_pte_read(&root[i])));
		arch_pte_write(&root[i], arch_pte_none());
	}
	free_root(pd);
}
