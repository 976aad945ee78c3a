/*
 * user/vmtour.c - a walk through what the kernel does with a program's memory, as it happens. Ends with 0 when
 * everything was to be seen.
 */
#include "vmpicture.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANON     (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW       (PROT_READ | PROT_WRITE)
#define GROW_MAX 600u /* pages between a growing mapping and its neighbour */

static sigjmp_buf back;
static char *fault_address;
static int fault_code;

static char *map(unsigned pages, int prot, int flags, int fd)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, fd, 0);

	if (p == MAP_FAILED) {
		perror("vmtour: mmap");
		exit(1);
	}
	return p;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	fault_address = info->si_addr;
	fault_code = info->si_code;
	siglongjmp(back, 1);
}

/* True when the page took the byte. */
static bool writes(volatile char *at)
{
	struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &a, NULL);
	if (sigsetjmp(back, 1))
		return false;
	*at = 1;
	return true;
}

static void demand_zero(void)
{
	struct row before, after;
	char *p = map(CELLS, RW, ANON, -1);
	volatile char *v = p;

	print_heading("1. Demand-zero: memory comes when it is touched");
	row_read(&before, p);
	v[1 * PAGE] = 'x';
	(void)v[4 * PAGE];
	(void)v[5 * PAGE];
	row_read(&after, p);
	row_print_head(p);
	row_print("mapped", &before);
	print_text("           write page 1, read pages 4 and 5");
	row_print("touched", &after);
	claim(before.cell[1].kind == CELL_EMPTY && after.cell[0].kind == CELL_EMPTY,
	      "what nobody touched has no frame");
	claim(after.cell[1].kind == CELL_PRESENT && !p[PAGE + 1],
	      "the written page has one of its own, zeroed");
	claim(same_frame(&after.cell[4], &after.cell[5]), "the pages only read share one frame of zeros");
	munmap(p, CELLS * PAGE);
}

/* Both ends of a conversation between parent and child. */
static int to_child[2], to_parent[2];

static void tell(int fd)
{
	if (write(fd, "x", 1) != 1)
		exit(1);
}

static void hear(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		exit(1);
}

static void child_s_part(char *p, struct row *seen)
{
	row_read(&seen[0], p);
	tell(to_parent[1]);
	hear(to_child[0]);
	p[1 * PAGE] = 'c';
	row_read(&seen[1], p);
	tell(to_parent[1]);
	hear(to_child[0]);
	_exit(p[2 * PAGE] != 'p' || p[0] != 'p');
}

static void print_family(const char *when, const struct row *parent, const struct row *child)
{
	print_text(when);
	row_print("parent", parent);
	row_print("child", child);
}

static void claims_of_family(const struct row *parent, const struct row *child, const char *p)
{
	bool shared = true;

	for (unsigned i = 0; i < 4; i++)
		shared &= same_frame(&parent[0].cell[i], &child[0].cell[i]);
	claim(shared, "fork copied no page: both have the same frames");
	claim(other_frame(&parent[1].cell[1], &child[1].cell[1]) && p[PAGE] == 'p',
	      "who writes gets a copy: page 1");
	claim(same_frame(&parent[1].cell[0], &child[1].cell[0]), "the others stay shared");
}

static void copy_on_write(void)
{
	struct row *seen = (void *)map(1, RW, MAP_SHARED | MAP_ANONYMOUS, -1), parent[2];
	char *p = map(CELLS, RW, ANON, -1);
	int status = -1;

	print_heading("2. Copy-on-write: fork copies page tables, not pages");
	for (unsigned i = 0; i < 4; i++)
		p[i * PAGE] = 'p';
	if (pipe(to_child) || pipe(to_parent))
		exit(1);
	fflush(stdout);
	pid_t child = fork();
	if (!child)
		child_s_part(p, seen);
	hear(to_parent[0]);
	row_read(&parent[0], p);
	tell(to_child[1]);
	hear(to_parent[0]);
	row_read(&parent[1], p);
	tell(to_child[1]);
	waitpid(child, &status, 0);
	row_print_head(p);
	print_family("after fork", &parent[0], &seen[0]);
	print_family("the child writes page 1", &parent[1], &seen[1]);
	claims_of_family(parent, seen, p);
	claim(status == 0, "the child saw its parent's content");
	munmap(seen, PAGE);
	munmap(p, CELLS * PAGE);
}

static int make_file(unsigned pages)
{
	static char page[PAGE];
	int fd = open("/tmp/vmtour", O_RDWR | O_CREAT | O_TRUNC, 0600);

	unlink("/tmp/vmtour");
	memset(page, 'f', sizeof(page));
	for (unsigned i = 0; i < pages; i++) {
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
			exit(1);
	}
	return fd;
}

static void sharing(void)
{
	int fd = make_file(4);
	char *p = map(CELLS, RW, MAP_SHARED, fd), *q = map(CELLS, RW, MAP_PRIVATE, fd), got = 0;
	struct row shared, private, written;

	print_heading("3. Sharing: a file of 4 pages, mapped shared and privately");
	for (unsigned i = 0; i < 4; i++)
		(void)(((volatile char *)p)[i * PAGE] + ((volatile char *)q)[i * PAGE]);
	row_read(&shared, p);
	row_read(&private, q);
	q[1 * PAGE] = 'q';
	p[2 * PAGE] = 's';
	row_read(&written, q);
	row_print_head(p);
	row_print("shared", &shared);
	row_print("private", &private);
	print_text("           write page 1 of the private one, page 2 of the shared one");
	row_print("private", &written);
	claim(same_frame(&shared.cell[0], &private.cell[0]), "both show the page cache's frames");
	claim(other_frame(&shared.cell[1], &written.cell[1]) && p[PAGE] == 'f',
	      "a private write goes to a copy");
	claim(pread(fd, &got, 1, 2 * PAGE) == 1 && got == 's' && q[2 * PAGE] == 's',
	      "a shared write is the file's at once");
	claim(pwrite(fd, "w", 1, 3 * PAGE) == 1 && p[3 * PAGE] == 'w',
	      "and what write() writes, the mapping shows");
	munmap(p, CELLS * PAGE);
	munmap(q, CELLS * PAGE);
	close(fd);
}

static void growing(void)
{
	char *room = map(GROW_MAX, PROT_NONE, ANON | MAP_NORESERVE, -1), line[80];
	char *top = room + GROW_MAX * PAGE - CELLS * PAGE, *lowest = room + GROW_MAX * PAGE;
	struct row before, after;

	print_heading("4. Growing: a mapping that grows down on touch, as stacks do");
	mprotect(room, PAGE, RW);
	munmap(room + PAGE, (GROW_MAX - 1) * PAGE);
	mmap(top + 7 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	row_read(&before, top);
	while (lowest > top + 3 * PAGE && writes(lowest - PAGE))
		lowest -= PAGE;
	row_read(&after, top);
	row_print_head(top);
	row_print("mapped", &before);
	print_text("           write the pages below it, one after the other");
	row_print("grown", &after);
	claim(after.cell[3].kind == CELL_PRESENT && after.cell[2].kind == CELL_UNMAPPED,
	      "it grew by what was touched");
	while (lowest > room + PAGE && writes(lowest - PAGE))
		lowest -= PAGE;
	snprintf(line, sizeof(line), "it stops %u pages above its neighbour: SIGSEGV at %08x",
		 (unsigned)(lowest - room - PAGE) / PAGE, (unsigned)(uintptr_t)fault_address);
	claim(lowest > room + 100 * PAGE && fault_address == lowest - PAGE, line);
	munmap(room, GROW_MAX * PAGE);
}

static void guard(void)
{
	char *p = map(CELLS, RW, ANON, -1), *at = p, line[80];
	struct row after, less;

	print_heading("5. Guards: a page without access, and a hole");
	mprotect(p + 5 * PAGE, PAGE, PROT_NONE);
	while (at < p + CELLS * PAGE && writes(at))
		at += PAGE;
	row_read(&after, p);
	munmap(p + PAGE, 2 * PAGE);
	row_read(&less, p);
	row_print_head(p);
	row_print("written", &after);
	snprintf(line, sizeof(line), "page 5 has no access: SIGSEGV, SEGV_ACCERR at %08x",
		 (unsigned)(uintptr_t)fault_address);
	claim(at == p + 5 * PAGE && fault_address == at && fault_code == SEGV_ACCERR, line);
	print_text("           unmap pages 1 and 2");
	row_print("unmapped", &less);
	claim(!writes(p + PAGE) && fault_code == SEGV_MAPERR,
	      "there is nothing at pages 1 and 2: SEGV_MAPERR");
	claim(p[0] == 1 && p[3 * PAGE] == 1, "what was on either side is as it was");
	munmap(p, CELLS * PAGE);
}

static void before_and_after(const char *heading)
{
	print_heading(heading);
	picture_areas();
	print_text("");
	print_text("Pages present, 16 to a character, 4 MiB to a line:");
	picture_tables();
}

int main(void)
{
	picture_init();
	before_and_after("The address space of this program");
	print_text("");
	print_text("Below, a cell is a page. Its frame's number; w where the entry allows writing,");
	print_text("r where only reading. Blank: nothing behind it yet. --: nothing mapped.");
	demand_zero();
	copy_on_write();
	sharing();
	growing();
	guard();
	before_and_after("The address space afterwards");
	return picture_claims_hold ? 0 : 1;
}
