/*
 * fs/inode.c - makes and frees files, with or without a name. Owns the cache of inodes; a regular file's pages are its
 * mapping's, which lives on while somebody maps it:
 *
 *	names, open files --> inode { mapping } <-- areas
 *
 * The inode holds one reference on its mapping, and goes with the mapping's last.
 */
#include <fs/fs.h>
#include <fs/inode.h>
#include <fs/up.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/slab.h>

struct container_id fs_container = CONTAINER_ROOT;

static struct {
	struct cache cache;
	uint32_t last_number;
} inodes;

void inode_init(void)
{
	cache_init(&inodes.cache, "inode", sizeof(struct inode));
}

uint32_t inode_count(void)
{
	return inodes.cache.used;
}

unsigned inode_check(void)
{
	return cache_check(&inodes.cache);
}

static void free_inode(struct inode *i)
{
	cache_free(&inodes.cache, i);
}

static struct inode *inode_of(const struct mapping *m)
{
	return (struct inode *)((uintptr_t)m - offsetof(struct inode, mapping));
}

static void release_mapping(struct mapping *m)
{
	kmfree((void *)(uintptr_t)m->name);
	free_inode(inode_of(m));
}

static void note_write(struct mapping *m)
{
	inode_touch(inode_of(m));
}

struct entry *inode_name_of_mapping(const struct mapping *m)
{
	return m->release == release_mapping ? inode_of(m)->entry : NULL;
}

struct inode *inode_create(uint32_t mode, uint32_t rdev)
{
	struct inode *i = cache_alloc(&inodes.cache);
	int64_t now;

	if (!i)
		return NULL;
	memset(i, 0, sizeof(*i));
	now = clock_unix_ns();
	i->refs = 1;
	i->number = ++inodes.last_number;
	i->device = FS_DEVICE;
	i->mode = mode;
	i->rdev = rdev;
	i->time = (struct stamps){now, now, now, now};
	if (inode_is(i, S_IFREG)) {
		mapping_init(&i->mapping, fs_container, release_mapping);
		i->mapping.written = note_write;
		i->mapping.id[0] = FS_DEVICE;
		i->mapping.id[1] = i->number;
	} else if (inode_is(i, S_IFDIR)) {
		RB_INIT(&i->dir.names);
		RB_INIT(&i->dir.places);
		i->dir.next_place = DIR_FIRST_PLACE;
		i->links = 1; /* its own "." */
	}
	return i;
}

int inode_create_link(const char *target, struct inode **out)
{
	size_t length = strlen(target);
	struct inode *i;

	if (!length)
		return -ENOENT;
	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	i = inode_create(S_IFLNK | 0777, 0);
	if (!i)
		return -ENOMEM;
	i->target = kmalloc((uint32_t)length + 1);
	if (!i->target) {
		inode_put(i);
		return -ENOMEM;
	}
	memcpy(i->target, target, length + 1);
	*out = i;
	return 0;
}

void inode_get(struct inode *i)
{
	i->refs++;
}

/* Frees one that nobody has; a directory is empty by now. Returns its parent, whose reference is to be given back. */
static struct inode *free_last(struct inode *i)
{
	struct inode *parent = NULL;

	if (inode_is(i, S_IFREG) && !i->ops) {
		mapping_put(&i->mapping);
		return NULL;
	}
	if (inode_is(i, S_IFDIR)) {
		INVARIANT(!i->dir.count);
		parent = i->dir.parent == i ? NULL : i->dir.parent;
	} else if (inode_is(i, S_IFLNK)) {
		kmfree(i->target);
	}
	free_inode(i);
	return parent;
}

void inode_put(struct inode *i)
{
	/* A directory holds its parent: a row of removed ones goes at once. */
	while (i && !--i->refs)
		i = free_last(i);
}

void inode_touch(struct inode *i)
{
	i->time.modification = i->time.change = clock_unix_ns();
}

void inode_change(struct inode *i)
{
	i->time.change = clock_unix_ns();
}

void inode_accessed(struct inode *i)
{
	struct stamps *t = &i->time;

	if (t->access <= t->modification || t->access <= t->change)
		t->access = clock_unix_ns();
}
