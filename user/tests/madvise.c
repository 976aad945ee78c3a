/* user/tests/madvise.c - facts of madvise, mincore, msync and the mlock family. */
#include "fact.h"
#include <signal.h>

static bool resident(const void *page)
{
	unsigned char there = 0;

	EXPECT_EQ(mincore((void *)(uintptr_t)page, 1, &there), 0);
	return there & 1;
}

FACT(a_page_becomes_resident_on_touch)
{
	char *p = pages(3);

	EXPECT(!resident(p));
	p[PAGE] = 1;
	EXPECT(!resident(p));
	EXPECT(resident(p + PAGE));
	EXPECT(!resident(p + 2 * PAGE));
}

FACT(dontneed_gives_the_pages_back)
{
	char *p = pages(4);

	memset(p, 5, 4 * PAGE);
	EXPECT_EQ(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
	EXPECT(!resident(p + PAGE));
	EXPECT_EQ(p[PAGE - 1], 5);
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_EQ(p[3 * PAGE - 1], 0);
	EXPECT_EQ(p[3 * PAGE], 5);
}

FACT(dontneed_of_a_private_file_page_shows_the_file_again)
{
	int fd = file_of(PAGE);
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	REQUIRE(p != MAP_FAILED);
	p[0] = 77;
	EXPECT_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(p[0], 1);
}

FACT(dontneed_of_a_shared_page_loses_nothing)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	p[0] = 77;
	EXPECT_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
	EXPECT_EQ(p[0], 77);
}

FACT(free_allows_a_page_to_become_zero_or_stay)
{
	char *p = pages(1);

	p[0] = 5;
	EXPECT_EQ(madvise(p, PAGE, MADV_FREE), 0);
	EXPECT(p[0] == 5 || p[0] == 0);
	p[0] = 6;
	EXPECT_EQ(p[0], 6);
}

FACT(free_of_a_file_mapping_is_EINVAL)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_of(PAGE), 0);

	REQUIRE(p != MAP_FAILED);
	EXPECT_ERRNO(madvise(p, PAGE, MADV_FREE), EINVAL);
}

FACT(willneed_is_no_error)
{
	EXPECT_EQ(madvise(pages(4), 4 * PAGE, MADV_WILLNEED), 0);
	EXPECT_EQ(madvise(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file_of(PAGE), 0), PAGE, MADV_WILLNEED),
		  0);
}

FACT(unknown_advice_is_EINVAL)
{
	EXPECT_ERRNO(madvise(pages(1), PAGE, 12345), EINVAL);
}

FACT(advice_off_a_page_is_EINVAL)
{
	EXPECT_ERRNO(madvise(pages(1) + 1, PAGE, MADV_DONTNEED), EINVAL);
}

FACT(advice_over_a_hole_is_ENOMEM_and_done_for_the_rest)
{
	char *p = pages(3);

	memset(p, 5, 3 * PAGE);
	munmap(p + PAGE, PAGE);
	EXPECT_ERRNO(madvise(p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
	EXPECT_EQ(p[0], 0);
	EXPECT_EQ(p[2 * PAGE], 0);
}

FACT(mincore_tells_of_each_of_many_pages)
{
	static const unsigned touched[] = {0, 2, 255, 256, 511, 599};
	static unsigned char there[601];
	char *p = mmap(NULL, 600 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned wrong = 0;

	REQUIRE(p != MAP_FAILED);
	madvise(p, 600 * PAGE, MADV_NOHUGEPAGE);
	for (unsigned i = 0; i < 6; i++)
		p[touched[i] * PAGE] = 1;
	memset(there, 0x55, sizeof(there));
	EXPECT_EQ(mincore(p, 599 * PAGE + 1, there), 0);
	for (unsigned i = 0; i < 6; i++)
		wrong += there[touched[i]]-- != 1;
	for (unsigned i = 0; i < 600; i++)
		wrong += there[i] != 0;
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(there[600], 0x55);
	EXPECT_EQ(mincore(p, 0, there), 0);
	EXPECT_ERRNO(mincore((void *)0xfffff000, PAGE, there), ENOMEM);
}

FACT(mincore_of_a_hole_is_ENOMEM)
{
	unsigned char there[3];
	char *p = pages(3);

	munmap(p + PAGE, PAGE);
	EXPECT_ERRNO(mincore(p, 3 * PAGE, there), ENOMEM);
}

FACT(mincore_off_a_page_is_EINVAL)
{
	unsigned char there;

	EXPECT_ERRNO(mincore(pages(1) + 1, 1, &there), EINVAL);
}

FACT(mincore_into_a_bad_address_is_EFAULT)
{
	EXPECT_ERRNO(mincore(pages(1), PAGE, (void *)16), EFAULT);
}

FACT(mlock_makes_pages_resident)
{
	char *p = pages(4);

	EXPECT_EQ(mlock(p, 4 * PAGE), 0);
	for (unsigned i = 0; i < 4; i++)
		EXPECT(resident(p + i * PAGE));
	EXPECT_EQ(munlock(p, 4 * PAGE), 0);
}

FACT(mlock_rounds_to_whole_pages)
{
	char *p = pages(2);

	EXPECT_EQ(mlock(p + PAGE - 1, 2), 0);
	EXPECT(resident(p));
	EXPECT(resident(p + PAGE));
}

FACT(mlock_over_a_hole_is_ENOMEM)
{
	char *p = pages(3);

	munmap(p + PAGE, PAGE);
	EXPECT_ERRNO(mlock(p, 3 * PAGE), ENOMEM);
}

/* Rounded up to pages there are none of them. */
FACT(a_length_of_4_gib_less_1_is_nothing)
{
	char *p = pages(2);

	EXPECT_EQ(mlock(p, SIZE_MAX), 0);
	EXPECT_EQ(munlock(p, SIZE_MAX), 0);
	EXPECT_EQ(msync(p, SIZE_MAX, MS_SYNC), 0);
	EXPECT_EQ(mlock(p + 1, SIZE_MAX), 0);
	EXPECT_ERRNO(mlock(p, SIZE_MAX - PAGE), EINVAL);
	EXPECT_ERRNO(munlock(p, SIZE_MAX - PAGE), EINVAL);
	EXPECT_ERRNO(msync(p, SIZE_MAX - PAGE, MS_SYNC), ENOMEM);
	EXPECT_ERRNO(mlock((void *)-PAGE, PAGE), EINVAL);
	EXPECT_ERRNO(madvise(p, SIZE_MAX, MADV_NORMAL), EINVAL);
	EXPECT_ERRNO(madvise((void *)-PAGE, PAGE, MADV_NORMAL), EINVAL);
	EXPECT_ERRNO(msync((void *)-PAGE, PAGE, MS_SYNC), ENOMEM);
}

FACT(mlock2_on_fault_populates_nothing)
{
	char *p = pages(2);

	EXPECT_EQ(mlock2(p, 2 * PAGE, MLOCK_ONFAULT), 0);
	EXPECT(!resident(p));
}

FACT(mlock2_with_an_unknown_flag_is_EINVAL)
{
	EXPECT_ERRNO(mlock2(pages(1), PAGE, 0x80), EINVAL);
}

FACT(mlockall_makes_later_mappings_resident)
{
	EXPECT_EQ(mlockall(MCL_FUTURE), 0);
	EXPECT(resident(pages(1)));
	EXPECT_EQ(munlockall(), 0);
	EXPECT(!resident(pages(1)));
}

FACT(mlockall_of_nothing_is_EINVAL)
{
	EXPECT_ERRNO(mlockall(0), EINVAL);
}

FACT(msync_of_a_hole_is_ENOMEM)
{
	char *p = pages(1);

	EXPECT_EQ(msync(p, PAGE, MS_SYNC), 0);
	munmap(p, PAGE);
	EXPECT_ERRNO(msync(p, PAGE, MS_SYNC), ENOMEM);
}

FACT(msync_both_ways_at_once_is_EINVAL)
{
	EXPECT_ERRNO(msync(pages(1), PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	EXPECT_ERRNO(msync(pages(1) + 1, PAGE, MS_SYNC), EINVAL);
}
