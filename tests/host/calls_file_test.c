/* tests/host/calls_file_test.c - the system calls for open files and what files are, as on Linux. */
#include "calls.h"

#include <arch/frame_access.h>
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/statfs.h>
#include <linux/falloc.h>
#include <linux/fs.h>

KTEST_SETUP(calls_file)
{
	calls_begin();
}

KTEST_TEARDOWN(calls_file)
{
	calls_end();
}

KTEST(calls_file, what_is_written_is_read)
{
	int32_t fd = uopen("/a", O_CREAT | O_RDWR);

	EXPECT_EQ(fd, 0);
	EXPECT_EQ(uwrite(fd, "hello, world"), 12);
	EXPECT_EQ(CALL(sys_lseek, 0, 7, SEEK_SET), 7);
	EXPECT_EQ(CALL(sys_read, 0, U + 100, 50), 5);
	EXPECT(ueq(U + 100, "world"));
	EXPECT_EQ(CALL(sys_read, 0, U + 100, 50), 0);
	EXPECT_EQ(CALL(sys_pread64, 0, U + 200, 3, 1, 0), 3);
	EXPECT(ueq(U + 200, "ell"));
	EXPECT_EQ(CALL(sys_pwrite64, 0, U, 5, 9000, 0), 5);
	EXPECT_EQ(CALL(sys_lseek, 0, 0, SEEK_CUR), 12);
	EXPECT_EQ(stat_of("/a").st_size, 9005);
	EXPECT_EQ(stat_of("/a").st_blocks, 16);
	EXPECT_EQ(CALL(sys_close, 0), 0);
	EXPECT_EQ(CALL(sys_close, 0), -EBADF);
	EXPECT_EQ(CALL(sys_read, 0, U, 1), -EBADF);
}

KTEST(calls_file, descriptors_are_the_lowest_free)
{
	EXPECT_EQ(uopen("/dev/null", O_RDWR), 0);
	EXPECT_EQ(CALL(sys_dup, 0), 1);
	EXPECT_EQ(CALL(sys_dup2, 0, 7), 7);
	EXPECT_EQ(CALL(sys_dup2, 9, 9), -EBADF);
	EXPECT_EQ(CALL(sys_dup2, 0, 0), 0);
	EXPECT_EQ(CALL(sys_dup2, 0, 1024), -EBADF);
	EXPECT_EQ(CALL(sys_dup3, 0, 0, 0), -EINVAL);
	EXPECT_EQ(CALL(sys_dup3, 0, 3, 1), -EINVAL);
	EXPECT_EQ(CALL(sys_dup3, 0, 3, O_CLOEXEC), 3);
	EXPECT_EQ(CALL(sys_fcntl64, 3, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(CALL(sys_fcntl64, 0, F_DUPFD, 2), 2);
	EXPECT_EQ(CALL(sys_fcntl64, 0, F_DUPFD_CLOEXEC, 40), 40);
	EXPECT_EQ(CALL(sys_fcntl64, 0, F_DUPFD, 1024), -EINVAL);
	EXPECT_EQ(CALL(sys_fcntl64, 2, F_SETFD, 1), 0);
	EXPECT_EQ(CALL(sys_fcntl64, 50, F_GETFD), -EBADF);
	files_close_on_exec(up_files);
	EXPECT_EQ(CALL(sys_fcntl64, 2, F_GETFD), -EBADF);
	EXPECT_EQ(CALL(sys_fcntl64, 3, F_GETFD), -EBADF);
	EXPECT_EQ(CALL(sys_fcntl64, 40, F_GETFD), -EBADF);
	EXPECT_EQ(CALL(sys_fcntl64, 7, F_GETFD), 0);
	EXPECT_EQ(CALL(sys_dup, 0), 2);
	up_files->limit = 4;
	EXPECT_EQ(CALL(sys_dup, 0), 3);
	EXPECT_EQ(CALL(sys_dup, 0), -EMFILE);
}

KTEST(calls_file, flags_are_kept_and_some_can_be_changed)
{
	int32_t fd = uopen("/a", O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC | O_TRUNC);

	EXPECT_EQ(CALL(sys_fcntl64, FD(fd), F_GETFL), O_RDWR | O_APPEND);
	EXPECT_EQ(uwrite(fd, "12"), 2);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 0, SEEK_SET), 0);
	EXPECT_EQ(uwrite(fd, "34"), 2);
	EXPECT_EQ(CALL(sys_pwrite64, FD(fd), U, 2, 0, 0), 2);
	EXPECT(uholds("/a", "123434"));
	EXPECT_EQ(CALL(sys_fcntl64, FD(fd), F_SETFL, O_NONBLOCK | O_RDONLY | O_CREAT), 0);
	EXPECT_EQ(CALL(sys_fcntl64, FD(fd), F_GETFL), O_RDWR | O_NONBLOCK);
	fd = uopen("/a", O_PATH | O_RDWR);
	EXPECT_EQ(CALL(sys_fcntl64, FD(fd), F_GETFL), O_PATH);
	EXPECT_EQ(CALL(sys_read, FD(fd), U, 1), -EBADF);
	EXPECT_EQ(CALL(sys_fcntl64, FD(fd), F_SETFL, 0), -EBADF);
	EXPECT_EQ(CALL(sys_fstat64, FD(fd), U), 0);
	EXPECT_EQ(CALL(sys_fchmod, FD(fd), 0), -EBADF);
}

KTEST(calls_file, forked_descriptors_share_the_position)
{
	struct files *copy;
	int32_t fd = uopen("/a", O_CREAT | O_RDWR);

	EXPECT_EQ(CALL(sys_dup2, 0, 100), 100);
	EXPECT_EQ(CALL(sys_fcntl64, 100, F_SETFD, FD_CLOEXEC), 0);
	EXPECT_EQ(files_fork(up_files, &copy), 0);
	EXPECT(files_get_close_on_exec(copy, 100));
	EXPECT(!files_get_close_on_exec(copy, 0));
	EXPECT_EQ(uwrite(fd, "12345"), 5);
	EXPECT_EQ(files_file(copy, 0)->at, 5);
	EXPECT(files_file(copy, 100) == files_file(up_files, 0));
	EXPECT(files_file(copy, 1) == NULL);
	EXPECT_EQ(CALL(sys_close, 0), 0);
	EXPECT(files_file(copy, 0) != NULL);
	files_put(copy);
}

KTEST(calls_file, bad_memory_is_efault_with_what_was_done_before_it)
{
	vaddr_t last = U_END - 10;
	int32_t fd = uopen("/a", O_CREAT | O_RDWR);

	EXPECT_EQ(CALL(sys_write, FD(fd), U_END, 5), -EFAULT);
	EXPECT_EQ(stat_of("/a").st_size, 0);
	EXPECT_EQ(stat_of("/a").st_blocks, 0);
	EXPECT_EQ(CALL(sys_write, FD(fd), last, 50), 10);
	EXPECT_EQ(stat_of("/a").st_size, 10);
	EXPECT_EQ(CALL(sys_write, FD(fd), U, 8000), 8000);
	EXPECT_EQ(CALL(sys_pread64, FD(fd), last, 4000, 0, 0), 10);
	EXPECT_EQ(CALL(sys_pread64, FD(fd), U_END, 4000, 0, 0), -EFAULT);
	EXPECT_EQ(CALL(sys_read, FD(fd), 0xC0000000, 1), -EFAULT);
	EXPECT_EQ(CALL(sys_read, FD(fd), 0xBFFFFFFF, 2), -EFAULT);
	EXPECT_EQ(CALL(sys_read, FD(fd), U, 0x80000000u), -EINVAL);
	EXPECT_EQ(CALL(sys_read, FD(fd), U_END, 100), 0); /* at the end */
	EXPECT_EQ(CALL(sys_open, U_END, 0, 0), -EFAULT);
	EXPECT_EQ(CALL(sys_stat64, ustr("/a"), U_END - 4), -EFAULT);
	EXPECT_EQ(CALL(sys_pipe2, U_END - 4, 0), -EFAULT);
	EXPECT_EQ(file_count(), 1);
	EXPECT_EQ(CALL(sys_dup, 0), 1);
	EXPECT_EQ(CALL(sys_getcwd, U_END, 100), -EFAULT);
	EXPECT_EQ(CALL(sys_getdents64, FD(uopen("/", O_RDONLY)), U_END - 50, 50), 48);
}

/* A mapping can write behind the end of a file, up to the end of the page. */
KTEST(calls_file, what_lies_behind_the_end_never_comes_to_stand_in_the_file)
{
	int32_t fd = uopen("/a", O_CREAT | O_RDWR);
	struct mapping *m = file_mapping(files_file(up_files, FD(fd)));
	pfn_t frame;

	EXPECT_EQ(uwrite(fd, "0123456789"), 10);
	EXPECT_EQ(mapping_page(m, 0, false, &frame), 0);
	EXPECT_EQ(CALL(sys_pwrite64, FD(fd), U_END, 4, 5000, 0), -EFAULT);
	EXPECT_EQ(stat_of("/a").st_size, 10);
	arch_frame_write(frame, 100, "junk", 4);
	EXPECT_EQ(CALL(sys_pwrite64, FD(fd), U, 4, 200, 0), 4);
	EXPECT_EQ(CALL(sys_pread64, FD(fd), U, 4, 100, 0), 4);
	EXPECT_EQ(uword(U), 0);
}

KTEST(calls_file, vectors_are_one_transfer)
{
	struct user_run run[9] = {{U, 3}, {U + 100, 0}, {U + 200, 4}};
	int32_t fd = uopen("/a", O_CREAT | O_RDWR);

	uput(U, "abc", 3);
	uput(U + 200, "defg", 4);
	uput(U + 1000, run, sizeof(run));
	EXPECT_EQ(CALL(sys_writev, FD(fd), U + 1000, 3), 7);
	EXPECT(uholds("/a", "abcdefg"));
	uput(U + 1000, run, sizeof(run));
	EXPECT_EQ(CALL(sys_preadv, FD(fd), U + 1000, 3, 2, 0), 5);
	EXPECT(ueq(U, "cde"));
	EXPECT(ueq(U + 200, "fg"));
	EXPECT_EQ(CALL(sys_writev, FD(fd), U + 1000, 9), 7);
	EXPECT_EQ(CALL(sys_writev, FD(fd), U + 1000, 1025), -EINVAL);
	EXPECT_EQ(CALL(sys_writev, FD(fd), U_END, 1), -EFAULT);
	EXPECT_EQ(CALL(sys_writev, FD(fd), U_END, 0), 0);
	run[1] = (struct user_run){U_END - 1, 100};
	uput(U + 1000, run, sizeof(run));
	EXPECT_EQ(CALL(sys_writev, FD(fd), U + 1000, 3), 4);
	run[2].length = 0x80000000u;
	uput(U + 1000, run, sizeof(run));
	EXPECT_EQ(CALL(sys_writev, FD(fd), U + 1000, 3), -EINVAL);
}

KTEST(calls_file, seeking_finds_data_and_holes)
{
	int32_t fd = uopen("/a", O_CREAT | O_RDWR | O_LARGEFILE);
	uint64_t at;

	EXPECT_EQ(CALL(sys_pwrite64, FD(fd), U, 1, 5 * PAGE_SIZE, 0), 1);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 0, SEEK_DATA), 5 * PAGE_SIZE);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 5 * PAGE_SIZE, SEEK_HOLE), 5 * PAGE_SIZE + 1);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 7, SEEK_HOLE), 7);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 5 * PAGE_SIZE - 1, SEEK_HOLE), 5 * PAGE_SIZE - 1);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 5 * PAGE_SIZE + 0, SEEK_DATA), 5 * PAGE_SIZE);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 5 * PAGE_SIZE + 1, SEEK_DATA), -ENXIO);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 0, SEEK_END), 5 * PAGE_SIZE + 1);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), FD(-5), SEEK_SET), -EINVAL);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 0, 9), -EINVAL);
	EXPECT_EQ(CALL(sys__llseek, FD(fd), 1, 5, U, SEEK_SET), 0);
	uget(&at, U, sizeof(at));
	EXPECT_EQ(at, 0x100000005ll);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 0, SEEK_CUR), -EOVERFLOW);
	EXPECT_EQ(CALL(sys__llseek, FD(fd), 0x7FFFFFFF, 0, U, SEEK_SET), -EINVAL);
	EXPECT_EQ(CALL(sys_pread64, FD(fd), U, 1, 0, 0x80000000u), -EINVAL);
}

KTEST(calls_file, sizes_have_their_limits)
{
	int32_t small = uopen("/a", O_CREAT | O_RDWR), large = uopen("/a", O_RDWR | O_LARGEFILE);

	EXPECT_EQ(CALL(sys_pwrite64, FD(small), U, 9, 0x7FFFFFFA, 0), 5);
	EXPECT_EQ(CALL(sys_pwrite64, FD(small), U, 9, 0x7FFFFFFF, 0), -EFBIG);
	EXPECT_EQ(CALL(sys_pwrite64, FD(large), U, 9, 0x7FFFFFFF, 0), 9);
	EXPECT_EQ(uopen("/a", O_RDONLY), -EOVERFLOW);
	EXPECT_EQ(CALL(sys_stat, ustr("/a"), U), -EOVERFLOW);
	EXPECT_EQ(CALL(sys_stat64, ustr("/a"), U), 0);
	EXPECT_EQ(CALL(sys_ftruncate64, FD(large), 0, 0x7FFFFFFF), -EFBIG);
	EXPECT_EQ(CALL(sys_ftruncate64, FD(large), 0, 0x80000000u), -EINVAL);
	EXPECT_EQ(CALL(sys_ftruncate64, FD(large), 3, 0), 0);
	EXPECT_EQ(stat_of("/a").st_blocks, 0);
	EXPECT_EQ(CALL(sys_ftruncate, FD(uopen("/a", O_RDONLY)), 3), -EINVAL);
	EXPECT_EQ(CALL(sys_ftruncate, 99, 3), -EBADF);
}

KTEST(calls_file, allocating_and_punching)
{
	int32_t fd = uopen("/a", O_CREAT | O_RDWR);
	const uint32_t punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	EXPECT_EQ(CALL(sys_fallocate, FD(fd), 0, 100, 0, 8192, 0), 0);
	EXPECT_EQ(stat_of("/a").st_size, 8292);
	EXPECT_EQ(stat_of("/a").st_blocks, 24);
	EXPECT_EQ(CALL(sys_fallocate, FD(fd), FALLOC_FL_KEEP_SIZE, 8292, 0, 8192, 0), 0);
	EXPECT_EQ(stat_of("/a").st_size, 8292);
	EXPECT_EQ(stat_of("/a").st_blocks, 40);
	uput(U, "xxxxxxxx", 8);
	EXPECT_EQ(CALL(sys_pwrite64, FD(fd), U, 8, 4092, 0), 8);
	EXPECT_EQ(CALL(sys_fallocate, FD(fd), punch, 4094, 0, 4, 0), 0);
	EXPECT_EQ(CALL(sys_pread64, FD(fd), U, 8, 4092, 0), 8);
	EXPECT_EQ(uword(U), 'x' | 'x' << 8);
	EXPECT_EQ(uword(U + 4), 'x' << 16 | 'x' << 24);
	EXPECT_EQ(CALL(sys_fallocate, FD(fd), punch, 0, 0, 1 << 20, 0), 0);
	EXPECT_EQ(stat_of("/a").st_size, 8292);
	EXPECT_EQ(CALL(sys_fallocate, FD(fd), FALLOC_FL_PUNCH_HOLE, 0, 0, 1, 0), -EOPNOTSUPP);
	EXPECT_EQ(CALL(sys_fallocate, FD(fd), 0, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(CALL(sys_fallocate, FD(fd), 0, 0, 0x7FFFFFFF, 4096, 0), -EFBIG);
	EXPECT_EQ(CALL(sys_fallocate, FD(fd), punch, 0, 0, 0, MAPPING_SIZE_MAX >> 32), 0);
	EXPECT_EQ(CALL(sys_fallocate, FD(fd), punch, 1, 0, 0, MAPPING_SIZE_MAX >> 32), -EFBIG);
	EXPECT_EQ(CALL(sys_fallocate, FD(uopen("/a", O_RDONLY)), 0, 0, 0, 1, 0), -EBADF);
}

KTEST(calls_file, sending_goes_from_file_to_file)
{
	int32_t in, out = uopen("/out", O_CREAT | O_RDWR);
	uint32_t at = 3;

	EXPECT_EQ(umake("/in", "0123456789"), 0);
	in = uopen("/in", O_RDONLY);
	EXPECT_EQ(CALL(sys_sendfile, FD(out), FD(in), 0, 4), 4);
	EXPECT_EQ(CALL(sys_lseek, FD(in), 0, SEEK_CUR), 4);
	uput(U, &at, sizeof(at));
	EXPECT_EQ(CALL(sys_sendfile, FD(out), FD(in), U, 100), 7);
	EXPECT_EQ(uword(U), 10);
	EXPECT_EQ(CALL(sys_lseek, FD(in), 0, SEEK_CUR), 4);
	EXPECT(uholds("/out", "01233456789"));
	EXPECT_EQ(CALL(sys_sendfile, FD(in), FD(out), 0, 1), -EBADF);
}

KTEST(calls_file, stat_tells_what_was_set)
{
	struct stat64 s;

	CALL(sys_umask, 027);
	EXPECT_EQ(CALL(sys_open, ustr("/a"), O_CREAT, 06777), 0);
	EXPECT_EQ(stat_of("/a").st_mode, S_IFREG | 06750);
	EXPECT_EQ(CALL(sys_chown32, ustr("/a"), 70000, 5), 0);
	s = stat_of("/a");
	EXPECT_EQ(s.st_mode, S_IFREG | 0750);
	EXPECT_EQ(s.st_uid, 70000);
	EXPECT_EQ(CALL(sys_fchownat, CWD, ustr("/a"), 0xFFFFFFFF, 6, 0), 0);
	s = stat_of("/a");
	EXPECT_EQ(s.st_uid, 70000);
	EXPECT_EQ(s.st_gid, 6);
	EXPECT_EQ(CALL(sys_chown, ustr("/a"), 0xFFFF, 7), 0);
	EXPECT_EQ(stat_of("/a").st_uid, 70000);
	EXPECT_EQ(CALL(sys_chmod, ustr("/a"), 0177777), 0);
	EXPECT_EQ(stat_of("/a").st_mode, S_IFREG | 07777);
	EXPECT_EQ(CALL(sys_mknod, ustr("/dev/x"), S_IFCHR | 0600, 0x12345678), 0);
	EXPECT_EQ(stat_of("/dev/x").st_rdev, 0x12345678);
	EXPECT_EQ(CALL(sys_statx, CWD, ustr("/dev/x"), 0, STATX_ALL, U), 0);
	EXPECT_EQ(uword(U + offsetof(struct statx, stx_rdev_major)), 0x456);
	EXPECT_EQ(uword(U + offsetof(struct statx, stx_rdev_minor)), 0x12378);
	EXPECT_EQ(CALL(sys_statx, CWD, ustr("/a"), 0x80000000u, 0, U), -EINVAL);
	EXPECT_EQ(CALL(sys_fstatat64, 0, ustr(""), U, AT_EMPTY_PATH), 0);
	EXPECT_EQ(CALL(sys_fstatat64, 0, ustr(""), U, 0), -ENOENT);
	EXPECT_EQ(CALL(sys_fstatat64, 0, ustr("x"), U, 0), -ENOTDIR);
	EXPECT_EQ(CALL(sys_fstatat64, 55, ustr("x"), U, 0), -EBADF);
	EXPECT_EQ(CALL(sys_fstatat64, 55, ustr("/a"), U, 0), 0);
	EXPECT_EQ(CALL(sys_statfs64, ustr("/"), 4, U), -EINVAL);
	EXPECT_EQ(CALL(sys_statfs64, ustr("/"), sizeof(struct statfs64), U), 0);
}

static const struct {
	const char *path;
	uint32_t mode, rdev;
} first_files[] = {
	{"/", S_IFDIR | 0755, 0},
	{"/dev", S_IFDIR | 0755, 0},
	{"/tmp", S_IFDIR | S_ISVTX | 0777, 0},
	{"/proc", S_IFDIR | 0555, 0},
	{"/dev/null", S_IFCHR | 0666, 0x103},
	{"/dev/zero", S_IFCHR | 0666, 0x105},
	{"/dev/full", S_IFCHR | 0666, 0x107},
	{"/dev/random", S_IFCHR | 0666, 0x108},
	{"/dev/urandom", S_IFCHR | 0666, 0x109},
	{"/dev/tty", S_IFCHR | 0666, 0x500},
	{"/dev/console", S_IFCHR | 0600, 0x501},
};

KTEST(calls_file, the_tree_begins_with_directories_and_devices)
{
	for (unsigned i = 0; i < ARRAY_SIZE(first_files); i++) {
		struct stat64 s = stat_of(first_files[i].path);

		if (s.st_mode != first_files[i].mode || s.st_rdev != first_files[i].rdev || s.st_uid ||
		    s.st_gid)
			ktest_fail("%s is %o, %x", first_files[i].path, s.st_mode, (uint32_t)s.st_rdev);
	}
}

KTEST(calls_file, times_are_set_and_told)
{
	const int64_t words[4] = {-5, 999999999, 1ll << 33, 7}, omit[4] = {1, 0x3FFFFFFE, 9, 0x3FFFFFFE};
	struct stat64 s;

	EXPECT_EQ(umake("/a", "x"), 0);
	uput(U + 4096, words, sizeof(words));
	EXPECT_EQ(CALL(sys_utimensat_time64, CWD, ustr("/a"), U + 4096, 0), 0);
	s = stat_of("/a");
	EXPECT_EQ((int32_t)s.st_atime, -5);
	EXPECT_EQ(s.st_atime_nsec, 999999999);
	EXPECT_EQ(s.st_mtime_nsec, 7);
	EXPECT_EQ(CALL(sys_statx, CWD, ustr("/a"), 0, STATX_ALL, U), 0);
	EXPECT_EQ(uword(U + offsetof(struct statx, stx_mtime) + 4), 2);
	uput(U + 4096, omit, sizeof(omit));
	EXPECT_EQ(CALL(sys_utimensat_time64, CWD, ustr("/none"), U + 4096, 0), 0);
	EXPECT_EQ(CALL(sys_utimensat, CWD, ustr("/none"), 0, 0), -ENOENT);
	EXPECT_EQ(CALL(sys_utimensat, CWD, ustr("/a"), 0, 0), 0);
	EXPECT_NE(stat_of("/a").st_mtime_nsec, 7);
	EXPECT_EQ(CALL(sys_utimensat, 99, 0, 0, 0), -EBADF);
}

KTEST(calls_file, symbolic_links_are_read)
{
	char target[PATH_MAX + 1];

	EXPECT_EQ(CALL(sys_symlink, ustr("some/where"), ustr("/s")), 0);
	EXPECT_EQ(CALL(sys_readlink, ustr("/s"), U, 100), 10);
	EXPECT(ueq(U, "some/where"));
	EXPECT_EQ(CALL(sys_readlink, ustr("/s"), U, 4), 4);
	EXPECT_EQ(CALL(sys_readlink, ustr("/tmp"), U, 4), -EINVAL);
	EXPECT_EQ(CALL(sys_readlink, ustr("/s"), U_END - 4, 10), -EFAULT);
	EXPECT_EQ(stat_of("/s").st_size, 10);
	EXPECT_EQ(CALL(sys_readlinkat, FD(uopen("/s", O_PATH | O_NOFOLLOW)), ustr("x"), U, 9), -ENOTDIR);
	memset(target, 't', sizeof(target));
	target[PATH_MAX] = '\0';
	EXPECT_EQ(CALL(sys_symlink, ustr(target), ustr("/long")), -ENAMETOOLONG);
}

KTEST(calls_file, relative_paths_begin_at_descriptors)
{
	int32_t dir;

	EXPECT_EQ(CALL(sys_mkdir, ustr("/d"), 0755), 0);
	dir = uopen("/d", O_PATH);
	EXPECT_EQ(CALL(sys_mkdirat, FD(dir), ustr("e"), 0755), 0);
	EXPECT_EQ(CALL(sys_openat, FD(dir), ustr("e/f"), O_CREAT | O_WRONLY, 0600), dir + 1);
	EXPECT_EQ(CALL(sys_symlinkat, ustr("e/f"), FD(dir), ustr("s")), 0);
	EXPECT_EQ(CALL(sys_linkat, FD(dir), ustr("s"), FD(dir), ustr("hard"), AT_SYMLINK_FOLLOW), 0);
	EXPECT_EQ(stat_of("/d/hard").st_nlink, 2);
	EXPECT_EQ(CALL(sys_renameat, FD(dir), ustr("hard"), CWD, ustr("/hard")), 0);
	EXPECT_EQ(CALL(sys_faccessat, FD(dir), ustr("s"), 0), 0);
	EXPECT_EQ(CALL(sys_fchmodat, FD(dir), ustr("s"), 0111), 0);
	EXPECT_EQ(stat_of("/hard").st_mode, S_IFREG | 0111);
	EXPECT_EQ(CALL(sys_unlinkat, FD(dir), ustr("e"), 0), -EISDIR);
	EXPECT_EQ(CALL(sys_unlinkat, FD(dir), ustr("e"), AT_REMOVEDIR), -ENOTEMPTY);
	EXPECT_EQ(CALL(sys_unlinkat, FD(dir), ustr("e"), 1), -EINVAL);
	EXPECT_EQ(CALL(sys_mknodat, FD(dir), ustr("n"), S_IFREG, 0), 0);
	EXPECT_EQ(CALL(sys_fchdir, FD(dir)), 0);
	EXPECT_EQ(CALL(sys_access, ustr("n"), 0), 0);
	EXPECT_EQ(CALL(sys_fchdir, FD(dir + 1)), -ENOTDIR);
}

/* One part in 32: else the next page fault of any program would be its end. */
KTEST(calls_file, files_leave_a_part_of_the_memory_to_programs)
{
	struct container_id before = fs_container;
	uint32_t pages = 0;
	int32_t fd;

	ASSERT_EQ(container_split(CONTAINER_ROOT, 64, &fs_container), 0);
	fd = uopen("/big", O_CREAT | O_RDWR);
	while (pages < 64 && CALL(sys_write, FD(fd), U, PAGE_SIZE) == (int32_t)PAGE_SIZE)
		pages++;
	EXPECT_EQ(pages, 62);
	EXPECT_EQ(CALL(sys_write, FD(fd), U, 1), -ENOSPC);
	EXPECT_EQ(CALL(sys_pwrite64, FD(fd), U, 1, 0, 0), 1);
	EXPECT_EQ(CALL(sys_fallocate, FD(fd), 0, 0, 0, 63 * PAGE_SIZE, 0), -ENOSPC);
	EXPECT_EQ(CALL(sys_close, FD(fd)), 0);
	EXPECT_EQ(CALL(sys_unlink, ustr("/big")), 0);
	EXPECT_EQ(container_destroy(fs_container), 0);
	fs_container = before;
}

/* A thousand runs of one page: no memory to speak of, but long. */
KTEST(calls_file, what_takes_long_lets_others_run_and_ends_with_a_signal)
{
	static const uint32_t runs = 1024;
	int32_t zero = uopen("/dev/zero", O_RDWR), console = uopen("/dev/console", O_RDWR);

	for (uint32_t i = 0; i < runs; i++) {
		const struct user_run run = {U, 4096};

		uput(U + 4096 + i * (uint32_t)sizeof(run), &run, sizeof(run));
	}
	EXPECT_EQ(CALL(sys_readv, FD(zero), U + 4096, runs), 4 << 20);
	up_pauses = 2;
	EXPECT_EQ(CALL(sys_readv, FD(zero), U + 4096, runs), 2 << 20);
	up_pauses = 1;
	EXPECT_EQ(CALL(sys_write, FD(console), U, 4096), 64);
	up_pauses = 1;
	EXPECT_EQ(CALL(sys_write, FD(console), U, 64), 64);
	EXPECT_EQ(up_pauses, 1);
}

KTEST(calls_file, devices_do_what_they_are_for)
{
	int32_t null = uopen("/dev/null", O_RDWR), zero = uopen("/dev/zero", O_RDWR);
	int32_t full = uopen("/dev/full", O_RDWR), random = uopen("/dev/urandom", O_RDONLY);

	EXPECT_EQ(CALL(sys_write, FD(null), U_END, 100), 100);
	EXPECT_EQ(CALL(sys_read, FD(null), U, 100), 0);
	uput(U, "xxxx", 4);
	EXPECT_EQ(CALL(sys_read, FD(zero), U, 3), 3);
	EXPECT_EQ(uword(U), 'x' << 24);
	EXPECT_EQ(CALL(sys_read, FD(zero), U_END - 700, 5000), 700);
	EXPECT_EQ(CALL(sys_read, FD(full), U, 3), 3);
	EXPECT_EQ(CALL(sys_write, FD(full), U, 3), -ENOSPC);
	EXPECT_EQ(CALL(sys_read, FD(random), U, 1000), 1000);
	EXPECT_EQ(uword(U), 0x5A5A5A5A);
	EXPECT_EQ(uword(U + 996), 0x5A5A5A5A);
	EXPECT_EQ(CALL(sys_read, FD(random), U_END, 1), -EFAULT);
	EXPECT_EQ(CALL(sys_ioctl, FD(null), TCGETS, U), -ENOTTY);
	EXPECT(file_is_zero(files_file(up_files, FD(zero))));
	EXPECT(!file_is_zero(files_file(up_files, FD(null))));
	EXPECT_EQ(CALL(sys_mknod, ustr("/dev/other"), S_IFCHR, 0x9999), 0);
	EXPECT_EQ(uopen("/dev/other", O_RDONLY), -ENXIO);
	EXPECT(device_ops(0x440) == &console_ops);
	EXPECT(!device_ops(0x540));
	EXPECT(!device_ops(0x340));
	EXPECT_EQ(CALL(sys_fsync, FD(null)), -EINVAL);
}

KTEST(calls_file, poll_tells_what_is_ready)
{
	struct pollfd p[4] = {{.fd = 0, .events = POLLIN | POLLOUT},
			      {.fd = 1, .events = POLLIN | POLLOUT},
			      {.fd = -1, .events = POLLIN},
			      {.fd = 33, .events = POLLIN}};

	EXPECT_EQ(CALL(sys_pipe, U), 0);
	uput(U, p, sizeof(p));
	EXPECT_EQ(CALL(sys_poll, U, 4, 0), 2);
	uget(p, U, sizeof(p));
	EXPECT_EQ(p[0].revents, 0);
	EXPECT_EQ(p[1].revents, POLLOUT);
	EXPECT_EQ(p[2].revents, 0);
	EXPECT_EQ(p[3].revents, POLLNVAL);
	EXPECT_EQ(CALL(sys_poll, U, 1, 20), 0);
	EXPECT_EQ(CALL(sys_close, 1), 0);
	EXPECT_EQ(CALL(sys_poll, U, 1, 0xFFFFFFFF), 1);
	uget(p, U, sizeof(p));
	EXPECT_EQ(p[0].revents, POLLHUP);
	EXPECT_EQ(CALL(sys_poll, U, 5000, 0), -EINVAL);
	EXPECT_EQ(CALL(sys_poll, U_END, 1, 0), -EFAULT);
}
