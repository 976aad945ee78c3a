/* user/tests/sigstack.c - facts of the alternate stack of handlers. */
#include "fact.h"
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>

static volatile int count, flags_seen, error_seen;
static char *volatile stack_seen;

static void counts(int sig)
{
	char here;

	(void)sig;
	stack_seen = &here;
	count++;
}

static void handle(int sig, void (*f)(int), int flags)
{
	struct sigaction a = {.sa_handler = f, .sa_flags = flags};

	EXPECT_EQ(sigaction(sig, &a, NULL), 0);
}

FACT(an_alternate_stack_is_used_by_who_asks)
{
	stack_t other = {.ss_sp = pages(4), .ss_size = 4 * PAGE}, was;

	EXPECT_EQ(sigaltstack(&other, NULL), 0);
	handle(SIGUSR1, counts, SA_ONSTACK);
	raise(SIGUSR1);
	EXPECT(stack_seen > (char *)other.ss_sp && stack_seen < (char *)other.ss_sp + 4 * PAGE);
	handle(SIGUSR1, counts, 0);
	raise(SIGUSR1);
	EXPECT(stack_seen < (char *)other.ss_sp || stack_seen >= (char *)other.ss_sp + 4 * PAGE);
	EXPECT_EQ(sigaltstack(NULL, &was), 0);
	EXPECT(was.ss_sp == other.ss_sp);
	EXPECT_EQ(was.ss_flags, 0);
}

static void change_stack_inside(int sig)
{
	stack_t now;

	counts(sig);
	sigaltstack(NULL, &now);
	flags_seen = now.ss_flags;
	now.ss_flags = SS_DISABLE;
	error_seen = sigaltstack(&now, NULL) ? errno : 0;
}

FACT(an_alternate_stack_cannot_change_while_it_is_used)
{
	stack_t other = {.ss_sp = pages(4), .ss_size = 4 * PAGE};

	sigaltstack(&other, NULL);
	handle(SIGUSR1, change_stack_inside, SA_ONSTACK);
	raise(SIGUSR1);
	EXPECT_EQ(flags_seen, SS_ONSTACK);
	EXPECT_EQ(error_seen, EPERM);
}

static void take_another_stack(int sig, siginfo_t *i, void *context)
{
	stack_t now, other = {.ss_sp = pages(4), .ss_size = 4 * PAGE};

	(void)i, (void)context;
	counts(sig);
	sigaltstack(&other, &now);
	flags_seen = now.ss_flags;
	raise(SIGUSR2);
}

FACT(an_alternate_stack_may_be_disarmed_by_its_use)
{
	stack_t other = {.ss_sp = pages(4), .ss_size = 4 * PAGE, .ss_flags = (int)SS_AUTODISARM}, was;
	struct sigaction a = {.sa_sigaction = take_another_stack, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	EXPECT_EQ(sigaltstack(&other, NULL), 0);
	sigaction(SIGUSR1, &a, NULL);
	handle(SIGUSR2, counts, SA_ONSTACK);
	raise(SIGUSR1);
	EXPECT_EQ(flags_seen, SS_DISABLE);
	EXPECT_EQ(count, 2);
	EXPECT(stack_seen < (char *)other.ss_sp || stack_seen >= (char *)other.ss_sp + 4 * PAGE);
	EXPECT_EQ(sigaltstack(NULL, &was), 0);
	EXPECT(was.ss_sp == other.ss_sp);
	EXPECT_EQ(was.ss_flags, (int)SS_AUTODISARM);
}

FACT(an_alternate_stack_too_small_is_ENOMEM)
{
	stack_t other = {.ss_sp = pages(1), .ss_size = 100};

	EXPECT_ERRNO(syscall(SYS_sigaltstack, &other, NULL), ENOMEM);
	other = (stack_t){.ss_sp = pages(1), .ss_size = PAGE, .ss_flags = 77};
	EXPECT_ERRNO(syscall(SYS_sigaltstack, &other, NULL), EINVAL);
}

static volatile uintptr_t fpu_at, handler_sp;

static void see_places(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	fpu_at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.fpregs;
	handler_sp = (uintptr_t)__builtin_frame_address(0);
}

FACT(a_frame_is_aligned_wherever_the_stack_begins)
{
	struct sigaction a = {.sa_sigaction = see_places, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	char *p = pages(8);

	sigaction(SIGUSR1, &a, NULL);
	for (unsigned less = 0; less < 70; less += 3) {
		stack_t s = {.ss_sp = p, .ss_size = 8 * PAGE - less};

		EXPECT_EQ(sigaltstack(&s, NULL), 0);
		raise(SIGUSR1);
		EXPECT_EQ(fpu_at % 16, 0);
		EXPECT_EQ(handler_sp % 16, 8); /* behind the place to return to and the frame pointer */
		EXPECT(handler_sp > (uintptr_t)p && handler_sp < (uintptr_t)p + s.ss_size);
	}
}
