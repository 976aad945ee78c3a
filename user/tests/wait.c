/* user/tests/wait.c - facts of wait, exit, zombies, orphans, groups and sessions. */
#include "fact.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static pid_t child_that_exits(int status)
{
	pid_t child = fork();

	if (!child)
		_exit(status);
	EXPECT(child > 0);
	return child;
}

static pid_t child_that_waits(void)
{
	pid_t child = fork();

	if (!child) {
		for (;;)
			pause();
	}
	EXPECT(child > 0);
	return child;
}

FACT(the_status_is_eight_bits_of_what_exit_was_given)
{
	int status;
	pid_t child = child_that_exits(0x1234);

	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0x3400);
}

FACT(without_children_it_is_ECHILD)
{
	EXPECT_ERRNO(wait(NULL), ECHILD);
	EXPECT_ERRNO(waitpid(1, NULL, 0), ECHILD);
}

FACT(a_child_is_waited_for_once)
{
	pid_t child = child_that_exits(0);

	EXPECT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_ERRNO(waitpid(child, NULL, 0), ECHILD);
}

FACT(nohang_returns_zero_while_the_child_lives)
{
	pid_t child = child_that_waits();

	EXPECT_EQ(waitpid(child, NULL, WNOHANG), 0);
	kill(child, SIGTERM);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
}

FACT(a_zombie_can_be_signalled_and_is_not_gone)
{
	siginfo_t info;
	pid_t child = child_that_exits(3);

	EXPECT_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	EXPECT_EQ(info.si_status, 3);
	EXPECT_EQ(kill(child, 0), 0);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_ERRNO(kill(child, 0), ESRCH);
}

FACT(waitid_tells_how_a_child_ended)
{
	siginfo_t info;
	pid_t child = child_that_waits();

	kill(child, SIGKILL);
	EXPECT_EQ(waitid(P_ALL, 0, &info, WEXITED), 0);
	EXPECT_EQ(info.si_signo, SIGCHLD);
	EXPECT_EQ(info.si_pid, child);
	EXPECT_EQ(info.si_code, CLD_KILLED);
	EXPECT_EQ(info.si_status, SIGKILL);
}

FACT(a_child_that_has_ended_will_not_stop)
{
	siginfo_t info;

	child_that_exits(0);
	EXPECT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	EXPECT_ERRNO(waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED | WNOHANG), ECHILD);
	EXPECT_ERRNO(waitid(P_ALL, 0, &info, WSTOPPED), ECHILD);
}

FACT(waitid_without_what_to_wait_for_is_EINVAL)
{
	siginfo_t info;

	EXPECT_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	EXPECT_ERRNO(waitid(P_PID, 0, &info, WEXITED), EINVAL);
	EXPECT_ERRNO(waitid(P_PID, (id_t)-1, &info, WEXITED), EINVAL);
	EXPECT_ERRNO(waitid(P_PGID, (id_t)-1, &info, WEXITED), EINVAL);
	EXPECT_ERRNO(waitid(77, 5, &info, WEXITED), EINVAL);
	EXPECT_ERRNO(waitid(P_ALL, 0, &info, WEXITED | 0x10), EINVAL);
	EXPECT_ERRNO(waitpid(-1, NULL, 0x12345678), EINVAL);
}

FACT(a_status_for_a_bad_address_is_EFAULT)
{
	child_that_exits(0);
	EXPECT_ERRNO(syscall(SYS_wait4, -1, 16, 0, 0), EFAULT);
}

FACT(a_stopped_child_is_told_with_untraced_and_continued)
{
	int status;
	pid_t child = child_that_waits();

	kill(child, SIGSTOP);
	EXPECT_EQ(waitpid(child, &status, WUNTRACED), child);
	EXPECT(WIFSTOPPED(status));
	EXPECT_EQ(WSTOPSIG(status), SIGSTOP);
	kill(child, SIGCONT);
	EXPECT_EQ(waitpid(child, &status, WCONTINUED), child);
	EXPECT(WIFCONTINUED(status));
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, &status, 0), child);
}

static volatile int told, told_status, told_pid;

static void on_child(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	told++;
	told_status = info->si_status;
	told_pid = info->si_pid;
}

FACT(sigchld_tells_who_and_how)
{
	struct sigaction a = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO};
	pid_t child;

	sigaction(SIGCHLD, &a, NULL);
	child = child_that_exits(9);
	while (!told)
		usleep(1000);
	EXPECT_EQ(told_pid, child);
	EXPECT_EQ(told_status, 9);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
}

FACT(who_ignores_sigchld_has_no_zombies)
{
	sigset_t set;

	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child_that_exits(0);
	EXPECT_ERRNO(wait(NULL), ECHILD);
	EXPECT_EQ(sigpending(&set), 0);
	EXPECT(!sigismember(&set, SIGCHLD));
}

FACT(an_orphan_s_parent_is_another)
{
	int ends[2];
	pid_t seen = 0, middle;

	REQUIRE(pipe(ends) == 0);
	middle = fork();
	if (!middle) {
		pid_t mine = getpid();

		if (fork())
			_exit(0);
		while ((seen = getppid()) == mine)
			usleep(1000);
		_exit(write(ends[1], &seen, sizeof(seen)) != sizeof(seen));
	}
	EXPECT_EQ(waitpid(middle, NULL, 0), middle);
	EXPECT_EQ(read(ends[0], &seen, sizeof(seen)), sizeof(seen));
	EXPECT(seen != middle && seen > 0);
}

FACT(waiting_for_a_group_takes_its_members_only)
{
	pid_t one = child_that_waits(), two = child_that_exits(2);
	int status;

	EXPECT_EQ(setpgid(one, one), 0);
	EXPECT_EQ(waitpid(0, &status, 0), two);
	EXPECT_EQ(waitpid(-one, &status, WNOHANG), 0);
	kill(-one, SIGKILL);
	EXPECT_EQ(waitpid(-one, &status, 0), one);
}

FACT(a_new_session_is_its_own_group)
{
	int status;

	if (!fork()) {
		pid_t mine = getpid();

		if (setsid() != mine || getsid(0) != mine || getpgid(0) != mine)
			_exit(1);
		_exit(setsid() != -1 || errno != EPERM);
	}
	wait(&status);
	EXPECT_EQ(status, 0);
}

FACT(a_group_of_another_session_is_EPERM)
{
	pid_t child = child_that_waits();

	EXPECT_ERRNO(setpgid(child, 1), EPERM);
	EXPECT_ERRNO(setpgid(12345, 0), ESRCH);
	EXPECT_ERRNO(setpgid(0, -5), EINVAL);
	EXPECT_ERRNO(setpgid(-1, 0), EINVAL);
	kill(child, SIGKILL);
	wait(NULL);
}

FACT(a_killed_process_closes_what_it_had_open)
{
	int ends[2];
	char c;
	pid_t child;

	REQUIRE(pipe(ends) == 0);
	child = child_that_waits();
	close(ends[1]);
	kill(child, SIGKILL);
	EXPECT_EQ(read(ends[0], &c, 1), 0);
	wait(NULL);
}

FACT(wait4_fills_the_usage_in)
{
	struct rusage usage;

	memset(&usage, 0xff, sizeof(usage));
	child_that_exits(0);
	EXPECT(wait4(-1, NULL, 0, &usage) > 0);
	EXPECT(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 100);
}

static void work_60_ms(void)
{
	struct rusage usage;

	do {
		for (volatile int i = 0; i < 100000; i++)
			;
		getrusage(RUSAGE_SELF, &usage);
	} while (usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec < 60000);
}

static void let_the_kernel_work_60_ms(void)
{
	static char room[1 << 16];
	int zero = open("/dev/zero", O_RDONLY);
	struct rusage usage;

	do {
		for (int i = 0; i < 20; i++)
			read(zero, room, sizeof(room));
		getrusage(RUSAGE_SELF, &usage);
	} while (usage.ru_stime.tv_sec == 0 && usage.ru_stime.tv_usec < 60000);
}

FACT(sigchld_tells_the_times_and_waitid_does_not)
{
	int32_t words[32];
	struct rusage usage;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!fork()) {
		work_60_ms();
		let_the_kernel_work_60_ms();
		_exit(7);
	}
	EXPECT_EQ(sigwaitinfo(&set, &info), SIGCHLD);
	/* Ticks that were seen: on a slow machine Linux misses some that getrusage makes up for. */
	EXPECT(info.si_utime > 0 && info.si_utime < 500);
	EXPECT(info.si_stime > 0 && info.si_stime < 500);
	memset(words, 0x55, sizeof(words));
	EXPECT_EQ(syscall(SYS_waitid, P_ALL, 0, words, WEXITED, NULL), 0);
	EXPECT_EQ(words[0], SIGCHLD);
	EXPECT_EQ(words[2], CLD_EXITED);
	EXPECT_EQ(words[5], 7);
	EXPECT(words[6] == 0x55555555 && words[7] == 0x55555555);
	EXPECT_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
	EXPECT(usage.ru_utime.tv_sec < 5 && usage.ru_stime.tv_sec < 5);
	EXPECT(usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec >= 50000);
	EXPECT(usage.ru_stime.tv_sec > 0 || usage.ru_stime.tv_usec >= 50000);
}

FACT(what_its_children_used_is_told_of_a_child_too)
{
	struct rusage usage;

	if (!fork()) {
		EXPECT_EQ(in_child(work_60_ms), 0);
		_exit(0);
	}
	EXPECT(wait4(-1, NULL, 0, &usage) > 0);
	EXPECT(usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec >= 50000);
	EXPECT_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
	EXPECT(usage.ru_utime.tv_sec > 0 || usage.ru_utime.tv_usec >= 50000);
}

FACT(what_the_kernel_did_for_its_children_is_told_too)
{
	int32_t words[18]; /* as the kernel has it: the second time is the kernel's */
	struct rusage usage;
	pid_t child = fork();

	if (!child) {
		EXPECT_EQ(in_child(let_the_kernel_work_60_ms), 0);
		_exit(0);
	}
	memset(words, 0xff, sizeof(words));
	EXPECT_EQ(syscall(SYS_waitid, P_PID, child, NULL, WEXITED, words), 0);
	EXPECT(words[2] > 0 || words[3] >= 50000);
	EXPECT(words[2] >= 0 && words[2] < 5 && words[3] < 1000000);
	EXPECT_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
	EXPECT(usage.ru_stime.tv_sec > 0 || usage.ru_stime.tv_usec >= 50000);
}

FACT(an_orphan_goes_to_the_nearest_who_asked_for_it)
{
	pid_t above = getpid(), child;
	int status, on = 7;

	EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 2), 0);
	EXPECT_EQ(prctl(PR_GET_CHILD_SUBREAPER, &on), 0);
	EXPECT_EQ(on, 1);
	child = fork();
	if (!child) {
		pid_t parent = getpid();

		if (fork()) {
			prctl(PR_GET_CHILD_SUBREAPER, &on);
			_exit(on); /* a child is none */
		}
		while (getppid() == parent)
			usleep(1000);
		_exit(getppid() == above ? 5 : 6);
	}
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT(wait(&status) > 0);
	EXPECT_EQ(WEXITSTATUS(status), 5);
	EXPECT_ERRNO(wait(NULL), ECHILD);
}

#define MUCH (4u << 20)

static void touch_much(void)
{
	memset(pages(MUCH / PAGE), 1, MUCH);
}

/* Linux counts with some slack: of little it may tell nothing. */
static bool is_much(const struct rusage *usage)
{
	return usage->ru_maxrss * 1024u >= MUCH - MUCH / 8 && usage->ru_maxrss * 1024u < 2 * MUCH - MUCH / 8;
}

FACT(the_most_memory_it_had_is_told_of_a_process)
{
	struct rusage usage;
	char *p;

	getrusage(RUSAGE_SELF, &usage);
	EXPECT(!is_much(&usage));
	p = pages(MUCH / PAGE);
	memset(p, 1, MUCH);
	munmap(p, MUCH);
	getrusage(RUSAGE_SELF, &usage);
	EXPECT(is_much(&usage));
}

FACT(the_most_memory_is_that_of_the_largest_child)
{
	struct rusage usage;

	for (unsigned i = 0; i < 2; i++) {
		if (!fork()) {
			touch_much();
			_exit(0);
		}
		EXPECT(wait4(-1, NULL, 0, &usage) > 0);
		EXPECT(is_much(&usage));
	}
	EXPECT_EQ(in_child(touch_much), 0);
	getrusage(RUSAGE_CHILDREN, &usage);
	EXPECT(is_much(&usage));
	getrusage(RUSAGE_SELF, &usage);
	EXPECT(!is_much(&usage));
}

/* On a slow machine a sleep may be over before it begins; this goes on until enough were none of that. */
FACT(a_wait_is_counted_as_a_switch_of_ones_own)
{
	struct rusage before, usage;

	getrusage(RUSAGE_SELF, &before);
	do {
		usleep(1000);
		getrusage(RUSAGE_SELF, &usage);
	} while (usage.ru_nvcsw < before.ru_nvcsw + 5);
	EXPECT(usage.ru_nvcsw == before.ru_nvcsw + 5);
}

FACT(who_could_go_on_is_switched_by_others)
{
	struct rusage before, usage, child;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (!fork()) {
		work_60_ms();
		_exit(0);
	}
	getrusage(RUSAGE_SELF, &before);
	while (!wait4(-1, NULL, WNOHANG, &child))
		;
	getrusage(RUSAGE_SELF, &usage);
	EXPECT_EQ(usage.ru_nvcsw, before.ru_nvcsw);
	EXPECT(usage.ru_nivcsw > before.ru_nivcsw);
	EXPECT(child.ru_nivcsw > 0);
}

FACT(who_asks_for_it_gets_a_signal_when_its_parent_ends)
{
	int ends[2], sig = 0;

	REQUIRE(pipe(ends) == 0);
	if (!fork()) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, NULL);
		prctl(PR_SET_PDEATHSIG, SIGUSR2);
		if (fork()) {
			read(ends[0], &sig, sizeof(sig));
			_exit(0);
		}
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		write(ends[1], &sig, sizeof(sig));
		sig = sigwaitinfo(&set, NULL);
		_exit(write(ends[1], &sig, sizeof(sig)) != sizeof(sig));
	}
	wait(NULL);
	EXPECT_EQ(read(ends[0], &sig, sizeof(sig)), sizeof(sig));
	EXPECT_EQ(sig, SIGUSR1);
}

static volatile int told;

static void note_child(int sig)
{
	told += sig == SIGCHLD;
}

FACT(nocldstop_tells_of_ends_only)
{
	struct sigaction a = {.sa_handler = note_child, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
	pid_t child;

	sigaction(SIGCHLD, &a, NULL);
	child = child_that_waits();
	kill(child, SIGSTOP);
	EXPECT_EQ(waitpid(child, NULL, WUNTRACED), child);
	kill(child, SIGCONT);
	EXPECT_EQ(waitpid(child, NULL, WCONTINUED), child);
	EXPECT_EQ(told, 0);
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_EQ(told, 1);
}

/* Children are looked at again before the signal that woke their parent is. */
FACT(a_child_s_end_is_told_and_not_that_its_signal_came)
{
	struct sigaction a = {.sa_handler = note_child};
	pid_t child = fork();

	if (!child) {
		usleep(20000);
		_exit(0);
	}
	sigaction(SIGCHLD, &a, NULL);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_EQ(told, 1);
}

FACT(nocldwait_tells_of_ends_that_leave_nothing_to_wait_for)
{
	struct sigaction a = {.sa_handler = note_child, .sa_flags = SA_NOCLDWAIT | SA_RESTART};

	sigaction(SIGCHLD, &a, NULL);
	child_that_exits(0);
	EXPECT_ERRNO(wait(NULL), ECHILD);
	EXPECT_EQ(told, 1);
}

static volatile int told_otherwise;

static void note_otherwise(int sig)
{
	told_otherwise = sig;
}

FACT(a_clone_may_tell_its_end_by_another_signal)
{
	int status = 0;
	pid_t child;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGUSR1, note_otherwise);
	child = (pid_t)syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
	if (!child)
		_exit(3);
	EXPECT_EQ(waitpid(child, &status, __WCLONE), child);
	EXPECT_EQ(status, 3 << 8);
	EXPECT_EQ(told_otherwise, SIGUSR1);
}

FACT(a_child_that_tells_nobody_is_waited_for_as_a_clone)
{
	pid_t child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);

	if (!child)
		_exit(3);
	EXPECT_ERRNO(waitpid(child, NULL, 0), ECHILD);
	EXPECT_EQ(waitpid(child, NULL, __WCLONE), child);
	child = child_that_exits(0);
	EXPECT_ERRNO(waitpid(child, NULL, __WCLONE), ECHILD);
	EXPECT_EQ(waitpid(child, NULL, __WALL), child);
}

static volatile sig_atomic_t hung_up;

static void note_hang_up(int sig)
{
	(void)sig;
	hung_up = 1;
}

FACT(a_stopped_group_that_becomes_an_orphan_is_hung_up_and_goes_on)
{
	int ends[2], status;
	pid_t leader;
	char letter = 0;

	EXPECT_EQ(pipe(ends), 0);
	leader = fork();
	if (!leader) {
		pid_t child;

		setpgid(0, 0);
		child = fork();
		if (!child) {
			signal(SIGHUP, note_hang_up);
			raise(SIGSTOP);
			write(ends[1], hung_up ? "h" : "c", 1);
			_exit(0);
		}
		_exit(waitpid(child, &status, WUNTRACED) != child);
	}
	close(ends[1]);
	EXPECT_EQ(waitpid(leader, &status, 0), leader);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(read(ends[0], &letter, 1), 1);
	EXPECT_EQ(letter, 'h');
}

FACT(an_orphaned_group_is_stopped_by_nothing_but_SIGSTOP)
{
	pid_t child = fork();
	int status;

	if (!child) {
		setsid();
		raise(SIGTSTP);
		raise(SIGTTIN);
		raise(SIGTTOU);
		raise(SIGSTOP);
		_exit(5);
	}
	EXPECT_EQ(waitpid(child, &status, WUNTRACED), child);
	EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	kill(child, SIGCONT);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(WEXITSTATUS(status), 5);
}

FACT(zero_waits_for_the_own_group)
{
	pid_t child = child_that_waits();
	siginfo_t info;

	EXPECT_EQ(setpgid(child, child), 0);
	kill(child, SIGKILL);
	EXPECT_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	EXPECT_EQ(waitid(P_ALL, 12345, &info, WEXITED | WNOWAIT), 0);
	EXPECT_EQ(info.si_pid, child);
	EXPECT_ERRNO(waitpid(0, NULL, 0), ECHILD);
	EXPECT_ERRNO(waitid(P_PGID, 0, &info, WEXITED), ECHILD);
	EXPECT_ERRNO(syscall(SYS_wait4, INT32_MIN, NULL, 0, NULL), ESRCH);
	EXPECT_EQ(waitpid(-child, NULL, 0), child);
}

FACT(a_group_with_number_one_is_not_any_child)
{
	pid_t child = child_that_waits();
	siginfo_t info;

	EXPECT_EQ(setpgid(child, child), 0);
	EXPECT_ERRNO(waitid(P_PGID, 1, &info, WEXITED | WNOHANG), ECHILD);
	kill(child, SIGKILL);
	EXPECT_EQ(waitid(P_PGID, (id_t)child, &info, WEXITED), 0);
	EXPECT_EQ(info.si_pid, child);
}

FACT(a_child_left_behind_in_another_session_keeps_its_group)
{
	pid_t child = child_that_waits();

	EXPECT_EQ(setsid(), getpid());
	EXPECT_ERRNO(setpgid(child, child), EPERM);
	kill(child, SIGKILL);
	wait(NULL);
}

FACT(a_child_in_a_session_of_its_own_keeps_its_group)
{
	int ends[2];
	char c = 0;
	pid_t child;

	REQUIRE(pipe(ends) == 0);
	child = fork();
	if (!child) {
		setsid();
		write(ends[1], &c, 1);
		pause();
	}
	EXPECT_EQ(read(ends[0], &c, 1), 1);
	EXPECT_ERRNO(setpgid(child, child), EPERM);
	EXPECT_ERRNO(setpgid(child, getpgid(0)), EPERM);
	kill(child, SIGKILL);
	wait(NULL);
}

FACT(exit_runs_what_atexit_was_given_and_flushes)
{
	int ends[2], status;
	char got[8] = "";

	REQUIRE(pipe(ends) == 0);
	if (!fork()) {
		dup2(ends[1], 1);
		setvbuf(stdout, NULL, _IOFBF, 1024);
		printf("flushed");
		exit(0);
	}
	wait(&status);
	EXPECT_EQ(read(ends[0], got, 7), 7);
	EXPECT(!strcmp(got, "flushed"));
}

FACT(two_hundred_children_leave_nothing_behind)
{
	for (int i = 0; i < 200; i++)
		EXPECT_EQ(waitpid(child_that_exits(i), NULL, 0) > 0, true);
	EXPECT_ERRNO(wait(NULL), ECHILD);
}
