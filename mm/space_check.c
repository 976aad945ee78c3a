/* mm/space_check.c - proves a space: areas, entries, counts. Changes nothing. */
#include <lib/panic.h>
#include <mm/pgtable_run.h>
#include <mm/space.h>

struct check {
	struct space *s;
	struct area *a;
	unsigned faults;
};

static void fault(struct check *c, vpn_t v, const char *what)
{
	printk("space 0x%x, page 0x%x: %s\n", c->s->pd.root.n, v, what);
	c->faults++;
}

/* One page that the paging unit sees. */
static int check_leaf(const struct pt_leaf *leaf, void *arg)
{
	struct check *c = arg;
	prot_t prot = arch_pte_prot(leaf->entry);
	pfn_t f = arch_pte_pfn(leaf->entry);

	if (!c->a->prot)
		fault(c, leaf->v, "present, and its area allows nothing");
	if (!(prot & PROT_USER) || leaf->level)
		fault(c, leaf->v, "not a program's page");
	if (prot & PROT_W && !(c->a->prot & PROT_W))
		fault(c, leaf->v, "writable, and its area is not");
	if (prot & PROT_X & ~arch_prot_effective(c->a->prot))
		fault(c, leaf->v, "executable, and its area is not");
	if (!(prot & PROT_OWNED) && (f.n != zero_frame.n || prot & PROT_W))
		fault(c, leaf->v, "holds no reference on its frame");
	if (prot & PROT_OWNED && frame_state(f) != FRAME_USER)
		fault(c, leaf->v, "its frame is not a program's");
	if (prot & PROT_W && !(c->a->flags & AREA_SHARED) && frame_refs(f) != 1)
		fault(c, leaf->v, "private and writable, and others hold its frame");
	return 0;
}

static void check_area(struct check *c)
{
	struct area *a = c->a;
	struct pages range = PAGES(a->first, a->end - a->first);

	if (a->pd != &c->s->pd)
		fault(c, a->first, "its area is another space's");
	if (a->flags & AREA_COMMITTED && a->flags & AREA_SHARED)
		fault(c, a->first, "shared, and counted as private");
	if (!a->file && a->flags & AREA_SHARED)
		fault(c, a->first, "shared, and there is nothing to share");
	pdir_each_leaf(&c->s->pd, range, check_leaf, c);
}

/* Every table is one that was counted. */
static void check_tables(struct check *c)
{
	uint32_t tables = tables_of_run(&c->s->pd, PAGES(0, USER_VPN_END));

	if (tables != c->s->pd.tables)
		fault(c, 0, "it has more tables than were counted, or fewer");
}

unsigned check_space(struct space *s)
{
	struct check c = {s, NULL, area_tree_check(&s->areas)};
	uint32_t pages = 0, locked = 0, committed = 0;
	vpn_t end = 0;

	for (c.a = area_first(&s->areas); c.a; c.a = area_next(c.a)) {
		uint32_t count = c.a->end - c.a->first;

		if (count_run(&s->pd, PAGES(end, c.a->first - end)))
			fault(&c, end, "there is no area for what is mapped behind it");
		check_area(&c);
		pages += count;
		locked += c.a->flags & AREA_LOCKED ? count : 0;
		committed += c.a->flags & AREA_COMMITTED ? count : 0;
		end = c.a->end;
	}
	if (count_run(&s->pd, PAGES(end, USER_VPN_END - end)))
		fault(&c, end, "there is no area for what is mapped behind it");
	if (pages != s->pages || locked != s->locked || committed > s->tenant->committed)
		fault(&c, 0, "its counts are wrong");
	check_tables(&c);
	return c.faults;
}
