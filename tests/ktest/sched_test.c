/* tests/ktest/sched_test.c - whose turn it is: the order of the run queue, slices of time, sleeping and being woken. */
#include <asm/signal.h>
#include <kernel/syscall.h>
#include <mm/usercopy.h>
#include <tests/ktest/machine.h>
#include <tests/ktest/proc_machine.h>

#define LOG   1u /* word of PROC_DATA: how many words follow */
#define SLICE 2u /* ticks */

/* Writes ebx behind the log and yields, ecx times. Then ends. */
USER_PROGRAM(logs, "1:	movl 0x10004004, %eax\n"
		   "	movl %ebx, 0x10004008(, %eax, 4)\n"
		   "	incl 0x10004004\n"
		   "	movl $158, %eax\n"
		   "	int $0x80\n"
		   "	decl %ecx\n"
		   "	jnz 1b\n"
		   "	movl $1, %eax\n"
		   "	int $0x80");

static int32_t start_logger(uint32_t id, uint32_t times)
{
	PROC_LOAD(logs);
	return PROC_CALL(__NR_fork, id, times);
}

static void write_log(uint32_t id)
{
	uint32_t n = proc_word(LOG);

	proc_set_word(LOG + 1 + n, id);
	proc_set_word(LOG, n + 1);
}

/* True when the log is these digits. */
static bool logged(const char *digits)
{
	uint32_t n = 0;

	for (; digits[n]; n++) {
		if (proc_word(LOG + 1 + n) != (uint32_t)(digits[n] - '0')) {
			ktest_fail("entry %u of %u is %u", n, proc_word(LOG), proc_word(LOG + 1 + n));
			return false;
		}
	}
	return proc_word(LOG) == n;
}

KTEST_PROC(sched, who_yields_goes_behind_all_that_are_ready)
{
	start_logger(1, 3);
	start_logger(2, 2);
	start_logger(3, 3);
	for (uint32_t i = 0; i < 4; i++) {
		write_log(0);
		sched_yield();
	}
	EXPECT(logged("012301230130"));
}

KTEST_PROC(sched, alone_one_goes_on_at_once)
{
	sched_yield();
	sched_yield();
	EXPECT_EQ(current->state, PROC_READY);
	EXPECT_EQ(proc_wait_for(77), -ECHILD);
}

/* The slice ends with its last tick, and only where somebody waits for it. */
KTEST_PROC(sched, a_slice_is_so_many_ticks)
{
	arch_return_work = 0;
	for (uint32_t i = 0; i < 2 * SLICE; i++)
		sched_tick(true);
	EXPECT_EQ(arch_return_work, 0);
	start_logger(1, 1);
	sched_tick(true);
	EXPECT_EQ(arch_return_work, 1);
	sched_return_work(arch_user_frame(current->stack));
	EXPECT(logged("1"));
	/* A new one begins with each turn. */
	start_logger(2, 1);
	for (uint32_t i = 1; i < SLICE; i++)
		sched_tick(true);
	EXPECT_EQ(arch_return_work, 0);
	sched_return_work(arch_user_frame(current->stack));
	EXPECT(logged("1"));
	sched_tick(true);
	EXPECT_EQ(arch_return_work, 1);
	sched_return_work(arch_user_frame(current->stack));
	EXPECT_EQ(arch_return_work, 0);
	EXPECT(logged("12"));
}

KTEST_PROC(sched, ticks_are_counted_for_who_runs)
{
	struct proc_usage before = current->usage;

	sched_tick(true);
	sched_tick(true);
	sched_tick(false);
	EXPECT_EQ(current->usage.user_ticks, before.user_ticks + 2);
	EXPECT_EQ(current->usage.kernel_ticks, before.kernel_ticks + 1);
	current->state = PROC_WAITING; /* the processor halts on its stack */
	sched_tick(false);
	current->state = PROC_READY;
	EXPECT_EQ(current->usage.kernel_ticks, before.kernel_ticks + 1);
}

/* SIGCONT drops a stop that has broken a call already. */
KTEST_PROC(sched, a_call_broken_by_a_signal_that_is_gone_begins_again)
{
	struct trap_frame f;

	proc_frame(&f, __NR_pause, (const uint32_t[6]){0});
	f.eax = (uint32_t)-ERESTARTNOHAND;
	f.eip += 2;
	current->signals.saved = signal_bit(SIGUSR1);
	current->signals.has_saved = true;
	sched_return_work(&f);
	EXPECT_EQ(f.eax, __NR_pause);
	EXPECT_EQ(f.eip, PROC_CODE);
	EXPECT_EQ(current->signals.blocked, signal_bit(SIGUSR1));
	EXPECT(!current->signals.has_saved);
	sched_return_work(&f); /* once */
	EXPECT_EQ(f.eip, PROC_CODE);
}

/* A signal that came between the look and the sleep is seen: nobody would wake this one again. */
KTEST_PROC(sched, who_has_a_signal_does_not_fall_asleep)
{
	struct wait_queue q;

	wait_queue_init(&q);
	current->signals.action[SIGUSR1 - 1].handler = PROC_CODE;
	signal_send(current, SIGUSR1, NULL);
	EXPECT_EQ(wait_on(&q), -EINTR);
	EXPECT_EQ(wait_on_until(&q, 0), -EINTR);
	EXPECT(TAILQ_EMPTY(&q.sleepers));
	EXPECT_EQ(current->state, PROC_READY);
	EXPECT(!current->interruptible);
}

/* Reads a byte of the pipe 0, then logs ebx. */
USER_PROGRAM(reads, "	movl %ebx, %ebp\n"
		    "	xorl %ebx, %ebx\n"
		    "	leal -4(%esp), %ecx\n"
		    "	movl $1, %edx\n"
		    "	movl $3, %eax\n"
		    "	int $0x80\n"
		    "	movl 0x10004004, %eax\n"
		    "	movl %ebp, 0x10004008(, %eax, 4)\n"
		    "	incl 0x10004004\n"
		    "	movl %ebp, %ebx\n"
		    "	movl $1, %eax\n"
		    "	int $0x80");

KTEST_PROC(sched, sleepers_of_a_queue_are_woken_in_the_order_they_came)
{
	int32_t pid[3];

	EXPECT_EQ(PROC_CALL(__NR_pipe, PROC_DATA + PAGE_SIZE), 0);
	for (uint32_t i = 0; i < 3; i++)
		pid[i] = PROC_START(reads, i + 1);
	sched_yield();
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(proc_find(pid[i])->state, PROC_WAITING);
	EXPECT_EQ(PROC_CALL(__NR_write, 1, PROC_DATA + PAGE_SIZE, 3), 3);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(proc_find(pid[i])->state, PROC_READY);
	sched_yield();
	EXPECT(logged("123"));
}

/* Those that find nothing when they look again go back to sleep. */
KTEST_PROC(sched, who_is_woken_for_nothing_sleeps_on)
{
	int32_t pid[2];

	EXPECT_EQ(PROC_CALL(__NR_pipe, PROC_DATA + PAGE_SIZE), 0);
	for (uint32_t i = 0; i < 2; i++)
		pid[i] = PROC_START(reads, i + 1);
	sched_yield();
	EXPECT_EQ(PROC_CALL(__NR_write, 1, PROC_DATA + PAGE_SIZE, 1), 1);
	sched_yield();
	EXPECT(logged("1"));
	EXPECT_EQ(proc_find(pid[1])->state, PROC_WAITING);
	sched_yield();
	EXPECT(logged("1"));
	EXPECT_EQ(proc_wait_for(pid[0]), 1 << 8);
	EXPECT_EQ(PROC_CALL(__NR_kill, (uint32_t)pid[1], SIGTERM), 0);
	EXPECT_EQ(proc_find(pid[1])->state, PROC_READY);
	EXPECT_EQ(proc_wait_for(pid[1]), SIGTERM);
	EXPECT(!current->interruptible); /* nor is a wait that comes later */
}

/* Stopped, nothing but SIGCONT and SIGKILL makes it ready: what it waited for has come meanwhile. */
KTEST_PROC(sched, who_is_stopped_gets_no_turn)
{
	int32_t pid = start_logger(1, 2);

	EXPECT_EQ(PROC_CALL(__NR_kill, (uint32_t)pid, SIGSTOP), 0);
	sched_yield();
	EXPECT_EQ(proc_find(pid)->state, PROC_STOPPED);
	EXPECT_EQ(PROC_CALL(__NR_kill, (uint32_t)pid, SIGTERM), 0);
	sched_yield();
	EXPECT_EQ(proc_find(pid)->state, PROC_STOPPED);
	EXPECT(logged(""));
	EXPECT_EQ(PROC_CALL(__NR_kill, (uint32_t)pid, SIGKILL), 0);
	EXPECT_EQ(proc_wait_for(pid), SIGKILL);
}
