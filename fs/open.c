/*
 * fs/open.c - open: from a path and flags to an open file. The order of errors is that of Linux's do_open; what was
 * created for an open that fails then has its name all the same, as there.
 */
#include <fs/file.h>
#include <fs/names.h>

/* What open looks at, with what the flags imply. */
struct opening {
	const struct fs_context *fs;
	struct walk walk;
	uint32_t flags, mode;
	bool created;
};

static bool wants_to_write(uint32_t flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
}

/* Opens what was found; takes no reference of the caller's. */
static int open_found(const struct opening *o, struct inode *i, struct file **out)
{
	bool directory = inode_is(i, S_IFDIR), cut;
	int err;

	if (o->flags & O_CREAT && o->flags & O_EXCL && !o->created)
		return -EEXIST;
	if (o->flags & O_CREAT && directory)
		return -EISDIR;
	if ((o->flags & O_DIRECTORY || o->walk.slash) && !directory)
		return -ENOTDIR;
	if (o->flags & O_PATH)
		return file_create(i, o->flags, out);
	if (inode_is(i, S_IFLNK))
		return -ELOOP;
	if (directory && wants_to_write(o->flags))
		return -EISDIR;
	if (inode_is(i, S_IFREG) && !i->ops && !(o->flags & O_LARGEFILE) && i->mapping.size > FILE_SMALL_MOST)
		return -EOVERFLOW;
	cut = o->flags & O_TRUNC && !o->created && inode_is(i, S_IFREG) && !i->ops;
	if (cut && i->runners)
		return -ETXTBSY;
	err = file_create(i, o->flags, out);
	if (!err && cut)
		err = regular_truncate(i, 0);
	return err;
}

/* Makes a regular file where the walk has ended. Stores it with a reference. */
static int create(struct opening *o, struct inode **out)
{
	struct inode *i;
	int err;

	if (o->walk.at->dir.ops)
		return -ENOENT;
	i = inode_create(S_IFREG | (o->mode & 07777), 0);
	if (!i)
		return -ENOMEM;
	names_give_owner(o->walk.at, i);
	err = dir_add(o->walk.at, o->walk.last, o->walk.last_length, i);
	if (err) {
		inode_put(i);
		return err;
	}
	o->created = true;
	*out = i;
	return 0;
}

/* Stores what the last component is, or what is made there, with a reference. -EAGAIN: a link; it is followed now. */
static int last_component(struct opening *o, struct inode **out)
{
	bool follow = !(o->flags & O_NOFOLLOW) && !(o->flags & O_CREAT && o->flags & O_EXCL);
	int err;

	if (o->flags & O_CREAT && o->walk.kind == LAST_NAME && o->walk.slash)
		return -EISDIR;
	err = walk_look(&o->walk, out);
	if (err == -ENOENT && o->flags & O_CREAT)
		return create(o, out);
	if (err || !inode_is(*out, S_IFLNK) || !(follow || o->walk.slash))
		return err;
	err = walk_follow(&o->walk, *out);
	inode_put(*out);
	return err ? err : -EAGAIN;
}

/* O_TMPFILE: a file in a directory, without a name. */
static int open_unnamed(struct opening *o, struct inode *base, const char *path, struct file **out)
{
	struct inode *dir, *i;
	int err = path_find(o->fs, base, path, PATH_FOLLOW | PATH_DIRECTORY, &dir);

	if (err)
		return err;
	i = dir->dir.ops ? NULL : inode_create(S_IFREG | (o->mode & 07777), 0);
	if (i) {
		names_give_owner(dir, i);
		i->may_be_linked = !(o->flags & O_EXCL);
		err = file_create(i, o->flags & ~(uint32_t)O_TMPFILE, out);
		inode_put(i);
	} else {
		err = dir->dir.ops ? -EOPNOTSUPP : -ENOMEM;
	}
	inode_put(dir);
	return err;
}

static int open_named(struct opening *o, struct inode *base, const char *path, struct file **out)
{
	struct inode *i;
	int err = walk_begin(&o->walk, o->fs->root, base, path);

	if (!err)
		err = walk_parent(&o->walk);
	if (!err) {
		do
			err = last_component(o, &i);
		while (err == -EAGAIN);
	}
	if (!err) {
		err = open_found(o, i, out);
		/* Linux has memory for the open file before it makes a name. */
		if (err == -ENOMEM && o->created)
			dir_remove(i->entry);
		inode_put(i);
	}
	walk_end(&o->walk);
	return err;
}

int path_open(const struct fs_context *fs, struct inode *base, const char *path, const struct open_way *how,
	      struct file **out)
{
	struct opening o = {.fs = fs, .flags = how->flags, .mode = how->mode};

	if (o.flags & O_PATH)
		o.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((o.flags & O_TMPFILE) != O_TMPFILE && o.flags & __O_TMPFILE)
		return -EINVAL;
	if (o.flags & O_CREAT && o.flags & O_DIRECTORY)
		return -EINVAL; /* O_TMPFILE has O_DIRECTORY in it */
	if (!(o.flags & __O_TMPFILE))
		return open_named(&o, base, path, out);
	if ((o.flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	return open_unnamed(&o, base, path, out);
}

int fs_open_kernel(struct fs_context *fs, const char *path, uint32_t flags, struct file **out)
{
	struct open_way how = {flags | O_LARGEFILE, 0666 & ~fs->umask};

	return path_open(fs, fs->cwd, path, &how, out);
}

int file_open_program(struct fs_context *fs, const char *path, struct file **out)
{
	struct inode *i;
	int err = path_find(fs, fs->cwd, path, PATH_FOLLOW, &i);

	if (err)
		return err;
	if (!inode_is(i, S_IFREG) || i->ops || !(i->mode & 0111))
		err = -EACCES;
	else
		err = file_create(i, O_RDONLY | O_LARGEFILE, out);
	inode_put(i);
	if (!err && (err = file_runs(*out)))
		file_put(*out);
	return err;
}
