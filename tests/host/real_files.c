/*
 * tests/host/real_files.c - a folder of this computer's own tmpfs. Owns the folder. Its descriptors are this process's;
 * cases see them from 0 on, as a process without any would.
 */
#define _GNU_SOURCE /* fallocate */
#include "real_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DESCRIPTORS 16
#define TMPFS       0x01021994
#define FIRST       100 /* of this process's, where the cases' begin */

static char folder[64];
static int home = -1;
static mode_t umask_before;

static int64_t result(int64_t r)
{
	return r < 0 ? -errno : r;
}

const char *real_begin(void)
{
	struct utsname name;
	struct statfs fs;

	if (uname(&name) || strcmp(name.sysname, "Linux") != 0 || strtol(name.release, NULL, 10) < 5)
		return "this computer runs no Linux that could tell what Linux does";
	if (statfs("/dev/shm", &fs) || fs.f_type != TMPFS)
		return "no tmpfs at /dev/shm to compare with";
	strcpy(folder, "/dev/shm/quire-test-XXXXXX");
	home = open(".", O_RDONLY | O_DIRECTORY);
	if (home < 0 || !mkdtemp(folder) || chdir(folder))
		return "no folder can be made in /dev/shm";
	umask_before = umask(022);
	return NULL;
}

void real_end(void)
{
	char command[192];

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		close(FIRST + fd);
	umask(umask_before);
	if (fchdir(home))
		abort();
	close(home);
	snprintf(command, sizeof(command), "chmod -R u+rwx %s && rm -r %s", folder, folder);
	if (system(command))
		abort();
}

/* The lowest free one of the cases' own. */
static int64_t install(int fd)
{
	int to = fcntl(fd, F_DUPFD, FIRST);

	close(fd);
	return to - FIRST;
}

int64_t real_open(const char *path, int flags, int mode)
{
	int fd = open(path, flags, mode);

	return fd < 0 ? -errno : install(fd);
}

int64_t real_close(int fd)
{
	return result(close(FIRST + fd));
}

int64_t real_dup2(int from, int to)
{
	int64_t r = result(dup2(FIRST + from, FIRST + to));

	return r < 0 ? r : r - FIRST;
}

int64_t real_read(int fd, void *to, uint32_t n)
{
	return result(read(FIRST + fd, to, n));
}

int64_t real_write(int fd, const void *from, uint32_t n)
{
	return result(write(FIRST + fd, from, n));
}

int64_t real_pread(int fd, void *to, uint32_t n, uint64_t at)
{
	return result(pread(FIRST + fd, to, n, (off_t)at));
}

int64_t real_pwrite(int fd, const void *from, uint32_t n, uint64_t at)
{
	return result(pwrite(FIRST + fd, from, n, (off_t)at));
}

int64_t real_seek(int fd, int64_t offset, int whence)
{
	return result(lseek(FIRST + fd, offset, whence));
}

int64_t real_ftruncate(int fd, int64_t size)
{
	return result(ftruncate(FIRST + fd, size));
}

int64_t real_truncate(const char *path, int64_t size)
{
	return result(truncate(path, size));
}

int64_t real_allocate(int fd, int mode, int64_t at, int64_t length)
{
	return result(fallocate(FIRST + fd, mode, at, length));
}

int64_t real_mkdir(const char *path, int mode)
{
	return result(mkdir(path, (mode_t)mode));
}

int64_t real_rmdir(const char *path)
{
	return result(rmdir(path));
}

int64_t real_unlink(const char *path)
{
	return result(unlink(path));
}

int64_t real_link(const char *from, const char *to, int flags)
{
	return result(linkat(AT_FDCWD, from, AT_FDCWD, to, flags));
}

int64_t real_symlink(const char *target, const char *path)
{
	return result(symlink(target, path));
}

int64_t real_readlink(const char *path, char *to, uint32_t n)
{
	return result(readlink(path, to, n));
}

int64_t real_rename(const char *from, const char *to, unsigned flags)
{
	return result(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
}

int64_t real_access(const char *path, int mode)
{
	return result(access(path, mode));
}

int64_t real_chmod(const char *path, int mode)
{
	return result(chmod(path, (mode_t)mode));
}

int64_t real_stat(const char *path, int flags, struct real_stat *out)
{
	struct stat s;

	if (fstatat(AT_FDCWD, path, &s, flags))
		return -errno;
	*out = (struct real_stat){s.st_mode, (uint32_t)s.st_nlink, 0, 0};
	if (!S_ISDIR(s.st_mode)) {
		out->size = (uint64_t)s.st_size;
		out->blocks = (uint64_t)s.st_blocks;
	}
	return 0;
}

int64_t real_list(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int64_t sum = 0;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		int64_t one = e->d_type;

		for (const char *s = e->d_name; *s; s++)
			one = (one * 31 + *s) % 1000003;
		sum += one + 1;
	}
	closedir(d);
	return sum;
}
