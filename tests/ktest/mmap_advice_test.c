/* tests/ktest/mmap_advice_test.c - madvise, msync, mincore and the mlock family. */
#include <tests/ktest/space_fixture.h>

static struct space_fixture x;

KTEST_SETUP(advice)
{
	fixture_begin(&x);
}

KTEST_TEARDOWN(advice)
{
	fixture_end(&x);
}

KTEST(advice, dontneed_gives_anonymous_memory_back)
{
	static const int advice[] = {MADV_DONTNEED, MADV_FREE, MADV_DONTNEED_LOCKED};
	uint32_t before;

	ASSERT_EQ(map_at(&x.s, AT, 4, RW, ANON), AT);
	EXPECT_EQ(load(&x.s, AT), 0);
	before = charged_to(x.tenant);
	for (unsigned i = 0; i < ARRAY_SIZE(advice); i++) {
		EXPECT_EQ(store(&x.s, AT, 1), 0);
		EXPECT_EQ(store(&x.s, AT + PAGE, 2), 0);
		EXPECT_EQ(space_madvise(&x.s, AT, 1, advice[i]), 0);
		EXPECT_EQ(load(&x.s, AT), 0);
		EXPECT_EQ(load(&x.s, AT + PAGE), 2);
		EXPECT_EQ(charged_to(x.tenant), before + 1);
	}
}

KTEST(advice, dontneed_shows_a_file_again)
{
	struct mapping *m = mapping_create(x.tenant->owner, 2 * PAGE);
	uint32_t word = 9;

	EXPECT_EQ(mapping_write(m, 0, &word, 4), 4);
	ASSERT_EQ(map_private(&x.s, AT, 2, RW, m), AT);
	EXPECT_EQ(store(&x.s, AT, 1), 0);
	EXPECT_EQ(space_madvise(&x.s, AT, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(load(&x.s, AT), 9);
	EXPECT_EQ(space_madvise(&x.s, AT, PAGE, MADV_FREE), -EINVAL);
	ASSERT_EQ(map_shared(&x.s, AT, 2, RW, m), AT);
	EXPECT_EQ(store(&x.s, AT, 5), 0);
	EXPECT_EQ(space_madvise(&x.s, AT, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(load(&x.s, AT), 5);
	mapping_put(m);
}

KTEST(advice, remove_makes_a_hole_in_shared_memory)
{
	struct mapping *m = mapping_create(x.tenant->owner, 4 * PAGE);

	ASSERT_EQ(map_shared(&x.s, AT, 4, RW, m), AT);
	ASSERT_EQ(map_private(&x.s, AT + 4 * PAGE, 4, RW, m), AT + 4 * PAGE);
	for (uint32_t i = 0; i < 4; i++)
		EXPECT_EQ(store(&x.s, AT + i * PAGE, 1 + i), 0);
	EXPECT_EQ(load(&x.s, AT + 5 * PAGE), 2);
	EXPECT_EQ(store(&x.s, AT + 6 * PAGE, 33), 0);
	EXPECT_EQ(space_madvise(&x.s, AT + PAGE, 2 * PAGE, MADV_REMOVE), 0);
	EXPECT_EQ(load(&x.s, AT), 1);
	EXPECT_EQ(load(&x.s, AT + PAGE), 0);
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE), 0);
	EXPECT_EQ(load(&x.s, AT + 3 * PAGE), 4);
	EXPECT_EQ(load(&x.s, AT + 5 * PAGE), 0);
	EXPECT_EQ(load(&x.s, AT + 6 * PAGE), 33); /* the program's own */
	EXPECT_EQ(m->size, 4 * PAGE);
	EXPECT_EQ(space_madvise(&x.s, AT + 4 * PAGE, PAGE, MADV_REMOVE), -EACCES);
	mapping_put(m);
}

KTEST(advice, populate_brings_in_or_says_why_not)
{
	struct mapping *m = mapping_create(x.tenant->owner, PAGE);

	ASSERT_EQ(map_at(&x.s, AT, 2, RW, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + 2 * PAGE, 1, PROT_READ, ANON), AT + 2 * PAGE);
	EXPECT_EQ(space_madvise(&x.s, AT, 2 * PAGE, MADV_POPULATE_WRITE), 0);
	EXPECT(machine_writes(vpn_of(AT) + 1));
	EXPECT_EQ(space_madvise(&x.s, AT, 3 * PAGE, MADV_POPULATE_WRITE), -EINVAL);
	EXPECT_EQ(space_madvise(&x.s, AT, 3 * PAGE, MADV_POPULATE_READ), 0);
	EXPECT_EQ(space_madvise(&x.s, AT, 4 * PAGE, MADV_POPULATE_READ), -ENOMEM);
	ASSERT_EQ(map_shared(&x.s, AT, 2, RW, m), AT);
	EXPECT_EQ(space_madvise(&x.s, AT, 2 * PAGE, MADV_POPULATE_READ), -EFAULT);
	mapping_put(m);
}

KTEST(advice, bad_advice_is_refused)
{
	ASSERT_EQ(map_at(&x.s, AT, 1, RW, ANON), AT);
	EXPECT_EQ(space_madvise(&x.s, AT, PAGE, 999), -EINVAL);
	EXPECT_EQ(space_madvise(&x.s, AT, PAGE, MADV_MERGEABLE), -EINVAL);
	EXPECT_EQ(space_madvise(&x.s, AT + 1, PAGE, MADV_NORMAL), -EINVAL);
	EXPECT_EQ(space_madvise(&x.s, AT, 0xFFFFFFFFu, MADV_NORMAL), -EINVAL);
	EXPECT_EQ(space_madvise(&x.s, AT + PAGE, 0, MADV_DONTNEED), 0);
	EXPECT_EQ(space_madvise(&x.s, AT, 2 * PAGE, MADV_NORMAL), -ENOMEM);
	EXPECT_EQ(space_madvise(&x.s, AT - PAGE, 2 * PAGE, MADV_WILLNEED), -ENOMEM);
	EXPECT_EQ(store(&x.s, AT, 1), 0);
	EXPECT_EQ(space_madvise(&x.s, AT - PAGE, 3 * PAGE, MADV_DONTNEED), -ENOMEM);
	EXPECT_EQ(load(&x.s, AT), 0); /* what is mapped was done */
	EXPECT_EQ(space_mlock(&x.s, AT, PAGE, 0), 0);
	EXPECT_EQ(space_madvise(&x.s, AT, PAGE, MADV_DONTNEED), -EINVAL);
	EXPECT_EQ(space_madvise(&x.s, AT, PAGE, MADV_REMOVE), -EINVAL);
}

KTEST(advice, msync_asks_for_areas_only)
{
	ASSERT_EQ(map_at(&x.s, AT, 2, RW, MAP_SHARED | MAP_ANONYMOUS), AT);
	EXPECT_EQ(space_msync(&x.s, AT, 2 * PAGE, MS_SYNC), 0);
	EXPECT_EQ(space_msync(&x.s, AT, 3 * PAGE, MS_ASYNC), -ENOMEM);
	EXPECT_EQ(space_msync(&x.s, AT, 0, MS_ASYNC), 0);
	EXPECT_EQ(space_msync(&x.s, AT, 0xFFFFFFFFu, MS_ASYNC), 0);
	EXPECT_EQ(space_msync(&x.s, AT, 0xFFFFF000u, MS_ASYNC), -ENOMEM);
	EXPECT_EQ(space_msync(&x.s, 0xFFFFF000u, PAGE, MS_ASYNC), -ENOMEM);
	EXPECT_EQ(space_msync(&x.s, AT, PAGE, MS_ASYNC | MS_SYNC), -EINVAL);
	EXPECT_EQ(space_msync(&x.s, AT, PAGE, 8), -EINVAL);
	EXPECT_EQ(space_msync(&x.s, AT + 1, PAGE, MS_SYNC), -EINVAL);
	EXPECT_EQ(space_mlock(&x.s, AT + PAGE, PAGE, 0), 0);
	EXPECT_EQ(space_msync(&x.s, AT, 2 * PAGE, MS_SYNC | MS_INVALIDATE), -EBUSY);
	EXPECT_EQ(space_msync(&x.s, AT, PAGE, MS_SYNC | MS_INVALIDATE), 0);
}

KTEST(advice, mincore_tells_what_is_in_memory)
{
	struct mapping *m = mapping_create(x.tenant->owner, 4 * PAGE);
	uint8_t vec[6] = {9, 9, 9, 9, 9, 9};
	uint32_t word = 1;

	EXPECT_EQ(mapping_write(m, PAGE, &word, 4), 4);
	ASSERT_EQ(map_at(&x.s, AT, 3, RW, ANON), AT);
	ASSERT_EQ(map_private(&x.s, AT + 3 * PAGE, 3, PROT_READ, m), AT + 3 * PAGE);
	EXPECT_EQ(store(&x.s, AT + PAGE, 1), 0);
	EXPECT_EQ(space_mprotect(&x.s, AT + PAGE, PAGE, PROT_NONE), 0);
	EXPECT_EQ(space_mincore(&x.s, AT, 6, vec), 0);
	EXPECT(!vec[0] && vec[1] == 1 && !vec[2] && !vec[3] && vec[4] == 1 && !vec[5]);
	EXPECT_EQ(space_mincore(&x.s, AT, 7, vec), -ENOMEM);
	EXPECT_EQ(space_mincore(&x.s, AT + 1, 1, vec), -EINVAL);
	EXPECT_EQ(space_mincore(&x.s, 0xBFFFF000u, 2, vec), -ENOMEM);
	EXPECT_EQ(space_mincore(&x.s, 0xFFFFF000u, 1, vec), -ENOMEM);
	mapping_put(m);
}

KTEST(advice, locking_brings_in_whole_pages)
{
	ASSERT_EQ(map_at(&x.s, AT, 6, RW, ANON), AT);
	EXPECT_EQ(space_mlock(&x.s, AT + PAGE + 5, PAGE, 0), 0);
	EXPECT_EQ(x.s.locked, 2);
	EXPECT_EQ(space_resident(&x.s), 2);
	EXPECT_EQ(area_count(&x.s), 3);
	EXPECT_EQ(space_mlock(&x.s, AT + 3 * PAGE, PAGE, MLOCK_ONFAULT), 0);
	EXPECT_EQ(x.s.locked, 3);
	EXPECT_EQ(space_resident(&x.s), 2);
	EXPECT_EQ(space_munlock(&x.s, AT, 4 * PAGE), 0);
	EXPECT_EQ(x.s.locked, 0);
	EXPECT_EQ(area_count(&x.s), 1);
	EXPECT_EQ(space_mlock(&x.s, AT + 5 * PAGE, 2 * PAGE, 0), -ENOMEM);
	EXPECT_EQ(x.s.locked, 1);
	EXPECT_EQ(space_munlock(&x.s, AT + 5 * PAGE, 2 * PAGE), -ENOMEM);
	EXPECT_EQ(x.s.locked, 0);
	EXPECT_EQ(space_mlock(&x.s, AT, PAGE, 2), -EINVAL);
	EXPECT_EQ(space_mlock(&x.s, AT + 1, 0xFFFFFFFFu, 0), 0);
	EXPECT_EQ(space_mlock(&x.s, AT, 0xFFFFF000u, 0), -EINVAL);
	EXPECT_EQ(space_mlock(&x.s, 0xFFFFF000u, PAGE, 0), -EINVAL);
	EXPECT_EQ(space_mlock(&x.s, AT + PAGE * 100, 0, 0), 0);
	EXPECT_EQ(space_munlock(&x.s, AT + PAGE * 100, 0), 0);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, PROT_NONE), 0);
	EXPECT_EQ(space_mlock(&x.s, AT, PAGE, 0), -ENOMEM);
}

KTEST(advice, locking_stops_at_a_hole)
{
	ASSERT_EQ(map_at(&x.s, AT, 1, RW, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + 2 * PAGE, 1, RW, ANON), AT + 2 * PAGE);
	EXPECT_EQ(space_mlock(&x.s, AT, 3 * PAGE, 0), -ENOMEM);
	EXPECT_EQ(x.s.locked, 1);
}

KTEST(advice, an_area_behind_the_range_has_no_say)
{
	ASSERT_EQ(map_at(&x.s, AT + PAGE, 1, RW, ANON), AT + PAGE);
	EXPECT_EQ(space_mlock(&x.s, AT + PAGE, PAGE, 0), 0);
	EXPECT_EQ(space_madvise(&x.s, AT, PAGE, MADV_DONTNEED), -ENOMEM);
	EXPECT_EQ(space_madvise(&x.s, AT, 2 * PAGE, MADV_DONTNEED), -EINVAL);
}

KTEST(advice, what_cannot_be_brought_in_is_eagain)
{
	ASSERT_EQ(map_at(&x.s, AT, 2 * TENANT_PAGES, RW, ANON | MAP_NORESERVE), AT);
	EXPECT_EQ(space_mlock(&x.s, AT, 2 * TENANT_PAGES * PAGE, 0), -EAGAIN);
}

KTEST(advice, locking_all_locks_what_comes_too)
{
	ASSERT_EQ(map_at(&x.s, AT, 2, RW, ANON), AT);
	EXPECT_EQ(space_mlockall(&x.s, 0), -EINVAL);
	EXPECT_EQ(space_mlockall(&x.s, MCL_ONFAULT), -EINVAL);
	EXPECT_EQ(space_mlockall(&x.s, 8), -EINVAL);
	EXPECT_EQ(space_mlockall(&x.s, MCL_FUTURE), 0);
	EXPECT_EQ(x.s.locked, 0);
	EXPECT_EQ(space_mlockall(&x.s, MCL_CURRENT), 0);
	EXPECT_EQ(x.s.locked, 2);
	EXPECT_EQ(space_resident(&x.s), 2);
	EXPECT_EQ(space_mlockall(&x.s, MCL_FUTURE), 0);
	ASSERT_EQ(map_at(&x.s, AT + 4 * PAGE, 2, RW, ANON), AT + 4 * PAGE);
	EXPECT_EQ(x.s.locked, 4);
	EXPECT_EQ(space_resident(&x.s), 4);
	EXPECT_EQ(space_mlockall(&x.s, MCL_FUTURE | MCL_ONFAULT), 0);
	ASSERT_EQ(map_at(&x.s, AT + 8 * PAGE, 2, RW, ANON), AT + 8 * PAGE);
	EXPECT_EQ(x.s.locked, 6);
	EXPECT_EQ(space_resident(&x.s), 4);
	EXPECT_EQ(space_munlockall(&x.s), 0);
	EXPECT_EQ(x.s.locked, 0);
	ASSERT_EQ(map_at(&x.s, AT + 12 * PAGE, 2, RW, ANON), AT + 12 * PAGE);
	EXPECT_EQ(x.s.locked, 0);
}
