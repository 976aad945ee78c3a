/*
 * fs/unpack.c - makes the files of an archive. Owns the list of files that may get more names while it runs. What
 * cannot be made is told and left out; damage ends it.
 */
#include <arch/frame_access.h>
#include <fs/cpio.h>
#include <fs/fs.h>
#include <fs/names.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/slab.h>

#define CHUNK       512u
#define BUCKETS     64u
#define NS_A_SECOND 1000000000ll

/* A file of several names that has one by now. */
struct linked {
	struct linked *next;
	uint32_t ino, dev_major, dev_minor, archive;
	struct inode *inode; /* referenced */
};

/* One archive on its way. */
struct unpacking {
	struct cpio cpio;
	struct cpio_member member;
	struct fs_context fs;
	struct linked *linked[BUCKETS];
	char name[CPIO_NAME_MOST];
	char target[PATH_MAX];
};

/* The module's bytes: physical memory, which the direct map may not show. */
static void read_module(const struct cpio *c, uint64_t at, void *to, uint32_t n)
{
	uint32_t done = 0;

	while (done < n) {
		uint64_t from = c->base + at + done;
		uint32_t offset = (uint32_t)from % PAGE_SIZE;
		uint32_t piece = n - done < PAGE_SIZE - offset ? n - done : PAGE_SIZE - offset;

		arch_frame_read(PFN((uint32_t)(from >> PAGE_SHIFT)), offset, (char *)to + done, piece);
		done += piece;
	}
}

static struct linked **bucket_of(struct unpacking *u)
{
	return &u->linked[u->member.ino % BUCKETS];
}

/* The file that has a name already, if the member is a link to one. */
static struct inode *find_linked(struct unpacking *u)
{
	const struct cpio_member *m = &u->member;

	for (struct linked *l = *bucket_of(u); l; l = l->next)
		if (l->ino == m->ino && l->dev_major == m->dev_major && l->dev_minor == m->dev_minor &&
		    l->archive == u->cpio.archive)
			return l->inode;
	return NULL;
}

static int remember_linked(struct unpacking *u, struct inode *i)
{
	const struct cpio_member *m = &u->member;
	struct linked *l = kmalloc(sizeof(*l));

	if (!l)
		return -ENOMEM;
	*l = (struct linked){*bucket_of(u), m->ino, m->dev_major, m->dev_minor, u->cpio.archive, i};
	inode_get(i);
	*bucket_of(u) = l;
	return 0;
}

static void forget_linked(struct unpacking *u)
{
	for (uint32_t b = 0; b < BUCKETS; b++) {
		struct linked *next;

		for (struct linked *l = u->linked[b]; l; l = next) {
			next = l->next;
			inode_put(l->inode);
			kmfree(l);
		}
	}
}

static void set_attributes(struct inode *i, const struct cpio_member *m)
{
	int64_t time = m->mtime * NS_A_SECOND;

	i->mode = (i->mode & S_IFMT) | (m->mode & 07777);
	i->uid = m->uid;
	i->gid = m->gid;
	i->time = (struct stamps){time, time, time, time};
}

/* Writes the member's data to a file. 0, -ENOMEM, or -EINVAL where a sum is wrong. */
static int write_data(struct unpacking *u, struct inode *i)
{
	const struct cpio_member *m = &u->member;
	uint8_t chunk[CHUNK];
	uint32_t sum = 0;

	for (uint32_t at = 0; at < m->data_size; at += CHUNK) {
		uint32_t n = m->data_size - at < CHUNK ? m->data_size - at : CHUNK;

		u->cpio.read(&u->cpio, m->data_at + at, chunk, n);
		for (uint32_t k = 0; k < n; k++)
			sum += chunk[k];
		if (mapping_write(&i->mapping, at, chunk, n) != (int32_t)n)
			return -ENOMEM;
	}
	if (m->has_sum && sum != m->sum) {
		u->cpio.why = "the sum of a file's bytes is another than its header says";
		u->cpio.where = m->data_at;
		return -EINVAL;
	}
	return 0;
}

/* Makes the member's file, without a name yet. 0, -ENOMEM, or what is wrong with it. */
static int make_file(struct unpacking *u, struct inode **out)
{
	const struct cpio_member *m = &u->member;
	uint32_t rdev = m->rdev_minor % 256 | m->rdev_major << 8 | (m->rdev_minor & ~0xFFu) << 12;
	struct inode *i;

	switch (m->mode & S_IFMT) {
	case S_IFLNK:
		if (m->data_size >= sizeof(u->target))
			return -ENAMETOOLONG;
		u->cpio.read(&u->cpio, m->data_at, u->target, m->data_size);
		u->target[m->data_size] = '\0';
		return inode_create_link(u->target, out);
	case S_IFCHR:
	case S_IFBLK:
		break;
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
		rdev = 0;
		break;
	default:
		return -EINVAL;
	}
	i = inode_create(m->mode & S_IFMT, rdev);
	if (!i)
		return -ENOMEM;
	*out = i;
	return 0;
}

/* Makes way for the member: what is no directory goes, an empty directory too. A directory for a directory stays. */
static int make_way(struct unpacking *u, const struct where *where, struct inode **stays)
{
	struct inode *there;
	int err = path_find(&u->fs, fs_root, where->path, 0, &there);

	*stays = NULL;
	if (err)
		return err == -ENOENT ? 0 : err;
	if (inode_is(there, S_IFDIR) && (u->member.mode & S_IFMT) == S_IFDIR) {
		*stays = there;
		return 0;
	}
	err = inode_is(there, S_IFDIR) ? names_rmdir(&u->fs, where) : names_unlink(&u->fs, where);
	inode_put(there);
	return err;
}

/* Names a file that was just made. */
static int name_file(struct unpacking *u, struct inode *i)
{
	struct walk w;
	int err = walk_begin(&w, fs_root, fs_root, u->name);

	if (!err)
		err = walk_parent(&w);
	if (!err)
		err = w.kind == LAST_NAME ? dir_add(w.at, w.last, w.last_length, i) : -EEXIST;
	walk_end(&w);
	return err;
}

/* A file that is not there yet: makes it, fills it, names it. */
static int add_new(struct unpacking *u)
{
	bool regular = (u->member.mode & S_IFMT) == S_IFREG;
	bool linked = u->member.nlink > 1 && (u->member.mode & S_IFMT) != S_IFDIR;
	struct inode *i;
	int err = make_file(u, &i);

	if (err)
		return err;
	if (regular)
		err = write_data(u, i);
	if (!err)
		err = name_file(u, i);
	if (!err && linked)
		err = remember_linked(u, i);
	set_attributes(i, &u->member);
	inode_put(i);
	return err;
}

/* Another name for a file; the data may stand with any of its names. */
static int add_link(struct unpacking *u, struct inode *i)
{
	bool regular = inode_is(i, S_IFREG) && (u->member.mode & S_IFMT) == S_IFREG;
	int err = regular && u->member.data_size ? write_data(u, i) : 0;

	if (!err)
		err = name_file(u, i);
	if (!err)
		set_attributes(i, &u->member);
	return err;
}

static int add_member(struct unpacking *u)
{
	struct where where = {fs_root, *u->name ? u->name : "."};
	struct inode *linked = u->member.nlink > 1 ? find_linked(u) : NULL;
	struct inode *stays;
	int err = make_way(u, &where, &stays);

	if (err)
		return err;
	if (stays) {
		set_attributes(stays, &u->member);
		inode_put(stays);
		return 0;
	}
	return linked ? add_link(u, linked) : add_new(u);
}

/* What ends an archive, and what only costs a member. */
static bool is_fatal(int err)
{
	return err == -ENOMEM || err == -EDQUOT || err == -ENOSPC;
}

static int unpack_all(struct unpacking *u, uint32_t *left_out)
{
	int err;

	while (!(err = cpio_next(&u->cpio, &u->member, u->name))) {
		err = add_member(u);
		if (is_fatal(err) || u->cpio.why)
			return err;
		if (err && !(*left_out)++)
			printk("Archive: no file made for %s (error %d).\n", u->name, -err);
	}
	return err == -ENOENT ? 0 : err;
}

int fs_unpack(const struct boot_module *m)
{
	struct unpacking *u = kmalloc(sizeof(*u));
	uint32_t left_out = 0;
	int err;

	if (!u)
		return -ENOMEM;
	memset(u, 0, sizeof(*u));
	u->cpio = (struct cpio){.size = m->length, .read = read_module, .base = m->start.a};
	fs_context_init(&u->fs);
	u->fs.umask = 0;
	if (cpio_is(&u->cpio)) {
		err = unpack_all(u, &left_out);
	} else {
		u->cpio.why = "it is no cpio archive of the format newc, or is compressed";
		err = -EINVAL;
	}
	if (err == -EINVAL && u->cpio.why)
		printk("Archive: damaged at byte %llu: %s.\n", (unsigned long long)u->cpio.where,
		       u->cpio.why);
	else if (err)
		printk("Archive: no memory for %s and what is behind it. Give the machine more memory, or a "
		       "smaller "
		       "archive.\n",
		       u->name);
	if (left_out > 1)
		printk("Archive: %u files were not made.\n", left_out);
	forget_linked(u);
	fs_context_put(&u->fs);
	kmfree(u);
	return err == -EINVAL ? -EINVAL : err ? -ENOMEM : 0;
}
