/*
 * user/init.c - the first process. Runs the words of the kernel's command line that the kernel hands on, or vmtour
 * when there are none; takes in orphans; ends as that program ends. Prints nothing of its own but why it cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNALLED 128 /* as shells say that a signal ended a program: 128 and its number */

static char *const tour[] = {"/bin/vmtour", NULL};
static char *const environment[] = {"PATH=/bin", "HOME=/", "TERM=linux", NULL};

/* The kernel may start a first process without descriptors. */
static void open_console(void)
{
	int fd = fcntl(0, F_GETFD) < 0 ? open("/dev/console", O_RDWR) : 0;

	while (fd >= 0 && fd < 2)
		fd = fcntl(fd + 1, F_GETFD) < 0 ? dup2(0, fd + 1) : fd + 1;
}

/* What is not there may be what runs it: of a script, or of a program that is linked dynamically. */
static int fail_to_run(const char *path)
{
	const char *why = strerror(errno);

	if (errno == ENOENT && !access(path, F_OK))
		why = "its interpreter is not there, or it is linked dynamically";
	fprintf(stderr, "init: %s: %s\n", path, why);
	return 127;
}

static int fail(const char *what)
{
	fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
	return 127;
}

int main(int argc, char **argv)
{
	char *const *words = argc > 1 ? argv + 1 : tour;
	pid_t child, ended;
	int status = 0;

	open_console();
	if (access("/proc/self", F_OK)) /* Linux has it for who mounts it */
		mount("proc", "/proc", "proc", 0, NULL);
	child = fork();
	if (child < 0)
		return fail("fork");
	if (!child) {
		setsid();
		execve(words[0], words, environment);
		_exit(fail_to_run(words[0]));
	}
	do
		ended = wait(&status);
	while (ended != child && (ended > 0 || errno == EINTR));
	return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}
