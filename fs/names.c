/*
 * fs/names.c - makes, removes and changes names. Owns nothing. The order of errors is that of Linux's fs/namei.c: what
 * the path is comes first, then what is there, then what may be done.
 */
#include <fs/names.h>
#include <fs/up.h>
#include <linux/fs.h>
#include <mm/slab.h>

/* Two directories at once: too much for the stack. */
struct two_walks {
	struct walk from, to;
};

/*
 * Goes to where a new name will stand. 0, -EEXIST where something stands there, -ENOENT for a name with a slash behind
 * it that is to be no directory. walk_end in any case.
 */
static int begin_new(struct walk *w, const struct fs_context *fs, const struct where *where, bool directory)
{
	struct inode *there;
	int err = walk_begin(w, fs->root, where->base, where->path);

	if (!err)
		err = walk_parent(w);
	if (err)
		return err;
	if (w->kind != LAST_NAME)
		return -EEXIST;
	err = walk_look(w, &there);
	if (err && err != -ENOENT)
		return err;
	if (!err) {
		inode_put(there);
		return -EEXIST;
	}
	return w->slash && !directory ? -ENOENT : 0;
}

void names_give_owner(const struct inode *dir, struct inode *made)
{
	current_owner(&made->uid, &made->gid);
	if (!(dir->mode & S_ISGID))
		return;
	made->gid = dir->gid;
	if (inode_is(made, S_IFDIR))
		made->mode |= S_ISGID;
}

/* Names what was just made at the end of a walk; its first reference is given back in any case. */
static int add(struct walk *w, struct inode *made)
{
	int err;

	names_give_owner(w->at, made);
	err = dir_add(w->at, w->last, w->last_length, made);
	inode_put(made);
	return err;
}

int names_make(const struct fs_context *fs, const struct where *where, uint32_t mode, uint32_t rdev)
{
	struct walk w;
	int err = begin_new(&w, fs, where, (mode & S_IFMT) == S_IFDIR);

	if (!err) {
		struct inode *made = inode_create(mode & ~fs->umask, rdev);

		err = made ? add(&w, made) : -ENOMEM;
	}
	walk_end(&w);
	return err;
}

int names_symlink(const struct fs_context *fs, const struct where *where, const char *target)
{
	struct inode *made;
	struct walk w;
	int err;

	if (!*target)
		return -ENOENT;
	err = begin_new(&w, fs, where, false);
	if (!err)
		err = inode_create_link(target, &made);
	if (!err)
		err = add(&w, made);
	walk_end(&w);
	return err;
}

int names_link(const struct fs_context *fs, struct inode *i, const struct where *where)
{
	struct walk w;
	int err = begin_new(&w, fs, where, false);

	if (!err && i->device != w.at->device)
		err = -EXDEV;
	if (!err && inode_is(i, S_IFDIR))
		err = -EPERM;
	if (!err && !i->links && !i->may_be_linked)
		err = -ENOENT;
	if (!err)
		err = dir_add(w.at, w.last, w.last_length, i);
	walk_end(&w);
	return err;
}

/* Finds the entry that a walk has come to the end at. Made-up directories have none: their files stay. */
static int find_entry(struct walk *w, struct entry **out)
{
	struct inode *there;
	int err;

	if (w->at->dir.ops) {
		err = walk_look(w, &there);
		if (!err)
			inode_put(there);
		return err ? err : -EPERM;
	}
	*out = dir_find(w->at, w->last, w->last_length);
	return *out ? 0 : -ENOENT;
}

/* True for /proc, which is there for good. */
static bool is_fixed(const struct inode *i)
{
	return inode_is(i, S_IFDIR) && i->dir.ops;
}

static int unlink_at(struct walk *w)
{
	struct entry *e;
	int err;

	if (w->kind != LAST_NAME)
		return -EISDIR;
	err = find_entry(w, &e);
	if (err)
		return err;
	if (inode_is(e->inode, S_IFDIR))
		return -EISDIR;
	if (w->slash)
		return -ENOTDIR;
	path_keep(e);
	dir_remove(e);
	return 0;
}

static int rmdir_at(struct walk *w)
{
	struct entry *e;
	int err;

	switch (w->kind) {
	case LAST_DOTDOT:
		return -ENOTEMPTY;
	case LAST_DOT:
		return -EINVAL;
	case LAST_ROOT:
		return -EBUSY;
	default:
		break;
	}
	err = find_entry(w, &e);
	if (err)
		return err;
	if (!inode_is(e->inode, S_IFDIR))
		return -ENOTDIR;
	if (is_fixed(e->inode))
		return -EBUSY;
	if (e->inode->dir.count)
		return -ENOTEMPTY;
	dir_remove(e);
	return 0;
}

/* Does one thing at the end of a path. */
static int at_end(const struct fs_context *fs, const struct where *where, int (*act)(struct walk *w))
{
	struct walk w;
	int err = walk_begin(&w, fs->root, where->base, where->path);

	if (!err)
		err = walk_parent(&w);
	if (!err)
		err = act(&w);
	walk_end(&w);
	return err;
}

int names_unlink(const struct fs_context *fs, const struct where *where)
{
	return at_end(fs, where, unlink_at);
}

int names_rmdir(const struct fs_context *fs, const struct where *where)
{
	return at_end(fs, where, rmdir_at);
}

/* What is wrong with the two ends of a rename before their types are looked at; from exists. */
static int check_ends(const struct two_walks *w, const struct entry *from, const struct entry *to,
		      uint32_t flags)
{
	bool exchange = flags & RENAME_EXCHANGE;

	if (flags & RENAME_NOREPLACE && to)
		return -EEXIST;
	if (exchange && !to)
		return -ENOENT;
	if (exchange && !inode_is(to->inode, S_IFDIR) && w->to.slash)
		return -ENOTDIR;
	if (!inode_is(from->inode, S_IFDIR) && (w->from.slash || (!exchange && w->to.slash)))
		return -ENOTDIR;
	/* Neither may lie below the other. */
	if (inode_is(from->inode, S_IFDIR) && dir_is_above(from->inode, w->to.at))
		return -EINVAL;
	if (to && inode_is(to->inode, S_IFDIR) && dir_is_above(to->inode, w->from.at))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* What is wrong with their types. */
static int check_types(const struct two_walks *w, const struct entry *from, const struct entry *to,
		       uint32_t flags)
{
	bool from_directory = inode_is(from->inode, S_IFDIR);

	if (dir_is_dead(w->to.at))
		return -ENOENT;
	if (is_fixed(from->inode) || (to && is_fixed(to->inode)))
		return -EBUSY;
	if (!to || flags & RENAME_EXCHANGE)
		return 0;
	if (from_directory && !inode_is(to->inode, S_IFDIR))
		return -ENOTDIR;
	if (!from_directory && inode_is(to->inode, S_IFDIR))
		return -EISDIR;
	return from_directory && to->inode->dir.count ? -ENOTEMPTY : 0;
}

/* Both walks have come to their directories. */
static int rename_at(struct two_walks *w, uint32_t flags)
{
	struct new_name new = {w->to.at, w->to.last, w->to.last_length, NULL};
	struct entry *from = NULL, *to = NULL;
	int err;

	if (w->from.at->device != w->to.at->device)
		return -EXDEV;
	if (w->from.kind != LAST_NAME)
		return -EBUSY;
	if (w->to.kind != LAST_NAME)
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	err = find_entry(&w->from, &from);
	if (!err)
		err = find_entry(&w->to, &to);
	if (err && !(err == -ENOENT && from))
		return err;
	err = check_ends(w, from, to, flags);
	if (err || (to && to->inode == from->inode))
		return err;
	err = check_types(w, from, to, flags);
	if (err)
		return err;
	if (flags & RENAME_WHITEOUT)
		return -EINVAL; /* there are no layers of file systems */
	if (flags & RENAME_EXCHANGE) {
		dir_exchange(from, to);
		return 0;
	}
	new.old = to;
	if (to)
		path_keep(to);
	return dir_rename(from, &new);
}

int names_rename(const struct fs_context *fs, const struct where *from, const struct where *to,
		 uint32_t flags)
{
	struct two_walks *w;
	int err;

	w = kmalloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	err = walk_begin(&w->from, fs->root, from->base, from->path);
	if (!err)
		err = walk_parent(&w->from);
	if (!err) {
		err = walk_begin(&w->to, fs->root, to->base, to->path);
		if (!err)
			err = walk_parent(&w->to);
		if (!err)
			err = rename_at(w, flags);
		walk_end(&w->to);
	}
	walk_end(&w->from);
	kmfree(w);
	return err;
}
