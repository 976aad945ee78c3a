/* user/tests/mremap.c - facts of mremap. */
#include "fact.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

FACT(it_grows_in_place_where_there_is_room)
{
	char *p = pages(8);

	munmap(p + 2 * PAGE, 6 * PAGE);
	memset(p, 4, 2 * PAGE);
	EXPECT(mremap(p, 2 * PAGE, 4 * PAGE, 0) == p);
	EXPECT_EQ(p[2 * PAGE - 1], 4);
	EXPECT_EQ(p[2 * PAGE], 0);
	EXPECT_NO_FAULT(try_write(p + 4 * PAGE - 1));
	EXPECT_EQ(try_read(p + 4 * PAGE).signo, SIGSEGV);
}

FACT(what_it_replaces_does_not_count_against_the_limit)
{
	struct rlimit limit = {64 << 20, 64 << 20};
	char *p = pages(1), *q = pages(2);

	EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
	for (size_t size = 32 << 20; size >= PAGE; size /= 2)
		while (mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
			;
	EXPECT_ERRNO((intptr_t)mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL), ENOMEM);
	EXPECT(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
}

FACT(without_room_and_without_leave_to_move_it_is_ENOMEM)
{
	char *p = pages(4);

	mprotect(p + PAGE, PAGE, PROT_READ);
	EXPECT_ERRNO((intptr_t)mremap(p, PAGE, 2 * PAGE, 0), ENOMEM);
	EXPECT_NO_FAULT(try_write(p));
	EXPECT_EQ(try_write(p + PAGE).code, SEGV_ACCERR);
}

FACT(it_moves_with_its_content)
{
	char *p = pages(4), *q;

	mprotect(p + 2 * PAGE, PAGE, PROT_READ);
	memset(p, 6, 2 * PAGE);
	q = mremap(p, 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE);
	REQUIRE(q != MAP_FAILED);
	EXPECT(q != p);
	for (unsigned i = 0; i < 2 * PAGE; i += 100)
		EXPECT_EQ(q[i], 6);
	EXPECT_EQ(q[99 * PAGE], 0);
	EXPECT_FAULT(try_read(p), SIGSEGV, SEGV_MAPERR, p);
}

FACT(it_shrinks_and_the_rest_is_gone)
{
	char *p = pages(4);

	memset(p, 6, 4 * PAGE);
	EXPECT(mremap(p, 4 * PAGE, PAGE, 0) == p);
	EXPECT_EQ(p[PAGE - 1], 6);
	EXPECT_EQ(try_read(p + PAGE).code, SEGV_MAPERR);
}

FACT(a_fixed_move_replaces_what_was_there)
{
	char *p = pages(2), *q = pages(4);

	memset(p, 1, 2 * PAGE);
	memset(q, 2, 4 * PAGE);
	EXPECT(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE) == q + PAGE);
	EXPECT_EQ(q[PAGE - 1], 2);
	EXPECT_EQ(q[PAGE], 1);
	EXPECT_EQ(q[3 * PAGE - 1], 1);
	EXPECT_EQ(q[3 * PAGE], 2);
	EXPECT_EQ(try_read(p).signo, SIGSEGV);
}

FACT(a_fixed_move_onto_itself_is_EINVAL)
{
	char *p = pages(4);

	EXPECT_ERRNO((intptr_t)mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE),
		     EINVAL);
}

FACT(fixed_without_leave_to_move_is_EINVAL)
{
	EXPECT_ERRNO((intptr_t)mremap(pages(1), PAGE, PAGE, MREMAP_FIXED, pages(1)), EINVAL);
}

FACT(an_address_off_a_page_is_EINVAL)
{
	EXPECT_ERRNO((intptr_t)mremap(pages(2) + 8, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL);
}

FACT(a_new_length_of_zero_is_EINVAL)
{
	EXPECT_ERRNO((intptr_t)mremap(pages(2), PAGE, 0, MREMAP_MAYMOVE), EINVAL);
}

FACT(what_is_not_mapped_is_EFAULT)
{
	char *p = pages(1);

	munmap(p, PAGE);
	EXPECT_ERRNO((intptr_t)mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
}

FACT(a_range_over_two_mappings_cannot_grow)
{
	char *p = pages(2);

	mprotect(p + PAGE, PAGE, PROT_READ);
	EXPECT_ERRNO((intptr_t)mremap(p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE), EFAULT);
}

FACT(a_shared_mapping_moves_and_stays_shared)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;
	pid_t child;

	REQUIRE(p != MAP_FAILED);
	p[0] = 1;
	q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, pages(1));
	REQUIRE(q != MAP_FAILED && q != p);
	EXPECT_EQ(q[0], 1);
	child = fork();
	if (!child) {
		q[0] = 2;
		_exit(0);
	}
	while (*(volatile char *)q == 1)
		usleep(1000);
	EXPECT_EQ(q[0], 2);
}

FACT(an_old_length_of_zero_doubles_a_shared_mapping)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

	REQUIRE(p != MAP_FAILED);
	q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
	REQUIRE(q != MAP_FAILED && q != p);
	p[3] = 8;
	EXPECT_EQ(q[3], 8);
}

FACT(a_shared_mapping_doubled_onto_itself_is_EFAULT)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	EXPECT_ERRNO((intptr_t)mremap(p, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p), EFAULT);
}

FACT(dontunmap_leaves_the_old_place_empty)
{
	char *p = pages(3), *q;

	memset(p, 5, 3 * PAGE);
	q = mremap(p + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	REQUIRE(q != MAP_FAILED);
	EXPECT(q < p || q >= p + 3 * PAGE);
	EXPECT_EQ(q[0], 5);
	EXPECT_EQ(p[PAGE], 0);
	p[PAGE] = 6;
	EXPECT_EQ(q[0], 5);
	EXPECT_EQ(p[0] + p[2 * PAGE], 10);
}

FACT(dontunmap_leaves_the_old_place_unlocked)
{
	char *p = pages(1), *q;

	EXPECT_EQ(mlock(p, PAGE), 0);
	EXPECT_ERRNO(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
	q = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	REQUIRE(q != MAP_FAILED);
	EXPECT_ERRNO(madvise(q, PAGE, MADV_DONTNEED), EINVAL);
	EXPECT_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
}

FACT(dontunmap_of_a_files_pages_shows_the_file_again)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_of(PAGE), 0), *q = pages(1),
	     was = *p;

	*p = (char)(was + 1);
	EXPECT(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, q) == q);
	EXPECT_EQ(*q, (char)(was + 1));
	EXPECT_EQ(*p, was);
}

FACT(dontunmap_without_leave_to_move_or_with_another_length_is_EINVAL)
{
	char *p = pages(2);

	EXPECT_ERRNO((intptr_t)mremap(p, PAGE, PAGE, MREMAP_DONTUNMAP, NULL), EINVAL);
	EXPECT_ERRNO((intptr_t)mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL), EINVAL);
	EXPECT_ERRNO((intptr_t)mremap(p, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL), EINVAL);
}

FACT(what_fork_shares_can_be_moved_by_either)
{
	char *p = pages(2), *q;
	int status;

	memset(p, 3, 2 * PAGE);
	if (!fork()) {
		q = mremap(p, 2 * PAGE, 50 * PAGE, MREMAP_MAYMOVE);
		_exit(q == MAP_FAILED || q[0] != 3 || q[2 * PAGE - 1] != 3 || try_write(q).signo);
	}
	wait(&status);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(p[0], 3);
}

FACT(what_is_left_behind_is_not_locked_though_the_move_cut_its_area)
{
	char *p = pages(8), *to = p + 2 * PAGE;

	EXPECT_EQ(mlock(p, 8 * PAGE), 0);
	EXPECT(mremap(p + 5 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) == to);
	EXPECT_ERRNO(madvise(p + PAGE, PAGE, MADV_DONTNEED), EINVAL);
	EXPECT_ERRNO(madvise(to, PAGE, MADV_DONTNEED), EINVAL);
	EXPECT_EQ(madvise(p + 3 * PAGE, 5 * PAGE, MADV_DONTNEED), 0);
}
