/*
 * tests/host/boot_alloc_test.c - phase one, on maps of its own. Only a simulated machine can go back there: a
 * real one has given the entry page tables away.
 */
#include "sim.h"

#include <arch/frame_access.h>
#include <kernel/ktest.h>
#include <mm/boot_alloc.h>
#include <mm/boot_info.h>
#include <mm/frame.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

#define SPAN SIM_TABLE_PAGES

static struct memmap map;

static void mark(uint32_t first, uint32_t count, enum mem_kind kind)
{
	memmap_mark(&map, (uint64_t)first << PAGE_SHIFT, (uint64_t)count << PAGE_SHIFT, kind);
}

KTEST_SETUP(boot_alloc)
{
	machine_violations();
	memmap_init(&map);
}

/* Back to where the machine's own boot had come. */
KTEST_TEARDOWN(boot_alloc)
{
	sim_paging(true);
	boot_alloc_init(&boot_info.map, PFN(ARCH_DIRECT_PAGES), NO_FRAME);
	boot_alloc_seal();
	EXPECT_EQ(machine_violations(), 0);
}

static void start_with_all_mapped(void)
{
	boot_alloc_init(&map, PFN(ARCH_DIRECT_PAGES), NO_FRAME);
}

KTEST(boot_alloc, gives_what_the_map_calls_usable_and_nothing_else)
{
	uint32_t count = 0;
	pfn_t f;

	mark(0x100, 0x80, MEM_USABLE);
	mark(0x120, 0x10, MEM_RESERVED);
	mark(0x140, 0x10, MEM_MODULE);
	mark(0x170, 0x20, MEM_KERNEL);
	start_with_all_mapped();
	for (f = boot_alloc_frames(1); f.n; f = boot_alloc_frames(1), count++)
		ASSERT((f.n >= 0x100 && f.n < 0x120) || (f.n >= 0x130 && f.n < 0x140) ||
		       (f.n >= 0x150 && f.n < 0x170));
	EXPECT_EQ(count, 0x50);
	EXPECT_EQ(memmap_bytes(&map, MEM_BOOT, 0), 0x50 * PAGE_SIZE);
	EXPECT_EQ(memmap_bytes(&map, MEM_USABLE, 0), 0);
}

KTEST(boot_alloc, reset_forgets_the_map)
{
	start_with_all_mapped();
	EXPECT(boot_memmap() == &map);
	boot_alloc_reset();
	EXPECT(!boot_memmap());
}

KTEST(boot_alloc, never_frame_0)
{
	mark(0, 2, MEM_USABLE);
	start_with_all_mapped();
	EXPECT_EQ(boot_alloc_frames(1).n, 1);
	EXPECT_EQ(boot_alloc_frames(1).n, 0);
}

KTEST(boot_alloc, nothing_beyond_the_direct_map)
{
	mark(ARCH_DIRECT_PAGES - 1, 3, MEM_USABLE);
	start_with_all_mapped();
	EXPECT_EQ(boot_alloc_frames(2).n, 0);
	EXPECT_EQ(boot_alloc_frames(1).n, ARCH_DIRECT_PAGES - 1);
	EXPECT_EQ(boot_alloc_frames(1).n, 0);
}

KTEST(boot_alloc, a_run_is_contiguous_or_refused)
{
	mark(0x100, 3, MEM_USABLE);
	mark(0x200, 5, MEM_USABLE);
	start_with_all_mapped();
	EXPECT_EQ(boot_alloc_frames(4).n, 0x200);
	EXPECT_EQ(boot_alloc_frames(4).n, 0);
	EXPECT_EQ(boot_alloc_frames(0).n, 0);
	EXPECT_EQ(boot_alloc_frames(UINT32_MAX).n, 0);
	EXPECT_EQ(boot_alloc_frames(3).n, 0x100);
}

KTEST(boot_alloc, what_is_given_back_can_be_had_again)
{
	pfn_t f;

	mark(0x100, 4, MEM_USABLE);
	start_with_all_mapped();
	f = boot_alloc_frames(4);
	boot_free_frames(PFN(f.n + 1), 2);
	EXPECT_EQ(boot_alloc_frames(1).n, f.n + 1);
	EXPECT_EQ(boot_alloc_frames(2).n, 0);
}

KTEST_PANICS(boot_alloc, give_back_of_what_was_not_taken_panics, "was not allocated")
{
	mark(0x100, 4, MEM_USABLE);
	start_with_all_mapped();
	boot_free_frames(PFN(0x100), 1);
}

KTEST_PANICS(boot_alloc, give_back_of_more_than_was_taken_panics, "was not allocated")
{
	mark(0x100, 4, MEM_USABLE);
	start_with_all_mapped();
	boot_free_frames(boot_alloc_frames(1), 2);
}

/* A spare spent on the span behind it would come out of this very run. */
KTEST(boot_alloc, a_run_up_to_the_windows_end_needs_no_more_of_it)
{
	mark(SIM_ENTRY_FRAMES - 0x10, 0x10, MEM_USABLE);
	boot_alloc_init(&map, PFN(SIM_ENTRY_FRAMES), PFN(SIM_SPARE));
	EXPECT_EQ(boot_alloc_frames(0x10).n, SIM_ENTRY_FRAMES - 0x10);
}

/* The entry tables' window is full, as behind a large module: a few free frames far away, each in another span. */
KTEST(boot_alloc, the_window_grows_to_wherever_memory_is)
{
	static const uint32_t counts[] = {1, 3, 40};
	uint32_t blocks[3], want = 0, got = 0, spans = 0;
	pfn_t f;

	for (uint32_t i = 0; i < 3; i++) {
		if (frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(9), &f))
			f = NO_FRAME;
		blocks[i] = f.n;
		mark(f.n, f.n ? counts[i] : 0, MEM_USABLE);
		want += counts[i];
		spans += f.n >= SIM_ENTRY_FRAMES && (!i || f.n / SPAN != blocks[i - 1] / SPAN);
	}
	boot_alloc_init(&map, PFN(SIM_ENTRY_FRAMES), PFN(SIM_SPARE));
	sim_paging(false);
	for (f = blocks[2] ? boot_alloc_frames(1) : NO_FRAME; f.n; f = boot_alloc_frames(1), got++)
		arch_frame_direct(f); /* a violation where the window does not reach */
	sim_paging(true);
	for (uint32_t i = 0; i < 3; i++)
		if (blocks[i])
			frame_put(PFN(blocks[i]));
	if (!blocks[2])
		SKIP("too little memory for three distant blocks");
	/* One frame of each span that was mapped went into the next spare. */
	EXPECT(got < want && got + 3 >= want);
	EXPECT_EQ(boot_alloc_window_tables(), spans);
}

KTEST(boot_alloc, a_run_across_two_new_spans)
{
	pfn_t block, f;

	if (frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(10), &block))
		SKIP("too little memory for a block of 4 MiB");
	mark(block.n, 1024, MEM_USABLE);
	boot_alloc_init(&map, PFN(SIM_ENTRY_FRAMES), PFN(SIM_SPARE));
	sim_paging(false);
	f = boot_alloc_frames(600);
	for (uint32_t i = 0; i < 600 && f.n; i++)
		arch_frame_direct(PFN(f.n + i));
	sim_paging(true);
	EXPECT(f.n >= block.n && f.n + 600 <= block.n + 1024);
	frame_put(block);
}

/* As the kernel's map is built when memory runs dry in phase one: -ENOMEM, and everything given back. */
KTEST(boot_alloc, a_kvm_init_without_memory_gives_back_what_it_took)
{
	struct pdir pd;
	pfn_t block;

	ASSERT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(3), &block), 0);
	for (uint32_t n = 0; n <= 3; n++) {
		memmap_init(&map);
		mark(0, 0x1000, MEM_KERNEL);
		mark(block.n, 8, MEM_BAD);
		memmap_set(&map, block, n, MEM_USABLE);
		start_with_all_mapped();
		EXPECT_EQ(kvm_init(&pd), -ENOMEM);
		EXPECT_EQ(memmap_bytes(&map, MEM_USABLE, 0), n * PAGE_SIZE);
	}
	boot_alloc_seal();
	frame_put(block);
}

/* Descriptors that do not fit, at each place where memory can run dry: nothing is taken. */
KTEST(boot_alloc, descriptors_without_memory_give_back_what_they_took)
{
	pfn_t block;

	ASSERT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(5), &block), 0);
	for (uint32_t n = 1 + 5 * QUIRE_PAE; n <= 20; n++) {
		struct pdir pd;

		memmap_init(&map);
		mark(0, 0x2000, MEM_KERNEL); /* 32 pages of descriptors */
		memmap_set(&map, block, n, MEM_USABLE);
		start_with_all_mapped();
		ASSERT_EQ(pdir_init_bare(&pd, CONTAINER_ROOT), 0);
		EXPECT_EQ(kmap_descriptors(&pd), -ENOMEM);
		EXPECT(!boot_alloc_sealed());
		vm_free(&pd);
		EXPECT_EQ(memmap_bytes(&map, MEM_USABLE, 0), n * PAGE_SIZE);
	}
	boot_alloc_seal();
	frame_put(block);
}

KTEST(boot_alloc, high_frames_are_given_only_when_asked_for)
{
	mark(0x100, 4, MEM_USABLE);
	mark(ARCH_DIRECT_PAGES - 2, 5, MEM_USABLE);
	start_with_all_mapped();
	EXPECT_EQ(boot_alloc_high(4).n, 0); /* three lie above */
	EXPECT_EQ(boot_alloc_high(2).n, ARCH_DIRECT_PAGES);
	EXPECT_EQ(boot_alloc_high(1).n, ARCH_DIRECT_PAGES + 2);
	EXPECT_EQ(boot_alloc_high(1).n, 0);
	EXPECT_EQ(boot_alloc_frames(4).n, 0x100);
	boot_free_frames(PFN(ARCH_DIRECT_PAGES), 3);
	EXPECT_EQ(boot_alloc_high(3).n, ARCH_DIRECT_PAGES);
}

/* A range of "all there is" has no end that a number could name. */
KTEST(boot_alloc, memory_up_to_2_64_is_in_the_direct_map)
{
	struct kregion r;

	mark(0x1, 0x9e, MEM_USABLE);
	memmap_mark(&map, 0x100000, UINT64_MAX, MEM_USABLE);
	start_with_all_mapped();
	ASSERT(kmap_region(ARCH_KERNEL_VPN + 0x9f, &r));
	EXPECT_EQ(r.range.first, ARCH_KERNEL_VPN + 0x100);
	ASSERT(kmap_region(ARCH_KERNEL_VPN + ARCH_DIRECT_PAGES - 1, &r));
	EXPECT_EQ(r.range.first + r.range.count, ARCH_KERNEL_VPN + ARCH_DIRECT_PAGES);
	EXPECT_EQ(frame_table_end(), arch_mmu.pfn_end);
	boot_alloc_seal();
}

/* Whatever phase one took, or left as it was. */
KTEST(boot_alloc, a_range_from_0_on_is_in_the_direct_map_but_for_frame_0)
{
	struct kregion r;

	mark(0, 0x9f, MEM_USABLE);
	start_with_all_mapped();
	ASSERT(kmap_region(ARCH_KERNEL_VPN, &r));
	EXPECT_EQ(r.range.first, ARCH_KERNEL_VPN + 1);
	EXPECT_EQ(r.range.count, 0x9e);
	EXPECT_EQ(frame_table_end(), 1u << (BUDDY_ORDERS - 1)); /* rounded up to the largest block */
	boot_alloc_seal();
}

KTEST_PANICS(boot_alloc, a_late_high_allocation_panics, "after phase one was sealed")
{
	boot_alloc_seal();
	boot_alloc_high(1);
}
