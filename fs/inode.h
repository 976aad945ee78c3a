/*
 * fs/inode.h - files as they are, whether open or not, and the names that directories give them. All of it is in
 * memory: the content of a regular file is its page cache. Lock: none; the kernel's code of processes is not preempted,
 * and nothing here waits.
 */
#ifndef FS_INODE_H
#define FS_INODE_H

#include <bsd/sys/tree.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <mm/mapping.h>

#define FS_DEVICE       1u /* st_dev of the tree, */
#define PROC_DEVICE     2u /* and of /proc */
#define DIR_FIRST_PLACE 2u /* behind "." and ".." */

struct inode;
struct pipe;

/* A name in a directory. It holds a reference on the file. */
struct entry {
	RB_ENTRY(entry) by_name, by_place;
	struct inode *dir, *inode;
	uint64_t place; /* grows with each new name: what getdents goes on from */
	uint32_t length;
	char name[];
};
RB_HEAD(entries_by_name, entry);
RB_HEAD(entries_by_place, entry);

/* One name as getdents tells it; next is the place to go on from. */
struct listed {
	const char *name;
	uint32_t length, mode;
	uint32_t number;
	uint64_t next;
};

/* A directory whose content is made when it is asked for. */
struct dir_ops {
	/* Stores a file with a reference for the caller: 0, -ENOENT or -ENOMEM. */
	int (*lookup)(struct inode *dir, const char *name, uint32_t length, struct inode **out);
	/* Fills in the first name at or behind a place; false behind the last. */
	bool (*next)(struct inode *dir, uint64_t place, struct listed *out);
};

struct directory {
	struct inode *parent; /* referenced; the root's is itself, without a reference */
	struct entries_by_name names;
	struct entries_by_place places;
	uint64_t next_place;
	uint32_t count;
	const struct dir_ops *ops; /* null: the entries are all */
};

/* In nanoseconds from 1970 on: until 2262. */
struct stamps {
	int64_t access, change, modification, birth;
};

struct file_ops;

struct inode {
	uint32_t refs; /* open files, entries, walks, working directories */
	uint32_t number, device;
	uint32_t mode; /* S_IF..., and permissions */
	uint32_t uid, gid;
	uint32_t links;
	uint32_t writers, runners; /* open files that can write; those that programs run from: never both */
	bool may_be_linked;        /* without a link it may get one: O_TMPFILE */
	uint32_t rdev;             /* of device nodes, as stat tells it */
	struct stamps time;
	struct entry *
		entry; /* one of its names; a directory's only one. Null: it has none, or is the root or made up */
	const struct file_ops *ops; /* of /proc's files; null: by the type */
	union {
		struct mapping mapping; /* S_IFREG */
		struct directory dir;   /* S_IFDIR */
		char *target;           /* S_IFLNK */
		struct pipe *pipe;      /* S_IFIFO, while it is open */
		struct {
			int32_t pid;   /* 0: nobody's */
			uint32_t what; /* enum proc_text */
		} text;                /* of /proc's files */
	};
};

static inline bool inode_is(const struct inode *i, uint32_t type)
{
	return (i->mode & S_IFMT) == type;
}

/*
 * Makes a file without a name: one reference, no links, all times now. Directories have no parent yet. Returns null
 * when there is no memory.
 */
struct inode *inode_create(uint32_t mode, uint32_t rdev);

/* The same for a symbolic link. 0, -ENOENT (empty), -ENAMETOOLONG or -ENOMEM. */
int inode_create_link(const char *target, struct inode **out);

void inode_get(struct inode *i);

/* Takes a reference back; a file without references and links is freed, its pages when nobody maps them. */
void inode_put(struct inode *i);

/* Returns one of the names of the file whose page cache this is; null where it has none, or this is no file's. */
struct entry *inode_name_of_mapping(const struct mapping *m);

/* Set the times to now. */
void inode_touch(struct inode *i);    /* content and change */
void inode_change(struct inode *i);   /* change alone */
void inode_accessed(struct inode *i); /* where content or change were later; not each day */

/* The entry of a name; null where there is none. Only for directories with entries. */
struct entry *dir_find(struct inode *dir, const char *name, uint32_t length);

/* Stores the file of a name, with a reference. 0, -ENOENT or -ENOMEM (made-up directories only). */
int dir_lookup(struct inode *dir, const char *name, uint32_t length, struct inode **out);

/*
 * Names a file: a link more; a directory gets its parent. The name is free, the directory is there. 0, -ENOENT (it was
 * removed), -EPERM (made-up directory) or -ENOMEM, with nothing changed.
 */
int dir_add(struct inode *dir, const char *name, uint32_t length, struct inode *i);

/* Takes a name away: a link less, an empty directory without parent's entry. Never fails. */
void dir_remove(struct entry *e);

/*
 * Gives what e names another name, in any directory; what had that name, null for nothing, loses it. 0 or -ENOMEM, with
 * nothing changed.
 */
struct new_name {
	struct inode *dir;
	const char *name;
	uint32_t length;
	struct entry *old;
};
int dir_rename(struct entry *e, const struct new_name *to);

/* Two entries change what they name. */
void dir_exchange(struct entry *a, struct entry *b);

/* The first name at or behind a place; false behind the last. "." and ".." are not among them. */
bool dir_next(struct inode *dir, uint64_t place, struct listed *out);

/* True when a is b or lies above it. */
bool dir_is_above(const struct inode *a, const struct inode *b);

/* Removes all that lies below. */
void dir_clear(struct inode *dir);

/* True for a directory that was removed. */
static inline bool dir_is_dead(const struct inode *dir)
{
	return !dir->links;
}

/* Makes the cache; once, before the first file. */
void inode_init(void);

/* How many there are. */
uint32_t inode_count(void);

/* Proves the cache sound, and tells how many of its frames are in use. */
unsigned inode_check(void);

#endif
