/* tests/ktest/pipe_test.c - pipes without waiting: what goes in comes out, in order, and pages go with it. */
#include "fs_tree.h"

#include <asm/poll.h>
#include <fs/pipe.h>
#include <mm/frame.h>
#include <tests/ktest/machine.h>

static struct fs_context fs;
static struct file *end[2];
static uint8_t *block; /* two pages */

KTEST_SETUP(pipe)
{
	tree_begin(&fs);
	block = kalloc_block(1);
	INVARIANT(block);
	EXPECT_EQ(pipe_create(O_NONBLOCK, end), 0);
}

KTEST_TEARDOWN(pipe)
{
	machine_fail_after(-1);
	for (unsigned i = 0; i < 2; i++)
		if (end[i])
			file_put(end[i]);
	kfree_block(block);
	tree_end(&fs);
}

static int32_t put(uint32_t n)
{
	struct uio u = {.kernel = (char *)block, .left = n};

	return file_write_here(end[1], &u);
}

static int32_t take(uint32_t n)
{
	struct uio u = {.kernel = (char *)block, .left = n};

	return file_read_here(end[0], &u);
}

KTEST(pipe, an_empty_pipe_has_nothing_yet_and_then_an_end)
{
	EXPECT_EQ(take(1), -EAGAIN);
	EXPECT_EQ(take(0), 0);
	EXPECT_EQ(put(3), 3);
	EXPECT_EQ(file_poll(end[0]), POLLIN | POLLRDNORM);
	file_put(end[1]);
	end[1] = NULL;
	EXPECT_EQ(take(10), 3);
	EXPECT_EQ(take(10), 0);
	EXPECT_EQ(file_poll(end[0]), POLLHUP);
}

KTEST(pipe, it_holds_64_kib_and_no_more)
{
	uint32_t filled = 0;

	while (put(2 * PAGE_SIZE) > 0)
		filled += 2 * PAGE_SIZE;
	EXPECT_EQ(filled, PIPE_SIZE);
	EXPECT_EQ(pipe_filled(end[0]->pipe), PIPE_SIZE);
	EXPECT_EQ(put(1), -EAGAIN);
	EXPECT_EQ(file_poll(end[1]), 0);
	EXPECT_EQ(take(1), 1);
	EXPECT_EQ(put(2), -EAGAIN); /* not torn */
	EXPECT_EQ(file_poll(end[1]), 0);
	EXPECT_EQ(put(2 * PAGE_SIZE), 1);
	EXPECT_EQ(take(PIPE_BUF), PIPE_BUF);
	EXPECT_EQ(file_poll(end[1]), POLLOUT | POLLWRNORM);
	EXPECT_EQ(put(PIPE_BUF), PIPE_BUF);
}

KTEST(pipe, an_emptied_pipe_keeps_one_page)
{
	uint32_t before = machine_frames_used();

	for (unsigned i = 0; i < 100; i++) {
		EXPECT_EQ(put(5000), 5000);
		EXPECT_EQ(put(5000), 5000);
		EXPECT(machine_frames_used() <= before + 4);
		EXPECT_EQ(take(8000), 8000);
		EXPECT_EQ(take(8000), 2000);
		EXPECT_EQ(machine_frames_used(), before + 1);
	}
}

KTEST(pipe, bytes_keep_their_order)
{
	uint32_t in = 0, out = 0;

	for (unsigned i = 0; i < 3000; i++) {
		uint32_t n = 1 + ktest_random_below(ktest_random_below(4) ? 100 : 2 * PAGE_SIZE);
		int32_t done;

		if (ktest_random_below(2)) {
			for (uint32_t k = 0; k < n; k++)
				block[k] = (uint8_t)((in + k) * 37 >> 3);
			done = put(n);
			EXPECT_EQ(done < 0, PIPE_SIZE - (in - out) < (n <= PIPE_BUF ? n : 1));
			in += done > 0 ? (uint32_t)done : 0;
		} else {
			done = take(n);
			for (int32_t k = 0; k < done; k++)
				ASSERT_EQ(block[k], (uint8_t)((out + (uint32_t)k) * 37 >> 3));
			EXPECT_EQ(done, in == out ? -EAGAIN : (int32_t)(n < in - out ? n : in - out));
			out += done > 0 ? (uint32_t)done : 0;
		}
		ASSERT_EQ(pipe_filled(end[0]->pipe), in - out);
	}
}

KTEST(pipe, failing_allocations_tear_nothing)
{
	uint32_t before = machine_frames_used();
	struct file *other[2];
	int err = -ENOMEM;

	machine_fail_after(0);
	EXPECT_EQ(put(1), -ENOMEM);
	EXPECT_EQ(pipe_filled(end[0]->pipe), 0);
	machine_fail_after(-1);
	EXPECT_EQ(put(4000), 4000);
	machine_fail_after(0);
	EXPECT_EQ(put(97), -ENOMEM);
	EXPECT_EQ(put(96), 96);
	EXPECT_EQ(put(2 * PAGE_SIZE), -ENOMEM);
	machine_fail_after(1);
	EXPECT_EQ(put(2 * PAGE_SIZE), PAGE_SIZE);
	machine_fail_after(-1);
	EXPECT_EQ(machine_frames_used(), before + 2);
	for (int32_t left = 0; err; left++) {
		machine_fail_after(left);
		err = pipe_create(0, other);
		machine_fail_after(-1);
		if (err)
			EXPECT_EQ(err, -ENOMEM);
	}
	file_put(other[0]);
	file_put(other[1]);
	EXPECT_EQ(machine_frames_used(), before + 2);
}

KTEST(pipe, named_pipes_are_pipes)
{
	struct where where = {fs.root, "/tmp/fifo"};
	struct file *reader, *writer;
	char got[8];

	EXPECT_EQ(names_make(&fs, &where, S_IFIFO | 0600, 0), 0);
	EXPECT_EQ(fs_open_kernel(&fs, "/tmp/fifo", O_WRONLY | O_NONBLOCK, &writer), -ENXIO);
	EXPECT_EQ(fs_open_kernel(&fs, "/tmp/fifo", O_RDONLY | O_NONBLOCK, &reader), 0);
	EXPECT_EQ(file_poll(reader), 0); /* nobody has written yet: no end either */
	EXPECT_EQ(read_text(reader, got, 8), 0);
	EXPECT_EQ(fs_open_kernel(&fs, "/tmp/fifo", O_WRONLY, &writer), 0);
	EXPECT_EQ(write_text(writer, "through"), 7);
	EXPECT_EQ(read_text(reader, got, 8), 7);
	EXPECT_EQ(read_text(reader, got, 8), -EAGAIN);
	file_put(writer);
	file_put(reader);
	EXPECT_EQ(fs_open_kernel(&fs, "/tmp/fifo", O_RDWR, &reader), 0);
	EXPECT_EQ(write_text(reader, "self"), 4);
	file_put(reader);
	EXPECT(!find(&fs, "/tmp/fifo")->pipe);
}
