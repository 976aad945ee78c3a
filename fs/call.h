/* fs/call.h - what the system calls of fs/ share: paths and descriptors of the running process. */
#ifndef FS_CALL_H
#define FS_CALL_H

#include <fs/file.h>
#include <fs/files.h>
#include <fs/fs_calls.h>
#include <fs/names.h>

/* A path copied from a program. */
struct named {
	char *path; /* a page */
	struct where where;
};

/*
 * Copies a path that begins at a descriptor (or AT_FDCWD); an empty one too. 0, -EFAULT, -ENAMETOOLONG, -ENOMEM or
 * -EBADF, with nothing held.
 */
int named_get(struct named *n, uint32_t dirfd, vaddr_t path);

void named_put(struct named *n);

/*
 * Finds what a path leads to; flags AT_SYMLINK_NOFOLLOW, and AT_EMPTY_PATH: an empty path is the descriptor itself.
 * Stores it with a reference.
 */
int named_find(uint32_t dirfd, vaddr_t path, uint32_t flags, struct inode **out);

/* The open file of a descriptor of the running process, not of O_PATH; null where there is none (-EBADF). */
struct file *call_file(uint32_t fd);

/* The same with O_PATH. */
struct file *call_any_file(uint32_t fd);

/* Installs a file, whose reference it takes in any case: its descriptor or -errno. */
int32_t call_install(struct file *f, uint32_t flags);

/* Two words of arguments as one number. */
static inline uint64_t call_wide(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

#endif
