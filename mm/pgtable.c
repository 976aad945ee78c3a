/*
 * mm/pgtable.c - page directories and tables. Owns the tables of every directory, and no frame that they map.
 * Lock: the directory owner's.
 *
 *	root (level 1, in PAE 2)          page table (level 0)
 *	| user part | kernel part |  ---> | page | page | ... |
 *	              the same entries in every directory, filled once; their tables belong to kernel_pdir
 *
 * What can fail comes first: tables are put into a stock, zeroed, before any entry is changed. One page never
 * lacks more than one table: a root that the CPU reads ahead (PAE) is filled when the directory is made.
 */
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <arch/pte_store.h>
#include <lib/panic.h>
#include <mm/boot_alloc.h>
#include <mm/pgtable.h>

#define ROOT_LEVEL (ARCH_PT_LEVELS - 1)
#define USER_ROOTS arch_pt_index(ROOT_LEVEL, ARCH_KERNEL_VPN) /* root entries of the user part */
#define ROOTS      ARCH_PT_ENTRIES(ROOT_LEVEL)
#define SPAN       ARCH_PT_SPAN(1)
#define ROOT_RUNS  4u

_Static_assert(ARCH_PT_LEVELS - ARCH_PT_ROOT_EAGER == 2, "a page lacks one table at most");

struct pdir kernel_pdir;

/*
 * Set when the first directory has copied the kernel's root entries: from then on they never change. Those in use stand
 * in a few runs; where there are more, the last one goes on to the end.
 */
static struct {
	bool kernel_root_shared;
	struct {
		uint32_t first, count;
	} run[ROOT_RUNS];
} pgtable;

static pte_t *table_at(pfn_t f)
{
	return arch_frame_direct(f);
}

/* Tables come zeroed: the MMU may walk one as soon as an entry names it. */
static int table_alloc(struct container_id owner, pfn_t *out)
{
	if (boot_alloc_sealed())
		return container_alloc_table(owner, out);
	*out = boot_alloc_frames(1);
	if (!out->n)
		return -ENOMEM;
	arch_frame_zero(*out);
	return 0;
}

void table_put(pfn_t f)
{
	if (boot_alloc_sealed())
		frame_put(f);
	else
		boot_free_frames(f, 1);
}

void table_free(pfn_t f)
{
	if (!boot_alloc_sealed()) {
		boot_free_frames(f, 1);
		return;
	}
	lock_acquire(&frame_lock);
	frame_put_zeroed_locked(f);
	lock_release(&frame_lock);
}

int table_stock_fill(struct table_stock *stock, struct container_id owner, uint32_t count)
{
	*stock = (struct table_stock){NO_FRAME, 0};
	while (stock->count < count) {
		pfn_t f;
		int err = table_alloc(owner, &f);

		if (err) {
			table_stock_free(stock);
			return err;
		}
		*(uint32_t *)arch_frame_direct(f) = stock->first.n;
		stock->first = f;
		stock->count++;
	}
	return 0;
}

pfn_t table_stock_take(struct table_stock *stock)
{
	pfn_t f = stock->first;
	uint32_t *link;

	if (!stock->count)
		return NO_FRAME;
	link = arch_frame_direct(f);
	stock->first = PFN(*link);
	stock->count--;
	*link = 0;
	return f;
}

void table_stock_free(struct table_stock *stock)
{
	while (stock->count)
		table_free(table_stock_take(stock));
}

struct pt_slot pgdir_walk(const struct pdir *pd, vpn_t v, unsigned level, struct table_stock *stock)
{
	unsigned at = ROOT_LEVEL;
	pte_t *entry = table_at(pd->root) + arch_pt_index(at, v);

	while (at > level) {
		pte_t e = arch_pte_read(entry);
		enum pte_kind kind = arch_pte_kind(at, e);

		if (kind == PTE_LEAF || (kind == PTE_NONE && !stock))
			break;
		if (kind == PTE_NONE) {
			pfn_t table = table_stock_take(stock);

			if (!table.n)
				return (struct pt_slot){NULL, at};
			e = arch_pte_table(at, table);
			arch_pte_write(entry, e);
		}
		at--;
		entry = table_at(arch_pte_pfn(e)) + arch_pt_index(at, v);
	}
	return (struct pt_slot){entry, at};
}

static enum pte_kind slot_kind(struct pt_slot s)
{
	return arch_pte_kind(s.level, arch_pte_read(s.entry));
}

static bool table_is_empty(pfn_t table)
{
	return arch_pte_find(table_at(table), 0, ARCH_PT_ENTRIES(0)) == ARCH_PT_ENTRIES(0);
}

pte_t get_pdir_entry_by_va(const struct pdir *pd, vaddr_t va)
{
	struct pt_slot s = pgdir_walk(pd, vpn_of(va), 1, NULL);

	return s.level == 1 ? arch_pte_read(s.entry) : arch_pte_none();
}

pte_t get_ptbl_entry_by_va(const struct pdir *pd, vaddr_t va)
{
	struct pt_slot s = pgdir_walk(pd, vpn_of(va), 0, NULL);

	return s.level == 0 ? arch_pte_read(s.entry) : arch_pte_none();
}

/* Finds the level-1 entry for a user address and proves that it may be replaced. */
static int replaceable_pdir_entry(const struct pdir *pd, vaddr_t va, struct pt_slot *s)
{
	if (vpn_of(va) >= ARCH_KERNEL_VPN)
		return -EPERM;
	*s = pgdir_walk(pd, vpn_of(va), 1, NULL);
	switch (slot_kind(*s)) {
	case PTE_LEAF:
		return -EBUSY;
	case PTE_TABLE:
		return table_is_empty(arch_pte_pfn(arch_pte_read(s->entry))) ? 0 : -EBUSY;
	default:
		return 0;
	}
}

int set_pdir_entry_by_va(struct pdir *pd, vaddr_t va, pfn_t table, struct tlb_batch *b)
{
	struct pt_slot s;
	int err = replaceable_pdir_entry(pd, va, &s);

	if (err)
		return err;
	if (slot_kind(s) == PTE_TABLE)
		tlb_owe_table(b);
	else
		pd->tables++;
	arch_pte_write(s.entry, arch_pte_table(1, table));
	return 0;
}

int rmv_pdir_entry_by_va(struct pdir *pd, vaddr_t va, struct tlb_batch *b)
{
	struct pt_slot s;
	int err = replaceable_pdir_entry(pd, va, &s);

	if (err)
		return err;
	if (slot_kind(s) == PTE_NONE)
		return -ENOENT;
	tlb_owe_table(b);
	arch_pte_write(s.entry, arch_pte_none());
	pd->tables--;
	return 0;
}

/* Finds the level-0 entry for a user address; a large page on the way is nothing to be changed in part. */
static int ptbl_entry(const struct pdir *pd, vaddr_t va, struct pt_slot *s)
{
	if (vpn_of(va) >= ARCH_KERNEL_VPN || !vpn_of(va) || pd->shares_identity)
		return -EPERM;
	*s = pgdir_walk(pd, vpn_of(va), 0, NULL);
	if (s->level == 0)
		return 0;
	return slot_kind(*s) == PTE_LEAF ? -EBUSY : -ENOENT;
}

int set_ptbl_entry_by_va(struct pdir *pd, vaddr_t va, pfn_t f, prot_t prot, struct tlb_batch *b)
{
	struct pt_slot s;
	int err = ptbl_entry(pd, va, &s);

	if (!err && f.n >= arch_mmu.pfn_end)
		err = -EINVAL;
	if (err)
		return err;
	if (arch_pte_kind(0, arch_pte_exchange(s.entry, arch_pte_leaf(0, f, prot))) == PTE_LEAF)
		tlb_owe(b, vpn_of(va), 1);
	return 0;
}

int rmv_ptbl_entry_by_va(struct pdir *pd, vaddr_t va, struct tlb_batch *b)
{
	struct pt_slot s;
	int err = ptbl_entry(pd, va, &s);

	if (err)
		return err;
	if (arch_pte_kind(0, arch_pte_exchange(s.entry, arch_pte_none())) == PTE_NONE)
		return -ENOENT;
	tlb_owe(b, vpn_of(va), 1);
	return 0;
}

/*
 * Makes a root with nothing in its first own_roots entries; where the CPU reads the root ahead, with every table
 * that they will ever name. The entries behind them are the caller's to fill.
 */
static int make_root(struct pdir *pd, struct container_id owner, uint32_t own_roots)
{
	struct table_stock stock;
	pte_t *root;
	int err = table_stock_fill(&stock, owner, ARCH_PT_ROOT_EAGER ? own_roots : 0);

	if (err)
		return err;
	err = table_alloc(owner, &pd->root);
	if (err) {
		table_stock_free(&stock);
		return err;
	}
	pd->owner = owner;
	pd->tables = 0;
	root = table_at(pd->root);
	for (uint32_t i = 0; stock.count; i++)
		arch_pte_write(&root[i], arch_pte_table(ROOT_LEVEL, table_stock_take(&stock)));
	return 0;
}

int pdir_init_bare(struct pdir *pd, struct container_id owner)
{
	pd->owns_kernel = true;
	pd->shares_identity = false;
	return make_root(pd, owner, ROOTS);
}

static void share_kernel_root(void)
{
	const pte_t *root = table_at(kernel_pdir.root);
	uint32_t at = arch_pte_find(root, USER_ROOTS, ROOTS);

	for (uint32_t i = 0; i < ROOT_RUNS && at < ROOTS; i++) {
		uint32_t end = at;

		while (end < ROOTS && (i == ROOT_RUNS - 1 || !arch_pte_is_none(arch_pte_read(&root[end]))))
			end++;
		pgtable.run[i].first = at;
		pgtable.run[i].count = end - at;
		at = arch_pte_find(root, end, ROOTS);
	}
	pgtable.kernel_root_shared = true;
}

int pdir_init(struct pdir *pd, struct container_id owner)
{
	int err = make_root(pd, owner, USER_ROOTS);

	if (err)
		return err;
	pd->owns_kernel = false;
	pd->shares_identity = false;
	if (!pgtable.kernel_root_shared)
		share_kernel_root();
	for (uint32_t i = 0; i < ROOT_RUNS; i++)
		arch_pte_copy(table_at(pd->root) + pgtable.run[i].first,
			      table_at(kernel_pdir.root) + pgtable.run[i].first, pgtable.run[i].count);
	return 0;
}

void pdir_clear_kernel_part(struct pdir *pd)
{
	for (uint32_t i = 0; i < ROOT_RUNS; i++)
		arch_pte_clear(table_at(pd->root) + pgtable.run[i].first, pgtable.run[i].count);
}

/* True when a directory may change the entry for page v: the kernel's half is the kernel directory's. */
static bool may_change(const struct pdir *pd, vpn_t v)
{
	return UNLIKELY(v >= ARCH_KERNEL_VPN) ? pd->owns_kernel && v < ARCH_VPN_END : !pd->shares_identity;
}

static bool root_is_shared(const struct pdir *pd)
{
	return pgtable.kernel_root_shared && pd->root.n == kernel_pdir.root.n;
}

/*
 * Counts the tables that pages [v, v + count) of one span lack: none or one. The kernel's root entries cannot
 * change once they are shared: -EPERM.
 */
static int missing_table(const struct pdir *pd, vpn_t v, uint32_t *missing)
{
	struct pt_slot s = pgdir_walk(pd, v, 1, NULL);

	*missing = 0;
	switch (slot_kind(s)) {
	case PTE_LEAF:
		return -EEXIST;
	case PTE_TABLE:
		return 0;
	default:
		*missing = 1;
		return v >= ARCH_KERNEL_VPN && ROOT_LEVEL == 1 && root_is_shared(pd) ? -EPERM : 0;
	}
}

/* Makes sure of the table for page v. */
static __attribute__((noinline)) int need_table(struct pdir *pd, vpn_t v)
{
	struct table_stock stock;
	uint32_t missing;
	int err = missing_table(pd, v, &missing);

	if (!err)
		err = table_stock_fill(&stock, pd->owner, missing);
	if (err)
		return err;
	pgdir_walk(pd, v, 0, &stock);
	pd->tables += missing;
	return 0;
}

int alloc_ptbl(struct pdir *pd, vaddr_t va)
{
	struct pt_slot s;

	if (!may_change(pd, vpn_of(va)))
		return -EPERM;
	s = pgdir_walk(pd, vpn_of(va), 1, NULL);
	return slot_kind(s) == PTE_NONE ? need_table(pd, vpn_of(va)) : -EEXIST;
}

int free_ptbl(struct pdir *pd, vaddr_t va, struct tlb_batch *b)
{
	pte_t e = get_pdir_entry_by_va(pd, va);
	int err;

	if (vpn_of(va) < ARCH_KERNEL_VPN && arch_pte_kind(1, e) == PTE_LEAF)
		return -ENOENT;
	err = rmv_pdir_entry_by_va(pd, va, b);
	if (err)
		return err;
	/* The walker may still hold this table: free it only after the flush. */
	tlb_put_table_later(b, arch_pte_pfn(e));
	return 0;
}

/*
 * True when pages of a directory may get this protection. Page 0 never; nor any where the directory shares the
 * identity map's tables: what is changed there is changed for all.
 */
static bool may_protect(const struct pdir *pd, struct pages range, prot_t prot)
{
	if (range.first + range.count > ARCH_KERNEL_VPN && (!pd->owns_kernel || prot & PROT_USER))
		return false;
	return range.first >= ARCH_KERNEL_VPN ||
	       (range.first && !pd->shares_identity && !(prot & PROT_GLOBAL));
}

/* True when these frames may be mapped so. */
static bool may_map(const struct pdir *pd, struct pages range, pfn_t f, prot_t prot)
{
	if (!may_protect(pd, range, prot) || f.n > arch_mmu.pfn_end - range.count)
		return false;
	if (!(prot & (PROT_USER | PROT_OWNED)))
		return true;
	/* A large leaf holds no reference; frame 0 is nobody's answer to a failed allocation. */
	if (!f.n || (prot & PROT_OWNED && prot & PROT_LARGE))
		return false;
	for (uint32_t i = 0; i < range.count; i++) {
		pfn_t one = PFN(f.n + i);
		enum frame_state state = frame_block_state(one);

		if (prot & PROT_USER && state != FRAME_USER && state != FRAME_RESERVED)
			return false;
		if (prot & PROT_OWNED && !frame_refs(one))
			return false;
	}
	return true;
}

int map_page(struct pdir *pd, vpn_t v, pfn_t f, prot_t prot)
{
	struct pt_slot s;

	if (v >= ARCH_VPN_END || !may_map(pd, PAGES(v, 1), f, prot))
		return -EPERM;
	s = pgdir_walk(pd, v, 0, NULL);
	if (s.level) {
		int err = need_table(pd, v);

		if (err)
			return err;
		s = pgdir_walk(pd, v, 0, NULL);
	}
	if (slot_kind(s) != PTE_NONE)
		return -EEXIST;
	arch_pte_write(s.entry, arch_pte_leaf(0, f, prot));
	return 0;
}

/* A part of a region that one large page maps, or that lies in one page table. */
struct piece {
	vpn_t v;
	pfn_t f;
	uint32_t count;
	bool large;
};

/* True where a large page can begin: aligned, room for all of it, and RAM of one kind beyond the first 4 MiB. */
/*@ ensures \result ==> rest.count >= ARCH_LARGE_PAGES && rest.first % ARCH_LARGE_PAGES == 0;
  @ ensures \result ==> f.n % ARCH_LARGE_PAGES == 0; */
static bool large_fits(const struct pdir *pd, struct pages rest, pfn_t f, prot_t prot)
{
	return prot & PROT_LARGE && arch_pte_leaf_ok(1) && arch_large_has_room(rest, f) &&
	       memmap_all_ram(boot_memmap(), f, SPAN) &&
	       slot_kind(pgdir_walk(pd, rest.first, 1, NULL)) == PTE_NONE;
}

/* Returns the first piece of what is left of a region. */
/*@ requires in_space(rest) && rest.count > 0;
  @ ensures \result.v == rest.first && \result.f == f && 0 < \result.count <= rest.count;
  @ ensures index_0(rest.first) + \result.count <= ARCH_PT_ENTRIES(0);
  @ ensures \result.count < rest.count ==> index_0(rest.first + \result.count) == 0;
  @ ensures \result.large ==> \result.count == ARCH_LARGE_PAGES && f.n % ARCH_LARGE_PAGES == 0; */
static struct piece first_piece(const struct pdir *pd, struct pages rest, pfn_t f, prot_t prot)
{
	return (struct piece){
		.v = rest.first,
		.f = f,
		.count = arch_pt_run_end(rest.first, rest.first + rest.count) - rest.first,
		.large = large_fits(pd, rest, f, prot),
	};
}

/* Proves that a piece maps nothing yet, and counts the table that it lacks. */
static int piece_prepare(const struct pdir *pd, const struct piece *p, uint32_t *tables)
{
	uint32_t missing = 0;
	struct pt_slot s;
	int err = missing_table(pd, p->v, &missing);

	if (err)
		return err;
	*tables += p->large ? 0 : missing;
	if (missing)
		return 0;
	s = pgdir_walk(pd, p->v, 0, NULL);
	return arch_pte_find(s.entry, 0, p->count) < p->count ? -EEXIST : 0;
}

static void piece_map(struct pdir *pd, const struct piece *p, prot_t prot, struct table_stock *stock)
{
	struct pt_slot s = pgdir_walk(pd, p->v, p->large, stock);
	pte_t e = arch_pte_leaf(p->large, p->f, prot);

	if (p->large) {
		arch_pte_write(s.entry, e);
		return;
	}
	for (uint32_t i = 0; i < p->count; i++, e = arch_pte_next(e))
		arch_pte_write(&s.entry[i], e);
}

int map_region(struct pdir *pd, struct pages range, pfn_t f, prot_t prot)
{
	struct table_stock stock;
	uint32_t tables = 0;
	int err = 0;

	if (!range.count)
		return 0;
	if (!arch_pt_in_space(range) || f.n > arch_mmu.pfn_end || range.count > arch_mmu.pfn_end - f.n)
		return -EINVAL;
	if (!may_map(pd, range, f, prot))
		return -EPERM;
	for (uint32_t done = 0; done < range.count && !err;) {
		struct piece p =
			first_piece(pd, PAGES(range.first + done, range.count - done), PFN(f.n + done), prot);

		err = piece_prepare(pd, &p, &tables);
		done += p.count;
	}
	if (!err)
		err = table_stock_fill(&stock, pd->owner, tables);
	if (err)
		return err;

	/* From here nothing fails. */
	pd->tables += tables;
	for (uint32_t done = 0; done < range.count;) {
		struct piece p =
			first_piece(pd, PAGES(range.first + done, range.count - done), PFN(f.n + done), prot);

		piece_map(pd, &p, prot, &stock);
		done += p.count;
	}
	return 0;
}

int mappages(struct pdir *pd, vaddr_t va, uint32_t size, paddr_t pa, prot_t prot)
{
	uint32_t offset = va % PAGE_SIZE;

	if (!size)
		return 0;
	if (pa.a % PAGE_SIZE != offset || pa.a >> PAGE_SHIFT >= arch_mmu.pfn_end)
		return -EINVAL;
	return map_region(pd, PAGES(vpn_of(va), pages_for(offset, size)), PFN((uint32_t)(pa.a >> PAGE_SHIFT)),
			  prot);
}

/* Clears a present entry of a page table: a flush is owed, and the frame's reference where it holds one. */
static inline void clear_leaf(pte_t *entry, vpn_t v, struct tlb_batch *b)
{
	pte_t old = arch_pte_exchange(entry, arch_pte_none());

	tlb_owe(b, v, 1);
	if (arch_pte_prot(old) & PROT_OWNED)
		tlb_put_later(b, arch_pte_pfn(old));
}

/* The same for those in a run of pages in one table. */
static void clear_entries(pte_t *entry, vpn_t v, uint32_t count, struct tlb_batch *b)
{
	for (uint32_t i = 0; i < count; i++)
		if (arch_pte_kind(0, arch_pte_read(&entry[i])) != PTE_NONE)
			clear_leaf(&entry[i], v + i, b);
}

/* True when a range holds a large page that stands in the kernel's root entries, which every directory has. */
static bool holds_shared_leaf(const struct pdir *pd, struct pages range)
{
	bool held = false;

	for (vpn_t v = range.first; v < range.first + range.count && root_is_shared(pd);
	     v = arch_pt_next(1, v))
		held |= v >= ARCH_KERNEL_VPN && slot_kind(pgdir_walk(pd, v, ROOT_LEVEL, NULL)) == PTE_LEAF;
	return held;
}

/* True when a range cuts a large page in two. */
static bool cuts_large(const struct pdir *pd, struct pages range)
{
	vpn_t ends[2] = {range.first, range.first + range.count};

	for (unsigned i = 0; i < 2; i++)
		if (ends[i] % SPAN && slot_kind(pgdir_walk(pd, ends[i], 1, NULL)) == PTE_LEAF)
			return true;
	return false;
}

int unmap_region(struct pdir *pd, struct pages range, struct tlb_batch *b)
{
	vpn_t end = range.first + range.count;
	vpn_t next;

	if (!range.count)
		return 0;
	if (!arch_pt_in_space(range))
		return -EINVAL;
	if (!may_change(pd, end - 1))
		return -EPERM;
	if (cuts_large(pd, range) || holds_shared_leaf(pd, range))
		return -EBUSY;

	/* From here nothing fails. */
	for (vpn_t v = range.first; v < end; v = next) {
		struct pt_slot s = pgdir_walk(pd, v, 0, NULL);

		next = arch_pt_run_end(v, end);
		if (s.level == 0) {
			clear_entries(s.entry, v, next - v, b);
		} else if (slot_kind(s) == PTE_LEAF) {
			arch_pte_write(s.entry, arch_pte_none());
			tlb_owe(b, v, next - v);
		}
	}
	return 0;
}

int unmap_page(struct pdir *pd, vpn_t v, struct tlb_batch *b)
{
	struct pt_slot s;

	if (UNLIKELY(!may_change(pd, v)))
		return -EPERM;
	s = pgdir_walk(pd, v, 0, NULL);
	if (UNLIKELY(slot_kind(s) == PTE_NONE))
		return -ENOENT;
	if (UNLIKELY(s.level))
		return -EBUSY;
	clear_leaf(s.entry, v, b);
	return 0;
}

int alloc_page(struct pdir *pd, vpn_t v, prot_t prot)
{
	struct pt_slot s;
	pfn_t f;
	int err;

	if (v >= ARCH_VPN_END || !may_protect(pd, PAGES(v, 1), prot))
		return -EPERM;
	s = pgdir_walk(pd, v, 0, NULL);
	if (slot_kind(s) == PTE_LEAF)
		return -EEXIST;
	err = container_alloc(pd->owner, ALLOC_USER | ALLOC_ZERO | ALLOC_HIGH, &f);
	if (err)
		return err;
	if (s.level) {
		err = need_table(pd, v);
		if (err)
			goto no_table;
		s = pgdir_walk(pd, v, 0, NULL);
	}
	arch_pte_write(s.entry, arch_pte_leaf(0, f, prot | PROT_OWNED));
	return 0;
no_table:
	frame_put(f);
	return err;
}

int alloc_mem_quota(struct pdir *pd, struct container_id parent, uint32_t n)
{
	struct container_id child;
	int err = container_split(parent, n, &child);

	if (err)
		return err;
	err = pdir_init(pd, child);
	if (err)
		container_destroy(child);
	return err;
}

void free_mem_quota(struct pdir *pd)
{
	vm_free(pd);
	container_destroy(pd->owner);
}
