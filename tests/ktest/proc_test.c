/* tests/ktest/proc_test.c - the table of processes: numbers, zombies, orphans, and what is left of them. */
#include <linux/sched.h>
#include <linux/wait.h>
#include <mm/usercopy.h>
#include <tests/ktest/machine.h>
#include <tests/ktest/proc_machine.h>

/* Ends with the status in ebx. */
USER_PROGRAM(ends, "	movl $1, %eax\n"
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
