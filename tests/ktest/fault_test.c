/* tests/ktest/fault_test.c - what is made of a page when it is touched. */
#include <tests/ktest/space_fixture.h>

static struct space_fixture x;

KTEST_SETUP(fault)
{
	fixture_begin(&x);
}

KTEST_TEARDOWN(fault)
{
	fixture_end(&x);
}

static int fault_at(vaddr_t va, bool write)
{
	const struct vm_fault f = {va, write, false};

	return vm_fault(&x.s, &f);
}

static pfn_t frame_at(vaddr_t va)
{
	return arch_pte_pfn(get_ptbl_entry_by_va(&x.s.pd, va));
}

static bool is_mapped(vaddr_t va)
{
	return !arch_pte_is_none(get_ptbl_entry_by_va(&x.s.pd, va));
}

/* A file of some pages, each of which begins with its number and 100. */
static struct mapping *file_of(uint32_t bytes)
{
	struct mapping *m = mapping_create(x.tenant->owner, 0);

	for (uint32_t i = 0; m && i < (bytes + PAGE - 1) / PAGE; i++) {
		uint32_t word = 100 + i;

		EXPECT_EQ(mapping_write(m, (uint64_t)i * PAGE, &word, 4), 4);
	}
	EXPECT_EQ(mapping_truncate(m, bytes), 0);
	return m;
}

KTEST(fault, no_area_is_efault)
{
	EXPECT_EQ(fault_at(AT, false), -EFAULT);
	EXPECT_EQ(fault_at(0, false), -EFAULT);
	EXPECT_EQ(fault_at(0xFFFFF000u, true), -EFAULT);
	EXPECT_EQ(fault_at(0xC0000000u, false), -EFAULT);
	ASSERT_EQ(map_at(&x.s, AT, 2, RW, ANON), AT);
	EXPECT_EQ(fault_at(AT - 1, false), -EFAULT);
	EXPECT_EQ(fault_at(AT + 2 * PAGE, false), -EFAULT);
	EXPECT_EQ(fault_at(AT + 2 * PAGE - 1, false), 0);
}

KTEST(fault, untouched_memory_reads_as_zeros_and_costs_no_frame)
{
	uint32_t before;

	ASSERT_EQ(map_at(&x.s, AT, 8, RW, ANON), AT);
	EXPECT_EQ(load(&x.s, AT), 0);
	before = charged_to(x.tenant);
	for (uint32_t i = 0; i < 8; i++)
		EXPECT_EQ(load(&x.s, AT + i * PAGE), 0);
	EXPECT_EQ(charged_to(x.tenant), before);
	EXPECT_EQ(frame_at(AT).n, zero_frame.n);
	EXPECT(arch_frame_is_filled(zero_frame, 0));
}

KTEST(fault, a_write_gives_a_zeroed_frame_that_the_tenant_pays)
{
	uint32_t before;

	ASSERT_EQ(map_at(&x.s, AT, 8, RW, ANON), AT);
	EXPECT_EQ(load(&x.s, AT), 0);
	before = charged_to(x.tenant);
	EXPECT_EQ(store(&x.s, AT + 8, 77), 0);
	EXPECT_EQ(store(&x.s, AT + PAGE, 78), 0);
	EXPECT_EQ(charged_to(x.tenant), before + 2);
	EXPECT_EQ(load(&x.s, AT), 0);
	EXPECT_EQ(load(&x.s, AT + 8), 77);
	EXPECT_EQ(load(&x.s, AT + PAGE), 78);
	EXPECT_EQ(frame_owner(frame_at(AT)), x.tenant->owner.index);
}

KTEST(fault, what_the_area_forbids_is_eacces)
{
	ASSERT_EQ(map_at(&x.s, AT, 1, PROT_READ, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + PAGE, 1, PROT_NONE, ANON), AT + PAGE);
	EXPECT_EQ(fault_at(AT, true), -EACCES);
	EXPECT_EQ(load(&x.s, AT), 0);
	EXPECT_EQ(store(&x.s, AT, 1), -EACCES);
	EXPECT_EQ(fault_at(AT + PAGE, false), -EACCES);
	EXPECT_EQ(fault_at(AT + PAGE, true), -EACCES);
	EXPECT(arch_frame_is_filled(zero_frame, 0));
}

KTEST(fault, fetching_data_is_eacces_where_there_is_no_execute)
{
	const struct vm_fault data = {AT, false, true}, code = {AT + PAGE, false, true};

	ASSERT_EQ(map_at(&x.s, AT, 1, RW, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + PAGE, 1, PROT_READ | PROT_EXEC, ANON), AT + PAGE);
	EXPECT_EQ(vm_fault(&x.s, &data), arch_mmu.nx ? -EACCES : 0);
	EXPECT_EQ(vm_fault(&x.s, &code), 0);
	EXPECT(machine_executes(vpn_of(AT + PAGE)));
}

KTEST(fault, memory_that_can_only_be_written_or_executed_can_be_read_too)
{
	ASSERT_EQ(map_at(&x.s, AT, 1, PROT_WRITE, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + PAGE, 1, PROT_EXEC, ANON), AT + PAGE);
	EXPECT_EQ(load(&x.s, AT), 0);
	EXPECT_EQ(load(&x.s, AT + PAGE), 0);
}

/* A table and a frame; the table may stay for the next time. */
KTEST(fault, out_of_memory_is_enomem_and_maps_nothing)
{
	ASSERT_EQ(map_at(&x.s, AT, 4, RW, ANON), AT);
	for (int32_t left = 0; left < 2; left++) {
		machine_fail_after(left);
		EXPECT_EQ(fault_at(AT, true), -ENOMEM);
		machine_fail_after(-1);
		EXPECT(!is_mapped(AT));
	}
	EXPECT_EQ(fault_at(AT, true), 0);
}

KTEST(fault, a_copy_of_a_files_page_without_memory_is_enomem)
{
	struct mapping *m = file_of(PAGE);

	ASSERT_EQ(map_private(&x.s, AT, 1, RW, m), AT);
	ASSERT_EQ(map_at(&x.s, AT + PAGE, 1, RW, ANON), AT + PAGE);
	EXPECT_EQ(store(&x.s, AT + PAGE, 1), 0); /* the table is there */
	machine_fail_after(0);
	EXPECT_EQ(store(&x.s, AT, 1), -ENOMEM);
	machine_fail_after(-1);
	EXPECT_EQ(load(&x.s, AT), 100);
	mapping_put(m);
}

KTEST(fault, a_tenant_without_quota_gets_enomem)
{
	uint32_t pages = 0;

	ASSERT_EQ(map_at(&x.s, AT, TENANT_PAGES, RW, ANON), AT);
	while (pages <= TENANT_PAGES && !fault_at(AT + pages * PAGE, true))
		pages++;
	EXPECT_EQ(fault_at(AT + pages * PAGE, true), -ENOMEM);
	EXPECT_EQ(charged_to(x.tenant), TENANT_PAGES);
	EXPECT_EQ(fault_at(AT + pages * PAGE, false), 0); /* the zero page costs nothing */
}

KTEST(fault, a_page_of_a_file_is_the_caches)
{
	struct mapping *m = file_of(3 * PAGE);
	pfn_t f;

	ASSERT_EQ(map_shared(&x.s, AT, 3, RW, m), AT);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(load(&x.s, AT + i * PAGE), 100 + i);
	EXPECT_EQ(mapping_page(m, 1, false, &f), 0);
	EXPECT_EQ(frame_at(AT + PAGE).n, f.n);
	EXPECT_EQ(store(&x.s, AT + PAGE + 4, 55), 0);
	mapping_put(m);
}

KTEST(fault, a_shared_write_is_seen_by_read_and_a_write_by_the_area)
{
	struct mapping *m = file_of(2 * PAGE);
	uint32_t word = 0;

	ASSERT_EQ(map_shared(&x.s, AT, 2, RW, m), AT);
	EXPECT_EQ(store(&x.s, AT + PAGE, 4711), 0);
	EXPECT_EQ(mapping_read(m, PAGE, &word, 4), 4);
	EXPECT_EQ(word, 4711);
	word = 4712;
	EXPECT_EQ(mapping_write(m, PAGE, &word, 4), 4);
	EXPECT_EQ(load(&x.s, AT + PAGE), 4712);
	mapping_put(m);
}

KTEST(fault, a_private_write_is_not_seen_by_the_file)
{
	struct mapping *m = file_of(2 * PAGE);
	uint32_t word = 0;

	ASSERT_EQ(map_private(&x.s, AT, 2, RW, m), AT);
	EXPECT_EQ(load(&x.s, AT), 100);
	EXPECT_EQ(store(&x.s, AT + 4, 1), 0);        /* read before */
	EXPECT_EQ(store(&x.s, AT + PAGE + 4, 2), 0); /* never touched before */
	EXPECT_EQ(load(&x.s, AT), 100);
	EXPECT_EQ(load(&x.s, AT + PAGE), 101);
	EXPECT_EQ(load(&x.s, AT + PAGE + 4), 2);
	EXPECT_EQ(mapping_read(m, PAGE + 4, &word, 4), 4);
	EXPECT_EQ(word, 0);
	word = 5;
	EXPECT_EQ(mapping_write(m, 4, &word, 4), 4);
	EXPECT_EQ(load(&x.s, AT + 4), 1);
	mapping_put(m);
}

KTEST(fault, beyond_the_end_of_the_file_is_enxio_and_its_tail_is_zero)
{
	struct mapping *m = file_of(PAGE + 10);

	ASSERT_EQ(map_shared(&x.s, AT, 4, RW, m), AT);
	EXPECT_EQ(fault_at(AT + 2 * PAGE, false), -ENXIO);
	EXPECT_EQ(fault_at(AT + 2 * PAGE, true), -ENXIO);
	EXPECT_EQ(load(&x.s, AT + PAGE), 101);
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE - 4), 0);
	EXPECT_EQ(store(&x.s, AT + 2 * PAGE - 4, 9), 0);
	EXPECT_EQ(m->size, PAGE + 10);
	EXPECT_EQ(mapping_truncate(m, 4 * PAGE), 0);
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE - 4), 0); /* what was written behind the end is not in the file */
	EXPECT_EQ(load(&x.s, AT + 3 * PAGE), 0);
	mapping_put(m);
}

KTEST(fault, cutting_a_file_takes_its_pages_from_programs)
{
	struct mapping *m = file_of(4 * PAGE);

	ASSERT_EQ(map_shared(&x.s, AT, 4, RW, m), AT);
	ASSERT_EQ(map_private(&x.s, AT + 4 * PAGE, 4, RW, m), AT + 4 * PAGE);
	for (uint32_t i = 0; i < 8; i++)
		EXPECT_EQ(store(&x.s, AT + i * PAGE, i), 0);
	EXPECT_EQ(mapping_truncate(m, PAGE + 4), 0);
	EXPECT_EQ(load(&x.s, AT + PAGE), 1);
	EXPECT_EQ(fault_at(AT + 2 * PAGE, false), -ENXIO);
	EXPECT(!machine_reads(vpn_of(AT + 2 * PAGE)));
	EXPECT_EQ(load(&x.s, AT + 5 * PAGE), 5);
	EXPECT(!machine_reads(vpn_of(AT + 6 * PAGE)));
	EXPECT_EQ(fault_at(AT + 7 * PAGE, true), -ENXIO);
	mapping_put(m);
}

KTEST(fault, a_read_maps_what_the_cache_has_around_and_brings_nothing_in)
{
	struct mapping *m = file_of(40 * PAGE);
	uint32_t pages;

	mapping_punch(m, 21, 1);
	pages = m->pages;
	ASSERT_EQ(map_private(&x.s, AT, 30, PROT_READ, m), AT);
	EXPECT_EQ(load(&x.s, AT + 20 * PAGE), 120);
	for (uint32_t i = 0; i < 30; i++)
		EXPECT_EQ(is_mapped(AT + i * PAGE), i >= 16 && i != 21);
	EXPECT_EQ(m->pages, pages);
	EXPECT_EQ(load(&x.s, AT + 21 * PAGE), 0);
	EXPECT_EQ(m->pages, pages + 1);
	mapping_put(m);
}

KTEST(fault, around_ends_with_the_area_and_with_the_file)
{
	struct mapping *m = file_of(20 * PAGE);
	const struct mmap_request r = {AT + 3 * PAGE, 20 * PAGE, PROT_READ, MAP_PRIVATE | FIXED, m,
				       true,          false,     2};

	pfn_t f;

	EXPECT_EQ(mapping_page(m, 20, true, &f), 0); /* reserved behind the end */
	ASSERT_EQ(space_mmap(&x.s, &r), AT + 3 * PAGE);
	EXPECT_EQ(load(&x.s, AT + 4 * PAGE), 103);
	for (uint32_t i = 0; i < 32; i++)
		EXPECT_EQ(is_mapped(AT + i * PAGE), i >= 3 && i < 16);
	EXPECT_EQ(load(&x.s, AT + 20 * PAGE), 119);
	for (uint32_t i = 16; i < 32; i++)
		EXPECT_EQ(is_mapped(AT + i * PAGE), i < 21);
	mapping_put(m);
}

/* A node of the cache has 64 pages. */
KTEST(fault, around_goes_on_in_the_next_node)
{
	struct mapping *m = file_of(80 * PAGE);
	const struct mmap_request r = {AT, 30 * PAGE, PROT_READ, MAP_PRIVATE | FIXED, m, true, false, 50};

	ASSERT_EQ(space_mmap(&x.s, &r), AT);
	EXPECT_EQ(load(&x.s, AT + 3 * PAGE), 153);
	for (uint32_t i = 0; i < 30; i++)
		EXPECT_EQ(is_mapped(AT + i * PAGE), i < 16);
	EXPECT_EQ(load(&x.s, AT + 15 * PAGE), 165);
	mapping_put(m);
}

KTEST(fault, a_file_is_released_with_its_last_area)
{
	struct mapping *m = file_of(PAGE);
	uint32_t before = charged_to(x.tenant);

	ASSERT_EQ(map_shared(&x.s, AT, 1, RW, m), AT);
	mapping_put(m); /* unlinked and closed */
	EXPECT_EQ(store(&x.s, AT, 5), 0);
	EXPECT_EQ(load(&x.s, AT), 5);
	EXPECT_EQ(space_munmap(&x.s, AT, PAGE), 0);
	EXPECT_EQ(charged_to(x.tenant), before - 1 + 1); /* less the page, more a table */
}

KTEST(fault, a_stack_grows_down_to_its_limit)
{
	vaddr_t top = 0xB0000000u;

	ASSERT_EQ(space_map_stack(&x.s, top, 100 * PAGE, RW), 0);
	EXPECT_EQ(store(&x.s, top - 4, 1), 0);
	EXPECT_EQ(store(&x.s, top - 60 * PAGE, 2), 0);
	EXPECT_EQ(space_next_area(&x.s, top - 60 * PAGE)->first, vpn_of(top) - 60);
	EXPECT_EQ(x.s.pages, 60);
	EXPECT_EQ(store(&x.s, top - 100 * PAGE, 3), 0);
	EXPECT_EQ(store(&x.s, top - 100 * PAGE - 4, 3), -EFAULT);
	EXPECT_EQ(x.tenant->committed, 100);
	EXPECT_EQ(load(&x.s, top - 60 * PAGE), 2);
}

KTEST(fault, a_stack_grows_within_the_limit_of_addresses)
{
	vaddr_t top = 0xB0000000u;

	ASSERT_EQ(space_map_stack(&x.s, top, 100 * PAGE, RW), 0);
	x.s.limits.address = 60 * PAGE;
	EXPECT_EQ(store(&x.s, top - 60 * PAGE, 1), 0);
	EXPECT_EQ(store(&x.s, top - 61 * PAGE, 1), -EFAULT);
}

KTEST(fault, a_stack_stops_at_the_guard_gap)
{
	vaddr_t top = AT + 1000 * PAGE;

	ASSERT_EQ(map_at(&x.s, AT, 1, PROT_READ, ANON), AT);
	ASSERT_EQ(map_at(&x.s, top - PAGE, 1, RW, ANON | MAP_GROWSDOWN | MAP_NORESERVE), top - PAGE);
	EXPECT_EQ(fault_at(AT + (GUARD_GAP + 1) * PAGE - 1, true), -EFAULT);
	EXPECT_EQ(fault_at(AT + (GUARD_GAP + 1) * PAGE, true), 0);
	EXPECT_EQ(fault_at(AT + (GUARD_GAP + 1) * PAGE - 1, true), -EFAULT);
	/* Nobody can touch what is mapped without rights: that is a guard itself. */
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, PROT_NONE), 0);
	EXPECT_EQ(fault_at(AT + PAGE, true), 0);
	EXPECT_EQ(fault_at(AT, true), -EACCES);
}

KTEST(fault, an_area_can_grow_up)
{
	ASSERT_EQ(map_at(&x.s, AT, 1, RW, ANON | MAP_GROWSUP | MAP_NORESERVE), AT);
	ASSERT_EQ(map_at(&x.s, AT + 1000 * PAGE, 1, RW, ANON), AT + 1000 * PAGE);
	EXPECT_EQ(fault_at(AT + 10 * PAGE, true), 0);
	EXPECT_EQ(x.s.pages, 12);
	EXPECT_EQ(fault_at(AT + (1000 - GUARD_GAP) * PAGE, true), -EFAULT);
	EXPECT_EQ(fault_at(AT + (1000 - GUARD_GAP) * PAGE - 1, true), 0);
	EXPECT_EQ(fault_at(AT - 1, true), -EFAULT);
}

KTEST(fault, growing_asks_the_tenant)
{
	vaddr_t top = 0xB0000000u;

	ASSERT_EQ(space_map_stack(&x.s, top, NO_LIMIT, RW), 0);
	EXPECT_EQ(fault_at(top - (34 + TENANT_PAGES) * PAGE, true), -EFAULT);
	EXPECT_EQ(x.s.pages, 33);
	EXPECT_EQ(fault_at(top - TENANT_PAGES * PAGE, true), 0);
	EXPECT_EQ(x.tenant->committed, TENANT_PAGES);
}

KTEST(fault, allocuvm_undoes_exactly_what_it_did)
{
	uint32_t before, left;

	ASSERT_EQ(map_at(&x.s, AT, 300, RW, ANON | MAP_NORESERVE), AT);
	EXPECT_EQ(store(&x.s, AT + 5 * PAGE, 55), 0);
	EXPECT_EQ(load(&x.s, AT + 6 * PAGE), 0);
	before = charged_to(x.tenant);
	left = TENANT_PAGES - before;
	EXPECT_EQ(allocuvm(&x.s, PAGES(vpn_of(AT), left + 2)), -ENOMEM);
	EXPECT_EQ(charged_to(x.tenant), before);
	EXPECT_EQ(load(&x.s, AT + 5 * PAGE), 55);
	EXPECT_EQ(load(&x.s, AT + 7 * PAGE), 0);
	EXPECT_EQ(allocuvm(&x.s, PAGES(vpn_of(AT), left)), 0);
	EXPECT_EQ(charged_to(x.tenant), before + left - 1);
	deallocuvm(&x.s, PAGES(vpn_of(AT), left));
	EXPECT_EQ(charged_to(x.tenant), before - 1);
	EXPECT_EQ(load(&x.s, AT + 5 * PAGE), 0);
	EXPECT_EQ(allocuvm(&x.s, PAGES(vpn_of(AT), 0)), 0);
	EXPECT_EQ(allocuvm(&x.s, PAGES(vpn_of(AT) + 299, 2)), -EFAULT);
	EXPECT(!is_mapped(AT + 299 * PAGE));
}

KTEST(fault, a_space_can_be_read_and_written_from_outside)
{
	uint32_t words[3] = {1, 2, 3}, got[3] = {0};

	ASSERT_EQ(map_at(&x.s, AT, 2, RW, ANON), AT);
	set_pdir_base(&kernel_pdir);
	EXPECT_EQ(space_write(&x.s, AT + PAGE - 6, words, 12), 0);
	EXPECT_EQ(space_read(&x.s, AT + PAGE - 6, got, 12), 0);
	EXPECT(got[0] == 1 && got[1] == 2 && got[2] == 3);
	EXPECT_EQ(space_write(&x.s, AT + 2 * PAGE - 6, words, 12), -EFAULT);
	EXPECT_EQ(space_read(&x.s, 0xC0100000u, got, 4), -EFAULT);
	EXPECT_EQ(space_read(&x.s, 0xBFFFFFFEu, got, 4), -EFAULT);
	space_load(&x.s);
	EXPECT_EQ(load(&x.s, AT + PAGE - 6), 1);
}
