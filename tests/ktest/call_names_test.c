/* tests/ktest/call_names_test.c - what the kernel calls the system calls that it does not have. */
#include <asm/unistd_32.h>
#include <kernel/ktest.h>
#include <kernel/syscall.h>
#include <lib/string.h>

KTEST(call_names, each_number_has_linuxs_name)
{
	EXPECT_EQ(strcmp(syscall_name(__NR_restart_syscall), "restart_syscall"), 0);
	EXPECT_EQ(strcmp(syscall_name(__NR_exit), "exit"), 0);
	EXPECT_EQ(strcmp(syscall_name(__NR__llseek), "_llseek"), 0);
	EXPECT_EQ(strcmp(syscall_name(__NR_clone3), "clone3"), 0);
	EXPECT_EQ(strcmp(syscall_name(__NR_openat2), "openat2"), 0);
}

KTEST(call_names, what_is_no_call_has_none)
{
	static const uint32_t numbers[] = {222, 100000, INT32_MAX, UINT32_MAX};

	for (uint32_t i = 0; i < ARRAY_SIZE(numbers); i++)
		EXPECT_EQ(strcmp(syscall_name(numbers[i]), "which has no name"), 0);
}
