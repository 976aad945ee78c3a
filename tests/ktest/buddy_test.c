/*
 * tests/ktest/buddy_test.c - the buddy lists, on 128 frames of the allocator's that nobody else sees: their
 * descriptors are borrowed for lists of the suite's own.
 */
#include <kernel/ktest.h>
#include <mm/frame.h>
#include <tests/ktest/machine.h>

#define ORDER   7u
#define COUNT   (1u << ORDER)
#define CLUSTER 32u

static struct buddy b;
static uint32_t first; /* of the frames; 0: none were to be had */
static struct frame saved[COUNT];

KTEST_SETUP(buddy)
{
	pfn_t f = NO_FRAME;

	first = 0;
	if (!machine_has_block(ORDER))
		SKIP("so small a machine has no block of this order");
	EXPECT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(ORDER), &f), 0);
	first = f.n;
	b = (struct buddy){.free = 0};
	for (uint32_t i = 0; i < COUNT && first; i++) {
		saved[i] = *frame_desc(first + i);
		*frame_desc(first + i) = (struct frame){.tag = FRAME_TAG(0, 0, FRAME_TAIL)};
	}
}

KTEST_TEARDOWN(buddy)
{
	if (!first)
		return;
	for (uint32_t i = 0; i < COUNT; i++)
		*frame_desc(first + i) = saved[i];
	frame_put(PFN(first));
}

/* Takes a block, marked as the frame allocator marks it. */
static uint32_t take(unsigned order)
{
	uint32_t n = buddy_alloc(&b, order);

	if (n)
		frame_desc(n)->tag = FRAME_TAG(1, order, FRAME_KERNEL);
	return n;
}

/* Puts a block in front of its list, without asking whether it may stand there. */
static void list(uint32_t n, unsigned order)
{
	struct frame *f = frame_desc(n);

	*f = (struct frame){.next = b.head[order], .tag = FRAME_TAG(0, order, FRAME_FREE)};
	if (f->next)
		frame_desc(f->next)->prev = n;
	b.head[order] = n;
	b.nonempty |= 1u << order;
	b.free += 1u << order;
}

/* Frees all frames from `from` on but the last, one by one and in a mixed order. */
static void free_all_but_the_last(uint32_t from)
{
	uint32_t count = COUNT - 1 - from;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = first + from + i * 7 % count;

		buddy_free_singles(&b, &n, 1);
		ASSERT_EQ(b.free, i + 1);
		ASSERT_EQ(buddy_check(&b), 0);
	}
}

/* The last frame stays away, or all would merge with a neighbour that is not ours. */
KTEST(buddy, single_frames_merge_all_the_way)
{
	free_all_but_the_last(0);
	EXPECT_EQ(b.nonempty, 0x70); /* 64 + 32, and 31 of which 16 are the largest block */
	EXPECT_EQ(b.free, COUNT - 1);
}

static const unsigned small[] = {0, 1, 2, 3, 4};

/* 31 frames, the lowest of them first: what is left is 16 + 8 + 4 + 2 + 1, less the block. */
KTEST_EACH(buddy, a_small_block_splits_no_more_than_needed, small)
{
	uint32_t n;

	free_all_but_the_last(COUNT - CLUSTER);
	EXPECT_EQ(b.nonempty, 0x10);
	n = take(param);
	EXPECT_EQ(n % (1u << param), 0);
	EXPECT_EQ(b.free, CLUSTER - 1 - (1u << param));
	EXPECT_EQ(buddy_check(&b), 0);
	for (uint32_t i = 1; i < 1u << param; i++)
		EXPECT_EQ(frame_desc(n + i)->tag, FRAME_TAG(0, 0, FRAME_TAIL));
	buddy_free(&b, n, param);
	EXPECT_EQ(b.nonempty, 0x10);
	EXPECT_EQ(b.free, CLUSTER - 1);
	EXPECT_EQ(buddy_check(&b), 0);
}

KTEST(buddy, large_blocks_split_no_further_than_needed)
{
	uint32_t low, high;

	free_all_but_the_last(0);
	high = take(5);
	EXPECT_EQ(high, first + 64); /* the one that fits */
	low = take(5);
	EXPECT_EQ(low, first);
	EXPECT_EQ(b.nonempty, 0x30);
	EXPECT_EQ(take(6), 0);
	EXPECT_EQ(buddy_check(&b), 0);
	buddy_free(&b, low, 5);
	buddy_free(&b, high, 5);
	EXPECT_EQ(b.nonempty, 0x70);
	EXPECT_EQ(b.free, COUNT - 1);
	EXPECT_EQ(buddy_check(&b), 0);
}

/* A cluster that has a small block serves before a larger one is broken up. */
KTEST(buddy, small_requests_leave_large_blocks_alone)
{
	uint32_t n[40];

	free_all_but_the_last(0);
	EXPECT_EQ(buddy_alloc_singles(&b, n, 40, FRAME_TAG(0, 0, FRAME_CACHED)), CLUSTER - 1);
	EXPECT_EQ(b.nonempty, 0x60);
	EXPECT_EQ(frame_desc(n[30])->tag, FRAME_TAG(0, 0, FRAME_CACHED));
	EXPECT_EQ(buddy_alloc_singles(&b, n + 31, 5, FRAME_TAG(0, 0, FRAME_CACHED)), 5);
	EXPECT_EQ(b.nonempty, 0x50); /* the block of 32, not half of that of 64 */
	EXPECT_EQ(b.free, COUNT - 1 - 36);
	EXPECT_EQ(buddy_check(&b), 0);
	buddy_free_singles(&b, n, 36);
	EXPECT_EQ(b.nonempty, 0x70);
	EXPECT_EQ(buddy_check(&b), 0);
}

KTEST(buddy, nothing_is_had_from_nothing)
{
	uint32_t n;

	EXPECT_EQ(buddy_alloc(&b, 0), 0);
	EXPECT_EQ(buddy_alloc(&b, 5), 0);
	EXPECT_EQ(buddy_alloc_singles(&b, &n, 1, 0), 0);
	EXPECT_EQ(b.free, 0);
}

/* Blocks of every order at once, against a map of who has which frame. */
KTEST(buddy, random_history_against_a_map)
{
	static uint32_t at[COUNT], order[COUNT];
	static bool used[COUNT];

	free_all_but_the_last(0);
	for (uint32_t i = 0; i < COUNT; i++) {
		at[i] = 0;
		used[i] = i == COUNT - 1;
	}
	for (uint32_t step = 0; step < 3000; step++) {
		uint32_t i = ktest_random_below(COUNT), free = b.free;

		if (!at[i]) {
			order[i] = ktest_random_below(5) * ktest_random_below(3) / 2;
			at[i] = take(order[i]);
			ASSERT_EQ(b.free, at[i] ? free - (1u << order[i]) : free);
		} else {
			buddy_free(&b, at[i], order[i]);
		}
		for (uint32_t k = 0; at[i] && k < 1u << order[i]; k++) {
			ASSERT(used[at[i] - first + k] == (free < b.free));
			used[at[i] - first + k] ^= 1;
		}
		at[i] = free < b.free ? 0 : at[i];
		ASSERT_EQ(buddy_check(&b), 0);
	}
	for (uint32_t i = 0; i < COUNT; i++)
		if (at[i])
			buddy_free(&b, at[i], order[i]);
	EXPECT_EQ(b.nonempty, 0x70);
}

KTEST(buddy, check_passes_what_is_sound)
{
	EXPECT_EQ(buddy_check(&b), 0);
	list(first, 6);
	list(first + 64, 5);
	EXPECT_EQ(buddy_check(&b), 0);
}

KTEST(buddy, check_sees_a_block_that_is_not_aligned)
{
	list(first + 32, 6);
	EXPECT_ONE_FAULT(buddy_check(&b));
}

KTEST(buddy, check_sees_a_block_at_an_odd_frame)
{
	list(first + 1, 5);
	EXPECT_ONE_FAULT(buddy_check(&b));
}

KTEST(buddy, check_sees_a_number_out_of_range)
{
	list(first, 5);
	frame_desc(first)->next = frame_end + 5;
	EXPECT_ONE_FAULT(buddy_check(&b));
}

KTEST(buddy, check_sees_a_block_in_two_lists)
{
	list(first, 5);
	list(first + 64, 5);
	b.head[6] = first;
	b.nonempty |= 1u << 6;
	b.free += 64;
	EXPECT_FAULTS(buddy_check(&b));
}

KTEST(buddy, check_sees_a_block_that_is_not_marked_free)
{
	list(first, 5);
	frame_desc(first)->tag = FRAME_TAG(0, 0, FRAME_TAIL);
	EXPECT_ONE_FAULT(buddy_check(&b));
}

KTEST(buddy, check_sees_buddies_that_did_not_merge)
{
	list(first, 5);
	list(first + 32, 5);
	EXPECT_FAULTS(buddy_check(&b));
}

static const unsigned inside[] = {1, 2, 31};

KTEST_EACH(buddy, check_sees_a_state_inside_of_a_block, inside)
{
	list(first, 5);
	frame_desc(first + param)->tag = FRAME_TAG(0, 0, FRAME_CACHED);
	EXPECT_ONE_FAULT(buddy_check(&b));
}

KTEST(buddy, check_sees_a_wrong_count)
{
	list(first, 5);
	b.free++;
	EXPECT_ONE_FAULT(buddy_check(&b));
	b.free -= 3;
	EXPECT_ONE_FAULT(buddy_check(&b));
}

KTEST(buddy, check_sees_a_bit_without_its_list)
{
	b.nonempty = 1;
	EXPECT_ONE_FAULT(buddy_check(&b));
}

/* The walk ends when it has seen more than all: with the first of these two, it has just as many as are counted. */
KTEST(buddy, check_sees_a_block_more_than_is_counted)
{
	list(first, 5);
	list(first + 64, 5);
	b.free -= CLUSTER;
	EXPECT_ONE_FAULT(buddy_check(&b));
}

KTEST(buddy, check_sees_a_list_that_is_a_ring)
{
	list(first, 5);
	list(first + 64, 5);
	frame_desc(first)->next = first + 64;
	EXPECT_FAULTS(buddy_check(&b));
}

/* Damages a word of the one cluster, asks, and repairs it. */
static unsigned faults_with(uint32_t *word, uint32_t wrong)
{
	uint32_t kept = *word;
	unsigned faults;

	*word = wrong;
	faults = buddy_check(&b);
	*word = kept;
	return faults;
}

KTEST(buddy, check_sees_a_cluster_that_is_not_as_it_says)
{
	uint32_t base = first + COUNT - CLUSTER;
	struct frame *f = frame_desc(base);

	free_all_but_the_last(COUNT - CLUSTER);
	EXPECT_FAULTS(faults_with(&f[0].next, f[0].next & ~1u)); /* a free frame without its bit */
	EXPECT_FAULTS(faults_with(&f[0].next, ~0u));
	EXPECT_FAULTS(faults_with(&f[0].next, 0));
	EXPECT_ONE_FAULT(faults_with(&f[0].prev, 4));
	EXPECT_ONE_FAULT(faults_with(&f[1].prev, base + 1));
	EXPECT_ONE_FAULT(faults_with(&f[5].tag, FRAME_TAG(1, 0, FRAME_USER)));
	EXPECT_ONE_FAULT(faults_with(&f[31].tag, FRAME_TAG(0, 0, FRAME_FREE)));
	EXPECT_FAULTS(faults_with(&b.head[4], base));
	EXPECT_EQ(buddy_check(&b), 0);
}
