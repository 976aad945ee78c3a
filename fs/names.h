/* fs/names.h - what changes names: mkdir, rename and the like, on paths in kernel memory. 0 or Linux's error. */
#ifndef FS_NAMES_H
#define FS_NAMES_H

#include <fs/path.h>

/* A path and where it begins when it is relative. */
struct where {
	struct inode *base;
	const char *path;
};

/* Makes a file of any kind but a symbolic link; umask is taken off. */
int names_make(const struct fs_context *fs, const struct where *w, uint32_t mode, uint32_t rdev);
int names_symlink(const struct fs_context *fs, const struct where *w, const char *target);
/* Names an existing file; -EPERM for directories. */
int names_link(const struct fs_context *fs, struct inode *i, const struct where *w);
int names_unlink(const struct fs_context *fs, const struct where *w);
int names_rmdir(const struct fs_context *fs, const struct where *w);
/* flags: none, RENAME_NOREPLACE or RENAME_EXCHANGE. */
int names_rename(const struct fs_context *fs, const struct where *from, const struct where *to,
		 uint32_t flags);

/* Who owns and may use what is made in a directory: its group where that is passed on (S_ISGID). */
void names_give_owner(const struct inode *dir, struct inode *made);

#endif
