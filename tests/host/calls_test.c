/*
 * tests/host/calls_test.c - the system calls for names one by one: results, errors and what they leave, as on Linux.
 * The calls for what is open are calls_file_test.c's.
 */
#include "calls.h"

#include <linux/fs.h>

KTEST_SETUP(calls)
{
	calls_begin();
}

KTEST_TEARDOWN(calls)
{
	calls_end();
}

/* Opening: flags, what is there, what is wanted. */
static const struct opened {
	const char *path;
	uint32_t flags;
	int32_t result; /* 0: a descriptor */
} opened[] = {
	{"/f", O_RDONLY, 0},
	{"/f", O_WRONLY, 0},
	{"/f", O_CREAT | O_RDWR, 0},
	{"/f", O_CREAT | O_EXCL | O_RDWR, -EEXIST},
	{"/f", O_DIRECTORY, -ENOTDIR},
	{"/f/", O_RDONLY, -ENOTDIR},
	{"/f/", O_CREAT | O_WRONLY, -EISDIR},
	{"/f/x", O_RDONLY, -ENOTDIR},
	{"/f/.", O_RDONLY, -ENOTDIR},
	{"/f/..", O_RDONLY, -ENOTDIR},
	{"/none", O_RDONLY, -ENOENT},
	{"/none", O_RDWR | O_TRUNC, -ENOENT},
	{"/none/x", O_CREAT | O_WRONLY, -ENOENT},
	{"/none/", O_CREAT | O_WRONLY, -EISDIR},
	{"", O_RDONLY, -ENOENT},
	{"/d", O_RDONLY, 0},
	{"/d/", O_RDONLY | O_DIRECTORY, 0},
	{"/d", O_WRONLY, -EISDIR},
	{"/d", O_RDWR, -EISDIR},
	{"/d", O_RDONLY | O_TRUNC, -EISDIR},
	{"/d", O_CREAT | O_RDONLY, -EISDIR},
	{"/d", O_CREAT | O_EXCL | O_RDONLY, -EEXIST},
	{"/d/..", O_CREAT | O_RDONLY, -EISDIR},
	{"/", O_RDONLY, 0},
	{"/", O_CREAT | O_EXCL, -EEXIST},
	{"//d///.//", O_RDONLY, 0},
	{"/tof", O_RDONLY, 0},
	{"/tof/", O_RDONLY, -ENOTDIR},
	{"/tof", O_RDONLY | O_NOFOLLOW, -ELOOP},
	{"/tof", O_PATH | O_NOFOLLOW, 0},
	{"/tof", O_CREAT | O_EXCL | O_WRONLY, -EEXIST},
	{"/tod", O_RDONLY | O_DIRECTORY, 0},
	{"/tod", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, -ENOTDIR},
	{"/tod/", O_RDONLY | O_NOFOLLOW, 0},
	{"/tod/in", O_RDONLY | O_NOFOLLOW, 0},
	{"/dangling", O_RDONLY, -ENOENT},
	{"/dangling", O_CREAT | O_EXCL | O_WRONLY, -EEXIST},
	{"/loop", O_RDONLY, -ELOOP},
	{"/loop/x", O_RDONLY, -ELOOP},
	{"/loop", O_CREAT | O_WRONLY, -ELOOP},
	{"/d", O_TMPFILE | O_RDWR, 0},
	{"/d", O_TMPFILE | O_RDONLY, -EINVAL},
	{"/f", O_TMPFILE | O_RDWR, -ENOTDIR},
	{"/block", O_RDONLY, -ENXIO},
	{"/socket", O_RDONLY, -ENXIO},
	{"/socket", O_PATH, 0},
};

static void make_tree(void)
{
	EXPECT_EQ(umake("/f", "content"), 0);
	EXPECT_EQ(CALL(sys_mkdir, ustr("/d"), 0755), 0);
	EXPECT_EQ(umake("/d/in", "inside"), 0);
	EXPECT_EQ(CALL(sys_symlink, ustr("f"), ustr("/tof")), 0);
	EXPECT_EQ(CALL(sys_symlink, ustr("/d"), ustr("/tod")), 0);
	EXPECT_EQ(CALL(sys_symlink, ustr("nowhere"), ustr("/dangling")), 0);
	EXPECT_EQ(CALL(sys_symlink, ustr("loop"), ustr("/loop")), 0);
	EXPECT_EQ(CALL(sys_mknod, ustr("/block"), S_IFBLK | 0600, 0x801), 0);
	EXPECT_EQ(CALL(sys_mknod, ustr("/socket"), S_IFSOCK | 0600, 0), 0);
}

KTEST(calls, open_says_what_linux_says)
{
	make_tree();
	for (unsigned i = 0; i < ARRAY_SIZE(opened); i++) {
		int32_t fd = uopen(opened[i].path, opened[i].flags);

		if ((fd < 0 ? fd : 0) != opened[i].result)
			ktest_fail("open %s 0x%x: %d", opened[i].path, opened[i].flags, fd);
		if (fd >= 0)
			EXPECT_EQ(CALL(sys_close, FD(fd)), 0);
	}
	EXPECT(uholds("/f", "content"));
}

KTEST(calls, creating_through_a_dangling_link_makes_its_target)
{
	make_tree();
	EXPECT_EQ(umake("/dangling", "new"), 0);
	EXPECT(uholds("/nowhere", "new"));
	EXPECT(uholds("/dangling", "new"));
}

/* Calls with one or two paths, and what they say. */
static const struct named_call {
	syscall_fn *call;
	const char *name, *path;
	uint32_t second; /* or the second path: */
	const char *to;
	int32_t result;
} named_calls[] = {
	{sys_mkdir, "mkdir", "/d", 0755, NULL, -EEXIST},
	{sys_mkdir, "mkdir", "/", 0755, NULL, -EEXIST},
	{sys_mkdir, "mkdir", "/d/.", 0755, NULL, -EEXIST},
	{sys_mkdir, "mkdir", "/d/..", 0755, NULL, -EEXIST},
	{sys_mkdir, "mkdir", "/dangling", 0755, NULL, -EEXIST},
	{sys_mkdir, "mkdir", "/f/x", 0755, NULL, -ENOTDIR},
	{sys_mkdir, "mkdir", "/no/x", 0755, NULL, -ENOENT},
	{sys_mkdir, "mkdir", "/new1///", 0755, NULL, 0},
	{sys_mkdir, "mkdir", "/proc/x", 0755, NULL, -EPERM},
	{sys_mknod, "mknod", "/newf/", S_IFREG | 0600, NULL, -ENOENT},
	{sys_mknod, "mknod", "/f/", S_IFREG | 0600, NULL, -EEXIST},
	{sys_mknod, "mknod", "/x", S_IFDIR | 0600, NULL, -EPERM},
	{sys_mknod, "mknod", "/x", S_IFLNK | 0600, NULL, -EINVAL},
	{sys_mknod, "mknod", "/plain", 0600, NULL, 0},
	{sys_rmdir, "rmdir", "/d", 0, NULL, -ENOTEMPTY},
	{sys_rmdir, "rmdir", "/", 0, NULL, -EBUSY},
	{sys_rmdir, "rmdir", "/d/.", 0, NULL, -EINVAL},
	{sys_rmdir, "rmdir", "/d/..", 0, NULL, -ENOTEMPTY},
	{sys_rmdir, "rmdir", "/f", 0, NULL, -ENOTDIR},
	{sys_rmdir, "rmdir", "/tod", 0, NULL, -ENOTDIR},
	{sys_rmdir, "rmdir", "/none", 0, NULL, -ENOENT},
	{sys_rmdir, "rmdir", "/proc", 0, NULL, -EBUSY},
	{sys_unlink, "unlink", "/d", 0, NULL, -EISDIR},
	{sys_unlink, "unlink", "/d/", 0, NULL, -EISDIR},
	{sys_unlink, "unlink", "/f/", 0, NULL, -ENOTDIR},
	{sys_unlink, "unlink", "/", 0, NULL, -EISDIR},
	{sys_unlink, "unlink", "/none", 0, NULL, -ENOENT},
	{sys_unlink, "unlink", "/none/", 0, NULL, -ENOENT},
	{sys_unlink, "unlink", "/tod/", 0, NULL, -ENOTDIR},
	{sys_unlink, "unlink", "/proc/meminfo", 0, NULL, -EPERM},
	{sys_link, "link", "/f", 0, "/d/in", -EEXIST},
	{sys_link, "link", "/d", 0, "/d2", -EPERM},
	{sys_link, "link", "/f", 0, "/f2/", -ENOENT},
	{sys_link, "link", "/none", 0, "/f2", -ENOENT},
	{sys_link, "link", "/f", 0, "/none/f2", -ENOENT},
	{sys_link, "link", "/proc/meminfo", 0, "/f2", -EXDEV},
	{sys_link, "link", "/tof", 0, "/tof2", 0},
	{sys_symlink, "symlink", "", 0, "/s", -ENOENT},
	{sys_symlink, "symlink", "x", 0, "/f", -EEXIST},
	{sys_symlink, "symlink", "x", 0, "/s/", -ENOENT},
	{sys_rename, "rename", "/none", 0, "/x", -ENOENT},
	{sys_rename, "rename", "/f", 0, "/d", -EISDIR},
	{sys_rename, "rename", "/d", 0, "/f", -ENOTDIR},
	{sys_rename, "rename", "/f", 0, "/g/", -ENOTDIR},
	{sys_rename, "rename", "/f/", 0, "/g", -ENOTDIR},
	{sys_rename, "rename", "/d", 0, "/d/sub", -EINVAL},
	{sys_rename, "rename", "/d/in", 0, "/d", -ENOTEMPTY},
	{sys_rename, "rename", "/d/.", 0, "/e", -EBUSY},
	{sys_rename, "rename", "/f", 0, "/d/..", -EBUSY},
	{sys_rename, "rename", "/", 0, "/x", -EBUSY},
	{sys_rename, "rename", "/d", 0, "/proc", -EBUSY},
	{sys_rename, "rename", "/proc/meminfo", 0, "/x", -EXDEV},
	{sys_rename, "rename", "/f", 0, "/f", 0},
	{sys_rename, "rename", "/d", 0, "/moved/", 0},
	{sys_rename, "rename", "/moved", 0, "/d", 0},
	{sys_truncate, "truncate", "/d", 0, NULL, -EISDIR},
	{sys_truncate, "truncate", "/dev/null", 0, NULL, -EINVAL},
	{sys_truncate, "truncate", "/f", 0x80000000u, NULL, -EINVAL},
	{sys_chdir, "chdir", "/f", 0, NULL, -ENOTDIR},
	{sys_chdir, "chdir", "/tod", 0, NULL, 0},
	{sys_access, "access", "/f", 8, NULL, -EINVAL},
	{sys_access, "access", "/f", 1, NULL, -EACCES},
	{sys_access, "access", "/f", 6, NULL, 0},
	{sys_access, "access", "/d", 7, NULL, 0},
	{sys_access, "access", "/dangling", 0, NULL, -ENOENT},
	{sys_readlink, "readlink", "/tof", U, NULL, -EINVAL}, /* size 0 */
};

KTEST(calls, names_say_what_linux_says)
{
	make_tree();
	for (unsigned i = 0; i < ARRAY_SIZE(named_calls); i++) {
		const struct named_call *c = &named_calls[i];
		int32_t result = CALL(c->call, ustr(c->path), c->to ? ustr(c->to) : c->second, 0);

		if (result != c->result)
			ktest_fail("%s %s %s: %d", c->name, c->path, c->to ? c->to : "", result);
	}
}

KTEST(calls, long_names_and_long_paths_are_refused)
{
	char name[NAME_MAX + 3], path[PATH_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[NAME_MAX + 1] = '\0';
	EXPECT_EQ(umake(name, "x"), 0);
	name[NAME_MAX + 1] = 'n';
	name[NAME_MAX + 2] = '\0';
	EXPECT_EQ(umake(name, "x"), -ENAMETOOLONG);
	EXPECT_EQ(CALL(sys_unlink, ustr(name)), -ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	path[PATH_MAX - 1] = '\0';
	EXPECT_EQ(CALL(sys_access, ustr(path), 0), 0);
	path[PATH_MAX - 1] = '/';
	path[PATH_MAX] = '\0';
	EXPECT_EQ(CALL(sys_access, ustr(path), 0), -ENAMETOOLONG);
}

KTEST(calls, forty_links_are_followed_and_no_more)
{
	char name[8] = "/l00", target[8] = "l00";

	EXPECT_EQ(umake("/l00", "end"), 0);
	for (unsigned i = 1; i <= 41; i++) {
		name[2] = (char)('0' + i / 10);
		name[3] = (char)('0' + i % 10);
		EXPECT_EQ(CALL(sys_symlink, ustr(target), ustr(name)), 0);
		memcpy(target, name + 1, 4);
	}
	EXPECT_EQ(CALL(sys_access, ustr("/l40"), 0), 0);
	EXPECT_EQ(CALL(sys_access, ustr("/l41"), 0), -ELOOP);
	EXPECT_EQ(CALL(sys_access, ustr("/l41/"), 0), -ELOOP);
}

KTEST(calls, links_in_the_middle_go_on_with_the_rest)
{
	EXPECT_EQ(CALL(sys_mkdir, ustr("/a"), 0755), 0);
	EXPECT_EQ(CALL(sys_mkdir, ustr("/a/b"), 0755), 0);
	EXPECT_EQ(umake("/a/b/c", "deep"), 0);
	EXPECT_EQ(CALL(sys_symlink, ustr("a/b/"), ustr("/one")), 0);
	EXPECT_EQ(CALL(sys_symlink, ustr("../one"), ustr("/a/two")), 0);
	EXPECT_EQ(CALL(sys_symlink, ustr("/a/two/c"), ustr("/three")), 0);
	EXPECT_EQ(CALL(sys_symlink, ustr("../../../.."), ustr("/a/top")), 0);
	EXPECT(uholds("/one/c", "deep"));
	EXPECT(uholds("/a/two/c", "deep"));
	EXPECT(uholds("/three", "deep"));
	EXPECT(uholds("/a/top/a/top/three", "deep"));
	EXPECT(uholds("/a/../one/../b/./c", "deep"));
}

KTEST(calls, directories_count_their_links)
{
	EXPECT_EQ(stat_of("/tmp").st_nlink, 2);
	EXPECT_EQ(CALL(sys_mkdir, ustr("/tmp/a"), 0755), 0);
	EXPECT_EQ(CALL(sys_mkdir, ustr("/tmp/a/b"), 0755), 0);
	EXPECT_EQ(stat_of("/tmp").st_nlink, 3);
	EXPECT_EQ(stat_of("/tmp/a").st_nlink, 3);
	EXPECT_EQ(CALL(sys_rename, ustr("/tmp/a/b"), ustr("/tmp/b")), 0);
	EXPECT_EQ(stat_of("/tmp").st_nlink, 4);
	EXPECT_EQ(stat_of("/tmp/a").st_nlink, 2);
	EXPECT_EQ(CALL(sys_rename, ustr("/tmp/a"), ustr("/tmp/b")), 0);
	EXPECT_EQ(stat_of("/tmp").st_nlink, 3);
	EXPECT_EQ(CALL(sys_rmdir, ustr("/tmp/b")), 0);
	EXPECT_EQ(stat_of("/tmp").st_nlink, 2);
	EXPECT_EQ(stat_of("/tmp").st_mode, S_IFDIR | S_ISVTX | 0777);
}

KTEST(calls, renames_replace_and_exchange)
{
	EXPECT_EQ(umake("/a", "A"), 0);
	EXPECT_EQ(umake("/b", "B"), 0);
	EXPECT_EQ(CALL(sys_mkdir, ustr("/d"), 0755), 0);
	EXPECT_EQ(CALL(sys_renameat2, CWD, ustr("/a"), CWD, ustr("/b"), RENAME_NOREPLACE), -EEXIST);
	EXPECT_EQ(CALL(sys_renameat2, CWD, ustr("/a"), CWD, ustr("/c"), RENAME_EXCHANGE), -ENOENT);
	EXPECT_EQ(CALL(sys_renameat2, CWD, ustr("/a"), CWD, ustr("/c"), RENAME_WHITEOUT), -EINVAL);
	EXPECT_EQ(CALL(sys_renameat2, CWD, ustr("/a"), CWD, ustr("/b"), RENAME_EXCHANGE | RENAME_NOREPLACE),
		  -EINVAL);
	EXPECT_EQ(CALL(sys_renameat2, CWD, ustr("/a"), CWD, ustr("/b"), RENAME_EXCHANGE), 0);
	EXPECT(uholds("/a", "B"));
	EXPECT(uholds("/b", "A"));
	EXPECT_EQ(CALL(sys_renameat2, CWD, ustr("/a"), CWD, ustr("/d"), RENAME_EXCHANGE), 0);
	EXPECT(uholds("/d", "B"));
	EXPECT_EQ(CALL(sys_rmdir, ustr("/a")), 0);
	EXPECT_EQ(CALL(sys_rename, ustr("/b"), ustr("/d")), 0);
	EXPECT(uholds("/d", "A"));
	EXPECT_EQ(CALL(sys_access, ustr("/b"), 0), -ENOENT);
	EXPECT_EQ(CALL(sys_link, ustr("/d"), ustr("/e")), 0);
	EXPECT_EQ(CALL(sys_rename, ustr("/d"), ustr("/e")), 0);
	EXPECT(uholds("/d", "A"));
	EXPECT_EQ(stat_of("/e").st_nlink, 2);
}

KTEST(calls, an_unlinked_file_lives_while_it_is_open)
{
	int32_t fd = uopen("/a", O_CREAT | O_RDWR);

	EXPECT_EQ(uwrite(fd, "still"), 5);
	EXPECT_EQ(CALL(sys_unlink, ustr("/a")), 0);
	EXPECT_EQ(CALL(sys_fstat64, FD(fd), U), 0);
	EXPECT_EQ(CALL(sys_pread64, FD(fd), U, 9, 0, 0), 5);
	EXPECT(ueq(U, "still"));
	EXPECT_EQ(CALL(sys_linkat, FD(fd), ustr(""), CWD, ustr("/b"), AT_EMPTY_PATH), -ENOENT);
	fd = uopen("/tmp", O_TMPFILE | O_RDWR);
	EXPECT_EQ(uwrite(fd, "unnamed"), 7);
	EXPECT_EQ(CALL(sys_linkat, FD(fd), ustr(""), CWD, ustr("/b"), AT_EMPTY_PATH), 0);
	EXPECT(uholds("/b", "unnamed"));
}

KTEST(calls, a_removed_directory_is_empty_for_good)
{
	EXPECT_EQ(CALL(sys_mkdir, ustr("/d"), 0755), 0);
	EXPECT_EQ(CALL(sys_chdir, ustr("/d")), 0);
	EXPECT_EQ(CALL(sys_getcwd, U, 64), 3);
	EXPECT(ueq(U, "/d"));
	EXPECT_EQ(CALL(sys_getcwd, U, 2), -ERANGE);
	EXPECT_EQ(CALL(sys_rmdir, ustr("/d")), 0);
	EXPECT_EQ(CALL(sys_getcwd, U, 64), -ENOENT);
	EXPECT_EQ(umake("x", "x"), -ENOENT);
	EXPECT_EQ(CALL(sys_mkdir, ustr("x"), 0755), -ENOENT);
	EXPECT_EQ(umake("/f", "x"), 0);
	EXPECT_EQ(CALL(sys_rename, ustr("/f"), ustr("x")), -ENOENT);
	EXPECT_EQ(CALL(sys_access, ustr("../f"), 0), 0);
	EXPECT_EQ(CALL(sys_chdir, ustr("..")), 0);
	EXPECT_EQ(CALL(sys_getcwd, U, 64), 2);
}

/* The next name of a directory as getdents64 tells it; 0 at the end. */
struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t length;
	uint8_t type;
	char name[261];
} __attribute__((packed));

KTEST(calls, listing_meets_every_name_once)
{
	uint8_t seen[26] = {0};
	char name[8] = "/d/a";
	int32_t fd, got;

	EXPECT_EQ(CALL(sys_mkdir, ustr("/d"), 0755), 0);
	for (char c = 'a'; c <= 'z'; c++) {
		name[3] = c;
		EXPECT_EQ(umake(name, ""), 0);
	}
	fd = uopen("/d", O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(CALL(sys_getdents64, FD(fd), U, 10), -EINVAL);
	while ((got = CALL(sys_getdents64, FD(fd), U, 100)) > 0) {
		for (uint32_t at = 0; at < (uint32_t)got;) {
			struct dirent64 d;

			uget(&d, U + at, sizeof(d));
			EXPECT_EQ(d.length % 8, 0);
			at += d.length;
			if (d.name[0] == '.')
				continue;
			EXPECT_EQ(d.type, S_IFREG >> 12);
			seen[d.name[0] - 'a']++;
			/* Names come and go meanwhile. */
			name[3] = d.name[0];
			EXPECT_EQ(CALL(sys_unlink, ustr(name)), 0);
		}
	}
	EXPECT_EQ(got, 0);
	for (unsigned i = 0; i < 26; i++)
		EXPECT_EQ(seen[i], 1);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 0, SEEK_SET), 0);
	EXPECT_EQ(CALL(sys_getdents64, FD(fd), U, 100), 48);
	EXPECT_EQ(CALL(sys_rmdir, ustr("/d")), 0);
	EXPECT_EQ(CALL(sys_getdents64, FD(fd), U, 100), -ENOENT);
	EXPECT_EQ(CALL(sys_getdents, FD(uopen("/f", O_CREAT)), U, 100), -ENOTDIR);
}

KTEST(calls, the_old_listing_has_the_type_at_its_end)
{
	int32_t fd = uopen("/proc", O_RDONLY), got = CALL(sys_getdents, FD(fd), U, 4096);
	uint8_t record[64];
	uint32_t at = 0, names = 0;

	for (; at < (uint32_t)got; names++) {
		uint16_t length;

		uget(record, U + at, sizeof(record));
		memcpy(&length, record + 8, 2);
		if (!strcmp((char *)record + 10, "self"))
			EXPECT_EQ(record[length - 1], S_IFLNK >> 12);
		if (!strcmp((char *)record + 10, "300"))
			EXPECT_EQ(record[length - 1], S_IFDIR >> 12);
		at += length;
	}
	EXPECT_EQ(names, 2 + 3 + 1 + 3);
}
