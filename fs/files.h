/*
 * fs/files.h - a process's descriptors, and where it is. Lock: none, they are the process's own.
 */
#ifndef FS_FILES_H
#define FS_FILES_H

#include <lib/types.h>

struct file;
struct inode;

#define FILES_INLINE 32u   /* descriptors that need no memory of their own */
#define FILES_LIMIT  1024u /* RLIMIT_NOFILE at first */
#define FILES_MOST   4096u /* and at most */

/* Processes that share it share descriptors. */
struct files {
	uint32_t refs;
	uint32_t limit;    /* RLIMIT_NOFILE: descriptors from here on are not given out */
	uint32_t capacity; /* a multiple of 32 */
	uint32_t next;     /* none below is free */
	uint32_t end;      /* none from here on is in use */
	struct file **file;
	uint32_t *
		close_on_exec; /* a bit for each descriptor; behind the pointers, where they have memory of their own */
	struct file *inline_file[FILES_INLINE];
	uint32_t inline_close_on_exec;
};

/* Where paths begin; both are referenced. */
struct fs_context {
	struct inode *root, *cwd;
	uint32_t umask;
};

/* Makes an empty table with one reference. 0 or -ENOMEM. */
int files_create(struct files **out);

/* Makes a copy that names the same open files. 0 or -ENOMEM, nothing changed. */
int files_fork(struct files *from, struct files **copy);

static inline void files_get(struct files *f)
{
	f->refs++;
}

/* Takes a reference back: the last one closes everything. */
void files_put(struct files *f);

void files_close_on_exec(struct files *f);

/* Returns the lowest free descriptor not below `from`, for which there is room then, or -EMFILE or -ENOMEM. */
int32_t files_room(struct files *f, uint32_t from);

/*
 * Gives a file, whose reference it takes, the lowest free descriptor that is not below `from`: the number, -EMFILE or
 * -ENOMEM, and then the reference stays the caller's.
 */
int32_t files_install(struct files *f, struct file *file, uint32_t from, bool close_on_exec);

/* The open file of a descriptor; null where there is none. No reference is added. */
struct file *files_file(const struct files *f, uint32_t fd);

/* Puts a file, whose reference it takes, in the place of what a descriptor names. 0, -EBADF or -ENOMEM. */
int files_replace(struct files *f, uint32_t fd, struct file *file, bool close_on_exec);

/* 0 or -EBADF. */
int files_close(struct files *f, uint32_t fd);

bool files_get_close_on_exec(const struct files *f, uint32_t fd);
void files_set_close_on_exec(struct files *f, uint32_t fd, bool on);

/* The root directory for both, umask 022. 0, for fs_init has run. */
int fs_context_init(struct fs_context *c);
void fs_context_copy(struct fs_context *to, const struct fs_context *from);
void fs_context_put(struct fs_context *c);

/* Of the running process; kernel/proc.c. */
struct files *current_files(void);
struct fs_context *current_fs(void);

#endif
