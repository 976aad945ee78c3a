/*
 * mm/pgtable_run.c - runs of entries of the user part, a table at a time. Owns nothing. Lock: the directory owner's.
 *
 *	range    |<---------------------------->|
 *	tables   [      .|......][......][...|....]      a run is what of a range lies in one table
 */
#include <arch/pte_store.h>
#include <mm/pgtable_run.h>

#define SPAN        ARCH_PT_SPAN(1)
#define SPAN_END(v) (((v) | (SPAN - 1)) + 1)

struct run {
	pte_t *entry; /* of the first page */
	vpn_t v;
	uint32_t count;
};

static uint32_t within_span(struct pages range)
{
	uint32_t to_end = SPAN_END(range.first) - range.first;

	return range.count < to_end ? range.count : to_end;
}

/* Takes the next run that has a table off the front of a range; false when there is none left. */
static inline bool next_run(const struct pdir *pd, struct pages *rest, struct run *r)
{
	while (rest->count) {
		struct pt_slot s = pgdir_walk(pd, rest->first, 0, NULL);

		*r = (struct run){s.entry, rest->first, within_span(*rest)};
		rest->first += r->count;
		rest->count -= r->count;
		if (!s.level)
			return true;
	}
	return false;
}

/* Returns the first entry of a run from i on that is not none; r->count where there is none. */
static inline uint32_t next_used(const struct run *r, uint32_t i)
{
	if (i < r->count && !arch_pte_is_none(arch_pte_read(&r->entry[i])))
		return i;
	return arch_pte_find(r->entry, i, r->count);
}

static inline bool is_owned(pte_t e)
{
	return arch_pte_prot(e) & PROT_OWNED;
}

static inline bool is_present(pte_t e)
{
	return arch_pte_kind(0, e) != PTE_NONE;
}

/* Apart, as are other loops over entries, so that the compiler has all registers for it. */
static __attribute__((noinline)) void clear_entries(const struct run *r, struct tlb_batch *b)
{
	pte_t *entry = r->entry, *end = entry + r->count;

	for (vpn_t v = r->v; entry < end; entry++, v++) {
		pte_t old = arch_pte_read(entry);

		if (arch_pte_is_none(old)) {
			uint32_t skipped = arch_pte_find(entry, 0, (uint32_t)(end - entry));

			entry += skipped - 1;
			v += skipped - 1;
			continue;
		}
		old = arch_pte_exchange(entry, arch_pte_none());
		if (is_present(old))
			tlb_owe(b, v, 1);
		if (is_owned(old))
			tlb_put_later(b, arch_pte_pfn(old));
	}
}

void clear_run(struct pdir *pd, struct pages range, struct tlb_batch *b)
{
	struct run r;

	while (next_run(pd, &range, &r))
		clear_entries(&r, b);
}

void free_tables_of_run(struct pdir *pd, struct pages range, struct tlb_batch *b)
{
	vpn_t end = range.first + range.count;

	for (vpn_t v = (range.first + SPAN - 1) & ~(SPAN - 1); v < end && end - v >= SPAN; v += SPAN)
		free_ptbl(pd, vaddr_of(v), b);
}

/* Returns what an entry becomes. */
static pte_t protected_entry(pte_t old, struct run_protection p)
{
	prot_t prot = PROT_R | PROT_USER | (p.prot & PROT_X);
	pfn_t f = arch_pte_pfn(old);

	if (!p.prot)
		return is_owned(old) ? arch_pte_hide(arch_pte_read_only(old)) : arch_pte_none();
	if (is_owned(old))
		prot |= PROT_OWNED;
	if (p.prot & PROT_W && (p.shared || (is_owned(old) && frame_refs(f) == 1)))
		prot |= PROT_W;
	if (is_present(old) && arch_pte_prot(old) == arch_prot_effective(prot))
		return old;
	return arch_pte_leaf(0, f, prot);
}

void protect_run(struct pdir *pd, struct pages range, struct run_protection p, struct tlb_batch *b)
{
	struct run r;

	while (next_run(pd, &range, &r)) {
		for (uint32_t i = next_used(&r, 0); i < r.count; i = next_used(&r, i + 1)) {
			pte_t old = arch_pte_read(&r.entry[i]);
			pte_t e = protected_entry(old, p);

			if (e.raw == old.raw)
				continue;
			if (is_present(arch_pte_exchange(&r.entry[i], e)))
				tlb_owe(b, r.v + i, 1);
		}
	}
}

uint32_t tables_of_run(const struct pdir *pd, struct pages range)
{
	uint32_t tables = 0;
	struct run r;

	while (next_run(pd, &range, &r))
		tables++;
	return tables;
}

/*
 * Copies entries to some that are none, under frame_lock: one taking for all references. Returns the first that it
 * could not copy, because its frame has all the references that it can have; end where there is none. Apart, as is
 * the loop of drop_run, so that the compiler has all registers for it.
 */
static __attribute__((noinline)) const pte_t *copy_entries(pte_t *to, pte_t *from, const pte_t *end)
{
	while (from < end) {
		pte_t e = arch_pte_read(from);

		if (!is_owned(e)) {
			if (arch_pte_is_none(e)) {
				uint32_t skipped = arch_pte_find(from, 0, (uint32_t)(end - from));

				from += skipped;
				to += skipped;
				continue;
			}
		} else if (!frame_share(arch_pte_pfn(e))) {
			break;
		}
		if (arch_pte_prot(e) & PROT_W) {
			e = arch_pte_read_only(e);
			arch_pte_write(from, e);
		}
		arch_pte_write(to, e);
		from++;
		to++;
	}
	return from;
}

int copy_run(struct pdir *to, struct pdir *from, struct pages range, struct table_stock *stock,
	     struct tlb_batch *b)
{
	struct run r;
	int err = 0;

	while (!err && next_run(from, &range, &r)) {
		uint32_t stocked = stock->count;
		pte_t *entry = pgdir_walk(to, r.v, 0, stock).entry;

		to->tables += stocked - stock->count;
		/* Nearly all of them were writable. */
		tlb_owe(b, r.v, r.count);
		lock_acquire(&frame_lock);
		if (copy_entries(entry, r.entry, r.entry + r.count) < r.entry + r.count)
			err = -EAGAIN;
		lock_release(&frame_lock);
	}
	return err;
}

/* Returns how many pages from `v` on lie in one table, and so do those from `to` on. */
static uint32_t within_both(struct pages rest, vpn_t to)
{
	uint32_t a = within_span(rest), b = within_span(PAGES(to, rest.count));

	return a < b ? a : b;
}

uint32_t tables_for_move(const struct pdir *pd, struct pages from, vpn_t to)
{
	vpn_t counted = ARCH_VPN_END;
	uint32_t tables = 0, count;

	for (; from.count; from = PAGES(from.first + count, from.count - count), to += count) {
		count = within_both(from, to);
		if (pgdir_walk(pd, from.first, 0, NULL).level || !pgdir_walk(pd, to, 0, NULL).level)
			continue;
		tables += counted != to / SPAN;
		counted = to / SPAN;
	}
	return tables;
}

void move_run(struct pdir *pd, struct pages from, vpn_t to, struct table_stock *stock, struct tlb_batch *b)
{
	uint32_t count, stocked = stock->count;

	for (; from.count; from = PAGES(from.first + count, from.count - count), to += count) {
		struct pt_slot s = pgdir_walk(pd, from.first, 0, NULL);
		struct run r = {s.entry, from.first, count = within_both(from, to)};
		pte_t *entry;

		if (s.level)
			continue;
		entry = pgdir_walk(pd, to, 0, stock).entry;
		for (uint32_t i = next_used(&r, 0); i < r.count; i = next_used(&r, i + 1)) {
			pte_t old = arch_pte_exchange(&r.entry[i], arch_pte_none());

			if (is_present(old))
				tlb_owe(b, r.v + i, 1);
			arch_pte_write(&entry[i], old);
		}
	}
	pd->tables += stocked - stock->count;
}

static __attribute__((noinline)) void drop_entries(pte_t *entry, const pte_t *end)
{
	while (entry < end) {
		pte_t e = arch_pte_read(entry);

		if (is_owned(e)) {
			if (!frame_unshare(arch_pte_pfn(e)))
				frame_put_locked(arch_pte_pfn(e));
		} else if (arch_pte_is_none(e)) {
			entry += arch_pte_find(entry, 0, (uint32_t)(end - entry));
			continue;
		}
		arch_pte_write(entry++, arch_pte_none());
	}
}

void drop_run(struct pdir *pd, struct pages range)
{
	struct run r;

	while (next_run(pd, &range, &r)) {
		lock_acquire(&frame_lock);
		drop_entries(r.entry, r.entry + r.count);
		lock_release(&frame_lock);
	}
}

uint32_t count_run(const struct pdir *pd, struct pages range)
{
	uint32_t count = 0;
	struct run r;

	while (next_run(pd, &range, &r))
		for (uint32_t i = next_used(&r, 0); i < r.count; i = next_used(&r, i + 1))
			count++;
	return count;
}

int pdir_each_leaf(const struct pdir *pd, struct pages range, int (*visit)(const struct pt_leaf *, void *),
		   void *arg)
{
	vpn_t end = range.first + range.count;
	int result = 0;

	for (vpn_t v = range.first; v < end && !result;) {
		struct pt_slot s = pgdir_walk(pd, v, 0, NULL);
		struct pt_leaf leaf = {v, s.level, arch_pte_read(s.entry)};

		if (arch_pte_kind(s.level, leaf.entry) == PTE_LEAF)
			result = visit(&leaf, arg);
		v = arch_pt_next(s.level, v);
	}
	return result;
}
