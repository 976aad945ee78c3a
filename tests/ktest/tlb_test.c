/* tests/ktest/tlb_test.c - batches: what they owe, and what waits in them. */
#include <arch/mmu.h>
#include <kernel/ktest.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

#define V 0x2000u

static struct pdir pd;
static struct tlb_batch b;

KTEST_SETUP(tlb)
{
	machine_violations();
	EXPECT_EQ(pdir_init(&pd, CONTAINER_ROOT), 0);
	tlb_begin(&b, pd.root);
}

KTEST_TEARDOWN(tlb)
{
	tlb_finish(&b);
	set_pdir_base(&kernel_pdir);
	vm_free(&pd);
	EXPECT_EQ(machine_violations(), 0);
}

/* Makes count pages from V present and known to the TLB. */
static void touch(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		EXPECT_EQ(alloc_page(&pd, V + i, PROT_R | PROT_W | PROT_USER), 0);
	set_pdir_base(&pd);
	for (uint32_t i = 0; i < count; i++)
		EXPECT(machine_writes(V + i));
}

static const uint32_t counts[] = {1, ARCH_TLB_RANGE_MAX, ARCH_TLB_RANGE_MAX + 1, TLB_BATCH_FRAMES + 1};

/* Single pages, a range, or all at once: whichever flush serves, no page is left in the TLB. */
KTEST_EACH(tlb, a_flush_covers_all_that_is_owed, counts)
{
	touch(param);
	EXPECT_EQ(unmap_region(&pd, PAGES(V, param), &b), 0);
	tlb_finish(&b);
	for (uint32_t i = 0; i < param; i++)
		EXPECT(!machine_reads(V + i));
}

KTEST(tlb, distant_pages_are_both_flushed)
{
	touch(1);
	EXPECT_EQ(alloc_page(&pd, V + 0x10000, PROT_R | PROT_USER), 0);
	EXPECT(machine_reads(V + 0x10000));
	EXPECT_EQ(unmap_page(&pd, V, &b), 0);
	EXPECT_EQ(unmap_page(&pd, V + 0x10000, &b), 0);
	tlb_finish(&b);
	EXPECT(!machine_reads(V) && !machine_reads(V + 0x10000));
}

KTEST(tlb, a_batch_can_go_on_after_it_is_finished)
{
	touch(2);
	EXPECT_EQ(unmap_page(&pd, V, &b), 0);
	tlb_finish(&b);
	EXPECT_EQ(b.count, 0);
	EXPECT(b.first >= b.end);
	EXPECT_EQ(unmap_page(&pd, V + 1, &b), 0);
	EXPECT_EQ(b.count, 1);
	tlb_finish(&b);
	EXPECT(!machine_reads(V + 1));
}

/* Kernel entries are global and in every directory: they are flushed whichever one is loaded. */
KTEST(tlb, kernel_pages_are_flushed_in_every_directory)
{
	vaddr_t top = kstack_alloc();
	vpn_t v = vpn_of(top) - 1;

	ASSERT(top);
	set_pdir_base(&pd);
	EXPECT(machine_writes(v));
	kstack_free(top);
	EXPECT(!machine_reads(v));
}

/* From one stack's page to a distant one's: more than is flushed one by one, and global. */
KTEST(tlb, a_long_run_of_kernel_pages_is_flushed)
{
	static vaddr_t top[ARCH_TLB_RANGE_MAX];
	vpn_t first, last;
	uint32_t n = 0;

	while (n < ARRAY_SIZE(top) && (top[n] = kstack_alloc()))
		n++;
	ASSERT(n > 1);
	first = vpn_of(top[0]) - 1;
	last = vpn_of(top[n - 1]) - 1;
	EXPECT(last - first > ARCH_TLB_RANGE_MAX);
	EXPECT(machine_reads(first) && machine_reads(last));
	EXPECT_EQ(unmap_page(&kernel_pdir, first, &b), 0);
	EXPECT_EQ(unmap_page(&kernel_pdir, last, &b), 0);
	tlb_finish(&b);
	EXPECT(!machine_reads(first) && !machine_reads(last));
	while (n--)
		kstack_free(top[n]);
}

KTEST(tlb, a_directory_that_is_not_loaded_needs_no_flush)
{
	touch(3);
	set_pdir_base(&kernel_pdir);
	EXPECT_EQ(unmap_region(&pd, PAGES(V, 3), &b), 0);
	tlb_finish(&b);
	set_pdir_base(&pd);
	EXPECT(!machine_reads(V));
}
