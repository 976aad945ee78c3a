/*
 * fs/call_list.c - getdents in both shapes. A directory's position: 0 and 1 are "." and "..", then the places of names.
 * No UAPI header has the records; they are getdents(2)'s.
 */
#include <fs/call.h>
#include <lib/string.h>
#include <linux/limits.h>
#include <mm/usercopy.h>

#define RECORD_MOST 288u /* of the longest name */

/* Where the records go. */
struct listing {
	vaddr_t out;
	uint32_t left;
	bool wide;
};

/* Makes a record in bytes[]; returns its length. */
static uint32_t make_wide(const struct listed *l, uint8_t *bytes)
{
	struct {
		uint64_t ino;
		uint64_t off;
		uint16_t length;
		uint8_t type;
	} __attribute__((packed)) head = {l->number, l->next, 0, (uint8_t)(l->mode >> 12)};

	head.length = (uint16_t)((sizeof(head) + l->length + 1 + 7) & ~7u);
	memset(bytes, 0, head.length);
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), l->name, l->length);
	return head.length;
}

/* The old one has the type in its last byte. */
static uint32_t make_narrow(const struct listed *l, uint8_t *bytes)
{
	struct {
		uint32_t ino;
		uint32_t off;
		uint16_t length;
	} __attribute__((packed)) head = {l->number, (uint32_t)l->next, 0};

	head.length = (uint16_t)((sizeof(head) + l->length + 2 + 3) & ~3u);
	memset(bytes, 0, head.length);
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), l->name, l->length);
	bytes[head.length - 1] = (uint8_t)(l->mode >> 12);
	return head.length;
}

/* What stands at a position; false behind the last. */
static bool next(struct inode *dir, uint64_t at, struct listed *out)
{
	if (at > 1)
		return dir_next(dir, at, out);
	*out = (struct listed){"..", (uint32_t)at + 1, S_IFDIR, at ? dir->dir.parent->number : dir->number,
			       at + 1};
	return true;
}

/* Writes records while there are names and room. Bytes or -errno. */
static int32_t list(struct file *file, struct listing *to)
{
	uint8_t record[RECORD_MOST];
	uint32_t done = 0;
	struct listed l;

	while (next(file->inode, file->at, &l)) {
		uint32_t length = to->wide ? make_wide(&l, record) : make_narrow(&l, record);

		if (length > to->left - done)
			return done ? (int32_t)done : -EINVAL;
		if (copy_to_user(to->out + done, record, length))
			return done ? (int32_t)done : -EFAULT;
		done += length;
		file->at = l.next;
	}
	return (int32_t)done;
}

static int32_t get(struct trap_frame *f, bool wide)
{
	struct file *file = call_file(ARG1(f));
	struct listing to = {ARG2(f), ARG3(f), wide};

	if (!file)
		return -EBADF;
	if (file->ops != &directory_ops)
		return -ENOTDIR;
	if (dir_is_dead(file->inode))
		return -ENOENT;
	inode_accessed(file->inode);
	return list(file, &to);
}

int32_t sys_getdents(struct trap_frame *f)
{
	return get(f, false);
}

int32_t sys_getdents64(struct trap_frame *f)
{
	return get(f, true);
}
