/* user/tests/signal.c - facts of signals: handlers, masks, both frames, default actions. */
#include "fact.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

static volatile int count, last, inside, deepest;
static volatile siginfo_t info;

static void counts(int sig)
{
	count++;
	last = sig;
}

static void keeps(int sig, siginfo_t *i, void *context)
{
	(void)context;
	counts(sig);
	info = *i;
}

static void nests(int sig)
{
	inside++;
	deepest = inside > deepest ? inside : deepest;
	if (count++ < 3)
		raise(sig);
	inside--;
}

static void handle(int sig, void (*f)(int), int flags)
{
	struct sigaction a = {.sa_handler = f, .sa_flags = flags};

	EXPECT_EQ(sigaction(sig, &a, NULL), 0);
}

static void handle_info(int sig)
{
	struct sigaction a = {.sa_sigaction = keeps, .sa_flags = SA_SIGINFO};

	EXPECT_EQ(sigaction(sig, &a, NULL), 0);
}

static void mask(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	EXPECT_EQ(sigprocmask(how, &set, NULL), 0);
}

FACT(a_handler_runs_and_the_program_goes_on)
{
	handle(SIGUSR1, counts, 0);
	EXPECT_EQ(raise(SIGUSR1), 0);
	EXPECT_EQ(count, 1);
	EXPECT_EQ(last, SIGUSR1);
}

FACT(registers_and_flags_survive_a_handler)
{
	unsigned in = 0x12345678, out, pid = (unsigned)getpid();

	handle(SIGUSR1, counts, 0);
	__asm__ volatile("movl %1, %%edi\n\tint $0x80\n\tmovl %%edi, %0"
			 : "=r"(out)
			 : "r"(in), "a"(SYS_kill), "b"(pid), "c"(SIGUSR1)
			 : "edi", "memory", "cc");
	EXPECT_EQ(out, in);
	EXPECT_EQ(count, 1);
}

FACT(floating_point_survives_a_handler)
{
	volatile double x = 1.5, y;

	handle(SIGUSR1, counts, 0);
	y = x * 3.25;
	raise(SIGUSR1);
	EXPECT(y == 4.875);
	EXPECT(x / y < 0.31 && x / y > 0.30);
}

FACT(the_sender_is_told)
{
	handle_info(SIGUSR2);
	EXPECT_EQ(kill(getpid(), SIGUSR2), 0);
	EXPECT_EQ(info.si_signo, SIGUSR2);
	EXPECT_EQ(info.si_code, SI_USER);
	EXPECT_EQ(info.si_pid, getpid());
	EXPECT_EQ(info.si_uid, getuid());
}

FACT(tgkill_and_tkill_tell_so)
{
	handle_info(SIGUSR2);
	EXPECT_EQ(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2), 0);
	EXPECT_EQ(info.si_code, SI_TKILL);
	EXPECT_EQ(syscall(SYS_tkill, gettid(), SIGUSR2), 0);
	EXPECT_EQ(count, 2);
	EXPECT_ERRNO(syscall(SYS_tgkill, getpid(), -1, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_tgkill, getpid(), getpid() + 1, 0), ESRCH);
}

FACT(a_blocked_signal_waits)
{
	sigset_t pending;

	handle(SIGUSR1, counts, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	EXPECT_EQ(count, 0);
	EXPECT_EQ(sigpending(&pending), 0);
	EXPECT(sigismember(&pending, SIGUSR1));
	mask(SIG_UNBLOCK, SIGUSR1);
	EXPECT_EQ(count, 1); /* twice is once */
}

FACT(kill_and_stop_cannot_be_caught_blocked_or_ignored)
{
	struct sigaction a = {.sa_handler = counts};
	sigset_t all, now;

	EXPECT_ERRNO(sigaction(SIGKILL, &a, NULL), EINVAL);
	EXPECT_ERRNO(sigaction(SIGSTOP, &a, NULL), EINVAL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EXPECT(!sigismember(&now, SIGKILL));
	EXPECT(!sigismember(&now, SIGSTOP));
	EXPECT(sigismember(&now, SIGTERM));
}

FACT(a_signal_is_blocked_while_its_handler_runs)
{
	handle(SIGUSR1, nests, 0);
	raise(SIGUSR1);
	EXPECT_EQ(deepest, 1);
	EXPECT_EQ(count, 4);
}

FACT(unless_its_action_says_nodefer)
{
	handle(SIGUSR1, nests, SA_NODEFER);
	raise(SIGUSR1);
	EXPECT_EQ(deepest, 4);
}

FACT(resethand_takes_the_handler_away)
{
	struct sigaction now;

	handle(SIGUSR1, counts, (int)SA_RESETHAND);
	raise(SIGUSR1);
	EXPECT_EQ(sigaction(SIGUSR1, NULL, &now), 0);
	EXPECT(now.sa_handler == SIG_DFL);
}

FACT(the_mask_of_an_action_holds_in_its_handler)
{
	struct sigaction a = {.sa_handler = nests};

	sigaddset(&a.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &a, NULL);
	handle(SIGUSR2, counts, 0);
	count = 3;
	raise(SIGUSR1);
	EXPECT_EQ(count, 4);
	EXPECT_EQ(last, 0);
}

static void change_context(int sig, siginfo_t *i, void *context)
{
	ucontext_t *u = context;

	(void)i;
	counts(sig);
	u->uc_mcontext.gregs[REG_EIP] += 2; /* ud2 has two bytes */
	u->uc_mcontext.gregs[REG_EBX] = 4711;
}

FACT(what_a_handler_changes_in_the_context_counts)
{
	struct sigaction a = {.sa_sigaction = change_context, .sa_flags = SA_SIGINFO};
	int ebx;

	sigaction(SIGILL, &a, NULL);
	__asm__ volatile("ud2" : "=b"(ebx) : : "memory");
	EXPECT_EQ(ebx, 4711);
	EXPECT_EQ(count, 1);
}

FACT(the_mask_in_the_context_is_restored)
{
	sigset_t now;

	handle(SIGUSR1, counts, 0);
	mask(SIG_BLOCK, SIGUSR2);
	raise(SIGUSR1);
	sigprocmask(SIG_SETMASK, NULL, &now);
	EXPECT(sigismember(&now, SIGUSR2));
	EXPECT(!sigismember(&now, SIGUSR1));
}

/* The old call and frame: an action without SA_SIGINFO, and the C library's own way back left out. */
struct old_action {
	void (*handler)(int);
	unsigned long mask, flags;
	void (*restorer)(void);
};

FACT(the_old_frame_works_too)
{
	struct old_action a = {.handler = counts};

	EXPECT_EQ(syscall(SYS_sigaction, SIGUSR1, &a, NULL), 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	EXPECT_EQ(count, 2);
}

static sigjmp_buf back;

static void jumps(int sig)
{
	counts(sig);
	siglongjmp(back, 1);
}

FACT(a_handler_may_leave_by_longjmp)
{
	handle(SIGUSR1, jumps, 0);
	for (volatile int i = 0; i < 5; i++) {
		if (!sigsetjmp(back, 1))
			raise(SIGUSR1);
	}
	EXPECT_EQ(count, 5);
}

static void await_signal(int sig)
{
	raise(sig);
	_exit(55);
}

static void term(void)
{
	await_signal(SIGTERM);
}

static void child_signal(void)
{
	await_signal(SIGCHLD);
}

static void real_time(void)
{
	await_signal(SIGRTMIN);
}

FACT(defaults_are_to_end_or_to_ignore)
{
	EXPECT_EQ(WTERMSIG(in_child(term)), SIGTERM);
	EXPECT_EQ(WEXITSTATUS(in_child(child_signal)), 55);
	EXPECT_EQ(WTERMSIG(in_child(real_time)), SIGRTMIN);
}

FACT(an_ignored_signal_does_nothing)
{
	handle(SIGTERM, SIG_IGN, 0);
	EXPECT_EQ(raise(SIGTERM), 0);
}

FACT(sigsuspend_waits_with_another_mask)
{
	sigset_t none;

	handle(SIGALRM, counts, 0);
	mask(SIG_BLOCK, SIGALRM);
	ualarm(20000, 0);
	sigemptyset(&none);
	EXPECT_ERRNO(sigsuspend(&none), EINTR);
	EXPECT_EQ(count, 1);
}

FACT(pause_ends_with_a_handler)
{
	handle(SIGALRM, counts, 0);
	ualarm(20000, 0);
	EXPECT_ERRNO(pause(), EINTR);
	EXPECT_EQ(count, 1);
}

FACT(sigtimedwait_takes_what_is_blocked)
{
	struct timespec soon = {0, 10000000};
	siginfo_t got;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	mask(SIG_BLOCK, SIGUSR1);
	EXPECT_ERRNO(sigtimedwait(&set, &got, &soon), EAGAIN);
	kill(getpid(), SIGUSR1);
	EXPECT_EQ(sigtimedwait(&set, &got, &soon), SIGUSR1);
	EXPECT_EQ(got.si_pid, getpid());
}

FACT(sigtimedwait_wakes_for_what_would_be_ignored)
{
	struct timespec while_it_ends = {5, 0};
	sigset_t set;
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	handle(SIGUSR1, SIG_IGN, 0);
	child = fork();
	if (!child) {
		usleep(20000);
		kill(getppid(), SIGUSR1);
		usleep(20000);
		_exit(0);
	}
	EXPECT_EQ(sigtimedwait(&set, NULL, &while_it_ends), SIGUSR1);
	EXPECT_EQ(sigtimedwait(&set, NULL, &while_it_ends), SIGCHLD);
}

FACT(an_interval_timer_fires_again_and_again)
{
	struct itimerval every = {{0, 10000}, {0, 10000}}, left;

	handle(SIGALRM, counts, SA_RESTART);
	EXPECT_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
	while (count < 4)
		pause();
	EXPECT_EQ(getitimer(ITIMER_REAL, &left), 0);
	EXPECT_EQ(left.it_interval.tv_usec, 10000);
	every = (struct itimerval){{0, 0}, {0, 0}};
	EXPECT_EQ(setitimer(ITIMER_REAL, &every, NULL), 0);
}

FACT(alarm_tells_what_was_left)
{
	alarm(100);
	EXPECT(alarm(0) >= 99);
	EXPECT_EQ(alarm(0), 0);
}

FACT(kill_of_nobody_is_ESRCH)
{
	EXPECT_ERRNO(kill(30000, 0), ESRCH);
	EXPECT_ERRNO(kill(getpid(), 65), EINVAL);
	EXPECT_EQ(kill(getpid(), 0), 0);
}

FACT(a_child_inherits_handlers_and_mask_but_not_what_is_pending)
{
	int status;

	handle(SIGUSR1, counts, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	if (!fork()) {
		mask(SIG_UNBLOCK, SIGUSR1);
		if (count)
			_exit(1);
		raise(SIGUSR1);
		_exit(count != 1);
	}
	wait(&status);
	EXPECT_EQ(status, 0);
}

FACT(real_time_signals_queue)
{
	union sigval value = {.sival_int = 7};

	handle_info(SIGRTMIN + 1);
	mask(SIG_BLOCK, SIGRTMIN + 1);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(sigqueue(getpid(), SIGRTMIN + 1, value), 0);
	mask(SIG_UNBLOCK, SIGRTMIN + 1);
	EXPECT_EQ(count, 3);
	EXPECT_EQ(info.si_code, SI_QUEUE);
	EXPECT_EQ(info.si_value.sival_int, 7);
}

FACT(a_signal_to_the_group_reaches_each)
{
	int status;

	if (!fork()) {
		setpgid(0, 0);
		for (int i = 0; i < 3; i++) {
			if (!fork()) {
				pause();
				_exit(1);
			}
		}
		handle(SIGTERM, SIG_IGN, 0);
		usleep(30000);
		kill(0, SIGTERM);
		for (int i = 0; i < 3; i++) {
			if (wait(&status) < 0 || !WIFSIGNALED(status))
				_exit(2);
		}
		_exit(0);
	}
	wait(&status);
	EXPECT_EQ(status, 0);
}

static void bad_frame(int sig)
{
	(void)sig;
	__asm__ volatile("movl $0x10, %%esp\n\tmovl %0, %%eax\n\tint $0x80" : : "i"(SYS_rt_sigreturn));
}

static void return_from_nowhere(void)
{
	handle(SIGUSR1, bad_frame, 0);
	raise(SIGUSR1);
}

FACT(sigreturn_from_a_bad_stack_ends_the_program)
{
	EXPECT_EQ(WTERMSIG(in_child(return_from_nowhere)), SIGSEGV);
}

static void kernel_segments(int sig, siginfo_t *i, void *context)
{
	ucontext_t *u = context;

	(void)sig, (void)i;
	u->uc_mcontext.gregs[REG_CS] = 0x60;
	u->uc_mcontext.gregs[REG_SS] = 0x68;
}

static void wild_flags(int sig, siginfo_t *i, void *context)
{
	ucontext_t *u = context;

	(void)sig, (void)i;
	u->uc_mcontext.gregs[REG_EFL] |= 0x27000; /* VM, NT, IOPL 3 */
}

static void handle_context(void (*f)(int, siginfo_t *, void *))
{
	struct sigaction a = {.sa_sigaction = f, .sa_flags = SA_SIGINFO};

	EXPECT_EQ(sigaction(SIGUSR1, &a, NULL), 0);
}

static void return_to_kernel_segments(void)
{
	handle_context(kernel_segments);
	raise(SIGUSR1);
}

static void leave_iret(int sig, siginfo_t *i, void *context)
{
	keeps(sig, i, context);
	inside = ((ucontext_t *)context)->uc_mcontext.gregs[REG_TRAPNO];
	siglongjmp(back, 1);
}

FACT(sigreturn_to_the_kernel_s_segments_ends_the_program)
{
	struct sigaction a = {.sa_sigaction = leave_iret, .sa_flags = SA_SIGINFO};
	int status = in_child(return_to_kernel_segments);

	EXPECT(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGILL);
	sigaction(SIGILL, &a, NULL);
	if (!sigsetjmp(back, 1))
		return_to_kernel_segments();
	EXPECT_EQ(count, 1);
	EXPECT_EQ(info.si_code, ILL_BADSTK);
	EXPECT_EQ((uintptr_t)info.si_addr, 0);
	EXPECT_EQ(inside, 32);
}

static void return_with_wild_flags(void)
{
	unsigned flags;

	handle_context(wild_flags);
	raise(SIGUSR1);
	__asm__ volatile("pushfl\n\tpopl %0" : "=r"(flags));
	EXPECT_EQ(flags & 0x23000, 0);
	__asm__ volatile("cli");
}

FACT(sigreturn_gives_no_privilege)
{
	EXPECT_EQ(WTERMSIG(in_child(return_with_wild_flags)), SIGSEGV);
}

FACT(a_stack_that_is_not_there_ends_who_gets_a_signal)
{
	int status;

	if (!fork()) {
		handle(SIGUSR1, counts, 0);
		__asm__ volatile("movl $0x2000, %%esp\n\tint $0x80"
				 :
				 : "a"(SYS_kill), "b"(getpid()), "c"(SIGUSR1));
		_exit(0);
	}
	wait(&status);
	EXPECT_EQ(WTERMSIG(status), SIGSEGV);
}

/* As rt_sigaction and rt_sigqueueinfo pass them. */
struct raw_action {
	uint32_t handler, flags, restorer, mask[2];
};

FACT(a_handler_s_mask_has_no_kill_and_stop_in_it)
{
	struct raw_action a = {(uint32_t)SIG_IGN, 0, 0, {~0u, ~0u}}, got;

	EXPECT_EQ(syscall(SYS_rt_sigaction, SIGUSR1, &a, NULL, 8), 0);
	EXPECT_EQ(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &got, 8), 0);
	EXPECT_EQ(got.mask[0], ~0u & ~(1u << (SIGKILL - 1)) & ~(1u << (SIGSTOP - 1)));
	EXPECT_EQ(got.mask[1], ~0u);
}

FACT(flags_that_nobody_knows_are_taken_out)
{
	struct raw_action a = {(uint32_t)SIG_IGN, ~0x04000000u /* no restorer */, 0, {0, 0}}, got;

	EXPECT_EQ(syscall(SYS_rt_sigaction, SIGUSR1, &a, NULL, 8), 0);
	EXPECT_EQ(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &got, 8), 0);
	EXPECT_EQ(got.flags, 0xD8000807);
}

static pid_t child_that_pauses(uid_t user)
{
	int ends[2];
	char c = 0;
	pid_t child;

	EXPECT_EQ(pipe(ends), 0);
	child = fork();
	if (!child) {
		if (user)
			syscall(SYS_setresuid32, user, user, user);
		write(ends[1], &c, 1);
		for (;;)
			pause();
	}
	EXPECT_EQ(read(ends[0], &c, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return child;
}

FACT(only_the_kernel_says_what_the_kernel_says)
{
	int32_t told[32] = {SIGUSR1, 0, SI_USER};
	pid_t child = child_that_pauses(0);

	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, child, 0, told), EPERM);
	told[2] = SI_TKILL;
	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, child, 0, told), EPERM);
	told[2] = SI_QUEUE;
	EXPECT_EQ(syscall(SYS_rt_sigqueueinfo, child, 0, told), 0);
	EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, getpid(), child, 0, told), ESRCH);
	EXPECT_EQ(syscall(SYS_rt_tgsigqueueinfo, child, child, 0, told), 0);
	kill(child, SIGKILL);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
}

static pid_t other, root;

static void signal_as_user_5(void)
{
	EXPECT_EQ(syscall(SYS_setresuid32, 5, 5, 5), 0);
	EXPECT_ERRNO(kill(other, SIGTERM), EPERM);
	EXPECT_ERRNO(kill(other, 0), EPERM);
	EXPECT_EQ(kill(other, SIGCONT), 0);
	EXPECT_ERRNO(kill(-root, SIGTERM), EPERM);
}

FACT(users_signal_their_own_processes_and_continue_those_of_their_session)
{
	other = child_that_pauses(6);
	root = child_that_pauses(0);
	EXPECT_EQ(setpgid(root, root), 0);
	EXPECT_EQ(in_child(signal_as_user_5), 0);
	EXPECT_EQ(kill(other, SIGKILL), 0);
	EXPECT_EQ(kill(root, SIGKILL), 0);
	while (wait(NULL) > 0)
		;
}

/* All but the caller, who would end by it. */
static void tell_all(void)
{
	EXPECT_EQ(syscall(SYS_setresuid32, 5, 5, 5), 0);
	EXPECT_EQ(kill(-1, SIGUSR1), 0);
}

static void tell_all_where_none_may_be_told(void)
{
	EXPECT_EQ(syscall(SYS_setresuid32, 9, 9, 9), 0);
	EXPECT_EQ(kill(-1, SIGUSR1), 0);
}

FACT(a_signal_to_all_is_for_all_others)
{
	pid_t same = child_that_pauses(5);
	int status;

	EXPECT_EQ(in_child(tell_all), 0);
	EXPECT_EQ(waitpid(same, &status, 0), same);
	EXPECT_EQ(status, SIGUSR1);
	EXPECT_EQ(in_child(tell_all_where_none_may_be_told), 0);
}

static void change_stack(int sig, siginfo_t *i, void *context)
{
	(void)sig;
	(void)i;
	((ucontext_t *)context)->uc_stack.ss_size += PAGE;
}

FACT(the_stack_in_the_context_is_restored)
{
	struct sigaction a = {.sa_sigaction = change_stack, .sa_flags = SA_SIGINFO};
	stack_t s = {.ss_sp = pages(8), .ss_size = 4 * PAGE}, now;

	EXPECT_EQ(sigaltstack(&s, NULL), 0);
	sigaction(SIGUSR1, &a, NULL);
	raise(SIGUSR1);
	EXPECT_EQ(sigaltstack(NULL, &now), 0);
	EXPECT_EQ(now.ss_size, 5 * PAGE);
}
