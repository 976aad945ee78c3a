/*
 * fs/regular.c - the content of regular files: their page cache, read and written a page at a time. Frames of high
 * memory go by way of a small buffer on the stack.
 */
#include <arch/frame_access.h>
#include <asm/signal.h>
#include <fs/file.h>
#include <fs/up.h>
#include <kernel/signal.h>
#include <lib/string.h>

#define BOUNCE 512u

/* The part of a transfer that lies in one page. */
struct piece {
	uint32_t index, offset, length;
};

static struct piece piece_at(uint64_t at, uint32_t left)
{
	struct piece p = {(uint32_t)(at >> PAGE_SHIFT), (uint32_t)at % PAGE_SIZE, 0};

	p.length = left < PAGE_SIZE - p.offset ? left : PAGE_SIZE - p.offset;
	return p;
}

static uint32_t frame_to_user(struct uio *u, pfn_t f, const struct piece *p)
{
	uint8_t bounce[BOUNCE];
	uint32_t done = 0;

	if (arch_frame_is_direct(f))
		return uio_to_user(u, (char *)arch_frame_direct(f) + p->offset, p->length);
	while (done < p->length) {
		uint32_t n = p->length - done < BOUNCE ? p->length - done : BOUNCE;
		uint32_t copied;

		arch_frame_read(f, p->offset + done, bounce, n);
		copied = uio_to_user(u, bounce, n);
		done += copied;
		if (copied < n)
			break;
	}
	return done;
}

static uint32_t frame_from_user(struct uio *u, pfn_t f, const struct piece *p)
{
	uint8_t bounce[BOUNCE];
	uint32_t done = 0;

	if (arch_frame_is_direct(f))
		return uio_from_user(u, (char *)arch_frame_direct(f) + p->offset, p->length);
	while (done < p->length) {
		uint32_t n = p->length - done < BOUNCE ? p->length - done : BOUNCE;
		uint32_t copied = uio_from_user(u, bounce, n);

		arch_frame_write(f, p->offset + done, bounce, copied);
		done += copied;
		if (copied < n)
			break;
	}
	return done;
}

static int32_t read_regular(struct file *f, struct uio *u, uint64_t at)
{
	struct mapping *m = &f->inode->mapping;
	uint32_t done = 0, n = u->left;

	if (at >= m->size || !n)
		return 0;
	if (n > m->size - at)
		n = (uint32_t)(m->size - at);
	while (done < n) {
		struct piece p = piece_at(at + done, n - done);
		uint32_t copied;
		pfn_t frame;

		mapping_page(m, p.index, false, &frame);
		copied = frame.n ? frame_to_user(u, frame, &p) : uio_zero(u, p.length);
		done += copied;
		if (copied < p.length)
			break;
	}
	if (!(f->flags & O_NOATIME))
		inode_accessed(f->inode);
	return done ? (int32_t)done : -EFAULT;
}

/* Files leave one part in so many of their container to programs, whose faults end them where there is nothing. */
#define LEFT_TO_PROGRAMS 32u

static bool has_room(const struct mapping *m)
{
	uint32_t quota = 0, used = 0;

	container_get_quota(m->payer, &quota);
	container_get_usage(m->payer, &used);
	return quota - used > quota / LEFT_TO_PROGRAMS;
}

/* A page for a hole. A file that holds no more is full, be it for a quota or for memory that is gone. */
static int fill_hole(struct mapping *m, uint32_t index, pfn_t *out)
{
	int err = has_room(m) ? mapping_page(m, index, true, out) : -ENOSPC;

	return err == -EDQUOT || err == -ESRCH ? -ENOSPC : err;
}

/* Writes a part of one page; bytes, fewer at a bad address, or an error with nothing changed. */
static int32_t write_piece(struct mapping *m, struct uio *u, uint64_t at, const struct piece *p)
{
	uint32_t copied;
	pfn_t frame;
	bool hole;
	int err;

	mapping_page(m, p->index, false, &frame);
	hole = !frame.n;
	err = hole ? fill_hole(m, p->index, &frame) : 0;
	if (err)
		return err;
	copied = frame_from_user(u, frame, p);
	if (!copied && hole)
		mapping_punch(m, p->index, 1);
	if (at + copied > m->size)
		m->size = at + copied;
	return (int32_t)copied;
}

/* As much as may be written at a place: 0 where it is too far out, and a signal where that is the process's limit. */
static uint32_t writable(const struct file *f, uint64_t at, uint32_t n)
{
	uint64_t most = f->flags & O_LARGEFILE ? MAPPING_SIZE_MAX : FILE_SMALL_MOST;
	uint64_t limit = current_size_limit();

	if (at >= limit)
		signal_current(SIGXFSZ);
	if (most > limit)
		most = limit;
	if (at >= most)
		return 0;
	return n < most - at ? n : (uint32_t)(most - at);
}

/* Writes n bytes, page by page; bytes or an error. */
static int32_t write_pages(struct mapping *m, struct uio *u, uint64_t at, uint32_t n)
{
	uint32_t done = 0;

	while (done < n) {
		struct piece p = piece_at(at + done, n - done);
		int32_t copied = write_piece(m, u, at + done, &p);

		if (copied < 0 && !done)
			return copied;
		if (copied > 0)
			done += (uint32_t)copied;
		if (copied < (int32_t)p.length)
			break;
	}
	return done ? (int32_t)done : -EFAULT;
}

static int32_t write_regular(struct file *f, struct uio *u, uint64_t at)
{
	struct mapping *m = &f->inode->mapping;
	uint64_t before = m->size;
	int32_t done;
	uint32_t n;

	if (!u->left)
		return 0;
	n = writable(f, at, u->left);
	if (!n)
		return -EFBIG;
	/* What a mapping left behind the end must not come to stand in the file: so the gap first, then the bytes. */
	if (at > before)
		mapping_truncate(m, at);
	done = write_pages(m, u, at, n);
	if (done > 0)
		inode_touch(f->inode);
	else if (at > before)
		mapping_truncate(m, before);
	return done;
}

/* 0, or -EFBIG and a signal where the process's limit forbids that a file becomes as long. */
static int check_growth(const struct inode *i, uint64_t size)
{
	if (size <= i->mapping.size || size <= current_size_limit())
		return 0;
	signal_current(SIGXFSZ);
	return -EFBIG;
}

int regular_truncate(struct inode *i, uint64_t size)
{
	int err = i->runners ? -ETXTBSY : check_growth(i, size);

	if (!err)
		err = mapping_truncate(&i->mapping, size);
	if (!err)
		inode_touch(i);
	return err;
}

int regular_fill(struct inode *i, uint64_t at, uint64_t end, bool grow)
{
	struct mapping *m = &i->mapping;
	uint64_t before = m->size;
	int err = end > MAPPING_SIZE_MAX ? -EFBIG : check_growth(i, end);

	if (err)
		return err;
	for (uint64_t page = at >> PAGE_SHIFT; page << PAGE_SHIFT < end; page++) {
		pfn_t frame;

		err = mapping_page(m, (uint32_t)page, false, &frame);
		if (!frame.n)
			err = fill_hole(m, (uint32_t)page, &frame);
		if (err) {
			/* What lies behind the end goes again. */
			mapping_truncate(m, end > before ? end : before);
			mapping_truncate(m, before);
			return err;
		}
	}
	if (grow && end > before)
		mapping_truncate(m, end);
	inode_change(i);
	return 0;
}

void regular_punch(struct inode *i, uint64_t at, uint64_t end)
{
	struct mapping *m = &i->mapping;
	uint64_t first = (at + PAGE_SIZE - 1) >> PAGE_SHIFT, last;

	/* Behind the end there is nothing but the rest of the last page, which is zeros already. */
	if (end > m->size)
		end = (m->size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	if (at >= end)
		return;
	last = end >> PAGE_SHIFT;
	if (first > last) {
		mapping_zero(m, at, (uint32_t)(end - at));
	} else {
		mapping_zero(m, at, (uint32_t)((first << PAGE_SHIFT) - at));
		mapping_punch(m, (uint32_t)first, (uint32_t)(last - first));
		mapping_zero(m, last << PAGE_SHIFT, (uint32_t)end % PAGE_SIZE);
	}
	inode_touch(i);
}

const struct file_ops regular_ops = {.read = read_regular, .write = write_regular};
