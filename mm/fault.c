/*
 * mm/fault.c - page faults. Owns nothing. Lock: none, kernel code is not preempted.
 *
 *	entry      area          read                       write
 *	none       anonymous     the zero page              a zeroed frame
 *	none       file, private the cache's page           a copy of it
 *	none       file, shared  the cache's page           the cache's page
 *	read-only  private       -                          as it is where nobody else holds it, else a copy
 *
 * What fails comes first: frame and table are there before the entry is changed.
 */
#include <arch/frame_access.h>
#include <arch/pte_store.h>
#include <lib/panic.h>
#include <mm/fault.h>
#include <mm/pgtable_run.h>
#include <mm/slab.h>

/* One fault on its way: the page's area, and its entry once the table is there. */
struct fault {
	struct space *s;
	struct area *a;
	vpn_t v;
	bool write;
	pte_t *entry;
};

/* True when an area may come within guard-gap distance of a neighbour: another stack, or what nobody can touch. */
static bool needs_no_gap(const struct area *neighbour, uint32_t same_way)
{
	return neighbour->flags & same_way || !neighbour->prot;
}

/* True when the limits, and the tenant, let an area that grows have `more` pages. */
static bool may_grow(const struct space *s, const struct area *a, uint32_t more)
{
	uint32_t stack = s->limits.stack >> PAGE_SHIFT, address = s->limits.address >> PAGE_SHIFT;

	if (s->limits.stack != NO_LIMIT && a->end - a->first + more > stack)
		return false;
	if (s->limits.address != NO_LIMIT && s->pages + more > address)
		return false;
	return !(a->flags & AREA_COMMITTED) || !tenant_commit(s->tenant, more);
}

static bool grow_down(struct space *s, struct area *a, vpn_t v)
{
	const struct area *prev = area_prev(a);
	vpn_t lowest = USER_FIRST_VPN;
	uint32_t more = a->first - v;

	if (prev)
		lowest = needs_no_gap(prev, AREA_GROWS_DOWN) ? prev->end : prev->end + GUARD_GAP;
	if (v < lowest || !may_grow(s, a, more))
		return false;
	space_set_first(s, a, v);
	return true;
}

static bool grow_up(struct space *s, struct area *a, vpn_t v)
{
	const struct area *next = area_next(a);
	vpn_t end = USER_VPN_END;
	uint32_t more = v + 1 - a->end;

	if (next)
		end = needs_no_gap(next, AREA_GROWS_UP) ? area_guarded_first(next) : next->first - GUARD_GAP;
	if (v >= end || !may_grow(s, a, more))
		return false;
	space_set_end(s, a, v + 1);
	return true;
}

/* Returns the area that has grown over page v, which no area held; null where none may. `next` is the one above. */
static __attribute__((noinline)) struct area *grow(struct space *s, struct area *next, vpn_t v)
{
	struct area *prev;

	if (next && next->flags & AREA_GROWS_DOWN)
		return grow_down(s, next, v) ? next : NULL;
	prev = next ? area_prev(next) : area_last(&s->areas);
	if (prev && prev->flags & AREA_GROWS_UP && grow_up(s, prev, v))
		return prev;
	return NULL;
}

static inline bool allows(const struct area *a, const struct vm_fault *f)
{
	if (f->write)
		return a->prot & PROT_W;
	if (f->fetch)
		return a->prot && arch_prot_effective(a->prot) & PROT_X;
	return a->prot;
}

static inline void set_entry(const struct fault *t, pfn_t f, prot_t prot)
{
	arch_pte_write(t->entry, arch_pte_leaf(0, f, prot));
}

/* A frame of the program's own; its content undefined without ALLOC_ZERO. */
static inline int own_frame(const struct space *s, uint32_t zero, pfn_t *f)
{
	return UNLIKELY(container_alloc(s->pd.owner, ALLOC_USER | ALLOC_HIGH | zero, f)) ? -ENOMEM : 0;
}

/* Anonymous memory that was not there. */
static inline int untouched(struct space *s, struct area *a, pte_t *entry, bool write)
{
	pfn_t f;

	if (!write) {
		arch_pte_write(entry, arch_pte_leaf(0, zero_frame, area_entry_prot(a, false)));
		return 0;
	}
	if (UNLIKELY(own_frame(s, ALLOC_ZERO, &f)))
		return -ENOMEM;
	arch_pte_write(entry, arch_pte_leaf(0, f, area_entry_prot(a, true) | PROT_OWNED));
	a->own_pages = true;
	return 0;
}

/* Maps pages of the cache where nothing is. Under frame_lock. */
static __attribute__((noinline)) void map_slots(pte_t *entry, const union mapping_slot *slot, uint32_t count,
						prot_t prot)
{
	for (; count; count--, entry++, slot++)
		if (slot->frame.n && arch_pte_is_none(arch_pte_read(entry)) && frame_share(slot->frame))
			arch_pte_write(entry, arch_pte_leaf(0, slot->frame, prot));
}

/* Maps the pages of the cache around a page of a file, as far as they are in one table, in the area and in the file. */
static void map_around(const struct fault *t)
{
	vpn_t first = t->v & ~(FAULT_AROUND - 1), end = first + FAULT_AROUND;
	prot_t prot = area_entry_prot(t->a, t->a->flags & AREA_SHARED) | PROT_OWNED;
	uint32_t index, left, run;

	first = first > t->a->first ? first : t->a->first;
	end = end < t->a->end ? end : t->a->end;
	index = t->a->offset + (first - t->a->first);
	left = mapping_page_count(t->a->file) - index;
	left = left < end - first ? left : end - first;
	lock_acquire(&frame_lock);
	for (; left; left -= run, first += run, index += run) {
		const union mapping_slot *slot;

		run = mapping_slots(t->a->file, index, &slot);
		if (!run)
			break;
		run = run < left ? run : left;
		map_slots(t->entry + first - t->v, slot, run, prot);
	}
	lock_release(&frame_lock);
}

/* Gives the program a copy of a frame that it reads; NO_FRAME: of zeros. */
static int copy_of(const struct fault *t, pfn_t from, pfn_t *f)
{
	if (own_frame(t->s, 0, f))
		return -ENOMEM;
	if (from.n)
		arch_frame_copy(*f, from);
	else
		arch_frame_zero(*f);
	t->a->own_pages = true;
	return 0;
}

/* Tells the file of a write that the area's program is about to do. */
static void note_write(const struct area *a)
{
	if (a->flags & AREA_SHARED && a->file && a->file->written)
		a->file->written(a->file);
}

static __attribute__((noinline)) int untouched_of_file(const struct fault *t)
{
	uint32_t index = t->a->offset + (t->v - t->a->first);
	bool shared = t->a->flags & AREA_SHARED, copies = t->write && !shared;
	pfn_t f, copy;

	if (index >= mapping_page_count(t->a->file))
		return -ENXIO;
	if (mapping_page(t->a->file, index, !copies, &f))
		return -ENOMEM;
	if (copies) {
		if (copy_of(t, f, &copy))
			return -ENOMEM;
		set_entry(t, copy, area_entry_prot(t->a, true) | PROT_OWNED);
		return 0;
	}
	if (frame_get(f))
		return -ENOMEM;
	set_entry(t, f, area_entry_prot(t->a, shared) | PROT_OWNED);
	if (t->write)
		note_write(t->a);
	else
		map_around(t);
	return 0;
}

/* Puts a reference that is not the last. */
static inline void put_shared(pfn_t f)
{
	lock_acquire(&frame_lock);
	frame_unshare(f);
	lock_release(&frame_lock);
}

/* A write to a page that may be written to and is mapped read-only. */
static int write_to_shared(const struct fault *t, pte_t old)
{
	bool owned = arch_pte_prot(old) & PROT_OWNED;
	pfn_t from = arch_pte_pfn(old), f = from;

	if (!(t->a->flags & AREA_SHARED) && !(owned && frame_refs(from) == 1)) {
		if (UNLIKELY(copy_of(t, owned ? from : NO_FRAME, &f)))
			return -ENOMEM;
	}
	arch_pte_exchange(t->entry, arch_pte_leaf(0, f, area_entry_prot(t->a, true) | PROT_OWNED));
	/* The frame goes behind the flush: until then a processor may have the old entry. */
	tlb_flush_page(t->s->pd.root, t->v);
	if (owned && f.n != from.n)
		put_shared(from);
	note_write(t->a);
	return 0;
}

/* Any fault that its area allows. */
static __attribute__((noinline)) int resolve(struct space *s, struct area *a, vpn_t v, bool write)
{
	struct fault t = {s, a, v, write, NULL};
	struct pt_slot slot = pgdir_walk(&s->pd, v, 0, NULL);
	pte_t e;

	if (slot.level) {
		if (alloc_ptbl(&s->pd, vaddr_of(v)))
			return -ENOMEM;
		slot = pgdir_walk(&s->pd, v, 0, NULL);
	}
	t.entry = slot.entry;
	e = arch_pte_read(slot.entry);
	if (arch_pte_is_none(e))
		return a->file ? untouched_of_file(&t) : untouched(s, a, slot.entry, write);
	if (write && !(arch_pte_prot(e) & PROT_W))
		return write_to_shared(&t, e);
	return 0;
}

/* What there is most of comes first: anonymous memory that was not there, with a table for it. */
int vm_fault(struct space *s, const struct vm_fault *f)
{
	vpn_t v = vpn_of(f->va);
	struct area *a = space_find(s, v);
	struct pt_slot slot;

	if (UNLIKELY(!a || a->first > v)) {
		a = grow(s, a, v);
		if (!a)
			return -EFAULT;
	}
	if (UNLIKELY(!allows(a, f)))
		return -EACCES;
	slot = pgdir_walk(&s->pd, v, 0, NULL);
	if (slot.level || a->file || !arch_pte_is_none(arch_pte_read(slot.entry)))
		return resolve(s, a, v, f->write);
	return untouched(s, a, slot.entry, f->write);
}

/* True when an access needs no fault. */
static bool is_there(const struct space *s, vpn_t v, bool write)
{
	pte_t e = get_ptbl_entry_by_va(&s->pd, vaddr_of(v));

	return arch_pte_kind(0, e) == PTE_LEAF && (!write || arch_pte_prot(e) & PROT_W);
}

static int bring_in(struct space *s, vpn_t v, bool write)
{
	const struct vm_fault f = {vaddr_of(v), write, false};

	if (v >= USER_VPN_END)
		return -EFAULT;
	return is_there(s, v, write) ? 0 : vm_fault(s, &f);
}

int fault_populate(struct space *s, struct pages range, bool write)
{
	int err = 0;

	for (uint32_t i = 0; i < range.count && !err; i++)
		err = bring_in(s, range.first + i, write);
	return err;
}

static bool has_own_page(const struct space *s, vpn_t v)
{
	return arch_pte_prot(get_ptbl_entry_by_va(&s->pd, vaddr_of(v))) & PROT_OWNED;
}

int allocuvm(struct space *s, struct pages range)
{
	uint8_t *had; /* a byte for eight pages: what is given back is what was not there before */
	uint32_t done = 0;
	int err = 0;

	if (!range.count)
		return 0;
	had = kmalloc((range.count + 7) / 8);
	if (!had)
		return -ENOMEM;
	for (; done < range.count && !err; done += !err) {
		uint8_t bit = (uint8_t)(1u << done % 8);
		uint8_t before = done % 8 ? had[done / 8] : 0;

		had[done / 8] = has_own_page(s, range.first + done) ? before | bit : before;
		err = bring_in(s, range.first + done, true);
	}
	while (err && done--)
		if (!(had[done / 8] & 1u << done % 8))
			deallocuvm(s, PAGES(range.first + done, 1));
	kmfree(had);
	return err;
}

void deallocuvm(struct space *s, struct pages range)
{
	struct tlb_batch b;

	tlb_begin(&b, s->pd.root);
	clear_run(&s->pd, range, &b);
	tlb_finish(&b);
}

/* The part of a copy that lies in the page of an address, brought in. */
static int part(struct space *s, vaddr_t va, bool write, uint32_t *n, pfn_t *f)
{
	uint32_t rest = PAGE_SIZE - va % PAGE_SIZE;
	int err = bring_in(s, vpn_of(va), write);

	*n = *n < rest ? *n : rest;
	*f = arch_pte_pfn(get_ptbl_entry_by_va(&s->pd, va));
	return err;
}

int space_read(struct space *s, vaddr_t from, void *to, uint32_t n)
{
	for (uint32_t done = 0, step; done < n; done += step, from += step) {
		pfn_t f;
		int err;

		step = n - done;
		err = part(s, from, false, &step, &f);
		if (err)
			return err;
		arch_frame_read(f, from % PAGE_SIZE, (char *)to + done, step);
	}
	return 0;
}

int space_write(struct space *s, vaddr_t to, const void *from, uint32_t n)
{
	for (uint32_t done = 0, step; done < n; done += step, to += step) {
		pfn_t f;
		int err;

		step = n - done;
		err = part(s, to, true, &step, &f);
		if (err)
			return err;
		arch_frame_write(f, to % PAGE_SIZE, (const char *)from + done, step);
	}
	return 0;
}
