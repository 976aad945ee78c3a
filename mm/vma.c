/*
 * mm/vma.c - the areas of a space, in a red-black tree by address. Owns the order and the gaps, no area's memory.
 * Lock: the space's owner's.
 *
 *	     first      end          first   end
 *	-----|   area    |----gap-----|  area  |---     each area knows the gap in front of it, and the largest
 *	                                                gap in its subtree: what is searched is one way down
 *
 * The tree's rotations keep the largest gaps right where they are right already. So an area that comes is counted
 * before the tree is balanced, and one that goes has given up its gap before it is taken out.
 */
#include <lib/panic.h>
#include <mm/vma.h>

static inline uint32_t most_of(const struct area *a)
{
	return a ? a->most : 0;
}

/* Returns the largest gap in a subtree whose children are right. */
static inline uint32_t largest_gap(const struct area *a)
{
	uint32_t most = a->gap;
	uint32_t left = most_of(RB_LEFT(a, link)), right = most_of(RB_RIGHT(a, link));

	most = left > most ? left : most;
	return right > most ? right : most;
}

#undef RB_AUGMENT
#define RB_AUGMENT(a) ((a)->most = largest_gap(a))

/* Two areas never meet. */
static inline int compare(const struct area *a, const struct area *b)
{
	return a->first < b->first ? -1 : a->first > b->first;
}

RB_GENERATE_STATIC(area_root, area, link, compare)

void area_tree_init(struct area_tree *t)
{
	RB_INIT(&t->root);
	t->count = 0;
}

struct area *area_find(const struct area_tree *t, vpn_t v)
{
	struct area *a = RB_ROOT(&t->root), *found = NULL;

	while (a) {
		if (a->end <= v) {
			a = RB_RIGHT(a, link);
			continue;
		}
		found = a;
		if (a->first <= v)
			break;
		a = RB_LEFT(a, link);
	}
	return found;
}

struct area *area_next(struct area *a)
{
	return RB_NEXT(area_root, NULL, a);
}

struct area *area_prev(struct area *a)
{
	return RB_PREV(area_root, NULL, a);
}

struct area *area_first(const struct area_tree *t)
{
	struct area *a = RB_ROOT(&t->root);

	while (a && RB_LEFT(a, link))
		a = RB_LEFT(a, link);
	return a;
}

struct area *area_last(const struct area_tree *t)
{
	struct area *a = RB_ROOT(&t->root);

	while (a && RB_RIGHT(a, link))
		a = RB_RIGHT(a, link);
	return a;
}

vpn_t area_guarded_end(const struct area *a)
{
	if (!(a->flags & AREA_GROWS_UP))
		return a->end;
	return a->end < USER_VPN_END - GUARD_GAP ? a->end + GUARD_GAP : USER_VPN_END;
}

vpn_t area_guarded_first(const struct area *a)
{
	if (!(a->flags & AREA_GROWS_DOWN))
		return a->first;
	return a->first > USER_FIRST_VPN + GUARD_GAP ? a->first - GUARD_GAP : USER_FIRST_VPN;
}

/* Returns the free pages between an area, or the beginning of the user part, and the next area. */
static uint32_t gap_between(const struct area *prev, const struct area *a)
{
	vpn_t begin = prev ? area_guarded_end(prev) : USER_FIRST_VPN;
	vpn_t end = area_guarded_first(a);

	return end > begin ? end - begin : 0;
}

/* Makes the largest gaps right from an area up, as far as they change. */
static void update_upwards(struct area *a)
{
	for (; a; a = RB_PARENT(a, link)) {
		uint32_t most = largest_gap(a);

		if (most == a->most)
			return;
		a->most = most;
	}
}

static void set_gap(struct area *prev, struct area *a)
{
	a->gap = gap_between(prev, a);
	update_upwards(a);
}

/* One of two neighbours has a free place for what comes between them: the one that is lower in the tree. */
static inline void link_between(struct area_tree *t, struct area *a, struct area *prev, struct area *next)
{
	if (prev && !RB_RIGHT(prev, link)) {
		RB_SET(a, prev, link);
		RB_RIGHT(prev, link) = a;
	} else if (next) {
		RB_SET(a, next, link);
		RB_LEFT(next, link) = a;
	} else {
		RB_SET(a, NULL, link);
		RB_ROOT(&t->root) = a;
	}
}

void area_insert(struct area_tree *t, struct area *a, struct area *prev, struct area *next)
{
	link_between(t, a, prev, next);
	a->most = 0;
	t->count++;
	set_gap(prev, a);
	if (next)
		set_gap(a, next);
	area_root_RB_INSERT_COLOR(&t->root, a);
}

void area_remove(struct area_tree *t, struct area *a)
{
	struct area *prev = area_prev(a), *next = area_next(a);

	a->gap = 0;
	update_upwards(a);
	if (next)
		set_gap(prev, next);
	area_root_RB_REMOVE(&t->root, a);
	t->count--;
}

void area_resize(struct area *a, vpn_t first, vpn_t end)
{
	vpn_t old_first = a->first, old_end = a->end;

	a->first = first;
	a->end = end;
	if (first != old_first)
		set_gap(area_prev(a), a);
	if (end != old_end) {
		struct area *next = area_next(a);

		if (next)
			set_gap(a, next);
	}
}

bool area_is_free(const struct area_tree *t, struct pages range)
{
	vpn_t end = range.first + range.count;
	struct area *next = area_find(t, range.first);
	const struct area *prev = next ? area_prev(next) : area_last(t);

	return (!next || end <= area_guarded_first(next)) && (!prev || area_guarded_end(prev) <= range.first);
}

/* Returns the highest place of count pages in a gap, cut to [low, high); 0: none. */
static vpn_t highest_in(vpn_t begin, vpn_t end, uint32_t count, struct pages within)
{
	vpn_t high = within.first + within.count;

	begin = begin > within.first ? begin : within.first;
	end = end < high ? end : high;
	return end >= begin && end - begin >= count ? end - count : 0;
}

/* The gaps of a subtree; those on the right come first. */
static vpn_t highest_below(const struct area *a, uint32_t count, struct pages within)
{
	for (; most_of(a) >= count; a = RB_LEFT(a, link)) {
		vpn_t end = area_guarded_first(a);
		vpn_t found = 0;

		if (a->end < within.first + within.count)
			found = highest_below(RB_RIGHT(a, link), count, within);
		if (!found)
			found = highest_in(end - a->gap, end, count, within);
		if (found || end <= within.first)
			return found;
	}
	return 0;
}

vpn_t area_highest_gap(const struct area_tree *t, uint32_t count, vpn_t low, vpn_t high)
{
	const struct area *last = area_last(t);
	struct pages within = {low, high - low};
	vpn_t found = highest_in(last ? area_guarded_end(last) : USER_FIRST_VPN, USER_VPN_END, count, within);

	return found ? found : highest_below(RB_ROOT(&t->root), count, within);
}

static vpn_t lowest_in(vpn_t begin, vpn_t end, uint32_t count, struct pages within)
{
	return highest_in(begin, end, count, within) ? (begin > within.first ? begin : within.first) : 0;
}

/* The gaps of a subtree; those on the left come first. */
static vpn_t lowest_above(const struct area *a, uint32_t count, struct pages within)
{
	for (; most_of(a) >= count; a = RB_RIGHT(a, link)) {
		vpn_t end = area_guarded_first(a);
		vpn_t found = 0;

		if (a->first > within.first)
			found = lowest_above(RB_LEFT(a, link), count, within);
		if (!found)
			found = lowest_in(end - a->gap, end, count, within);
		if (found || a->end >= within.first + within.count)
			return found;
	}
	return 0;
}

vpn_t area_lowest_gap(const struct area_tree *t, uint32_t count, vpn_t low, vpn_t high)
{
	const struct area *last = area_last(t);
	struct pages within = {low, high - low};
	vpn_t found = lowest_above(RB_ROOT(&t->root), count, within);

	if (found)
		return found;
	return lowest_in(last ? area_guarded_end(last) : USER_FIRST_VPN, USER_VPN_END, count, within);
}

/* Counts the faults of a subtree in its links, colours and gaps; stores how many black areas each way down has. */
static unsigned check_subtree(const struct area *a, unsigned *black)
{
	const struct area *child[2];
	unsigned faults = 0, below[2] = {0, 0};

	*black = 0;
	if (!a)
		return 0;
	child[0] = RB_LEFT(a, link);
	child[1] = RB_RIGHT(a, link);
	for (unsigned i = 0; i < 2; i++) {
		faults += check_subtree(child[i], &below[i]);
		if (!child[i])
			continue;
		faults += RB_PARENT(child[i], link) != a;
		faults += RB_COLOR(a, link) == RB_RED && RB_COLOR(child[i], link) == RB_RED;
	}
	faults += below[0] != below[1];
	faults += a->most != largest_gap(a);
	*black = below[0] + (RB_COLOR(a, link) == RB_BLACK);
	if (faults)
		printk("area 0x%x: %u faults of the tree at or below it\n", a->first, faults);
	return faults;
}

unsigned area_tree_check(const struct area_tree *t)
{
	unsigned faults, black;
	const struct area *prev = NULL;
	uint32_t count = 0;

	faults = check_subtree(RB_ROOT(&t->root), &black);
	for (struct area *a = area_first(t); a && count <= t->count; a = area_next(a), count++) {
		vpn_t begin = prev ? prev->end : USER_FIRST_VPN;

		if (a->first < begin || a->end <= a->first || a->end > USER_VPN_END ||
		    a->gap != gap_between(prev, a)) {
			printk("area 0x%x to 0x%x, gap 0x%x: out of order, or a wrong gap\n", a->first,
			       a->end, a->gap);
			faults++;
		}
		prev = a;
	}
	if (count != t->count)
		printk("areas: %u counted, %u found\n", t->count, count);
	return faults + (count != t->count);
}
