/* tests/ktest/mapping_test.c - the page cache of a file. */
#include <arch/frame_access.h>
#include <kernel/ktest.h>
#include <lib/string.h>
#include <mm/mapping.h>
#include <mm/slab.h>
#include <tests/ktest/machine.h>

#define PAGE  PAGE_SIZE
#define MODEL (40 * PAGE) /* bytes of the random history's file */

static struct mapping m;
static struct container_id payer;
static unsigned released;

static void count_release(struct mapping *which)
{
	EXPECT(which == &m);
	released++;
}

KTEST_SETUP(mapping)
{
	released = 0;
	EXPECT_EQ(container_split(CONTAINER_ROOT, 120, &payer), 0);
	mapping_init(&m, payer, count_release);
}

KTEST_TEARDOWN(mapping)
{
	machine_fail_after(-1);
	if (!released)
		mapping_put(&m);
	EXPECT_EQ(released, 1);
	EXPECT_EQ(m.pages, 0);
	EXPECT_EQ(container_destroy(payer), 0);
	EXPECT_EQ(machine_violations(), 0);
}

static uint32_t charged(void)
{
	uint32_t n = 0;

	container_get_usage(payer, &n);
	return n;
}

static uint32_t word_at(uint64_t at)
{
	uint32_t word = 0xEEEEEEEE;

	EXPECT_EQ(mapping_read(&m, at, &word, 4), 4);
	return word;
}

static void put_word(uint64_t at, uint32_t word)
{
	EXPECT_EQ(mapping_write(&m, at, &word, 4), 4);
}

KTEST(mapping, a_hole_has_no_frame_until_it_is_wanted)
{
	pfn_t f = PFN(1), again;

	EXPECT_EQ(mapping_page(&m, 5, false, &f), 0);
	EXPECT_EQ(f.n, 0);
	EXPECT_EQ(mapping_page(&m, 5, true, &f), 0);
	EXPECT(f.n && arch_frame_is_filled(f, 0));
	EXPECT_EQ(frame_refs(f), 1);
	EXPECT_EQ(mapping_page(&m, 5, false, &again), 0);
	EXPECT_EQ(again.n, f.n);
	EXPECT_EQ(charged(), 1);
	EXPECT_EQ(m.size, 0);
}

/* Pages of every height of the tree, the highest first and the highest last. */
KTEST(mapping, pages_are_found_at_any_index)
{
	static const uint32_t index[] = {0, 1, 63, 64, 4095, 4096, 262143, 262144, 16777216, 0x7FFFFFFF};
	pfn_t f, frames[ARRAY_SIZE(index)];

	for (unsigned way = 0; way < 2; way++) {
		for (unsigned k = 0; k < ARRAY_SIZE(index); k++) {
			unsigned i = way ? (unsigned)ARRAY_SIZE(index) - 1 - k : k;

			EXPECT_EQ(mapping_page(&m, index[i], true, &frames[i]), 0);
		}
		for (unsigned i = 0; i < ARRAY_SIZE(index); i++) {
			EXPECT_EQ(mapping_page(&m, index[i], false, &f), 0);
			EXPECT_EQ(f.n, frames[i].n);
			EXPECT_EQ(mapping_page(&m, index[i] + 2, false, &f), 0);
			EXPECT_EQ(f.n, 0);
		}
		EXPECT_EQ(charged(), ARRAY_SIZE(index));
		m.size = MAPPING_SIZE_MAX;
		EXPECT_EQ(mapping_truncate(&m, 64 * (uint64_t)PAGE), 0);
		EXPECT_EQ(charged(), 3);
		EXPECT_EQ(mapping_truncate(&m, 0), 0);
		EXPECT_EQ(charged(), 0);
	}
	EXPECT_EQ(mapping_page(&m, 0x80000000u, true, &f), -EFBIG);
	EXPECT_EQ(mapping_page(&m, 0xFFFFFFFFu, true, &f), -EFBIG);
}

/* From far apart to side by side, in trees of every height; a walk page by page would take minutes. */
KTEST(mapping, the_next_page_is_found_over_holes)
{
	static const uint32_t at[] = {0, 1, 63, 64, 4095, 4096, 262144, 0x1000000, 0x40000000, 0x7FFFFFFF};
	pfn_t f;

	EXPECT_EQ(mapping_next(&m, 0), MAPPING_NONE);
	for (unsigned count = 1; count <= ARRAY_SIZE(at); count++) {
		ASSERT_EQ(mapping_page(&m, at[count - 1], true, &f), 0);
		for (unsigned i = 0; i < count; i++) {
			EXPECT_EQ(mapping_next(&m, at[i]), at[i]);
			EXPECT_EQ(mapping_next(&m, i ? at[i - 1] + 1 : 0), at[i]);
		}
		EXPECT_EQ(mapping_next(&m, at[count - 1] + 1), MAPPING_NONE);
	}
	mapping_punch(&m, 64, 0x7FFFFFFF - 64);
	EXPECT_EQ(mapping_next(&m, 64), 0x7FFFFFFF);
	EXPECT_EQ(m.pages, 4);
	EXPECT_EQ(mapping_next(&m, 0x80000000), MAPPING_NONE);
}

KTEST(mapping, nodes_go_with_their_pages)
{
	uint32_t before = kmalloc_used();

	put_word(100000 * (uint64_t)PAGE, 1);
	put_word(0, 1);
	EXPECT_EQ(mapping_truncate(&m, 4), 0);
	EXPECT_EQ(m.pages, 1);
	mapping_punch(&m, 0, 1);
	EXPECT_EQ(kmalloc_used(), before);
	EXPECT_EQ(m.size, 4);
	EXPECT_EQ(word_at(0), 0);
}

KTEST(mapping, reading_ends_with_the_file_and_holes_are_zeros)
{
	char text[8] = "abcdefg", got[8];

	EXPECT_EQ(mapping_write(&m, PAGE - 3, text, 8), 8);
	EXPECT_EQ(m.size, PAGE + 5);
	EXPECT_EQ(mapping_read(&m, PAGE - 3, got, 8), 8);
	EXPECT(!memcmp(text, got, 8));
	EXPECT_EQ(mapping_read(&m, PAGE + 1, got, 8), 4);
	EXPECT_EQ(mapping_read(&m, PAGE + 5, got, 8), 0);
	EXPECT_EQ(mapping_read(&m, ~0ull, got, 8), 0);
	put_word(10 * PAGE, 5);
	EXPECT_EQ(word_at(5 * PAGE), 0);
	EXPECT_EQ(m.pages, 3);
	EXPECT_EQ(mapping_write(&m, PAGE, text, 0), 0);
}

KTEST(mapping, what_lies_behind_the_end_is_gone)
{
	put_word(2 * PAGE + 8, 7);
	EXPECT_EQ(mapping_truncate(&m, 2 * PAGE + 9), 0);
	EXPECT_EQ(mapping_truncate(&m, 2 * PAGE + 12), 0);
	EXPECT_EQ(word_at(2 * PAGE + 8), 7);
	EXPECT_EQ(mapping_truncate(&m, 2 * PAGE + 8), 0);
	put_word(3 * PAGE, 1);
	EXPECT_EQ(word_at(2 * PAGE + 8), 0);
	EXPECT_EQ(mapping_truncate(&m, PAGE), 0);
	EXPECT_EQ(m.pages, 0);
	EXPECT_EQ(mapping_truncate(&m, MAPPING_SIZE_MAX + 1), -EFBIG);
	EXPECT_EQ(mapping_truncate(&m, MAPPING_SIZE_MAX), 0);
	EXPECT_EQ(word_at(MAPPING_SIZE_MAX - 4), 0);
}

/* A program wrote behind the end, in the last page: a file that grows over it has zeros there. */
KTEST(mapping, what_was_stored_behind_the_end_never_becomes_the_file)
{
	uint32_t word = 99;
	pfn_t f;

	put_word(0, 1);
	EXPECT_EQ(mapping_page(&m, 0, false, &f), 0);
	arch_frame_write(f, 100, &word, 4);
	put_word(200, 2);
	EXPECT_EQ(word_at(100), 0);
	EXPECT_EQ(mapping_truncate(&m, 50), 0);
	arch_frame_write(f, 100, &word, 4);
	EXPECT_EQ(mapping_truncate(&m, PAGE), 0);
	EXPECT_EQ(word_at(100), 0);
}

KTEST(mapping, a_write_may_end_at_the_largest_size)
{
	uint32_t word = 1;

	EXPECT_EQ(mapping_write(&m, MAPPING_SIZE_MAX, &word, 4), -EFBIG);
	EXPECT_EQ(mapping_write(&m, MAPPING_SIZE_MAX - 2, &word, 4), 2);
	EXPECT_EQ(m.size, MAPPING_SIZE_MAX);
}

KTEST(mapping, out_of_memory_ends_a_write_in_the_middle)
{
	static char bytes[3 * PAGE_SIZE];
	int32_t n = 0, got = -ENOMEM;

	memset(bytes, 1, sizeof(bytes));
	for (; got < (int32_t)sizeof(bytes); n++) {
		machine_fail_after(n);
		got = mapping_write(&m, 0, bytes, sizeof(bytes));
		machine_fail_after(-1);
		ASSERT(got == -ENOMEM || (got > 0 && got % PAGE == 0));
		EXPECT_EQ(m.size, got < 0 ? 0 : got);
		EXPECT_EQ(m.pages, got < 0 ? 0 : got / PAGE);
		EXPECT_EQ(charged(), m.pages);
		EXPECT_EQ(mapping_truncate(&m, 0), 0);
	}
	EXPECT(n > 3);
}

KTEST(mapping, the_payer_without_quota_ends_a_write)
{
	static char bytes[PAGE_SIZE];
	uint32_t pages = 0;

	while (pages < 200 && mapping_write(&m, pages * PAGE, bytes, PAGE) == PAGE)
		pages++;
	EXPECT_EQ(pages, 120);
	EXPECT_EQ(mapping_write(&m, pages * PAGE, bytes, PAGE), -EDQUOT);
	EXPECT_EQ(mapping_write(&m, pages * PAGE - 4, bytes, 8), 4);
}

KTEST(mapping, release_comes_with_the_last_reference)
{
	put_word(0, 1);
	mapping_get(&m);
	mapping_put(&m);
	EXPECT_EQ(released, 0);
	EXPECT_EQ(m.pages, 1);
	mapping_put(&m);
	EXPECT_EQ(released, 1);
}

static uint8_t *model;
static uint8_t buffer[3 * PAGE_SIZE];

/* Returns how many bytes one random operation may have: some pages, often a few. */
static uint32_t random_length(void)
{
	return ktest_random() % 2 ? ktest_random_below(sizeof(buffer)) : ktest_random_below(20);
}

static uint32_t random_write(uint32_t size)
{
	uint32_t at = ktest_random_below(MODEL), n = random_length();

	n = n < MODEL - at ? n : MODEL - at;
	for (uint32_t i = 0; i < n; i++)
		buffer[i] = (uint8_t)ktest_random();
	EXPECT_EQ(mapping_write(&m, at, buffer, n), (int32_t)n);
	memcpy(model + at, buffer, n);
	return n && at + n > size ? at + n : size;
}

static void random_read(uint32_t size)
{
	uint32_t at = ktest_random_below(MODEL), n = random_length();
	uint32_t want = at >= size ? 0 : n < size - at ? n : size - at;

	EXPECT_EQ(mapping_read(&m, at, buffer, n), (int32_t)want);
	EXPECT(!memcmp(buffer, model + at, want));
}

KTEST(mapping, random_history_against_bytes)
{
	uint32_t size = 0;

	model = kmalloc(MODEL);
	if (!model)
		SKIP("no memory for the model");
	memset(model, 0, MODEL);
	for (unsigned step = 0; step < 1500; step++) {
		switch (ktest_random_below(6)) {
		case 0:
		case 1:
			size = random_write(size);
			break;
		case 2:
			size = ktest_random_below(MODEL);
			EXPECT_EQ(mapping_truncate(&m, size), 0);
			memset(model + size, 0, MODEL - size);
			break;
		case 3: {
			uint32_t first = ktest_random_below(MODEL / PAGE), count = ktest_random_below(4);
			uint32_t end = first + count < MODEL / PAGE ? first + count : MODEL / PAGE;

			mapping_punch(&m, first, count);
			memset(model + first * PAGE, 0, (end - first) * PAGE);
			break;
		}
		default:
			random_read(size);
		}
		EXPECT(m.size == size && m.pages <= MODEL / PAGE && charged() == m.pages);
	}
	kmfree(model);
}
