/*
 * tests/host/fs_history_test.c - random histories of calls, to fs/ and to the Linux that the tests run on: results,
 * errors, contents and what stat and getdents tell must be the same. Paths have no "..", which could lead out of the
 * folder.
 */
#include "calls.h"
#include "real_files.h"

#include <linux/falloc.h>
#include <linux/fs.h>

#define STEPS       4000u
#define DESCRIPTORS 6u
#define BYTES       9000u /* of a transfer, at most */

static uint8_t mine[BYTES], theirs[BYTES];

KTEST_SETUP(as_linux)
{
	calls_begin();
	EXPECT_EQ(CALL(sys_mkdir, ustr("/base"), 0700), 0);
	EXPECT_EQ(CALL(sys_chdir, ustr("/base")), 0);
}

KTEST_TEARDOWN(as_linux)
{
	calls_end();
}

/* Writes a random path of up to three names, with odd slashes and dots. */
static const char *take_path(char *to)
{
	static const char *const names[] = {"a", "b", "c", "dd", "e", "a", "b", "."};
	uint32_t depth = 1 + ktest_random_below(3), n = 0;

	if (ktest_random_below(100) == 0)
		depth = 0;
	for (uint32_t i = 0; i < depth; i++) {
		const char *name = names[ktest_random_below(ARRAY_SIZE(names))];

		if (i)
			to[n++] = '/';
		if (i && ktest_random_below(20) == 0)
			to[n++] = '/';
		while (*name)
			to[n++] = *name++;
	}
	if (depth && ktest_random_below(15) == 0)
		to[n++] = '/';
	to[n] = '\0';
	return to;
}

static uint32_t take_fd(void)
{
	return ktest_random_below(DESCRIPTORS);
}

static uint32_t take_place(void)
{
	return ktest_random_below(ktest_random_below(3) ? 10000 : 60000);
}

static uint32_t take_length(void)
{
	return ktest_random_below(ktest_random_below(2) ? 50 : BYTES);
}

static const char *doing;
static char path[64], other[64];

static void same(int64_t got, int64_t want)
{
	if (got != want)
		ktest_fail("%s %s %s: %lld, and %lld on Linux", doing, path, other, (long long)got,
			   (long long)want);
}

static void step_open(void)
{
	static const uint32_t more[] = {0,           O_CREAT,    O_CREAT | O_EXCL, O_TRUNC, O_APPEND,
					O_DIRECTORY, O_NOFOLLOW, O_CREAT,          O_PATH};
	uint32_t flags = ktest_random_below(3) | more[ktest_random_below(ARRAY_SIZE(more))];
	int64_t want;

	flags |= more[ktest_random_below(ARRAY_SIZE(more))];
	/* Linux has changed what this says, in 6.4. */
	if (flags & O_CREAT)
		flags &= ~(uint32_t)O_DIRECTORY;
	doing = "open";
	take_path(path);
	want = real_open(path, (int)flags, 0640);
	if (want >= DESCRIPTORS) {
		real_close((int)want);
		want = DESCRIPTORS;
	}
	same(CALL(sys_open, ustr(path), flags | O_LARGEFILE, 0640), want);
	if (want == DESCRIPTORS)
		CALL(sys_close, DESCRIPTORS);
}

static void step_close(void)
{
	uint32_t fd = take_fd();

	doing = "close";
	same(CALL(sys_close, fd), real_close((int)fd));
}

static void step_dup2(void)
{
	uint32_t from = take_fd(), to = take_fd();

	doing = "dup2";
	same(CALL(sys_dup2, from, to), real_dup2((int)from, (int)to));
}

static void step_read(void)
{
	uint32_t fd = take_fd(), n = take_length(), at = take_place();
	bool here = ktest_random_below(2);
	int64_t want = here ? real_read((int)fd, theirs, n) : real_pread((int)fd, theirs, n, at);

	doing = here ? "read" : "pread";
	same(here ? CALL(sys_read, fd, U, n) : CALL(sys_pread64, fd, U, n, at, 0), want);
	if (want <= 0)
		return;
	uget(mine, U, (uint32_t)want);
	same(memcmp(mine, theirs, (size_t)want), 0);
}

static void step_write(void)
{
	uint32_t fd = take_fd(), n = take_length(), at = take_place();
	bool here = ktest_random_below(2);

	for (uint32_t i = 0; i < n; i++)
		mine[i] = (uint8_t)(at + i * 7);
	uput(U, mine, n);
	doing = here ? "write" : "pwrite";
	same(here ? CALL(sys_write, fd, U, n) : CALL(sys_pwrite64, fd, U, n, at, 0),
	     here ? real_write((int)fd, mine, n) : real_pwrite((int)fd, mine, n, at));
}

static void step_seek(void)
{
	/* Not for data and holes: on Linux what was only allocated is a hole. */
	uint32_t fd = take_fd(), whence = ktest_random_below(3);
	int64_t offset = (int64_t)take_place() - 3000;

	doing = "lseek";
	same(CALL(sys_lseek, fd, (uint32_t)offset, whence), real_seek((int)fd, offset, (int)whence));
}

static void step_cut(void)
{
	uint32_t fd = take_fd(), size = take_place();

	doing = "truncate";
	take_path(path);
	if (ktest_random_below(2))
		same(CALL(sys_ftruncate64, fd, size, 0), real_ftruncate((int)fd, size));
	else
		same(CALL(sys_truncate64, ustr(path), size, 0), real_truncate(path, size));
}

static void step_allocate(void)
{
	static const uint32_t modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE};
	uint32_t fd = take_fd(), at = take_place(), n = take_length();
	uint32_t mode = modes[ktest_random_below(ARRAY_SIZE(modes))];

	doing = "fallocate";
	same(CALL(sys_fallocate, fd, mode, at, 0, n, 0), real_allocate((int)fd, (int)mode, at, n));
}

static void step_directory(void)
{
	take_path(path);
	doing = "mkdir";
	if (ktest_random_below(3))
		same(CALL(sys_mkdir, ustr(path), 0700), real_mkdir(path, 0700));
	else {
		doing = "rmdir";
		same(CALL(sys_rmdir, ustr(path)), real_rmdir(path));
	}
}

static void step_unlink(void)
{
	doing = "unlink";
	take_path(path);
	same(CALL(sys_unlink, ustr(path)), real_unlink(path));
}

static void step_link(void)
{
	uint32_t flags = ktest_random_below(2) ? AT_SYMLINK_FOLLOW : 0;

	doing = "link";
	take_path(path);
	take_path(other);
	same(CALL(sys_linkat, CWD, ustr(path), CWD, ustr(other), flags), real_link(path, other, (int)flags));
}

static void step_symlink(void)
{
	doing = "symlink";
	take_path(path);
	take_path(other);
	same(CALL(sys_symlink, ustr(path), ustr(other)), real_symlink(path, other));
}

static void step_readlink(void)
{
	uint32_t n = 1 + ktest_random_below(8);
	int64_t want;

	doing = "readlink";
	want = real_readlink(take_path(path), (char *)theirs, n);
	same(CALL(sys_readlink, ustr(path), U, n), want);
	if (want > 0) {
		uget(mine, U, (uint32_t)want);
		same(memcmp(mine, theirs, (size_t)want), 0);
	}
}

static void step_rename(void)
{
	static const uint32_t flags[] = {0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, 3, 8};
	uint32_t how = flags[ktest_random_below(ARRAY_SIZE(flags))];

	doing = "rename";
	take_path(path);
	take_path(other);
	same(CALL(sys_renameat2, CWD, ustr(path), CWD, ustr(other), how), real_rename(path, other, how));
}

static void step_access(void)
{
	uint32_t mode = ktest_random_below(9);

	doing = "access";
	take_path(path);
	same(CALL(sys_access, ustr(path), mode & ~1u), real_access(path, (int)(mode & ~1u)));
}

static void step_chmod(void)
{
	uint32_t mode = 0700 | ktest_random_below(0100);

	doing = "chmod";
	take_path(path);
	same(CALL(sys_chmod, ustr(path), mode), real_chmod(path, (int)mode));
}

/* The sum of real_list over the names of a directory here. */
static int64_t list(const char *at)
{
	int32_t fd = CALL(sys_open, ustr(at), O_RDONLY | O_DIRECTORY, 0), got;
	int64_t sum = 0;

	if (fd < 0)
		return fd;
	while ((got = CALL(sys_getdents64, FD(fd), U, 200)) > 0) {
		uget(mine, U, (uint32_t)got);
		for (uint32_t from = 0; from < (uint32_t)got; from += mine[from + 16]) {
			int64_t one = mine[from + 18];

			for (const uint8_t *s = mine + from + 19; *s; s++)
				one = (one * 31 + *s) % 1000003;
			sum += one + 1;
		}
	}
	CALL(sys_close, FD(fd));
	return sum;
}

static void compare_stat(uint32_t flags)
{
	struct real_stat want = {0, 0, 0, 0};
	int64_t err = real_stat(path, (int)flags, &want);
	struct stat64 got;

	doing = "stat";
	same(CALL(sys_fstatat64, CWD, ustr(path), U, flags), err);
	if (err)
		return;
	uget(&got, U, sizeof(got));
	same(got.st_mode, want.mode);
	same(got.st_nlink, want.links);
	if ((want.mode & S_IFMT) == S_IFDIR) {
		doing = "list";
		same(list(path), real_list(path));
		return;
	}
	same(got.st_size, (int64_t)want.size);
	/* Short targets of links take no block, and others' are a matter of taste. */
	if ((want.mode & S_IFMT) == S_IFREG)
		same((int64_t)got.st_blocks, (int64_t)want.blocks);
}

static void step_stat(void)
{
	take_path(path);
	compare_stat(ktest_random_below(2) ? AT_SYMLINK_NOFOLLOW : 0);
}

static void (*const steps[])(void) = {
	step_open,      step_open,      step_open,   step_close, step_dup2,    step_read,
	step_read,      step_write,     step_write,  step_seek,  step_cut,     step_allocate,
	step_directory, step_directory, step_unlink, step_link,  step_symlink, step_readlink,
	step_rename,    step_rename,    step_access, step_chmod, step_stat,    step_stat,
};

KTEST(as_linux, random_history_as_on_this_computer)
{
	const char *why = real_begin();
	uint32_t failed = machine_violations();

	if (why)
		SKIP("%s", why);
	for (uint32_t i = 0; i < STEPS; i++) {
		path[0] = other[0] = '\0';
		steps[ktest_random_below(ARRAY_SIZE(steps))]();
	}
	EXPECT_EQ(machine_violations(), failed);
	real_end();
}
