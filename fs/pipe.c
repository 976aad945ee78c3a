/*
 * fs/pipe.c - pipes and named pipes. Owns what is in them: 16 pages at most, taken when bytes come to stand in them.
 *
 *	page 0   1   2 ...       bytes first..first + filled, around the end of the last page to the first
 *
 * An emptied pipe begins at page 0 again and keeps that one, so small messages take no memory.
 */
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/signal.h>
#include <fs/pipe.h>
#include <fs/up.h>
#include <kernel/signal.h>
#include <kernel/syscall.h>
#include <kernel/wait.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <mm/usercopy.h>

#define PIPE_PAGES (PIPE_SIZE / PAGE_SIZE)

struct pipe {
	uint32_t readers, writers;
	uint32_t reader_opens, writer_opens; /* so far: who opens a named pipe waits for the other side's */
	uint32_t first, filled;
	uint8_t *page[PIPE_PAGES];
	struct wait_queue readable, writable;
};

struct wait_queue poll_queue = WAIT_QUEUE_INIT(poll_queue);

/* Most of the time nobody sleeps. */
static void wake(struct wait_queue *q)
{
	if (TAILQ_FIRST(&q->sleepers))
		wake_all(q);
}

static void wake_side(struct wait_queue *q)
{
	wake(q);
	wake(&poll_queue);
}

uint32_t pipe_filled(const struct pipe *p)
{
	return p->filled;
}

/* The pipe of an inode; null when there is no memory for it. */
static struct pipe *pipe_of(struct inode *i)
{
	struct pipe *p = i->pipe;

	if (p)
		return p;
	p = kmalloc(sizeof(*p));
	if (p) {
		memset(p, 0, sizeof(*p));
		wait_queue_init(&p->readable);
		wait_queue_init(&p->writable);
		i->pipe = p;
	}
	return p;
}

static void add_ends(struct file *f, uint32_t *readers, uint32_t *writers, uint32_t n)
{
	if (file_can_read(f))
		*readers += n;
	if (file_can_write(f))
		*writers += n;
}

/* Opens an end of a pipe without a name, or the first part of opening a named one. */
static int open_end(struct file *f)
{
	struct pipe *p = pipe_of(f->inode);

	if (!p)
		return -ENOMEM;
	f->pipe = p;
	add_ends(f, &p->readers, &p->writers, 1);
	add_ends(f, &p->reader_opens, &p->writer_opens, 1);
	return 0;
}

static void close_end(struct file *f)
{
	struct pipe *p = f->pipe;

	add_ends(f, &p->readers, &p->writers, UINT32_MAX);
	wake_side(&p->readable);
	wake(&p->writable);
	if (p->readers || p->writers)
		return;
	for (uint32_t i = 0; i < PIPE_PAGES; i++)
		if (p->page[i])
			kfree(p->page[i]);
	f->inode->pipe = NULL;
	kmfree(p);
}

/* Waits until the other side was opened once more; -ERESTARTSYS with a signal. */
static int wait_for_open(struct wait_queue *q, const uint32_t *opens)
{
	uint32_t before = *opens;
	int err = 0;

	while (*opens == before && !err)
		err = wait_on(q);
	return *opens == before ? -ERESTARTSYS : 0;
}

/* fifo(7): opening one side waits for the other. */
static int open_fifo(struct file *f)
{
	bool reads = file_can_read(f), writes = file_can_write(f), waits = !(f->flags & O_NONBLOCK);
	struct pipe *p;
	int err;

	if (writes && !reads && !waits && !(f->inode->pipe && f->inode->pipe->readers))
		return -ENXIO;
	err = open_end(f);
	if (err)
		return err;
	p = f->pipe;
	wake_side(&p->readable);
	wake(&p->writable);
	if (reads && !writes && waits && !p->writers)
		err = wait_for_open(&p->readable, &p->writer_opens);
	else if (writes && !reads && !p->readers)
		err = wait_for_open(&p->writable, &p->reader_opens);
	if (err)
		close_end(f);
	return err;
}

int pipe_create(uint32_t flags, struct file *end[2])
{
	struct inode *i = inode_create(S_IFIFO | 0600, 0);
	int err;

	if (!i)
		return -ENOMEM;
	i->ops = &pipe_ops;
	current_owner(&i->uid, &i->gid);
	err = file_create(i, O_RDONLY | flags, &end[0]);
	if (!err) {
		err = file_create(i, O_WRONLY | flags, &end[1]);
		if (err)
			file_put(end[0]);
	}
	inode_put(i);
	return err;
}

/* The bytes from a place on that lie in one page, n at most. */
static uint32_t run_at(uint32_t at, uint32_t n)
{
	uint32_t left = PAGE_SIZE - at % PAGE_SIZE;

	return n < left ? n : left;
}

/* Takes n bytes out, which lie in one page. */
static void consume(struct pipe *p, uint32_t n)
{
	uint32_t page = p->first / PAGE_SIZE;

	p->first = (p->first + n) % PIPE_SIZE;
	p->filled -= n;
	if (!p->filled) {
		p->first = 0;
		if (page && p->page[0])
			kfree(p->page[page]);
		else
			p->page[0] = p->page[page];
		if (page)
			p->page[page] = NULL;
	} else if (p->first % PAGE_SIZE == 0 && (p->first + p->filled - 1) % PIPE_SIZE / PAGE_SIZE != page) {
		/* The last bytes of a full pipe stand in front of the first, in the same page. */
		kfree(p->page[page]);
		p->page[page] = NULL;
	}
}

/* Reads what is there. Bytes of which not all could be copied stay: those of a page go together. */
static int32_t drain(struct pipe *p, struct uio *u)
{
	uint32_t done = 0;

	while (u->left && p->filled) {
		uint32_t n = run_at(p->first, u->left < p->filled ? u->left : p->filled);

		if (uio_to_user(u, p->page[p->first / PAGE_SIZE] + p->first % PAGE_SIZE, n) < n)
			return done ? (int32_t)done : -EFAULT;
		consume(p, n);
		done += n;
	}
	return (int32_t)done;
}

static int32_t read_pipe(struct file *f, struct uio *u, uint64_t at)
{
	struct pipe *p = f->pipe;
	int32_t done;
	int err = 0;

	(void)at;
	if (!u->left)
		return 0;
	while (!p->filled) {
		if (!p->writers)
			return 0;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (err)
			return -ERESTARTSYS;
		err = wait_on(&p->readable);
	}
	done = drain(p, u);
	wake_side(&p->writable);
	return done;
}

/* Makes the page that n more bytes lack: as n is PIPE_BUF at most, there is no more than one. False: no memory. */
static bool make_pages(struct pipe *p, uint32_t n)
{
	uint32_t begin = p->first + p->filled;

	for (uint32_t at = begin; at < begin + n; at += run_at(at, n)) {
		uint8_t **page = &p->page[at % PIPE_SIZE / PAGE_SIZE];

		if (!*page)
			*page = kalloc();
		if (!*page)
			return false;
	}
	return true;
}

/* Gives back the pages behind what is filled. */
static void drop_pages(struct pipe *p)
{
	uint32_t begin = p->first / PAGE_SIZE,
		 used = (p->first % PAGE_SIZE + p->filled + PAGE_SIZE - 1) / PAGE_SIZE;

	for (uint32_t i = used; i < PIPE_PAGES; i++) {
		uint32_t page = (begin + i) % PIPE_PAGES;

		if (p->page[page] && (page || p->filled))
			kfree(p->page[page]);
		if (page || p->filled)
			p->page[page] = NULL;
	}
}

/* Adds n bytes, for which there is room: all of them or none. n, -EFAULT or -ENOMEM. */
static int32_t add(struct pipe *p, struct uio *u, uint32_t n)
{
	uint32_t done = 0;

	if (!make_pages(p, n))
		return -ENOMEM;
	while (done < n) {
		uint32_t at = (p->first + p->filled + done) % PIPE_SIZE, run = run_at(at, n - done);

		if (uio_from_user(u, p->page[at / PAGE_SIZE] + at % PAGE_SIZE, run) < run) {
			drop_pages(p);
			return -EFAULT;
		}
		done += run;
	}
	p->filled += n;
	return (int32_t)n;
}

/* Waits for room for n bytes: 0, -EPIPE, -EAGAIN or -ERESTARTSYS. */
static int wait_for_room(struct file *f, uint32_t n)
{
	struct pipe *p = f->pipe;
	int err = 0;

	while (p->readers && PIPE_SIZE - p->filled < n) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (err)
			return -ERESTARTSYS;
		err = wait_on(&p->writable);
	}
	if (p->readers)
		return 0;
	signal_current(SIGPIPE);
	return -EPIPE;
}

static int32_t write_pipe(struct file *f, struct uio *u, uint64_t at)
{
	struct pipe *p = f->pipe;
	uint32_t whole = u->left <= PIPE_BUF ? u->left : 1, done = 0;
	int32_t result = 0;

	(void)at;
	while (u->left) {
		uint32_t room, n;

		result = wait_for_room(f, whole);
		if (result)
			break;
		room = PIPE_SIZE - p->filled;
		/* What need not stay whole goes a page at a time: as much as there is memory for. */
		n = whole > 1 ? u->left : run_at(p->first + p->filled, u->left < room ? u->left : room);
		result = add(p, u, n);
		if (result < 0)
			break;
		done += n;
		wake_side(&p->readable);
	}
	return done ? (int32_t)done : result;
}

static uint32_t poll_pipe(struct file *f)
{
	const struct pipe *p = f->pipe;
	uint32_t events = 0;

	if (file_can_read(f)) {
		if (p->filled)
			events |= POLLIN | POLLRDNORM;
		if (!p->writers && p->writer_opens)
			events |= POLLHUP;
	}
	if (file_can_write(f)) {
		if (PIPE_SIZE - p->filled >= PIPE_BUF)
			events |= POLLOUT | POLLWRNORM;
		if (!p->readers)
			events |= POLLERR;
	}
	return events;
}

static int32_t ioctl_pipe(struct file *f, uint32_t request, vaddr_t argument)
{
	uint32_t filled = f->pipe->filled;

	if (request != FIONREAD)
		return -ENOTTY;
	return copy_to_user(argument, &filled, sizeof(filled));
}

const struct file_ops pipe_ops = {
	.open = open_end,
	.close = close_end,
	.read = read_pipe,
	.write = write_pipe,
	.ioctl = ioctl_pipe,
	.poll = poll_pipe,
	.is_stream = true,
};

const struct file_ops fifo_ops = {
	.open = open_fifo,
	.close = close_end,
	.read = read_pipe,
	.write = write_pipe,
	.ioctl = ioctl_pipe,
	.poll = poll_pipe,
	.is_stream = true,
};
