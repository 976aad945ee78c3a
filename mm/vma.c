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
	t->first = t->last = t->found.area = NULL;
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

extern inline vpn_t area_guarded_end(const struct area *a)
{
	vpn_t end = a->end;

	if (UNLIKELY(a->flags & AREA_GROWS_UP))
		end = end < USER_VPN_END - GUARD_GAP ? end + GUARD_GAP : USER_VPN_END;
	return end;
}

extern inline vpn_t area_guarded_first(const struct area *a)
{
	vpn_t first = a->first;

	if (UNLIKELY(a->flags & AREA_GROWS_DOWN))
		first = first > USER_FIRST_VPN + GUARD_GAP ? first - GUARD_GAP : USER_FIRST_VPN;
	return first;
}

/* Returns the free pages between an area, or the beginning of the user part, and the next area. */
static uint32_t gap_between(const struct area *prev, const struct area *a)
{
	vpn_t begin = prev ? area_guarded_end(prev) : USER_FIRST_VPN;
	vpn_t end = area_guarded_first(a);

	return end > begin ? end - begin : 0;
}

/* Makes the largest gaps right from an area up whose gap has grown; and whose gap was as large as `old` and shrank. */
static inline void raise(struct area *a, uint32_t gap)
{
	do {
		if (a->most >= gap)
			return;
		a->most = gap;
		a = RB_PARENT(a, link);
	} while (a);
}

static inline void lower(struct area *a, uint32_t old)
{
	do {
		if (a->most != old)
			return;
		a->most = largest_gap(a);
		if (a->most == old)
			return;
		a = RB_PARENT(a, link);
	} while (a);
}

/* A gap that grows above what was found last may be what is looked for next. */
static inline void grow_gap(struct area_tree *t, struct area *a, uint32_t gap)
{
	a->gap = gap;
	raise(a, gap);
	if (t->found.area && a->first > t->found.area->first)
		t->found.area = NULL;
}

static inline void shrink_gap(struct area *a, uint32_t gap)
{
	uint32_t old = a->gap;

	a->gap = gap;
	lower(a, old);
}

static void set_gap(struct area_tree *t, struct area *a, uint32_t gap)
{
	if (gap > a->gap)
		grow_gap(t, a, gap);
	else
		shrink_gap(a, gap);
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

/* Makes two areas neighbours in the list; null: the ends. */
static inline void join_list(struct area_tree *t, struct area *prev, struct area *next)
{
	*(prev ? &prev->next : &t->first) = next;
	*(next ? &next->prev : &t->last) = prev;
}

/* Puts an area in front of another one, as if there were no gap before it. The tree is not balanced. */
static inline void link_area(struct area_tree *t, struct area *a, struct area *next)
{
	struct area *prev = next ? next->prev : t->last;

	link_between(t, a, prev, next);
	a->prev = prev;
	a->next = next;
	*(prev ? &prev->next : &t->first) = a;
	*(next ? &next->prev : &t->last) = a;
	t->count++;
	a->most = a->gap = 0;
}

void area_insert(struct area_tree *t, struct area *a, struct area *next)
{
	link_area(t, a, next);
	a->gap = gap_between(a->prev, a);
	raise(a, a->gap);
	if (next)
		shrink_gap(next, gap_between(a, next));
	area_root_RB_INSERT_COLOR(&t->root, a);
}

/*
 * The gap in front goes to the next area before it is given up, so that the largest gap above both never shrinks. The
 * removal counts the parent anew, but no others on the way to the next area.
 */
void area_remove(struct area_tree *t, struct area *a)
{
	struct area *prev = a->prev, *next = a->next;

	join_list(t, prev, next);
	if (t->found.area == a)
		t->found.area = next;
	if (next)
		grow_gap(t, next, gap_between(prev, next));
	if (!next || RB_PARENT(a, link) != next)
		shrink_gap(a, 0);
	area_root_RB_REMOVE(&t->root, a);
	t->count--;
}

void area_set_first(struct area_tree *t, struct area *a, vpn_t first)
{
	a->first = first;
	set_gap(t, a, gap_between(a->prev, a));
}

void area_set_end(struct area_tree *t, struct area *a, vpn_t end)
{
	a->end = end;
	if (a->next)
		set_gap(t, a->next, gap_between(a, a->next));
}

void area_split(struct area_tree *t, struct area *a, vpn_t v, struct area *upper)
{
	*upper = *a;
	upper->first = v;
	upper->offset += v - a->first;
	a->end = v;
	link_area(t, upper, a->next);
	area_root_RB_INSERT_COLOR(&t->root, upper);
}

void area_join(struct area_tree *t, struct area *a, struct area *upper)
{
	a->end = upper->end;
	join_list(t, a, upper->next);
	if (t->found.area == upper)
		t->found.area = a;
	area_root_RB_REMOVE(&t->root, upper);
	t->count--;
}

/* Copies a subtree, and puts its areas at the end of the list. It goes as deep as the tree is high. */
static struct area *copy_subtree(struct area_tree *to, const struct area *a, struct area **nodes)
{
	struct area *copy = *nodes;

	*nodes = RB_LEFT(copy, link);
	*copy = *a;
	if (RB_LEFT(a, link)) {
		RB_LEFT(copy, link) = copy_subtree(to, RB_LEFT(a, link), nodes);
		RB_PARENT(RB_LEFT(copy, link), link) = copy;
	}
	join_list(to, to->last, copy);
	to->last = copy;
	if (RB_RIGHT(a, link)) {
		RB_RIGHT(copy, link) = copy_subtree(to, RB_RIGHT(a, link), nodes);
		RB_PARENT(RB_RIGHT(copy, link), link) = copy;
	}
	return copy;
}

void area_tree_copy(struct area_tree *to, const struct area_tree *from, struct area *nodes)
{
	if (!from->count)
		return;
	RB_ROOT(&to->root) = copy_subtree(to, RB_ROOT(&from->root), &nodes);
	to->last->next = NULL;
	to->count = from->count;
}

bool area_is_free(const struct area_tree *t, struct pages range, const struct area *next)
{
	vpn_t end = range.first + range.count;
	const struct area *prev = next ? next->prev : t->last;

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

/* Returns the highest area of a subtree that has a gap of count pages, and is known to have one, in front of it. */
static struct area *highest_with_gap(struct area *a, uint32_t count)
{
	while (true) {
		if (most_of(RB_RIGHT(a, link)) >= count)
			a = RB_RIGHT(a, link);
		else if (a->gap >= count)
			return a;
		else
			a = RB_LEFT(a, link);
	}
}

static inline vpn_t highest_before(const struct area *a, uint32_t count, struct pages within)
{
	vpn_t end = area_guarded_first(a);

	return highest_in(end - a->gap, end, count, within);
}

/*
 * Returns the highest area with room in front of it; null: none. Down the way to `high`: what lies right of it is too
 * high. Of what lies left of it, the last area that has room in front of it, or in its left subtree, is the one.
 */
static __attribute__((noinline)) struct area *area_with_room(struct area *a, uint32_t count,
							     struct pages within)
{
	struct area *room = NULL;

	while (most_of(a) >= count) {
		if (a->end < within.first + within.count) {
			if (a->gap >= count || most_of(RB_LEFT(a, link)) >= count)
				room = a;
			a = RB_RIGHT(a, link);
			continue;
		}
		if (highest_before(a, count, within))
			return a;
		a = RB_LEFT(a, link);
	}
	if (room && room->gap < count)
		room = highest_with_gap(RB_LEFT(room, link), count);
	return room;
}

vpn_t area_highest_gap(struct area_tree *t, uint32_t count, vpn_t low, vpn_t high)
{
	struct pages within = {low, high - low};
	struct area *a = t->found.area;
	vpn_t found = 0;

	if (!t->last)
		return highest_in(USER_FIRST_VPN, USER_VPN_END, count, within);
	if (t->last->end < high)
		found = highest_in(area_guarded_end(t->last), USER_VPN_END, count, within);
	else if (a && high == t->found.high && count >= t->found.pages && a->gap >= count)
		found = highest_before(a, count, within);
	if (found)
		return found;
	a = area_with_room(RB_ROOT(&t->root), count, within);
	if (!a)
		return 0;
	t->found.area = a;
	t->found.pages = count;
	t->found.high = high;
	return highest_before(a, count, within);
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
	const struct area *last = t->last;
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
	for (const struct area *a = t->first; a && count <= t->count; a = a->next, count++) {
		vpn_t begin = prev ? prev->end : USER_FIRST_VPN;

		if (a->first < begin || a->end <= a->first || a->end > USER_VPN_END ||
		    a->gap != gap_between(prev, a)) {
			printk("area 0x%x to 0x%x, gap 0x%x: out of order, or a wrong gap\n", a->first,
			       a->end, a->gap);
			faults++;
		}
		if (a->prev != prev || (!a->next && t->last != a)) {
			printk("area 0x%x: its neighbours in the list are others\n", a->first);
			faults++;
		}
		prev = a;
	}
	if (count != t->count)
		printk("areas: %u counted, %u found\n", t->count, count);
	return faults + (count != t->count);
}
