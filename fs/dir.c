/*
 * fs/dir.c - the names in directories. Owns the entries, which stand in two trees of their
 * directory, by name and by place.
 *
 *	dir --names--> entry --> inode          a directory's links: its own, its name, and one for each
 *	    --places-->  ^ dir                  directory in it
 *
 * Places only grow, so who lists a directory meets every name once that is there all the while.
 */
#include <fs/inode.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/slab.h>

static int compare_bytes(const char *a, uint32_t a_length, const char *b, uint32_t b_length)
{
	int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	if (order)
		return order;
	return a_length < b_length ? -1 : a_length > b_length;
}

static int compare_names(const struct entry *a, const struct entry *b)
{
	return compare_bytes(a->name, a->length, b->name, b->length);
}

static int compare_places(const struct entry *a, const struct entry *b)
{
	return a->place < b->place ? -1 : a->place > b->place;
}

RB_GENERATE_STATIC(entries_by_name, entry, by_name, compare_names)
RB_GENERATE_STATIC(entries_by_place, entry, by_place, compare_places)

struct entry *dir_find(struct inode *dir, const char *name, uint32_t length)
{
	struct entry *e = RB_ROOT(&dir->dir.names);

	while (e) {
		int order = compare_bytes(name, length, e->name, e->length);

		if (!order)
			break;
		e = order < 0 ? RB_LEFT(e, by_name) : RB_RIGHT(e, by_name);
	}
	return e;
}

int dir_lookup(struct inode *dir, const char *name, uint32_t length, struct inode **out)
{
	struct entry *e;

	if (dir->dir.ops)
		return dir->dir.ops->lookup(dir, name, length, out);
	e = dir_find(dir, name, length);
	if (!e)
		return -ENOENT;
	inode_get(e->inode);
	*out = e->inode;
	return 0;
}

static struct entry *new_entry(const char *name, uint32_t length)
{
	struct entry *e = kmalloc((uint32_t)sizeof(*e) + length);

	if (e) {
		e->length = length;
		memcpy(e->name, name, length);
	}
	return e;
}

/* Puts an entry into a directory, which gets a link of a directory named there. */
static void insert(struct inode *dir, struct entry *e)
{
	e->dir = dir;
	e->place = dir->dir.next_place++;
	RB_INSERT(entries_by_name, &dir->dir.names, e);
	RB_INSERT(entries_by_place, &dir->dir.places, e);
	dir->dir.count++;
	inode_touch(dir);
}

static void take_out(struct entry *e)
{
	struct inode *dir = e->dir;

	RB_REMOVE(entries_by_name, &dir->dir.names, e);
	RB_REMOVE(entries_by_place, &dir->dir.places, e);
	dir->dir.count--;
	inode_touch(dir);
}

/* Makes e's directory the parent of what e names, if that is a directory. */
static void adopt(struct entry *e)
{
	struct inode *i = e->inode;

	i->entry = e;
	if (!inode_is(i, S_IFDIR))
		return;
	inode_get(e->dir);
	e->dir->links++;
	i->dir.parent = e->dir;
}

/* The opposite. The parent's reference goes last: it may free the parent. */
static void disown(struct entry *e)
{
	struct inode *i = e->inode;

	if (i->entry == e)
		i->entry = NULL;
	if (!inode_is(i, S_IFDIR))
		return;
	e->dir->links--;
	i->dir.parent = NULL;
	inode_put(e->dir);
}

int dir_add(struct inode *dir, const char *name, uint32_t length, struct inode *i)
{
	struct entry *e;

	if (dir->dir.ops)
		return -EPERM;
	if (dir_is_dead(dir))
		return -ENOENT;
	e = new_entry(name, length);
	if (!e)
		return -ENOMEM;

	/* From here nothing fails. */
	e->inode = i;
	inode_get(i);
	i->links++;
	inode_change(i);
	insert(dir, e);
	adopt(e);
	return 0;
}

/* What e named has lost this name: a link, and a directory all of them, but keeps its parent for "..". */
static void lose_name(struct entry *e)
{
	struct inode *i = e->inode;

	if (i->entry == e)
		i->entry = NULL;
	i->links--;
	if (inode_is(i, S_IFDIR)) {
		INVARIANT(!i->dir.count);
		i->links = 0;
		e->dir->links--;
	}
	inode_change(i);
	inode_put(i);
}

void dir_remove(struct entry *e)
{
	take_out(e);
	lose_name(e);
	kmfree(e);
}

int dir_rename(struct entry *e, const struct new_name *to)
{
	struct entry *new = new_entry(to->name, to->length);

	if (!new)
		return -ENOMEM;

	/* From here nothing fails. */
	if (to->old)
		dir_remove(to->old);
	new->inode = e->inode;
	insert(to->dir, new);
	take_out(e);
	inode_change(e->inode);
	/* The new parent first: it may be the old one, whose last reference this must not be. */
	inode_get(to->dir);
	disown(e);
	adopt(new);
	inode_put(to->dir);
	kmfree(e);
	return 0;
}

void dir_exchange(struct entry *a, struct entry *b)
{
	struct inode *i = a->inode;

	inode_get(a->dir);
	inode_get(b->dir);
	disown(a);
	disown(b);
	a->inode = b->inode;
	b->inode = i;
	adopt(a);
	adopt(b);
	inode_change(a->inode);
	inode_change(b->inode);
	inode_touch(a->dir);
	inode_touch(b->dir);
	inode_put(a->dir);
	inode_put(b->dir);
}

static struct entry *entry_from(struct inode *dir, uint64_t place)
{
	struct entry *e = RB_ROOT(&dir->dir.places), *found = NULL;

	while (e) {
		if (e->place >= place)
			found = e;
		e = e->place >= place ? RB_LEFT(e, by_place) : RB_RIGHT(e, by_place);
	}
	return found;
}

bool dir_next(struct inode *dir, uint64_t place, struct listed *out)
{
	struct entry *e;

	if (dir->dir.ops)
		return dir->dir.ops->next(dir, place, out);
	e = entry_from(dir, place);
	if (!e)
		return false;
	*out = (struct listed){.name = e->name,
			       .length = e->length,
			       .mode = e->inode->mode,
			       .number = e->inode->number,
			       .next = e->place + 1};
	return true;
}

bool dir_is_above(const struct inode *a, const struct inode *b)
{
	while (b && b != a && b->dir.parent != b)
		b = b->dir.parent;
	return b == a;
}

void dir_clear(struct inode *dir)
{
	struct inode *at = dir;

	/* Down to a directory without directories in it, then up again: no recursion, for the tree may be deep. */
	while (at != dir || at->dir.count) {
		struct entry *e = RB_MIN(entries_by_place, &at->dir.places);

		if (!e) {
			e = at->entry;
			at = at->dir.parent;
			dir_remove(e);
		} else if (inode_is(e->inode, S_IFDIR) && !e->inode->dir.ops) {
			at = e->inode;
		} else {
			dir_remove(e);
		}
	}
}
