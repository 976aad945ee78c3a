/* user/tests/path.c - facts of names: directories, links, renaming, permissions as data. */
#include "fact.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static long long size_of(const char *name)
{
	struct stat s;

	return stat(name, &s) ? -errno : s.st_size;
}

FACT(what_is_made_belongs_to_who_makes_it)
{
	static const char *const names[] = {"directory", "file", "link", "pipe"};
	int ends[2], status;
	struct stat s;

	enter();
	EXPECT_EQ(chmod(".", 0777), 0);
	if (!fork()) {
		if (setresgid(500, 500, 500) || setresuid(1000, 1000, 1000) || mkdir(names[0], 0700) ||
		    open(names[1], O_CREAT | O_WRONLY, 0600) < 0 || symlink("to", names[2]) ||
		    mkfifo(names[3], 0600))
			_exit(1);
		for (unsigned i = 0; i < 4; i++)
			if (lstat(names[i], &s) || s.st_uid != 1000 || s.st_gid != 500)
				_exit(2 + (int)i);
		_exit(pipe(ends) || fstat(ends[0], &s) || s.st_uid != 1000 || s.st_gid != 500 ? 9 : 0);
	}
	wait(&status);
	EXPECT_EQ(status, 0);
}

FACT(a_file_is_made_once)
{
	enter();
	touch("a");
	EXPECT_ERRNO(open("a", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	EXPECT(open("a", O_CREAT | O_WRONLY, 0644) >= 0);
	EXPECT_ERRNO(open("b", O_RDONLY), ENOENT);
}

FACT(trunc_empties_a_file)
{
	enter();
	touch("abc");
	EXPECT_EQ(size_of("abc"), 3);
	close(open("abc", O_WRONLY | O_TRUNC));
	EXPECT_EQ(size_of("abc"), 0);
}

FACT(creat_makes_or_empties_a_file_and_opens_it_to_write)
{
	struct stat s;
	int fd;

	enter();
	touch("abc");
	fd = (int)syscall(SYS_creat, "abc", 0600);
	EXPECT_EQ(size_of("abc"), 0);
	EXPECT_EQ(write(fd, "xy", 2), 2);
	EXPECT_ERRNO(read(fd, &(char){0}, 1), EBADF);
	EXPECT(syscall(SYS_creat, "new", 0640) >= 0);
	EXPECT_EQ(stat("new", &s), 0);
	EXPECT_EQ(s.st_mode, S_IFREG | 0640);
}

FACT(the_umask_takes_permissions_away)
{
	struct stat s;

	enter();
	umask(027);
	EXPECT_EQ(umask(027), 027);
	close(open("a", O_CREAT | O_WRONLY, 0666));
	EXPECT_EQ(stat("a", &s), 0);
	EXPECT_EQ(s.st_mode & 07777, 0640);
	EXPECT_EQ(mkdir("d", 0777), 0);
	EXPECT_EQ(stat("d", &s), 0);
	EXPECT_EQ(s.st_mode & 07777, 0750);
}

FACT(a_file_is_made_with_all_permissions_that_the_umask_leaves)
{
	struct stat s;

	enter();
	umask(0);
	close(open("a", O_CREAT | O_WRONLY, 0177777));
	EXPECT_EQ(stat("a", &s), 0);
	EXPECT_EQ(s.st_mode, S_IFREG | 07777);
}

FACT(directories_nest_and_must_be_empty_to_go)
{
	enter();
	EXPECT_EQ(mkdir("a", 0755), 0);
	EXPECT_EQ(mkdir("a/b", 0755), 0);
	EXPECT_ERRNO(mkdir("a", 0755), EEXIST);
	EXPECT_ERRNO(mkdir("x/y", 0755), ENOENT);
	EXPECT_ERRNO(rmdir("a"), ENOTEMPTY);
	EXPECT_EQ(rmdir("a/b"), 0);
	EXPECT_EQ(rmdir("a"), 0);
	EXPECT_ERRNO(rmdir("a"), ENOENT);
}

FACT(a_file_is_no_directory_and_the_other_way_round)
{
	enter();
	touch("f");
	mkdir("d", 0755);
	EXPECT_ERRNO(rmdir("f"), ENOTDIR);
	EXPECT_ERRNO(unlink("d"), EISDIR);
	EXPECT_ERRNO(open("f/x", O_RDONLY), ENOTDIR);
	EXPECT_ERRNO(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	EXPECT_ERRNO(open("f", O_RDONLY | O_DIRECTORY | O_CREAT, 0600), EINVAL);
	EXPECT_ERRNO(open("never", O_RDONLY | O_DIRECTORY | O_CREAT, 0600), EINVAL);
	EXPECT_ERRNO(open("never", O_PATH | O_DIRECTORY | O_CREAT, 0600), ENOENT);
	EXPECT_ERRNO(chdir("f"), ENOTDIR);
}

FACT(links_of_a_directory_are_counted)
{
	struct stat s;

	enter();
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	EXPECT_EQ(stat("d", &s), 0);
	EXPECT_EQ(s.st_nlink, 3);
}

FACT(two_names_are_one_file)
{
	struct stat s, t;

	enter();
	touch("a");
	EXPECT_EQ(link("a", "b"), 0);
	EXPECT_EQ(stat("a", &s), 0);
	EXPECT_EQ(stat("b", &t), 0);
	EXPECT_EQ(s.st_ino, t.st_ino);
	EXPECT_EQ(s.st_nlink, 2);
	EXPECT_EQ(unlink("a"), 0);
	EXPECT_EQ(size_of("b"), 1);
	EXPECT_ERRNO(link("none", "c"), ENOENT);
	EXPECT_ERRNO(link("/tmp", "c"), EPERM);
}

FACT(an_open_file_outlives_its_name)
{
	char c = 0;
	int fd;

	enter();
	touch("a");
	fd = open("a", O_RDONLY);
	EXPECT_EQ(unlink("a"), 0);
	EXPECT_EQ(read(fd, &c, 1), 1);
	EXPECT_EQ(c, 'a');
	EXPECT_ERRNO(unlink("a"), ENOENT);
}

FACT(a_symbolic_link_is_followed_unless_one_asks_for_it)
{
	struct stat s;
	char to[10] = "";

	enter();
	touch("a");
	EXPECT_EQ(symlink("a", "l"), 0);
	EXPECT_EQ(size_of("l"), 1);
	EXPECT_EQ(lstat("l", &s), 0);
	EXPECT(S_ISLNK(s.st_mode));
	EXPECT_EQ(readlink("l", to, sizeof(to)), 1);
	EXPECT_EQ(to[0], 'a');
	EXPECT_ERRNO(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	EXPECT_ERRNO(readlink("a", to, sizeof(to)), EINVAL);
}

FACT(links_in_the_middle_of_a_path_lead_on)
{
	enter();
	mkdir("d", 0755);
	touch("d/file");
	EXPECT_EQ(symlink("d", "l"), 0);
	EXPECT_EQ(size_of("l/file"), 6);
	EXPECT_EQ(symlink("../d/file", "d/up"), 0);
	EXPECT_EQ(size_of("l/up"), 6);
}

FACT(links_in_a_circle_are_ELOOP)
{
	enter();
	symlink("b", "a");
	symlink("a", "b");
	EXPECT_ERRNO(open("a", O_RDONLY), ELOOP);
}

FACT(a_link_to_nothing_is_ENOENT_and_can_be_created_through)
{
	enter();
	symlink("target", "l");
	EXPECT_ERRNO(open("l", O_RDONLY), ENOENT);
	close(open("l", O_CREAT | O_WRONLY, 0644));
	EXPECT_EQ(size_of("target"), 0);
	EXPECT_ERRNO(open("l", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
}

FACT(renaming_replaces)
{
	enter();
	touch("first");
	touch("2");
	EXPECT_EQ(rename("first", "2"), 0);
	EXPECT_EQ(size_of("2"), 5);
	EXPECT_EQ(size_of("first"), -ENOENT);
	EXPECT_EQ(rename("2", "2"), 0);
	EXPECT_ERRNO(rename("none", "x"), ENOENT);
}

static long rename_so(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

FACT(a_directory_is_not_renamed_into_itself_or_over_what_is_in_use)
{
	enter();
	mkdir("a", 0755);
	mkdir("b", 0755);
	touch("b/x");
	touch("f");
	EXPECT_ERRNO(rename("a", "a/c"), EINVAL);
	EXPECT_ERRNO(rename("a", "b"), ENOTEMPTY);
	EXPECT_ERRNO(rename("a", "f"), ENOTDIR);
	EXPECT_ERRNO(rename("f", "a"), EISDIR);
	EXPECT_ERRNO(rename_so("f", "a", RENAME_WHITEOUT), EISDIR);
	EXPECT_ERRNO(rename_so("f", "a", 8), EINVAL);
	EXPECT_ERRNO(rename_so("f", "g", RENAME_WHITEOUT | RENAME_EXCHANGE), EINVAL);
	EXPECT_EQ(unlink("b/x"), 0);
	EXPECT_EQ(rename("a", "b"), 0);
}

FACT(a_renamed_directory_has_a_new_parent)
{
	struct stat s, t;

	enter();
	mkdir("a", 0755);
	mkdir("b", 0755);
	EXPECT_EQ(rename("a", "b/a"), 0);
	EXPECT_EQ(stat("b/a/..", &s), 0);
	EXPECT_EQ(stat("b", &t), 0);
	EXPECT_EQ(s.st_ino, t.st_ino);
}

FACT(a_directory_lists_each_name_once)
{
	char name[16];
	unsigned seen = 0, dots = 0;
	struct dirent *e;
	DIR *d;

	enter();
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		touch(name);
	}
	d = opendir(".");
	REQUIRE(d != NULL);
	while ((e = readdir(d))) {
		dots += e->d_name[0] == '.';
		seen += !strncmp(e->d_name, "file-", 5) && e->d_type == DT_REG && e->d_ino;
	}
	EXPECT_EQ(seen, 300);
	EXPECT_EQ(dots, 2);
	rewinddir(d);
	EXPECT(readdir(d) != NULL);
}

FACT(a_directory_can_be_emptied_while_it_is_read)
{
	char name[16];
	struct dirent *e;
	DIR *d;

	enter();
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		touch(name);
	}
	d = opendir(".");
	while ((e = readdir(d))) {
		if (e->d_name[0] != '.')
			EXPECT_EQ(unlink(e->d_name), 0);
	}
	EXPECT_EQ(open("file-50", O_RDONLY), -1);
	EXPECT_EQ(chdir(".."), 0);
	snprintf(name, sizeof(name), "path-%d", (int)getpid());
	EXPECT_EQ(rmdir(name), 0);
}

FACT(getdents_into_too_little_room_is_EINVAL)
{
	char room[8];
	int fd = open("/tmp", O_RDONLY);

	EXPECT_ERRNO(syscall(SYS_getdents64, fd, room, sizeof(room)), EINVAL);
	EXPECT_ERRNO(syscall(SYS_getdents64, nameless_file(), room, sizeof(room)), ENOTDIR);
}

FACT(getcwd_knows_where_one_is)
{
	char want[64], got[64];

	enter();
	snprintf(want, sizeof(want), "/tmp/path-%d", (int)getpid());
	EXPECT(getcwd(got, sizeof(got)) != NULL);
	EXPECT(!strcmp(got, want));
	EXPECT_ERRNO(syscall(SYS_getcwd, got, 3), ERANGE);
	EXPECT_EQ(chdir("/"), 0);
	EXPECT(!strcmp(getcwd(got, sizeof(got)), "/"));
	EXPECT_EQ(chdir(".."), 0);
	EXPECT(!strcmp(getcwd(got, sizeof(got)), "/"));
}

FACT(fchdir_goes_to_an_open_directory)
{
	char got[64];
	int fd = open("/dev", O_RDONLY | O_DIRECTORY);

	EXPECT_EQ(fchdir(fd), 0);
	EXPECT(!strcmp(getcwd(got, sizeof(got)), "/dev"));
	EXPECT_ERRNO(fchdir(nameless_file()), ENOTDIR);
}

FACT(getcwd_knows_a_process_s_directory_while_that_is_there)
{
	char got[100] = "", want[100];
	pid_t child = fork();

	if (!child) {
		for (;;)
			pause();
	}
	EXPECT_EQ(chdir("/proc/self"), 0);
	snprintf(want, sizeof(want), "/proc/%d", (int)getpid());
	EXPECT(getcwd(got, sizeof(got)) && !strcmp(got, want));
	snprintf(want, sizeof(want), "/proc/%d", (int)child);
	EXPECT_EQ(chdir(want), 0);
	EXPECT(getcwd(got, sizeof(got)) && !strcmp(got, want));
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_ERRNO(syscall(SYS_getcwd, got, sizeof(got)), ENOENT);
}

FACT(the_at_calls_start_at_their_directory)
{
	struct stat s;
	int d;

	enter();
	mkdir("d", 0755);
	d = open("d", O_RDONLY | O_DIRECTORY);
	touch("d/x");
	EXPECT(openat(d, "x", O_RDONLY) >= 0);
	EXPECT_EQ(fstatat(d, "x", &s, 0), 0);
	EXPECT_EQ(mkdirat(d, "sub", 0755), 0);
	EXPECT_EQ(renameat(d, "x", AT_FDCWD, "y"), 0);
	EXPECT_EQ(unlinkat(d, "sub", AT_REMOVEDIR), 0);
	EXPECT_EQ(size_of("y"), 3);
	touch("longer");
	EXPECT_EQ(renameat(AT_FDCWD, "longer", d, "../y"), 0);
	EXPECT_EQ(size_of("y"), 6);
	EXPECT_ERRNO(openat(500, "x", O_RDONLY), EBADF);
	EXPECT_ERRNO(openat(open("y", O_RDONLY), "x", O_RDONLY), ENOTDIR);
	EXPECT(openat(500, "/dev/null", O_RDONLY) >= 0);
}

FACT(an_empty_path_asks_for_the_descriptor_itself)
{
	struct stat s;
	int fd = file_of(77);

	EXPECT_EQ(fstatat(fd, "", &s, AT_EMPTY_PATH), 0);
	EXPECT_EQ(s.st_size, 77);
	EXPECT_ERRNO(fstatat(fd, "", &s, 0), ENOENT);
}

FACT(a_device_node_can_be_made)
{
	struct stat s;
	int fd;

	enter();
	umask(0);
	EXPECT_EQ(mknod("n", S_IFCHR | 0600, makedev(1, 3)), 0);
	EXPECT_EQ(stat("n", &s), 0);
	EXPECT_EQ(s.st_mode, S_IFCHR | 0600);
	EXPECT_EQ(s.st_rdev, makedev(1, 3));
	EXPECT_EQ(mknod("f", 07642, makedev(1, 3)), 0);
	EXPECT_EQ(stat("f", &s), 0);
	EXPECT_EQ(s.st_mode, S_IFREG | 07642);
	EXPECT_EQ(s.st_rdev, 0);
	EXPECT_EQ(mkdir("d", 07642), 0);
	EXPECT_EQ(stat("d", &s), 0);
	EXPECT_EQ(s.st_mode, S_IFDIR | 01642);
	fd = open("n", O_RDWR);
	EXPECT_EQ(read(fd, &(char){0}, 1), 0);
	EXPECT_ERRNO(mknod("n", S_IFREG, 0), EEXIST);
}

FACT(names_have_255_bytes_at_most)
{
	char name[300];

	enter();
	memset(name, 'n', sizeof(name));
	name[255] = 0;
	close(open(name, O_CREAT | O_WRONLY, 0600));
	EXPECT_EQ(size_of(name), 0);
	name[255] = 'n';
	name[256] = 0;
	EXPECT_ERRNO(open(name, O_CREAT | O_WRONLY, 0600), ENAMETOOLONG);
}

FACT(paths_have_4095_bytes_at_most)
{
	static char path[PATH_MAX + 1];

	memset(path, '/', sizeof(path));
	path[PATH_MAX - 1] = 0;
	EXPECT(open(path, O_RDONLY) >= 0);
	path[PATH_MAX - 1] = '/';
	path[PATH_MAX] = 0;
	EXPECT_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	EXPECT_ERRNO(open("", O_RDONLY), ENOENT);
}

FACT(dots_and_slashes_are_no_names)
{
	enter();
	mkdir("d", 0755);
	touch("d/x");
	EXPECT_EQ(size_of(".//d/../d/./x"), 3);
	EXPECT_EQ(size_of("d/x/"), -ENOTDIR);
	touch(".y");
	touch("...");
	EXPECT_EQ(size_of(".y"), 2);
	EXPECT_EQ(size_of("..."), 3);
	EXPECT_ERRNO(rmdir("d/."), EINVAL);
	EXPECT_ERRNO(mkdir("..", 0755), EEXIST);
	EXPECT_EQ(size_of("/../../dev/../tmp/./.") > 0 || size_of("/tmp") >= 0, true);
}

FACT(truncate_by_name)
{
	enter();
	touch("a");
	EXPECT_EQ(truncate("a", 5000), 0);
	EXPECT_EQ(size_of("a"), 5000);
	EXPECT_ERRNO(truncate("none", 1), ENOENT);
	EXPECT_ERRNO(truncate("/tmp", 1), EISDIR);
}
