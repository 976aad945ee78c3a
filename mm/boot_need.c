/* mm/boot_need.c - counts what booting takes. Owns nothing; a case holds it against what booting took. */
#include <arch/mmu.h>
#include <mm/boot_need.h>
#include <mm/kmap.h>

#define SPAN       ARCH_PT_SPAN(1)
#define ROOT_LEVEL (ARCH_PT_LEVELS - 1)
#define USER_ROOTS arch_pt_index(ROOT_LEVEL, ARCH_KERNEL_VPN)

/* A root; where the CPU reads it ahead, with the tables that its own entries name. */
static uint32_t root_frames(uint32_t own_roots)
{
	return 1 + (ARCH_PT_ROOT_EAGER ? own_roots : 0);
}

/* Page tables for `count` pages from a span's first on, all of which get one. */
static uint32_t tables_for(uint32_t count)
{
	return (count + SPAN - 1) / SPAN;
}

static uint32_t kernel_map(const struct memmap *m)
{
	uint32_t sum = root_frames(ARCH_PT_ENTRIES(ROOT_LEVEL)) +
		       tables_for(frame_table_end() / DESC_IN_PAGE) + tables_for(KMAP_STACK_PAGES) +
		       tables_for(KMAP_DEVICE_PAGES) + 1;

	for (uint32_t n = 0; n < ARCH_DIRECT_PAGES; n += SPAN) {
		bool large = arch_pte_leaf_ok(1) && n >= ARCH_NO_LARGE_END && memmap_all_ram(m, PFN(n), SPAN);

		sum += !large && !memmap_no_ram(m, PFN(n), SPAN);
	}
	return sum;
}

/* One page for each 256 frames of which some are RAM, and one for all the others. */
static uint32_t descriptors(const struct memmap *m)
{
	uint32_t sum = 1;

	for (uint32_t n = 0; n < frame_table_end(); n += DESC_IN_PAGE)
		sum += !memmap_no_ram(m, PFN(n), DESC_IN_PAGE);
	return sum;
}

/* Usable frames that only descriptors can use: those that the direct map does not show. */
static uint32_t high_frames(const struct memmap *m)
{
	uint64_t direct = (uint64_t)ARCH_DIRECT_PAGES << PAGE_SHIFT,
		 reach = (uint64_t)arch_mmu.pfn_end << PAGE_SHIFT;
	uint64_t bytes = 0;

	for (enum mem_kind k = MEM_USABLE; k <= MEM_BOOT; k++)
		bytes += memmap_bytes(m, k, reach) - memmap_bytes(m, k, direct);
	return (uint32_t)(bytes >> PAGE_SHIFT);
}

struct boot_need boot_need(const struct memmap *m)
{
	return (struct boot_need){
		.kernel_map = kernel_map(m),
		.descriptors = descriptors(m),
		.identity = root_frames(USER_ROOTS) + idptbl_frames(m),
		.stack = KSTACK_PAGES,
		.zero_page = 1,
	};
}

uint32_t boot_need_low(const struct memmap *m)
{
	struct boot_need n = boot_need(m);
	uint32_t high = high_frames(m);

	return n.kernel_map + n.identity + n.stack + n.zero_page +
	       (n.descriptors > high ? n.descriptors - high : 0);
}
