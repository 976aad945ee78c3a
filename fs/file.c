/*
 * fs/file.c - open files, and what reading and writing ask before the kind of file matters. Owns the cache of open
 * files.
 */
#include <asm/poll.h>
#include <fs/file.h>
#include <fs/up.h>
#include <lib/string.h>
#include <mm/slab.h>

/* What a read gets before others may run; and what shares a position gets in one go. */
#define READ_PIECE (1u << 20)

static struct cache files;

/* What a descriptor of O_PATH has besides. */
#define PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW)

void file_init(void)
{
	cache_init(&files, "file", sizeof(struct file));
}

uint32_t file_count(void)
{
	return files.used;
}

bool file_can_read(const struct file *f)
{
	return !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != O_WRONLY;
}

bool file_can_write(const struct file *f)
{
	uint32_t how = f->flags & O_ACCMODE;

	return !(f->flags & O_PATH) && (how == O_WRONLY || how == O_RDWR);
}

/* Nothing can be done with it: O_PATH. */
static const struct file_ops path_ops = {.open = NULL};

/* What can be done with it stands in calls of its own. */
const struct file_ops directory_ops = {.open = NULL};

static const struct file_ops *ops_of(const struct inode *i, uint32_t flags)
{
	if (flags & O_PATH)
		return &path_ops;
	if (i->ops)
		return i->ops;
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		return &regular_ops;
	case S_IFDIR:
		return &directory_ops;
	case S_IFCHR:
		return device_ops(i->rdev);
	case S_IFIFO:
		return &fifo_ops;
	default: /* a block device, a socket, a symbolic link: nobody is behind them */
		return NULL;
	}
}

int file_create(struct inode *i, uint32_t flags, struct file **out)
{
	const struct file_ops *ops = ops_of(i, flags);
	struct file *f;
	int err;

	if (!ops)
		return -ENXIO;
	f = cache_alloc(&files);
	if (!f)
		return -ENOMEM;
	*f = (struct file){.refs = 1, .flags = flags & ~FILE_FLAGS_OF_OPEN, .inode = i, .ops = ops};
	if (flags & O_PATH)
		f->flags = flags & PATH_FLAGS;
	inode_get(i);
	err = file_can_write(f) && i->runners ? -ETXTBSY : ops->open ? ops->open(f) : 0;
	if (err) {
		inode_put(i);
		cache_free(&files, f);
		return err;
	}
	i->writers += file_can_write(f);
	*out = f;
	return 0;
}

int file_runs(struct file *f)
{
	if (f->inode->writers || f->inode->mapping.writers)
		return -ETXTBSY;
	f->runs = true;
	f->inode->runners++;
	return 0;
}

void file_put(struct file *f)
{
	if (--f->refs)
		return;
	f->inode->writers -= file_can_write(f);
	f->inode->runners -= f->runs;
	if (f->ops->close)
		f->ops->close(f);
	inode_put(f->inode);
	kmfree(f->text);
	cache_free(&files, f);
}

struct mapping *file_mapping(struct file *f)
{
	return f->ops == &regular_ops ? &f->inode->mapping : NULL;
}

int32_t file_pread_kernel(struct file *f, void *to, uint32_t n, uint64_t at)
{
	if (f->ops == &directory_ops)
		return -EISDIR;
	if (f->ops != &regular_ops)
		return -EINVAL;
	return mapping_read(&f->inode->mapping, at, to, n);
}

uint32_t file_poll(struct file *f)
{
	return f->ops->poll ? f->ops->poll(f) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

/* True when a transfer lies where a file can have bytes. */
static bool place_ok(const struct file *f, const struct uio *u, uint64_t at)
{
	return f->ops->is_stream || (at <= FILE_SIZE_MOST && u->left <= FILE_SIZE_MOST - at);
}

/* A read may be long where little memory is: holes, zeros, one page over and over. */
static int32_t read_by_pieces(struct file *f, struct uio *u, uint64_t at)
{
	uint32_t left = u->left, done = 0, part;
	int32_t got;

	do {
		part = u->left = left - done < READ_PIECE ? left - done : READ_PIECE;
		got = f->ops->read(f, u, at + done);
		done += got > 0 ? (uint32_t)got : 0;
	} while (got > 0 && (uint32_t)got == part && done < left && !current_pause());
	u->left = left - done;
	return done ? (int32_t)done : got;
}

int32_t file_read(struct file *f, struct uio *u, uint64_t at)
{
	int32_t done;

	if (f->ops == &directory_ops)
		return -EISDIR;
	if (!f->ops->read || !place_ok(f, u, at))
		return -EINVAL;
	/* It may wait, and who shares the descriptors may close it meanwhile. */
	file_get(f);
	done = f->ops->is_stream ? f->ops->read(f, u, at) : read_by_pieces(f, u, at);
	file_put(f);
	return done;
}

/* Who appends does so wherever he says. */
static uint64_t write_place(const struct file *f, uint64_t at)
{
	return f->flags & O_APPEND && f->ops == &regular_ops ? f->inode->mapping.size : at;
}

int32_t file_write(struct file *f, struct uio *u, uint64_t at)
{
	int32_t done;

	if (!f->ops->write || !place_ok(f, u, at))
		return -EINVAL;
	file_get(f);
	done = f->ops->write(f, u, write_place(f, at));
	file_put(f);
	return done;
}

int32_t file_read_here(struct file *f, struct uio *u)
{
	int32_t done = file_read(f, u, f->at);

	if (done > 0 && !f->ops->is_stream)
		f->at += (uint32_t)done;
	return done;
}

int32_t file_write_here(struct file *f, struct uio *u)
{
	uint64_t at = write_place(f, f->at);
	int32_t done = file_write(f, u, at);

	if (done > 0 && !f->ops->is_stream)
		f->at = at + (uint32_t)done;
	return done;
}
