/*
 * fs/path.h - the way from a path to a file. Linux's rules: path_resolution(7), and which error comes first as its
 * fs/namei.c has it. Nothing here waits, and nothing is changed but references.
 */
#ifndef FS_PATH_H
#define FS_PATH_H

#include <fs/files.h>
#include <fs/inode.h>

#define PATH_LINKS_MOST 40u

enum last_kind { LAST_NAME, LAST_ROOT, LAST_DOT, LAST_DOTDOT };

/* A path on its way. What is left of a symbolic link's target is gone through before what follows the link. */
struct walk {
	struct inode *root;
	struct inode *at; /* where it has come to; referenced */
	const char *rest;
	uint32_t links; /* followed by now */
	uint32_t depth;
	struct {
		struct inode *link; /* whose target `rest` points into; referenced, or null */
		const char *rest;   /* of the path around it */
	} outer[PATH_LINKS_MOST + 1];

	/* The last component, once walk_parent has come to it; `at` is its directory. */
	const char *last;
	uint32_t last_length;
	enum last_kind kind;
	bool slash; /* slashes followed: it has to be a directory */
};

/*
 * Begins at the root, or at base for a relative path (it must be a directory, else -ENOTDIR). Copies nothing: the path
 * must stay. 0, -ENOENT (empty) or -ENOTDIR; walk_end in any case.
 */
int walk_begin(struct walk *w, struct inode *root, struct inode *base, const char *path);

/* Goes to the directory of the last component. 0, -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG or -ENOMEM. */
int walk_parent(struct walk *w);

/* Stores the file of the last component as it is, referenced; a symbolic link is one. Errors as above. */
int walk_look(struct walk *w, struct inode **out);

/* Replaces the last component by what a symbolic link says, and goes to the directory of that one's last. */
int walk_follow(struct walk *w, struct inode *link);

/* Drops what is held. */
void walk_end(struct walk *w);

#define PATH_FOLLOW    1u /* a symbolic link at the end */
#define PATH_DIRECTORY 2u /* -ENOTDIR for anything else */

/* All of it: stores the file, referenced. */
int path_find(const struct fs_context *fs, struct inode *base, const char *path, uint32_t how,
	      struct inode **out);

struct open_way {
	uint32_t flags; /* O_... */
	uint32_t mode;  /* of a created file, umask already taken off */
};

/* Opens, creates and cuts as open does. 0 or Linux's error. */
struct file;
int path_open(const struct fs_context *fs, struct inode *base, const char *path, const struct open_way *how,
	      struct file **out);

/*
 * Writes the path of a directory from a root on, null for the tree's, into size bytes, one at least: its length with
 * the 0, -ENOENT (it was removed) or -ERANGE.
 */
int32_t path_of_directory(const struct inode *root, const struct inode *dir, char *out, uint32_t size);

/* The same of a name, from the tree's root on. */
int32_t path_of_entry(const struct entry *e, char *out, uint32_t size);

#define PATH_SHOWN 256u /* bytes of a longer path are not shown in lists of areas; with the 0 */

/*
 * Writes what lists of areas call a mapping: a path of its file, the last one and " (deleted)" where it has lost that,
 * or the name that it was given. Nothing where there is none, or the path is longer.
 */
void path_of_mapping(const struct mapping *m, char out[static PATH_SHOWN]);

/* Keeps what a name that is about to go says for path_of_mapping, if anybody has the file open or mapped. */
void path_keep(const struct entry *e);

#endif
