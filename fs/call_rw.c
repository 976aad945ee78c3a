/* fs/call_rw.c - the calls that move bytes, or the position, of an open file. */
#include <fs/call.h>
#include <linux/fs.h>
#include <linux/uio.h>
#include <mm/slab.h>
#include <mm/usercopy.h>

#define COUNT_MOST 0x7FFFF000u /* as Linux's MAX_RW_COUNT: what one call moves at most */
#define RUNS_FAST  8u          /* of readv and writev, without asking for memory */
#define SEND_CHUNK 1024u

/* A read or a write: who may, at the position, and at a place that the call names. */
struct way {
	bool (*may)(const struct file *f);
	int32_t (*here)(struct file *f, struct uio *u);
	int32_t (*at)(struct file *f, struct uio *u, uint64_t at);
};

static const struct way reading = {file_can_read, file_read_here, file_read};
static const struct way writing = {file_can_write, file_write_here, file_write};

/* The user memory of a transfer. */
struct runs {
	struct user_run fast[RUNS_FAST], *run;
	struct uio uio;
};

static inline void runs_put(struct runs *r)
{
	if (r->run != r->fast)
		kmfree(r->run);
}

/* One run, as read and write have it. */
static inline int run_get(struct runs *r, vaddr_t base, uint32_t length)
{
	if (!user_range_ok(base, length))
		return -EFAULT;
	if (length > INT32_MAX)
		return -EINVAL;
	r->run = r->fast;
	r->fast[0] = (struct user_run){base, length < COUNT_MOST ? length : COUNT_MOST};
	r->uio = UIO(r->run);
	return 0;
}

/* Adds the runs up: what one call moves ends where a sum would not fit. */
static int add_up(struct runs *r, uint32_t count)
{
	r->uio = (struct uio){.run = r->run};
	for (uint32_t i = 0; i < count; i++) {
		struct user_run *run = &r->run[i];

		if (run->length > INT32_MAX)
			return -EINVAL;
		if (!user_range_ok(run->base, run->length))
			return -EFAULT;
		if (run->length > COUNT_MOST - r->uio.left)
			run->length = COUNT_MOST - r->uio.left;
		r->uio.left += run->length;
	}
	return 0;
}

static int runs_get(struct runs *r, vaddr_t vector, uint32_t count)
{
	int err;

	if (count > UIO_MAXIOV)
		return -EINVAL;
	r->run = r->fast;
	if (count > RUNS_FAST)
		r->run = kmalloc(count * (uint32_t)sizeof(*r->run));
	if (!r->run)
		return -ENOMEM;
	err = copy_from_user(r->run, vector, count * (uint32_t)sizeof(*r->run));
	if (!err)
		err = add_up(r, count);
	if (err)
		runs_put(r);
	return err;
}

/* The file of a transfer: 0, or what is wrong with it, or with the place where there is one. */
static inline int check_file(const struct file *file, const struct way *way, const uint64_t *place)
{
	if (place && *place > FILE_SIZE_MOST)
		return -EINVAL;
	if (!file)
		return -EBADF;
	if (place && file->ops->is_stream)
		return -ESPIPE;
	return way->may(file) ? 0 : -EBADF;
}

/* The eight calls: at the position, or at a place; one run, or a vector of them. */
static inline int32_t transfer(struct trap_frame *f, const struct way *way, const uint64_t *place,
			       bool vector)
{
	struct file *file = call_file(ARG1(f));
	struct runs r;
	int32_t done = check_file(file, way, place);

	if (!done)
		done = vector ? runs_get(&r, ARG2(f), ARG3(f)) : run_get(&r, ARG2(f), ARG3(f));
	if (done)
		return done;
	if (!vector || r.uio.left)
		done = place ? way->at(file, &r.uio, *place) : way->here(file, &r.uio);
	if (vector)
		runs_put(&r);
	return done;
}

static int32_t transfer_at(struct trap_frame *f, const struct way *way, bool vector)
{
	uint64_t place = call_wide(ARG4(f), ARG5(f));

	return transfer(f, way, &place, vector);
}

int32_t sys_read(struct trap_frame *f)
{
	return transfer(f, &reading, NULL, false);
}

int32_t sys_write(struct trap_frame *f)
{
	return transfer(f, &writing, NULL, false);
}

int32_t sys_readv(struct trap_frame *f)
{
	return transfer(f, &reading, NULL, true);
}

int32_t sys_writev(struct trap_frame *f)
{
	return transfer(f, &writing, NULL, true);
}

int32_t sys_pread64(struct trap_frame *f)
{
	return transfer_at(f, &reading, false);
}

int32_t sys_pwrite64(struct trap_frame *f)
{
	return transfer_at(f, &writing, false);
}

int32_t sys_preadv(struct trap_frame *f)
{
	return transfer_at(f, &reading, true);
}

int32_t sys_pwritev(struct trap_frame *f)
{
	return transfer_at(f, &writing, true);
}

/* From a regular file to any other, by way of the stack. What could be read and not written is read again. */
static int32_t send(struct file *out, struct file *in, uint64_t *at, uint32_t n)
{
	char chunk[SEND_CHUNK];
	uint32_t done = 0;

	while (done < n) {
		uint32_t want = n - done < SEND_CHUNK ? n - done : SEND_CHUNK;
		struct uio u = {.kernel = chunk};
		int32_t got = mapping_read(&in->inode->mapping, *at, chunk, want), put;

		if (got <= 0)
			break;
		u.left = (uint32_t)got;
		put = file_write_here(out, &u);
		if (put < 0)
			return done ? (int32_t)done : put;
		*at += (uint32_t)put;
		done += (uint32_t)put;
		if (put < got)
			break;
	}
	return (int32_t)done;
}

/* Where no place is given the position of the file read is used, and moves. */
static int32_t send_file(struct trap_frame *f, uint32_t width)
{
	struct file *out = call_file(ARG1(f)), *in = call_file(ARG2(f));
	uint64_t at = 0;
	int32_t done;

	if (!in || !file_can_read(in) || !out || !file_can_write(out))
		return -EBADF;
	if (in->ops != &regular_ops || out->flags & O_APPEND || ARG4(f) > INT32_MAX)
		return -EINVAL;
	if (ARG3(f) && copy_from_user(&at, ARG3(f), width))
		return -EFAULT;
	if (at > (width == sizeof(at) ? FILE_SIZE_MOST : FILE_SMALL_MOST))
		return -EINVAL;
	done = send(out, in, ARG3(f) ? &at : &in->at, ARG4(f) < COUNT_MOST ? ARG4(f) : COUNT_MOST);
	if (ARG3(f) && copy_to_user(ARG3(f), &at, width))
		return -EFAULT;
	return done;
}

int32_t sys_sendfile(struct trap_frame *f)
{
	return send_file(f, sizeof(uint32_t));
}

int32_t sys_sendfile64(struct trap_frame *f)
{
	return send_file(f, sizeof(uint64_t));
}

/* The first place from `at` on that is data, or a hole; behind the end is one. -ENXIO where `at` is not in the file. */
static int64_t find_data(struct mapping *m, uint64_t at, bool data)
{
	uint32_t page = (uint32_t)(at >> PAGE_SHIFT), found;

	if (at >= m->size)
		return -ENXIO;
	found = mapping_next(m, page);
	while (!data && found == page) {
		at = (uint64_t)++page << PAGE_SHIFT;
		found = mapping_next(m, page);
	}
	if (data && found != page)
		at = found == MAPPING_NONE ? m->size : (uint64_t)found << PAGE_SHIFT;
	if (at < m->size)
		return (int64_t)at;
	return data ? -ENXIO : (int64_t)m->size;
}

/* The new position, or an error: all that lseek does but to take it. */
static int64_t seek_to(struct file *file, int64_t offset, uint32_t whence)
{
	bool regular = file->ops == &regular_ops;
	int64_t base = 0;

	if (file->ops->is_stream)
		return -ESPIPE;
	if (inode_is(file->inode, S_IFCHR)) /* no place in a device is another than the first */
		return whence <= SEEK_MAX ? 0 : -EINVAL;
	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = (int64_t)file->at;
		break;
	case SEEK_END:
		if (file->ops == &directory_ops)
			return -EINVAL;
		base = regular ? (int64_t)file->inode->mapping.size : 0;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		if (!regular)
			return -EINVAL;
		return offset < 0 ? -ENXIO
				  : find_data(&file->inode->mapping, (uint64_t)offset, whence == SEEK_DATA);
	default:
		return -EINVAL;
	}
	if (offset > 0 && base > (int64_t)FILE_SIZE_MOST - offset)
		return -EOVERFLOW;
	if (base + offset < 0 || (regular && (uint64_t)(base + offset) > MAPPING_SIZE_MAX))
		return -EINVAL;
	return base + offset;
}

static int64_t seek(uint32_t fd, int64_t offset, uint32_t whence)
{
	struct file *file = call_file(fd);
	int64_t at = file ? seek_to(file, offset, whence) : -EBADF;

	if (at >= 0)
		file->at = (uint64_t)at;
	return at;
}

int32_t sys_lseek(struct trap_frame *f)
{
	int64_t at = seek(ARG1(f), (int32_t)ARG2(f), ARG3(f));

	return at > INT32_MAX ? -EOVERFLOW : (int32_t)at;
}

int32_t sys__llseek(struct trap_frame *f)
{
	int64_t at = seek(ARG1(f), (int64_t)call_wide(ARG3(f), ARG2(f)), ARG5(f));

	if (at < 0)
		return (int32_t)at;
	return copy_to_user(ARG4(f), &at, sizeof(at));
}

/* There is nothing behind the page cache: what is written is as safe as it will ever be. */
int32_t sys_fsync(struct trap_frame *f)
{
	struct file *file = call_file(ARG1(f));

	if (!file)
		return -EBADF;
	return file->ops == &regular_ops || file->ops == &directory_ops ? 0 : -EINVAL;
}

int32_t sys_fdatasync(struct trap_frame *f)
{
	return sys_fsync(f);
}

int32_t sys_sync(struct trap_frame *f)
{
	(void)f;
	return 0;
}
