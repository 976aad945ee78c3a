/* tests/ktest/vma_test.c - the tree of areas, against an array of pages. */
#include <kernel/ktest.h>
#include <mm/vma.h>

#define WINDOW 3000u /* pages that the random history uses, from FIRST on */
#define FIRST  0x40000u
#define AREAS  150u

static struct area_tree tree;
static struct area areas[AREAS];
static uint8_t used[WINDOW]; /* number of the area and 1; 0: free */

KTEST_SETUP(vma)
{
	area_tree_init(&tree);
	for (uint32_t i = 0; i < WINDOW; i++)
		used[i] = 0;
	for (uint32_t i = 0; i < AREAS; i++)
		areas[i] = (struct area){.first = 0};
}

static struct area *add(unsigned i, vpn_t first, uint32_t count, uint32_t flags)
{
	areas[i] = (struct area){.first = first, .end = first + count, .flags = flags};
	area_insert(&tree, &areas[i], area_find(&tree, first));
	return &areas[i];
}

static bool is_free(struct pages range)
{
	return area_is_free(&tree, range, area_find(&tree, range.first));
}

KTEST(vma, find_gives_the_first_area_that_ends_behind_a_page)
{
	struct area *a = add(0, 10, 5, 0), *b = add(1, 20, 1, 0);

	EXPECT(area_find(&tree, 0) == a && area_find(&tree, 9) == a && area_find(&tree, 14) == a);
	EXPECT(area_find(&tree, 15) == b && area_find(&tree, 20) == b);
	EXPECT(!area_find(&tree, 21));
	EXPECT(area_next(a) == b && area_prev(b) == a && !area_next(b) && !area_prev(a));
	EXPECT(area_first(&tree) == a && area_last(&tree) == b);
	EXPECT_EQ(area_tree_check(&tree), 0);
}

KTEST(vma, an_empty_tree_has_one_gap)
{
	EXPECT(!area_find(&tree, 5) && !area_first(&tree) && !area_last(&tree));
	EXPECT_EQ(area_highest_gap(&tree, 4, 100, 200), 196);
	EXPECT_EQ(area_lowest_gap(&tree, 4, 100, 200), 100);
	EXPECT_EQ(area_highest_gap(&tree, 100, 100, 200), 100);
	EXPECT_EQ(area_highest_gap(&tree, 101, 100, 200), 0);
	EXPECT_EQ(area_highest_gap(&tree, USER_VPN_END - USER_FIRST_VPN, 0, USER_VPN_END), USER_FIRST_VPN);
	EXPECT_EQ(area_lowest_gap(&tree, USER_VPN_END - USER_FIRST_VPN, 0, USER_VPN_END), USER_FIRST_VPN);
	EXPECT_EQ(area_lowest_gap(&tree, USER_VPN_END, 0, USER_VPN_END), 0);
	EXPECT(is_free(PAGES(1, USER_VPN_END - 1)));
}

/* What grows keeps others at a distance, as far as there is room for one. */
KTEST(vma, guard_gaps_are_no_room_for_others)
{
	struct area *down = add(0, 1000, 10, AREA_GROWS_DOWN), *up = add(1, 2000, 10, AREA_GROWS_UP);

	EXPECT_EQ(area_highest_gap(&tree, 1, 1, 1010), 1000 - GUARD_GAP - 1);
	EXPECT_EQ(area_lowest_gap(&tree, 1, 2000, 4000), 2010 + GUARD_GAP);
	EXPECT(!is_free(PAGES(1000 - GUARD_GAP, 1)) && is_free(PAGES(999 - GUARD_GAP, 1)));
	EXPECT(!is_free(PAGES(2009 + GUARD_GAP, 1)) && is_free(PAGES(2010 + GUARD_GAP, 1)));
	area_set_first(&tree, down, 990);
	area_set_end(&tree, up, 2020);
	EXPECT_EQ(area_highest_gap(&tree, 1, 1, 1010), 990 - GUARD_GAP - 1);
	EXPECT_EQ(area_lowest_gap(&tree, 1, 2000, 4000), 2020 + GUARD_GAP);
	add(2, 1020, 1, AREA_GROWS_DOWN);
	add(3, USER_VPN_END - 1, 1, AREA_GROWS_UP);
	add(4, 1, 1, AREA_GROWS_DOWN);
	EXPECT_EQ(area_tree_check(&tree), 0);
	EXPECT_EQ(area_lowest_gap(&tree, 1, 1010, 1020), 0);
}

/* Whoever searches between the two steps must find what was there before. */
KTEST(vma, splitting_and_joining_change_no_gap)
{
	struct area *low = add(0, FIRST, 5, 0), *a = add(1, FIRST + 20, 10, 0),
		    *high = add(2, FIRST + 40, 5, 0);

	a->offset = 100;
	area_split(&tree, a, FIRST + 23, &areas[3]);
	EXPECT(area_next(a) == &areas[3] && area_prev(high) == &areas[3] && area_prev(a) == low);
	EXPECT(a->end == FIRST + 23 && areas[3].first == FIRST + 23 && areas[3].end == FIRST + 30);
	EXPECT(areas[3].offset == 103 && !areas[3].gap && high->gap == 10 && tree.count == 4);
	EXPECT_EQ(area_tree_check(&tree), 0);
	area_join(&tree, a, &areas[3]);
	EXPECT(a->end == FIRST + 30 && area_next(a) == high && high->gap == 10 && tree.count == 3);
	EXPECT_EQ(area_tree_check(&tree), 0);
}

static bool window_is_free(vpn_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (first - FIRST + i >= WINDOW || used[first - FIRST + i])
			return false;
	return true;
}

/* By looking at each page. */
static vpn_t slow_gap(uint32_t count, vpn_t low, vpn_t high, bool highest)
{
	vpn_t found = 0;

	for (vpn_t v = low; v + count <= high; v++) {
		if (!window_is_free(v, count))
			continue;
		if (!highest)
			return v;
		found = v;
	}
	return found;
}

static void paint(vpn_t first, vpn_t end, uint8_t value)
{
	for (vpn_t v = first; v < end; v++)
		used[v - FIRST] = value;
}

/* What is looked for again and again begins with what was found before: it must be as good as a search. */
static void random_place(void)
{
	vpn_t high = FIRST + (ktest_random() % 8 ? WINDOW / 2 : WINDOW);
	uint32_t count = 1 + ktest_random_below(3);

	EXPECT_EQ(area_highest_gap(&tree, count, FIRST, high), slow_gap(count, FIRST, high, true));
}

static void random_gap(void)
{
	vpn_t low = FIRST + ktest_random_below(WINDOW),
	      high = low + ktest_random_below(FIRST + WINDOW - low + 1);
	uint32_t count = 1 + ktest_random_below(40);

	EXPECT_EQ(area_highest_gap(&tree, count, low, high), slow_gap(count, low, high, true));
	EXPECT_EQ(area_lowest_gap(&tree, count, low, high), slow_gap(count, low, high, false));
	EXPECT_EQ(is_free(PAGES(low, high - low)), high == low || window_is_free(low, high - low));
}

static void random_step(unsigned i)
{
	struct area *a = &areas[i];
	vpn_t first = FIRST + ktest_random_below(WINDOW - 40);
	uint32_t count = 1 + ktest_random_below(40);

	if (!a->end) {
		if (window_is_free(first, count)) {
			add(i, first, count, 0);
			paint(first, first + count, (uint8_t)(i + 1));
		}
		return;
	}
	paint(a->first, a->end, 0);
	if (ktest_random() % 2) {
		area_remove(&tree, a);
		a->end = 0;
		return;
	}
	count = 1 + ktest_random_below(a->end - a->first + 3);
	first = a->first + ktest_random_below(5) - 2;
	if (window_is_free(first, count) && window_is_free(a->first, a->end - a->first) &&
	    (first < a->end && a->first < first + count)) {
		area_set_first(&tree, a, first);
		area_set_end(&tree, a, first + count);
	}
	paint(a->first, a->end, (uint8_t)(i + 1));
}

KTEST(vma, random_history_against_an_array)
{
	for (unsigned step = 0; step < 4000; step++) {
		vpn_t v = FIRST + ktest_random_below(WINDOW);
		const struct area *found;

		random_step(ktest_random_below(AREAS));
		random_place();
		found = area_find(&tree, v);
		if (used[v - FIRST])
			ASSERT(found == &areas[used[v - FIRST] - 1]);
		else
			ASSERT(!found || found->first > v);
		if (step % 16)
			continue;
		random_gap();
		ASSERT_EQ(area_tree_check(&tree), 0);
	}
}

KTEST(vma, a_copy_is_a_tree_of_its_own)
{
	static struct area nodes[AREAS];
	struct area_tree copy;
	struct area *a, *b;
	uint32_t count;

	for (unsigned step = 0; step < 600; step++)
		random_step(ktest_random_below(AREAS));
	count = tree.count;
	ASSERT(count > 10);
	for (uint32_t i = 0; i < count; i++)
		RB_LEFT(&nodes[i], link) = i + 1 < count ? &nodes[i + 1] : NULL;
	area_tree_init(&copy);
	area_tree_copy(&copy, &tree, nodes);
	EXPECT_EQ(area_tree_check(&copy), 0);
	for (a = area_first(&tree), b = area_first(&copy); a && b; a = area_next(a), b = area_next(b))
		EXPECT(a->first == b->first && a->end == b->end && b >= nodes && b < nodes + count);
	EXPECT(!a && !b && copy.count == count);
	while ((a = area_first(&copy)))
		area_remove(&copy, a);
	EXPECT_EQ(tree.count, count);
	EXPECT_EQ(area_tree_check(&tree), 0);
}

/* The check must find what it looks for. */
KTEST(vma, the_check_finds_faults)
{
	for (unsigned i = 0; i < 20; i++)
		add(i, FIRST + 10 * i, 5, 0);
	EXPECT_EQ(area_tree_check(&tree), 0);
	areas[3].gap++;
	EXPECT_FAULTS(area_tree_check(&tree));
	areas[3].gap--;
	areas[9].most += 1000;
	EXPECT_FAULTS(area_tree_check(&tree));
	areas[9].most -= 1000;
	areas[5].end = areas[6].first + 1;
	EXPECT_FAULTS(area_tree_check(&tree));
	areas[5].end = areas[5].first + 5;
	areas[7].prev = &areas[5];
	EXPECT_FAULTS(area_tree_check(&tree));
	areas[7].prev = &areas[6];
	tree.last = &areas[18];
	EXPECT_FAULTS(area_tree_check(&tree));
	tree.last = &areas[19];
	tree.count++;
	EXPECT_FAULTS(area_tree_check(&tree));
	tree.count--;
	EXPECT_EQ(area_tree_check(&tree), 0);
}
