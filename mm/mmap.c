/*
 * mm/mmap.c - mmap, munmap, mprotect, the break and the first stack. Owns nothing. Lock: none.
 *
 * Each call first finds out whether it may, in Linux's order of errors; then takes what can fail (promises, nodes, a
 * mapping); then changes areas and entries, and flushes once.
 */
#include <mm/fault.h>
#include <mm/mmap.h>
#include <mm/pgtable_run.h>
#include <mm/slab.h>

#define LOWEST_VPN  16u /* no area is put below 64 KiB unless its program asks for it */
#define STACK_PAGES 33u /* of the first stack at the beginning */

/* Those that MAP_SHARED_VALIDATE takes: what there was before it. Linux's mask has no MAP_FIXED_NOREPLACE either. */
#define FLAGS_OLD                                                                                            \
	((uint32_t)(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_GROWSDOWN |  \
		    MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB |     \
		    MAP_32BIT | MAP_HUGE_2MB | MAP_HUGE_1GB))

/* What a call is about to put into a space. */
struct plan {
	struct area like;
	uint32_t pages;
	bool replaces; /* what is there goes first */
	bool shared_memory;
};

static prot_t prot_of(uint32_t prot)
{
	return (prot & PROT_READ ? PROT_R : 0) | (prot & PROT_WRITE ? PROT_W : 0) |
	       (prot & PROT_EXEC ? PROT_X : 0);
}

/* Finds the place that MAP_FIXED names. */
static int place_fixed(struct space *s, const struct mmap_request *r, struct plan *p)
{
	vpn_t first = vpn_of(r->hint);
	const struct area *a;

	if (first > USER_VPN_END - p->pages)
		return -ENOMEM;
	if (r->hint % PAGE_SIZE)
		return -EINVAL;
	if (first < USER_FIRST_VPN)
		return -EPERM;
	a = space_find(s, first);
	p->replaces = a && a->first < first + p->pages;
	if (p->replaces && r->flags & MAP_FIXED_NOREPLACE)
		return -EEXIST;
	p->like.first = first;
	return 0;
}

static bool space_is_free(struct space *s, struct pages range)
{
	return area_is_free(&s->areas, range, space_find(s, range.first));
}

vpn_t space_place(struct space *s, vaddr_t hint, uint32_t pages)
{
	vpn_t first = vpn_of(hint);

	if (first) {
		first = first < LOWEST_VPN ? LOWEST_VPN : first;
		if (first <= USER_VPN_END - pages && space_is_free(s, PAGES(first, pages)))
			return first;
	}
	first = area_highest_gap(&s->areas, pages, LOWEST_VPN, s->mmap_base);
	return first ? first : area_highest_gap(&s->areas, pages, LOWEST_VPN, USER_VPN_END);
}

static int place(struct space *s, const struct mmap_request *r, struct plan *p)
{
	p->pages = pages_of_bytes(r->length);
	if (!r->length)
		return -EINVAL;
	if (p->pages > USER_VPN_END)
		return -ENOMEM;
	if (r->offset + p->pages < r->offset)
		return -EOVERFLOW;
	if (s->areas.count >= SPACE_AREAS_MAX)
		return -ENOMEM;
	if (r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		return place_fixed(s, r, p);
	p->like.first = space_place(s, r->hint, p->pages);
	return p->like.first ? 0 : -ENOMEM;
}

static bool may_map_file(const struct mmap_request *r, uint32_t type)
{
	return r->may_read && (type == MAP_PRIVATE || !(r->prot & PROT_WRITE) || r->may_write);
}

/* Turns flags and file into what the area is. */
static inline int classify(struct space *s, const struct mmap_request *r, struct plan *p)
{
	struct area *a = &p->like;
	uint32_t type = r->flags & MAP_TYPE, grows = r->flags & (MAP_GROWSDOWN | MAP_GROWSUP);
	bool is_file = !(r->flags & MAP_ANONYMOUS) && r->file;

	if (type != MAP_PRIVATE && type != MAP_SHARED && !(type == MAP_SHARED_VALIDATE && is_file))
		return -EINVAL;
	if (UNLIKELY(type == MAP_SHARED_VALIDATE) && r->flags & ~FLAGS_OLD)
		return -EOPNOTSUPP;
	if (is_file && !may_map_file(r, type))
		return -EACCES;
	if (grows && (is_file || type != MAP_PRIVATE || grows == (MAP_GROWSDOWN | MAP_GROWSUP)))
		return -EINVAL;
	a->end = a->first + p->pages;
	a->pd = &s->pd;
	a->prot = prot_of(r->prot);
	a->file = is_file ? r->file : NULL;
	a->offset = is_file ? r->offset : 0;
	a->flags = s->future_flags | (type == MAP_PRIVATE ? 0 : AREA_SHARED);
	if (UNLIKELY(grows))
		a->flags |= grows & MAP_GROWSDOWN ? AREA_GROWS_DOWN : AREA_GROWS_UP;
	if (UNLIKELY(r->flags & MAP_LOCKED))
		a->flags |= AREA_LOCKED;
	if (type == MAP_PRIVATE || !is_file || r->may_write)
		a->flags |= AREA_MAY_WRITE;
	if (r->flags & MAP_NORESERVE && overcommit != OVERCOMMIT_NEVER)
		a->flags |= AREA_NO_RESERVE;
	p->shared_memory = !is_file && type != MAP_PRIVATE;
	return 0;
}

__attribute__((noinline)) bool space_may_have(const struct space *s, struct pages range, uint32_t more)
{
	uint32_t limit = s->limits.address >> PAGE_SHIFT, pages = s->pages + more;
	vpn_t end = range.first + range.count;

	for (struct area *a = area_find(&s->areas, range.first); a && a->first < end; a = area_next(a))
		pages -= (a->end < end ? a->end : end) - (a->first > range.first ? a->first : range.first);
	return pages <= limit;
}

int space_promise(struct space *s, struct area *like)
{
	uint32_t pages = like->end - like->first;

	if (UNLIKELY(s->limits.address != NO_LIMIT) && !space_may_have(s, PAGES(like->first, pages), pages))
		return -ENOMEM;
	if (!(like->prot & PROT_W) || !space_wants_promise(like))
		return 0;
	if (tenant_commit(s->tenant, pages))
		return -ENOMEM;
	like->flags |= AREA_COMMITTED;
	return 0;
}

/* Memory that is shared: a file without a name. Its pages stay promised for as long as somebody maps it. */
struct shared_memory {
	struct mapping mapping; /* comes first: one's address is the other's */
	struct tenant *tenant;
	uint32_t promised;
};

static void end_shared_memory(struct mapping *mapping)
{
	struct shared_memory *m = (struct shared_memory *)mapping;

	tenant_uncommit(m->tenant, m->promised);
	tenant_put(m->tenant);
	kmfree(m);
}

static __attribute__((noinline)) int make_shared_memory(struct space *s, struct plan *p)
{
	uint32_t promised = p->like.flags & AREA_NO_RESERVE ? 0 : p->pages;
	struct shared_memory *m;

	if (promised && tenant_commit(s->tenant, promised))
		return -ENOMEM;
	m = kmalloc(sizeof(*m));
	if (!m) {
		tenant_uncommit(s->tenant, promised);
		return -ENOMEM;
	}
	mapping_init(&m->mapping, s->tenant->owner, end_shared_memory);
	m->mapping.size = (uint64_t)p->pages << PAGE_SHIFT;
	m->tenant = s->tenant;
	m->promised = promised;
	tenant_get(m->tenant);
	p->like.file = &m->mapping;
	return 0;
}

/* Puts an area where something else is. */
static __attribute__((noinline)) int replace(struct space *s, const struct plan *p)
{
	struct pages range = PAGES(p->like.first, p->pages);
	struct area_spares spares;
	struct tlb_batch b;
	int err = space_spares(s, &spares, 1 + space_drop_spares(s, range));

	if (err)
		return err;

	/* From here nothing fails. */
	tlb_begin(&b, s->pd.root);
	space_drop(s, range, &spares, &b);
	tlb_finish(&b);
	space_add(s, &p->like, &spares);
	space_spares_free(s, &spares);
	return 0;
}

static inline int put_area(struct space *s, const struct plan *p)
{
	if (UNLIKELY(p->replaces))
		return replace(s, p);
	return space_add(s, &p->like, NULL) ? 0 : -ENOMEM;
}

void space_populate(struct space *s, struct pages range)
{
	vpn_t end = range.first + range.count;
	struct area *a = area_find(&s->areas, range.first);

	for (; a && a->first < end; a = area_next(a)) {
		vpn_t first = a->first > range.first ? a->first : range.first;
		vpn_t last = a->end < end ? a->end : end;

		if (a->prot)
			fault_populate(s, PAGES(first, last - first),
				       a->prot & PROT_W && !(a->flags & AREA_SHARED));
	}
}

int32_t space_mmap(struct space *s, const struct mmap_request *r)
{
	struct plan p;
	int err;

	p.replaces = p.shared_memory = false;
	p.like.flags = 0;
	p.like.file = NULL;
	p.like.own_pages = false;
	err = place(s, r, &p);

	if (!err)
		err = classify(s, r, &p);
	if (!err)
		err = space_promise(s, &p.like);
	if (!err && p.shared_memory)
		err = make_shared_memory(s, &p);
	if (!err)
		err = put_area(s, &p);
	if (err && p.like.flags & AREA_COMMITTED)
		tenant_uncommit(s->tenant, p.pages);
	if (p.shared_memory && p.like.file)
		mapping_put(p.like.file);
	if (err)
		return err;
	if (r->flags & MAP_POPULATE || (p.like.flags & (AREA_LOCKED | AREA_ON_FAULT)) == AREA_LOCKED)
		space_populate(s, PAGES(p.like.first, p.pages));
	return (int32_t)vaddr_of(p.like.first);
}

/* Takes a range out of all areas, tables that it fills wholly too. 0, or -ENOMEM with nothing changed. */
static inline int unmap(struct space *s, struct pages range)
{
	unsigned cuts = space_drop_spares(s, range);
	struct area_spares spares;
	struct tlb_batch b;

	if (cuts && s->areas.count >= SPACE_AREAS_MAX)
		return -ENOMEM;
	if (space_spares(s, &spares, cuts))
		return -ENOMEM;
	tlb_begin(&b, s->pd.root);
	space_drop(s, range, &spares, &b);
	free_tables_of_run(&s->pd, range, &b);
	tlb_finish(&b);
	return 0;
}

int space_munmap(struct space *s, vaddr_t addr, uint32_t length)
{
	struct pages range = PAGES(vpn_of(addr), pages_of_bytes(length));

	if (addr % PAGE_SIZE || !length || range.first > USER_VPN_END ||
	    range.count > USER_VPN_END - range.first)
		return -EINVAL;
	return unmap(s, range);
}

/* How far a call that works its way up through areas gets, what stops it, and what it takes on the way. */
struct way {
	vpn_t end;
	int err;
	uint32_t promises;
};

/* Finds the pages that get a protection: up to one that no area holds, or that may not have it. */
static struct way way_of(struct space *s, struct pages range, prot_t prot)
{
	vpn_t end = range.first + range.count;
	struct way w = {range.first, 0, 0};

	for (struct area *a = space_find(s, w.end); w.end < end; a = area_next(a)) {
		vpn_t last;

		if (!a || a->first > w.end) {
			w.err = -ENOMEM;
			break;
		}
		if (prot & PROT_W && !(a->flags & AREA_MAY_WRITE)) {
			w.err = -EACCES;
			break;
		}
		last = a->end < end ? a->end : end;
		if (prot & PROT_W && space_wants_promise(a))
			w.promises += last - w.end;
		w.end = last;
	}
	return w;
}

/* Moves a range's end to that of the stack, or the like, that it begins in. */
static int whole_stack(struct space *s, struct pages *range, uint32_t prot)
{
	vpn_t end = range->first + range->count;
	const struct area *a;

	if (!(prot & (PROT_GROWSDOWN | PROT_GROWSUP)))
		return 0;
	a = space_find(s, range->first);
	if (!a || a->first >= end)
		return -ENOMEM;
	if (prot & PROT_GROWSDOWN) {
		if (!(a->flags & AREA_GROWS_DOWN))
			return -EINVAL;
		*range = PAGES(a->first, end - a->first);
		return 0;
	}
	if (a->first > range->first)
		return -ENOMEM;
	if (!(a->flags & AREA_GROWS_UP))
		return -EINVAL;
	range->count = a->end - range->first;
	return 0;
}

/* Checks what does not depend on the areas; 1: there is nothing to do. */
static int check_mprotect(vaddr_t addr, uint32_t length, uint32_t prot)
{
	uint32_t grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);

	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || addr % PAGE_SIZE)
		return -EINVAL;
	if (!length)
		return 1;
	if (pages_of_bytes(length) > ARCH_VPN_END - vpn_of(addr) || pages_of_bytes(length) == ARCH_VPN_END)
		return -ENOMEM;
	return prot & ~(grows | PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM) ? -EINVAL : 0;
}

int space_mprotect(struct space *s, vaddr_t addr, uint32_t length, uint32_t prot)
{
	struct area_change c = {.protects = true, .commits = true, .prot = prot_of(prot)};
	struct pages range = PAGES(vpn_of(addr), pages_of_bytes(length));
	int err = check_mprotect(addr, length, prot);
	struct way w;

	if (!err)
		err = whole_stack(s, &range, prot);
	if (err)
		return err < 0 ? err : 0;
	w = way_of(s, range, c.prot);
	range.count = w.end - range.first;
	if (!range.count)
		return w.err;
	if (UNLIKELY(s->areas.count > SPACE_AREAS_MAX - 2) &&
	    s->areas.count + space_cuts(s, range.first) + space_cuts(s, w.end) > SPACE_AREAS_MAX)
		return -ENOMEM;
	if (w.promises && tenant_commit(s->tenant, w.promises))
		return -ENOMEM;
	err = space_change(s, range, &c);
	if (err)
		tenant_uncommit(s->tenant, w.promises);
	return err ? err : w.err;
}

int space_set_brk(struct space *s, vaddr_t start)
{
	if (vpn_of(start) < USER_FIRST_VPN || vpn_of(start) >= USER_VPN_END)
		return -ENOMEM;
	s->brk_start = s->brk = start;
	return 0;
}

/* Puts pages behind the break. */
static int brk_up(struct space *s, vpn_t first, vpn_t end)
{
	struct area like;
	int err;

	/* One page more is left free, so that the break does not touch what lies above. */
	if (end >= USER_VPN_END || !space_is_free(s, PAGES(first, end - first + 1)))
		return -ENOMEM;
	like.first = first;
	like.end = end;
	like.prot = PROT_R | PROT_W;
	like.flags = AREA_MAY_WRITE | s->future_flags;
	like.file = NULL;
	like.pd = &s->pd;
	like.own_pages = false;
	if (s->areas.count >= SPACE_AREAS_MAX || space_promise(s, &like))
		return -ENOMEM;
	err = space_add(s, &like, NULL) ? 0 : -ENOMEM;
	if (err && like.flags & AREA_COMMITTED)
		tenant_uncommit(s->tenant, end - first);
	if (!err && (s->future_flags & (AREA_LOCKED | AREA_ON_FAULT)) == AREA_LOCKED)
		space_populate(s, PAGES(first, end - first));
	return err;
}

vaddr_t space_brk(struct space *s, vaddr_t addr)
{
	vpn_t now = vpn_of(s->brk + PAGE_SIZE - 1), then = vpn_of(addr + PAGE_SIZE - 1);
	int err = 0;

	if (addr < s->brk_start || vpn_of(addr) >= USER_VPN_END)
		return s->brk;
	if (s->limits.data != NO_LIMIT && addr - s->brk_start > s->limits.data)
		return s->brk;
	if (then < now)
		err = unmap(s, PAGES(then, now - then));
	else if (then > now)
		err = brk_up(s, now, then);
	if (!err)
		s->brk = addr;
	return s->brk;
}

int space_map_stack(struct space *s, vaddr_t top, uint32_t size_limit, uint32_t prot)
{
	uint32_t limit = pages_of_bytes(size_limit), pages = limit < STACK_PAGES ? limit : STACK_PAGES;
	vpn_t end = vpn_of(top), room = limit + GUARD_GAP;
	struct plan p = {
		.like = {.first = end - pages,
			 .end = end,
			 .prot = prot_of(prot),
			 .flags = AREA_MAY_WRITE | AREA_GROWS_DOWN,
			 .pd = &s->pd},
		.pages = pages,
	};
	int err;

	if (!pages || end > USER_VPN_END || end < pages + USER_FIRST_VPN ||
	    !space_is_free(s, PAGES(p.like.first, pages)))
		return -ENOMEM;
	err = space_promise(s, &p.like);
	if (err)
		return err;
	err = put_area(s, &p);
	if (err) {
		tenant_uncommit(s->tenant, p.like.flags & AREA_COMMITTED ? pages : 0);
		return err;
	}
	s->stack_top = top;
	s->limits.stack = size_limit;
	/* A stack without a limit still leaves the larger part of the addresses to others. */
	s->mmap_base = end - (room < end / 2 ? room : end / 2);
	return 0;
}
