/* tests/ktest/mmap_test.c - mmap, munmap, mprotect and the break: what they do, and what they refuse. */
#include <tests/ktest/space_fixture.h>

static struct space_fixture x;

KTEST_SETUP(mmap)
{
	fixture_begin(&x);
}

KTEST_TEARDOWN(mmap)
{
	fixture_end(&x);
}

static int32_t map_hint(vaddr_t hint, uint32_t length, uint32_t flags)
{
	const struct mmap_request r = {hint, length, RW, flags, NULL, true, true, 0};

	return space_mmap(&x.s, &r);
}

static bool has_area(vaddr_t first, vaddr_t end)
{
	const struct area *a = space_next_area(&x.s, first);

	return a && a->first == vpn_of(first) && a->end == vpn_of(end);
}

KTEST(mmap, areas_go_below_the_base_the_highest_place_first)
{
	int32_t first, second;

	x.s.mmap_base = vpn_of(0xA0000000u);
	first = map_hint(0, 2 * PAGE + 1, ANON);
	EXPECT_EQ((vaddr_t)first, 0xA0000000u - 3 * PAGE);
	second = map_hint(0, 1, MAP_SHARED | MAP_ANONYMOUS);
	EXPECT_EQ((vaddr_t)second, (vaddr_t)first - PAGE);
	EXPECT_EQ(space_munmap(&x.s, (vaddr_t)first + PAGE, PAGE), 0);
	EXPECT_EQ(map_hint(0, PAGE, ANON), (int32_t)((vaddr_t)first + PAGE));
}

/* Where nothing is left below the base, there may be room above it. */
KTEST(mmap, areas_go_above_the_base_when_there_is_no_other_room)
{
	x.s.mmap_base = 0x20;
	EXPECT_EQ(map_hint(0, 16 * PAGE, ANON | MAP_NORESERVE), 0x10000);
	EXPECT_EQ((vaddr_t)map_hint(0, 16 * PAGE, ANON | MAP_NORESERVE), 0xC0000000u - 16 * PAGE);
	EXPECT_EQ(map_hint(0, 0xBFFFF000u, ANON | MAP_NORESERVE), -ENOMEM);
}

KTEST(mmap, a_hint_is_taken_where_it_is_free)
{
	EXPECT_EQ(map_hint(AT + 5, 2 * PAGE, ANON), AT);
	EXPECT_NE(map_hint(AT + PAGE, 2 * PAGE, ANON), AT + PAGE);
	EXPECT_EQ(map_hint(AT - 2 * PAGE, 2 * PAGE, ANON), AT - 2 * PAGE);
	EXPECT_EQ(map_hint(4096, PAGE, ANON), 0x10000);
	EXPECT_NE(map_hint(0xBFFFF000u, 2 * PAGE, ANON), (int32_t)0xBFFFF000u);
}

KTEST(mmap, bad_arguments_are_refused_in_linuxs_order)
{
	const struct {
		struct mmap_request r;
		int err;
	} cases[] = {
		{{AT, 0, RW, ANON, NULL, true, true, 0}, -EINVAL},
		{{AT, 0xFFFFF001u, RW, ANON, NULL, true, true, 0}, -ENOMEM},
		{{AT, 0xC0000000u, RW, ANON, NULL, true, true, 0}, -ENOMEM},
		{{AT, PAGE, RW, MAP_ANONYMOUS, NULL, true, true, 0}, -EINVAL},
		{{AT, PAGE, RW, MAP_ANONYMOUS | MAP_SHARED_VALIDATE, NULL, true, true, 0}, -EINVAL},
		{{AT, PAGE, RW, MAP_ANONYMOUS | 4, NULL, true, true, 0}, -EINVAL},
		{{AT + 1, PAGE, RW, ANON | FIXED, NULL, true, true, 0}, -EINVAL},
		{{0, PAGE, RW, ANON | FIXED, NULL, true, true, 0}, -EPERM},
		{{0xBFFFF000u, 2 * PAGE, RW, ANON | FIXED, NULL, true, true, 0}, -ENOMEM},
		{{0xFFFFF000u, PAGE, RW, ANON | FIXED, NULL, true, true, 0}, -ENOMEM},
		{{AT, 2 * PAGE, RW, ANON, NULL, true, true, 0xFFFFFFFFu}, -EOVERFLOW},
		{{AT, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, NULL, true, true, 0}, -EINVAL},
		{{AT, PAGE, RW, ANON | MAP_GROWSUP | MAP_GROWSDOWN, NULL, true, true, 0}, -EINVAL},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_EQ(space_mmap(&x.s, &cases[i].r), cases[i].err);
	EXPECT_EQ(area_count(&x.s), 0);
}

KTEST(mmap, how_the_file_is_open_decides)
{
	struct mapping *m = mapping_create(x.tenant->owner, PAGE);
	struct mmap_request r = {AT, PAGE, RW, MAP_SHARED, m, true, false, 0};

	EXPECT_EQ(space_mmap(&x.s, &r), -EACCES);
	r.prot = PROT_READ;
	EXPECT_EQ(space_mmap(&x.s, &r), AT);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, RW), -EACCES);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, PROT_EXEC), 0);
	r = (struct mmap_request){AT + PAGE, PAGE, RW, MAP_PRIVATE, m, true, false, 0};
	EXPECT_EQ(space_mmap(&x.s, &r), AT + PAGE);
	r = (struct mmap_request){AT, PAGE, PROT_READ, MAP_PRIVATE, m, false, true, 0};
	EXPECT_EQ(space_mmap(&x.s, &r), -EACCES);
	r = (struct mmap_request){AT, PAGE, RW, MAP_PRIVATE | MAP_GROWSDOWN, m, true, true, 0};
	EXPECT_EQ(space_mmap(&x.s, &r), -EINVAL);
	r = (struct mmap_request){AT + 2 * PAGE, PAGE, RW, MAP_SHARED_VALIDATE, m, true, true, 0};
	EXPECT_EQ(space_mmap(&x.s, &r), AT + 2 * PAGE);
	r.flags |= MAP_SYNC;
	EXPECT_EQ(space_mmap(&x.s, &r), -EOPNOTSUPP);
	mapping_put(m);
}

KTEST(mmap, dev_zero_is_anonymous)
{
	const struct mmap_request private = {AT, PAGE, RW, MAP_PRIVATE | FIXED, NULL, true, true, 7},
				  shared = {AT + PAGE, PAGE, RW, MAP_SHARED | FIXED, NULL, true, true, 0};

	EXPECT_EQ(space_mmap(&x.s, &private), AT);
	EXPECT_EQ(space_mmap(&x.s, &shared), AT + PAGE);
	EXPECT_EQ(store(&x.s, AT, 1), 0);
	EXPECT(!space_next_area(&x.s, AT)->file && space_next_area(&x.s, AT + PAGE)->file);
}

KTEST(mmap, fixed_replaces_what_is_there_and_noreplace_does_not)
{
	ASSERT_EQ(map_at(&x.s, AT, 6, RW, ANON), AT);
	for (uint32_t i = 0; i < 6; i++)
		EXPECT_EQ(store(&x.s, AT + i * PAGE, i + 1), 0);
	EXPECT_EQ(map_hint(AT + 2 * PAGE, PAGE, ANON | MAP_FIXED_NOREPLACE), -EEXIST);
	EXPECT_EQ(map_hint(AT + 6 * PAGE, PAGE, ANON | MAP_FIXED_NOREPLACE), AT + 6 * PAGE);
	ASSERT_EQ(map_at(&x.s, AT + 2 * PAGE, 2, PROT_READ, ANON), AT + 2 * PAGE);
	EXPECT_EQ(area_count(&x.s), 3);
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE), 0);
	EXPECT_EQ(load(&x.s, AT + PAGE), 2);
	EXPECT_EQ(load(&x.s, AT + 4 * PAGE), 5);
	ASSERT_EQ(map_at(&x.s, AT, 8, RW, ANON), AT);
	EXPECT(has_area(AT, AT + 8 * PAGE));
	EXPECT_EQ(load(&x.s, AT + 4 * PAGE), 0);
	EXPECT_EQ(x.tenant->committed, 8);
}

KTEST(mmap, neighbours_that_are_alike_become_one)
{
	ASSERT_EQ(map_at(&x.s, AT, 1, RW, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + 2 * PAGE, 1, RW, ANON), AT + 2 * PAGE);
	EXPECT_EQ(area_count(&x.s), 2);
	ASSERT_EQ(map_at(&x.s, AT + PAGE, 1, RW, ANON), AT + PAGE);
	EXPECT(has_area(AT, AT + 3 * PAGE));
	ASSERT_EQ(map_at(&x.s, AT + 3 * PAGE, 1, PROT_READ, ANON), AT + 3 * PAGE);
	EXPECT_EQ(area_count(&x.s), 2);
	EXPECT_EQ(space_mprotect(&x.s, AT + 3 * PAGE, PAGE, RW), 0);
	EXPECT(has_area(AT, AT + 4 * PAGE));
	ASSERT_EQ(map_at(&x.s, AT - PAGE, 1, RW, ANON), AT - PAGE);
	EXPECT(has_area(AT - PAGE, AT + 4 * PAGE));
}

KTEST(mmap, areas_of_a_file_merge_only_where_the_file_goes_on)
{
	struct mapping *m = mapping_create(x.tenant->owner, 16 * PAGE);
	struct mmap_request r = {AT, 2 * PAGE, RW, MAP_SHARED | FIXED, m, true, true, 4};

	EXPECT_EQ(space_mmap(&x.s, &r), AT);
	r.hint = AT + 2 * PAGE;
	r.offset = 7;
	EXPECT_EQ(space_mmap(&x.s, &r), AT + 2 * PAGE);
	EXPECT_EQ(area_count(&x.s), 2);
	EXPECT_EQ(m->refs, 3);
	r.offset = 6;
	EXPECT_EQ(space_mmap(&x.s, &r), AT + 2 * PAGE);
	EXPECT(has_area(AT, AT + 4 * PAGE));
	r.hint = AT - 2 * PAGE;
	r.offset = 2;
	EXPECT_EQ(space_mmap(&x.s, &r), AT - 2 * PAGE);
	EXPECT(has_area(AT - 2 * PAGE, AT + 4 * PAGE));
	EXPECT_EQ(space_next_area(&x.s, AT)->offset, 2);
	EXPECT_EQ(m->refs, 2);
	EXPECT_EQ(store(&x.s, AT + 3 * PAGE, 70), 0);
	EXPECT_EQ(space_munmap(&x.s, AT, PAGE), 0);
	EXPECT_EQ(load(&x.s, AT + 3 * PAGE), 70);
	EXPECT_EQ(space_next_area(&x.s, AT)->offset, 5);
	EXPECT_EQ(m->refs, 3);
	mapping_put(m);
}

KTEST(mmap, munmap_takes_any_part)
{
	ASSERT_EQ(map_at(&x.s, AT, 10, RW, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + 12 * PAGE, 2, PROT_READ, ANON), AT + 12 * PAGE);
	for (uint32_t i = 0; i < 10; i++)
		EXPECT_EQ(store(&x.s, AT + i * PAGE, i), 0);
	EXPECT_EQ(space_munmap(&x.s, AT + 4 * PAGE, 2 * PAGE), 0);
	EXPECT(has_area(AT, AT + 4 * PAGE) && has_area(AT + 6 * PAGE, AT + 10 * PAGE));
	EXPECT_EQ(load(&x.s, AT + 4 * PAGE), FAILED(EFAULT));
	EXPECT_EQ(load(&x.s, AT + 3 * PAGE), 3);
	EXPECT_EQ(load(&x.s, AT + 6 * PAGE), 6);
	EXPECT_EQ(space_munmap(&x.s, AT, 1), 0);
	EXPECT(has_area(AT + PAGE, AT + 4 * PAGE));
	EXPECT_EQ(space_munmap(&x.s, AT + 9 * PAGE, 4 * PAGE), 0);
	EXPECT(has_area(AT + 6 * PAGE, AT + 9 * PAGE) && has_area(AT + 13 * PAGE, AT + 14 * PAGE));
	EXPECT_EQ(x.s.pages, 7);
	EXPECT_EQ(x.tenant->committed, 6);
	EXPECT_EQ(space_munmap(&x.s, AT + 9 * PAGE, 2 * PAGE), 0);
	EXPECT_EQ(space_munmap(&x.s, 0, 0xC0000000u), 0);
	EXPECT_EQ(area_count(&x.s), 0);
}

KTEST(mmap, munmap_refuses_bad_ranges)
{
	EXPECT_EQ(space_munmap(&x.s, AT + 1, PAGE), -EINVAL);
	EXPECT_EQ(space_munmap(&x.s, AT, 0), -EINVAL);
	EXPECT_EQ(space_munmap(&x.s, 0xBFFFF000u, PAGE + 1), -EINVAL);
	EXPECT_EQ(space_munmap(&x.s, 0xC0000000u, PAGE), -EINVAL);
	EXPECT_EQ(space_munmap(&x.s, AT, 0xFFFFFFFFu), -EINVAL);
	EXPECT_EQ(space_munmap(&x.s, 0xBFFFF000u, PAGE), 0);
}

KTEST(mmap, munmap_flushes_before_it_frees)
{
	ASSERT_EQ(map_at(&x.s, AT, 100, RW, ANON), AT);
	for (uint32_t i = 0; i < 100; i++)
		EXPECT_EQ(store(&x.s, AT + i * PAGE, i), 0);
	EXPECT_EQ(space_munmap(&x.s, AT, 100 * PAGE), 0);
	for (uint32_t i = 0; i < 100; i++)
		EXPECT(!machine_reads(vpn_of(AT) + i));
}

/* A table goes with a munmap that leaves nothing of what it maps; smaller parts leave it for the next. */
KTEST(mmap, tables_go_with_the_whole_of_their_pages)
{
	uint32_t before = charged_to(x.tenant);
	vaddr_t at = vaddr_of(ARCH_PT_SPAN(1)) * 8;

	ASSERT_EQ(map_at(&x.s, at, ARCH_PT_SPAN(1) + 1, PROT_READ, ANON), (int32_t)at);
	EXPECT_EQ(load(&x.s, at), 0);
	EXPECT_EQ(load(&x.s, at + vaddr_of(ARCH_PT_SPAN(1))), 0);
	EXPECT_EQ(charged_to(x.tenant), before + 2);
	EXPECT_EQ(space_munmap(&x.s, at, vaddr_of(ARCH_PT_SPAN(1) + 1)), 0);
	EXPECT_EQ(charged_to(x.tenant), before + 1);
	EXPECT(!machine_reads(vpn_of(at)));
}

KTEST(mmap, mprotect_takes_rights_and_gives_them_back_with_the_content)
{
	ASSERT_EQ(map_at(&x.s, AT, 4, RW, ANON), AT);
	EXPECT_EQ(store(&x.s, AT + PAGE, 11), 0);
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE), 0);
	EXPECT_EQ(space_mprotect(&x.s, AT + PAGE, 2 * PAGE, PROT_READ), 0);
	EXPECT_EQ(area_count(&x.s), 3);
	EXPECT_EQ(store(&x.s, AT + PAGE, 12), -EACCES);
	EXPECT_EQ(load(&x.s, AT + PAGE), 11);
	EXPECT_EQ(space_mprotect(&x.s, AT + PAGE, 2 * PAGE, PROT_NONE), 0);
	EXPECT_EQ(load(&x.s, AT + PAGE), FAILED(EACCES));
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE), FAILED(EACCES));
	EXPECT_EQ(space_mprotect(&x.s, AT + PAGE, 2 * PAGE, RW), 0);
	EXPECT_EQ(area_count(&x.s), 1);
	EXPECT_EQ(load(&x.s, AT + PAGE), 11);
	EXPECT_EQ(store(&x.s, AT + PAGE, 13), 0);
	EXPECT_EQ(store(&x.s, AT + 2 * PAGE, 14), 0);
	EXPECT(arch_frame_is_filled(zero_frame, 0));
}

KTEST(mmap, what_had_no_rights_is_given_back_when_it_goes)
{
	uint32_t before;

	ASSERT_EQ(map_at(&x.s, AT, 4, RW, ANON), AT);
	EXPECT_EQ(load(&x.s, AT), 0);
	before = charged_to(x.tenant);
	for (uint32_t i = 0; i < 4; i++)
		EXPECT_EQ(store(&x.s, AT + i * PAGE, 11), 0);
	EXPECT_EQ(space_mprotect(&x.s, AT, 4 * PAGE, PROT_NONE), 0);
	EXPECT_EQ(space_munmap(&x.s, AT, 2 * PAGE), 0);
	EXPECT_EQ(charged_to(x.tenant), before + 2);
}

KTEST(mmap, a_private_page_of_a_file_stays_the_files_after_mprotect)
{
	struct mapping *m = mapping_create(x.tenant->owner, 2 * PAGE);
	uint32_t word = 5;

	EXPECT_EQ(mapping_write(m, 0, &word, 4), 4);
	ASSERT_EQ(map_private(&x.s, AT, 1, PROT_READ, m), AT);
	EXPECT_EQ(load(&x.s, AT), 5);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, RW), 0);
	EXPECT_EQ(store(&x.s, AT, 6), 0);
	EXPECT_EQ(mapping_read(m, 0, &word, 4), 4);
	EXPECT_EQ(word, 5);
	EXPECT_EQ(load(&x.s, AT), 6);
	mapping_put(m);
}

KTEST(mmap, mprotect_stops_at_a_hole_as_linux_does)
{
	ASSERT_EQ(map_at(&x.s, AT, 2, RW, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + 3 * PAGE, 2, RW, ANON), AT + 3 * PAGE);
	EXPECT_EQ(space_mprotect(&x.s, AT, 5 * PAGE, PROT_READ), -ENOMEM);
	EXPECT_EQ(store(&x.s, AT, 1), -EACCES);
	EXPECT_EQ(store(&x.s, AT + 3 * PAGE, 1), 0);
	EXPECT_EQ(space_mprotect(&x.s, AT + 2 * PAGE, 2 * PAGE, PROT_READ), -ENOMEM);
	EXPECT_EQ(store(&x.s, AT + 3 * PAGE, 1), 0);
}

KTEST(mmap, mprotect_refuses_bad_arguments)
{
	ASSERT_EQ(map_at(&x.s, AT, 2, RW, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + 2 * PAGE, 2, RW, ANON | MAP_GROWSDOWN), AT + 2 * PAGE);
	EXPECT_EQ(space_mprotect(&x.s, AT + 1, PAGE, PROT_READ), -EINVAL);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, 0x100), -EINVAL);
	EXPECT_EQ(space_mprotect(&x.s, AT + PAGE * 20, 0, PROT_READ), 0);
	EXPECT_EQ(space_mprotect(&x.s, AT, 0xFFFFFFFFu, PROT_READ), -ENOMEM);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP), -EINVAL);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, PROT_READ | PROT_GROWSDOWN), -EINVAL);
	EXPECT_EQ(store(&x.s, AT, 1), 0);
	EXPECT_EQ(space_mprotect(&x.s, AT + 3 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN), 0);
	EXPECT_EQ(store(&x.s, AT + 2 * PAGE, 1), -EACCES);
	EXPECT_EQ(space_mprotect(&x.s, AT + 3 * PAGE, PAGE, PROT_READ | PROT_GROWSUP), -EINVAL);
}

KTEST(mmap, mprotect_of_a_whole_stack_needs_one)
{
	ASSERT_EQ(map_at(&x.s, AT + 2 * PAGE, 2, RW, ANON | MAP_GROWSDOWN), AT + 2 * PAGE);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, PROT_READ | PROT_GROWSDOWN), -ENOMEM);
	EXPECT_EQ(space_mprotect(&x.s, AT, 2 * PAGE, PROT_READ | PROT_GROWSDOWN), -ENOMEM);
	EXPECT_EQ(space_mprotect(&x.s, AT + 3 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN), 0);
	EXPECT_EQ(area_count(&x.s), 1);
}

KTEST(mmap, populate_brings_in_all_that_there_is)
{
	uint32_t before;

	ASSERT_EQ(map_at(&x.s, AT, 8, RW, ANON | MAP_POPULATE), AT);
	before = charged_to(x.tenant);
	EXPECT_EQ(space_resident(&x.s), 8);
	EXPECT(machine_writes(vpn_of(AT) + 7));
	ASSERT_EQ(map_at(&x.s, AT + 8 * PAGE, 4, PROT_READ, ANON | MAP_POPULATE), AT + 8 * PAGE);
	EXPECT_EQ(charged_to(x.tenant), before);
	EXPECT(machine_reads(vpn_of(AT) + 11));
	ASSERT_EQ(map_at(&x.s, AT + 12 * PAGE, TENANT_PAGES, RW, ANON | MAP_POPULATE), AT + 12 * PAGE);
	EXPECT_EQ(charged_to(x.tenant), TENANT_PAGES);
}

KTEST(mmap, one_request_beyond_the_quota_is_refused)
{
	EXPECT_EQ(map_at(&x.s, AT, TENANT_PAGES + 1, RW, ANON), -ENOMEM);
	EXPECT_EQ(map_at(&x.s, AT, TENANT_PAGES + 1, RW, MAP_SHARED | MAP_ANONYMOUS), -ENOMEM);
	EXPECT_EQ(map_at(&x.s, AT, TENANT_PAGES, RW, ANON), AT);
	EXPECT_EQ(map_at(&x.s, AT + 0x1000000, TENANT_PAGES, RW, ANON), AT + 0x1000000);
	EXPECT_EQ(map_at(&x.s, AT + 0x2000000, 4000, PROT_READ, ANON), AT + 0x2000000);
	EXPECT_EQ(space_mprotect(&x.s, AT + 0x2000000, 4000 * PAGE, RW), -ENOMEM);
	EXPECT_EQ(space_mprotect(&x.s, AT + 0x2000000, TENANT_PAGES * PAGE, RW), 0);
	EXPECT_EQ(x.tenant->committed, 3 * TENANT_PAGES);
	EXPECT_EQ(space_mprotect(&x.s, AT + 0x2000000, TENANT_PAGES * PAGE, PROT_READ), 0);
	EXPECT_EQ(x.tenant->committed, 3 * TENANT_PAGES); /* what it wrote by then is still there */
	EXPECT_EQ(map_at(&x.s, AT + 0x4000000, 4000, RW, ANON | MAP_NORESERVE), AT + 0x4000000);
}

KTEST(mmap, without_overcommit_the_sum_counts)
{
	overcommit = OVERCOMMIT_NEVER;
	EXPECT_EQ(map_at(&x.s, AT, TENANT_PAGES - 1, RW, ANON), AT);
	EXPECT_EQ(map_at(&x.s, AT + 0x1000000, 2, RW, ANON), -ENOMEM);
	EXPECT_EQ(map_at(&x.s, AT + 0x1000000, 2, RW, ANON | MAP_NORESERVE), -ENOMEM);
	EXPECT_EQ(map_at(&x.s, AT + 0x1000000, 2, PROT_READ, ANON), AT + 0x1000000);
	EXPECT_EQ(space_mprotect(&x.s, AT + 0x1000000, 2 * PAGE, RW), -ENOMEM);
	EXPECT_EQ(space_munmap(&x.s, AT, PAGE), 0);
	EXPECT_EQ(space_mprotect(&x.s, AT + 0x1000000, 2 * PAGE, RW), 0);
	overcommit = OVERCOMMIT_ALWAYS;
	EXPECT_EQ(map_at(&x.s, AT + 0x2000000, 4000, RW, ANON), AT + 0x2000000);
}

KTEST(mmap, shared_memory_is_promised_until_nobody_maps_it)
{
	const uint32_t shared = MAP_SHARED | MAP_ANONYMOUS;
	struct space child;

	overcommit = OVERCOMMIT_NEVER;
	EXPECT_EQ(map_at(&x.s, AT, TENANT_PAGES - 10, RW, shared), AT);
	EXPECT_EQ(x.tenant->committed, TENANT_PAGES - 10);
	EXPECT_EQ(map_at(&x.s, AT + 0x100000, 11, RW, shared), -ENOMEM);
	EXPECT_EQ(map_at(&x.s, AT + 0x100000, 11, RW, ANON), -ENOMEM);
	EXPECT_EQ(space_fork(&child, &x.s), 0);
	EXPECT_EQ(x.tenant->committed, TENANT_PAGES - 10);
	EXPECT_EQ(space_munmap(&x.s, AT, TENANT_PAGES * PAGE), 0);
	EXPECT_EQ(x.tenant->committed, TENANT_PAGES - 10);
	space_destroy(&child);
	EXPECT_EQ(x.tenant->committed, 0);
	EXPECT_EQ(map_at(&x.s, AT, TENANT_PAGES, RW, shared), AT);
}

KTEST(mmap, the_limit_of_addresses_holds)
{
	x.s.limits.address = 10 * PAGE;
	EXPECT_EQ(map_at(&x.s, AT, 8, RW, ANON), AT);
	EXPECT_EQ(map_at(&x.s, AT + 8 * PAGE, 3, PROT_READ, ANON), -ENOMEM);
	EXPECT_EQ(map_at(&x.s, AT + 8 * PAGE, 2, PROT_READ, ANON), AT + 8 * PAGE);
	EXPECT_EQ(map_at(&x.s, AT + 10 * PAGE, 1, PROT_READ, ANON), -ENOMEM);
	EXPECT_EQ(map_at(&x.s, AT + 4 * PAGE, 6, PROT_READ, ANON),
		  AT + 4 * PAGE); /* in the place of as many */
	EXPECT_EQ(map_at(&x.s, AT + 4 * PAGE, 7, PROT_READ, ANON), -ENOMEM);
}

/* Every second page an area: all that one space may have. */
KTEST(mmap, areas_are_limited)
{
	struct zone_stats low;
	uint32_t n = 0;

	frame_stats(ZONE_LOW, &low);
	if (low.free < SPACE_AREAS_MAX / (PAGE / (sizeof(struct area) + 64)) + 100)
		SKIP("too little memory for 65530 areas");
	while (map_at(&x.s, AT + n * 2 * PAGE, 1, PROT_READ, ANON) > 0)
		n++;
	EXPECT_EQ(n, SPACE_AREAS_MAX);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, PROT_NONE), 0);
	EXPECT_EQ(space_munmap(&x.s, AT + 2 * PAGE, PAGE), 0);
	ASSERT_EQ(map_at(&x.s, AT + 2 * PAGE, 2, PROT_READ, ANON), AT + 2 * PAGE);
	EXPECT_EQ(area_count(&x.s), SPACE_AREAS_MAX - 1);
	EXPECT_EQ(area_tree_check(&x.s.areas), 0);
	EXPECT_EQ(map_hint(0, PAGE, ANON), (int32_t)0xBFFFF000u);
	EXPECT_EQ(map_hint(0, PAGE, ANON), -ENOMEM);
	EXPECT_EQ(space_munmap(&x.s, 0, 0xC0000000u), 0);
}

KTEST(mmap, mprotect_counts_the_areas_that_it_makes)
{
	uint32_t others = SPACE_AREAS_MAX - 2;

	ASSERT_EQ(map_at(&x.s, AT, 3, RW, ANON), AT);
	x.s.areas.count += others;
	EXPECT_EQ(space_mprotect(&x.s, AT + PAGE, PAGE, PROT_READ), -ENOMEM);
	EXPECT_EQ(space_mprotect(&x.s, AT + PAGE, 2 * PAGE, PROT_READ), 0);
	x.s.areas.count -= others;
	EXPECT_EQ(area_count(&x.s), 2);
}

KTEST(mmap, the_break_moves_up_and_down)
{
	EXPECT_EQ(space_set_brk(&x.s, AT + 100), 0);
	EXPECT_EQ(space_brk(&x.s, 0), AT + 100);
	EXPECT_EQ(space_brk(&x.s, AT + 99), AT + 100);
	EXPECT_EQ(space_brk(&x.s, AT + 3 * PAGE), AT + 3 * PAGE);
	EXPECT(has_area(AT + PAGE, AT + 3 * PAGE));
	EXPECT_EQ(store(&x.s, AT + 2 * PAGE, 1), 0);
	EXPECT_EQ(space_brk(&x.s, AT + 5 * PAGE - 1), AT + 5 * PAGE - 1);
	EXPECT(has_area(AT + PAGE, AT + 5 * PAGE));
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE), 1);
	EXPECT_EQ(space_brk(&x.s, AT + 2 * PAGE), AT + 2 * PAGE);
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE), FAILED(EFAULT));
	EXPECT_EQ(space_brk(&x.s, AT + 3 * PAGE), AT + 3 * PAGE);
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE), 0);
	EXPECT_EQ(space_brk(&x.s, AT + 100), AT + 100);
	EXPECT_EQ(area_count(&x.s), 0);
}

KTEST(mmap, the_break_stops_where_it_must)
{
	EXPECT_EQ(space_set_brk(&x.s, 0), -ENOMEM);
	EXPECT_EQ(space_set_brk(&x.s, 0xC0000000u), -ENOMEM);
	EXPECT_EQ(space_set_brk(&x.s, AT), 0);
	ASSERT_EQ(map_at(&x.s, AT + 10 * PAGE, 1, RW, ANON), AT + 10 * PAGE);
	EXPECT_EQ(space_brk(&x.s, AT + 9 * PAGE), AT + 9 * PAGE);
	EXPECT_EQ(space_brk(&x.s, AT + 9 * PAGE + 1), AT + 9 * PAGE);
	EXPECT_EQ(space_brk(&x.s, 0xC0000000u), AT + 9 * PAGE);
	EXPECT_EQ(space_brk(&x.s, 0xFFFFFFFFu), AT + 9 * PAGE);
	EXPECT_EQ(space_munmap(&x.s, AT + 10 * PAGE, PAGE), 0);
	EXPECT_EQ(space_brk(&x.s, AT + (10 + TENANT_PAGES) * PAGE), AT + 9 * PAGE);
	x.s.limits.data = 12 * PAGE;
	EXPECT_EQ(space_brk(&x.s, AT + 13 * PAGE), AT + 9 * PAGE);
	EXPECT_EQ(space_brk(&x.s, AT + 12 * PAGE), AT + 12 * PAGE);
}

KTEST(mmap, the_first_stack_keeps_others_at_a_distance)
{
	EXPECT_EQ(space_map_stack(&x.s, 0xBFFFF000u, 0x800000, RW), 0);
	EXPECT_EQ((vaddr_t)map_hint(0, PAGE, ANON), 0xBFFFF000u - 0x800000 - (GUARD_GAP + 1) * PAGE);
	EXPECT_EQ(space_map_stack(&x.s, 0xBFFFF000u, 0x800000, RW), -ENOMEM);
	EXPECT_EQ(space_map_stack(&x.s, 0x10000000u, 0, RW), -ENOMEM);
	EXPECT_EQ(space_map_stack(&x.s, 0xC0001000u, PAGE, RW), -ENOMEM);
}

KTEST(mmap, a_stack_without_a_limit_leaves_half_to_others)
{
	EXPECT_EQ(space_map_stack(&x.s, 0xBFFFE000u, NO_LIMIT, RW), 0);
	EXPECT_EQ(map_hint(0, PAGE, ANON), 0x5FFFE000);
}
