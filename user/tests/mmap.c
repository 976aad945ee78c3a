/* user/tests/mmap.c - facts of mmap, anonymous memory. */
#include "fact.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

FACT(what_is_replaced_does_not_count_against_the_limit)
{
	struct rlimit limit = {64 << 20, 64 << 20};
	char *p = pages(2);

	EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
	for (size_t size = 32 << 20; size >= PAGE; size /= 2)
		while (mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
			;
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	EXPECT(mmap(p, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
}

FACT(an_untouched_page_reads_as_zero)
{
	char *p = pages(4);

	for (unsigned i = 0; i < 4 * PAGE; i += 64)
		EXPECT_EQ(p[i], 0);
}

FACT(what_is_written_stays)
{
	char *p = pages(64);

	for (unsigned i = 0; i < 64; i++)
		p[i * PAGE + i] = (char)(i + 1);
	for (unsigned i = 0; i < 64; i++)
		EXPECT_EQ(p[i * PAGE + i], i + 1);
}

FACT(a_length_is_rounded_up_to_pages)
{
	char *p = mmap(NULL, PAGE + 1, RW, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	EXPECT_NO_FAULT(try_write(p + 2 * PAGE - 1));
}

FACT(a_length_of_zero_is_EINVAL)
{
	EXPECT_ERRNO((intptr_t)mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
}

FACT(more_than_the_address_space_is_ENOMEM)
{
	EXPECT_ERRNO(syscall(SYS_mmap2, 0, 0xfffff000u, RW, ANON, -1, 0), ENOMEM);
	EXPECT_ERRNO(syscall(SYS_mmap2, 0, 0xffffffffu, RW, ANON, -1, 0), ENOMEM);
}

FACT(neither_private_nor_shared_is_EINVAL)
{
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
}

FACT(a_fixed_address_off_a_page_is_EINVAL)
{
	char *p = pages(2);

	EXPECT_ERRNO((intptr_t)mmap(p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
}

FACT(a_fixed_mapping_replaces_what_was_there)
{
	char *p = pages(3);

	memset(p, 7, 3 * PAGE);
	EXPECT(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + PAGE);
	EXPECT_EQ(p[PAGE - 1], 7);
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_EQ(p[2 * PAGE - 1], 0);
	EXPECT_EQ(p[2 * PAGE], 7);
}

FACT(noreplace_over_a_mapping_is_EEXIST)
{
	char *p = pages(3);

	p[PAGE] = 5;
	EXPECT_ERRNO((intptr_t)mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	EXPECT_EQ(p[PAGE], 5);
}

FACT(noreplace_into_a_hole_takes_that_place)
{
	char *p = pages(3);

	munmap(p + PAGE, PAGE);
	EXPECT(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p + PAGE);
}

FACT(a_hint_that_is_free_is_taken)
{
	char *p = pages(16);

	munmap(p, 16 * PAGE);
	EXPECT(mmap(p + 4 * PAGE, PAGE, RW, ANON, -1, 0) == p + 4 * PAGE);
}

FACT(a_hint_that_is_taken_leads_elsewhere)
{
	char *p = pages(2), *q = mmap(p, PAGE, RW, ANON, -1, 0);

	REQUIRE(q != MAP_FAILED);
	EXPECT(q + PAGE <= p || q >= p + 2 * PAGE);
}

FACT(fixed_above_the_user_part_is_ENOMEM)
{
	EXPECT_ERRNO(syscall(SYS_mmap2, 0xfffff000u, PAGE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
}

FACT(the_null_page_of_a_program_is_not_there)
{
	EXPECT_FAULT(try_read((void *)16), SIGSEGV, SEGV_MAPERR, 16);
}

FACT(populate_makes_the_pages_resident)
{
	unsigned char there[4] = {0};
	char *p = mmap(NULL, 4 * PAGE, RW, ANON | MAP_POPULATE, -1, 0);

	REQUIRE(p != MAP_FAILED);
	EXPECT_EQ(mincore(p, 4 * PAGE, there), 0);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(there[i] & 1, 1);
}

FACT(old_mmap_takes_its_arguments_from_memory)
{
	uint32_t arguments[6] = {0, PAGE, RW, ANON, (uint32_t)-1, 0};
	char *p = (char *)syscall(SYS_mmap, arguments);

	REQUIRE(p != MAP_FAILED);
	EXPECT_NO_FAULT(try_write(p));
}

FACT(old_mmap_from_a_bad_address_is_EFAULT)
{
	EXPECT_ERRNO(syscall(SYS_mmap, 8), EFAULT);
}

FACT(a_mapping_without_access_can_be_had)
{
	char *p = mmap(NULL, PAGE, PROT_NONE, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	EXPECT_FAULT(try_read(p), SIGSEGV, SEGV_ACCERR, p);
}

FACT(a_gigabyte_without_reserve_costs_nothing)
{
	char *p = mmap(NULL, 1u << 30, RW, ANON | MAP_NORESERVE, -1, 0);

	REQUIRE(p != MAP_FAILED);
	p[0] = p[(1u << 30) - 1] = 1;
	EXPECT_EQ(p[1u << 29], 0);
}

FACT(two_thousand_mappings_live_side_by_side)
{
	static char *at[2000];

	for (int i = 0; i < 2000; i++) {
		at[i] = mmap(NULL, PAGE, i & 1 ? RW : PROT_READ | PROT_EXEC, ANON, -1, 0);
		REQUIRE(at[i] != MAP_FAILED);
	}
	for (int i = 1; i < 2000; i += 2)
		*at[i] = (char)i;
	for (int i = 0; i < 2000; i++)
		EXPECT_EQ(*at[i], i & 1 ? (char)i : 0);
	for (int i = 0; i < 2000; i++)
		EXPECT_EQ(munmap(at[i], PAGE), 0);
}

FACT(mapping_and_unmapping_does_not_run_out)
{
	for (int i = 0; i < 2000; i++) {
		char *p = pages(16);

		p[0] = p[15 * PAGE] = 1;
		REQUIRE(munmap(p, 16 * PAGE) == 0);
	}
}

FACT(a_growing_mapping_grows_down_on_touch)
{
	char *room = mmap(NULL, 1024 * PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0), *top;

	REQUIRE(room != MAP_FAILED);
	munmap(room, 1024 * PAGE);
	top = mmap(room + 1000 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	REQUIRE(top != MAP_FAILED);
	for (char *p = top + PAGE - 1; p > top - 100 * (int)PAGE; p -= PAGE)
		EXPECT_NO_FAULT(try_write(p));
}

FACT(a_growing_mapping_stops_at_the_guard_gap)
{
	char *room = mmap(NULL, 1024 * PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0), *top, *p;

	REQUIRE(room != MAP_FAILED);
	munmap(room, 1024 * PAGE);
	REQUIRE(mmap(room, PAGE, RW, ANON | MAP_FIXED, -1, 0) == room);
	top = mmap(room + 1000 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	REQUIRE(top != MAP_FAILED);
	for (p = top; p > room + PAGE && !try_write(p).signo;)
		p -= PAGE;
	EXPECT(p > room + 200 * PAGE); /* 256 pages; a kernel may choose less */
	EXPECT_NO_FAULT(try_read(room));
}

FACT(the_older_mmap_takes_its_offset_in_bytes)
{
	uint32_t a[6] = {0, PAGE, PROT_READ, MAP_PRIVATE, (uint32_t)file_of(2 * PAGE), PAGE};
	char *p = (char *)syscall(SYS_mmap, a);

	REQUIRE(p != MAP_FAILED);
	EXPECT_EQ(*p, 2);
	a[5] = 100;
	EXPECT_ERRNO(syscall(SYS_mmap, a), EINVAL);
}

FACT(the_old_mmap_takes_its_arguments_from_memory)
{
	int fd = file_of(3 * PAGE);
	uint32_t a[6] = {0, 2 * PAGE, PROT_READ, MAP_PRIVATE, (uint32_t)fd, PAGE};
	char *p = (char *)syscall(SYS_mmap, a);

	REQUIRE(p != MAP_FAILED);
	EXPECT(p[0] == 2 && p[2 * PAGE - 1] == 3);
	a[5] = PAGE / 2;
	EXPECT_ERRNO(syscall(SYS_mmap, a), EINVAL);
	a[3] = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	a[2] = PROT_READ | PROT_WRITE;
	a[5] = 0;
	a[0] = (uint32_t)(uintptr_t)p + PAGE;
	a[1] = PAGE;
	EXPECT_EQ((uint32_t)syscall(SYS_mmap, a), a[0]);
	EXPECT(p[0] == 2 && p[PAGE] == 0);
	EXPECT_NO_FAULT(try_write(p + PAGE));
	EXPECT_ERRNO(syscall(SYS_mmap, 16), EFAULT);
}
