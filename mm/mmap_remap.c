/*
 * mm/mmap_remap.c - mremap. Owns nothing. Lock: none.
 *
 * Entries are moved, not pages. The tables of the new place, the promise for what is new and every node are there
 * before the first entry is changed. With MREMAP_DONTUNMAP the old area stays, empty.
 */
#include <mm/fault.h>
#include <mm/mmap.h>
#include <mm/pgtable_run.h>

/* One call, in pages. */
struct remap {
	struct area *a; /* that the old pages are in */
	vpn_t old, new;
	uint32_t old_pages, pages;
	bool replaces; /* what is at the new place goes */
	bool keeps;    /* the old area stays */
};

static uint32_t in_pages(uint32_t bytes)
{
	return pages_of_bytes(bytes) % ARCH_VPN_END; /* as Linux rounds what is nearly 4 GiB */
}

static int check_arguments(const struct mremap_request *r)
{
	if (r->flags & ~(uint32_t)(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
		return -EINVAL;
	if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(r->flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if (r->flags & MREMAP_DONTUNMAP && r->old_length != r->length)
		return -EINVAL;
	return r->old % PAGE_SIZE || !in_pages(r->length) ? -EINVAL : 0;
}

static int check_fixed(const struct mremap_request *r, const struct remap *m)
{
	vpn_t to = vpn_of(r->fixed);

	if (r->fixed % PAGE_SIZE || m->pages > USER_VPN_END || to > USER_VPN_END - m->pages)
		return -EINVAL;
	if (m->old + m->old_pages > to && to + m->pages > m->old)
		return -EINVAL;
	/* Of what is to be doubled nothing would be left. */
	if (m->old == to)
		return -EFAULT;
	return to < USER_FIRST_VPN ? -EPERM : 0;
}

/* True when the area may have its pages at an offset of the file so far. */
static bool offset_fits(const struct remap *m)
{
	uint32_t offset = m->a->offset + (m->old - m->a->first);

	return !m->a->file || offset + m->pages >= offset;
}

/* Checks that the old pages, as far as they stay, lie in one area and may become as many as are wanted. */
static int check_growth(const struct space *s, const struct remap *m)
{
	uint32_t stay = m->old_pages < m->pages ? m->old_pages : m->pages;
	uint32_t more = m->keeps ? m->pages : m->pages - stay;

	if (!m->old_pages && !(m->a->flags & AREA_SHARED))
		return -EINVAL;
	if (stay > m->a->end - m->old)
		return -EFAULT;
	if (!offset_fits(m))
		return -EINVAL;
	return space_may_have(s, PAGES(m->new, m->replaces ? m->pages : 0), more) ? 0 : -ENOMEM;
}

/* Returns the area as it will be at the new place. */
static struct area moved_area(const struct remap *m)
{
	struct area like = *m->a;

	like.first = m->new;
	like.end = m->new + m->pages;
	like.offset += m->old - m->a->first;
	return like;
}

/* What is left behind is not locked, with all of its area. */
static void unlock(struct space *s, struct area *a)
{
	if (a->flags & AREA_LOCKED)
		s->locked -= a->end - a->first;
	a->flags &= ~(AREA_LOCKED | AREA_ON_FAULT);
}

/* From here nothing fails. */
static void do_move(struct space *s, const struct remap *m, struct area_spares *spares,
		    struct table_stock *stock)
{
	uint32_t stay = m->old_pages < m->pages ? m->old_pages : m->pages;
	struct area like;
	struct tlb_batch b;

	tlb_begin(&b, s->pd.root);
	if (m->replaces)
		space_drop(s, PAGES(m->new, m->pages), spares, &b);
	like = moved_area(m);
	move_run(&s->pd, PAGES(m->old, stay), m->new, stock, &b);
	if (like.file)
		mapping_get(like.file); /* the old area may have had the last reference */
	if (m->keeps)
		unlock(s, space_find(s, m->old)); /* what was replaced may have cut it off from m->a */
	else if (m->old_pages)
		space_drop(s, PAGES(m->old, m->old_pages), spares, &b);
	space_add(s, &like, spares);
	if (like.file)
		mapping_put(like.file);
	tlb_finish(&b);
}

static unsigned spares_for_move(struct space *s, const struct remap *m)
{
	unsigned count = 1 + (m->replaces ? space_drop_spares(s, PAGES(m->new, m->pages)) : 0);

	return count + (m->old_pages && !m->keeps ? space_drop_spares(s, PAGES(m->old, m->old_pages)) : 0);
}

/*
 * Moves. All of what stands at the new place is promised once more; what goes with the old one is given back, but for
 * what a request asks for anew nothing is refused.
 */
static int move(struct space *s, const struct remap *m)
{
	uint32_t stay = m->old_pages < m->pages ? m->old_pages : m->pages, given = m->keeps ? 0 : stay;
	uint32_t more = m->a->flags & AREA_COMMITTED ? m->pages - given : 0;
	uint32_t again = m->a->flags & AREA_COMMITTED ? given : 0;
	struct area_spares spares;
	struct table_stock stock;
	int err;

	if (s->areas.count + 3 > SPACE_AREAS_MAX || tenant_commit(s->tenant, more))
		return -ENOMEM;
	s->tenant->committed += again;
	err = space_spares(s, &spares, spares_for_move(s, m));
	if (err)
		goto no_spares;
	err = table_stock_fill(&stock, s->pd.owner, tables_for_move(&s->pd, PAGES(m->old, stay), m->new));
	if (err)
		goto no_tables;
	do_move(s, m, &spares, &stock);
	table_stock_free(&stock);
	space_spares_free(s, &spares);
	return 0;
no_tables:
	space_spares_free(s, &spares);
no_spares:
	tenant_uncommit(s->tenant, more + again);
	return -ENOMEM;
}

/* True when an area ends with the old pages and there is room behind it. */
static bool grows_in_place(const struct remap *m)
{
	vpn_t end = m->old + m->old_pages;
	const struct area *next = area_next(m->a);

	if (m->a->end != end || m->pages > USER_VPN_END - m->old)
		return false;
	return !next || m->old + m->pages <= area_guarded_first(next);
}

static int grow_in_place(struct space *s, const struct remap *m)
{
	if (m->a->flags & AREA_COMMITTED && tenant_commit(s->tenant, m->pages - m->old_pages))
		return -ENOMEM;
	space_grow_end(s, m->a, m->old + m->pages);
	return 0;
}

static bool is_locked(const struct area *a)
{
	return (a->flags & (AREA_LOCKED | AREA_ON_FAULT)) == AREA_LOCKED;
}

static int32_t remap_fixed(struct space *s, const struct mremap_request *r, struct remap *m)
{
	bool locked = is_locked(m->a);
	int err = check_fixed(r, m);

	m->new = vpn_of(r->fixed);
	m->replaces = true;
	if (!err)
		err = check_growth(s, m);
	if (!err)
		err = move(s, m);
	if (err)
		return err;
	if (locked)
		space_populate(s, PAGES(m->new, m->pages));
	return (int32_t)vaddr_of(m->new);
}

static int32_t remap_keeping(struct space *s, const struct mremap_request *r, struct remap *m)
{
	bool locked = is_locked(m->a);
	int err = r->fixed % PAGE_SIZE ? -EINVAL : check_growth(s, m);

	if (err)
		return err;
	m->new = space_place(s, r->fixed, m->pages);
	err = m->new ? move(s, m) : -ENOMEM;
	if (err)
		return err;
	if (locked)
		space_populate(s, PAGES(m->new, m->pages));
	return (int32_t)vaddr_of(m->new);
}

/* Grows, at the place or at another. */
static int32_t grow(struct space *s, const struct mremap_request *r, struct remap *m)
{
	bool locked = is_locked(m->a);
	int err = check_growth(s, m);

	if (err)
		return err;
	m->new = m->old;
	if (m->old_pages && grows_in_place(m)) {
		err = grow_in_place(s, m);
	} else if (r->flags & MREMAP_MAYMOVE) {
		m->new = m->pages > USER_VPN_END ? 0 : space_place(s, 0, m->pages);
		err = m->new ? move(s, m) : -ENOMEM;
	} else {
		err = -ENOMEM;
	}
	if (err)
		return err;
	if (locked)
		space_populate(s, PAGES(m->new + m->old_pages, m->pages - m->old_pages));
	return (int32_t)vaddr_of(m->new);
}

int32_t space_mremap(struct space *s, const struct mremap_request *r)
{
	struct remap m = {
		.a = space_find(s, vpn_of(r->old)),
		.old = vpn_of(r->old),
		.old_pages = in_pages(r->old_length),
		.pages = in_pages(r->length),
		.keeps = r->flags & MREMAP_DONTUNMAP,
	};
	int err = check_arguments(r);

	if (err)
		return err;
	if (!m.a || m.a->first > m.old)
		return -EFAULT;
	if (r->flags & MREMAP_FIXED)
		return remap_fixed(s, r, &m);
	if (m.keeps)
		return remap_keeping(s, r, &m);
	if (m.old_pages < m.pages)
		return grow(s, r, &m);
	if (m.old_pages > m.pages)
		err = space_munmap(s, vaddr_of(m.old + m.pages), (m.old_pages - m.pages) << PAGE_SHIFT);
	return err ? err : (int32_t)r->old;
}
