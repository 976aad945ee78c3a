/*
 * user/facts.c - runs the programs of /tests, or those that are named, one after the other. A line before each says
 * which, a line behind it how it ended: a reader of the console can tell what a crash belongs to.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 256

static char *names[MOST];

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static unsigned find_programs(void)
{
	DIR *folder = opendir("/tests");
	struct dirent *entry;
	unsigned count = 0;

	if (!folder)
		return 0;
	while (count < MOST && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.')
			names[count++] = strdup(entry->d_name);
	}
	closedir(folder);
	qsort(names, count, sizeof(names[0]), by_name);
	return count;
}

static void run(const char *name)
{
	char path[300];
	int status = 0;
	pid_t child;

	printf("== program %s\n", name);
	snprintf(path, sizeof(path), "/tests/%s", name);
	child = fork();
	if (!child) {
		execl(path, name, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		printf("== could not run %s\n", name);
	else if (WIFSIGNALED(status))
		printf("== ended %s by signal %d\n", name, WTERMSIG(status));
	else
		printf("== ended %s with %d\n", name, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	unsigned count = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	if (argc == 1)
		count = find_programs();
	for (unsigned i = 0; i < count; i++)
		run(names[i]);
	puts("== all");
	return 0;
}
