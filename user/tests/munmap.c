/* user/tests/munmap.c - facts of munmap. */
#include "fact.h"
#include <signal.h>
#include <sys/syscall.h>

FACT(an_unmapped_page_faults_at_its_address)
{
	char *p = pages(1);

	p[0] = 1;
	EXPECT_EQ(munmap(p, PAGE), 0);
	EXPECT_FAULT(try_read(p + 17), SIGSEGV, SEGV_MAPERR, p + 17);
	EXPECT_FAULT(try_write(p + 18), SIGSEGV, SEGV_MAPERR, p + 18);
}

FACT(the_middle_goes_and_both_ends_stay)
{
	char *p = pages(5);

	memset(p, 3, 5 * PAGE);
	EXPECT_EQ(munmap(p + PAGE, 3 * PAGE), 0);
	EXPECT_EQ(p[PAGE - 1], 3);
	EXPECT_EQ(p[4 * PAGE], 3);
	EXPECT_FAULT(try_read(p + PAGE), SIGSEGV, SEGV_MAPERR, p + PAGE);
	EXPECT_FAULT(try_read(p + 4 * PAGE - 1), SIGSEGV, SEGV_MAPERR, p + 4 * PAGE - 1);
}

FACT(unmapping_a_hole_is_no_error)
{
	char *p = pages(2);

	EXPECT_EQ(munmap(p, 2 * PAGE), 0);
	EXPECT_EQ(munmap(p, 2 * PAGE), 0);
}

FACT(one_call_unmaps_across_mappings_and_holes)
{
	char *p = pages(9);

	munmap(p + 2 * PAGE, PAGE);
	mprotect(p + 4 * PAGE, PAGE, PROT_READ);
	EXPECT_EQ(munmap(p + PAGE, 7 * PAGE), 0);
	for (unsigned i = 1; i < 8; i++)
		EXPECT_EQ(try_read(p + i * PAGE).code, SEGV_MAPERR);
	EXPECT_NO_FAULT(try_write(p));
	EXPECT_NO_FAULT(try_write(p + 8 * PAGE));
}

FACT(an_address_off_a_page_is_EINVAL)
{
	char *p = pages(2);

	EXPECT_ERRNO(munmap(p + 1, PAGE), EINVAL);
	EXPECT_NO_FAULT(try_write(p));
}

FACT(a_length_of_zero_is_EINVAL)
{
	EXPECT_ERRNO(syscall(SYS_munmap, pages(1), 0), EINVAL);
}

FACT(a_range_beyond_the_user_part_is_EINVAL)
{
	EXPECT_ERRNO(syscall(SYS_munmap, 0xfffff000u, PAGE), EINVAL);
	EXPECT_ERRNO(syscall(SYS_munmap, pages(1), 0xffffffffu), EINVAL);
}

FACT(a_length_is_rounded_up_to_pages)
{
	char *p = pages(3);

	EXPECT_EQ(munmap(p, PAGE + 1), 0);
	EXPECT_EQ(try_read(p + PAGE).signo, SIGSEGV);
	EXPECT_NO_FAULT(try_read(p + 2 * PAGE));
}

FACT(a_page_comes_back_zeroed)
{
	for (int i = 0; i < 50; i++) {
		char *p = pages(8);

		for (unsigned k = 0; k < 8 * PAGE; k += 512)
			REQUIRE(p[k] == 0);
		memset(p, 0xa5, 8 * PAGE);
		munmap(p, 8 * PAGE);
	}
}

FACT(every_other_page_can_be_unmapped)
{
	char *p = pages(400);

	memset(p, 1, 400 * PAGE);
	for (unsigned i = 0; i < 400; i += 2)
		EXPECT_EQ(munmap(p + i * PAGE, PAGE), 0);
	for (unsigned i = 0; i < 400; i++)
		EXPECT_EQ(try_read(p + i * PAGE).signo, i % 2 ? 0 : SIGSEGV);
}
