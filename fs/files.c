/*
 * fs/files.c - tables of descriptors, and where a process is. Owns both; open files are shared.
 *
 *	files { file[], close_on_exec: a bit each }   in the structure for the first 32, then in a block that doubles
 */
#include <fs/file.h>
#include <fs/files.h>
#include <fs/fs.h>
#include <lib/string.h>
#include <mm/slab.h>

#define WORD_BITS 32u

int files_create(struct files **out)
{
	struct files *f = kmalloc(sizeof(*f));

	if (!f)
		return -ENOMEM;
	memset(f, 0, sizeof(*f));
	f->refs = 1;
	f->limit = FILES_LIMIT;
	f->capacity = FILES_INLINE;
	f->file = f->inline_file;
	f->close_on_exec = &f->inline_close_on_exec;
	*out = f;
	return 0;
}

/* Makes room for descriptor fd. 0 or -ENOMEM, nothing changed. */
static int grow(struct files *f, uint32_t fd)
{
	uint32_t capacity = f->capacity;
	struct file **file;
	uint32_t *bits;

	while (capacity <= fd)
		capacity *= 2;
	if (capacity == f->capacity)
		return 0;
	file = kmalloc(capacity * (uint32_t)sizeof(*file) + capacity / 8);
	if (!file)
		return -ENOMEM;

	/* From here nothing fails. */
	bits = (uint32_t *)(file + capacity);
	memset(file, 0, capacity * sizeof(*file) + capacity / 8);
	memcpy(file, f->file, f->capacity * sizeof(*file));
	memcpy(bits, f->close_on_exec, f->capacity / 8);
	if (f->file != f->inline_file)
		kmfree(f->file);
	f->file = file;
	f->close_on_exec = bits;
	f->capacity = capacity;
	return 0;
}

int files_fork(struct files *from, struct files **copy)
{
	struct files *f;
	int err = files_create(&f);

	if (err)
		return err;
	while (from->end && !from->file[from->end - 1])
		from->end--;
	err = from->end ? grow(f, from->end - 1) : 0;
	if (err) {
		files_put(f);
		return err;
	}
	for (uint32_t fd = 0; fd < from->end; fd++) {
		f->file[fd] = from->file[fd];
		if (f->file[fd])
			file_get(f->file[fd]);
	}
	memcpy(f->close_on_exec, from->close_on_exec,
	       (from->end + WORD_BITS - 1) / WORD_BITS * sizeof(uint32_t));
	f->end = from->end;
	f->limit = from->limit;
	f->next = from->next;
	*copy = f;
	return 0;
}

void files_put(struct files *f)
{
	if (--f->refs)
		return;
	for (uint32_t fd = 0; fd < f->end; fd++)
		if (f->file[fd])
			file_put(f->file[fd]);
	if (f->file != f->inline_file)
		kmfree(f->file);
	kmfree(f);
}

void files_close_on_exec(struct files *f)
{
	for (uint32_t fd = 0; fd < f->end; fd++)
		if (f->close_on_exec[fd / WORD_BITS] >> fd % WORD_BITS & 1)
			files_close(f, fd);
}

bool files_get_close_on_exec(const struct files *f, uint32_t fd)
{
	return f->close_on_exec[fd / WORD_BITS] >> fd % WORD_BITS & 1;
}

void files_set_close_on_exec(struct files *f, uint32_t fd, bool on)
{
	uint32_t bit = 1u << fd % WORD_BITS;

	f->close_on_exec[fd / WORD_BITS] &= ~bit;
	if (on)
		f->close_on_exec[fd / WORD_BITS] |= bit;
}

static void set(struct files *f, uint32_t fd, struct file *file, bool close_on_exec)
{
	f->file[fd] = file;
	files_set_close_on_exec(f, fd, close_on_exec);
	if (fd >= f->end)
		f->end = fd + 1;
}

int32_t files_room(struct files *f, uint32_t from)
{
	uint32_t fd = from > f->next ? from : f->next;
	int err;

	while (fd < f->capacity && f->file[fd])
		fd++;
	if (fd >= f->limit)
		return -EMFILE;
	err = grow(f, fd);
	return err ? err : (int32_t)fd;
}

int32_t files_install(struct files *f, struct file *file, uint32_t from, bool close_on_exec)
{
	int32_t room = files_room(f, from);
	uint32_t fd = (uint32_t)room;

	if (room < 0)
		return room;
	set(f, fd, file, close_on_exec);
	if (from <= f->next)
		f->next = fd + 1;
	return (int32_t)fd;
}

struct file *files_file(const struct files *f, uint32_t fd)
{
	return fd < f->capacity ? f->file[fd] : NULL;
}

int files_replace(struct files *f, uint32_t fd, struct file *file, bool close_on_exec)
{
	struct file *before;
	int err;

	if (fd >= f->limit)
		return -EBADF;
	err = grow(f, fd);
	if (err)
		return err;
	before = f->file[fd];
	set(f, fd, file, close_on_exec);
	/* Last of all: closing may wake others. */
	if (before)
		file_put(before);
	return 0;
}

int files_close(struct files *f, uint32_t fd)
{
	struct file *file = files_file(f, fd);

	if (!file)
		return -EBADF;
	f->file[fd] = NULL;
	files_set_close_on_exec(f, fd, false);
	if (fd < f->next)
		f->next = fd;
	file_put(file);
	return 0;
}

int fs_context_init(struct fs_context *c)
{
	c->root = c->cwd = fs_root;
	c->umask = 022;
	inode_get(c->root);
	inode_get(c->cwd);
	return 0;
}

void fs_context_copy(struct fs_context *to, const struct fs_context *from)
{
	*to = *from;
	inode_get(to->root);
	inode_get(to->cwd);
}

void fs_context_put(struct fs_context *c)
{
	inode_put(c->cwd);
	inode_put(c->root);
}
