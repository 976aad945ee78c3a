/* user/tests/fork.c - facts of fork, vfork and copy-on-write. */
#include "fact.h"
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char *shared, *private;
static int number;

static void write_private(void)
{
	EXPECT_EQ(private[0], 1);
	private[0] = 2;
	private[PAGE] = 3;
	EXPECT_EQ(private[0], 2);
}

FACT(what_a_child_writes_its_parent_does_not_see)
{
	private = pages(3);
	private[0] = 1;
	EXPECT_EQ(in_child(write_private), 0);
	EXPECT_EQ(private[0], 1);
	EXPECT_EQ(private[PAGE], 0);
}

FACT(what_a_parent_writes_its_child_does_not_see)
{
	int go[2], status;
	char c = 0;

	private = pages(1);
	private[0] = 1;
	REQUIRE(pipe(go) == 0);
	if (!fork()) {
		read(go[0], &c, 1);
		_exit(private[0] != 1);
	}
	private[0] = 2;
	EXPECT_EQ(write(go[1], &c, 1), 1);
	wait(&status);
	EXPECT_EQ(status, 0);
}

static void write_shared(void)
{
	shared[0] = 2;
}

FACT(what_is_mapped_shared_both_see)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(shared != MAP_FAILED);
	EXPECT_EQ(in_child(write_shared), 0);
	EXPECT_EQ(shared[0], 2);
}

static void write_number(void)
{
	char local[3 * PAGE];

	memset(local, 1, sizeof(local));
	number = local[PAGE] + 4;
	EXPECT_EQ(number, 5);
}

FACT(data_and_stack_are_copies)
{
	number = 1;
	EXPECT_EQ(in_child(write_number), 0);
	EXPECT_EQ(number, 1);
}

FACT(fork_returns_zero_in_the_child_and_its_pid_in_the_parent)
{
	pid_t mine = getpid(), child = fork();

	if (!child)
		_exit(getpid() == mine || getppid() != mine);
	EXPECT(child > mine || child > 1);
	int status;
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

FACT(a_chain_of_forks_keeps_each_generation_s_content)
{
	int status;

	private = pages(8);
	for (int depth = 0; depth < 12; depth++) {
		pid_t child;

		memset(private, depth, 8 * PAGE);
		child = fork();
		if (child) {
			waitpid(child, &status, 0);
			for (unsigned i = 0; i < 8; i++)
				EXPECT_EQ(private[i * PAGE], depth);
			if (depth)
				_exit(status != 0 || private[0] != depth);
			EXPECT_EQ(status, 0);
			return;
		}
		EXPECT_EQ(private[7 * PAGE], depth);
	}
	_exit(0);
}

FACT(many_children_of_one_page_each_get_their_own)
{
	int status;

	private = pages(1);
	private[0] = 100;
	for (int i = 0; i < 20; i++) {
		if (!fork()) {
			private[0] = (char)i;
			sched_yield();
			_exit(private[0] != i);
		}
	}
	for (int i = 0; i < 20; i++) {
		EXPECT(wait(&status) > 0);
		EXPECT_EQ(status, 0);
	}
	EXPECT_EQ(private[0], 100);
}

FACT(a_page_written_after_its_child_ended_is_still_the_parent_s)
{
	private = pages(16);
	memset(private, 1, 16 * PAGE);
	for (int i = 0; i < 30; i++) {
		EXPECT_EQ(in_child(write_private), 0);
		private[0] = 1;
		private[15 * PAGE] = (char)i;
	}
	EXPECT_EQ(private[15 * PAGE], 29);
	EXPECT_EQ(private[14 * PAGE], 1);
}

FACT(a_read_only_page_stays_so_in_the_child)
{
	int status;

	private = pages(1);
	private[0] = 1;
	mprotect(private, PAGE, PROT_READ);
	if (!fork())
		_exit(try_write(private).code != SEGV_ACCERR);
	wait(&status);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(try_write(private).code, SEGV_ACCERR);
}

FACT(read_only_before_and_writable_after_fork_still_copies)
{
	int status;

	private = pages(1);
	private[0] = 1;
	mprotect(private, PAGE, PROT_READ);
	if (!fork()) {
		mprotect(private, PAGE, PROT_READ | PROT_WRITE);
		private[0] = 2;
		_exit(0);
	}
	wait(&status);
	EXPECT_EQ(private[0], 1);
}

static void write_first(void)
{
	EXPECT_EQ(private[0], 1);
	private[0] = 2;
}

FACT(a_private_file_mapping_is_copied_too)
{
	private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_of(PAGE), 0);
	REQUIRE(private != MAP_FAILED);
	EXPECT_EQ(in_child(write_first), 0);
	EXPECT_EQ(private[0], 1);
}

FACT(vfork_runs_the_child_first_in_the_same_memory)
{
	volatile int seen = 0;
	int status;
	pid_t child = vfork();

	if (!child) {
		seen = 1;
		_exit(7);
	}
	EXPECT_EQ(seen, 1);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(WEXITSTATUS(status), 7);
}

static int on_own_stack(void *argument)
{
	*(volatile int *)argument = 42;
	return 9;
}

static void note_signal(int sig)
{
	shared[1] = (char)sig;
}

/* Waits in the memory of its maker, which is killed meanwhile. */
static void outlive_maker(int from, int to)
{
	char c;

	if (write(to, "r", 1) == 1 && read(from, &c, 1) == 1)
		number++;
	_exit(write(to, &number, 1) != 1);
}

FACT(who_waits_for_a_vfork_can_be_killed)
{
	int there[2], back[2], status;
	pid_t maker;
	char c = 0;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(pipe(there) == 0 && pipe(back) == 0);
	number = 41;
	maker = fork();
	if (!maker) {
		signal(SIGHUP, note_signal);
		if (!vfork())
			outlive_maker(there[0], back[1]);
		_exit(1);
	}
	EXPECT_EQ(read(back[0], &c, 1), 1);
	kill(maker, SIGHUP);
	usleep(20000);
	EXPECT_EQ(waitpid(maker, &status, WNOHANG), 0);
	kill(maker, SIGKILL);
	EXPECT_EQ(waitpid(maker, &status, 0), maker);
	EXPECT_EQ(WTERMSIG(status), SIGKILL);
	EXPECT_EQ(write(there[1], "g", 1), 1);
	EXPECT_EQ(read(back[0], &c, 1), 1);
	EXPECT_EQ(c, 42);
	EXPECT_EQ(shared[1], 0); /* no handler ran on the stack that both have */
}

FACT(clone_as_posix_spawn_uses_it_shares_memory_until_exec)
{
	char *stack = pages(16);
	volatile int seen = 0;
	int status;
	pid_t child = clone(on_own_stack, stack + 16 * PAGE, CLONE_VM | CLONE_VFORK | SIGCHLD,
			    (void *)(uintptr_t)&seen);

	REQUIRE(child > 0);
	EXPECT_EQ(seen, 42);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(WEXITSTATUS(status), 9);
}

FACT(a_word_is_cleared_when_a_child_leaves_its_maker_s_memory)
{
	char *stack = pages(16);
	int seen, word = 7;
	pid_t child =
		clone(on_own_stack, stack + 16 * PAGE,
		      CLONE_VM | CLONE_VFORK | CLONE_CHILD_CLEARTID | SIGCHLD, &seen, NULL, NULL, &word);

	REQUIRE(child > 0);
	EXPECT_EQ(word, 0);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
}

static void check_heritage(void)
{
	struct rlimit limit;
	char name[16] = "";
	gid_t groups[3] = {0, 0, 0};

	EXPECT_EQ(getresgid(groups, groups + 1, groups + 2), 0);
	EXPECT(groups[0] == 5 && groups[1] == 6 && groups[2] == 7);
	EXPECT_EQ(umask(0), 027);
	EXPECT_EQ(prctl(PR_GET_NAME, name), 0);
	EXPECT(!strcmp(name, "heir"));
	EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
	EXPECT_EQ(prctl(PR_GET_PDEATHSIG, &groups[0]), 0);
	EXPECT_EQ(groups[0], 0); /* this one alone is not handed on */
	EXPECT_EQ(getrlimit(RLIMIT_CPU, &limit), 0);
	EXPECT(limit.rlim_cur == 1000 && limit.rlim_max == 2000);
}

FACT(a_child_has_its_maker_s_groups_mask_name_and_limits)
{
	const struct rlimit limit = {1000, 2000};

	umask(027);
	prctl(PR_SET_NAME, "heir");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	REQUIRE(setrlimit(RLIMIT_CPU, &limit) == 0);
	REQUIRE(setresgid(5, 6, 7) == 0);
	prctl(PR_SET_DUMPABLE, 0);
	EXPECT_EQ(in_child(check_heritage), 0);
}

FACT(posix_spawn_of_nothing_is_ENOENT)
{
	char *words[] = {"nothing", NULL};
	pid_t child;

	EXPECT_EQ(posix_spawn(&child, "/bin/there-is-no-such-program", NULL, NULL, words, environ), ENOENT);
}

FACT(children_pass_their_turns_on)
{
	int ends[2], status;
	char c;

	/* Each waits for the one before: without a scheduler that lets all run, this stands still. */
	REQUIRE(pipe(ends) == 0);
	for (int i = 0; i < 10; i++) {
		if (!fork()) {
			c = (char)i;
			_exit(write(ends[1], &c, 1) != 1);
		}
	}
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(read(ends[0], &c, 1), 1);
	for (int i = 0; i < 10; i++) {
		wait(&status);
		EXPECT_EQ(status, 0);
	}
}

FACT(a_loop_without_calls_is_preempted)
{
	pid_t child = fork();
	int status;

	if (!child) {
		for (volatile unsigned n = 0;; n++)
			;
	}
	usleep(30000);
	EXPECT_EQ(kill(child, SIGKILL), 0);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(WTERMSIG(status), SIGKILL);
}
