/*
 * tests/ktest/signal_test.c - signals in a process that does not run: queues, order, what drops what; and frames as
 * programs with bad intentions bring them back.
 */
#include <arch/gdt.h>
#include <arch/timer.h>
#include <asm/sigcontext.h>
#include <fs/up.h>
#include <kernel/signal_frame.h>
#include <kernel/syscall.h>
#include <lib/string.h>
#include <linux/signal.h>
#include <mm/usercopy.h>
#include <tests/ktest/machine.h>
#include <tests/ktest/proc_machine.h>

#define HANDLER    PROC_CODE
#define FLAGS_OPEN 0x250DD5u /* of EFLAGS: what a program changes as it likes */
#define FLAGS_SET  0x202u    /* interrupts, and the bit that is always set */

USER_PROGRAM(ends_with_0, "	xorl %ebx, %ebx\n"
			  "	movl $1, %eax\n"
			  "	int $0x80");

/* A child that is ready and does not run: it has a handler for everything. */
static struct proc *target(void)
{
	struct proc *p = proc_find(PROC_START(ends_with_0, 0));

	for (uint32_t i = 0; i < SIGNALS; i++)
		p->signals.action[i].handler = HANDLER;
	return p;
}

static bool send(struct proc *p, int signo, int32_t value)
{
	struct signal_info info = {.signo = signo, .code = SI_QUEUE};

	info.from.status = value;
	return signal_send(p, signo, &info);
}

/* Takes one, whose number and value must be these. */
static bool takes(struct proc *p, int signo, int32_t value)
{
	struct signal_info info = {0};
	int got = signal_take(p, ~0ull, &info);

	if (got != signo || info.from.status != value)
		ktest_fail("took %d with %d, not %d with %d", got, info.from.status, signo, value);
	return got == signo;
}

KTEST_PROC(signal, the_lowest_number_comes_first_and_faults_before_it)
{
	struct proc *p = target();
	struct signal_info info;

	EXPECT(send(p, SIGRTMIN + 1, 1) && send(p, SIGTERM, 2) && send(p, SIGSEGV, 3) && send(p, SIGHUP, 4));
	EXPECT(takes(p, SIGSEGV, 3));
	EXPECT(takes(p, SIGHUP, 4));
	EXPECT(takes(p, SIGTERM, 2));
	EXPECT(takes(p, SIGRTMIN + 1, 1));
	EXPECT_EQ(signal_take(p, ~0ull, &info), 0);
	EXPECT(!signal_due(p));
}

KTEST_PROC(signal, real_time_ones_queue_in_order_and_others_come_once)
{
	struct proc *p = target();

	for (int32_t i = 0; i < 5; i++)
		EXPECT(send(p, SIGRTMIN, i) && send(p, SIGUSR1, i));
	EXPECT(takes(p, SIGUSR1, 0));
	for (int32_t i = 0; i < 5; i++)
		EXPECT(takes(p, SIGRTMIN, i));
	EXPECT(!signal_due(p));
}

KTEST_PROC(signal, a_full_queue_refuses_and_loses_nothing)
{
	struct proc *p = target();

	for (uint32_t i = 0; i < QUEUE_MOST; i++)
		EXPECT(send(p, SIGRTMIN, (int32_t)i));
	EXPECT(!send(p, SIGRTMIN, 1000));
	EXPECT(send(p, SIGUSR1, 1000)); /* without its details */
	EXPECT(takes(p, SIGUSR1, 0));
	EXPECT(takes(p, SIGRTMIN, 0));
	EXPECT(send(p, SIGRTMIN, 1001));
	for (uint32_t i = 1; i < QUEUE_MOST; i++)
		takes(p, SIGRTMIN, (int32_t)i);
	EXPECT(takes(p, SIGRTMIN, 1001));
	EXPECT_EQ(p->signals.queued, 0);
}

KTEST_PROC(signal, stopping_and_going_on_drop_one_another)
{
	struct proc *p = target();
	uint64_t stops =
		signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU);

	p->signals.blocked = ~0ull;
	for (int signo = SIGSTOP; signo <= SIGTTOU; signo++)
		send(p, signo, signo); /* they follow one another */
	EXPECT_EQ(p->signals.pending, stops);
	send(p, SIGCONT, 1);
	EXPECT_EQ(p->signals.pending, signal_bit(SIGCONT));
	send(p, SIGTSTP, 1);
	EXPECT_EQ(p->signals.pending, signal_bit(SIGTSTP));
	send(p, SIGKILL, 1);
	EXPECT_EQ(p->signals.pending, signal_bit(SIGKILL));
}

KTEST_PROC(signal, what_is_dropped_leaves_nothing_queued)
{
	struct proc *p = target();

	p->signals.blocked = ~0ull;
	for (int signo = 1; signo <= (int)SIGNALS; signo++)
		send(p, signo, signo);
	EXPECT(p->signals.queued > 50);
	signals_drop(&p->signals);
	EXPECT_EQ(p->signals.pending, 0);
	EXPECT_EQ(p->signals.queued, 0);
}

KTEST_PROC(signal, the_terminal_s_reach_each_of_a_group_and_nobody_else)
{
	struct proc *one = target(), *two = target(), *other = target();

	one->group = two->group = 1000;
	signal_group(1000, SIGINT);
	EXPECT_EQ(one->signals.pending, signal_bit(SIGINT));
	EXPECT_EQ(two->signals.pending, signal_bit(SIGINT));
	EXPECT_EQ(other->signals.pending, 0);
}

/* A signal that is blocked may get a handler before it is let through; one that is ignored is gone. */
KTEST_PROC(signal, what_is_ignored_is_kept_only_while_it_is_blocked)
{
	struct proc *p = target();

	p->signals.action[SIGUSR1 - 1].handler = (uint32_t)SIG_IGN;
	p->signals.action[SIGCHLD - 1].handler = (uint32_t)SIG_DFL;
	send(p, SIGUSR1, 1);
	send(p, SIGCHLD, 1);
	EXPECT_EQ(p->signals.pending, 0);
	p->signals.blocked = signal_bit(SIGUSR1) | signal_bit(SIGCHLD);
	send(p, SIGUSR1, 1);
	send(p, SIGCHLD, 1);
	EXPECT_EQ(p->signals.pending, p->signals.blocked);
	signal_drop_ignored(p, SIGUSR1);
	signal_drop_ignored(p, SIGCHLD);
	EXPECT_EQ(p->signals.pending, 0);
	EXPECT_EQ(p->signals.queued, 0);
}

KTEST_PROC(signal, a_zombie_gets_nothing)
{
	struct proc *p = target();

	sched_yield();
	EXPECT_EQ(p->state, PROC_ZOMBIE);
	EXPECT(send(p, SIGRTMIN, 1) && send(p, SIGKILL, 1) && send(p, SIGCONT, 1));
	EXPECT_EQ(p->signals.pending, 0);
	EXPECT_EQ(p->state, PROC_ZOMBIE);
}

/* Not even SIGKILL: without it no program would be left. */
KTEST_PROC(signal, the_first_process_gets_only_what_it_handles)
{
	for (int signo = 1; signo <= (int)SIGNALS; signo++)
		signal_send(current, signo, NULL);
	EXPECT_EQ(current->signals.pending, 0);
	current->signals.action[SIGTERM - 1].handler = HANDLER;
	signal_send(current, SIGTERM, NULL);
	EXPECT_EQ(current->signals.pending, signal_bit(SIGTERM));
}

/* kill(0, SIGTERM); then ends with 9. */
USER_PROGRAM(kills_its_group, "	xorl %ebx, %ebx\n"
			      "	movl $15, %ecx\n"
			      "	movl $37, %eax\n"
			      "	int $0x80\n"
			      "	movl $9, %ebx\n"
			      "	movl $1, %eax\n"
			      "	int $0x80");

/* The first process's has number 0, which is a group like others. */
KTEST_PROC(signal, a_group_of_number_0_is_not_all)
{
	struct proc *other = target();
	int32_t pid;

	EXPECT_EQ(current->group, 0);
	EXPECT_EQ(PROC_CALL(__NR_kill, 0, 0), 0);
	other->group = other->pid;
	other->signals.action[SIGSTOP - 1].handler = (uint32_t)SIG_DFL;
	send(other, SIGSTOP, 0); /* it stays */
	pid = PROC_START(kills_its_group, 0);
	current->signals.action[SIGTERM - 1].handler = HANDLER;
	current->signals.blocked = signal_bit(SIGTERM);
	EXPECT_EQ(proc_wait_for(pid), SIGTERM);
	EXPECT_EQ(current->signals.pending, signal_bit(SIGTERM));
	EXPECT_EQ(other->signals.pending, 0);
	EXPECT_EQ(PROC_CALL(__NR_kill, ~0u, SIGTERM), 0);
	EXPECT_EQ(other->signals.pending, signal_bit(SIGTERM));
}

/* It may wait for them: for its children's ends, above all. Let through they do nothing. */
KTEST_PROC(signal, the_first_process_can_block_all_but_kill_and_stop)
{
	struct trap_frame f = {0};

	signal_set_mask(~0ull);
	for (int signo = 1; signo <= (int)SIGNALS; signo++)
		signal_send(current, signo, NULL);
	EXPECT_EQ(current->signals.pending, current->signals.blocked & ~signal_bit(SIGCONT));
	signal_set_mask(0);
	signal_deliver(&f);
	EXPECT_EQ(current->signals.pending, 0);
	EXPECT_EQ(current->state, PROC_READY);
}

KTEST_PROC(signal, no_mask_blocks_kill_and_stop)
{
	uint64_t certain = signal_bit(SIGKILL) | signal_bit(SIGSTOP), all = ~0ull;

	signal_set_mask(all);
	EXPECT_EQ(current->signals.blocked, all & ~certain);
	EXPECT_EQ(copy_to_user(PROC_DATA, &all, sizeof(all)), 0);
	for (uint32_t how = SIG_BLOCK; how <= SIG_SETMASK; how++) {
		EXPECT_EQ(PROC_CALL(__NR_rt_sigprocmask, how, PROC_DATA, 0, 8), 0);
		EXPECT_EQ(current->signals.blocked & certain, 0);
	}
}

/* The deadline stays, however often a signal without a handler breaks the call: a stop does. */
KTEST_PROC(signal, a_time_out_does_not_begin_again)
{
	static const uint32_t calls[][5] = {
		{__NR_poll, PROC_DATA, 0, 1000},
		{__NR_futex, PROC_DATA, 0 /* FUTEX_WAIT */, 0, PROC_DATA + 8},
		{__NR_nanosleep, PROC_DATA + 8, 0},
	};
	const uint32_t time[2] = {1, 0};

	EXPECT_EQ(copy_to_user(PROC_DATA + 8, time, sizeof(time)), 0);
	EXPECT_EQ(PROC_CALL(__NR_restart_syscall), -EINTR);
	current->signals.action[SIGUSR1 - 1].handler = HANDLER;
	signal_send(current, SIGUSR1, NULL);
	for (uint32_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const uint32_t *c = calls[i];
		uint64_t deadline, begin = clock_ns();

		EXPECT_EQ(PROC_CALL(c[0], c[1], c[2], c[3], c[4]), -ERESTART_RESTARTBLOCK);
		deadline = current->restart.deadline;
		EXPECT(deadline - begin >= 1000000000 && deadline <= clock_ns() + 1000000000);
		EXPECT_EQ(PROC_CALL(__NR_restart_syscall, c[1], c[2], c[3], c[4]), -ERESTART_RESTARTBLOCK);
		EXPECT_EQ(current->restart.deadline, deadline);
	}
}

/* Frames. Each of them begins with what a handler for SIGRTMIN finds on the stack; then words of it change. */

struct pushed {
	struct trap_frame f;     /* in the handler */
	vaddr_t registers, high; /* where its struct sigcontext is, and the upper half of the mask */
	uint32_t number;
};

static struct trap_frame program; /* when the signal came */

static struct pushed enter(bool with_info)
{
	const struct signal_action a = {.handler = HANDLER, .flags = with_info ? SA_SIGINFO : 0};
	struct signal_info info = {.signo = SIGRTMIN};
	struct pushed x = {.number = with_info ? __NR_rt_sigreturn : __NR_sigreturn};

	proc_frame(&program, 20, (const uint32_t[6]){1, 2, 3, 4, 5, 6});
	x.f = program;
	EXPECT_EQ(signal_enter_handler(&x.f, &a, &info, signal_bit(SIGUSR2)), 0);
	EXPECT_EQ(x.f.eip, HANDLER);
	EXPECT_EQ((x.f.esp + 4) % 16, 0);
	x.registers = with_info ? x.f.ecx + 20 : x.f.esp + 8;
	x.high = with_info ? x.f.ecx + 20 + (uint32_t)sizeof(struct sigcontext) + 4
			   : x.f.esp + 8 + (uint32_t)(sizeof(struct sigcontext) + sizeof(struct _fpstate_32));
	return x;
}

static void set(struct pushed *x, uint32_t offset, uint32_t word)
{
	EXPECT_EQ(copy_to_user(x->registers + offset, &word, sizeof(word)), 0);
}
#define SET(x, field, word) set(x, offsetof(struct sigcontext, field), word)

/* As the handler's return and the code behind it do it. */
static void leave(struct pushed *x)
{
	x->f.esp += x->number == __NR_sigreturn ? 8 : 4;
	x->f.eax = x->f.error = x->number;
	x->f.vector = TRAP_SYSCALL;
	x->f.eax = (uint32_t)(x->number == __NR_sigreturn ? sys_sigreturn(&x->f) : sys_rt_sigreturn(&x->f));
}

static const uint32_t both[] = {false, true};

static uint32_t form;

/* Puts a case's body into a process, once for each form of frame. */
#define FRAME_CASE(name)                                                                                     \
	static void frame_##name(void);                                                                      \
	KTEST_EACH(signal, name, both)                                                                       \
	{                                                                                                    \
		form = param;                                                                                \
		proc_run(frame_##name);                                                                      \
	}                                                                                                    \
	static void frame_##name(void)

FRAME_CASE(a_frame_brings_back_what_it_took)
{
	struct pushed x = enter(form);

	leave(&x);
	EXPECT_EQ(x.f.ebx, 1);
	EXPECT_EQ(x.f.ebp, 6);
	EXPECT_EQ(x.f.eax, 20);
	EXPECT_EQ(x.f.esp, program.esp);
	EXPECT_EQ(x.f.eip, program.eip);
	EXPECT_EQ(x.f.eflags, program.eflags);
	EXPECT_EQ(x.f.ss, program.ss);
	EXPECT_EQ(x.f.error, ~0u);
	EXPECT_EQ(current->signals.blocked, signal_bit(SIGUSR2));
	EXPECT(!signal_due(current));
}

FRAME_CASE(no_bit_of_eflags_is_a_privilege)
{
	for (uint32_t bit = 0; bit < 33; bit++) {
		struct pushed x = enter(form);
		uint32_t flags = bit < 32 ? 1u << bit : ~0u;

		SET(&x, eflags, flags);
		leave(&x);
		EXPECT_EQ(x.f.eflags, (flags & FLAGS_OPEN) | FLAGS_SET);
	}
}

FRAME_CASE(no_selector_is_the_kernels)
{
	static const uint32_t selectors[] = {
		GDT_KERNEL_CODE, GDT_KERNEL_DATA, GDT_TASK, GDT_DOUBLE_FAULT, 0, 4, 0xFFFC};

	for (uint32_t i = 0; i < ARRAY_SIZE(selectors); i++) {
		struct pushed x = enter(form);

		SET(&x, cs, selectors[i] | 0xABCD0000);
		SET(&x, ss, selectors[i] | 0xABCD0000);
		SET(&x, ds, selectors[i] | 0xABCD0000);
		leave(&x);
		EXPECT_EQ(x.f.cs, selectors[i] | 3);
		EXPECT_EQ(x.f.ss, selectors[i] | 3);
		EXPECT_EQ(x.f.ds, selectors[i]);
		EXPECT(trap_from_user(&x.f));
	}
}

FRAME_CASE(no_mask_of_a_frame_blocks_kill_and_stop)
{
	struct pushed x = enter(form);
	uint32_t ones = ~0u;

	if (form)
		EXPECT_EQ(copy_to_user(x.high - 4, &ones, sizeof(ones)), 0);
	SET(&x, oldmask, ~0u);
	EXPECT_EQ(copy_to_user(x.high, &ones, sizeof(ones)), 0);
	leave(&x);
	EXPECT_EQ(current->signals.blocked, ~(signal_bit(SIGKILL) | signal_bit(SIGSTOP)));
}

/* Its registers are what they were in the handler, and SIGSEGV is due, blocked or not. */
static void expect_refused(struct pushed *x)
{
	struct trap_frame before = x->f;

	current->signals.blocked = ~0ull;
	leave(x);
	EXPECT_EQ(x->f.eip, before.eip);
	EXPECT_EQ(x->f.cs, before.cs);
	EXPECT_EQ(x->f.eflags, before.eflags);
	EXPECT_EQ(x->f.ebx, before.ebx);
	EXPECT(signal_due(current));
	EXPECT_EQ(current->signals.pending, signal_bit(SIGSEGV));
	signals_drop(&current->signals);
}

FRAME_CASE(a_frame_that_is_not_there_is_refused)
{
	static const vaddr_t stacks[] = {
		0,          4,          8,          PROC_STACK - 100, PROC_DATA - PAGE_SIZE,
		0xBFFFFFF0, 0xC0000000, 0xC0100000, 0xFFFFFE00,       0xFFFFFFFC};

	for (uint32_t i = 0; i < ARRAY_SIZE(stacks); i++) {
		struct pushed x = enter(form);

		x.f.esp = stacks[i];
		expect_refused(&x);
	}
}

FRAME_CASE(a_floating_point_state_that_is_not_there_is_refused)
{
	static const vaddr_t places[] = {4, PROC_CODE - 8, 0xBFFFFFC0, 0xC0100000, 0xFFFFFFC0};

	if (!arch_fpu_frame_size())
		SKIP("no floating-point unit");
	for (uint32_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct pushed x = enter(form);

		SET(&x, fpstate, places[i]);
		expect_refused(&x);
	}
}

/* Of a stack that ends in the middle of the frame nothing is changed but memory. */
FRAME_CASE(a_handler_without_room_for_its_frame_is_not_entered)
{
	const struct signal_action a = {.handler = HANDLER, .flags = form ? SA_SIGINFO : 0};
	struct signal_info info = {.signo = SIGRTMIN};

	for (vaddr_t sp = PROC_STACK - PAGE_SIZE; sp <= PROC_STACK - PAGE_SIZE + 256; sp += 64) {
		struct trap_frame f, before;

		proc_frame(&f, 20, (const uint32_t[6]){0});
		f.esp = sp;
		before = f;
		EXPECT_EQ(signal_enter_handler(&f, &a, &info, 0), -EFAULT);
		EXPECT(!memcmp(&f, &before, sizeof(f)));
	}
}

/* Whatever the kernel's stack held before does not stand in the gaps: no word is an address of the kernel's. */
FRAME_CASE(a_frame_shows_nothing_of_the_kernels)
{
	struct pushed x = enter(form);
	uint32_t words = 0;

	for (vaddr_t at = x.f.esp; at < program.esp; at += 4, words++) {
		uint32_t word = 0;

		EXPECT_EQ(copy_from_user(&word, at, sizeof(word)), 0);
		EXPECT(word < 0xC0000000 || word >= 0xFFFF0000);
	}
	EXPECT(words > 40);
}
