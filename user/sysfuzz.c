/*
 * user/sysfuzz.c - calls the kernel with every number and with arguments that are random, or lie at the edges.
 *
 *     sysfuzz [CALLS [SEED [ONLY]]]      ONLY: this number and no other
 *
 * The calls are made by children, each for a part of them, in a directory of its own; what becomes of a child is no
 * finding. Left out is what would end or stop a child on purpose, or the machine. The seed and the number of the part
 * make a part's calls: they repeat. Ends with 0 when all parts ran and the parent's own memory is as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE       4096u
#define PART       500u /* calls of one child */
#define LAST       460u /* numbers above the highest are asked for too */
#define SECONDS    3    /* for one part; then it is killed */
#define TICK       5000 /* microseconds until a call that waits is interrupted */
#define SAMPLE     64u  /* pages whose content must not change */
#define KERNEL_END 0xfffff000u

/* What ends or stops the caller or the machine on purpose, or makes children without end. */
static const unsigned avoided[] = {
	SYS_exit,
	SYS_exit_group,
	SYS_pause,
	SYS_rt_sigsuspend,
	SYS_sigsuspend,
	SYS_reboot,
	SYS_vhangup,
	SYS_ptrace,
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_clone,
	SYS_clone3,
	SYS_fork,
	SYS_vfork,
	SYS_execve,
	SYS_execveat,
	SYS_alarm,
	SYS_setitimer,
	SYS_rt_sigtimedwait,
	SYS_rt_sigtimedwait_time64,
	SYS_swapon,
	SYS_swapoff,
	SYS_kexec_load,
	SYS_init_module,
	SYS_delete_module,
	SYS_settimeofday_time32,
	SYS_clock_settime32,
	SYS_clock_settime64,
	SYS_stime,
	SYS_mount,
	SYS_umount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_sigreturn,
	SYS_rt_sigreturn,
	SYS_vm86,
	SYS_vm86old,
	SYS_iopl,
	SYS_ioperm,
	SYS_setrlimit,
	SYS_prlimit64,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_nanosleep,
};

/* Alone in a part of their own they may be tried all the same. */
static const unsigned once[] = {
	SYS_exit, SYS_exit_group, SYS_sigreturn, SYS_rt_sigreturn, SYS_vm86, SYS_execve, SYS_fork,
};

static uint64_t state;
static char *area; /* memory that the calls may fill in, with a hole in it */

static uint32_t random32(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static uint32_t below(uint32_t n)
{
	return random32() % n;
}

static uint32_t address(void)
{
	static const uint32_t fixed[] = {0,           1,           PAGE,       0xbffffffcu,
					 0xc0000000u, 0xc0100000u, KERNEL_END, UINT32_MAX};

	switch (below(6)) {
	case 0:
		return fixed[below(sizeof(fixed) / sizeof(fixed[0]))];
	case 1:
		return (uint32_t)(uintptr_t)area + below(16) * PAGE;
	case 2: /* over the edge of a page, maybe into the hole */
		return (uint32_t)(uintptr_t)area + below(16) * PAGE - below(64);
	default:
		return (uint32_t)(uintptr_t)area + below(16 * PAGE);
	}
}

static uint32_t number(void)
{
	static const uint32_t edges[] = {
		0,          1,        2,    7,        8,          9,           63,         64,
		65,         PAGE - 1, PAGE, PAGE + 1, 0x7fffffff, 0x80000000u, UINT32_MAX, UINT32_MAX - 1,
		KERNEL_END, 0x10000};

	switch (below(4)) {
	case 0:
		return edges[below(sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return below(16);
	case 2:
		return 1u << below(32);
	default:
		return random32();
	}
}

static uint32_t argument(void)
{
	return below(5) < 3 ? address() : number();
}

static bool is_in(const unsigned *list, size_t bytes, unsigned n)
{
	for (size_t i = 0; i < bytes / sizeof(*list); i++) {
		if (list[i] == n)
			return true;
	}
	return false;
}

/* Arguments that are no pointers often are in a small range, and a path must sometimes be one. */
static void fill_area(void)
{
	static const char *const words[] = {"/tmp/fuzz/a", "/tmp/fuzz/b",     "a", "..",
					    "/dev/zero",   "/proc/self/maps", ""};

	for (unsigned i = 0; i < 16; i++) {
		if (i == 7)
			continue; /* the hole */
		strcpy(area + i * PAGE, words[below(sizeof(words) / sizeof(words[0]))]);
		for (unsigned k = 512; k < 1024; k += 4)
			*(uint32_t *)(void *)(area + i * PAGE + k) = below(3) ? number() : address();
	}
}

static unsigned choose(void)
{
	unsigned n;

	do
		n = below(50) ? below(LAST) : number();
	while (is_in(avoided, sizeof(avoided), n));
	return n;
}

static void one_call(unsigned only)
{
	unsigned n = only != UINT32_MAX ? only : choose();
	uint32_t a[6];

	for (int i = 0; i < 6; i++)
		a[i] = argument();
	if (syscall((long)n, a[0], a[1], a[2], a[3], a[4], a[5]) == 0 && n == SYS_fork)
		_exit(0);
}

static void restart_area(void)
{
	area = mmap((void *)0x50000000, 16 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (area == MAP_FAILED)
		_exit(0);
	munmap(area + 7 * PAGE, PAGE);
}

static void limit_child(void)
{
	struct rlimit memory = {64 << 20, 64 << 20}, file = {4 << 20, 4 << 20}, files = {64, 64};

	setrlimit(RLIMIT_AS, &memory);
	setrlimit(RLIMIT_FSIZE, &file);
	setrlimit(RLIMIT_NOFILE, &files);
	setpgid(0, 0);
	chdir("/tmp/fuzz");
	close(0);
	open("/dev/null", O_RDWR);
	dup2(0, 1);
	dup2(0, 2);
}

static void nothing(int sig)
{
	(void)sig;
}

/* Calls that wait must come to an end. The calls themselves may undo this, so it is done now and then. */
static void interrupt_waits(void)
{
	struct itimerval every = {{0, TICK}, {0, TICK}};
	struct sigaction a = {.sa_handler = nothing};
	sigset_t none;

	sigaction(SIGALRM, &a, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static _Noreturn void part(uint64_t seed, unsigned index, unsigned only)
{
	state = (seed + 1) * 0x9e3779b97f4a7c15ull ^ (uint64_t)(index + 1) * 0xd1b54a32d192ed03ull;
	limit_child();
	if (only == UINT32_MAX && index % 16 == 15)
		only = once[below(sizeof(once) / sizeof(once[0]))];
	for (unsigned i = 0; i < PART; i++) {
		if (i % 32 == 0) {
			restart_area();
			fill_area();
			interrupt_waits();
		}
		one_call(only);
	}
	_exit(0);
}

/* Whatever a part left behind in its directory. */
static void clear_directory(void)
{
	unlink("/tmp/fuzz/a");
	unlink("/tmp/fuzz/b");
	rmdir("/tmp/fuzz/a");
	rmdir("/tmp/fuzz/b");
}

static bool run_part(uint64_t seed, unsigned index, unsigned only)
{
	int status = 0;
	pid_t child = fork();

	if (!child)
		part(seed, index, only);
	if (child < 0)
		return false;
	alarm(SECONDS);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		kill(child, SIGKILL);
	alarm(0);
	kill(-child, SIGKILL); /* and what it left running */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return true;
}

static bool sample_is_whole(const unsigned char *sample)
{
	for (unsigned i = 0; i < SAMPLE * PAGE; i++) {
		if (sample[i] != (unsigned char)(i * 7 + i / PAGE))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	unsigned calls = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 100000,
		 parts = (calls + PART - 1) / PART;
	uint64_t seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	unsigned only = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 0) : UINT32_MAX;
	struct sigaction wakes = {.sa_handler = nothing};
	unsigned char *sample =
		mmap(NULL, SAMPLE * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &wakes, NULL);
	for (unsigned i = 0; i < SAMPLE * PAGE; i++)
		sample[i] = (unsigned char)(i * 7 + i / PAGE);
	mkdir("/tmp/fuzz", 0777);
	for (unsigned i = 0; i < parts; i++) {
		clear_directory();
		if (!run_part(seed, i, only)) {
			printf("sysfuzz: no child for part %u: %s\n", i, strerror(errno));
			return 1;
		}
		if (i % 200 == 199)
			printf("sysfuzz: %u of %u calls\n", (i + 1) * PART, parts * PART);
		if (!sample_is_whole(sample)) {
			printf("sysfuzz: memory of the parent changed in part %u\n", i);
			return 1;
		}
	}
	printf("sysfuzz: %u calls, seed %u: done\n", parts * PART, (unsigned)seed);
	return 0;
}
