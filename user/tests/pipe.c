/* user/tests/pipe.c - facts of pipes. */
#include "fact.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int in, out;

static bool make(void)
{
	int ends[2];
	bool made = pipe(ends) == 0;

	in = ends[1];
	out = ends[0];
	return made;
}

FACT(bytes_come_out_in_order)
{
	char got[8] = "";

	REQUIRE(make());
	EXPECT_EQ(write(in, "abc", 3), 3);
	EXPECT_EQ(write(in, "de", 2), 2);
	EXPECT_EQ(read(out, got, 4), 4);
	EXPECT(!memcmp(got, "abcd", 4));
	EXPECT_EQ(read(out, got, 4), 1);
	EXPECT_EQ(got[0], 'e');
}

FACT(without_writers_it_ends)
{
	char c;

	REQUIRE(make());
	EXPECT_EQ(write(in, "x", 1), 1);
	close(in);
	EXPECT_EQ(read(out, &c, 1), 1);
	EXPECT_EQ(read(out, &c, 1), 0);
}

FACT(without_readers_it_is_EPIPE_when_SIGPIPE_is_ignored)
{
	REQUIRE(make());
	close(out);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERRNO(write(in, "x", 1), EPIPE);
}

static void write_to_nobody(void)
{
	close(out);
	write(in, "x", 1);
}

FACT(without_readers_SIGPIPE_ends_the_writer)
{
	REQUIRE(make());
	close(out);
	out = -1;
	EXPECT_EQ(WTERMSIG(in_child(write_to_nobody)), SIGPIPE);
}

FACT(an_empty_pipe_that_must_not_wait_is_EAGAIN)
{
	char c;

	REQUIRE(make());
	fcntl(out, F_SETFL, O_NONBLOCK);
	EXPECT_ERRNO(read(out, &c, 1), EAGAIN);
}

FACT(a_full_pipe_that_must_not_wait_is_EAGAIN)
{
	char page[PAGE] = {0};
	unsigned wrote = 0;

	REQUIRE(make());
	fcntl(in, F_SETFL, O_NONBLOCK);
	while (wrote < (1u << 22) && write(in, page, PAGE) == PAGE)
		wrote += PAGE;
	EXPECT_EQ(wrote, 65536);
	EXPECT_ERRNO(write(in, page, 1), EAGAIN);
	EXPECT_EQ(read(out, page, PAGE), PAGE);
	EXPECT_EQ(write(in, page, PAGE), PAGE);
}

FACT(a_megabyte_passes_from_child_to_parent_whole)
{
	static unsigned char block[3000];
	unsigned total = 0;
	int status;
	ssize_t n;

	REQUIRE(make());
	if (!fork()) {
		for (unsigned i = 0; i < 350; i++) {
			memset(block, (int)i, sizeof(block));
			if (write(in, block, sizeof(block)) != sizeof(block))
				_exit(1);
		}
		_exit(0);
	}
	close(in);
	while ((n = read(out, block, 1000)) > 0) {
		for (ssize_t i = 0; i < n; i++, total++)
			REQUIRE(block[i] == (unsigned char)(total / 3000));
	}
	EXPECT_EQ(n < 0 ? -errno : 0, 0);
	EXPECT_EQ(total, 350 * 3000);
	close(out); /* whoever still writes ends */
	wait(&status);
	EXPECT_EQ(status, 0);
}

FACT(small_writes_of_two_writers_do_not_mix)
{
	char line[100];
	int status;

	REQUIRE(make());
	for (int who = 0; who < 2; who++) {
		if (!fork()) {
			memset(line, 'a' + who, sizeof(line));
			for (int i = 0; i < 300; i++)
				write(in, line, sizeof(line));
			_exit(0);
		}
	}
	close(in);
	for (int i = 0; i < 600; i++) {
		unsigned got = 0;

		while (got < sizeof(line)) {
			ssize_t n = read(out, line + got, sizeof(line) - got);

			REQUIRE(n > 0);
			got += (unsigned)n;
		}
		for (unsigned k = 1; k < sizeof(line); k++)
			REQUIRE(line[k] == line[0]);
	}
	wait(&status);
	wait(&status);
}

FACT(the_wrong_end_is_EBADF)
{
	char c;

	REQUIRE(make());
	EXPECT_ERRNO(read(in, &c, 1), EBADF);
	EXPECT_ERRNO(write(out, &c, 1), EBADF);
}

FACT(a_pipe_cannot_be_positioned)
{
	REQUIRE(make());
	EXPECT_ERRNO(lseek(out, 0, SEEK_SET), ESPIPE);
	EXPECT_ERRNO(pread(out, &(char){0}, 1, 0), ESPIPE);
}

FACT(it_is_a_fifo_to_fstat)
{
	struct stat s;

	REQUIRE(make());
	EXPECT_EQ(fstat(in, &s), 0);
	EXPECT(S_ISFIFO(s.st_mode));
}

FACT(pipe2_takes_two_flags_only)
{
	int ends[2];

	EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	EXPECT_EQ(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(ends[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	EXPECT_ERRNO(pipe2(ends, O_APPEND), EINVAL);
}

FACT(a_bad_place_for_the_ends_is_EFAULT_and_leaks_none)
{
	int before = dup(0), after;

	close(before);
	EXPECT_ERRNO(pipe((int *)16), EFAULT);
	after = dup(0);
	EXPECT_EQ(after, before);
}

static void on_alarm(int sig)
{
	(void)sig;
}

FACT(a_signal_interrupts_a_waiting_read)
{
	struct sigaction a = {.sa_handler = on_alarm};
	char c;

	REQUIRE(make());
	sigaction(SIGALRM, &a, NULL);
	ualarm(20000, 0);
	EXPECT_ERRNO(read(out, &c, 1), EINTR);
}

FACT(bytes_that_came_before_the_signal_are_read)
{
	struct sigaction a = {.sa_handler = on_alarm};
	char c = 0;

	REQUIRE(make());
	sigaction(SIGALRM, &a, NULL);
	if (!fork()) {
		usleep(20000);
		_exit(write(in, "r", 1) != 1 || kill(getppid(), SIGALRM));
	}
	EXPECT_EQ(read(out, &c, 1), 1);
	EXPECT_EQ(c, 'r');
}

FACT(a_restarted_read_goes_on)
{
	struct sigaction a = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	char c = 0;

	REQUIRE(make());
	sigaction(SIGALRM, &a, NULL);
	if (!fork()) {
		usleep(60000);
		_exit(write(in, "r", 1) != 1);
	}
	ualarm(20000, 0);
	EXPECT_EQ(read(out, &c, 1), 1);
	EXPECT_EQ(c, 'r');
}

static void ask_for_too_much(void)
{
	EXPECT_EQ(setuid(5), 0);
	EXPECT_ERRNO(fcntl(in, F_SETPIPE_SZ, 4u << 20), EPERM);
}

FACT(a_pipe_has_at_least_the_size_that_was_asked_for)
{
	REQUIRE(make());
	EXPECT_EQ(fcntl(in, F_GETPIPE_SZ), 65536);
	EXPECT(fcntl(in, F_SETPIPE_SZ, 5000) >= 5000);
	EXPECT_EQ(fcntl(out, F_SETPIPE_SZ, 65536), 65536);
	EXPECT_EQ(fcntl(in, F_GETPIPE_SZ), 65536);
	EXPECT_ERRNO(fcntl(in, F_SETPIPE_SZ, 0x80000001), EINVAL);
	EXPECT_ERRNO(fcntl(nameless_file(), F_SETPIPE_SZ, 4096), EBADF);
	EXPECT_EQ(in_child(ask_for_too_much), 0);
}
