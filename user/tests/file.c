/* user/tests/file.c - facts of descriptors and of what a file holds. */
#include "fact.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

FACT(what_is_written_is_read)
{
	int fd = nameless_file();
	char got[8] = "";

	EXPECT_EQ(write(fd, "hello", 5), 5);
	EXPECT_EQ(lseek(fd, 1, SEEK_SET), 1);
	EXPECT_EQ(read(fd, got, 8), 4);
	EXPECT(!strcmp(got, "ello"));
	EXPECT_EQ(read(fd, got, 8), 0);
}

FACT(single_bytes_are_written_and_read_one_behind_the_other)
{
	int fd = nameless_file();
	char got[2] = "";

	EXPECT_EQ(write(fd, "a", 1), 1);
	EXPECT_EQ(write(fd, "b", 1), 1);
	EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_EQ(read(fd, got, 1), 1);
	EXPECT_EQ(read(fd, got + 1, 1), 1);
	EXPECT(got[0] == 'a' && got[1] == 'b');
	EXPECT_EQ(read(fd, got, 1), 0);
}

FACT(positions_from_three_origins)
{
	int fd = file_of(100);

	EXPECT_EQ(lseek(fd, -10, SEEK_END), 90);
	EXPECT_EQ(lseek(fd, 5, SEEK_CUR), 95);
	EXPECT_EQ(lseek(fd, 1000, SEEK_SET), 1000);
	EXPECT_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	EXPECT_ERRNO(lseek(fd, 0, 99), EINVAL);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 1000);
}

FACT(a_position_beyond_four_gigabytes_can_be_had)
{
	int fd = nameless_file();

	EXPECT_EQ(lseek(fd, 5000000000ll, SEEK_SET), 5000000000ll);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 5000000000ll);
	EXPECT_EQ(read(fd, &(char){0}, 1), 0);
}

FACT(append_writes_at_the_end)
{
	int fd = file_of(10);

	EXPECT_EQ(fcntl(fd, F_SETFL, O_APPEND), 0);
	lseek(fd, 0, SEEK_SET);
	EXPECT_EQ(write(fd, "xy", 0), 0);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
	EXPECT_EQ(write(fd, "xy", 2), 2);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 12);
}

FACT(pread_and_pwrite_leave_the_position)
{
	int fd = file_of(100);
	char got;

	lseek(fd, 50, SEEK_SET);
	EXPECT_EQ(pwrite(fd, "z", 1, 7), 1);
	EXPECT_EQ(pread(fd, &got, 1, 7), 1);
	EXPECT_EQ(got, 'z');
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 50);
	EXPECT_ERRNO(pread(fd, &got, 1, -1), EINVAL);
	EXPECT_EQ(pread(fd, &got, 1, INT64_MAX - 1), 0);
	EXPECT_ERRNO(pread(fd, &got, 2, INT64_MAX - 1), EINVAL);
	EXPECT_ERRNO(pwrite(fd, &got, 1, INT64_MAX), EINVAL);
	EXPECT_ERRNO(pwrite(fd, &got, 1, INT64_MAX - 1), EFBIG);
}

FACT(a_copied_descriptor_shares_its_position)
{
	int fd = file_of(100), copy = dup(fd);

	lseek(fd, 30, SEEK_SET);
	EXPECT_EQ(lseek(copy, 0, SEEK_CUR), 30);
	EXPECT_EQ(close(fd), 0);
	EXPECT_EQ(lseek(copy, 0, SEEK_CUR), 30);
}

FACT(a_child_shares_the_position)
{
	int fd = file_of(100), status;

	if (!fork())
		_exit(lseek(fd, 70, SEEK_SET) != 70);
	wait(&status);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 70);
}

FACT(the_lowest_free_descriptor_is_given)
{
	int a = dup(0), b = dup(0), c;

	close(a);
	c = dup(0);
	EXPECT_EQ(c, a);
	EXPECT_EQ(fcntl(0, F_DUPFD, 200), 200);
	EXPECT_EQ(fcntl(0, F_DUPFD, 200), 201);
	EXPECT(b > a);
}

FACT(dup2_closes_its_target_and_dup3_refuses_itself)
{
	int fd = file_of(10), other = file_of(20);
	struct stat s;

	EXPECT_EQ(dup2(fd, other), other);
	EXPECT_EQ(fstat(other, &s), 0);
	EXPECT_EQ(s.st_size, 10);
	EXPECT_EQ(dup2(fd, fd), fd);
	EXPECT_ERRNO(dup3(fd, fd, 0), EINVAL);
	EXPECT_ERRNO(dup2(fd, -1), EBADF);
	EXPECT_ERRNO(dup2(fd, 100000000), EBADF);
}

FACT(a_closed_descriptor_is_EBADF)
{
	int fd = file_of(10);
	char c;

	EXPECT_EQ(close(fd), 0);
	EXPECT_ERRNO(close(fd), EBADF);
	EXPECT_ERRNO(read(fd, &c, 1), EBADF);
	EXPECT_ERRNO(write(fd, &c, 1), EBADF);
	EXPECT_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
	EXPECT_ERRNO(fcntl(fd, F_GETFD), EBADF);
	EXPECT_ERRNO(ftruncate(fd, 0), EBADF);
	EXPECT_ERRNO(dup(fd), EBADF);
	EXPECT_ERRNO(read(-1, &c, 1), EBADF);
}

FACT(the_limit_of_descriptors_is_EMFILE)
{
	struct rlimit limit = {20, 1024};
	int fd = 0, last = 0, ends[2];

	REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (fd >= 0 && fd < 100) {
		last = fd;
		fd = dup(0);
	}
	EXPECT_EQ(errno, EMFILE);
	EXPECT_EQ(last, 19);
	EXPECT_ERRNO(pipe(ends), EMFILE);
	close(19);
	EXPECT_ERRNO(pipe(ends), EMFILE);
	EXPECT_EQ(dup(0), 19);
}

FACT(the_limit_of_descriptors_has_one_itself)
{
	struct rlimit limit = {20, 1 << 20};

	EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_max++;
	EXPECT_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
	limit.rlim_max = RLIM_INFINITY;
	EXPECT_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
}

FACT(an_open_without_a_descriptor_makes_and_cuts_nothing)
{
	struct rlimit limit = {20, 1024};
	int fd = open("/tmp/limited", O_CREAT | O_RDWR, 0600);
	struct stat s;

	EXPECT_EQ(write(fd, "text", 4), 4);
	REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (dup(0) >= 0)
		;
	EXPECT_ERRNO(open("/tmp/limited", O_WRONLY | O_TRUNC), EMFILE);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_size, 4);
	EXPECT_ERRNO(open("/tmp/never", O_CREAT | O_WRONLY, 0600), EMFILE);
	EXPECT_ERRNO(open("", O_RDONLY), ENOENT);
	EXPECT_ERRNO(stat("/tmp/never", &s), ENOENT);
	unlink("/tmp/limited");
}

FACT(scattered_reads_and_gathered_writes_are_one_call)
{
	int fd = nameless_file();
	char a[3], b[5];
	struct iovec out[3] = {{"abc", 3}, {"", 0}, {"defgh", 5}}, in[2] = {{a, 3}, {b, 5}};

	EXPECT_EQ(writev(fd, out, 3), 8);
	lseek(fd, 0, SEEK_SET);
	EXPECT_EQ(readv(fd, in, 2), 8);
	EXPECT(!memcmp(a, "abc", 3) && !memcmp(b, "defgh", 5));
	EXPECT_ERRNO(writev(fd, out, -1), EINVAL);
	EXPECT_ERRNO(writev(fd, out, IOV_MAX + 1), EINVAL);
}

FACT(truncation_cuts_and_grows_with_zeros)
{
	int fd = file_of(3 * PAGE);
	struct stat s;
	char got[4] = "";

	EXPECT_EQ(ftruncate(fd, 10), 0);
	EXPECT_EQ(ftruncate(fd, 2 * PAGE), 0);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_size, 2 * PAGE);
	EXPECT_EQ(pread(fd, got, 4, 8), 4);
	EXPECT(got[0] == 1 && got[1] == 1 && got[2] == 0 && got[3] == 0);
	EXPECT_ERRNO(ftruncate(fd, -1), EINVAL);
}

FACT(who_opened_a_file_as_small_makes_it_no_larger_than_2_gib)
{
	/* The C library's open has O_LARGEFILE always. */
	int fd = (int)syscall(SYS_open, "/tmp/small", O_RDWR | O_CREAT, 0600);

	EXPECT_EQ(ftruncate(fd, INT32_MAX), 0);
	EXPECT_ERRNO(ftruncate(fd, 1ll << 31), EINVAL);
	EXPECT_EQ(ftruncate(open("/tmp/small", O_RDWR), 1ll << 31), 0);
	EXPECT_EQ(unlink("/tmp/small"), 0);
}

static volatile int too_large;

static void note_size(int sig)
{
	(void)sig;
	too_large++;
}

static void write_too_much(void)
{
	struct rlimit limit = {0, 0};

	setrlimit(RLIMIT_FSIZE, &limit);
	write(nameless_file(), "x", 1);
}

FACT(a_file_grows_no_further_than_the_limit)
{
	struct rlimit limit = {6000, RLIM_INFINITY};
	int fd = file_of(8000), small = file_of(10);
	char page[PAGE] = "";

	signal(SIGXFSZ, note_size);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	EXPECT_EQ(pwrite(small, page, PAGE, 5000), 1000);
	EXPECT_EQ(pwrite(small, page, 0, 6000), 0);
	EXPECT_EQ(too_large, 0);
	EXPECT_ERRNO(pwrite(small, page, 1, 6000), EFBIG);
	EXPECT_EQ(too_large, 1);
	EXPECT_ERRNO(pwrite(fd, page, 1, 7000), EFBIG); /* though it is there already */
	EXPECT_EQ(ftruncate(small, 6000), 0);
	EXPECT_ERRNO(ftruncate(small, 6001), EFBIG);
	EXPECT_EQ(ftruncate(fd, 7000), 0);
	EXPECT_ERRNO(fallocate(small, 0, 0, 6001), EFBIG);
	EXPECT_EQ(too_large, 4);
	signal(SIGXFSZ, SIG_DFL);
	EXPECT_EQ(WTERMSIG(in_child(write_too_much)), SIGXFSZ);
}

FACT(a_hole_takes_no_room)
{
	int fd = nameless_file();
	struct stat s;

	EXPECT_EQ(pwrite(fd, "x", 1, 1 << 24), 1);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_size, (1 << 24) + 1);
}

FACT(a_file_may_grow_page_by_page_to_a_megabyte)
{
	int fd = file_of(1 << 20);
	char got;

	for (unsigned i = 0; i < 256; i += 51) {
		EXPECT_EQ(pread(fd, &got, 1, i * PAGE + 77), 1);
		EXPECT_EQ(got, (char)(i + 1));
	}
}

FACT(a_descriptor_s_flags_are_its_own)
{
	int fd = file_of(1), copy;

	EXPECT_EQ(fcntl(fd, F_GETFD), 0);
	EXPECT_EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	copy = dup(fd);
	EXPECT_EQ(fcntl(copy, F_GETFD), 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	EXPECT_ERRNO(fcntl(fd, 9999), EINVAL);
}

FACT(the_old_fcntl_does_the_same)
{
	int fd = file_of(1);

	EXPECT_EQ(syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC), 0);
	EXPECT_EQ(syscall(SYS_fcntl, fd, F_GETFD), FD_CLOEXEC);
	EXPECT_ERRNO(syscall(SYS_fcntl, -1, F_GETFD), EBADF);
}

FACT(reading_a_directory_is_EISDIR)
{
	int fd = open("/tmp", O_RDONLY);

	EXPECT_ERRNO(read(fd, &(char){0}, 1), EISDIR);
	EXPECT_ERRNO(open("/tmp", O_WRONLY), EISDIR);
}

FACT(a_mode_of_opening_holds)
{
	int in = open("/dev/null", O_RDONLY), out = open("/dev/null", O_WRONLY);
	char c = 0;
	struct iovec one = {&c, 1};

	EXPECT_ERRNO(write(in, &c, 1), EBADF);
	EXPECT_ERRNO(read(out, &c, 1), EBADF);
	EXPECT_ERRNO(pwrite(in, &c, 1, 0), EBADF);
	EXPECT_ERRNO(pread(out, &c, 1, 0), EBADF);
	EXPECT_ERRNO(writev(in, &one, 1), EBADF);
	EXPECT_ERRNO(readv(out, &one, 1), EBADF);
	EXPECT_ERRNO(pwritev(in, &one, 1, 0), EBADF);
	EXPECT_ERRNO(preadv(out, &one, 1, 0), EBADF);
	EXPECT_ERRNO(syscall(SYS_sendfile64, out, out, NULL, 1), EBADF);
	EXPECT_ERRNO(syscall(SYS_sendfile64, in, in, NULL, 1), EBADF);
}

FACT(null_takes_everything_and_gives_nothing)
{
	int fd = open("/dev/null", O_RDWR);
	char c;

	EXPECT_EQ(write(fd, "xyz", 3), 3);
	EXPECT_EQ(read(fd, &c, 1), 0);
}

FACT(zero_gives_zeros_and_full_has_no_room)
{
	int zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
	char got[100];

	memset(got, 1, sizeof(got));
	EXPECT_EQ(read(zero, got, 100), 100);
	EXPECT_EQ(got[0] | got[99], 0);
	EXPECT_EQ(write(zero, got, 100), 100);
	EXPECT_EQ(read(full, got, 100), 100);
	EXPECT_ERRNO(write(full, got, 1), ENOSPC);
	EXPECT_ERRNO(write(full, got, 0), ENOSPC);
	EXPECT_EQ(writev(full, &(struct iovec){got, 0}, 1), 0);
}

FACT(a_device_has_one_place)
{
	static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random"};
	char got[10];

	for (unsigned i = 0; i < 4; i++) {
		int fd = open(names[i], O_RDONLY);

		EXPECT(read(fd, got, 10) >= 0);
		EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 0);
		EXPECT_EQ(lseek(fd, 100, SEEK_SET), 0);
		EXPECT_EQ(lseek(fd, -1, SEEK_END), 0);
		EXPECT_EQ(lseek(fd, 0, SEEK_DATA), 0);
		EXPECT_ERRNO(lseek(fd, 0, 5), EINVAL);
	}
}

FACT(urandom_does_not_repeat)
{
	int fd = open("/dev/urandom", O_RDONLY);
	uint32_t a[8] = {0}, b[8] = {0};

	EXPECT_EQ(read(fd, a, sizeof(a)), sizeof(a));
	EXPECT_EQ(read(fd, b, sizeof(b)), sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)) != 0);
	EXPECT(a[0] | a[7]);
}

FACT(a_device_tells_its_numbers)
{
	struct stat s;

	EXPECT_EQ(stat("/dev/zero", &s), 0);
	EXPECT(S_ISCHR(s.st_mode));
	EXPECT_EQ(s.st_rdev, 0x105);
}

FACT(the_oldest_stat_tells_the_same)
{
	struct {
		uint16_t dev, ino, mode, links, uid, gid, rdev, nothing;
		uint32_t size, atime, mtime, ctime;
	} old;
	struct stat s;
	int fd = file_of(77);

	memset(&old, 0xff, sizeof(old));
	EXPECT_EQ(syscall(SYS_oldfstat, fd, &old), 0);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(old.ino, s.st_ino);
	EXPECT_EQ(old.mode, s.st_mode);
	EXPECT_EQ(old.links, s.st_nlink);
	EXPECT_EQ(old.nothing, 0);
	EXPECT_EQ(old.size, 77);
	EXPECT_EQ(old.mtime, s.st_mtime);
	EXPECT_EQ(symlink("/dev/zero", "/tmp/link"), 0);
	EXPECT_EQ(syscall(SYS_oldstat, "/tmp/link", &old), 0);
	EXPECT(S_ISCHR(old.mode));
	EXPECT_EQ(old.rdev, 0x105);
	EXPECT_EQ(syscall(SYS_oldlstat, "/tmp/link", &old), 0);
	EXPECT(S_ISLNK(old.mode));
	EXPECT_EQ(old.size, strlen("/dev/zero"));
	unlink("/tmp/link");
	EXPECT_ERRNO(syscall(SYS_oldstat, "/tmp/link", &old), ENOENT);
}

FACT(ioctl_knows_what_all_descriptors_have)
{
	int fd = file_of(100), on = 1, left = 0;

	EXPECT_EQ(ioctl(fd, FIOCLEX), 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(ioctl(fd, FIONCLEX), 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), 0);
	EXPECT_EQ(ioctl(fd, FIONBIO, &on), 0);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	on = 0;
	EXPECT_EQ(ioctl(fd, FIONBIO, &on), 0);
	EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	EXPECT_ERRNO(ioctl(fd, FIONBIO, 16), EFAULT);
	lseek(fd, 30, SEEK_SET);
	EXPECT_EQ(ioctl(fd, FIONREAD, &left), 0);
	EXPECT_EQ(left, 70);
	EXPECT_ERRNO(ioctl(fd, FIONREAD, 16), EFAULT);
	EXPECT_ERRNO(ioctl(-1, FIOCLEX), EBADF);
	EXPECT_ERRNO(ioctl(open("/dev/null", O_RDONLY), FIONREAD, &left), ENOTTY);
}

FACT(a_file_is_no_terminal)
{
	EXPECT_ERRNO(ioctl(file_of(1), TIOCGWINSZ, pages(1)), ENOTTY);
}

FACT(sync_of_a_file_is_no_error)
{
	int fd = file_of(100);

	EXPECT_EQ(fsync(fd), 0);
	EXPECT_EQ(fdatasync(fd), 0);
	EXPECT_ERRNO(fsync(-1), EBADF);
}

FACT(statfs_knows_what_it_is_on)
{
	struct statfs s;

	EXPECT_EQ(statfs("/tmp", &s), 0);
	EXPECT(s.f_namelen == 255);
	EXPECT(s.f_bsize > 0);
	EXPECT_EQ(fstatfs(nameless_file(), &s), 0);
}

FACT(a_length_that_is_negative_as_a_signed_number_is_refused)
{
	EXPECT(syscall(SYS_read, file_of(1), pages(1), 0xfffff000u) < 0);
	EXPECT(errno == EFAULT || errno == EINVAL);
}
