/*
 * user/churn.c - fork, exec, map and exit, over and over; then as much memory must be free as before.
 *
 *     churn [ROUNDS]      10 000 unless said otherwise
 *
 * A round: a child maps, writes and forks a grandchild that writes too; then the child executes this program, which
 * maps again and ends. Prints the free memory before and after, in KiB: before, after the first rounds, in which
 * caches fill. Ends with 1 when some was lost.
 */
#include "meminfo.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096u
#define PAGES 20u
#define WARM  50 /* rounds before the first count */

static char *self;

static char *map_and_touch(int flags)
{
	char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(2);
	for (unsigned i = 0; i < PAGES; i++)
		p[i * PAGE] = (char)i;
	return p;
}

static _Noreturn void child_s_part(void)
{
	char *words[] = {self, "map", NULL}, *mine = map_and_touch(MAP_PRIVATE),
	     *both = map_and_touch(MAP_SHARED);
	int status;
	pid_t grandchild = fork();

	if (grandchild < 0)
		_exit(3);
	if (!grandchild) {
		memset(mine, 1, PAGES * PAGE / 2);
		both[0] = 77;
		munmap(mine + PAGE, 3 * PAGE);
		_exit(0);
	}
	if (waitpid(grandchild, &status, 0) != grandchild || status || both[0] != 77 || mine[PAGE] != 1)
		_exit(4);
	execv(self, words);
	_exit(5);
}

static int mapped_part(void)
{
	char *p = map_and_touch(MAP_PRIVATE);

	munmap(p + 5 * PAGE, 5 * PAGE);
	return p[PAGE] == 1 ? 0 : 6;
}

static int round_trip(void)
{
	int status = -1;
	pid_t child = fork();

	if (!child)
		child_s_part();
	if (child < 0 || waitpid(child, &status, 0) != child)
		return errno;
	return status;
}

int main(int argc, char **argv)
{
	int rounds;
	long before = 0, after;

	self = argv[0];
	if (argc > 1 && !strcmp(argv[1], "map"))
		return mapped_part();
	rounds = argc > 1 ? atoi(argv[1]) : 10000;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < WARM + rounds; i++) {
		int status = round_trip();

		if (i + 1 == WARM)
			before = free_kib();
		if (status) {
			printf("churn: round %d ended with %#x\n", i, status);
			return 1;
		}
		if (i % 1000 == 999)
			printf("churn: %d rounds, %ld KiB free\n", i + 1 - WARM, free_kib());
	}
	after = free_kib();
	printf("churn: %d rounds; free before %ld KiB, after %ld KiB\n", rounds, before, after);
	return after < before;
}
