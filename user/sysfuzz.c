/*
 * user/sysfuzz.c - calls the kernel with every number and with arguments that are random, or lie at the edges.
 *
 *     sysfuzz [CALLS [SEED [ONLY]]]      ONLY: this number and no other
 *
 * The calls are made by children, each for a part of them, in a directory of its own; what becomes of a child is no
 * finding, and a call counts when a child came to make it. Left out is what would end or stop a child on purpose, or
 * the machine. The seed and the number of the part make a part's calls: they repeat. Ends with 0 when all calls were
 * made, the parent's own memory is as it was, and as much memory is free as after the first parts, in which caches
 * fill.
 */
#include "meminfo.h"
#include <dirent.h>
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
#define WARM       100u /* parts before memory is counted */
#define HOME       "/tmp/fuzz"
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
static char *area;              /* memory that the calls may fill in, with a hole in it */
static volatile unsigned *made; /* calls, by all children */

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

	switch (below(6)) {
	case 0:
		return edges[below(sizeof(edges) / sizeof(edges[0]))];
	case 1:
	case 2:
		return below(4); /* descriptors, most of all */
	case 3:
		return below(256);
	case 4:
		return 1u << below(32);
	default:
		return random32();
	}
}

static uint32_t argument(void)
{
	return below(2) ? address() : number();
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
	static const char *const words[] = {HOME "/a",   HOME "/b",         "a", "..",
					    "/dev/zero", "/proc/self/maps", ""};

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
	++*made;
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
	chdir(HOME);
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

/* Children go up from their directory, and make names wherever they are. */
static void remove_tree(const char *path)
{
	struct dirent *entry;
	char inside[4096];
	DIR *folder;

	if (!unlink(path) || !(folder = opendir(path)))
		return;
	while ((entry = readdir(folder))) {
		bool mine = strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");

		if (mine &&
		    snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name) < (int)sizeof(inside))
			remove_tree(inside);
	}
	closedir(folder);
	rmdir(path);
}

static void clear_files(void)
{
	static const char *const kept[] = {".",    "..",   "bin",   "dev", "etc",
					   "init", "proc", "tests", "tmp", "root"};
	struct dirent *entry;
	DIR *root = opendir("/");
	struct stat zero;
	char path[300];

	while (root && (entry = readdir(root))) {
		bool keep = false;

		for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
			keep |= !strcmp(entry->d_name, kept[i]);
		snprintf(path, sizeof(path), "/%s", entry->d_name);
		if (!keep)
			remove_tree(path);
	}
	closedir(root);
	remove_tree("/tmp");
	mkdir("/tmp", 01777);
	mkdir(HOME, 0777);
	if (stat("/dev/zero", &zero) || !S_ISCHR(zero.st_mode)) {
		remove_tree("/dev/zero");
		mknod("/dev/zero", S_IFCHR | 0666, 1 << 8 | 5);
	}
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

static unsigned word(int argc, char **argv, int n, unsigned otherwise)
{
	return argc > n ? (unsigned)strtoul(argv[n], NULL, 0) : otherwise;
}

static unsigned char *map(size_t bytes, int flags)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
}

/* Runs parts until so many calls were made, at least the first ones. Memory that was free after these, or -1. */
static long run_parts(unsigned calls, unsigned seed, unsigned only, const unsigned char *sample)
{
	long before = 0;

	for (unsigned i = 0; i < WARM || *made < calls; i++) {
		clear_files();
		if (!run_part(seed, i, only)) {
			printf("sysfuzz: no child for part %u: %s\n", i, strerror(errno));
			return -1;
		}
		if (i % 1000 == 999)
			printf("sysfuzz: part %u, %u of %u calls\n", i + 1, *made, calls);
		if (!sample_is_whole(sample)) {
			printf("sysfuzz: memory of the parent changed in part %u\n", i);
			return -1;
		}
		if (i + 1 == WARM) {
			puts("sysfuzz: caches are full");
			clear_files();
			before = free_kib();
		}
	}
	clear_files();
	return before;
}

int main(int argc, char **argv)
{
	unsigned calls = word(argc, argv, 1, 100000), seed = word(argc, argv, 2, 1);
	struct sigaction wakes = {.sa_handler = nothing};
	unsigned char *sample = map(SAMPLE * PAGE, MAP_PRIVATE);
	long before, after;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &wakes, NULL);
	made = (void *)map(PAGE, MAP_SHARED);
	for (unsigned i = 0; i < SAMPLE * PAGE; i++)
		sample[i] = (unsigned char)(i * 7 + i / PAGE);
	before = run_parts(calls, seed, word(argc, argv, 3, UINT32_MAX), sample);
	if (before < 0)
		return 1;
	after = free_kib();
	printf("sysfuzz: %u calls, seed %u; free before %ld KiB, after %ld KiB\n", *made, seed, before,
	       after);
	return after < before;
}
