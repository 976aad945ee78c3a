/* user/tests/process.c - facts of identity, limits, machine state and what C libraries ask at their start. */
#include "fact.h"
#include <asm/ldt.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

FACT(a_thread_s_number_is_its_process_s)
{
	int word = 0;

	EXPECT_EQ(gettid(), getpid());
	EXPECT_EQ(syscall(SYS_set_tid_address, &word), getpid());
}

FACT(who_is_not_root_raises_no_hard_limit)
{
	struct rlimit lower = {50, 60}, higher = {50, 61};

	EXPECT_EQ(setrlimit(RLIMIT_CPU, &higher), 0);
	EXPECT_EQ(setrlimit(RLIMIT_CPU, &lower), 0);
	EXPECT_EQ(setrlimit(RLIMIT_CPU, &higher), 0);
	EXPECT_EQ(setrlimit(RLIMIT_CPU, &lower), 0);
	EXPECT_EQ(syscall(SYS_setresuid32, 5, 5, 5), 0);
	EXPECT_ERRNO(setrlimit(RLIMIT_CPU, &higher), EPERM);
	EXPECT_EQ(setrlimit(RLIMIT_CPU, &lower), 0);
}

FACT(a_thread_area_is_told_as_it_was_set)
{
	struct user_desc d = {.entry_number = (unsigned)-1,
			      .base_addr = 0x12345678,
			      .limit = 0x54321,
			      .seg_32bit = 1,
			      .read_exec_only = 1,
			      .useable = 1},
			 got;

	REQUIRE(syscall(SYS_set_thread_area, &d) == 0);
	memset(&got, 0xff, sizeof(got));
	got.entry_number = d.entry_number;
	EXPECT_EQ(syscall(SYS_get_thread_area, &got), 0);
	EXPECT(!memcmp(&got, &d, sizeof(d)));
	got.entry_number = d.entry_number + 1;
	EXPECT_EQ(syscall(SYS_get_thread_area, &got), 0);
	EXPECT(got.base_addr == 0 && got.limit == 0 && got.seg_not_present && got.read_exec_only);
	got.entry_number = 1;
	EXPECT_ERRNO(syscall(SYS_get_thread_area, &got), EINVAL);
	EXPECT_ERRNO(syscall(SYS_get_thread_area, 16), EFAULT);
}

FACT(what_is_asked_with_wrong_lengths_or_of_nobody_is_refused)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 12345};
	struct __user_cap_data_struct data[2];
	uint32_t mask[2];

	EXPECT_ERRNO(syscall(SYS_set_robust_list, mask, 11), EINVAL);
	EXPECT_EQ(syscall(SYS_set_robust_list, mask, 12), 0);
	EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0, 2, mask), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 0, 6, mask), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_getaffinity, 12345, 4, mask), ESRCH);
	EXPECT_ERRNO(syscall(SYS_capget, &header, data), ESRCH);
	header.pid = -1;
	EXPECT_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
	header.version = 1;
	EXPECT_ERRNO(syscall(SYS_capget, &header, data), EINVAL);
	EXPECT_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
}

FACT(uname_names_the_machine)
{
	struct utsname u;

	EXPECT_EQ(uname(&u), 0);
	EXPECT(u.sysname[0] && u.release[0]);
	EXPECT(u.machine[0] == 'i' || u.machine[0] == 'x');
}

FACT(the_older_forms_of_uname_tell_less)
{
	char old[5][65], oldest[5][9];
	struct utsname u;

	EXPECT_EQ(uname(&u), 0);
	EXPECT_EQ(syscall(SYS_olduname, old), 0);
	EXPECT(!memcmp(old, &u, sizeof(old)));
	EXPECT_EQ(syscall(SYS_oldolduname, oldest), 0);
	for (int i = 0; i < 5; i++) {
		EXPECT(!strncmp(oldest[i], old[i], 8));
		EXPECT_EQ(oldest[i][8], 0);
	}
	EXPECT_ERRNO(syscall(SYS_olduname, NULL), EFAULT);
	EXPECT_ERRNO(syscall(SYS_oldolduname, 16), EFAULT);
}

FACT(sysinfo_counts_memory)
{
	struct sysinfo s;

	EXPECT_EQ(sysinfo(&s), 0);
	EXPECT(s.totalram > s.freeram && s.freeram > 0);
	EXPECT(s.procs > 0);
}

FACT(sysinfo_counts_bytes_as_long_as_a_word_is_enough)
{
	struct sysinfo s;

	EXPECT_EQ(sysinfo(&s), 0);
	EXPECT(s.mem_unit == 1 || (s.mem_unit == PAGE && s.totalram > UINT32_MAX / PAGE));
	EXPECT(s.totalram >= (8 << 20) / s.mem_unit);
	EXPECT_EQ(s.totalram * s.mem_unit % PAGE, 0);
}

FACT(limits_are_kept)
{
	struct rlimit limit = {123 * PAGE, 456 * PAGE}, got;

	EXPECT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
	EXPECT_EQ(getrlimit(RLIMIT_DATA, &got), 0);
	EXPECT_EQ(got.rlim_cur, 123 * PAGE);
	EXPECT_EQ(got.rlim_max, 456 * PAGE);
	limit.rlim_cur = 500 * PAGE;
	EXPECT_ERRNO(setrlimit(RLIMIT_DATA, &limit), EINVAL);
	EXPECT_ERRNO(getrlimit(77, &got), EINVAL);
	EXPECT_EQ(getrlimit(RLIMIT_STACK, &got), 0);
	EXPECT_EQ(got.rlim_cur, 8 << 20);
}

FACT(a_user_has_no_more_processes_than_the_limit)
{
	struct rlimit limit = {2, 2};
	pid_t child;

	EXPECT_EQ(setrlimit(RLIMIT_NPROC, &limit), 0);
	child = fork(); /* as root one may have any number */
	if (!child)
		_exit(0);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
	EXPECT_EQ(setresuid(54321, 54321, 54321), 0);
	child = fork();
	if (!child)
		_exit(0);
	EXPECT(child > 0);
	EXPECT_ERRNO(fork(), EAGAIN); /* a zombie counts */
	EXPECT_EQ(waitpid(child, NULL, 0), child);
	child = fork();
	if (!child)
		_exit(0);
	EXPECT_EQ(waitpid(child, NULL, 0), child);
}

FACT(who_is_not_root_sets_no_limits_of_others)
{
	uint64_t limit[2];
	pid_t parent = getpid(), child = fork();
	int status;

	if (!child) {
		int fails = setresgid(20, 20, 20) || setresuid(10, 10, 10);

		fails |= syscall(SYS_prlimit64, parent, RLIMIT_CORE, NULL, limit) != -1 || errno != EPERM;
		fails |= syscall(SYS_prlimit64, getpid(), RLIMIT_CORE, NULL, limit) != 0;
		_exit(fails);
	}
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

static pid_t child_of(uid_t user, gid_t group)
{
	int ends[2];
	char c = 0;
	pid_t child;

	EXPECT_EQ(pipe(ends), 0);
	child = fork();
	if (!child) {
		syscall(SYS_setresgid32, group, group, group);
		syscall(SYS_setresuid32, user, user, user);
		write(ends[1], &c, 1);
		for (;;)
			pause();
	}
	EXPECT_EQ(read(ends[0], &c, 1), 1);
	return child;
}

FACT(limits_are_for_who_is_really_the_same_user_and_group)
{
	const pid_t children[4] = {child_of(5, 7), child_of(6, 7), child_of(5, 8), child_of(6, 8)};
	uint64_t now[2];

	EXPECT_EQ(syscall(SYS_setresgid32, 7, 8, 8), 0);
	EXPECT_EQ(syscall(SYS_setresuid32, 5, 6, 6), 0);
	EXPECT_EQ(syscall(SYS_prlimit64, children[0], RLIMIT_CPU, NULL, now), 0);
	for (unsigned i = 1; i < 4; i++)
		EXPECT_ERRNO(syscall(SYS_prlimit64, children[i], RLIMIT_CPU, NULL, now), EPERM);
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_EQ(kill(children[i], SIGKILL), 0);
		EXPECT_EQ(waitpid(children[i], NULL, 0), children[i]);
	}
}

FACT(who_is_several_users_sets_limits_of_its_own)
{
	uint64_t limit[2] = {77, UINT64_MAX}, now[2];

	EXPECT_EQ(syscall(SYS_setresuid32, 5, 6, 7), 0);
	EXPECT_EQ(syscall(SYS_prlimit64, 0, RLIMIT_CPU, limit, NULL), 0);
	EXPECT_EQ(syscall(SYS_prlimit64, getpid(), RLIMIT_CPU, NULL, now), 0);
	EXPECT_EQ(now[0], 77);
	EXPECT_ERRNO(syscall(SYS_prlimit64, getppid(), RLIMIT_CPU, NULL, now), EPERM);
}

FACT(limits_begin_as_they_are_known)
{
	static const struct {
		int which;
		uint32_t soft, hard;
	} first[] = {
		{RLIMIT_CORE, 0, ~0u},    {RLIMIT_STACK, 8 << 20, ~0u}, {RLIMIT_NOFILE, 1024, 4096},
		{RLIMIT_DATA, ~0u, ~0u},  {RLIMIT_AS, ~0u, ~0u},        {RLIMIT_CPU, ~0u, ~0u},
		{RLIMIT_FSIZE, ~0u, ~0u},
	};
	uint32_t now[2];

	for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		EXPECT_EQ(syscall(SYS_ugetrlimit, first[i].which, now), 0);
		EXPECT_EQ(now[0], first[i].soft);
		EXPECT_EQ(now[1], first[i].hard);
	}
}

FACT(the_old_getrlimit_tells_31_bits)
{
	uint32_t limit[2] = {5, 0x7ffffffe}, old[2] = {1, 1};

	EXPECT_EQ(syscall(SYS_getrlimit, RLIMIT_CPU, old), 0);
	EXPECT(old[0] == 0x7fffffff && old[1] == 0x7fffffff);
	EXPECT_EQ(syscall(SYS_setrlimit, RLIMIT_CPU, limit), 0);
	EXPECT_EQ(syscall(SYS_getrlimit, RLIMIT_CPU, old), 0);
	EXPECT(old[0] == 5 && old[1] == 0x7ffffffe);
	EXPECT_ERRNO(syscall(SYS_getrlimit, 16, old), EINVAL);
	EXPECT_ERRNO(syscall(SYS_ugetrlimit, 16, old), EINVAL);
	EXPECT_ERRNO(syscall(SYS_setrlimit, 16, old), EINVAL);
	EXPECT_ERRNO(syscall(SYS_prlimit64, 0, 16, NULL, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_setrlimit, RLIMIT_CPU, 16), EFAULT);
}

FACT(limits_of_another_are_told_as_they_were_and_set)
{
	uint64_t new[2] = {100, 1ull << 40}, old[2], now[2];
	pid_t child = fork();

	if (!child) {
		for (;;)
			pause();
	}
	EXPECT_EQ(syscall(SYS_prlimit64, child, RLIMIT_CPU, new, old), 0);
	EXPECT(old[0] == UINT64_MAX && old[1] == UINT64_MAX);
	EXPECT_EQ(syscall(SYS_prlimit64, child, RLIMIT_CPU, NULL, now), 0);
	EXPECT_EQ(now[0], 100);
	EXPECT_EQ(now[1], UINT64_MAX);
	EXPECT_EQ(syscall(SYS_prlimit64, 0, RLIMIT_CPU, NULL, now), 0);
	EXPECT_EQ(now[0], UINT64_MAX);
	EXPECT_EQ(syscall(SYS_prlimit64, child, RLIMIT_CPU, NULL, NULL), 0);
	EXPECT_ERRNO(syscall(SYS_prlimit64, child, RLIMIT_CPU, 16, NULL), EFAULT);
	EXPECT_ERRNO(syscall(SYS_prlimit64, child, RLIMIT_CPU, NULL, 16), EFAULT);
	EXPECT_ERRNO(syscall(SYS_prlimit64, 12345, RLIMIT_CPU, NULL, now), ESRCH);
	kill(child, SIGKILL);
	wait(NULL);
}

FACT(random_bytes_differ_in_each_of_many_pieces)
{
	static uint32_t words[1024];
	unsigned same = 0;

	EXPECT_EQ(getrandom(words, sizeof(words), GRND_RANDOM), sizeof(words));
	for (unsigned i = 1; i < 1024; i++)
		same += words[i] == words[i - 1] || !words[i];
	EXPECT(same < 3);
	EXPECT_EQ(getrandom(words, 0, 0), 0);
	EXPECT_ERRNO(getrandom(words, 4, GRND_RANDOM | GRND_INSECURE), EINVAL);
	EXPECT_EQ(getrandom(words, 4, GRND_INSECURE), 4);
}

FACT(getrandom_gives_what_was_asked_for)
{
	uint32_t a[16] = {0}, b[16] = {0};

	EXPECT_EQ(getrandom(a, sizeof(a), 0), sizeof(a));
	EXPECT_EQ(getrandom(b, sizeof(b), GRND_NONBLOCK), sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)) != 0);
	EXPECT_ERRNO(getrandom(a, 4, 0x80), EINVAL);
}

FACT(a_call_that_is_not_there_is_ENOSYS)
{
	EXPECT_ERRNO(syscall(999), ENOSYS);
	EXPECT_ERRNO(syscall(-1), ENOSYS);
	EXPECT_ERRNO(syscall(0x7fffffff), ENOSYS);
}

FACT(a_thread_area_is_what_gs_reaches)
{
	static uint32_t words[4] = {11, 22, 33, 44};
	struct user_desc d = {.entry_number = (unsigned)-1,
			      .base_addr = (unsigned)(uintptr_t)words,
			      .limit = 0xfffff,
			      .seg_32bit = 1,
			      .limit_in_pages = 1,
			      .useable = 1};
	unsigned old, got, want;

	REQUIRE(syscall(SYS_set_thread_area, &d) == 0);
	EXPECT(d.entry_number != (unsigned)-1);
	want = d.entry_number * 8 + 3;
	__asm__ volatile("movl %%fs, %0\n\tmovl %2, %%fs\n\tmovl %%fs:8, %1\n\tmovl %0, %%fs"
			 : "=&r"(old), "=&r"(got)
			 : "r"(want));
	EXPECT_EQ(got, 33);
}

FACT(a_thread_area_survives_a_switch_and_differs_by_process)
{
	static uint32_t words[2] = {1, 2};
	struct user_desc d = {.entry_number = (unsigned)-1,
			      .base_addr = (unsigned)(uintptr_t)words,
			      .limit = 0xfffff,
			      .seg_32bit = 1,
			      .limit_in_pages = 1,
			      .useable = 1};
	unsigned got = 0;
	int status;

	REQUIRE(syscall(SYS_set_thread_area, &d) == 0);
	__asm__ volatile("movl %0, %%fs" : : "r"(d.entry_number * 8 + 3));
	if (!fork()) {
		struct user_desc mine = d;

		mine.base_addr += 4;
		if (syscall(SYS_set_thread_area, &mine))
			_exit(1);
		__asm__ volatile("movl %1, %%fs\n\tmovl %%fs:0, %0"
				 : "=r"(got)
				 : "r"(d.entry_number * 8 + 3));
		sched_yield();
		_exit(got != 2);
	}
	wait(&status);
	EXPECT_EQ(status, 0);
	__asm__ volatile("movl %%fs:0, %0" : "=r"(got));
	EXPECT_EQ(got, 1);
}

FACT(a_thread_area_of_the_kernel_s_kind_is_EINVAL)
{
	struct user_desc d = {.entry_number = 1, .base_addr = 0, .limit = 0xfffff, .seg_32bit = 1};

	EXPECT_ERRNO(syscall(SYS_set_thread_area, &d), EINVAL);
	d.entry_number = 5000;
	EXPECT_ERRNO(syscall(SYS_set_thread_area, &d), EINVAL);
}

static double stir(unsigned seed)
{
	double x = seed;

	for (int i = 0; i < 200000; i++)
		x = x * 1.0000001 + 1.0 / (x + 1.0);
	return x;
}

FACT(floating_point_registers_are_each_process_s_own)
{
	int status;

	for (unsigned i = 1; i <= 3; i++) {
		if (!fork()) {
			double once = stir(i);

			_exit(stir(i) != once);
		}
	}
	for (int i = 0; i < 3; i++) {
		wait(&status);
		EXPECT_EQ(status, 0);
	}
}

FACT(the_fpu_starts_as_the_abi_says)
{
	unsigned short control;

	__asm__ volatile("fnstcw %0" : "=m"(control));
	EXPECT_EQ(control, 0x37f);
}

FACT(the_direction_flag_is_kept_over_a_call)
{
	unsigned flags;

	__asm__ volatile("std\n\tint $0x80\n\tpushfl\n\tcld\n\tpopl %0" : "=r"(flags) : "a"(SYS_getpid));
	EXPECT_EQ(flags >> 10 & 1, 1);
}

FACT(registers_survive_a_call)
{
	unsigned b = 1, c = 2, d = 3, si = 4, di = 5;

	__asm__ volatile("int $0x80"
			 : "+b"(b), "+c"(c), "+d"(d), "+S"(si), "+D"(di)
			 : "a"(SYS_getpid)
			 : "memory");
	EXPECT(b == 1 && c == 2 && d == 3 && si == 4 && di == 5);
}

FACT(prctl_keeps_a_name)
{
	char name[17] = "";

	EXPECT_EQ(prctl(PR_SET_NAME, "a-name-that-is-too-long"), 0);
	EXPECT_EQ(prctl(PR_GET_NAME, name), 0);
	EXPECT(!strcmp(name, "a-name-that-is-"));
	memset(name, 'x', sizeof(name));
	EXPECT_EQ(prctl(PR_SET_NAME, "b"), 0);
	EXPECT_EQ(prctl(PR_GET_NAME, name), 0);
	EXPECT(!memcmp(name, "b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0x", 17));
	EXPECT_ERRNO(prctl(PR_SET_NAME, 16), EFAULT);
	EXPECT_ERRNO(prctl(123456), EINVAL);
}

FACT(prctl_keeps_words_that_it_checks)
{
	int sig = -1;

	EXPECT_EQ(prctl(PR_GET_PDEATHSIG, &sig), 0);
	EXPECT_EQ(sig, 0);
	EXPECT_EQ(prctl(PR_SET_PDEATHSIG, 64), 0);
	EXPECT_EQ(prctl(PR_GET_PDEATHSIG, &sig), 0);
	EXPECT_EQ(sig, 64);
	EXPECT_ERRNO(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
	EXPECT_ERRNO(prctl(PR_GET_PDEATHSIG, 16), EFAULT);
	EXPECT_EQ(prctl(PR_GET_DUMPABLE), 1);
	EXPECT_ERRNO(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	EXPECT_EQ(prctl(PR_SET_DUMPABLE, 0), 0);
	EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
	EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	EXPECT_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 1), EINVAL);
	EXPECT_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 1, 0), EINVAL);
	EXPECT_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 0, 1, 0, 0), EINVAL);
	EXPECT_ERRNO(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
	EXPECT_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 1, 0), EINVAL);
	EXPECT_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 1), EINVAL);
	EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	EXPECT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

FACT(capabilities_are_told_in_three_words_or_six)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_1, 0};
	uint32_t set[7];

	memset(set, 0x55, sizeof(set));
	EXPECT_EQ(syscall(SYS_capget, &header, set), 0);
	EXPECT(set[0] && set[1] && set[0] != 0x55555555 && set[3] == 0x55555555);
	header.version = _LINUX_CAPABILITY_VERSION_3;
	EXPECT_EQ(syscall(SYS_capget, &header, set), 0);
	EXPECT(set[3] != 0x55555555 && set[5] != 0x55555555 && set[6] == 0x55555555);
	header.version = _LINUX_CAPABILITY_VERSION_2;
	header.pid = getpid();
	EXPECT_EQ(syscall(SYS_capget, &header, set), 0);
	EXPECT_EQ(syscall(SYS_setresuid32, 5, 5, 5), 0);
	EXPECT_EQ(syscall(SYS_capget, &header, set), 0);
	EXPECT_EQ(set[0] | set[1] | set[2] | set[3] | set[4] | set[5], 0);
	header.version = 1;
	EXPECT_EQ(syscall(SYS_capget, &header, NULL), 0);
	EXPECT_EQ(header.version, _LINUX_CAPABILITY_VERSION_3);
	EXPECT_ERRNO(syscall(SYS_capget, 16, set), EFAULT);
}

FACT(prctl_tells_what_nobody_here_changes)
{
	uint32_t word = 0;

	EXPECT_EQ(prctl(PR_CAPBSET_READ, 0), 1);
	EXPECT_ERRNO(prctl(PR_CAPBSET_READ, 60), EINVAL);
	EXPECT_EQ(prctl(PR_GET_SECCOMP), 0);
	EXPECT_EQ(prctl(PR_GET_TIMING), PR_TIMING_STATISTICAL);
	EXPECT_EQ(prctl(PR_GET_TSC, &word), 0);
	EXPECT_EQ(word, PR_TSC_ENABLE);
	EXPECT_ERRNO(prctl(PR_GET_TSC, 16), EFAULT);
	EXPECT_EQ(syscall(SYS_set_tid_address, &word), getpid());
	EXPECT_EQ(prctl(PR_GET_TID_ADDRESS, &word), 0);
	EXPECT_EQ(word, (uintptr_t)&word);
}

static void check_kept(void)
{
	EXPECT_EQ(prctl(PR_GET_KEEPCAPS), 1);
	EXPECT_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 7);
	EXPECT_EQ(prctl(PR_SET_TIMERSLACK, 8), 0);
	EXPECT_EQ(prctl(PR_SET_TIMERSLACK, 0), 0);
	EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 7); /* what its maker had is its default */
}

FACT(prctl_keeps_words_that_a_child_has_too)
{
	EXPECT_EQ(prctl(PR_GET_KEEPCAPS), 0);
	EXPECT_EQ(prctl(PR_GET_SECUREBITS), 0);
	EXPECT_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
	EXPECT_ERRNO(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
	EXPECT_EQ(prctl(PR_GET_SECUREBITS), 0x10);
	EXPECT_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
	EXPECT_EQ(prctl(PR_SET_THP_DISABLE, 2, 0, 0, 0), 0);
	EXPECT_ERRNO(prctl(PR_SET_THP_DISABLE, 1, 1, 0, 0), EINVAL);
	EXPECT_ERRNO(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
	EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 50000);
	EXPECT_EQ(prctl(PR_SET_TIMERSLACK, 7), 0);
	EXPECT_EQ(in_child(check_kept), 0);
	EXPECT_EQ(prctl(PR_SET_TIMERSLACK, 0), 0);
	EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 50000);
}

static void look_for_lists(void)
{
	uint32_t head = 1, size = 0;

	EXPECT_EQ(syscall(SYS_get_robust_list, 0, &head, &size), 0);
	EXPECT_EQ(head, 0); /* its maker's is not its own */
	EXPECT_EQ(syscall(SYS_get_robust_list, getppid(), &head, &size), 0);
	EXPECT_EQ(head, 4096);
	EXPECT_EQ(setuid(5), 0);
	EXPECT_ERRNO(syscall(SYS_get_robust_list, getppid(), &head, &size), EPERM);
}

FACT(a_list_of_locks_is_told_as_it_was_set)
{
	uint32_t head = 1, size = 0;

	EXPECT_EQ(syscall(SYS_set_robust_list, 4096, 12), 0);
	EXPECT_EQ(syscall(SYS_get_robust_list, 0, &head, &size), 0);
	EXPECT(head == 4096 && size == 12);
	EXPECT_ERRNO(syscall(SYS_get_robust_list, 12345, &head, &size), ESRCH);
	EXPECT_ERRNO(syscall(SYS_get_robust_list, 0, 16, &size), EFAULT);
	EXPECT_ERRNO(syscall(SYS_get_robust_list, 0, &head, 16), EFAULT);
	EXPECT_EQ(in_child(look_for_lists), 0);
}
