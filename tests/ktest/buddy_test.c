/*
 * tests/ktest/buddy_test.c - the buddy lists, on 16 frames of the allocator's that nobody else sees: their
 * descriptors are borrowed for lists of the suite's own.
 */
#include <kernel/ktest.h>
#include <mm/frame.h>

#define ORDER 4u
#define COUNT (1u << ORDER)

static struct buddy b;
static uint32_t first; /* of the frames; 0: none were to be had */
static struct frame saved[COUNT];

KTEST_SETUP(buddy)
{
	pfn_t f = NO_FRAME;

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

/* The last frame stays away, or all would merge with a neighbour that is not ours. */
KTEST(buddy, blocks_split_no_further_than_needed_and_merge_all_the_way)
{
	uint32_t low, high;

	for (uint32_t i = 0; i < COUNT - 1; i++)
		buddy_free(&b, first + i * 7 % (COUNT - 1), 0);
	EXPECT_EQ(b.free, COUNT - 1);
	EXPECT_EQ(b.nonempty, 0xf); /* 8 + 4 + 2 + 1 */
	EXPECT_EQ(buddy_check(&b), 0);
	high = take(2);
	EXPECT_EQ(high, first + 8); /* the one that fits */
	low = take(2);
	EXPECT_EQ(low & 3, 0);
	EXPECT_EQ(b.nonempty, 0x7);
	EXPECT_EQ(take(3), 0);
	EXPECT_EQ(buddy_check(&b), 0);
	buddy_free(&b, low, 2);
	buddy_free(&b, high, 2);
	EXPECT_EQ(b.nonempty, 0xf);
	EXPECT_EQ(b.free, COUNT - 1);
	EXPECT_EQ(buddy_check(&b), 0);
}

KTEST(buddy, check_passes_what_is_sound)
{
	EXPECT_EQ(buddy_check(&b), 0);
	list(first, 3);
	list(first + 8, 1);
	list(first + 12, 1);
	EXPECT_EQ(buddy_check(&b), 0);
}

KTEST(buddy, check_sees_a_block_that_is_not_aligned)
{
	list(first + 1, 1);
	EXPECT_FAULTS(buddy_check(&b));
}

KTEST(buddy, check_sees_a_number_out_of_range)
{
	list(first, 0);
	frame_desc(first)->next = frame_end + 5;
	EXPECT_FAULTS(buddy_check(&b));
}

KTEST(buddy, check_sees_a_block_in_two_lists)
{
	list(first, 0);
	list(first + 2, 0);
	b.head[1] = first;
	b.nonempty |= 2;
	b.free += 2;
	EXPECT_FAULTS(buddy_check(&b));
}

KTEST(buddy, check_sees_a_block_that_is_not_marked_free)
{
	list(first, 0);
	frame_desc(first)->tag = FRAME_TAG(0, 0, FRAME_TAIL);
	EXPECT_FAULTS(buddy_check(&b));
}

KTEST(buddy, check_sees_buddies_that_did_not_merge)
{
	list(first, 1);
	list(first + 2, 1);
	EXPECT_FAULTS(buddy_check(&b));
}

KTEST(buddy, check_sees_a_state_inside_of_a_block)
{
	list(first, 1);
	frame_desc(first + 1)->tag = FRAME_TAG(0, 0, FRAME_CACHED);
	EXPECT_FAULTS(buddy_check(&b));
}

KTEST(buddy, check_sees_a_wrong_count)
{
	list(first, 1);
	b.free++;
	EXPECT_FAULTS(buddy_check(&b));
	b.free -= 3;
	EXPECT_FAULTS(buddy_check(&b));
}

KTEST(buddy, check_sees_a_bit_without_its_list)
{
	b.nonempty = 1;
	EXPECT_FAULTS(buddy_check(&b));
}
