/*
 * mm/fork.c - a copy-on-write duplicate of a space. Owns nothing. Lock: none, kernel code is not preempted.
 *
 * The child gets every area. Entries are copied where an area may hold pages of its own; what only shows the page
 * cache, the child finds again by itself. All that can fail (nodes, the directory, tables) is there before the first
 * entry is changed; the parent's write-protected pages become writable again when it writes, one by one.
 */
#include <mm/fork.h>
#include <mm/pgtable_run.h>

#define SPAN ARCH_PT_SPAN(1)

static bool is_inherited(const struct area *a)
{
	return !(a->flags & AREA_NO_FORK);
}

/* True for an area whose entries the child must have. */
static bool copies_entries(const struct area *a)
{
	return a->own_pages && !(a->flags & (AREA_NO_FORK | AREA_SHARED | AREA_WIPE));
}

/* What a child takes. */
struct demand {
	uint32_t committed, tables;
};

static struct demand demand_of(const struct space *parent)
{
	struct demand d = {0};
	uint32_t counted = ARCH_VPN_END; /* the table counted last: two areas may lie in one */

	for (struct area *a = area_first(&parent->areas); a; a = area_next(a)) {
		vpn_t first = a->first;

		if (!is_inherited(a))
			continue;
		if (a->flags & AREA_COMMITTED)
			d.committed += a->end - a->first;
		if (!copies_entries(a))
			continue;
		if (first / SPAN == counted)
			first = (first | (SPAN - 1)) + 1;
		if (first < a->end)
			d.tables += tables_of_run(&parent->pd, PAGES(first, a->end - first));
		counted = (a->end - 1) / SPAN;
	}
	return d;
}

/* All of them, and then without those that the child does not get. None is locked; neighbours may be alike then. */
static void copy_areas(struct space *child, const struct space *parent, struct area_spares *spares)
{
	const struct area_change unlock = {.clear = AREA_LOCKED | AREA_ON_FAULT};
	struct area *a, *next;
	uint32_t flags = 0;

	area_tree_copy(&child->areas, &parent->areas, spares->first);
	spares->first = NULL;
	for (a = area_first(&child->areas); a; a = next) {
		next = area_next(a);
		if (!is_inherited(a)) {
			area_remove(&child->areas, a);
			area_spares_put(spares, a);
			continue;
		}
		a->pd = &child->pd;
		flags |= a->flags;
		a->own_pages = copies_entries(a);
		child->pages += a->end - a->first;
		child->locked += a->flags & AREA_LOCKED ? a->end - a->first : 0;
		if (a->file) {
			mapping_get(a->file);
			mapping_add_area(a->file, a);
		}
	}
	if (flags & unlock.clear)
		space_change(child, PAGES(0, USER_VPN_END), &unlock); /* cuts none, so it cannot fail */
}

static int copy_entries(struct space *child, struct space *parent, struct table_stock *stock)
{
	struct tlb_batch b;
	int err = 0;

	tlb_begin(&b, parent->pd.root);
	for (struct area *a = area_first(&parent->areas); a && !err; a = area_next(a))
		if (copies_entries(a))
			err = copy_run(&child->pd, &parent->pd, PAGES(a->first, a->end - a->first), stock,
				       &b);
	tlb_finish(&b);
	return err ? -ENOMEM : 0;
}

static void copy_numbers(struct space *child, const struct space *parent)
{
	child->mmap_base = parent->mmap_base;
	child->brk_start = parent->brk_start;
	child->brk = parent->brk;
	child->stack_top = parent->stack_top;
}

int space_fork(struct space *child, struct space *parent)
{
	struct demand d = demand_of(parent);
	struct area_spares spares;
	struct table_stock stock;
	int err = tenant_commit_again(parent->tenant, d.committed);

	if (err)
		return err;
	err = space_create(child, parent->tenant, parent->limits);
	if (err)
		goto no_space;
	err = space_spares(child, &spares, parent->areas.count);
	if (err)
		goto no_areas;
	err = table_stock_fill(&stock, child->pd.owner, d.tables);
	if (err)
		goto no_tables;
	copy_numbers(child, parent);
	copy_areas(child, parent, &spares);
	/* A frame may have all the references that it can have; the child gives back what it got by then. */
	err = copy_entries(child, parent, &stock);
	table_stock_free(&stock);
	space_spares_free(child, &spares);
	if (err)
		space_destroy(child);
	return err;
no_tables:
	space_spares_free(child, &spares);
no_areas:
	space_destroy(child);
no_space:
	tenant_uncommit(parent->tenant, d.committed);
	return err;
}
