/*
 * user/bench.c - what memory and processes cost a program, in ticks of the time-stamp counter; where QEMU counts, one
 * tick is one instruction. Prints a line `bench: NAME LEAST MEAN` for each operation, less what measuring costs.
 * With the argument `exit` it ends at once: it is its own smallest program to execute.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096u
#define MANY  1024u /* pages */
#define ANON  (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW    (PROT_READ | PROT_WRITE)
#define AREAS 10000u

struct figure {
	uint64_t least, sum, count;
};

static uint64_t overhead;
static char *self;

static inline uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void count(struct figure *f, uint64_t start)
{
	uint64_t took = ticks() - start;

	took = took > overhead ? took - overhead : 0;
	f->least = f->count && f->least < took ? f->least : took;
	f->sum += took;
	f->count++;
}

/* One figure may stand for several pages or calls. */
static void print(const char *name, const struct figure *f, unsigned each)
{
	printf("bench: %s %llu %llu\n", name, (unsigned long long)(f->least / each),
	       (unsigned long long)(f->sum / f->count / each));
}

static void fail(const char *what)
{
	printf("bench: failed %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *map(unsigned count_of_pages, int prot)
{
	char *p = mmap(NULL, count_of_pages * PAGE, prot, ANON, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

static void touch(volatile char *p, unsigned count_of_pages)
{
	for (unsigned i = 0; i < count_of_pages; i++)
		p[i * PAGE] = 1;
}

static pid_t start_child(void)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	return child;
}

static void calibrate(void)
{
	struct figure f = {0, 0, 0};

	for (int i = 0; i < 100; i++)
		count(&f, ticks());
	overhead = f.least;
}

static void system_call(void)
{
	struct figure f = {0, 0, 0};

	for (int i = 0; i < 1000; i++) {
		uint64_t start = ticks();
		long result;

		__asm__ volatile("int $0x80" : "=a"(result) : "a"(SYS_getppid) : "memory");
		count(&f, start);
	}
	print("getppid", &f, 1);
}

static void faults(void)
{
	struct figure reading = {0, 0, 0}, writing = {0, 0, 0};
	volatile char *p = map(MANY, RW), *q = map(MANY, RW);

	for (unsigned i = 0; i < MANY; i++) {
		uint64_t start = ticks();

		p[i * PAGE] = 1;
		count(&writing, start);
	}
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t start = ticks();

		(void)q[i * PAGE];
		count(&reading, start);
	}
	munmap((void *)(uintptr_t)p, MANY * PAGE);
	munmap((void *)(uintptr_t)q, MANY * PAGE);
	print("write_fault", &writing, 1);
	print("read_fault", &reading, 1);
}

static void map_touch_unmap(struct figure *f)
{
	for (int i = 0; i < 200; i++) {
		uint64_t start = ticks();
		char *p = map(1, RW);

		*(volatile char *)p = 1;
		munmap(p, PAGE);
		count(f, start);
	}
}

static void mappings(void)
{
	struct figure f = {0, 0, 0}, g = {0, 0, 0};

	map_touch_unmap(&f);
	print("mmap_touch_munmap", &f, 1);
	for (int i = 0; i < 20; i++) {
		char *p = map(256, RW);
		uint64_t start;

		touch(p, 256);
		start = ticks();
		munmap(p, 256 * PAGE);
		count(&g, start);
	}
	print("munmap_page", &g, 256);
}

static void protection(void)
{
	struct figure f = {0, 0, 0};
	char *p = map(MANY, RW);

	touch(p, MANY);
	for (int i = 0; i < 200; i++) {
		uint64_t start = ticks();

		mprotect(p + MANY / 2 * PAGE, PAGE, PROT_READ);
		mprotect(p + MANY / 2 * PAGE, PAGE, RW);
		count(&f, start);
	}
	munmap(p, MANY * PAGE);
	print("mprotect_and_back", &f, 1);
}

static void heap(void)
{
	struct figure f = {0, 0, 0};
	long top = (syscall(SYS_brk, 0) + PAGE - 1) & ~(long)(PAGE - 1);

	syscall(SYS_brk, top);
	for (int i = 0; i < 200; i++) {
		uint64_t start = ticks();

		syscall(SYS_brk, top + (long)PAGE);
		*(volatile char *)top = 1;
		syscall(SYS_brk, top);
		count(&f, start);
	}
	print("brk_touch_brk", &f, 1);
}

static void copy_on_write(void)
{
	struct figure f = {0, 0, 0};
	char *p = map(MANY, RW), c;
	int ends[2];
	pid_t child;

	touch(p, MANY);
	if (pipe(ends))
		fail("pipe");
	child = start_child();
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &c, 1) != 0); /* keeps the pages until the parent has written */
	}
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t start = ticks();

		*(volatile char *)(p + i * PAGE) = 2;
		count(&f, start);
	}
	close(ends[0]);
	close(ends[1]);
	waitpid(child, NULL, 0);
	munmap(p, MANY * PAGE);
	print("cow_fault", &f, 1);
}

/* Fork, exit and wait; with a program, execve between. */
static void forks(struct figure *f, char *const *program)
{
	for (int i = 0; i < 20; i++) {
		uint64_t start = ticks();
		pid_t child = start_child();
		int status;

		if (!child) {
			if (program)
				execve(program[0], program, NULL);
			_exit(program != NULL);
		}
		waitpid(child, &status, 0);
		count(f, start);
		if (status)
			fail("a child");
	}
}

static void processes(void)
{
	struct figure small = {0, 0, 0}, large = {0, 0, 0}, executed = {0, 0, 0};
	char *program[] = {self, "exit", NULL};
	char *p;

	forks(&small, NULL);
	print("fork_exit_wait", &small, 1);
	p = map(MANY, RW);
	touch(p, MANY);
	forks(&large, NULL);
	munmap(p, MANY * PAGE);
	large.least -= small.least;
	large.sum -= small.sum;
	print("fork_touched_page", &large, MANY);
	forks(&executed, program);
	print("fork_exec_wait", &executed, 1);
}

static void file_pages(void)
{
	struct figure f = {0, 0, 0};
	int fd = open("/tmp/bench", O_RDWR | O_CREAT, 0600);
	char page[PAGE];

	memset(page, 1, sizeof(page));
	for (unsigned i = 0; i < MANY; i++) {
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
			fail("write");
	}
	for (int i = 0; i < 10; i++) {
		volatile char *p = mmap(NULL, MANY * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
		uint64_t start = ticks();

		for (unsigned k = 0; k < MANY; k++)
			(void)p[k * PAGE];
		count(&f, start);
		munmap((void *)(uintptr_t)p, MANY * PAGE);
	}
	close(fd);
	unlink("/tmp/bench");
	print("file_page", &f, MANY);
}

static void round_trips(void)
{
	struct figure f = {0, 0, 0};
	int there[2], back[2];
	pid_t child;
	char c = 0;

	if (pipe(there) || pipe(back))
		fail("pipe");
	child = start_child();
	if (!child) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	for (int i = 0; i < 200; i++) {
		uint64_t start = ticks();

		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			fail("round trip");
		count(&f, start);
	}
	close(there[1]);
	waitpid(child, NULL, 0);
	print("pipe_round_trip", &f, 1);
}

/* Areas that cannot merge: every other page may be read only. */
static void many_areas(void)
{
	struct figure few = {0, 0, 0}, many = {0, 0, 0};
	char *p;

	map_touch_unmap(&few);
	p = map(AREAS, PROT_NONE);
	for (unsigned i = 0; i < AREAS; i += 2) {
		if (mprotect(p + i * PAGE, PAGE, PROT_READ))
			fail("mprotect");
	}
	map_touch_unmap(&many);
	munmap(p, AREAS * PAGE);
	print("at_10_areas", &few, 1);
	print("at_10000_areas", &many, 1);
}

static void free_memory(void)
{
	char line[200];
	unsigned kib = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && !kib && fgets(line, sizeof(line), f))
		sscanf(line, "MemFree: %u", &kib);
	printf("bench: free_kib %u %u\n", kib, kib);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "exit"))
		return 0;
	self = argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	free_memory();
	calibrate();
	system_call();
	faults();
	mappings();
	protection();
	heap();
	copy_on_write();
	processes();
	file_pages();
	round_trips();
	many_areas();
	puts("bench: done");
	return 0;
}
