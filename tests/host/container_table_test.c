/*
 * tests/host/container_table_test.c - containers seen from inside: what check_containers must find in the table, ids
 * at the end of their generations, and who else may come while the table grows. A second table, of mm/container.c
 * compiled in here under other names; it borrows the frame allocator's accounts for one case.
 */
#define container_init          inner_init
#define container_split         inner_split
#define container_destroy       inner_destroy
#define container_alloc         inner_alloc
#define container_alloc_table   inner_alloc_table
#define container_free          inner_free
#define container_can_consume   inner_can_consume
#define container_get_quota     inner_get_quota
#define container_get_usage     inner_get_usage
#define container_get_parent    inner_get_parent
#define container_get_nchildren inner_get_nchildren
#define container_table_frames  inner_table_frames
#define container_count         inner_count
#define check_containers        inner_check

#include <kernel/ktest.h>
#include <mm/slab.h>

/* Stands between the table and the allocator. Runs `meanwhile` once, before the table's last array is allocated. */
static struct {
	void (*meanwhile)(void);
	uint32_t calls;
} growth;

static void *growing_kmalloc(uint32_t size);

#define kmalloc growing_kmalloc
#include <mm/container.c> /* not by a relative path: a mutant stands elsewhere */
#undef kmalloc

static void *growing_kmalloc(uint32_t size)
{
	void (*meanwhile)(void) = growth.meanwhile;

	if (meanwhile && ++growth.calls == FIELDS) {
		growth.meanwhile = NULL;
		meanwhile();
	}
	return kmalloc(size);
}

static struct accounts before;
static struct container_id victim;

KTEST_SETUP(container_table)
{
	before = frame_accounts;
	growth.meanwhile = NULL;
	growth.calls = 0;
	inner_init();
}

/* No container owns a frame, so all are the root's, whichever table counts them. */
KTEST_TEARDOWN(container_table)
{
	uint32_t own = quota_own(quotas(), ROOT);

	EXPECT_EQ(inner_check(), 0);
	before.quotas.usage[ROOT] += own - quota_own(&before.quotas, ROOT);
	frame_accounts = before;
	free_arrays(table.field);
}

static struct container_id split(struct container_id parent, uint32_t n)
{
	struct container_id child = {UINT32_MAX, 0};

	EXPECT_EQ(inner_split(parent, n, &child), 0);
	return child;
}

/* Makes a chain of containers until every slot is taken. Returns the last. */
static struct container_id take_every_slot(struct container_id c)
{
	while (table.free_slot)
		c = split(c, 0);
	return c;
}

KTEST(container_table, check_sees_a_wrong_link_to_the_sibling_before)
{
	struct container_id a = split(CONTAINER_ROOT, 1);
	uint32_t *prev = &table.field[PREV][a.index];

	split(CONTAINER_ROOT, 2);
	EXPECT_EQ(inner_check(), 0);
	*prev ^= a.index;
	EXPECT_ONE_FAULT(inner_check());
	*prev ^= a.index;
}

KTEST(container_table, check_sees_a_wrong_number_of_containers)
{
	split(CONTAINER_ROOT, 0);
	table.count++;
	EXPECT_ONE_FAULT(inner_check());
	table.count -= 2;
	EXPECT_ONE_FAULT(inner_check());
	table.count++;
}

/* The id of generation 0 would come back to life with the slot. */
KTEST(container_table, a_slot_whose_generations_are_used_up_is_left_alone)
{
	struct container_id c = split(CONTAINER_ROOT, 0), next;

	c.generation = table.field[GENERATION][c.index] = UINT32_MAX - 3;
	EXPECT_EQ(inner_destroy(c), 0);
	c = split(CONTAINER_ROOT, 0);
	EXPECT_EQ(c.generation, UINT32_MAX - 1); /* the last one */
	EXPECT_EQ(inner_destroy(c), 0);
	while (table.free_slot) {
		next = split(CONTAINER_ROOT, 0);
		EXPECT_NE(next.index, c.index);
	}
	EXPECT(!inner_can_consume((struct container_id){c.index, 0}, 0));
	EXPECT(!inner_can_consume(c, 0));
}

static void grow_twice(void)
{
	EXPECT_EQ(grow(), 0);
	EXPECT_EQ(grow(), 0);
}

/* The arrays of who comes second are too short by then, and nobody's. */
KTEST(container_table, who_comes_second_gives_the_arrays_back)
{
	struct container_id last = take_every_slot(CONTAINER_ROOT), parent;
	uint32_t used = frame_used();

	growth.meanwhile = grow_twice;
	split(last, 0);
	EXPECT_EQ(table.capacity, 2 * NEXT_CAPACITY);
	EXPECT_EQ(frame_used(), used + inner_table_frames());
	EXPECT_EQ(inner_count(), FIRST_CAPACITY + 1);
	EXPECT_EQ(inner_get_parent(last, &parent), 0);
	EXPECT_EQ(inner_check(), 0);
}

static void destroy_victim(void)
{
	EXPECT_EQ(inner_destroy(victim), 0);
}

static void use_up_victims_quota(void)
{
	split(victim, 5);
}

/* While the table grows nobody holds its lock. */
KTEST(container_table, a_parent_that_ends_while_the_table_grows_is_noticed)
{
	struct container_id child;

	victim = take_every_slot(CONTAINER_ROOT);
	growth.meanwhile = destroy_victim;
	EXPECT_EQ(inner_split(victim, 0, &child), -ESRCH);
	EXPECT_EQ(inner_check(), 0);
}

KTEST(container_table, a_quota_that_is_used_up_while_the_table_grows_is_noticed)
{
	struct container_id child, kept = split(CONTAINER_ROOT, 5);
	uint32_t usage;

	take_every_slot(CONTAINER_ROOT);
	victim = kept;
	growth.meanwhile = use_up_victims_quota;
	EXPECT_EQ(inner_split(victim, 5, &child), -EDQUOT);
	EXPECT_EQ(inner_get_usage(victim, &usage), 0);
	EXPECT_EQ(usage, 5);
}

/* Slots whose generations are used up are reaped and gone: none of them, and not the root's, is given instead. */
KTEST(container_table, reaping_used_up_slots_gives_none)
{
	struct container_id c[8], others[FIRST_CAPACITY], next;
	uint32_t count = 0;
	pfn_t f[8];

	for (uint32_t i = 0; i < 8; i++) {
		c[i] = split(CONTAINER_ROOT, 1);
		c[i].generation = table.field[GENERATION][c[i].index] = UINT32_MAX - 1;
		ASSERT_EQ(inner_alloc(c[i], ALLOC_USER, &f[i]), 0);
	}
	while (table.free_slot)
		others[count++] = split(CONTAINER_ROOT, 0);
	for (uint32_t i = 0; i < 8; i++) {
		EXPECT_EQ(inner_destroy(c[i]), 0);
		frame_put(f[i]);
	}
	EXPECT_EQ(inner_split(CONTAINER_ROOT, 3, &next), 0);
	EXPECT_NE(next.index, 0);
	EXPECT_EQ(inner_check(), 0);
	EXPECT_EQ(inner_destroy(next), 0);
	while (count--)
		EXPECT_EQ(inner_destroy(others[count]), 0);
}

static const uint32_t reaped[] = {1, 7, 8};

/* One in eight is worth the walk over all of them; fewer, and the next growth would be walked for again. */
KTEST_EACH(container_table, it_grows_unless_an_eighth_was_reaped, reaped)
{
	struct container_id parent = split(CONTAINER_ROOT, 8), c[8];
	pfn_t f[8];

	for (uint32_t i = 0; i < param; i++) {
		c[i] = split(parent, 1);
		ASSERT_EQ(inner_alloc(c[i], ALLOC_USER, &f[i]), 0);
	}
	take_every_slot(CONTAINER_ROOT);
	for (uint32_t i = 0; i < param; i++) {
		EXPECT_EQ(inner_destroy(c[i]), 0);
		frame_put(f[i]);
	}
	split(CONTAINER_ROOT, 0);
	EXPECT_EQ(table.capacity, param < FIRST_CAPACITY / 8 ? NEXT_CAPACITY : FIRST_CAPACITY);
}

/* The first arrays lie one behind the other: behind the last generation stands the root's first child. */
KTEST(container_table, no_container_is_behind_the_table)
{
	struct container_id c = split(CONTAINER_ROOT, 0);

	EXPECT(!inner_can_consume((struct container_id){FIRST_CAPACITY, c.index}, 0));
}
