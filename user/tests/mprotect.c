/* user/tests/mprotect.c - facts of mprotect. */
#include "fact.h"
#include <signal.h>
#include <sys/syscall.h>

#define RW (PROT_READ | PROT_WRITE)

FACT(a_page_made_read_only_faults_with_ACCERR)
{
	char *p = pages(1);

	p[0] = 9;
	EXPECT_EQ(mprotect(p, PAGE, PROT_READ), 0);
	EXPECT_FAULT(try_write(p + 5), SIGSEGV, SEGV_ACCERR, p + 5);
	EXPECT_EQ(p[0], 9);
}

FACT(a_page_made_writable_again_keeps_its_content)
{
	char *p = pages(1);

	p[0] = 9;
	mprotect(p, PAGE, PROT_READ);
	EXPECT_EQ(mprotect(p, PAGE, RW), 0);
	EXPECT_NO_FAULT(try_write(p + 1));
	EXPECT_EQ(p[0], 9);
}

FACT(without_access_nothing_reads_it)
{
	char *p = pages(1);

	p[0] = 9;
	EXPECT_EQ(mprotect(p, PAGE, PROT_NONE), 0);
	EXPECT_FAULT(try_read(p), SIGSEGV, SEGV_ACCERR, p);
	EXPECT_EQ(mprotect(p, PAGE, PROT_READ), 0);
	EXPECT_EQ(p[0], 9);
}

FACT(only_the_middle_changes)
{
	char *p = pages(3);

	EXPECT_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	EXPECT_NO_FAULT(try_write(p + PAGE - 1));
	EXPECT_EQ(try_write(p + PAGE).signo, SIGSEGV);
	EXPECT_EQ(try_write(p + 2 * PAGE - 1).signo, SIGSEGV);
	EXPECT_NO_FAULT(try_write(p + 2 * PAGE));
}

FACT(an_untouched_page_made_writable_is_zero)
{
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	EXPECT_EQ(p[0], 0); /* the page of zeros may serve this */
	EXPECT_EQ(mprotect(p, PAGE, RW), 0);
	p[0] = 1;
	EXPECT_EQ(p[0], 1);
	EXPECT_EQ(pages(1)[0], 0);
}

FACT(a_hole_in_the_range_is_ENOMEM_and_what_is_before_changes)
{
	char *p = pages(3);

	munmap(p + PAGE, PAGE);
	EXPECT_ERRNO(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
	EXPECT_EQ(try_write(p).signo, SIGSEGV);
	EXPECT_NO_FAULT(try_write(p + 2 * PAGE));
}

FACT(an_address_off_a_page_is_EINVAL)
{
	EXPECT_ERRNO(syscall(SYS_mprotect, pages(1) + 4, PAGE, PROT_READ), EINVAL); /* the library's rounds */
}

FACT(a_length_of_zero_is_no_error)
{
	EXPECT_EQ(mprotect(pages(1), 0, PROT_NONE), 0);
}

FACT(an_unknown_protection_is_EINVAL)
{
	EXPECT_ERRNO(mprotect(pages(1), PAGE, 0x80), EINVAL);
}

FACT(a_range_that_wraps_is_ENOMEM)
{
	char *p = pages(1);

	munmap(p, PAGE); /* a machine of 64 bits would have a range there that does not wrap */
	EXPECT_ERRNO(syscall(SYS_mprotect, p, 0xfffff000u, PROT_READ), ENOMEM);
}

FACT(code_can_be_written_and_then_run)
{
	unsigned char *p = (unsigned char *)pages(1);

	p[0] = 0xc3; /* ret */
	EXPECT_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	EXPECT_NO_FAULT(try_run(p));
	p = mmap(NULL, PAGE, RW | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED);
	p[0] = 0xc3;
	EXPECT_NO_FAULT(try_run(p));
	p[0] = 0xcc; /* and changed where it runs */
	p[0] = 0xc3;
	EXPECT_NO_FAULT(try_run(p));
}

FACT(a_thousand_changes_leave_the_content)
{
	char *p = pages(64);

	for (unsigned i = 0; i < 64; i++)
		p[i * PAGE] = (char)i;
	for (unsigned i = 0; i < 1000; i++)
		REQUIRE(mprotect(p + i * 7 % 60 * PAGE, (1 + i % 5) * PAGE, i % 2 ? PROT_READ : RW) == 0);
	EXPECT_EQ(mprotect(p, 64 * PAGE, RW), 0);
	for (unsigned i = 0; i < 64; i++)
		EXPECT_EQ(p[i * PAGE], i);
}
