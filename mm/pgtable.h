/*
 * mm/pgtable.h - page directories and tables, in whichever format the arch layer has, through one walker.
 *
 * An entry with PROT_OWNED holds a reference on its frame: mapping takes over the caller's, unmapping gives it to
 * the batch. An entry without it (direct map, devices, identity) counts nothing.
 * Lock: none here; changes to one directory are the duty of its owner to serialise (a space's lock, kmap_lock
 * for the kernel's half).
 */
#ifndef MM_PGTABLE_H
#define MM_PGTABLE_H

#include <arch/mmu.h>
#include <arch/pte.h>
#include <mm/container.h>
#include <mm/tlb.h>

struct pdir {
	pfn_t root;
	bool owns_kernel; /* the kernel half's tables are its own: true for the kernel's directory alone */
	bool shares_identity; /* tables of its user part are the identity map's: no page of it can be changed */
	uint32_t tables;      /* page tables made for it */
	struct container_id owner; /* its tables and the pages of alloc_page are charged to it */
};

/* The kernel's directory: its user part is empty, its kernel part is every directory's. */
extern struct pdir kernel_pdir;

/* Zeroed tables, allocated before anything is changed. */
struct table_stock {
	pfn_t first; /* linked through their first word */
	uint32_t count;
};

/*
 * Fills an empty stock with count tables charged to an owner (before alloc_init: boot memory). Returns 0, -ESRCH,
 * -EDQUOT or -ENOMEM, with nothing changed.
 */
int table_stock_fill(struct table_stock *stock, struct container_id owner, uint32_t count);

/* Takes a table out of the stock; NO_FRAME when it is empty. */
pfn_t table_stock_take(struct table_stock *stock);

/* Frees what is left in a stock: no MMU has seen these tables. */
void table_stock_free(struct table_stock *stock);

/*
 * Free a table that is in no directory any more: whatever is in it, with nothing done to what its entries name; and one
 * that is empty.
 */
void table_put(pfn_t table);
void table_free(pfn_t table);

/* Where a walk ended. */
struct pt_slot {
	pte_t *entry;   /* null where a table was wanted and the stock was empty */
	unsigned level; /* of the entry */
};

/*
 * Walks to the entry for page v at `level` (0: a page, 1: a page directory's entry). Ends above it at an entry
 * that is absent or that maps a large page. With a stock, absent tables are taken from it and set on the way.
 */
struct pt_slot pgdir_walk(const struct pdir *pd, vpn_t v, unsigned level, struct table_stock *stock);

/* Return the entry for an address at each level; an entry that maps nothing where the level above is absent. */
pte_t get_pdir_entry_by_va(const struct pdir *pd, vaddr_t va);
pte_t get_ptbl_entry_by_va(const struct pdir *pd, vaddr_t va);

/*
 * Set the entry for an address in the user part: to a table (zeroed, or made ready by the caller), to a page. Raw
 * access: nothing is asked about the frame, its owner or the protection. The entry replaced and the frame it named
 * stay the caller's. Return 0, -EPERM (kernel half), -ENOENT (the level above is absent), -EBUSY (a table that still
 * has entries, or a large page, is in the way). On failure nothing has changed; a change of a present entry is
 * recorded in the batch.
 */
int set_pdir_entry_by_va(struct pdir *pd, vaddr_t va, pfn_t table, struct tlb_batch *b);
int set_ptbl_entry_by_va(struct pdir *pd, vaddr_t va, pfn_t f, prot_t prot, struct tlb_batch *b);

/* Clear the entry; what it named stays the caller's. Errors as above, and -ENOENT for an absent entry. */
int rmv_pdir_entry_by_va(struct pdir *pd, vaddr_t va, struct tlb_batch *b);
int rmv_ptbl_entry_by_va(struct pdir *pd, vaddr_t va, struct tlb_batch *b);

/*
 * Makes a new directory: kernel part as in kernel_pdir, user part unmapped; charged to owner. Returns 0, -ESRCH,
 * -EDQUOT or -ENOMEM, with nothing changed.
 */
int pdir_init(struct pdir *pd, struct container_id owner);

/* Takes the kernel part out again, which no MMU walks any more. */
void pdir_clear_kernel_part(struct pdir *pd);

/* The same without a kernel part, which becomes its own: for kvm_init. */
int pdir_init_bare(struct pdir *pd, struct container_id owner);

/*
 * Frees a directory: the references of its user pages, its tables and its root, each once. It panics for the
 * directory that is loaded; loading another one was the flush. pd names nothing after it.
 */
void vm_free(struct pdir *pd);

/*
 * The same in two steps, for one whose user part is empty: drop_run has cleared it. The first frees the tables of a
 * range, and may leave some; the second what is left, wherever it is, and the directory. They go back as the zeros that
 * they are: the next table need not be zeroed.
 */
void vm_free_run(struct pdir *pd, struct pages range);
void vm_free_empty(struct pdir *pd);

/* Adds an empty page table for an address, charged to the owner. 0, -EPERM, -EEXIST, -ESRCH, -EDQUOT, -ENOMEM. */
int alloc_ptbl(struct pdir *pd, vaddr_t va);

/* Removes the page table for an address; its frame is freed with the batch. 0, -EPERM, -ENOENT, -EBUSY. */
int free_ptbl(struct pdir *pd, vaddr_t va, struct tlb_batch *b);

/*
 * Maps one page. Returns 0, -EEXIST (something is mapped there), -EPERM (kernel half of another directory than
 * the kernel's or of one whose root is shared by now; page 0; a frame beyond the mode's reach; a directory that
 * shares the identity map; PROT_USER on a kernel frame or in the kernel half; PROT_GLOBAL in the user half;
 * PROT_OWNED on a frame without references, as all of a block are but the first), or as alloc_ptbl; on failure
 * nothing has changed and the reference stays the caller's.
 */
int map_page(struct pdir *pd, vpn_t v, pfn_t f, prot_t prot);

/* Unmaps one page; its frame's reference goes to the batch. 0, -EPERM, -ENOENT, -EBUSY (part of a large page). */
int unmap_page(struct pdir *pd, vpn_t v, struct tlb_batch *b);

/*
 * Maps contiguous frames at a range of pages, all or nothing. With PROT_LARGE in prot, large pages where page
 * and frame are aligned and the whole large page is RAM of one kind, never in the first 4 MiB. Errors as
 * map_page's, and -EINVAL for a range that leaves the address space or the mode's reach. A range without pages, at
 * whatever address, is nothing to do: 0, here and in the next two.
 */
int map_region(struct pdir *pd, struct pages range, pfn_t f, prot_t prot);

/* The same in bytes, rounded outward to pages; -EINVAL where va and pa differ in their offset. */
int mappages(struct pdir *pd, vaddr_t va, uint32_t size, paddr_t pa, prot_t prot);

/* Unmaps whatever a range maps; absent pages are skipped. 0, -EINVAL, -EPERM, or -EBUSY when it cuts a large page. */
int unmap_region(struct pdir *pd, struct pages range, struct tlb_batch *b);

/*
 * Gives an untouched page memory: a zeroed frame from the owner, mapped. Returns 0, -EEXIST (mapped already,
 * nothing charged), -EPERM, -ESRCH, -EDQUOT or -ENOMEM; on failure nothing has changed.
 */
int alloc_page(struct pdir *pd, vpn_t v, prot_t prot);

/*
 * Gives a process memory of its own: a container of n pages split off parent, and an empty directory charged to
 * it. Errors as container_split's and pdir_init's; on failure nothing has changed. free_mem_quota undoes it.
 */
int alloc_mem_quota(struct pdir *pd, struct container_id parent, uint32_t n);
void free_mem_quota(struct pdir *pd);

/* Load CR3; turn paging on with all that the CPU has. */
static inline void set_pdir_base(const struct pdir *pd)
{
	arch_mmu_load(pd->root);
}

static inline void enable_paging(const struct pdir *pd)
{
	arch_mmu_enable(pd->root);
}

/* Calls visit for each leaf of a range of pages, in order; stops and returns its first result that is not 0. */
struct pt_leaf {
	vpn_t v;
	unsigned level;
	pte_t entry;
};
int pdir_each_leaf(const struct pdir *pd, struct pages range, int (*visit)(const struct pt_leaf *, void *),
		   void *arg);

#endif
