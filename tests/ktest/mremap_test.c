/* tests/ktest/mremap_test.c - areas that grow, shrink and move with their pages. */
#include <tests/ktest/space_fixture.h>

static struct space_fixture x;

KTEST_SETUP(mremap)
{
	fixture_begin(&x);
}

KTEST_TEARDOWN(mremap)
{
	fixture_end(&x);
}

static int32_t remap(vaddr_t old, uint32_t old_pages, uint32_t pages, uint32_t flags, vaddr_t fixed)
{
	const struct mremap_request r = {old, old_pages * PAGE, pages * PAGE, flags, fixed};

	return space_mremap(&x.s, &r);
}

/* Maps pages that hold their numbers. */
static void numbered(vaddr_t at, uint32_t pages)
{
	EXPECT_EQ(map_at(&x.s, at, pages, RW, ANON), (int32_t)at);
	for (uint32_t i = 0; i < pages; i++)
		EXPECT_EQ(store(&x.s, at + i * PAGE, 100 + i), 0);
}

static bool holds_numbers(vaddr_t at, uint32_t pages)
{
	for (uint32_t i = 0; i < pages; i++)
		if (load(&x.s, at + i * PAGE) != 100 + i)
			return false;
	return true;
}

KTEST(mremap, grows_in_place_where_there_is_room)
{
	numbered(AT, 2);
	EXPECT_EQ(remap(AT, 2, 5, 0, 0), AT);
	EXPECT(holds_numbers(AT, 2));
	EXPECT_EQ(load(&x.s, AT + 4 * PAGE), 0);
	EXPECT_EQ(store(&x.s, AT + 4 * PAGE, 1), 0);
	EXPECT_EQ(x.tenant->committed, 5);
	EXPECT_EQ(map_at(&x.s, AT + 7 * PAGE, 1, RW, ANON), AT + 7 * PAGE);
	EXPECT_EQ(remap(AT, 5, 7, 0, 0), AT);
	EXPECT_EQ(area_count(&x.s), 1);
}

KTEST(mremap, moves_only_when_it_may)
{
	int32_t to;

	numbered(AT, 2);
	EXPECT_EQ(map_at(&x.s, AT + 2 * PAGE, 1, PROT_READ, ANON), AT + 2 * PAGE);
	EXPECT_EQ(remap(AT, 2, 5, 0, 0), -ENOMEM);
	EXPECT(holds_numbers(AT, 2));
	to = remap(AT, 2, 5, MREMAP_MAYMOVE, 0);
	ASSERT(to != AT && (uint32_t)to % PAGE == 0);
	EXPECT(holds_numbers((vaddr_t)to, 2));
	EXPECT_EQ(load(&x.s, (vaddr_t)to + 4 * PAGE), 0);
	EXPECT_EQ(load(&x.s, AT), FAILED(EFAULT));
	EXPECT(!machine_reads(vpn_of(AT)));
	EXPECT_EQ(x.tenant->committed, 5);
}

KTEST(mremap, shrinks)
{
	numbered(AT, 6);
	EXPECT_EQ(remap(AT, 6, 2, 0, 0), AT);
	EXPECT(holds_numbers(AT, 2));
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE), FAILED(EFAULT));
	EXPECT_EQ(x.tenant->committed, 2);
	EXPECT_EQ(remap(AT, 2, 2, 0, 0), AT);
}

KTEST(mremap, moves_to_a_fixed_place_over_what_is_there)
{
	vaddr_t to = AT + 0x800000 - 3 * PAGE; /* over the end of a table */

	numbered(AT, 6);
	EXPECT_EQ(map_at(&x.s, to - PAGE, 8, RW, ANON), (int32_t)(to - PAGE));
	EXPECT_EQ(store(&x.s, to + PAGE, 7), 0);
	EXPECT_EQ(store(&x.s, to - PAGE, 8), 0);
	EXPECT_EQ(remap(AT + PAGE, 4, 6, MREMAP_MAYMOVE | MREMAP_FIXED, to), (int32_t)to);
	for (uint32_t i = 0; i < 4; i++)
		EXPECT_EQ(load(&x.s, to + i * PAGE), 101 + i);
	EXPECT_EQ(load(&x.s, to + 5 * PAGE), 0);
	EXPECT_EQ(load(&x.s, to - PAGE), 8);
	EXPECT_EQ(load(&x.s, AT + PAGE), FAILED(EFAULT));
	EXPECT_EQ(load(&x.s, AT + 5 * PAGE), 105);
	EXPECT_EQ(load(&x.s, AT), 100);
	EXPECT_EQ(x.tenant->committed, 2 + 8);
}

KTEST(mremap, a_move_to_a_fixed_place_may_shrink)
{
	numbered(AT, 6);
	EXPECT_EQ(remap(AT, 6, 2, MREMAP_MAYMOVE | MREMAP_FIXED, AT + 0x100000), AT + 0x100000);
	EXPECT(holds_numbers(AT + 0x100000, 2));
	EXPECT_EQ(load(&x.s, AT + 5 * PAGE), FAILED(EFAULT));
	EXPECT_EQ(x.s.pages, 2);
}

KTEST(mremap, the_middle_of_an_area_can_go)
{
	numbered(AT, 6);
	EXPECT_EQ(remap(AT + 2 * PAGE, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, AT + 0x100000), AT + 0x100000);
	EXPECT_EQ(area_count(&x.s), 3);
	EXPECT_EQ(load(&x.s, AT + 0x100000 + PAGE), 103);
	EXPECT_EQ(load(&x.s, AT + 4 * PAGE), 104);
	EXPECT_EQ(remap(AT + 0x100000, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, AT + 2 * PAGE), AT + 2 * PAGE);
	EXPECT(holds_numbers(AT, 6));
}

KTEST(mremap, a_files_offset_moves_with_its_pages)
{
	struct mapping *m = mapping_create(x.tenant->owner, 8 * PAGE);
	uint32_t word = 3;

	EXPECT_EQ(mapping_write(m, 3 * PAGE, &word, 4), 4);
	ASSERT_EQ(map_shared(&x.s, AT, 4, RW, m), AT);
	EXPECT_EQ(load(&x.s, AT + 3 * PAGE), 3);
	EXPECT_EQ(remap(AT + 2 * PAGE, 2, 4, MREMAP_MAYMOVE | MREMAP_FIXED, AT + 0x100000), AT + 0x100000);
	EXPECT_EQ(load(&x.s, AT + 0x100000 + PAGE), 3);
	EXPECT_EQ(space_next_area(&x.s, AT + 0x100000)->offset, 2);
	/* Length 0 of shared memory: a second view. */
	EXPECT_EQ(remap(AT + 0x100000, 0, 2, MREMAP_MAYMOVE | MREMAP_FIXED, AT + 0x200000), AT + 0x200000);
	EXPECT_EQ(store(&x.s, AT + 0x200000 + PAGE, 4), 0);
	EXPECT_EQ(load(&x.s, AT + 0x100000 + PAGE), 4);
	mapping_put(m);
}

KTEST(mremap, offsets_of_a_file_end)
{
	const vaddr_t last = vaddr_of(USER_VPN_END - 2);
	struct mapping *m = mapping_create(x.tenant->owner, PAGE);
	struct mmap_request r = {AT, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED,
				 m,  true,     true,      UINT32_MAX - 3};

	EXPECT_EQ(space_mmap(&x.s, &r), AT);
	EXPECT_EQ(remap(AT, 2, 4, MREMAP_MAYMOVE, 0), -EINVAL);
	EXPECT_EQ(remap(AT, 2, 3, 0, 0), AT);
	EXPECT_EQ(remap(AT, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, last), (int32_t)last);
	EXPECT_EQ(remap(last, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, last + PAGE), -EINVAL);
	mapping_put(m);
}

KTEST(mremap, what_is_kept_is_empty_and_promised_twice)
{
	const uint32_t keep = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

	numbered(AT, 3);
	EXPECT_EQ(remap(AT, 3, 3, keep, AT + 0x100000), AT + 0x100000);
	EXPECT(holds_numbers(AT + 0x100000, 3));
	EXPECT_EQ(load(&x.s, AT), 0);
	EXPECT_EQ(store(&x.s, AT, 5), 0);
	EXPECT(holds_numbers(AT + 0x100000, 3));
	EXPECT_EQ(x.tenant->committed, 6);
	x.s.limits.address = 8 * PAGE;
	EXPECT_EQ(remap(AT, 3, 3, keep, AT + 0x200000), -ENOMEM);
	x.s.limits.address = NO_LIMIT;
	overcommit = OVERCOMMIT_NEVER;
	EXPECT_EQ(map_at(&x.s, AT + 0x300000, TENANT_PAGES - 8, RW, ANON), AT + 0x300000);
	EXPECT_EQ(remap(AT, 3, 3, keep, AT + 0x200000), -ENOMEM);
	EXPECT_EQ(remap(AT, 2, 2, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, AT + 0x200000), AT + 0x200000);
	EXPECT_EQ(load(&x.s, AT + 0x200000), 5);
	EXPECT_EQ(x.tenant->committed, TENANT_PAGES);
}

/* The area to double would go first, to make room for its double. */
KTEST(mremap, doubling_onto_itself_is_refused)
{
	struct mapping *m = mapping_create(x.tenant->owner, 4 * PAGE);

	EXPECT_EQ(map_shared(&x.s, AT, 1, RW, m), AT);
	EXPECT_EQ(store(&x.s, AT, 7), 0);
	EXPECT_EQ(remap(AT, 0, 1, MREMAP_MAYMOVE | MREMAP_FIXED, AT), -EFAULT);
	EXPECT_EQ(remap(AT, 0, 3, MREMAP_MAYMOVE | MREMAP_FIXED, AT), -EFAULT);
	EXPECT_EQ(load(&x.s, AT), 7);
	mapping_put(m);
}

/* An area that nobody wrote to grows over pages that somebody did: a child must get them. */
KTEST(mremap, pages_that_join_an_untouched_area_are_inherited)
{
	static const uint32_t places[] = {2, 0}; /* behind the untouched page, in front of it */
	struct space child;
	uint32_t word;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		vaddr_t to = AT + 0x200000 * (i + 1) + PAGE * places[i];

		ASSERT_EQ(map_at(&x.s, AT + 0x200000 * (i + 1) + PAGE, 1, RW, ANON),
			  (int32_t)(AT + 0x200000 * (i + 1) + PAGE));
		numbered(AT, 1);
		EXPECT_EQ(remap(AT, 1, 1, MREMAP_MAYMOVE | MREMAP_FIXED, to), (int32_t)to);
		EXPECT_EQ(area_count(&x.s), i + 1);
		ASSERT_EQ(space_fork(&child, &x.s), 0);
		EXPECT_EQ(space_read(&child, to, &word, 4), 0);
		EXPECT_EQ(word, 100);
		space_destroy(&child);
	}
}

KTEST(mremap, bad_arguments_are_refused)
{
	const struct {
		struct mremap_request r;
		int err;
	} cases[] = {
		{{AT + 1, PAGE, PAGE, 0, 0}, -EINVAL},
		{{AT, PAGE, 0, 0, 0}, -EINVAL},
		{{AT, PAGE, 0xFFFFF001u, 0, 0}, -EINVAL},
		{{AT, PAGE, PAGE, 8, 0}, -EINVAL},
		{{AT, PAGE, PAGE, MREMAP_FIXED, AT + 0x100000}, -EINVAL},
		{{AT, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, AT + 0x100001}, -EINVAL},
		{{AT, 2 * PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, AT + PAGE}, -EINVAL},
		{{AT, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, 0xC0000000u}, -EINVAL},
		{{AT, PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, 0}, -EPERM},
		{{AT + 0x100000, PAGE, PAGE, 0, 0}, -EFAULT},
		{{AT, 9 * PAGE, 10 * PAGE, MREMAP_MAYMOVE, 0}, -EFAULT},
		{{AT, 0, PAGE, MREMAP_MAYMOVE, 0}, -EINVAL},
		{{AT, PAGE, 0xF0000000u, MREMAP_MAYMOVE, 0}, -ENOMEM},
		{{AT, PAGE, (TENANT_PAGES + 2) * PAGE, MREMAP_MAYMOVE, 0}, -ENOMEM},
	};

	numbered(AT, 2);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		EXPECT_EQ(space_mremap(&x.s, &cases[i].r), cases[i].err);
	EXPECT(holds_numbers(AT, 2));
	EXPECT_EQ(x.tenant->committed, 2);
}

KTEST(mremap, limits_hold)
{
	numbered(AT, 4);
	x.s.limits.address = 6 * PAGE;
	EXPECT_EQ(remap(AT, 4, 7, MREMAP_MAYMOVE, 0), -ENOMEM);
	EXPECT_EQ(remap(AT, 4, 6, MREMAP_MAYMOVE, 0), AT);
	overcommit = OVERCOMMIT_NEVER;
	x.s.limits.address = NO_LIMIT;
	EXPECT_EQ(remap(AT, 6, TENANT_PAGES + 1, MREMAP_MAYMOVE, 0), -ENOMEM);
	EXPECT_EQ(remap(AT, 6, TENANT_PAGES, MREMAP_MAYMOVE, 0), AT);
	EXPECT_EQ(map_at(&x.s, AT + 0x1000000, 1, RW, ANON), -ENOMEM);
	/* A move asks for nothing anew. */
	EXPECT_EQ(remap(AT, TENANT_PAGES, TENANT_PAGES, MREMAP_MAYMOVE | MREMAP_FIXED, AT + 0x1000000),
		  AT + 0x1000000);
	EXPECT(holds_numbers(AT + 0x1000000, 4));
}
