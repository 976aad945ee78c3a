/* user/tests/sched.c - facts of who runs where. */
#include "fact.h"
#include <sched.h>
#include <sys/syscall.h>

FACT(affinity_has_one_processor_at_least)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	EXPECT(CPU_COUNT(&set) >= 1);
	EXPECT_EQ(sched_yield(), 0);
}

static void steer_root(void)
{
	uint32_t set = 1;

	EXPECT_EQ(setuid(5), 0);
	EXPECT_EQ(syscall(SYS_sched_setaffinity, 0, 4, &set), 0);
	EXPECT_ERRNO(syscall(SYS_sched_setaffinity, getppid(), 4, &set), EPERM);
}

FACT(a_processor_that_is_there_must_be_asked_for)
{
	uint32_t set[2] = {1, 0}, none = 0;

	EXPECT_EQ(syscall(SYS_sched_setaffinity, 0, sizeof(set), set), 0);
	EXPECT_EQ(syscall(SYS_sched_setaffinity, getpid(), 1, set), 0);
	EXPECT_ERRNO(syscall(SYS_sched_setaffinity, 0, 4, &none), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_setaffinity, 0, 0, set), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_setaffinity, 0, 4, NULL), EFAULT);
	EXPECT_ERRNO(syscall(SYS_sched_setaffinity, 12345, 4, set), ESRCH);
	EXPECT_EQ(in_child(steer_root), 0);
	EXPECT_EQ(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	EXPECT_EQ(syscall(SYS_sched_getscheduler, getpid()), SCHED_OTHER);
	EXPECT_ERRNO(syscall(SYS_sched_getscheduler, -1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_getscheduler, 12345), ESRCH);
}
