/* tests/ktest/memmap_test.c - the map of physical memory against what loaders really say. */
#include <kernel/ktest.h>
#include <mm/memmap.h>

#define K 1024ull
#define M (1024 * K)
#define G (1024 * M)

static struct memmap m;

KTEST_SETUP(memmap)
{
	memmap_init(&m);
}

static uint64_t usable(void)
{
	return memmap_bytes(&m, MEM_USABLE, 0);
}

/* Sorted, no two neighbours alike, all on page borders. */
static bool is_sound(void)
{
	if (!m.count || m.count > MEMMAP_EDGES || m.edge[0].start != 0)
		return false;
	for (uint32_t i = 1; i < m.count; i++)
		if (m.edge[i].start <= m.edge[i - 1].start || m.edge[i].kind == m.edge[i - 1].kind ||
		    m.edge[i].start % PAGE_SIZE)
			return false;
	return true;
}

KTEST(memmap, ranges_come_in_any_order)
{
	memmap_mark(&m, 16 * M, 16 * M, MEM_USABLE);
	memmap_mark(&m, 0, 640 * K, MEM_USABLE);
	memmap_mark(&m, 1 * M, 15 * M, MEM_USABLE);
	EXPECT_EQ(usable(), 640 * K + 31 * M);
	EXPECT_EQ(m.count, 4);
	EXPECT(is_sound());
}

KTEST(memmap, the_more_reserved_wins_in_either_order)
{
	memmap_mark(&m, 0, 16 * M, MEM_USABLE);
	memmap_mark(&m, 4 * M, 1 * M, MEM_RESERVED);
	memmap_mark(&m, 3 * M, 4 * M, MEM_USABLE);
	memmap_mark(&m, 4 * M, 2 * M, MEM_ACPI);
	EXPECT_EQ(memmap_kind(&m, PFN(4 * M / PAGE_SIZE)), MEM_RESERVED);
	EXPECT_EQ(memmap_kind(&m, PFN(5 * M / PAGE_SIZE)), MEM_ACPI);
	EXPECT_EQ(usable(), 14 * M);
	EXPECT(is_sound());
}

/* The loader put the kernel and modules there: whatever the map says, that is memory. */
KTEST(memmap, kernel_and_modules_win_over_everything)
{
	memmap_mark(&m, 0, 16 * M, MEM_RESERVED);
	memmap_mark(&m, 1 * M, 1 * M, MEM_KERNEL);
	memmap_mark(&m, 2 * M, 1 * M, MEM_MODULE);
	memmap_mark(&m, 0, 16 * M, MEM_BAD);
	EXPECT(memmap_all_ram(&m, PFN(256), 512));
	EXPECT(memmap_no_ram(&m, PFN(768), 256));
	EXPECT(!memmap_all_ram(&m, PFN(255), 2));
	EXPECT(!memmap_no_ram(&m, PFN(255), 2));
}

KTEST(memmap, usable_shrinks_and_reserved_grows_to_whole_pages)
{
	memmap_mark(&m, 0x1001, 0x3000, MEM_USABLE);
	EXPECT_EQ(usable(), 0x2000);
	memmap_mark(&m, 0x2fff, 1, MEM_RESERVED);
	EXPECT_EQ(usable(), 0x1000);
	memmap_mark(&m, 0x8001, 0xffe, MEM_USABLE);
	EXPECT_EQ(usable(), 0x1000);
	EXPECT(is_sound());
}

KTEST(memmap, empty_ranges_change_nothing)
{
	memmap_mark(&m, 0x5000, 0, MEM_USABLE);
	memmap_mark(&m, 0x5800, 0, MEM_RESERVED);
	EXPECT_EQ(m.count, 1);
}

KTEST(memmap, a_range_that_wraps_ends_at_the_top)
{
	memmap_mark(&m, 0, 8 * M, MEM_USABLE);
	memmap_mark(&m, 4 * M, UINT64_MAX, MEM_RESERVED);
	EXPECT_EQ(usable(), 4 * M);
	memmap_mark(&m, UINT64_MAX - 100, UINT64_MAX, MEM_USABLE);
	memmap_mark(&m, UINT64_MAX, 1, MEM_RESERVED);
	EXPECT_EQ(usable(), 4 * M);
	EXPECT(is_sound());
}

KTEST(memmap, memory_above_4_gib_is_counted)
{
	memmap_mark(&m, 4 * G, 2 * G, MEM_USABLE);
	EXPECT_EQ(usable(), 2 * G);
	EXPECT_EQ(memmap_bytes(&m, MEM_USABLE, 5 * G), 1 * G);
	EXPECT_EQ(memmap_bytes(&m, MEM_USABLE, 4 * G), 0);
}

KTEST(memmap, boot_allocations_override_and_merge)
{
	memmap_mark(&m, 0, 16 * M, MEM_USABLE);
	for (uint32_t n = 1; n < 100; n++)
		memmap_set(&m, PFN(n), 1, MEM_BOOT);
	EXPECT_EQ(memmap_bytes(&m, MEM_BOOT, 0), 99 * PAGE_SIZE);
	EXPECT_EQ(m.count, 4);
	memmap_set(&m, PFN(1), 99, MEM_USABLE);
	EXPECT_EQ(usable(), 16 * M);
	EXPECT_EQ(m.count, 2);
	EXPECT(memmap_no_ram(&m, PFN(16 * M / PAGE_SIZE), 1)); /* whatever edges there were once */
}

/* More ranges than fit: what is not there for us is never taken for usable, and what is lost is counted. */
KTEST(memmap, nothing_is_lost_in_silence)
{
	uint64_t given = 0;

	for (uint64_t i = 0; i < 2 * MEMMAP_EDGES; i++) {
		memmap_mark(&m, i * 64 * K, 32 * K, MEM_USABLE);
		given += 32 * K;
	}
	EXPECT(is_sound());
	EXPECT_NE(m.lost, 0);
	EXPECT_EQ(usable() + m.lost, given);
	memmap_mark(&m, 300 * M + 1, 0x100, MEM_USABLE); /* no whole page: nothing to lose */
	EXPECT_EQ(usable() + m.lost, given);
}

KTEST(memmap, reserved_ranges_beyond_the_room_stay_reserved)
{
	uint64_t asked = 0;

	memmap_mark(&m, 0, 256 * M, MEM_USABLE);
	for (uint64_t i = 0; i < 2 * MEMMAP_EDGES; i++) {
		pfn_t f = PFN((uint32_t)((4 * M + i * 64 * K) / PAGE_SIZE));

		asked += memmap_kind(&m, f) == MEM_USABLE ? PAGE_SIZE : 0;
		memmap_mark(&m, paddr_of(f).a, 4 * K, MEM_RESERVED);
		ASSERT_EQ(memmap_kind(&m, f), MEM_RESERVED);
	}
	EXPECT(is_sound());
	EXPECT_NE(m.lost, 0);
	EXPECT_EQ(usable() + memmap_bytes(&m, MEM_RESERVED, 0), 256 * M);
	EXPECT_EQ(m.lost + asked, memmap_bytes(&m, MEM_RESERVED, 0));
}

/* The first range and the last are swallowed, and counted, like any other. */
KTEST(memmap, what_is_swallowed_at_either_end_is_counted)
{
	uint64_t before, reserved;

	memmap_mark(&m, 0, 256 * M, MEM_USABLE);
	for (uint64_t i = 0; i < MEMMAP_EDGES; i++)
		memmap_mark(&m, 4 * M + i * 64 * K, 4 * K, MEM_RESERVED);
	before = m.lost;
	reserved = memmap_bytes(&m, MEM_RESERVED, 0);
	memmap_mark(&m, 1 * M, 4 * K, MEM_RESERVED);
	EXPECT_EQ(m.lost - before, 4 * M - 4 * K);
	EXPECT_EQ(memmap_bytes(&m, MEM_RESERVED, 0) - reserved, 4 * M);
	before = m.lost;
	for (uint64_t i = 0; i < 8; i++)
		memmap_mark(&m, 300 * M + i * 64 * K, 4 * K, MEM_RESERVED);
	EXPECT_EQ(m.lost, before); /* there was nothing usable */
	EXPECT_EQ(memmap_kind(&m, PFN(UINT32_MAX)), MEM_RESERVED);
	EXPECT(is_sound());
}

/* Two boot allocations side by side, and no edge left to tell them apart: to free one must not free the other. */
KTEST(memmap, giving_back_without_room_gives_back_nothing_else)
{
	memmap_mark(&m, 0, 256 * M, MEM_USABLE);
	memmap_set(&m, PFN(10), 1, MEM_BOOT);
	memmap_set(&m, PFN(11), 1, MEM_BOOT);
	for (uint32_t n = 20; m.count < MEMMAP_EDGES; n += 2)
		memmap_set(&m, PFN(n), 1, MEM_BOOT);
	memmap_set(&m, PFN(10), 1, MEM_USABLE);
	EXPECT_EQ(memmap_kind(&m, PFN(11)), MEM_BOOT);
	EXPECT_EQ(m.lost, PAGE_SIZE);
	EXPECT(is_sound());
}

/* Each frame against a plain array: the kind that was marked last or most reserved. */
KTEST(memmap, random_ranges_against_a_model)
{
	static uint8_t model[256];

	for (uint32_t round = 0; round < 50; round++) {
		memmap_init(&m);
		for (uint32_t i = 0; i < 256; i++)
			model[i] = MEM_NONE;
		for (uint32_t n = 0; n < 20; n++) {
			uint32_t first = ktest_random_below(256), count = ktest_random_below(256 - first) + 1;
			enum mem_kind kind = (enum mem_kind)ktest_random_below(MEM_KINDS);

			memmap_mark(&m, first * 4 * K, count * 4 * K, kind);
			for (uint32_t i = first; i < first + count; i++)
				model[i] = model[i] < kind ? (uint8_t)kind : model[i];
		}
		ASSERT(is_sound());
		for (uint32_t i = 0; i < 256; i++)
			ASSERT_EQ(memmap_kind(&m, PFN(i)), model[i]);
	}
}

KTEST(memmap, every_kind_has_a_name)
{
	for (unsigned k = 0; k < MEM_KINDS; k++)
		EXPECT_NE(mem_kind_name((enum mem_kind)k)[0], '?');
	EXPECT_EQ(mem_kind_name(MEM_KINDS)[0], '?');
}
