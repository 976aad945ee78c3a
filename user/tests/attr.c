/* user/tests/attr.c - facts of what a file is besides its content: permissions, owners, times. */
#include "fact.h"
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/syscall.h>

FACT(statx_agrees_with_stat)
{
	struct statx x;
	struct stat s;

	enter();
	touch("abcdef");
	EXPECT_EQ(stat("abcdef", &s), 0);
	EXPECT_EQ(syscall(SYS_statx, AT_FDCWD, "abcdef", 0, STATX_BASIC_STATS, &x), 0);
	EXPECT_EQ(x.stx_size, 6);
	EXPECT_EQ(x.stx_ino, s.st_ino);
	EXPECT_EQ(x.stx_mode, s.st_mode);
	EXPECT_EQ(x.stx_nlink, 1);
	EXPECT_EQ(x.stx_mask, STATX_BASIC_STATS | 0x1000 /* the mount's number */);
	EXPECT_EQ(x.stx_btime.tv_sec, 0);
	EXPECT_EQ(syscall(SYS_statx, AT_FDCWD, "abcdef", 0, STATX_BTIME, &x), 0);
	EXPECT_EQ(x.stx_mask, STATX_BASIC_STATS | STATX_BTIME | 0x1000);
	EXPECT(x.stx_btime.tv_sec > 0);
	EXPECT_EQ(x.stx_size, 6);
}

/* The shapes of what is told of a file, in half-words: how many, and two ranges of those without a use. */
static const struct shape {
	long call;
	unsigned size, unused[4];
} shapes[] = {
	{SYS_oldstat, 16, {7, 8}},  {SYS_stat, 32, {28, 32}},     {SYS_stat64, 48, {4, 6, 20, 22}},
	{SYS_statfs, 32, {24, 32}}, {SYS_statfs64, 42, {34, 42}}, {SYS_statx, 128, {15, 16, 80, 128}},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void ask(const struct shape *s, uint16_t *out)
{
	if (s->call == SYS_statx)
		EXPECT_EQ(syscall(s->call, AT_FDCWD, "/dev/zero", 0, STATX_BASIC_STATS, out), 0);
	else if (s->call == SYS_statfs64)
		EXPECT_EQ(syscall(s->call, "/dev/zero", 84, out), 0);
	else
		EXPECT_EQ(syscall(s->call, "/dev/zero", out), 0);
}

/* Each behind each other one, whose words stand where the kernel's stack is used again. */
FACT(what_nobody_has_a_use_for_is_zero)
{
	uint16_t before[130], out[130];

	for (unsigned i = 0; i < SHAPES * SHAPES; i++) {
		const struct shape *s = &shapes[i % SHAPES];
		unsigned bits = 0;

		ask(&shapes[i / SHAPES], before);
		memset(out, 0x55, sizeof(out));
		ask(s, out);
		for (unsigned k = 0; k < 4; k += 2)
			for (unsigned at = s->unused[k]; at < s->unused[k + 1]; at++)
				bits |= out[at];
		EXPECT_EQ(bits, 0);
		EXPECT_EQ(out[s->size], 0x5555);
	}
}

FACT(chmod_and_chown_are_kept)
{
	struct stat s;

	enter();
	touch("a");
	EXPECT_EQ(chmod("a", 04751), 0);
	EXPECT_EQ(stat("a", &s), 0);
	EXPECT_EQ(s.st_mode, S_IFREG | 04751);
	EXPECT_EQ(chown("a", 12, 34), 0);
	EXPECT_EQ(stat("a", &s), 0);
	EXPECT_EQ(s.st_uid, 12);
	EXPECT_EQ(s.st_gid, 34);
}

FACT(reading_sets_the_time_of_access_where_a_change_is_later)
{
	struct timespec times[2] = {{2000, 5}, {1000, 6}};
	struct stat s;
	int fd;

	enter();
	touch("a");
	fd = open("a", O_RDONLY);
	EXPECT_EQ(futimens(fd, times), 0);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT(s.st_atim.tv_sec == 2000 && s.st_atim.tv_nsec == 5);
	EXPECT(s.st_mtim.tv_sec == 1000 && s.st_mtim.tv_nsec == 6);
	EXPECT_EQ(read(fd, &(char){0}, 1), 1);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT(s.st_atim.tv_sec > 2000);
	EXPECT_EQ(s.st_mtim.tv_sec, 1000);
}

static void expect_times(const char *name, struct timespec access, struct timespec modification)
{
	struct stat s;

	EXPECT_EQ(stat(name, &s), 0);
	EXPECT_EQ(s.st_atim.tv_sec, access.tv_sec);
	EXPECT_EQ(s.st_atim.tv_nsec, access.tv_nsec);
	EXPECT_EQ(s.st_mtim.tv_sec, modification.tv_sec);
	EXPECT_EQ(s.st_mtim.tv_nsec, modification.tv_nsec);
}

FACT(the_older_calls_set_times_too)
{
	int32_t seconds[2] = {1000, 2000}, us[4] = {3000, 999999, 4000, 40};
	struct stat s;

	enter();
	touch("a");
	EXPECT_EQ(syscall(SYS_utime, "a", seconds), 0);
	expect_times("a", (struct timespec){1000, 0}, (struct timespec){2000, 0});
	EXPECT_EQ(syscall(SYS_utimes, "a", us), 0);
	expect_times("a", (struct timespec){3000, 999999000}, (struct timespec){4000, 40000});
	us[1] = 1000000;
	EXPECT_ERRNO(syscall(SYS_utimes, "a", us), EINVAL);
	us[1] = -1;
	EXPECT_ERRNO(syscall(SYS_utimes, "a", us), EINVAL);
	us[1] = 0;
	us[3] = 1000000;
	EXPECT_ERRNO(syscall(SYS_utimes, "a", us), EINVAL);
	us[3] = -1;
	EXPECT_ERRNO(syscall(SYS_utimes, "a", us), EINVAL);
	us[3] = 999999;
	EXPECT_EQ(syscall(SYS_utimes, "a", us), 0);
	expect_times("a", (struct timespec){3000, 0}, (struct timespec){4000, 999999000});
	EXPECT_EQ(syscall(SYS_utime, "a", 0), 0);
	EXPECT_EQ(stat("a", &s), 0);
	EXPECT(s.st_atim.tv_sec > 4000 && s.st_mtim.tv_sec > 4000);
}

FACT(utimensat_looks_at_each_word_and_flag)
{
	int32_t ns[4] = {5000, 50, 6000, 60};

	enter();
	touch("a");
	EXPECT_EQ(syscall(SYS_utimensat, AT_FDCWD, "a", ns, 0), 0);
	expect_times("a", (struct timespec){5000, 50}, (struct timespec){6000, 60});
	EXPECT_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "a", ns, AT_SYMLINK_FOLLOW), EINVAL);
	EXPECT_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "none", ns, 0), ENOENT);
	EXPECT_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "a", 16, 0), EFAULT);
	EXPECT_ERRNO(syscall(SYS_utimensat, open("a", O_RDONLY), NULL, ns, AT_SYMLINK_NOFOLLOW), EINVAL);
	EXPECT_ERRNO(syscall(SYS_utimensat, -1, NULL, ns, 0), EBADF);
	EXPECT_ERRNO(syscall(SYS_utimensat, AT_FDCWD, NULL, ns, 0), EFAULT);
	ns[1] = 1000000000;
	EXPECT_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "a", ns, 0), EINVAL);
	ns[1] = 999999999;
	ns[3] = -1;
	EXPECT_ERRNO(syscall(SYS_utimensat, AT_FDCWD, "a", ns, 0), EINVAL);
	expect_times("a", (struct timespec){5000, 50}, (struct timespec){6000, 60});
	ns[3] = 61;
	EXPECT_EQ(syscall(SYS_utimensat, open("a", O_RDONLY), NULL, ns, 0), 0);
	expect_times("a", (struct timespec){5000, 999999999}, (struct timespec){6000, 61});
}

static bool owned(const char *name, uid_t user, gid_t group)
{
	struct stat s;

	return !lstat(name, &s) && s.st_uid == user && s.st_gid == group;
}

FACT(each_way_to_change_an_owner_names_a_file_and_leaves_what_is_not_given)
{
	int fd;

	enter();
	touch("a");
	EXPECT_EQ(symlink("a", "l"), 0);
	fd = open("a", O_RDONLY);
	EXPECT_EQ(chown("l", 1, 2), 0);
	EXPECT(owned("a", 1, 2) && owned("l", 0, 0));
	EXPECT_EQ(lchown("l", 3, -1), 0);
	EXPECT(owned("a", 1, 2) && owned("l", 3, 0));
	EXPECT_EQ(fchown(fd, -1, 4), 0);
	EXPECT(owned("a", 1, 4));
	EXPECT_EQ(fchownat(AT_FDCWD, "l", 5, 6, AT_SYMLINK_NOFOLLOW), 0);
	EXPECT(owned("a", 1, 4) && owned("l", 5, 6));
	EXPECT_EQ(fchownat(fd, "", 7, 8, AT_EMPTY_PATH), 0);
	EXPECT(owned("a", 7, 8));
	EXPECT_EQ(syscall(SYS_chown, "l", 0x10009, 0xffff), 0);
	EXPECT(owned("a", 9, 8));
	EXPECT_EQ(syscall(SYS_lchown, "l", 0xffff, 10), 0);
	EXPECT(owned("a", 9, 8) && owned("l", 5, 10));
	EXPECT_EQ(syscall(SYS_fchown, fd, 11, 12), 0);
	EXPECT(owned("a", 11, 12));
	EXPECT_ERRNO(chown("none", 1, 1), ENOENT);
	EXPECT_ERRNO(syscall(SYS_lchown, "none", 1, 1), ENOENT);
	EXPECT_ERRNO(fchown(-1, 1, 1), EBADF);
	EXPECT_ERRNO(syscall(SYS_fchown, -1, 1, 1), EBADF);
	EXPECT_ERRNO(fchownat(AT_FDCWD, "a", 1, 1, AT_SYMLINK_FOLLOW), EINVAL);
	EXPECT(owned("a", 11, 12));
}

FACT(a_new_owner_does_not_inherit_what_a_program_may)
{
	struct stat s;

	enter();
	touch("a");
	EXPECT_EQ(chmod("a", 06770), 0);
	EXPECT_EQ(chown("a", 1, 1), 0);
	EXPECT_EQ(stat("a", &s), 0);
	EXPECT_EQ(s.st_mode & 07777, 0770);
	EXPECT_EQ(chmod("a", 06760), 0);
	EXPECT_EQ(chown("a", 1, 1), 0);
	EXPECT_EQ(stat("a", &s), 0);
	EXPECT_EQ(s.st_mode & 07777, 02760);
	mkdir("d", 0755);
	EXPECT_EQ(chmod("d", 06770), 0);
	EXPECT_EQ(chown("d", 1, 1), 0);
	EXPECT_EQ(stat("d", &s), 0);
	EXPECT_EQ(s.st_mode & 07777, 06770);
}

FACT(each_way_to_change_permissions_names_a_file)
{
	struct stat s;
	int fd;

	enter();
	touch("a");
	fd = open("a", O_RDONLY);
	EXPECT_EQ(fchmod(fd, 0640), 0);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_mode, S_IFREG | 0640);
	EXPECT_EQ(syscall(SYS_fchmodat, AT_FDCWD, "a", 017604), 0);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_mode, S_IFREG | 07604);
	EXPECT_ERRNO(chmod("none", 0600), ENOENT);
	EXPECT_ERRNO(syscall(SYS_fchmodat, AT_FDCWD, "none", 0600), ENOENT);
	EXPECT_ERRNO(fchmod(-1, 0600), EBADF);
}

/* Since the last call the content changed, or the status alone. The time of the content is set back each time. */
static bool changed(const char *name, struct timespec *change)
{
	struct timespec times[2] = {{0, UTIME_OMIT}, {1000, 0}};
	struct stat s, t;
	bool content;

	EXPECT_EQ(stat(name, &s), 0);
	content = s.st_mtim.tv_sec != 1000;
	EXPECT(s.st_ctim.tv_sec > change->tv_sec ||
	       (s.st_ctim.tv_sec == change->tv_sec && s.st_ctim.tv_nsec > change->tv_nsec));
	EXPECT_EQ(utimensat(AT_FDCWD, name, times, 0), 0);
	EXPECT_EQ(stat(name, &t), 0);
	*change = t.st_ctim;
	usleep(15000); /* a clock may be coarse */
	return content;
}

FACT(a_change_of_content_or_status_sets_its_time)
{
	struct timespec file = {0, 0}, d = {0, 0};
	int fd;

	enter();
	mkdir("d", 0755);
	touch("d/a");
	EXPECT(changed("d", &d));
	fd = open("d/a", O_RDWR);
	EXPECT(changed("d/a", &file));
	EXPECT_EQ(write(fd, "x", 1), 1);
	EXPECT(changed("d/a", &file));
	EXPECT_EQ(ftruncate(fd, 10), 0);
	EXPECT(changed("d/a", &file));
	EXPECT_EQ(chmod("d/a", 0600), 0);
	EXPECT(!changed("d/a", &file));
	EXPECT_EQ(chown("d/a", 1, 1), 0);
	EXPECT(!changed("d/a", &file));
	EXPECT_EQ(link("d/a", "d/b"), 0);
	EXPECT(!changed("d/a", &file));
	EXPECT(changed("d", &d));
	EXPECT_EQ(unlink("d/b"), 0);
	EXPECT(!changed("d/a", &file));
	EXPECT(changed("d", &d));
	EXPECT_EQ(rename("d/a", "d/c"), 0);
	EXPECT(!changed("d/c", &file));
	EXPECT(changed("d", &d));
}

FACT(an_owner_without_room_is_told_as_65534)
{
	struct {
		uint32_t dev, ino;
		uint16_t mode, links, uid, gid;
		uint32_t rest[12];
	} short_one;
	uint16_t oldest[16]; /* the owners are the fifth and the sixth */

	enter();
	touch("a");
	EXPECT_EQ(chown("a", 65535, 65536), 0);
	EXPECT_EQ(syscall(SYS_stat, "a", &short_one), 0);
	EXPECT_EQ(short_one.uid, 65535);
	EXPECT_EQ(short_one.gid, 65534);
	EXPECT_EQ(syscall(SYS_oldstat, "a", oldest), 0);
	EXPECT_EQ(oldest[4], 65535);
	EXPECT_EQ(oldest[5], 65534);
	EXPECT_EQ(chown("a", 65536, 65535), 0);
	EXPECT_EQ(syscall(SYS_stat, "a", &short_one), 0);
	EXPECT_EQ(short_one.uid, 65534);
	EXPECT_EQ(short_one.gid, 65535);
	EXPECT_EQ(syscall(SYS_oldstat, "a", oldest), 0);
	EXPECT_EQ(oldest[4], 65534);
	EXPECT_EQ(oldest[5], 65535);
}

FACT(access_asks_without_opening)
{
	enter();
	touch("a");
	EXPECT_EQ(access("a", F_OK), 0);
	EXPECT_EQ(access("a", R_OK | W_OK), 0);
	EXPECT_ERRNO(access("a", X_OK), EACCES);
	EXPECT_ERRNO(access("b", F_OK), ENOENT);
	EXPECT_ERRNO(access("a", 99), EINVAL);
}
