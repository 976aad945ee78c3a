/*
 * tests/host/real_files.h - the calls for files of the computer that the tests run on, in a folder of its own, as the
 * oracle of what Linux does. Results are those of system calls: -errno where they fail.
 */
#ifndef TESTS_REAL_FILES_H
#define TESTS_REAL_FILES_H

#include <stdbool.h>
#include <stdint.h>

/* Makes the folder and goes there; why not, or null. Descriptors are numbered as they are given out. */
const char *real_begin(void);
void real_end(void);

/* flags, modes and such are Linux's for the i386, which are those of x86-64 too. */
int64_t real_open(const char *path, int flags, int mode);
int64_t real_close(int fd);
int64_t real_dup2(int from, int to);
int64_t real_read(int fd, void *to, uint32_t n);
int64_t real_write(int fd, const void *from, uint32_t n);
int64_t real_pread(int fd, void *to, uint32_t n, uint64_t at);
int64_t real_pwrite(int fd, const void *from, uint32_t n, uint64_t at);
int64_t real_seek(int fd, int64_t offset, int whence);
int64_t real_ftruncate(int fd, int64_t size);
int64_t real_truncate(const char *path, int64_t size);
int64_t real_allocate(int fd, int mode, int64_t at, int64_t length);
int64_t real_mkdir(const char *path, int mode);
int64_t real_rmdir(const char *path);
int64_t real_unlink(const char *path);
int64_t real_link(const char *from, const char *to, int flags);
int64_t real_symlink(const char *target, const char *path);
int64_t real_readlink(const char *path, char *to, uint32_t n);
int64_t real_rename(const char *from, const char *to, unsigned flags);
int64_t real_access(const char *path, int mode);
int64_t real_chmod(const char *path, int mode);

/* What both file systems must agree in. */
struct real_stat {
	uint32_t mode, links;
	uint64_t size, blocks; /* of regular files and symbolic links */
};
int64_t real_stat(const char *path, int flags, struct real_stat *out);

/* Returns a sum over the names and types of a directory that does not depend on their order. */
int64_t real_list(const char *path);

#endif
