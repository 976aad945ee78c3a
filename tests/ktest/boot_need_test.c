/*
 * tests/ktest/boot_need_test.c - what booting would take on maps of the suite's own. That it is what booting does
 * take, on this machine's map, is boot.took_what_it_says_that_it_needs.
 */
#include <arch/mmu.h>
#include <kernel/ktest.h>
#include <mm/boot_need.h>
#include <mm/slab.h>

static struct memmap *m;

static void mark(uint32_t first, uint32_t count, enum mem_kind kind)
{
	memmap_mark(m, paddr_of(PFN(first)).a, (uint64_t)count << PAGE_SHIFT, kind);
}

KTEST_SETUP(boot_need)
{
	m = kmalloc(sizeof(*m));
	if (!m)
		SKIP("no memory for a map");
	memmap_init(m);
	mark(0x100, 0x700, MEM_USABLE);
}

KTEST_TEARDOWN(boot_need)
{
	kmfree(m);
}

/* All that booting takes here. */
static uint32_t whole_need(void)
{
	struct boot_need n = boot_need(m);

	return n.kernel_map + n.descriptors + n.identity + n.stack + n.zero_page;
}

KTEST(boot_need, all_of_it_is_low_where_no_memory_is_high)
{
	EXPECT(boot_need(m).descriptors > 1);
	EXPECT_EQ(boot_need_low(m), whole_need());
	mark(ARCH_DIRECT_PAGES - 9, 9, MEM_USABLE);
	EXPECT_EQ(boot_need_low(m), whole_need());
}

static const enum mem_kind for_booting[] = {MEM_USABLE, MEM_BOOT};

/* Frame by frame, and no further than descriptors go. */
KTEST_EACH(boot_need, descriptors_take_high_memory_first, for_booting)
{
	for (uint32_t high = 1; high <= boot_need(m).descriptors + 1; high++) {
		uint32_t descriptors, spared;

		mark(ARCH_DIRECT_PAGES - 3, 3 + high, (enum mem_kind)param);
		descriptors = boot_need(m).descriptors;
		spared = high < descriptors ? high : descriptors;
		ASSERT_EQ(boot_need_low(m), whole_need() - spared);
	}
}

/* Modules are in use, and what lies beyond the mode's reach is no help. */
KTEST(boot_need, what_is_not_usable_takes_no_descriptors)
{
	uint32_t descriptors = boot_need(m).descriptors;

	memmap_mark(m, (uint64_t)arch_mmu.pfn_end << PAGE_SHIFT, 9 * PAGE_SIZE, MEM_USABLE);
	EXPECT_EQ(boot_need(m).descriptors, descriptors);
	EXPECT_EQ(boot_need_low(m), whole_need());
	mark(ARCH_DIRECT_PAGES, 9, MEM_MODULE);
	mark(ARCH_DIRECT_PAGES + 9, 9, MEM_RESERVED);
	EXPECT_EQ(boot_need_low(m), whole_need());
	mark(arch_mmu.pfn_end - 1, 1, MEM_USABLE);
	EXPECT_EQ(boot_need_low(m), whole_need() - 1);
}
