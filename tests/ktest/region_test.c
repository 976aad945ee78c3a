/* tests/ktest/region_test.c - ranges of pages at their edges: what map_region, mappages and unmap_region do there. */
#include <arch/mmu.h>
#include <kernel/ktest.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

#define SPAN  ARCH_PT_SPAN(1)
#define V     (8 * SPAN)
#define LARGE (PROT_R | PROT_LARGE)

static struct pdir pd;
static struct container_id owner;
static struct tlb_batch batch;

KTEST_SETUP(region)
{
	machine_violations();
	EXPECT_EQ(container_split(CONTAINER_ROOT, 20, &owner), 0);
	EXPECT_EQ(pdir_init(&pd, owner), 0);
	tlb_begin(&batch, pd.root);
}

KTEST_TEARDOWN(region)
{
	tlb_finish(&batch);
	vm_free(&pd);
	EXPECT_EQ(container_destroy(owner), 0);
	EXPECT_EQ(machine_violations(), 0);
}

/* Also where not one page might be mapped or unmapped. */
static const uint32_t places[] = {0, 5, V + 1, ARCH_KERNEL_VPN + 5, ARCH_VPN_END, UINT32_MAX};

KTEST_EACH(region, an_empty_one_is_nothing_to_do, places)
{
	uint32_t used = frame_used();

	EXPECT_EQ(map_region(&pd, PAGES(param, 0), PFN(UINT32_MAX), PROT_R | PROT_USER), 0);
	EXPECT_EQ(mappages(&pd, vaddr_of(param) + 1, 0, PADDR(UINT64_MAX), PROT_R), 0);
	EXPECT_EQ(unmap_region(&pd, PAGES(param, 0), &batch), 0);
	EXPECT_EQ(frame_used(), used);
	EXPECT(batch.first >= batch.end);
}

/* It cuts nothing in two. */
KTEST(region, an_empty_one_in_a_large_page_is_nothing_to_do)
{
	pfn_t ram;

	if (!arch_mmu.large || frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(10), &ram))
		SKIP("no large pages, or too little memory for one");
	EXPECT_EQ(map_region(&pd, PAGES(V, SPAN), ram, LARGE), 0);
	EXPECT_EQ(unmap_region(&pd, PAGES(V + 5, 0), &batch), 0);
	EXPECT_EQ(map_region(&pd, PAGES(V + 5, 0), ram, LARGE), 0);
	EXPECT_EQ(arch_pte_kind(1, get_pdir_entry_by_va(&pd, vaddr_of(V))),
		  ram.n < ARCH_NO_LARGE_END ? PTE_TABLE : PTE_LEAF);
	EXPECT_EQ(unmap_region(&pd, PAGES(V, SPAN), &batch), 0);
	frame_put(ram);
}

/* A block's first frame alone has references. */
KTEST(region, every_frame_is_asked_for_its_references)
{
	pfn_t f;

	ASSERT_EQ(container_alloc(owner, ALLOC_USER | ALLOC_ORDER(1), &f), 0);
	EXPECT_EQ(map_region(&pd, PAGES(V, 2), f, PROT_R | PROT_USER | PROT_OWNED), -EPERM);
	EXPECT_EQ(map_region(&pd, PAGES(V, 2), f, PROT_R | PROT_USER), 0);
	EXPECT_EQ(unmap_region(&pd, PAGES(V, 2), &batch), 0);
	tlb_finish(&batch);
	EXPECT_EQ(container_free(owner, f), 0);
}

KTEST(region, the_last_user_page_is_like_any_other)
{
	vpn_t last = ARCH_KERNEL_VPN - 1;

	EXPECT_EQ(alloc_page(&pd, last, PROT_R | PROT_USER), 0);
	EXPECT_EQ(unmap_page(&pd, last, &batch), 0);
	EXPECT_EQ(map_page(&pd, last, machine_device_frames(1), PROT_R | PROT_USER), 0);
	EXPECT_EQ(unmap_region(&pd, PAGES(last - 1, 2), &batch), 0);
	EXPECT_EQ(map_region(&pd, PAGES(last - 1, 2), machine_device_frames(2), PROT_R | PROT_USER), 0);
}

/* Whatever stood in the memory of a directory that is made. */
KTEST(region, a_new_directory_shares_no_identity_map)
{
	struct pdir other = {.shares_identity = true};

	ASSERT_EQ(pdir_init(&other, owner), 0);
	EXPECT(!other.shares_identity && !other.owns_kernel);
	vm_free(&other);
	other.shares_identity = true;
	ASSERT_EQ(pdir_init_bare(&other, owner), 0);
	EXPECT(!other.shares_identity && other.owns_kernel);
	vm_free(&other);
}
