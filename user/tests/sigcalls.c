/* user/tests/sigcalls.c - facts of the calls for signals: their older forms, what they refuse, what they tell. */
#include "fact.h"
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>

#define BIT(signo) (1ull << ((signo)-1))

static volatile int count;

static void counts(int sig)
{
	(void)sig;
	count++;
}

static uint64_t blocked(void)
{
	uint64_t now = 0;

	EXPECT_EQ(syscall(SYS_rt_sigprocmask, 99, NULL, &now, 8),
		  0); /* nothing is set: how does not matter */
	return now;
}

static void block(uint64_t set)
{
	EXPECT_EQ(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8), 0);
}

FACT(the_old_sigaction_has_a_word_for_the_mask)
{
	struct {
		uint32_t handler, mask, flags, restorer;
	} a = {(uint32_t)(uintptr_t)counts, (uint32_t)(BIT(SIGUSR2) | BIT(SIGKILL)), SA_NODEFER, 0}, got;

	EXPECT_EQ(syscall(SYS_sigaction, SIGUSR1, &a, NULL), 0);
	EXPECT_EQ(syscall(SYS_sigaction, SIGUSR1, NULL, &got), 0);
	EXPECT(got.handler == a.handler && got.mask == BIT(SIGUSR2) && got.flags == SA_NODEFER);
	EXPECT_EQ(syscall(SYS_sigaction, SIGKILL, NULL, &got), 0);
	EXPECT_ERRNO(syscall(SYS_sigaction, SIGKILL, &a, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sigaction, SIGSTOP, &a, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sigaction, 0, NULL, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sigaction, 65, NULL, NULL), EINVAL);
	EXPECT_EQ(syscall(SYS_sigaction, 1, NULL, NULL), 0);
	EXPECT_EQ(syscall(SYS_sigaction, 64, NULL, NULL), 0);
	EXPECT_ERRNO(syscall(SYS_sigaction, SIGUSR1, 16, NULL), EFAULT);
	EXPECT_ERRNO(syscall(SYS_sigaction, SIGUSR1, NULL, 16), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8), EINVAL);
	EXPECT_EQ(syscall(SYS_rt_sigaction, 64, NULL, NULL, 8), 0);
}

FACT(the_old_signal_sets_a_handler_for_once)
{
	EXPECT_EQ(syscall(SYS_signal, SIGUSR1, SIG_IGN), (long)SIG_DFL);
	EXPECT_EQ(syscall(SYS_signal, SIGUSR1, counts), (long)SIG_IGN);
	EXPECT_EQ(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQ(count, 1);
	EXPECT_EQ(syscall(SYS_signal, SIGUSR1, SIG_IGN), (long)SIG_DFL);
	EXPECT_ERRNO(syscall(SYS_signal, SIGKILL, counts), EINVAL);
	EXPECT_ERRNO(syscall(SYS_signal, 0, counts), EINVAL);
	EXPECT_ERRNO(syscall(SYS_signal, 65, counts), EINVAL);
	EXPECT_EQ(syscall(SYS_signal, 64, SIG_IGN), (long)SIG_DFL);
}

FACT(the_old_sigprocmask_changes_the_first_word)
{
	uint32_t word = (uint32_t)(BIT(SIGUSR1) | BIT(SIGKILL)), old = 1;

	block(BIT(40) | BIT(SIGUSR2));
	EXPECT_EQ(syscall(SYS_sigprocmask, SIG_SETMASK, &word, &old), 0);
	EXPECT_EQ(old, BIT(SIGUSR2));
	EXPECT_EQ(blocked(), BIT(40) | BIT(SIGUSR1));
	word = (uint32_t)BIT(SIGUSR2);
	EXPECT_EQ(syscall(SYS_sigprocmask, SIG_BLOCK, &word, NULL), 0);
	EXPECT_EQ(blocked(), BIT(40) | BIT(SIGUSR1) | BIT(SIGUSR2));
	EXPECT_EQ(syscall(SYS_sigprocmask, SIG_UNBLOCK, &word, NULL), 0);
	EXPECT_EQ(blocked(), BIT(40) | BIT(SIGUSR1));
	EXPECT_ERRNO(syscall(SYS_sigprocmask, 3, &word, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sigprocmask, SIG_BLOCK, 16, NULL), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, NULL, 4), EINVAL);
	EXPECT_EQ(blocked(), BIT(40) | BIT(SIGUSR1));
}

FACT(what_waits_is_told_in_as_many_bytes_as_asked_for)
{
	uint32_t word = 0, two[3] = {5, 5, 5};

	block(BIT(40) | BIT(SIGUSR1) | BIT(SIGUSR2));
	EXPECT_EQ(kill(getpid(), 40), 0);
	EXPECT_EQ(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQ(syscall(SYS_sigpending, &word), 0);
	EXPECT_EQ(word, BIT(SIGUSR1));
	EXPECT_EQ(syscall(SYS_rt_sigpending, two, 4), 0);
	EXPECT(two[0] == BIT(SIGUSR1) && two[1] == 5);
	EXPECT_EQ(syscall(SYS_rt_sigpending, two, 8), 0);
	EXPECT(two[0] == BIT(SIGUSR1) && two[1] == BIT(40) >> 32 && two[2] == 5);
	EXPECT_ERRNO(syscall(SYS_rt_sigpending, two, 9), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sigpending, 16), EFAULT);
}

FACT(the_old_sigsuspend_takes_the_mask_itself)
{
	uint64_t none = 0;

	signal(SIGUSR1, counts);
	block(BIT(SIGUSR1));
	kill(getpid(), SIGUSR1);
	EXPECT_ERRNO(syscall(SYS_sigsuspend, 0, 0, 0), EINTR);
	EXPECT_EQ(count, 1);
	EXPECT_EQ(blocked(), BIT(SIGUSR1));
	kill(getpid(), SIGUSR1);
	EXPECT_ERRNO(syscall(SYS_rt_sigsuspend, &none, 4), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigsuspend, 16, 8), EFAULT);
	EXPECT_EQ(count, 1);
	EXPECT_ERRNO(syscall(SYS_rt_sigsuspend, &none, 8), EINTR);
	EXPECT_EQ(count, 2);
}

FACT(sigtimedwait_refuses_what_is_wrong_and_ends_with_another_signal)
{
	int32_t soon[2] = {0, 5000000}, wrong[2] = {0, -1};
	uint64_t set = BIT(SIGUSR1);

	block(set);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, soon, 4), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, 16, NULL, soon, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, 16, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, wrong, 8), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, soon, 8), EAGAIN);
	signal(SIGALRM, counts);
	ualarm(20000, 0);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8), EINTR);
	EXPECT_EQ(count, 1);
	kill(getpid(), SIGUSR1);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, 16, soon, 8), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, soon, 8), EAGAIN);
}

FACT(what_a_program_says_with_a_signal_arrives)
{
	int32_t said[32] = {1, 5, SI_QUEUE, 77, 88, 99}, got[32] = {0};
	uint64_t set = BIT(40);

	block(set);
	EXPECT_EQ(syscall(SYS_rt_sigqueueinfo, getpid(), 40, said), 0);
	EXPECT_EQ(syscall(SYS_rt_sigtimedwait, &set, got, NULL, 8), 40);
	said[0] = 40;
	EXPECT(!memcmp(got, said, 6 * sizeof(said[0])));
}

FACT(who_is_meant_is_looked_at)
{
	int32_t said[32] = {0, 0, SI_QUEUE};
	int me = getpid();

	EXPECT_ERRNO(syscall(SYS_tkill, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_tkill, -1, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_tkill, 30000, 0), ESRCH);
	EXPECT_ERRNO(syscall(SYS_tkill, me, 65), EINVAL);
	EXPECT_EQ(syscall(SYS_tkill, me, 0), 0);
	EXPECT_ERRNO(syscall(SYS_tgkill, 0, me, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_tgkill, me, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_tgkill, 30000, me, 0), ESRCH);
	EXPECT_EQ(syscall(SYS_tgkill, me, me, 0), 0);
	EXPECT_ERRNO(kill(INT_MIN, 0), ESRCH);
	EXPECT_ERRNO(kill(-30000, 0), ESRCH);
	EXPECT_EQ(kill(0, 0), 0);
	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, 30000, 0, said), ESRCH);
	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, me, 65, said), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_sigqueueinfo, me, 0, 16), EFAULT);
	EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, me, 0, 0, said), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, 0, me, 0, said), EINVAL);
	EXPECT_ERRNO(syscall(SYS_rt_tgsigqueueinfo, 30000, me, 0, said), ESRCH);
}
