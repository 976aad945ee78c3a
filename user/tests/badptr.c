/* user/tests/badptr.c - facts of bad pointers: EFAULT, in the middle of a copy too, and what was done until then. */
#include "fact.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#define BAD    ((void *)16)
#define KERNEL ((void *)0xc0100000u)

/* The last bytes before a page that is not there. */
static char *edge(unsigned bytes)
{
	char *p = pages(2);

	munmap(p + PAGE, PAGE);
	return p + PAGE - bytes;
}

static int pipe_in, pipe_out;

static void make_pipe(void)
{
	int ends[2];

	EXPECT_EQ(pipe(ends), 0);
	pipe_in = ends[1];
	pipe_out = ends[0];
}

static const struct call {
	const char *name;
	long number;
	unsigned place; /* of the pointer among the arguments */
	long first, second;
} filling[] = {
	{"uname", SYS_uname, 0, 0, 0},
	{"sysinfo", SYS_sysinfo, 0, 0, 0},
	{"times", SYS_times, 0, 0, 0},
	{"pipe", SYS_pipe, 0, 0, 0},
	{"fstat64", SYS_fstat64, 1, 0, 0},
	{"stat64", SYS_stat64, 1, (long)"/tmp", 0},
	{"getrusage", SYS_getrusage, 1, 0, 0},
	{"ugetrlimit", SYS_ugetrlimit, 1, RLIMIT_STACK, 0},
	{"clock_gettime", SYS_clock_gettime32, 1, 0, 0},
	{"clock_gettime64", SYS_clock_gettime64, 1, 0, 0},
	{"gettimeofday", SYS_gettimeofday_time32, 0, 0, 0},
	{"getcwd", SYS_getcwd, 0, 0, 100},
	{"readlink", SYS_readlink, 1, (long)"/proc/self", 100},
	{"rt_sigpending", SYS_rt_sigpending, 0, 0, 8},
	{"sigaltstack", SYS_sigaltstack, 1, 0, 0},
	{"rt_sigprocmask", SYS_rt_sigprocmask, 2, 0, 0},
	{"getrandom", SYS_getrandom, 0, 0, 10},
	{"getitimer", SYS_getitimer, 1, 0, 0},
	{"set_thread_area", SYS_set_thread_area, 0, 0, 0},
};

static void fill(const struct call *c, void *at)
{
	long a[4] = {c->first, c->second, 0, 8}, got;

	if (c->place == 1)
		a[2] = c->second;
	a[c->place] = (long)at;
	got = syscall(c->number, a[0], a[1], a[2], a[3]);
	if (!EXPECT(got == -1 && errno == EFAULT))
		printf("# %s at %p gave %ld, errno %d\n", c->name, at, got, errno);
}

FACT(calls_that_fill_something_in)
{
	for (unsigned i = 0; i < sizeof(filling) / sizeof(filling[0]); i++) {
		fill(&filling[i], BAD);
		fill(&filling[i], KERNEL);
	}
}

FACT(calls_that_take_a_path)
{
	EXPECT_ERRNO(open(BAD, O_RDONLY), EFAULT);
	EXPECT_ERRNO(open(KERNEL, O_RDONLY), EFAULT);
	EXPECT_ERRNO(mkdir(BAD, 0755), EFAULT);
	EXPECT_ERRNO(unlink(BAD), EFAULT);
	EXPECT_ERRNO(chdir(BAD), EFAULT);
	EXPECT_ERRNO(rename("/tmp", BAD), EFAULT);
	EXPECT_ERRNO(link(BAD, "/tmp/x"), EFAULT);
	EXPECT_ERRNO(symlink(BAD, "/tmp/x"), EFAULT);
	EXPECT_ERRNO(access(BAD, F_OK), EFAULT);
	EXPECT_ERRNO(truncate(BAD, 0), EFAULT);
}

FACT(a_path_that_ends_at_the_edge_is_read)
{
	char *p = edge(5);

	memcpy(p, "/tmp", 5);
	EXPECT(open(p, O_RDONLY) >= 0);
	memcpy(p, "/tmpx", 5);
	EXPECT_ERRNO(open(p, O_RDONLY), EFAULT);
}

FACT(a_read_into_the_edge_gives_what_fits)
{
	int fd = file_of(100);
	char *p = edge(40);

	EXPECT_EQ(read(fd, p, 100), 40);
	EXPECT_EQ(p[39], 1);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 40);
	EXPECT_ERRNO(read(fd, p + 40, 10), EFAULT);
	EXPECT_EQ(lseek(fd, 0, SEEK_CUR), 40);
}

FACT(a_write_from_the_edge_takes_what_is_there)
{
	int fd = nameless_file();
	struct stat s;
	char *p = edge(40);

	memset(p, 'w', 40);
	EXPECT_EQ(write(fd, p, 100), 40);
	EXPECT_EQ(fstat(fd, &s), 0);
	EXPECT_EQ(s.st_size, 40);
	EXPECT_ERRNO(write(fd, p + 40, 10), EFAULT);
}

FACT(a_pipe_takes_nothing_from_a_bad_address)
{
	char c = 0;

	make_pipe();
	EXPECT_ERRNO(write(pipe_in, BAD, 10), EFAULT);
	EXPECT_EQ(write(pipe_in, "x", 1), 1);
	EXPECT_ERRNO(read(pipe_out, BAD, 1), EFAULT);
	EXPECT_EQ(read(pipe_out, &c, 1), 1);
	EXPECT_EQ(c, 'x');
}

FACT(a_failed_write_leaves_what_is_in_a_pipe)
{
	static char text[2 * PAGE + 1], got[sizeof(text)];

	for (unsigned left = 2 * PAGE - 1; left <= sizeof(text); left++) {
		make_pipe();
		memset(text, 'a', sizeof(text));
		text[left - 1] = 'z';
		EXPECT_EQ(write(pipe_in, text, left), left);
		EXPECT_ERRNO(write(pipe_in, BAD, 10), EFAULT);
		EXPECT_EQ(read(pipe_out, got, sizeof(got)), left);
		EXPECT(!memcmp(got, text, left));
	}
}

FACT(gathering_stops_at_the_bad_piece)
{
	struct iovec v[2] = {{"good", 4}, {BAD, 4}};
	int fd = nameless_file();

	EXPECT_EQ(writev(fd, v, 2), 4);
	EXPECT_ERRNO(writev(fd, (void *)16, 2), EFAULT);
	EXPECT_ERRNO(readv(fd, (struct iovec *)(void *)edge(sizeof(struct iovec)), 2), EFAULT);
}

FACT(a_length_of_zero_looks_at_no_address)
{
	EXPECT_EQ(write(nameless_file(), BAD, 0), 0);
	EXPECT_EQ(read(file_of(10), BAD, 0), 0);
}

FACT(a_read_only_page_takes_no_result)
{
	char *p = pages(1);

	mprotect(p, PAGE, PROT_READ);
	EXPECT_ERRNO(uname((struct utsname *)p), EFAULT);
	EXPECT_ERRNO(read(file_of(10), p, 10), EFAULT);
}

FACT(a_result_into_a_fresh_page_brings_it)
{
	char *p = pages(3);

	EXPECT_EQ(read(file_of(PAGE), p + PAGE - 10, 20), 20);
	EXPECT_EQ(p[PAGE - 10], 1);
	EXPECT_EQ(p[PAGE + 9], 1);
	EXPECT_EQ(p[PAGE + 10], 0);
}

FACT(a_result_into_a_page_shared_by_fork_copies_it)
{
	char *p = pages(1);
	int status;

	p[0] = 9;
	if (!fork())
		_exit(read(file_of(10), p, 10) != 10);
	wait(&status);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(p[0], 9);
}

FACT(a_result_over_the_end_of_the_user_part_is_EFAULT)
{
	EXPECT_ERRNO(syscall(SYS_read, file_of(100), 0xfffffff0u, 100), EFAULT);
	EXPECT_ERRNO(syscall(SYS_uname, 0xfffffffcu), EFAULT);
}

FACT(signal_calls)
{
	EXPECT_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, BAD, 0, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, 0, BAD, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, 0, 0, 7), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD, 0, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, 77, pages(1), 0, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigsuspend, BAD, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_setitimer, 0, BAD, 0), EFAULT);
}

FACT(time_calls)
{
	EXPECT_ERRNO(syscall(SYS_nanosleep, BAD, 0), EFAULT);
	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, 0, 0, BAD, 0), EFAULT);
}

FACT(structures_carry_no_kernel_bytes_in_what_they_leave_out)
{
	union {
		struct utsname u;
		unsigned char bytes[sizeof(struct utsname)];
	} now;

	memset(&now, 0xee, sizeof(now));
	EXPECT_EQ(uname(&now.u), 0);
	for (unsigned i = (unsigned)strlen(now.u.sysname); i < sizeof(now.u.sysname); i++)
		EXPECT_EQ(now.bytes[i], 0);
}
