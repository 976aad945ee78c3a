/*
 * tests/ktest/pgtable_test.c - directories and tables, in the loaded directory wherever the MMU's word counts.
 */
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <arch/pte_store.h>
#include <kernel/ktest.h>
#include <mm/boot_alloc.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

#define SPAN ARCH_PT_SPAN(1)
#define V    0x12345u /* an address without anything near it */
#define VA   ((vaddr_t)V << PAGE_SHIFT)
#define URW  (PROT_R | PROT_W | PROT_USER)

static struct pdir pd;
static struct container_id owner;
static struct tlb_batch batch;

KTEST_SETUP(pgtable)
{
	machine_violations();
	EXPECT_EQ(container_split(CONTAINER_ROOT, 200, &owner), 0);
	EXPECT_EQ(pdir_init(&pd, owner), 0);
	tlb_begin(&batch, pd.root);
}

KTEST_TEARDOWN(pgtable)
{
	machine_fail_after(-1);
	tlb_finish(&batch);
	EXPECT_EQ(check_vm(&pd), 0);
	set_pdir_base(&kernel_pdir);
	vm_free(&pd);
	EXPECT_EQ(container_destroy(owner), 0);
	EXPECT_EQ(machine_violations(), 0);
}

static uint32_t charged(void)
{
	uint32_t n = 0;

	container_get_usage(owner, &n);
	return n;
}

static pfn_t user_frame(void)
{
	pfn_t f = NO_FRAME;

	EXPECT_EQ(container_alloc(owner, ALLOC_USER | ALLOC_ZERO | ALLOC_HIGH, &f), 0);
	return f;
}

static bool maps(vpn_t v)
{
	return arch_pte_kind(0, get_ptbl_entry_by_va(&pd, vaddr_of(v))) == PTE_LEAF;
}

/* Maps a frame of its own at v. */
static pfn_t map_one(vpn_t v, prot_t prot)
{
	pfn_t f = user_frame();

	EXPECT_EQ(map_page(&pd, v, f, prot | PROT_OWNED), 0);
	return f;
}

KTEST(pgtable, a_new_directory_has_the_kernels_part_and_no_other)
{
	uint32_t root = ARCH_PT_LEVELS - 1;
	const pte_t *own = arch_frame_direct(pd.root), *kernel = arch_frame_direct(kernel_pdir.root);

	for (uint32_t i = arch_pt_index(root, ARCH_KERNEL_VPN); i < ARCH_PT_ENTRIES(root); i++)
		EXPECT_EQ((arch_pte_read(&own[i]).raw ^ arch_pte_read(&kernel[i]).raw) &
				  ~(uint64_t)(PTE_ACCESSED | PTE_DIRTY),
			  0);
	for (vpn_t v = 0; v < ARCH_KERNEL_VPN; v += SPAN)
		ASSERT_EQ(arch_pte_kind(1, get_pdir_entry_by_va(&pd, vaddr_of(v))), PTE_NONE);
	EXPECT_EQ(check_vm(&pd), 0);
}

KTEST(pgtable, a_mapped_page_is_its_frame)
{
	uint32_t word = 0xfeedface;
	pfn_t f = map_one(V, URW);

	set_pdir_base(&pd);
	EXPECT(machine_reads(V) && machine_writes(V));
	EXPECT(!machine_reads(V + 1) && !machine_reads(V - 1));
	arch_frame_write(f, 0, &word, 4);
	EXPECT_EQ(arch_pte_pfn(get_ptbl_entry_by_va(&pd, VA)).n, f.n);
	EXPECT_EQ(unmap_page(&pd, V, &batch), 0);
	tlb_finish(&batch);
	EXPECT(!machine_reads(V));
}

KTEST(pgtable, write_protection_holds_in_kernel_mode)
{
	map_one(V, PROT_R | PROT_USER);
	set_pdir_base(&pd);
	EXPECT(machine_reads(V));
	EXPECT(!machine_writes(V));
}

KTEST(pgtable, data_is_not_executable)
{
	if (!arch_mmu.nx)
		SKIP("this CPU or mode has no no-execute");
	map_one(V, URW);
	map_one(V + 1, PROT_R | PROT_USER | PROT_X);
	set_pdir_base(&pd);
	EXPECT(!machine_executes(V));
	EXPECT(machine_executes(V + 1));
}

/* What the first page of a table was allowed decides nothing for the next. */
KTEST(pgtable, the_leaf_alone_decides_the_permissions)
{
	map_one(V, PROT_R | PROT_USER);
	map_one(V + 1, URW);
	set_pdir_base(&pd);
	EXPECT(!machine_writes(V));
	EXPECT(machine_writes(V + 1));
	EXPECT(!(arch_pte_prot(get_ptbl_entry_by_va(&pd, VA)) & PROT_W));
}

KTEST(pgtable, mapping_over_a_page_is_refused)
{
	pfn_t f = map_one(V, URW), other = user_frame();

	EXPECT_EQ(map_page(&pd, V, other, URW | PROT_OWNED), -EEXIST);
	EXPECT_EQ(map_region(&pd, PAGES(V - 2, 4), machine_device_frames(4), PROT_R | PROT_USER), -EEXIST);
	EXPECT_EQ(alloc_page(&pd, V, URW), -EEXIST);
	EXPECT_EQ(arch_pte_pfn(get_ptbl_entry_by_va(&pd, VA)).n, f.n);
	EXPECT(!maps(V - 1));
	EXPECT_EQ(container_free(owner, other), 0);
}

KTEST(pgtable, unmapping_flushes_before_it_frees)
{
	pfn_t f = map_one(V, URW);

	set_pdir_base(&pd);
	EXPECT(machine_writes(V)); /* now in the TLB */
	EXPECT_EQ(unmap_page(&pd, V, &batch), 0);
	EXPECT_EQ(frame_refs(f), 1); /* not before the flush */
	tlb_finish(&batch);
	EXPECT_EQ(frame_refs(f), 0);
	EXPECT(!machine_reads(V));
}

KTEST(pgtable, unmapping_an_absent_page_is_refused)
{
	EXPECT_EQ(unmap_page(&pd, V, &batch), -ENOENT);
	EXPECT_EQ(alloc_ptbl(&pd, VA), 0);
	EXPECT_EQ(unmap_page(&pd, V, &batch), -ENOENT);
	EXPECT(batch.first >= batch.end);
}

/* Changed permissions are seen at once behind the batch, whatever the TLB held. */
KTEST(pgtable, a_changed_entry_owes_a_flush)
{
	pfn_t f = map_one(V, URW);

	set_pdir_base(&pd);
	EXPECT(machine_writes(V));
	EXPECT_EQ(set_ptbl_entry_by_va(&pd, VA, f, PROT_R | PROT_USER | PROT_OWNED, &batch), 0);
	tlb_finish(&batch);
	EXPECT(!machine_writes(V));
	EXPECT(machine_reads(V));
}

KTEST(pgtable, more_pages_than_a_batch_holds)
{
	uint32_t n = TLB_BATCH_FRAMES + 20, before = charged();

	for (uint32_t i = 0; i < n; i++)
		ASSERT_EQ(alloc_page(&pd, V + i, URW), 0);
	set_pdir_base(&pd);
	for (uint32_t i = 0; i < n; i++)
		EXPECT(machine_writes(V + i));
	EXPECT_EQ(unmap_region(&pd, PAGES(V, n), &batch), 0);
	tlb_finish(&batch);
	for (uint32_t i = 0; i < n; i++)
		EXPECT(!machine_reads(V + i));
	EXPECT(charged() - before <= 2); /* the tables stay */
}

KTEST(pgtable, alloc_page_gives_a_zeroed_page_and_charges_it)
{
	uint32_t before = charged();
	pfn_t f;

	ASSERT_EQ(alloc_page(&pd, V, URW), 0);
	EXPECT_EQ(charged(), before + 2); /* the page and its table */
	f = arch_pte_pfn(get_ptbl_entry_by_va(&pd, VA));
	EXPECT(arch_frame_is_filled(f, 0));
	EXPECT_EQ(frame_owner(f), owner.index);
	EXPECT_EQ(frame_state(f), FRAME_USER);
}

static const uint32_t fail_points[] = {0, 1};

/* Frame and table can fail, in turn; either way nothing is left behind. */
KTEST_EACH(pgtable, a_failed_alloc_page_changes_nothing, fail_points)
{
	uint32_t before = charged(), used = machine_frames_used();

	machine_fail_after((int32_t)param);
	EXPECT_EQ(alloc_page(&pd, V, URW), -ENOMEM);
	machine_fail_after(-1);
	EXPECT_EQ(charged(), before);
	EXPECT_EQ(machine_frames_used(), used);
	EXPECT(!maps(V));
	EXPECT_EQ(arch_pte_kind(1, get_pdir_entry_by_va(&pd, VA)), PTE_NONE);
}

KTEST(pgtable, alloc_page_stops_at_the_quota)
{
	uint32_t n = 0;

	while (n < 300 && !alloc_page(&pd, V + n, URW))
		n++;
	EXPECT_EQ(charged(), 200);
	EXPECT_EQ(alloc_page(&pd, V + n, URW), -EDQUOT);
	EXPECT(!maps(V + n));
}

KTEST(pgtable, alloc_ptbl_charges_one_cleared_table)
{
	uint32_t before = charged();
	pfn_t table;

	set_pdir_base(&pd); /* what the MMU is shown before it is cleared is a violation */
	EXPECT_EQ(alloc_ptbl(&pd, VA), 0);
	EXPECT_EQ(charged(), before + 1);
	table = arch_pte_pfn(get_pdir_entry_by_va(&pd, VA));
	EXPECT_EQ(frame_state(table), FRAME_TABLE);
	EXPECT(arch_frame_is_filled(table, 0));
	EXPECT_EQ(alloc_ptbl(&pd, VA), -EEXIST);
	EXPECT_EQ(charged(), before + 1);
	EXPECT_EQ(free_ptbl(&pd, VA, &batch), 0);
	EXPECT_EQ(frame_refs(table), 1);
	tlb_finish(&batch);
	EXPECT_EQ(charged(), before);
}

KTEST(pgtable, a_failed_alloc_ptbl_changes_nothing)
{
	uint32_t before = charged();

	machine_fail_after(0);
	EXPECT_EQ(alloc_ptbl(&pd, VA), -ENOMEM);
	EXPECT_EQ(charged(), before);
	EXPECT_EQ(arch_pte_kind(1, get_pdir_entry_by_va(&pd, VA)), PTE_NONE);
}

KTEST(pgtable, free_ptbl_of_an_absent_or_used_table_is_refused)
{
	EXPECT_EQ(free_ptbl(&pd, VA, &batch), -ENOENT);
	map_one(V, URW);
	EXPECT_EQ(free_ptbl(&pd, VA, &batch), -EBUSY);
	EXPECT(maps(V));
	EXPECT_EQ(unmap_page(&pd, V, &batch), 0);
	EXPECT_EQ(free_ptbl(&pd, VA, &batch), 0);
	EXPECT_EQ(free_ptbl(&pd, VA, &batch), -ENOENT);
}

/* The CPU caches what the upper entry said: the table is not free before that is flushed. */
KTEST(pgtable, a_freed_table_is_flushed_first)
{
	pfn_t table;

	map_one(V, URW);
	set_pdir_base(&pd);
	EXPECT(machine_reads(V));
	table = arch_pte_pfn(get_pdir_entry_by_va(&pd, VA));
	EXPECT_EQ(unmap_page(&pd, V, &batch), 0);
	EXPECT_EQ(free_ptbl(&pd, VA, &batch), 0);
	EXPECT_EQ(frame_refs(table), 1);
	tlb_finish(&batch);
	EXPECT_EQ(frame_refs(table), 0);
	EXPECT_EQ(alloc_page(&pd, V, URW), 0);
	EXPECT(machine_writes(V));
}

KTEST(pgtable, setters_need_the_level_above)
{
	pfn_t f = user_frame();

	EXPECT_EQ(set_ptbl_entry_by_va(&pd, VA, f, URW, &batch), -ENOENT);
	EXPECT_EQ(rmv_ptbl_entry_by_va(&pd, VA, &batch), -ENOENT);
	EXPECT_EQ(rmv_pdir_entry_by_va(&pd, VA, &batch), -ENOENT);
	EXPECT_EQ(get_ptbl_entry_by_va(&pd, VA).raw, 0);
	EXPECT_EQ(alloc_ptbl(&pd, VA), 0);
	EXPECT_EQ(rmv_ptbl_entry_by_va(&pd, VA, &batch), -ENOENT);
	EXPECT_EQ(set_ptbl_entry_by_va(&pd, VA, f, URW, &batch), 0);
	EXPECT(batch.first >= batch.end); /* from absent to present: nothing owed */
	EXPECT_EQ(arch_pte_pfn(get_ptbl_entry_by_va(&pd, VA)).n, f.n);
	EXPECT_EQ(rmv_pdir_entry_by_va(&pd, VA, &batch), -EBUSY);
	EXPECT_EQ(rmv_ptbl_entry_by_va(&pd, VA, &batch), 0);
	EXPECT_EQ(batch.first, V);
	EXPECT_EQ(container_free(owner, f), 0);
}

KTEST(pgtable, the_kernels_half_is_not_to_be_changed)
{
	vaddr_t va = vaddr_of(ARCH_KERNEL_VPN + 0x500);
	uint32_t before = charged();
	pfn_t f = user_frame();

	EXPECT_EQ(set_ptbl_entry_by_va(&pd, va, f, URW, &batch), -EPERM);
	EXPECT_EQ(rmv_ptbl_entry_by_va(&pd, va, &batch), -EPERM);
	EXPECT_EQ(set_pdir_entry_by_va(&pd, va, f, &batch), -EPERM);
	EXPECT_EQ(rmv_pdir_entry_by_va(&pd, va, &batch), -EPERM);
	EXPECT_EQ(alloc_ptbl(&pd, va), -EPERM);
	EXPECT_EQ(free_ptbl(&pd, va, &batch), -EPERM);
	EXPECT_EQ(map_page(&pd, vpn_of(va), f, URW), -EPERM);
	EXPECT_EQ(unmap_page(&pd, vpn_of(va), &batch), -EPERM);
	EXPECT_EQ(map_region(&pd, PAGES(ARCH_KERNEL_VPN - 1, 2), f, PROT_R), -EPERM);
	EXPECT_EQ(unmap_region(&pd, PAGES(ARCH_KERNEL_VPN - 1, 2), &batch), -EPERM);
	EXPECT_EQ(alloc_page(&pd, KMAP_DEVICE_VPN + KMAP_DEVICE_PAGES - 1, PROT_R),
		  -EPERM); /* no device there */
	EXPECT_EQ(map_page(&kernel_pdir, KMAP_STACK_VPN, f, URW), -EPERM);
	EXPECT_EQ(charged(), before + 1);
	EXPECT_EQ(container_free(owner, f), 0);
}

KTEST(pgtable, a_kernel_frame_gets_no_user_mapping)
{
	pfn_t f;

	ASSERT_EQ(container_alloc(owner, ALLOC_KERNEL, &f), 0);
	EXPECT_EQ(map_page(&pd, V, f, URW), -EPERM);
	EXPECT_EQ(map_page(&pd, V, pd.root, PROT_R | PROT_USER), -EPERM);
	EXPECT_EQ(map_page(&pd, V, arch_image().text, PROT_R | PROT_USER), -EPERM);
	EXPECT_EQ(container_free(owner, f), 0);
	EXPECT_EQ(map_page(&pd, V, f, URW), -EPERM); /* free by now */
}

KTEST(pgtable, page_0_cannot_be_mapped)
{
	EXPECT_EQ(alloc_page(&pd, 0, URW), -EPERM);
	EXPECT_EQ(map_page(&pd, 0, machine_device_frames(1), PROT_R), -EPERM);
	EXPECT_EQ(map_region(&pd, PAGES(0, 2), machine_device_frames(2), PROT_R), -EPERM);
	EXPECT_EQ(alloc_ptbl(&pd, 0), 0);
	EXPECT_EQ(set_ptbl_entry_by_va(&pd, 0, machine_device_frames(1), PROT_R, &batch), -EPERM);
	EXPECT(!maps(0));
}

/* In two-level mode the number of such a frame would lose its upper bits. */
KTEST(pgtable, a_frame_beyond_the_reach_is_refused)
{
	EXPECT_EQ(map_page(&pd, V, PFN(arch_mmu.pfn_end), PROT_R | PROT_USER), -EPERM);
	EXPECT_EQ(map_page(&pd, V, PFN(arch_mmu.pfn_end + arch_image().text.n), URW), -EPERM);
	EXPECT_EQ(map_page(&pd, V, NO_FRAME, URW), -EPERM);
	EXPECT_EQ(alloc_ptbl(&pd, VA), 0);
	EXPECT_EQ(set_ptbl_entry_by_va(&pd, VA, PFN(arch_mmu.pfn_end), PROT_R, &batch), -EINVAL);
	EXPECT(!maps(V));
}

KTEST(pgtable, every_leaf_is_present)
{
	EXPECT_EQ(alloc_page(&pd, V, PROT_W | PROT_USER), 0);
	EXPECT_EQ(alloc_page(&pd, V, PROT_W | PROT_USER), -EEXIST);
	EXPECT(maps(V));
}

KTEST(pgtable, an_entry_owns_only_what_has_references)
{
	pfn_t f = user_frame();

	EXPECT_EQ(map_page(&pd, V, arch_image().text, PROT_R | PROT_OWNED), -EPERM);
	EXPECT_EQ(map_page(&pd, V, f, PROT_R | PROT_GLOBAL), -EPERM);
	EXPECT_EQ(container_free(owner, f), 0);
}

KTEST(pgtable, set_pdir_takes_a_table_and_rmv_gives_it_back)
{
	uint32_t before = charged();
	struct table_stock stock;
	pfn_t table, f = user_frame();

	ASSERT_EQ(table_stock_fill(&stock, owner, 1), 0);
	table = table_stock_take(&stock);
	EXPECT_EQ(table_stock_take(&stock).n, 0);
	EXPECT_EQ(set_pdir_entry_by_va(&pd, VA, table, &batch), 0);
	EXPECT_EQ(map_page(&pd, V, f, URW | PROT_OWNED), 0);
	EXPECT_EQ(set_pdir_entry_by_va(&pd, VA, table, &batch), -EBUSY);
	EXPECT_EQ(unmap_page(&pd, V, &batch), 0);
	EXPECT_EQ(rmv_pdir_entry_by_va(&pd, VA, &batch), 0);
	EXPECT(batch.end - batch.first > ARCH_TLB_RANGE_MAX);
	tlb_finish(&batch);
	EXPECT_EQ(frame_refs(table), 1);
	frame_put(table);
	EXPECT_EQ(charged(), before);
}

KTEST(pgtable, a_replaced_table_owes_a_flush)
{
	struct table_stock stock;
	pfn_t a, b;

	ASSERT_EQ(table_stock_fill(&stock, owner, 2), 0);
	a = table_stock_take(&stock);
	b = table_stock_take(&stock);
	EXPECT_EQ(set_pdir_entry_by_va(&pd, VA, a, &batch), 0);
	EXPECT_EQ(batch.end, 0); /* from absent to present: nothing owed */
	EXPECT_EQ(set_pdir_entry_by_va(&pd, VA, b, &batch), 0);
	EXPECT(batch.end - batch.first > ARCH_TLB_RANGE_MAX);
	tlb_finish(&batch);
	EXPECT_EQ(arch_pte_pfn(get_pdir_entry_by_va(&pd, VA)).n, b.n);
	frame_put(a);
	EXPECT_EQ(free_ptbl(&pd, VA, &batch), 0);
}

KTEST(pgtable, walk_creates_only_with_a_stock)
{
	struct table_stock empty = {NO_FRAME, 0};
	struct pt_slot s = pgdir_walk(&pd, V, 0, NULL);

	EXPECT_EQ(s.level, 1);
	EXPECT_EQ(arch_pte_read(s.entry).raw, 0);
	s = pgdir_walk(&pd, V, 0, &empty);
	EXPECT(!s.entry);
	EXPECT_EQ(arch_pte_kind(1, get_pdir_entry_by_va(&pd, VA)), PTE_NONE);
}

KTEST(pgtable, map_region_maps_all_of_a_range_over_several_tables)
{
	struct pages range = PAGES(2 * SPAN - 3, SPAN + 6);
	pfn_t f = machine_device_frames(range.count);
	uint32_t before = charged();

	EXPECT_EQ(map_region(&pd, range, f, PROT_R | PROT_USER), 0);
	EXPECT_EQ(charged(), before + 3); /* the tables are the directory's owner's */
	for (uint32_t i = 0; i < range.count; i++)
		ASSERT_EQ(arch_pte_pfn(get_ptbl_entry_by_va(&pd, vaddr_of(range.first + i))).n, f.n + i);
	EXPECT(!maps(range.first - 1) && !maps(range.first + range.count));
	EXPECT_EQ(unmap_region(&pd, range, &batch), 0);
	for (uint32_t i = 0; i < range.count; i++)
		ASSERT(!maps(range.first + i));
}

static const uint32_t tables_left[] = {0, 1, 2};

/* One that runs dry leaves the directory as it was, the tables before it as well. */
KTEST_EACH(pgtable, a_failed_map_region_changes_nothing, tables_left)
{
	struct pages range = PAGES(2 * SPAN - 1, SPAN + 2);
	uint32_t before = charged();

	machine_fail_after((int32_t)param);
	EXPECT_EQ(map_region(&pd, range, machine_device_frames(range.count), PROT_R | PROT_USER), -ENOMEM);
	machine_fail_after(-1);
	EXPECT_EQ(charged(), before);
	for (vpn_t v = range.first; v < range.first + range.count; v += SPAN / 4)
		EXPECT(!maps(v));
	for (vpn_t v = SPAN; v < 4 * SPAN; v += SPAN)
		EXPECT_EQ(arch_pte_kind(1, get_pdir_entry_by_va(&pd, vaddr_of(v))), PTE_NONE);
}

KTEST(pgtable, map_region_over_a_page_changes_nothing)
{
	struct pages range = PAGES(2 * SPAN - 5, SPAN + 10);
	uint32_t before;

	map_one(range.first + range.count - 1, URW);
	before = charged();
	EXPECT_EQ(map_region(&pd, range, machine_device_frames(range.count), PROT_R | PROT_USER), -EEXIST);
	EXPECT_EQ(charged(), before);
	EXPECT(!maps(range.first));
	EXPECT_EQ(arch_pte_kind(1, get_pdir_entry_by_va(&pd, vaddr_of(range.first))), PTE_NONE);
}

KTEST(pgtable, ranges_beyond_the_address_space_are_refused)
{
	EXPECT_EQ(map_region(&pd, PAGES(ARCH_VPN_END - 1, 2), PFN(1), PROT_R), -EINVAL);
	EXPECT_EQ(map_region(&pd, PAGES(5, UINT32_MAX), PFN(1), PROT_R), -EINVAL);
	EXPECT_EQ(map_region(&pd, PAGES(5, 2), PFN(arch_mmu.pfn_end - 1), PROT_R), -EINVAL);
	EXPECT_EQ(unmap_region(&pd, PAGES(ARCH_VPN_END, 1), &batch), -EINVAL);
	EXPECT_EQ(unmap_region(&pd, PAGES(5, UINT32_MAX), &batch), -EINVAL);
}

/* Page 2^20 - 1 is mapped and unmapped like any other, and the range ends at 2^20. */
KTEST(pgtable, the_end_of_the_address_space_is_no_special_case)
{
	vpn_t last = ARCH_VPN_END - 1;
	pfn_t f = machine_device_frames(1);
	struct tlb_batch b;

	tlb_begin(&b, kernel_pdir.root);
	EXPECT_EQ(map_region(&kernel_pdir, PAGES(last, 1), f, PROT_R), 0);
	EXPECT_EQ(arch_pte_pfn(get_ptbl_entry_by_va(&kernel_pdir, vaddr_of(last))).n, f.n);
	EXPECT_EQ(unmap_region(&kernel_pdir, PAGES(last, 1), &b), 0);
	tlb_finish(&b);
	EXPECT_EQ(get_ptbl_entry_by_va(&kernel_pdir, vaddr_of(last)).raw, 0);
}

/* Each directory has a copy of the kernel's root entries: one more would be in none of them. */
KTEST(pgtable, the_kernels_root_does_not_change)
{
	vpn_t v = KMAP_DEVICE_VPN + KMAP_DEVICE_PAGES; /* behind the last window there is no table */

	if (ARCH_PT_ROOT_EAGER)
		SKIP("this mode's root has no entry left to be filled");
	EXPECT_EQ(alloc_ptbl(&kernel_pdir, vaddr_of(v)), -EPERM);
	EXPECT_EQ(map_page(&kernel_pdir, v, machine_device_frames(1), PROT_R), -EPERM);
	EXPECT_EQ(map_region(&kernel_pdir, PAGES(v - 1, 2), machine_device_frames(2), PROT_R), -EPERM);
	EXPECT_EQ(arch_pte_kind(1, get_pdir_entry_by_va(&kernel_pdir, vaddr_of(v))), PTE_NONE);
}

KTEST(pgtable, mappages_rounds_bytes_outward)
{
	uint64_t pa = (uint64_t)machine_device_frames(8).n << PAGE_SHIFT;

	EXPECT_EQ(mappages(&pd, VA + 0xfff, 2, PADDR(pa + 0xfff), PROT_R | PROT_USER), 0);
	EXPECT(maps(V) && maps(V + 1) && !maps(V + 2));
	EXPECT_EQ(mappages(&pd, VA + 0x5001, 10, PADDR(pa), PROT_R), -EINVAL);
	EXPECT_EQ(mappages(&pd, VA + 0x5000, 10, PADDR(UINT64_MAX & ~0xfffull), PROT_R), -EINVAL);
	EXPECT_EQ(mappages(&pd, VA + 0x1000, PAGE_SIZE, PADDR(pa), PROT_R), -EEXIST);
	EXPECT_EQ(mappages(&pd, vaddr_of(ARCH_VPN_END - 1), UINT32_MAX, PADDR(pa), PROT_R), -EINVAL);
}

KTEST(pgtable, vm_free_gives_everything_back_once)
{
	uint32_t used = machine_frames_used(), before = charged();
	struct pdir other;
	pfn_t shared;

	ASSERT_EQ(pdir_init(&other, owner), 0);
	EXPECT_EQ(charged(), before + 1 + ARCH_PT_ROOT_EAGER * 3);
	for (vpn_t v = 1; v < ARCH_KERNEL_VPN; v += ARCH_KERNEL_VPN / 7)
		ASSERT_EQ(alloc_page(&other, v, URW), 0);
	shared = map_one(V, URW);
	EXPECT_EQ(frame_get(shared), 0);
	EXPECT_EQ(map_page(&other, V, shared, PROT_R | PROT_USER | PROT_OWNED), 0);
	set_pdir_base(&other);
	EXPECT(machine_reads(V));
	set_pdir_base(&pd);
	vm_free(&other);
	EXPECT_EQ(frame_refs(shared), 1);
	EXPECT_EQ(unmap_page(&pd, V, &batch), 0);
	EXPECT_EQ(free_ptbl(&pd, VA, &batch), 0);
	tlb_finish(&batch);
	EXPECT_EQ(charged(), before);
	EXPECT_EQ(machine_frames_used(), used);
}

KTEST_PANICS(pgtable, vm_free_of_the_loaded_directory_panics, "vm_free of the loaded directory")
{
	set_pdir_base(&pd);
	vm_free(&pd);
}

static const uint32_t points[] = {0, 1, 2, 3};

KTEST_EACH(pgtable, a_failed_pdir_init_changes_nothing, points)
{
	uint32_t before = charged(), used = machine_frames_used();
	struct pdir other;
	int err;

	machine_fail_after((int32_t)param);
	err = pdir_init(&other, owner);
	machine_fail_after(-1);
	if (!err)
		vm_free(&other);
	EXPECT_EQ(err, param < 1 + ARCH_PT_ROOT_EAGER * 3 ? -ENOMEM : 0);
	EXPECT_EQ(charged(), before);
	EXPECT_EQ(machine_frames_used(), used);
}

/* More directories than any fixed pool: as many as the quota allows. */
KTEST(pgtable, directories_are_limited_by_the_quota_alone)
{
	static struct pdir many[100];
	uint32_t n = 0;

	while (n < 100 && !pdir_init(&many[n], owner))
		n++;
	EXPECT(n == 100 || charged() + 1 + ARCH_PT_ROOT_EAGER * 3 > 200);
	while (n--)
		vm_free(&many[n]);
}

KTEST(pgtable, alloc_mem_quota_gives_a_process_its_own_memory)
{
	uint32_t before = charged(), q = 0;
	struct pdir process;

	ASSERT_EQ(alloc_mem_quota(&process, owner, 50), 0);
	EXPECT_EQ(charged(), before + 50);
	EXPECT_EQ(container_get_quota(process.owner, &q), 0);
	EXPECT_EQ(q, 50);
	EXPECT_EQ(alloc_page(&process, V, URW), 0);
	EXPECT_EQ(charged(), before + 50);
	free_mem_quota(&process);
	EXPECT_EQ(charged(), before);
	EXPECT_EQ(container_get_quota(process.owner, &q), -ESRCH);
}

KTEST(pgtable, a_failed_alloc_mem_quota_changes_nothing)
{
	uint32_t before = charged(), count = container_count();
	struct pdir process;

	EXPECT_EQ(alloc_mem_quota(&process, owner, 201), -EDQUOT);
	EXPECT_EQ(alloc_mem_quota(&process, owner, 0), -EDQUOT);
	machine_fail_after(0);
	EXPECT_EQ(alloc_mem_quota(&process, owner, 50), -ENOMEM);
	machine_fail_after(-1);
	EXPECT_EQ(charged(), before);
	EXPECT_EQ(container_count(), count);
}

KTEST(pgtable, exchange_keeps_what_the_cpu_noted)
{
	pte_t e;

	map_one(V, URW);
	set_pdir_base(&pd);
	e = get_ptbl_entry_by_va(&pd, VA);
	EXPECT(!arch_pte_accessed(e) && !arch_pte_dirty(e));
	EXPECT(machine_writes(V));
	e = get_ptbl_entry_by_va(&pd, VA);
	EXPECT(arch_pte_accessed(e) && arch_pte_dirty(e));
	e = arch_pte_exchange(pgdir_walk(&pd, V, 0, NULL).entry, arch_pte_none());
	EXPECT(arch_pte_dirty(e));
	arch_pte_write(pgdir_walk(&pd, V, 0, NULL).entry, e);
}

static int count_leaves(const struct pt_leaf *leaf, void *arg)
{
	uint32_t *seen = arg;

	seen[0]++;
	return leaf->v == V + 2 ? 7 : 0;
}

KTEST(pgtable, each_leaf_is_visited_in_order_until_one_says_stop)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < 4; i++)
		map_one(V + i, URW);
	EXPECT_EQ(pdir_each_leaf(&pd, PAGES(0, V + 2), count_leaves, &seen), 0);
	EXPECT_EQ(seen, 2);
	seen = 0;
	EXPECT_EQ(pdir_each_leaf(&pd, PAGES(0, ARCH_KERNEL_VPN), count_leaves, &seen), 7);
	EXPECT_EQ(seen, 3);
}

/* Every page of a few tables against a plain array, with everything that maps and unmaps. */
#define MODEL_PAGES 300u
#define MODEL_FIRST (3 * SPAN - 150)

static uint32_t model[MODEL_PAGES];

static void random_step(void)
{
	uint32_t i = ktest_random_below(MODEL_PAGES), n = 1 + ktest_random_below(20);
	int err;

	n = n > MODEL_PAGES - i ? MODEL_PAGES - i : n;
	if (ktest_random_below(3)) {
		err = alloc_page(&pd, MODEL_FIRST + i, URW);
		EXPECT(model[i] ? err == -EEXIST : err == 0 || err == -EDQUOT);
		if (!err)
			model[i] = arch_pte_pfn(get_ptbl_entry_by_va(&pd, vaddr_of(MODEL_FIRST + i))).n;
		return;
	}
	EXPECT_EQ(unmap_region(&pd, PAGES(MODEL_FIRST + i, n), &batch), 0);
	tlb_finish(&batch);
	while (n--)
		model[i + n] = 0;
}

KTEST(pgtable, random_history_against_a_model)
{
	set_pdir_base(&pd);
	for (uint32_t i = 0; i < MODEL_PAGES; i++)
		model[i] = 0;
	for (uint32_t step = 0; step < 1500; step++) {
		uint32_t i = ktest_random_below(MODEL_PAGES);

		random_step();
		ASSERT_EQ(machine_writes(MODEL_FIRST + i), model[i] != 0);
	}
	for (uint32_t i = 0; i < MODEL_PAGES; i++)
		ASSERT_EQ(arch_pte_pfn(get_ptbl_entry_by_va(&pd, vaddr_of(MODEL_FIRST + i))).n, model[i]);
}
