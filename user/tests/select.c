/* user/tests/select.c - facts of waiting for descriptors: poll, ppoll, select, pselect. */
#include "fact.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>

static volatile sig_atomic_t came;

static void on_signal(int sig)
{
	came = sig;
}

/* A pipe with a byte in it, or without. */
static void make_pipe(int *ends, bool full)
{
	EXPECT_EQ(pipe(ends), 0);
	if (full)
		EXPECT_EQ(write(ends[1], "x", 1), 1);
}

/* SIGUSR1 is blocked, handled, and pending. */
static void block_and_raise(void)
{
	struct sigaction a = {.sa_handler = on_signal};
	sigset_t set;

	came = 0;
	sigaction(SIGUSR1, &a, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
}

static bool is_blocked(void)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, SIGUSR1);
}

FACT(select_leaves_the_bits_of_what_is_ready)
{
	int full[2], empty[2];
	struct timeval none = {0, 0};
	fd_set in, out;

	make_pipe(full, true);
	make_pipe(empty, false);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(full[0], &in);
	FD_SET(empty[0], &in);
	FD_SET(empty[1], &out);
	EXPECT_EQ(select(empty[1] + 1, &in, &out, NULL, &none), 2);
	EXPECT(FD_ISSET(full[0], &in));
	EXPECT(!FD_ISSET(empty[0], &in));
	EXPECT(FD_ISSET(empty[1], &out));
}

FACT(select_asks_for_the_first_descriptor_too)
{
	int32_t none[2] = {0, 0};
	uint32_t in = 1;
	int ends[2];

	make_pipe(ends, false);
	EXPECT_EQ(dup2(ends[0], 0), 0);
	EXPECT_EQ(syscall(SYS__newselect, 1, &in, NULL, NULL, none), 0);
	EXPECT_EQ(in, 0);
	EXPECT_EQ(write(ends[1], "x", 1), 1);
	in = 1;
	EXPECT_EQ(syscall(SYS__newselect, 1, &in, NULL, NULL, none), 1);
	EXPECT_EQ(in, 1);
}

FACT(select_counts_a_descriptor_once_for_each_set)
{
	int fd = open("/dev/zero", O_RDWR);
	fd_set in, out;

	FD_ZERO(&in);
	FD_SET(fd, &in);
	out = in;
	EXPECT_EQ(select(fd + 1, &in, &out, NULL, NULL), 2);
}

FACT(the_end_of_a_pipe_is_ready_to_read)
{
	int ends[2];
	fd_set in;

	make_pipe(ends, false);
	close(ends[1]);
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	EXPECT_EQ(select(ends[0] + 1, &in, NULL, NULL, NULL), 1);
}

FACT(select_waits_and_tells_that_no_time_is_left)
{
	int ends[2];
	int32_t some[2] = {0, 30000}; /* the call's own words have 32 bits */
	struct timespec before, after;
	fd_set in;

	make_pipe(ends, false);
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	clock_gettime(CLOCK_MONOTONIC, &before);
	EXPECT_EQ(syscall(SYS__newselect, ends[0] + 1, &in, NULL, NULL, some), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	EXPECT((after.tv_sec - before.tv_sec) * 1000000000ll + after.tv_nsec - before.tv_nsec >= 30000000);
	EXPECT(!FD_ISSET(ends[0], &in));
	EXPECT_EQ(some[0] + some[1], 0);
}

FACT(select_refuses_what_is_wrong)
{
	int32_t negative[2] = {-1, 0}, negative_us[2] = {0, -1}, none[2] = {0, 0};
	struct timeval now = {0, 0};
	fd_set in;

	FD_ZERO(&in);
	FD_SET(20, &in);
	EXPECT_ERRNO(select(21, &in, NULL, NULL, &now), EBADF);
	EXPECT_ERRNO(syscall(SYS__newselect, -1, NULL, NULL, NULL, none), EINVAL);
	EXPECT_ERRNO(syscall(SYS__newselect, 0, NULL, NULL, NULL, negative), EINVAL);
	EXPECT_ERRNO(syscall(SYS__newselect, 0, NULL, NULL, NULL, negative_us), EINVAL);
	EXPECT_ERRNO(syscall(SYS__newselect, 1, 1, NULL, NULL, none), EFAULT);
	EXPECT_ERRNO(syscall(SYS__newselect, 0, NULL, NULL, NULL, 1), EFAULT);
	EXPECT_EQ(syscall(SYS__newselect, 0, NULL, NULL, NULL, none), 0);
}

FACT(the_old_select_takes_its_arguments_from_memory)
{
	int32_t none[2] = {0, 0};
	int ends[2];
	uint32_t in, arguments[5];

	make_pipe(ends, true);
	in = 1u << ends[0];
	arguments[0] = (uint32_t)ends[0] + 1;
	arguments[1] = (uint32_t)(uintptr_t)&in;
	arguments[2] = arguments[3] = 0;
	arguments[4] = (uint32_t)(uintptr_t)none;
	EXPECT_EQ(syscall(SYS_select, arguments), 1);
	EXPECT_EQ(in, 1u << ends[0]);
	EXPECT_ERRNO(syscall(SYS_select, 1), EFAULT);
}

FACT(pselect_lets_a_signal_in_and_restores_the_mask)
{
	struct timespec long_time = {10, 0};
	sigset_t none;

	sigemptyset(&none);
	block_and_raise();
	EXPECT_ERRNO(pselect(0, NULL, NULL, NULL, &long_time, &none), EINTR);
	EXPECT_EQ(came, SIGUSR1);
	EXPECT(is_blocked());
}

FACT(ppoll_lets_a_signal_in_and_restores_the_mask)
{
	struct timespec long_time = {10, 0};
	sigset_t none;

	sigemptyset(&none);
	block_and_raise();
	EXPECT_ERRNO(ppoll(NULL, 0, &long_time, &none), EINTR);
	EXPECT_EQ(came, SIGUSR1);
	EXPECT(is_blocked());
}

FACT(what_is_ready_comes_before_a_signal)
{
	struct timespec long_time = {10, 0};
	struct pollfd p = {.events = POLLIN};
	int ends[2];
	sigset_t none;

	make_pipe(ends, true);
	p.fd = ends[0];
	sigemptyset(&none);
	block_and_raise();
	EXPECT_EQ(ppoll(&p, 1, &long_time, &none), 1);
	EXPECT_EQ(p.revents, POLLIN);
	EXPECT_EQ(came, 0);
	EXPECT(is_blocked());
}

FACT(ppoll_refuses_what_is_wrong)
{
	int32_t odd[2] = {0, 1000000000};
	struct timespec none = {0, 0};
	uint32_t mask[2] = {0, 0};

	EXPECT_ERRNO(syscall(SYS_ppoll, NULL, 0, odd, NULL, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_ppoll_time64, NULL, 0, 1, NULL, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_ppoll, NULL, 0, NULL, mask, 4), EINVAL);
	EXPECT_ERRNO(syscall(SYS_ppoll, NULL, 0, NULL, 1, 8), EFAULT);
	EXPECT_EQ(ppoll(NULL, 0, &none, NULL), 0);
}
