/* tests/ktest/proc_test.c - the table of processes: numbers, zombies, orphans, and what is left of them. */
#include <asm/signal.h>
#include <lib/string.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <mm/slab.h>
#include <mm/usercopy.h>
#include <tests/ktest/machine.h>
#include <tests/ktest/proc_machine.h>

/* Ends with the status in ebx. */
USER_PROGRAM(ends, "	movl $1, %eax\n"
		   "	int $0x80");

/* Makes a child that ends with 9, lets it run, and ends itself with the status in ebx. */
USER_PROGRAM(leaves_a_zombie, "	movl $2, %eax\n"
			      "	int $0x80\n"
			      "	testl %eax, %eax\n"
			      "	jnz 1f\n"
			      "	movl $9, %ebx\n"
			      "	jmp 2f\n"
			      "1:	movl $158, %eax\n"
			      "	int $0x80\n"
			      "2:	movl $1, %eax\n"
			      "	int $0x80");

static int count(struct proc *p, void *sum)
{
	(void)p;
	++*(uint32_t *)sum;
	return 0;
}

static uint32_t how_many(void)
{
	uint32_t n = 0;

	proc_each(count, &n);
	return n;
}

KTEST_PROC(proc, a_child_runs_and_tells_its_status)
{
	int32_t pid = PROC_START(ends, 7);

	EXPECT_EQ(current->pid, FIRST_PID);
	EXPECT_EQ(pid, 2);
	EXPECT_EQ(proc_find(pid)->state, PROC_READY);
	EXPECT_EQ(proc_wait_for(pid), 7 << 8);
	EXPECT(!proc_find(pid));
	EXPECT_EQ(how_many(), 1);
}

/* It has its number, its place and its stack until it is waited for, and nothing else. */
KTEST_PROC(proc, a_zombie_holds_no_memory_and_keeps_its_number)
{
	struct proc *child;
	uint32_t frames;
	int32_t pid;

	PROC_LOAD(ends);
	frames = machine_frames_used();
	pid = PROC_CALL(__NR_fork, 7);
	child = proc_find(pid);
	EXPECT(machine_frames_used() > frames + 1 + KSTACK_PAGES);
	sched_yield();
	EXPECT_EQ(child->state, PROC_ZOMBIE);
	EXPECT(!child->shared && !child->signals.pending);
	EXPECT_EQ(machine_frames_used(), frames + 1 + KSTACK_PAGES);
	EXPECT_EQ(proc_find(pid), child);
	EXPECT_EQ(PROC_CALL(__NR_kill, (uint32_t)pid, SIGKILL), 0);
	proc_last_pid = pid - 1;
	EXPECT_EQ(PROC_START(ends, 0), pid + 1);
	EXPECT_EQ(proc_wait_for(pid), 7 << 8);
	EXPECT_EQ(PROC_CALL(__NR_kill, (uint32_t)pid, SIGKILL), -ESRCH);
}

/* Its descriptors are gone; what lies in their place is somebody else's. */
KTEST_PROC(proc, limits_of_a_zombie_reach_nothing_else)
{
	const uint64_t limits[2] = {77, 4096};
	int32_t pid = PROC_START(ends, 0);
	uint8_t *there;

	sched_yield();
	EXPECT_EQ(copy_to_user(PROC_DATA, limits, sizeof(limits)), 0);
	there = kmalloc(sizeof(struct files));
	ASSERT(there);
	memset(there, 0x5A, sizeof(struct files));
	for (uint32_t i = 0; i < RLIMITS; i++)
		EXPECT_EQ(PROC_CALL(__NR_prlimit64, (uint32_t)pid, i, PROC_DATA, 0), 0);
	for (uint32_t i = 0; i < sizeof(struct files); i++)
		EXPECT_EQ(there[i], 0x5A);
	kmfree(there);
}

KTEST_PROC(proc, numbers_begin_again_behind_the_last)
{
	proc_last_pid = PID_MAX - 2;
	EXPECT_EQ(PROC_START(ends, 0), PID_MAX - 1);
	EXPECT_EQ(PROC_START(ends, 0), PID_MAX);
	EXPECT_EQ(PROC_START(ends, 0), 2); /* the first is taken */
	EXPECT_EQ(proc_wait_for(PID_MAX), 0);
	proc_last_pid = PID_MAX - 2;
	EXPECT_EQ(PROC_START(ends, 0), PID_MAX);
}

/* Who got one would be in a group, or lead a session, that it has never heard of. */
KTEST_PROC(proc, numbers_of_groups_and_sessions_are_not_given)
{
	int32_t pid = PROC_START(ends, 0);
	struct proc *child = proc_find(pid);

	child->group = pid + 1;
	child->session = pid + 2;
	EXPECT_EQ(PROC_START(ends, 0), pid + 3);
	child->group = child->session = 0;
	proc_last_pid = pid;
	EXPECT_EQ(PROC_START(ends, 0), pid + 1);
}

/* Processes that share a bucket of the table. */
KTEST_PROC(proc, each_is_found_by_its_number)
{
	int32_t pid[3];

	for (int32_t i = 0; i < 3; i++) {
		proc_last_pid = 64 * (i + 1) + 6;
		pid[i] = PROC_START(ends, (uint32_t)i);
	}
	for (int32_t i = 0; i < 3; i++)
		EXPECT_EQ(proc_find(64 * (i + 1) + 7)->pid, pid[i]);
	EXPECT(!proc_find(7));
	EXPECT(!proc_find(0));
	EXPECT(!proc_find(-1));
	EXPECT_EQ(proc_wait_for(pid[1]), 1 << 8);
	EXPECT_EQ(proc_find(pid[2])->pid, pid[2]);
	EXPECT_EQ(proc_find(pid[0])->pid, pid[0]);
}

/* A zombie that its parent has left without a word is the first process's to wait for. */
KTEST_PROC(proc, zombies_of_an_orphan_are_heard_of)
{
	struct signal_info info;
	int32_t parent, child;

	current->signals.action[SIGCHLD - 1].handler = PROC_CODE;
	current->signals.blocked = signal_bit(SIGCHLD);
	proc_last_pid = 100;
	parent = PROC_START(leaves_a_zombie, 3);
	child = parent + 1;
	EXPECT_EQ(proc_wait_for(parent), 3 << 8);
	EXPECT_EQ(proc_find(child)->state, PROC_ZOMBIE);
	EXPECT_EQ(proc_find(child)->parent, current);
	EXPECT_EQ(signal_take(current, ~0ull, &info), SIGCHLD);
	EXPECT_EQ(info.from.pid, child);
	EXPECT_EQ(proc_wait_for(child), 9 << 8);
	EXPECT_EQ(how_many(), 1);
}

KTEST_PROC(proc, zombies_of_an_orphan_go_where_they_are_unwanted)
{
	uint32_t frames;
	int32_t pid;

	PROC_LOAD(leaves_a_zombie);
	frames = machine_frames_used();
	pid = PROC_CALL(__NR_fork, 3); /* it does not ignore them */
	current->signals.action[SIGCHLD - 1].handler = (uint32_t)SIG_IGN;
	EXPECT_EQ(proc_wait_for(pid), -ECHILD);
	EXPECT_EQ(how_many(), 1);
	EXPECT_EQ(machine_frames_used(), frames);
}

/* As many as the tenant's quota has pages for; their end gives back all. */
KTEST_PROC(proc, no_memory_for_another_process_is_said_and_passes)
{
	uint32_t frames = machine_frames_used(), n = 0;
	int32_t pid;

	while ((pid = PROC_START(ends, n)) > 0)
		n++;
	EXPECT_EQ(pid, -ENOMEM);
	EXPECT(n > 5);
	EXPECT_EQ(how_many(), 1 + n);
	for (pid = 2; pid < (int32_t)n + 2; pid++)
		EXPECT_EQ(proc_wait_for(pid), (int32_t)((uint32_t)(pid - 2) << 8));
	EXPECT(machine_frames_used() <= frames + 2); /* pages of its own, and a table */
	EXPECT_EQ(PROC_START(ends, 0), (int32_t)n + 2);
}

/* The maker waits; its child leaves the space that they share, and only then it goes on. */
KTEST_PROC(proc, a_maker_of_a_vfork_waits_for_its_child)
{
	uint32_t refs = current->shared->refs;
	int32_t pid;

	PROC_LOAD(ends);
	pid = PROC_CALL(__NR_vfork, 5);
	EXPECT_EQ(pid, 2);
	EXPECT_EQ(proc_find(pid)->state, PROC_ZOMBIE);
	EXPECT_EQ(current->shared->refs, refs);
	EXPECT_EQ(proc_wait_for(pid), 5 << 8);
}

KTEST_PROC(proc, what_would_be_a_thread_is_refused)
{
	static const uint32_t flags[] = {CLONE_VM,      CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_THREAD,
					 CLONE_PARENT,  CLONE_NEWNS, CLONE_IO, CLONE_PIDFD,   CLONE_PTRACE,
					 CLONE_SYSVSEM, 65,          CSIGNAL};

	for (uint32_t i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_EQ(PROC_CALL(__NR_clone, flags[i]), -EINVAL);
	EXPECT_EQ(PROC_CALL(__NR_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 4), -EFAULT);
	EXPECT_EQ(how_many(), 1);
}

/* At the table's ends, in its gaps, and where a number becomes another one when it is cut. */
KTEST_PROC(proc, calls_that_are_not_there_change_nothing)
{
	static const uint32_t numbers[] = {__NR_ptrace, __NR_clone3, __NR_openat2, 440,        511,
					   1024,        0x10014,     0x3FFFFFFF,   0x80000014, 0xFFFFFFFF};

	for (uint32_t i = 0; i < ARRAY_SIZE(numbers); i++)
		EXPECT_EQ(PROC_CALL(numbers[i], ~0u, ~0u, ~0u, ~0u, ~0u, ~0u), -ENOSYS);
}
