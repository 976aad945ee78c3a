/*
 * tests/ktest/large_page_test.c - large pages: where map_region makes them, where it must not, and that nothing
 * takes one apart. RAM of at least one large page, from the frame allocator, is mapped a second time for it.
 */
#include <arch/mmu.h>
#include <kernel/ktest.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

#define SPAN   ARCH_PT_SPAN(1)
#define V      (8 * SPAN)
#define PLAIN  PROT_R
#define LARGE  (PROT_R | PROT_LARGE)
#define NO_RAM "too little memory for a large page"

static struct pdir pd;
static struct container_id owner;
static struct tlb_batch batch;
static pfn_t ram; /* NO_FRAME where there is not enough */

KTEST_SETUP(large_page)
{
	machine_violations();
	EXPECT_EQ(container_split(CONTAINER_ROOT, 50, &owner), 0);
	EXPECT_EQ(pdir_init(&pd, owner), 0);
	tlb_begin(&batch, pd.root);
	if (frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(10), &ram))
		ram = NO_FRAME;
}

KTEST_TEARDOWN(large_page)
{
	EXPECT_EQ(unmap_region(&pd, PAGES(V, 6 * SPAN), &batch), 0);
	tlb_finish(&batch);
	set_pdir_base(&kernel_pdir);
	vm_free(&pd);
	EXPECT_EQ(container_destroy(owner), 0);
	if (ram.n)
		frame_put(ram);
	EXPECT_EQ(machine_violations(), 0);
}

static enum pte_kind kind_at(vpn_t v)
{
	return arch_pte_kind(1, get_pdir_entry_by_va(&pd, vaddr_of(v)));
}

KTEST(large_page, where_they_fit_and_are_allowed)
{
	if (!arch_mmu.large || !ram.n)
		SKIP(arch_mmu.large ? NO_RAM : "this CPU has no large pages");
	EXPECT_EQ(map_region(&pd, PAGES(V, SPAN), ram, LARGE), 0);
	EXPECT_EQ(kind_at(V), PTE_LEAF);
	EXPECT_EQ(map_region(&pd, PAGES(V + SPAN, SPAN - 1), ram, LARGE), 0); /* too short */
	EXPECT_EQ(kind_at(V + SPAN), PTE_TABLE);
	EXPECT_EQ(map_region(&pd, PAGES(V + 2 * SPAN, SPAN), PFN(ram.n + 1), LARGE),
		  0); /* frames not aligned */
	EXPECT_EQ(kind_at(V + 2 * SPAN), PTE_TABLE);
	EXPECT_EQ(map_region(&pd, PAGES(V + 3 * SPAN, SPAN), ram, PLAIN), 0); /* not allowed */
	EXPECT_EQ(kind_at(V + 3 * SPAN), PTE_TABLE);
	EXPECT_EQ(map_region(&pd, PAGES(V + 4 * SPAN + 1, SPAN), ram, LARGE), 0); /* pages not aligned */
	EXPECT_EQ(kind_at(V + 4 * SPAN), PTE_TABLE);
	EXPECT_EQ(kind_at(V + 5 * SPAN), PTE_TABLE);
	set_pdir_base(&pd);
	EXPECT(machine_reads(V + 5) && !machine_writes(V + 5));
}

KTEST(large_page, none_where_the_cpu_has_none)
{
	if (arch_mmu.large || !ram.n)
		SKIP(arch_mmu.large ? "this CPU has large pages" : NO_RAM);
	EXPECT_EQ(map_region(&pd, PAGES(V, SPAN), ram, LARGE), 0);
	EXPECT_EQ(kind_at(V), PTE_TABLE);
	set_pdir_base(&pd);
	EXPECT(machine_reads(V) && machine_reads(V + SPAN - 1));
}

/* The first 4 MiB has fixed memory types of its own; device memory has another one than RAM. */
KTEST(large_page, none_over_memory_of_two_kinds)
{
	vpn_t v = V;

	if (!arch_mmu.large)
		SKIP("this CPU has no large pages");
	EXPECT_EQ(map_region(&pd, PAGES(v, SPAN), machine_device_frames(SPAN), LARGE), 0);
	EXPECT_EQ(kind_at(v), PTE_TABLE);
	for (uint32_t n = 0; n < ARCH_NO_LARGE_END; n += SPAN) {
		v += SPAN;
		EXPECT_EQ(map_region(&pd, PAGES(v, SPAN), PFN(n), LARGE), 0);
		EXPECT_EQ(kind_at(v), PTE_TABLE);
	}
}

/* A table that is there, even an empty one, would be lost under a large page. */
KTEST(large_page, none_over_a_table)
{
	if (!arch_mmu.large || !ram.n)
		SKIP(arch_mmu.large ? NO_RAM : "this CPU has no large pages");
	EXPECT_EQ(alloc_ptbl(&pd, vaddr_of(V)), 0);
	EXPECT_EQ(map_region(&pd, PAGES(V, SPAN), ram, LARGE), 0);
	EXPECT_EQ(kind_at(V), PTE_TABLE);
}

KTEST(large_page, unmapping_owes_a_flush)
{
	if (!arch_mmu.large || !ram.n)
		SKIP(arch_mmu.large ? NO_RAM : "this CPU has no large pages");
	EXPECT_EQ(map_region(&pd, PAGES(V, SPAN), ram, LARGE), 0);
	set_pdir_base(&pd);
	EXPECT(machine_reads(V + 5)); /* now in the TLB */
	EXPECT_EQ(unmap_region(&pd, PAGES(V, SPAN), &batch), 0);
	EXPECT_EQ(kind_at(V), PTE_NONE);
	EXPECT_EQ(batch.first, V);
	EXPECT_EQ(batch.end, V + SPAN);
	tlb_finish(&batch);
	EXPECT(!machine_reads(V + 5));
}

/* Only the first frame of a block says what the block is for; the others are nobody's to own alone. */
KTEST(large_page, a_users_block_is_mapped_like_its_first_frame)
{
	prot_t urw = PROT_R | PROT_W | PROT_USER;
	pfn_t block;

	if (frame_alloc(ALLOC_USER | ALLOC_ORDER(10), &block))
		SKIP(NO_RAM);
	EXPECT_EQ(map_region(&pd, PAGES(V, SPAN), block, urw | PROT_LARGE), 0);
	EXPECT_EQ(kind_at(V), arch_mmu.large && block.n >= ARCH_NO_LARGE_END ? PTE_LEAF : PTE_TABLE);
	EXPECT_EQ(map_region(&pd, PAGES(V + SPAN + 1, 9), PFN(block.n + 1), urw), 0);
	EXPECT_EQ(map_page(&pd, V + SPAN, PFN(block.n + 1), urw | PROT_OWNED), -EPERM);
	EXPECT_EQ(check_vm(&pd), 0);
	EXPECT_EQ(unmap_region(&pd, PAGES(V, 2 * SPAN), &batch), 0);
	tlb_finish(&batch);
	frame_put(block);
	EXPECT_EQ(map_page(&pd, V, PFN(block.n + 1), urw), -EPERM); /* free by now */
	if (ram.n)
		EXPECT_EQ(map_page(&pd, V, PFN(ram.n + 1), urw), -EPERM); /* the kernel's */
}

KTEST(large_page, is_never_split)
{
	prot_t urw = PROT_R | PROT_W | PROT_USER;
	vaddr_t va = vaddr_of(V);
	pfn_t one;

	if (!arch_mmu.large || !ram.n)
		SKIP(arch_mmu.large ? NO_RAM : "this CPU has no large pages");
	ASSERT_EQ(container_alloc(owner, ALLOC_USER, &one), 0);
	EXPECT_EQ(map_region(&pd, PAGES(V, SPAN), ram, LARGE), 0);
	EXPECT_EQ(unmap_page(&pd, V + 1, &batch), -EBUSY);
	EXPECT_EQ(unmap_region(&pd, PAGES(V - 1, 3), &batch), -EBUSY);
	EXPECT_EQ(unmap_region(&pd, PAGES(V + 5, SPAN), &batch), -EBUSY);
	EXPECT_EQ(map_page(&pd, V + 3, one, urw), -EEXIST);
	EXPECT_EQ(alloc_page(&pd, V + 3, urw), -EEXIST);
	EXPECT_EQ(alloc_ptbl(&pd, va), -EEXIST);
	EXPECT_EQ(free_ptbl(&pd, va, &batch), -ENOENT);
	EXPECT_EQ(map_region(&pd, PAGES(V - 1, 2), machine_device_frames(2), PLAIN), -EEXIST);
	EXPECT_EQ(set_ptbl_entry_by_va(&pd, va, one, urw, &batch), -EBUSY);
	EXPECT_EQ(rmv_ptbl_entry_by_va(&pd, va, &batch), -EBUSY);
	EXPECT_EQ(set_pdir_entry_by_va(&pd, va, one, &batch), -EBUSY);
	EXPECT_EQ(rmv_pdir_entry_by_va(&pd, va, &batch), -EBUSY);
	EXPECT_EQ(get_ptbl_entry_by_va(&pd, va).raw, 0); /* there is no entry of that level */
	EXPECT_EQ(kind_at(V), PTE_LEAF);
	EXPECT_EQ(container_free(owner, one), 0);
}
