/* user/tests/filemap.c - facts of files and their mappings, which see each other. */
#include "fact.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RW (PROT_READ | PROT_WRITE)

static char *map(int fd, unsigned length, int prot, int flags)
{
	char *p = mmap(NULL, length, prot, flags, fd, 0);

	if (!EXPECT(p != MAP_FAILED))
		exit(1);
	return p;
}

FACT(a_mapping_shows_the_file)
{
	char *p = map(file_of(5 * PAGE), 5 * PAGE, PROT_READ, MAP_PRIVATE);

	for (unsigned i = 0; i < 5; i++) {
		EXPECT_EQ(p[i * PAGE], i + 1);
		EXPECT_EQ(p[i * PAGE + PAGE - 1], i + 1);
	}
}

static void *map_checked(int fd, int flags)
{
	char *free = pages(1);

	munmap(free, PAGE);
	return mmap(free, PAGE, RW, MAP_SHARED_VALIDATE | flags, fd, 0);
}

FACT(a_validated_mapping_refuses_flags_that_are_not_there)
{
	int fd = file_of(PAGE);

	EXPECT(map_checked(fd, MAP_POPULATE | MAP_NORESERVE | MAP_STACK) != MAP_FAILED);
	EXPECT_ERRNO((intptr_t)map_checked(fd, 0x1000000), EOPNOTSUPP);
	EXPECT_ERRNO((intptr_t)map_checked(fd, MAP_SYNC), EOPNOTSUPP);
	EXPECT_ERRNO((intptr_t)map_checked(fd, MAP_FIXED_NOREPLACE), EOPNOTSUPP);
	EXPECT(mmap(NULL, PAGE, RW, MAP_SHARED | MAP_SYNC | 0x1000000, fd, 0) != MAP_FAILED);
}

FACT(no_huge_pages_are_set_aside)
{
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0),
		     ENOMEM);
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, RW, MAP_SHARED | MAP_HUGETLB, file_of(PAGE), 0), EINVAL);
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, RW, MAP_SHARED | MAP_HUGETLB, -1, 0), EBADF);
}

FACT(an_offset_in_pages_is_kept)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, file_of(5 * PAGE), 3 * PAGE);

	REQUIRE(p != MAP_FAILED);
	EXPECT_EQ(p[0], 4);
	EXPECT_EQ(p[PAGE], 5);
}

FACT(an_offset_off_a_page_is_EINVAL)
{
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file_of(PAGE), 100), EINVAL);
}

FACT(what_write_writes_the_mapping_shows)
{
	int fd = file_of(2 * PAGE);
	char *p = map(fd, 2 * PAGE, PROT_READ, MAP_SHARED);

	EXPECT_EQ(p[PAGE], 2);
	EXPECT_EQ(pwrite(fd, "quire", 5, PAGE), 5);
	EXPECT(!memcmp(p + PAGE, "quire", 5));
}

FACT(what_the_mapping_writes_read_shows)
{
	int fd = file_of(2 * PAGE);
	char *p = map(fd, 2 * PAGE, RW, MAP_SHARED), got[8] = "";

	memcpy(p + PAGE - 3, "across", 6);
	EXPECT_EQ(pread(fd, got, 6, PAGE - 3), 6);
	EXPECT(!memcmp(got, "across", 6));
}

FACT(two_shared_mappings_are_one_memory)
{
	int fd = file_of(PAGE);
	char *p = map(fd, PAGE, RW, MAP_SHARED), *q = map(fd, PAGE, RW, MAP_SHARED);

	p[10] = 55;
	EXPECT_EQ(q[10], 55);
	q[10] = 66;
	EXPECT_EQ(p[10], 66);
}

FACT(a_private_mapping_keeps_its_writes_to_itself)
{
	int fd = file_of(PAGE);
	char *p = map(fd, PAGE, RW, MAP_PRIVATE), got;

	p[0] = 99;
	EXPECT_EQ(pread(fd, &got, 1, 0), 1);
	EXPECT_EQ(got, 1);
	EXPECT_EQ(pwrite(fd, "\5", 1, 1), 1);
	EXPECT_EQ(p[0], 99);
}

FACT(beyond_the_last_page_is_SIGBUS)
{
	char *p = map(file_of(PAGE + 100), 4 * PAGE, RW, MAP_SHARED);

	EXPECT_NO_FAULT(try_read(p + 2 * PAGE - 1));
	EXPECT_FAULT(try_read(p + 2 * PAGE + 7), SIGBUS, BUS_ADRERR, p + 2 * PAGE + 7);
	EXPECT_FAULT(try_write(p + 3 * PAGE), SIGBUS, BUS_ADRERR, p + 3 * PAGE);
}

FACT(beyond_the_end_of_a_private_mapping_is_SIGBUS_too)
{
	char *p = map(file_of(PAGE), 2 * PAGE, RW, MAP_PRIVATE);

	EXPECT_FAULT(try_write(p + PAGE), SIGBUS, BUS_ADRERR, p + PAGE);
}

FACT(the_tail_of_the_last_page_is_zero)
{
	char *p = map(file_of(100), PAGE, PROT_READ, MAP_SHARED);

	EXPECT_EQ(p[99], 1);
	for (unsigned i = 100; i < PAGE; i++)
		REQUIRE(p[i] == 0);
}

FACT(writing_the_tail_does_not_grow_the_file)
{
	int fd = file_of(100);
	char *p = map(fd, PAGE, RW, MAP_SHARED);
	struct stat s;

	p[200] = 1;
	EXPECT_EQ(msync(p, PAGE, MS_SYNC), 0);
	EXPECT_EQ(munmap(p, PAGE), 0);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_size, 100);
}

FACT(what_was_written_to_the_tail_is_not_in_the_grown_file)
{
	int fd = file_of(100);
	char *p = map(fd, PAGE, RW, MAP_SHARED), got = 7;

	EXPECT_EQ(ftruncate(fd, 50), 0);
	EXPECT_EQ(p[99], 0);
	EXPECT_EQ(ftruncate(fd, PAGE), 0);
	EXPECT_EQ(pread(fd, &got, 1, 99), 1);
	EXPECT_EQ(got, 0);
}

FACT(a_file_that_shrank_is_SIGBUS_where_it_was)
{
	int fd = file_of(3 * PAGE);
	char *p = map(fd, 3 * PAGE, RW, MAP_SHARED), *q = map(fd, 3 * PAGE, RW, MAP_PRIVATE);

	EXPECT_EQ(p[2 * PAGE], 3);
	q[2 * PAGE] = 4; /* a private copy goes too */
	EXPECT_EQ(ftruncate(fd, PAGE), 0);
	EXPECT_EQ(try_read(p + 2 * PAGE).signo, SIGBUS);
	EXPECT_EQ(try_read(q + 2 * PAGE).signo, SIGBUS);
	EXPECT_EQ(p[0], 1);
}

FACT(a_file_that_grew_is_reached_by_an_old_mapping)
{
	int fd = file_of(PAGE);
	char *p = map(fd, 3 * PAGE, PROT_READ, MAP_SHARED);

	EXPECT_EQ(try_read(p + PAGE).signo, SIGBUS);
	EXPECT_EQ(ftruncate(fd, 3 * PAGE), 0);
	EXPECT_EQ(p[PAGE], 0);
	EXPECT_EQ(pwrite(fd, "\7", 1, 2 * PAGE), 1);
	EXPECT_EQ(p[2 * PAGE], 7);
}

FACT(the_mapping_of_an_unlinked_and_closed_file_lives_on)
{
	int fd = file_of(PAGE);
	char *p = map(fd, PAGE, RW, MAP_SHARED);

	EXPECT_EQ(close(fd), 0);
	EXPECT_EQ(p[0], 1);
	p[1] = 2;
	EXPECT_EQ(p[1], 2);
}

FACT(a_hole_in_a_file_reads_as_zero)
{
	int fd = nameless_file();
	char *p;

	EXPECT_EQ(pwrite(fd, "x", 1, 10 * PAGE), 1);
	p = map(fd, 11 * PAGE, RW, MAP_SHARED);
	EXPECT_EQ(p[5 * PAGE], 0);
	p[3 * PAGE] = 3;
	EXPECT_EQ(p[10 * PAGE], 'x');
	EXPECT_EQ(p[3 * PAGE], 3);
}

FACT(a_shared_writable_mapping_of_a_file_opened_for_reading_is_EACCES)
{
	int fd = open("/tmp/fact-readonly", O_RDONLY | O_CREAT, 0600);
	char *p;

	REQUIRE(fd >= 0);
	unlink("/tmp/fact-readonly");
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	EXPECT_ERRNO(mprotect(p, PAGE, RW), EACCES);
	EXPECT(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0) != MAP_FAILED);
}

FACT(a_file_opened_for_writing_only_cannot_be_mapped)
{
	int fd = open("/tmp/fact-writeonly", O_WRONLY | O_CREAT, 0600);

	REQUIRE(fd >= 0);
	unlink("/tmp/fact-writeonly");
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), EACCES);
}

FACT(a_bad_descriptor_is_EBADF)
{
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 500, 0), EBADF);
}

FACT(a_directory_and_a_pipe_are_ENODEV)
{
	int ends[2], fd = open("/tmp", O_RDONLY);

	REQUIRE(fd >= 0 && pipe(ends) == 0);
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0), ENODEV);
	EXPECT_ERRNO((intptr_t)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[1], 0), EACCES);
}

FACT(dev_zero_maps_as_anonymous_memory)
{
	int fd = open("/dev/zero", O_RDWR);
	char *p;

	REQUIRE(fd >= 0);
	p = map(fd, 2 * PAGE, RW, MAP_PRIVATE);
	EXPECT_EQ(p[PAGE], 0);
	p[PAGE] = 1;
	EXPECT_EQ(map(fd, PAGE, PROT_READ, MAP_PRIVATE)[0], 0);
}

FACT(a_child_s_write_to_a_shared_file_page_is_seen)
{
	int fd = file_of(PAGE), status;
	char *p = map(fd, PAGE, RW, MAP_SHARED), got;

	if (!fork()) {
		p[0] = 42;
		_exit(0);
	}
	wait(&status);
	EXPECT_EQ(p[0], 42);
	EXPECT_EQ(pread(fd, &got, 1, 0), 1);
	EXPECT_EQ(got, 42);
}

FACT(read_into_the_file_s_own_mapping_works)
{
	int fd = file_of(2 * PAGE);
	char *p = map(fd, 2 * PAGE, RW, MAP_SHARED);

	EXPECT_EQ(pread(fd, p, PAGE, PAGE), PAGE);
	EXPECT_EQ(p[0], 2);
	EXPECT_EQ(pwrite(fd, p + PAGE, PAGE, 0), PAGE);
	EXPECT_EQ(p[PAGE - 1], 2);
}

FACT(write_from_a_page_beyond_the_file_is_EFAULT)
{
	char *p = map(file_of(PAGE), 2 * PAGE, PROT_READ, MAP_SHARED);

	EXPECT_ERRNO(write(nameless_file(), p + PAGE, 10), EFAULT);
}

FACT(a_write_through_a_shared_mapping_is_one_of_the_file)
{
	const struct timespec long_ago[2] = {{9, 0}, {9, 0}};
	int fd = file_of(2 * PAGE);
	char *shared = map(fd, 2 * PAGE, RW, MAP_SHARED), *private = map(fd, PAGE, RW, MAP_PRIVATE);
	struct stat s;

	EXPECT_EQ(futimens(fd, long_ago), 0);
	private[0] = 1;
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_mtime, 9);
	shared[0] = 1;
	EXPECT_EQ(msync(shared, PAGE, MS_SYNC), 0);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT(s.st_mtime > 9 && s.st_ctime > 9);
}
