/*
 * mm/space.c - address spaces and who pays for them. Owns the areas' nodes and the tenants; a space's directory and
 * its areas are its process's to change. Lock: none, kernel code is not preempted.
 *
 * What calls of a program do to areas is made of few steps, none of which can fail: cut at two pages (with nodes that
 * were taken before), drop or change what lies between, put something in, merge.
 */
#include <lib/panic.h>
#include <linux/mman.h>
#include <mm/pgtable_run.h>
#include <mm/slab.h>
#include <mm/space.h>

#define SPAN ARCH_PT_SPAN(1)

pfn_t zero_frame;
unsigned overcommit;

static struct {
	struct cache areas;
} spaces;

int space_init(void)
{
	int err = frame_alloc(ALLOC_USER | ALLOC_ZERO, &zero_frame);

	cache_init(&spaces.areas, "areas", sizeof(struct area));
	return err;
}

int tenant_create(struct container_id parent, uint32_t pages, struct tenant **out)
{
	struct tenant *t = kmalloc(sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	*t = (struct tenant){.refs = 1, .quota = pages};
	err = container_split(parent, pages, &t->owner);
	if (err)
		kmfree(t);
	else
		*out = t;
	return err;
}

void tenant_get(struct tenant *t)
{
	t->refs++;
}

void tenant_put(struct tenant *t)
{
	if (--t->refs)
		return;
	INVARIANT(!t->committed);
	container_destroy(t->owner);
	kmfree(t);
}

int tenant_commit_strictly(struct tenant *t, uint32_t pages)
{
	if (overcommit == OVERCOMMIT_NEVER && (t->committed > t->quota || pages > t->quota - t->committed))
		return -ENOMEM;
	t->committed += pages;
	return 0;
}

int tenant_commit_again(struct tenant *t, uint32_t pages)
{
	if (overcommit == OVERCOMMIT_NEVER)
		return tenant_commit(t, pages);
	t->committed += pages;
	return 0;
}

void tenant_uncommit(struct tenant *t, uint32_t pages)
{
	t->committed -= pages;
}

/* Nodes. Each space keeps some: what a program maps for a while takes a node and gives it back again and again. */

static inline struct area *take_node(struct space *s)
{
	for (unsigned i = 0; i < ARRAY_SIZE(s->node); i++) {
		struct area *a = s->node[i];

		if (a) {
			s->node[i] = NULL;
			return a;
		}
	}
	return cache_alloc(&spaces.areas);
}

static inline void give_node(struct space *s, struct area *a)
{
	for (unsigned i = 0; i < ARRAY_SIZE(s->node); i++) {
		if (!s->node[i]) {
			s->node[i] = a;
			return;
		}
	}
	cache_free(&spaces.areas, a);
}

static void free_nodes(struct space *s)
{
	for (unsigned i = 0; i < ARRAY_SIZE(s->node); i++) {
		if (s->node[i])
			cache_free(&spaces.areas, s->node[i]);
		s->node[i] = NULL;
	}
}

int space_spares(struct space *s, struct area_spares *p, unsigned count)
{
	p->first = NULL;
	for (; count; count--) {
		struct area *a = take_node(s);

		if (UNLIKELY(!a)) {
			space_spares_free(s, p);
			return -ENOMEM;
		}
		area_spares_put(p, a);
	}
	return 0;
}

void area_spares_put(struct area_spares *p, struct area *a)
{
	RB_LEFT(a, link) = p->first;
	p->first = a;
}

struct area *area_spares_take(struct area_spares *p)
{
	struct area *a = p->first;

	INVARIANT(a);
	p->first = RB_LEFT(a, link);
	return a;
}

void space_spares_free(struct space *s, struct area_spares *p)
{
	while (p->first)
		give_node(s, area_spares_take(p));
}

int space_create(struct space *s, struct tenant *t, struct space_limits limits)
{
	int err;

	*s = (struct space){.tenant = t, .limits = limits, .mmap_base = USER_VPN_END};
	area_tree_init(&s->areas);
	err = pdir_init(&s->pd, t->owner);
	if (!err)
		tenant_get(t);
	return err;
}

void space_load(const struct space *s)
{
	set_pdir_base(&s->pd);
}

static uint32_t length(const struct area *a)
{
	return a->end - a->first;
}

/* Gives back what an area holds. It is in no tree. */
static inline void empty_area(struct space *s, struct area *a)
{
	if (a->flags & AREA_COMMITTED)
		tenant_uncommit(s->tenant, length(a));
	if (a->file) {
		mapping_remove_area(a);
		mapping_put(a->file);
	}
}

static void free_area(struct space *s, struct area *a)
{
	empty_area(s, a);
	give_node(s, a);
}

/* Without balancing a tree that is to go. The tables go when all areas are empty: two may lie in one. */
static void free_areas(struct space *s)
{
	struct area *a, *next;
	vpn_t gone = 0; /* of all tables below */

	for (a = area_first(&s->areas); a; a = area_next(a))
		drop_run(&s->pd, PAGES(a->first, length(a)));
	for (a = area_first(&s->areas); a; a = next) {
		next = area_next(a);
		if (a->end > gone) {
			vm_free_run(&s->pd, PAGES(a->first, length(a)));
			gone = (a->end + SPAN - 1) & ~(SPAN - 1);
		}
		empty_area(s, a);
		cache_free(&spaces.areas, a);
	}
}

void space_destroy(struct space *s)
{
	if (arch_mmu_root().n == s->pd.root.n)
		panic("space_destroy of the loaded space, root 0x%x", s->pd.root.n);
	free_areas(s);
	free_nodes(s);
	area_tree_init(&s->areas);
	vm_free_empty(&s->pd);
	tenant_put(s->tenant);
	s->tenant = NULL;
	s->last = NULL;
}

/* The one found last answers for the gap in front of it too. */
struct area *space_find(struct space *s, vpn_t v)
{
	struct area *a = s->last;

	if (a && v < a->end && (v >= a->first || !a->prev || v >= a->prev->end))
		return a;
	a = area_find(&s->areas, v);
	s->last = a;
	return a;
}

struct area *space_next_area(struct space *s, vaddr_t at)
{
	return area_find(&s->areas, vpn_of(at));
}

uint32_t space_resident(const struct space *s)
{
	uint32_t pages = 0;

	for (struct area *a = area_first(&s->areas); a; a = area_next(a))
		pages += count_run(&s->pd, PAGES(a->first, length(a)));
	return pages;
}

/* Areas. */

static void count_pages(struct space *s, const struct area *a, uint32_t more)
{
	s->pages += more;
	if (a->flags & AREA_LOCKED)
		s->locked += more;
}

bool space_cuts(struct space *s, vpn_t v)
{
	const struct area *a = space_find(s, v);

	return a && a->first < v;
}

/* Cuts an area in two, with a spare, and returns the upper part. Only the top grows up, the bottom down. */
static struct area *cut(struct space *s, struct area *a, vpn_t v, struct area_spares *p)
{
	struct area *upper = area_spares_take(p);

	area_split(&s->areas, a, v, upper);
	if (a->file) {
		mapping_get(a->file);
		mapping_add_area(a->file, upper);
	}
	return upper;
}

void space_set_first(struct space *s, struct area *a, vpn_t first)
{
	count_pages(s, a, a->first - first);
	area_set_first(&s->areas, a, first);
}

void space_set_end(struct space *s, struct area *a, vpn_t end)
{
	count_pages(s, a, end - a->end);
	area_set_end(&s->areas, a, end);
}

/* True when two neighbours could be one area. */
static bool alike(const struct area *a, const struct area *b)
{
	return a->end == b->first && a->prot == b->prot && a->flags == b->flags && a->file == b->file &&
	       (!a->file || a->offset + length(a) == b->offset);
}

/* Makes the pages of the area behind another its own. */
static void swallow(struct space *s, struct area *a, struct area *gone)
{
	area_join(&s->areas, a, gone);
	if (s->last == gone)
		s->last = a;
	a->own_pages |= gone->own_pages;
	gone->flags &= ~AREA_COMMITTED; /* what was promised for its pages goes with them */
	free_area(s, gone);
}

/* Merges an area with the one in front, if they are alike. Returns what holds its pages. */
static struct area *merge_front(struct space *s, struct area *a)
{
	struct area *prev = area_prev(a);

	if (!prev || !alike(prev, a))
		return a;
	swallow(s, prev, a);
	return prev;
}

void space_grow_end(struct space *s, struct area *a, vpn_t end)
{
	struct area *next = area_next(a);

	space_set_end(s, a, end);
	if (next)
		merge_front(s, next);
}

/* Makes a neighbour that is alike grow over the pages, and returns it; null where there is none. */
static inline struct area *extend(struct space *s, const struct area *like, struct area *prev,
				  struct area *next)
{
	if (prev && alike(prev, like)) {
		prev->own_pages |= like->own_pages;
		space_grow_end(s, prev, like->end);
		return prev;
	}
	if (next && alike(like, next)) {
		next->own_pages |= like->own_pages;
		next->offset = like->offset;
		space_set_first(s, next, like->first);
		return next;
	}
	return NULL;
}

struct area *space_add(struct space *s, const struct area *like, struct area_spares *p)
{
	struct area *next = space_find(s, like->first);
	struct area *prev = next ? area_prev(next) : area_last(&s->areas);
	struct area *a = extend(s, like, prev, next);

	if (a)
		return a;
	a = p ? area_spares_take(p) : take_node(s);
	if (UNLIKELY(!a))
		return NULL;
	a->first = like->first;
	a->end = like->end;
	a->prot = like->prot;
	a->flags = like->flags;
	a->offset = like->offset;
	a->file = like->file;
	a->pd = like->pd;
	a->own_pages = like->own_pages;
	if (a->file) {
		mapping_get(a->file);
		mapping_add_area(a->file, a);
	}
	area_insert(&s->areas, a, next);
	s->last = a;
	count_pages(s, a, length(a));
	return a;
}

/* Give up the pages of one end of an area. */
static void drop_pages(struct space *s, const struct area *a, struct pages gone, struct tlb_batch *b)
{
	clear_run(&s->pd, gone, b);
	if (a->flags & AREA_COMMITTED)
		tenant_uncommit(s->tenant, gone.count);
}

static void trim_front(struct space *s, struct area *a, vpn_t first, struct tlb_batch *b)
{
	drop_pages(s, a, PAGES(a->first, first - a->first), b);
	a->offset += first - a->first;
	space_set_first(s, a, first);
}

static void trim_end(struct space *s, struct area *a, vpn_t end, struct tlb_batch *b)
{
	drop_pages(s, a, PAGES(end, a->end - end), b);
	space_set_end(s, a, end);
}

static void drop_area(struct space *s, struct area *a, struct tlb_batch *b)
{
	clear_run(&s->pd, PAGES(a->first, length(a)), b);
	if (s->last == a)
		s->last = area_next(a);
	area_remove(&s->areas, a);
	count_pages(s, a, 0u - length(a));
	free_area(s, a);
}

unsigned space_drop_spares(struct space *s, struct pages range)
{
	const struct area *a = space_find(s, range.first);

	return a && a->first < range.first && a->end > range.first + range.count;
}

void space_drop(struct space *s, struct pages range, struct area_spares *p, struct tlb_batch *b)
{
	vpn_t end = range.first + range.count;
	struct area *a = space_find(s, range.first), *next;

	if (a && a->first < range.first) {
		if (a->end > end)
			cut(s, a, end, p);
		next = area_next(a);
		trim_end(s, a, range.first, b);
		a = next;
	}
	for (; a && a->end <= end; a = next) {
		next = area_next(a);
		drop_area(s, a, b);
	}
	if (a && a->first < end)
		trim_front(s, a, end, b);
}

bool space_wants_promise(const struct area *a)
{
	return !(a->flags & (AREA_SHARED | AREA_COMMITTED | AREA_NO_RESERVE));
}

/* Changes one area that lies in the range wholly. */
static void change_area(struct space *s, struct area *a, const struct area_change *c, struct tlb_batch *b)
{
	uint32_t set = c->set;

	if (c->commits && c->prot & PROT_W && space_wants_promise(a))
		set |= AREA_COMMITTED;
	count_pages(s, a, 0u - length(a));
	a->flags = (a->flags & ~c->clear) | set;
	count_pages(s, a, length(a));
	if (!c->protects || a->prot == c->prot)
		return;
	a->prot = c->prot;
	protect_run(&s->pd, PAGES(a->first, length(a)),
		    (struct run_protection){c->prot, a->flags & AREA_SHARED}, b);
}

int space_change(struct space *s, struct pages range, const struct area_change *c)
{
	vpn_t end = range.first + range.count;
	struct area *a = space_find(s, range.first), *z = a;
	struct area_spares p;
	struct tlb_batch b;
	int err;

	while (z && z->end <= end)
		z = area_next(z);
	err = space_spares(s, &p, (a && a->first < range.first) + (z && z->first < end));
	if (err)
		return err;

	/* From here nothing fails. */
	tlb_begin(&b, s->pd.root);
	if (a && a->first < range.first)
		s->last = a = cut(s, a, range.first, &p);
	for (; a && a->first < end; a = area_next(a)) {
		if (a->end > end)
			cut(s, a, end, &p);
		change_area(s, a, c, &b);
		a = merge_front(s, a);
	}
	if (a)
		merge_front(s, a);
	tlb_finish(&b);
	return 0;
}

prot_t area_entry_prot(const struct area *a, bool write)
{
	return PROT_R | PROT_USER | (a->prot & (write ? PROT_W | PROT_X : PROT_X));
}
