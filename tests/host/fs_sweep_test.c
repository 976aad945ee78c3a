/*
 * tests/host/fs_sweep_test.c - system calls of fs/ with each of their allocations made to fail in turn: they must say
 * so, change nothing and leak nothing, and succeed when none fails. And calls that wait, until somebody comes.
 */
#include "calls.h"

#include <fs/pipe.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <mm/frame.h>
#include <mm/slab.h>

#define ALLOCATIONS_MOST 20

KTEST_SETUP(fs_sweep)
{
	calls_begin();
	EXPECT_EQ(uopen("/tmp/open", O_CREAT | O_RDWR), 0);
	EXPECT_EQ(uwrite(0, "text"), 4);
	EXPECT_EQ(CALL(sys_pwrite64, 0, U, 1, 40 * PAGE_SIZE, 0), 1);
	EXPECT_EQ(umake("/tmp/file", "content"), 0);
	EXPECT_EQ(CALL(sys_mkdir, ustr("/tmp/dir"), 0755), 0);
	EXPECT_EQ(CALL(sys_symlink, ustr("file"), ustr("/tmp/link")), 0);
}

KTEST_TEARDOWN(fs_sweep)
{
	machine_fail_after(-1);
	calls_end();
}

/* A call, by number of its argument: a path in the texts of the table, or the number as it is. */
static const struct swept {
	const char *name;
	syscall_fn *call;
	const char *path[2]; /* the first two arguments that are not null here are these */
	uint32_t argument[6];
	int32_t other; /* what it may say besides -ENOMEM */
} swept[] = {
	{"open", sys_open, {"/tmp/file"}, {0, O_RDONLY}, 0},
	{"create", sys_open, {"/tmp/a_new_name"}, {0, O_CREAT | O_RDWR, 0644}, 0},
	{"tmpfile", sys_open, {"/tmp"}, {0, O_TMPFILE | O_RDWR, 0644}, 0},
	{"mkdir", sys_mkdir, {"/tmp/a_new_directory"}, {0, 0755}, 0},
	{"mknod", sys_mknod, {"/tmp/a_new_fifo"}, {0, S_IFIFO | 0600}, 0},
	{"link", sys_link, {"/tmp/file", "/tmp/another_name_for_it"}, {0}, 0},
	{"symlink", sys_symlink, {"where/it/leads", "/tmp/another_link"}, {0}, 0},
	{"rename",
	 sys_rename,
	 {"/tmp/file", "/tmp/a_name_that_is_longer_than_the_one_it_had_before"},
	 {0},
	 0},
	{"replace", sys_rename, {"/tmp/file", "/tmp/link"}, {0}, 0},
	{"unlink", sys_unlink, {"/tmp/file"}, {0}, 0},
	{"rmdir", sys_rmdir, {"/tmp/dir"}, {0}, 0},
	{"chdir", sys_chdir, {"/tmp/dir"}, {0}, 0},
	{"truncate", sys_truncate64, {"/tmp/file"}, {0, 3, 0}, 0},
	{"chmod", sys_chmod, {"/tmp/file"}, {0, 0600}, 0},
	{"utimensat", sys_utimensat, {NULL, "/tmp/file"}, {CWD, 0, 0, 0}, 0},
	{"stat64", sys_stat64, {"/tmp/link"}, {0, U}, 0},
	{"readlink", sys_readlink, {"/tmp/link"}, {0, U, 10}, 0},
	{"getcwd", sys_getcwd, {NULL}, {U, 100}, 0},
	{"proc", sys_open, {"/proc/7/maps"}, {0, O_RDONLY}, 0},
	{"self", sys_open, {"/proc/self"}, {0, O_RDONLY}, 0},
	{"pipe", sys_pipe2, {NULL}, {U, 0}, 0},
	{"dup", sys_fcntl64, {NULL}, {0, F_DUPFD, 500}, 0},
	{"dup2", sys_dup2, {NULL}, {0, 900}, 0},
	{"write", sys_pwrite64, {NULL}, {0, U, 100, 9000, 0}, -ENOSPC},
	{"fallocate", sys_fallocate, {NULL}, {0, 0, 41 * PAGE_SIZE, 0, 2 * PAGE_SIZE, 0}, -ENOSPC},
	{"writev", sys_writev, {NULL}, {0, U + 8192, 9}, 0},
	{"poll", sys_poll, {NULL}, {U + 4096, 900, 0}, 0},
};

/* Everything that a failed call could have changed. */
struct state {
	uint32_t frames, objects, files, open;
	struct stat64 dir, file;
	struct stat64 open_file;
};

static struct state state_now(void)
{
	struct state s;

	memset(&s, 0, sizeof(s));
	s.frames = machine_frames_used();
	s.objects = kmalloc_used();
	s.files = inode_count();
	s.open = file_count();
	s.dir = stat_of("/tmp");
	s.file = stat_of("/tmp/file");
	s.open_file = stat_of("/tmp/open");
	s.dir.st_atime_nsec = s.dir.st_atime = 0;
	return s;
}

static int32_t make_call(const struct swept *c)
{
	uint32_t argument[6];

	memcpy(argument, c->argument, sizeof(argument));
	for (unsigned i = 0; i < 2; i++)
		if (c->path[i])
			argument[i] = ustr(c->path[i]);
	return call_with(c->call, argument);
}

static void sweep(const struct swept *c)
{
	int32_t result = -ENOMEM, left;

	for (left = 0; left < ALLOCATIONS_MOST; left++) {
		struct state before = state_now(), after;

		machine_fail_after(left);
		result = make_call(c);
		machine_fail_after(-1);
		if (result >= 0)
			break;
		after = state_now();
		if (result != -ENOMEM && result != c->other)
			ktest_fail("%s without allocation %d: %d", c->name, left, result);
		if (memcmp(&before, &after, sizeof(before)) != 0)
			ktest_fail(
				"%s without allocation %d changed something: frames %u, %u, objects %u, %u",
				c->name, left, before.frames, after.frames, before.objects, after.objects);
	}
	if (result < 0)
		ktest_fail("%s never succeeds: %d", c->name, result);
}

KTEST(fs_sweep, failed_calls_change_nothing)
{
	for (unsigned i = 0; i < ARRAY_SIZE(swept); i++) {
		sweep(&swept[i]);
		ktest_teardown_fs_sweep();
		ktest_setup_fs_sweep();
	}
}

/* A write that memory ends in the middle says how far it came. */
KTEST(fs_sweep, a_long_write_is_as_long_as_there_is_memory_for)
{
	machine_fail_after(2);
	EXPECT_EQ(CALL(sys_pwrite64, 0, U, 10 * PAGE_SIZE, 1 << 20, 0), 2 * PAGE_SIZE);
	machine_fail_after(-1);
	EXPECT_EQ(stat_of("/tmp/open").st_size, (1 << 20) + 2 * PAGE_SIZE);
}

static struct {
	uint32_t calls;
	int32_t result;
} meanwhile;

static bool interrupt(void)
{
	return false;
}

static bool read_half(void)
{
	meanwhile.calls++;
	meanwhile.result = CALL(sys_read, 1, U + 20 * PAGE_SIZE, 3 * PAGE_SIZE);
	return true;
}

static bool write_some(void)
{
	meanwhile.calls++;
	uput(U + 100, "late", 4);
	meanwhile.result = CALL(sys_write, 2, U + 100, 4);
	return true;
}

static bool write_and_interrupt(void)
{
	write_some();
	return false;
}

static bool read_and_interrupt(void)
{
	read_half();
	return false;
}

static bool close_reader(void)
{
	CALL(sys_close, 1);
	return true;
}

KTEST(fs_sweep, writers_wait_for_room_and_readers_for_bytes)
{
	EXPECT_EQ(CALL(sys_pipe, U), 0);
	meanwhile.calls = 0;
	up_meanwhile = write_some;
	EXPECT_EQ(CALL(sys_read, 1, U, 100), 4);
	EXPECT(ueq(U, "late"));
	EXPECT_EQ(meanwhile.calls, 1);
	up_meanwhile = write_and_interrupt;
	EXPECT_EQ(CALL(sys_read, 1, U, 100), 4);
	up_meanwhile = NULL;
	EXPECT_EQ(CALL(sys_write, 2, U, 16 * PAGE_SIZE), PIPE_SIZE);
	meanwhile.calls = 0;
	up_meanwhile = read_half;
	EXPECT_EQ(CALL(sys_write, 2, U, 16 * PAGE_SIZE), 16 * PAGE_SIZE);
	EXPECT_EQ(meanwhile.calls, 6);
	/* A signal in the middle of a write: as much as went in; at its beginning: again. */
	up_meanwhile = interrupt;
	EXPECT_EQ(CALL(sys_write, 2, U, 30 * PAGE_SIZE), 2 * PAGE_SIZE);
	EXPECT_EQ(CALL(sys_write, 2, U, 30 * PAGE_SIZE), -ERESTARTSYS);
	up_meanwhile = read_and_interrupt;
	EXPECT_EQ(CALL(sys_write, 2, U, 3 * PAGE_SIZE), 3 * PAGE_SIZE);
	EXPECT_EQ(up_signals, 0);
	up_meanwhile = close_reader;
	EXPECT_EQ(CALL(sys_write, 2, U, 30 * PAGE_SIZE), -EPIPE);
	EXPECT_EQ(up_signals, 1);
	EXPECT_EQ(CALL(sys_write, 2, U, 1), -EPIPE);
	EXPECT_EQ(up_signals, 2);
	EXPECT_EQ(CALL(sys_write, 2, U, 0), 0);
}

static bool open_other_side(void)
{
	meanwhile.result = uopen("/tmp/fifo", O_WRONLY | O_NONBLOCK);
	return true;
}

static bool open_and_interrupt(void)
{
	open_other_side();
	return false;
}

KTEST(fs_sweep, opening_a_named_pipe_waits_for_the_other_side)
{
	EXPECT_EQ(CALL(sys_mknod, ustr("/tmp/fifo"), S_IFIFO | 0600), 0);
	up_meanwhile = interrupt;
	EXPECT_EQ(uopen("/tmp/fifo", O_RDONLY), -ERESTARTSYS);
	EXPECT_EQ(uopen("/tmp/fifo", O_WRONLY), -ERESTARTSYS);
	up_meanwhile = open_other_side;
	EXPECT_EQ(uopen("/tmp/fifo", O_RDONLY), 2);
	EXPECT_EQ(meanwhile.result, 1);
	EXPECT_EQ(CALL(sys_write, 1, U, 5), 5);
	EXPECT_EQ(CALL(sys_read, 2, U, 50), 5);
	EXPECT_EQ(CALL(sys_lseek, 2, 0, SEEK_CUR), -ESPIPE);
	EXPECT_EQ(CALL(sys_pread64, 2, U, 1, 0, 0), -ESPIPE);
	EXPECT_EQ(CALL(sys_close, 1), 0);
	EXPECT_EQ(CALL(sys_close, 2), 0);
	up_meanwhile = open_and_interrupt;
	EXPECT_EQ(uopen("/tmp/fifo", O_RDONLY), 2);
}

/* A fault in the middle of what stands in one page of a pipe moves nothing of it, nor of a write that is one piece. */
KTEST(fs_sweep, faults_leave_a_pipe_whole)
{
	uint32_t frames;

	EXPECT_EQ(CALL(sys_pipe2, U, O_NONBLOCK), 0);
	EXPECT_EQ(CALL(sys_write, 2, U_END - 100, 200), -EFAULT);
	EXPECT_EQ(CALL(sys_read, 1, U, 1), -EAGAIN);
	EXPECT_EQ(CALL(sys_write, 2, U_END - PAGE_SIZE, 2 * PAGE_SIZE), PAGE_SIZE);
	frames = machine_frames_used();
	EXPECT_EQ(CALL(sys_write, 2, U_END - 100, 200), -EFAULT);
	EXPECT_EQ(machine_frames_used(), frames);
	EXPECT_EQ(CALL(sys_read, 1, U_END - 10, 20), -EFAULT);
	EXPECT_EQ(CALL(sys_read, 1, U, 2 * PAGE_SIZE), PAGE_SIZE);
}
