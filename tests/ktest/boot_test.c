/* tests/ktest/boot_test.c - what the boot leaves behind, before any other suite has changed it. */
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <kernel/ktest.h>
#include <lib/string.h>
#include <mm/boot_alloc.h>
#include <mm/boot_need.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

static int count_leaf(const struct pt_leaf *leaf, void *arg)
{
	(void)leaf;
	++*(uint32_t *)arg;
	return 0;
}

/* Directory 0 is for turning paging on and the like: whoever ran on it could read and write through any null. */
KTEST(boot, threads_run_on_a_directory_with_an_empty_user_part)
{
	struct pdir loaded = {.root = arch_mmu_root()};
	uint32_t leaves = 0;

	EXPECT_EQ(loaded.root.n, kernel_pdir.root.n);
	EXPECT_NE(loaded.root.n, identity_pdir.root.n);
	pdir_each_leaf(&loaded, PAGES(0, ARCH_KERNEL_VPN), count_leaf, &leaves);
	EXPECT_EQ(leaves, 0);
}

/* What a machine with too little memory is told that it lacks is what booting takes, to the frame. */
KTEST(boot, took_what_it_says_that_it_needs)
{
	struct boot_need need = boot_need(boot_memmap());
	uint32_t stack = machine_is_simulated() ? 0 : need.stack; /* a simulated machine runs on none */

	EXPECT_EQ(memmap_bytes(boot_memmap(), MEM_BOOT, 0) / PAGE_SIZE,
		  need.kernel_map + need.descriptors + boot_alloc_window_tables());
	EXPECT_EQ(machine_frames_used(), need.identity + stack + need.zero_page);
}

/* The loader, the move of an image loaded elsewhere and phase one leave modules as they were. */
KTEST(boot, modules_arrive_whole)
{
	const struct boot_module *m = &boot_info.module[0];
	uint32_t number;

	if (!boot_info.module_count || strcmp(m->cmdline, "numbered"))
		SKIP("no module here whose pages are numbered");
	for (uint32_t i = 0; i < m->length / PAGE_SIZE; i++) {
		arch_frame_read(PFN((uint32_t)(m->start.a >> PAGE_SHIFT) + i), 0, &number, sizeof(number));
		ASSERT_EQ(number, i);
	}
}

KTEST(boot, phase_one_is_sealed)
{
	EXPECT(boot_alloc_sealed());
}

/* The boot-only part of the image is the allocator's now: free, or somebody's who is charged for it. */
KTEST(boot, memory_of_the_boot_only_part_is_given_back)
{
	struct arch_image image = arch_image();

	for (uint32_t n = image.boot.n; n < image.suite_text.n; n++)
		EXPECT(frame_state(PFN(n)) != FRAME_KERNEL || frame_refs(PFN(n)));
	EXPECT(frame_state(image.text) == FRAME_KERNEL && !frame_refs(image.text));
}
