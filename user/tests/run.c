/*
 * user/tests/run.c - facts of a program that runs: of its file, and of the process that made it. With SHOW in its
 * environment this program is the one that is started: it ends at once, or tells that it runs and stays.
 */
#include "fact.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char *me; /* the path of this program */

void fact_begin(int argc, char **argv)
{
	const char *what = getenv("SHOW");

	(void)argc;
	(void)argv;
	me = (char *)(uintptr_t)getauxval(AT_EXECFN);
	if (!what)
		return;
	if (!strcmp(what, "ready")) {
		write(1, "r", 1);
		pause();
	}
	_exit(0);
}

FACT(the_group_of_a_child_that_has_executed_is_its_own_affair)
{
	char *words[] = {"name", NULL}, *environment[] = {"SHOW=ready", NULL}, c;
	int ends[2];
	pid_t child;

	REQUIRE(pipe(ends) == 0);
	child = fork();
	if (!child) {
		dup2(ends[1], 1);
		execve(me, words, environment);
		_exit(1);
	}
	EXPECT_EQ(read(ends[0], &c, 1), 1);
	EXPECT_ERRNO(setpgid(child, child), EACCES);
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
}

/* Of a program that shares its maker's memory, when it leaves that. */
static int execute(void *ends)
{
	char *words[] = {"name", NULL}, *environment[] = {"SHOW=ready", NULL};

	dup2(((int *)ends)[1], 1);
	execve(me, words, environment);
	_exit(1);
}

FACT(exec_clears_the_word_that_clone_was_told)
{
	char *stack = pages(16), c;
	int ends[2], word = 7;
	pid_t child;

	REQUIRE(pipe(ends) == 0);
	child = clone(execute, stack + 16 * PAGE, CLONE_VM | CLONE_VFORK | CLONE_CHILD_CLEARTID | SIGCHLD,
		      ends, NULL, NULL, &word);
	EXPECT_EQ(read(ends[0], &c, 1), 1);
	EXPECT_EQ(word, 0);
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
}

FACT(who_has_executed_is_waited_for_as_any_child)
{
	char *words[] = {"name", NULL}, *environment[] = {"SHOW=nothing", NULL};
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_VFORK, 0, 0, 0, 0);

	if (!child) {
		execve(me, words, environment);
		_exit(1);
	}
	EXPECT_EQ(waitpid(child, NULL, 0), child);
}

FACT(a_running_program_cannot_be_written)
{
	EXPECT_ERRNO(open(me, O_WRONLY), ETXTBSY);
	EXPECT_ERRNO(open(me, O_RDONLY | O_TRUNC), ETXTBSY);
	EXPECT_ERRNO(truncate(me, 0), ETXTBSY);
}

FACT(a_program_that_a_mapping_may_write_cannot_be_run)
{
	static const char name[] = "/tmp/written";
	char *words[] = {"name", NULL}, *p;
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0700);

	EXPECT_EQ(write(fd, "#!/none\n", 8), 8);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	EXPECT(p != MAP_FAILED);
	EXPECT_ERRNO(execve(name, words, words + 1), ETXTBSY);
	munmap(p, 4096);
	EXPECT_ERRNO(execve(name, words, words + 1), ENOENT);
	unlink(name);
}

FACT(vfork_and_exec_set_the_parent_free)
{
	char *words[] = {"name", NULL}, *environment[] = {"SHOW=nothing", NULL};
	int status;
	pid_t child = vfork();

	if (!child) {
		execve(me, words, environment);
		_exit(1);
	}
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}
