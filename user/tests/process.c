/* user/tests/process.c - facts of identity, limits, machine state and what C libraries ask at their start. */
#include "fact.h"
#include <asm/ldt.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/futex.h>
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

FACT(users_and_groups_can_be_read_and_given_up)
{
	int status;
	uid_t r, e, s;

	EXPECT_EQ(getresuid(&r, &e, &s), 0);
	EXPECT(r == getuid() && e == geteuid());
	if (!fork()) {
		if (setresgid(20, 20, 20) || setresuid(10, 10, 10) || getuid() != 10 || getegid() != 20)
			_exit(1);
		_exit(setuid(0) != -1 || errno != EPERM);
	}
	wait(&status);
	if (r == 0)
		EXPECT_EQ(status, 0);
}

static bool users_are(uid_t real, uid_t effective, uid_t saved, uid_t of_files)
{
	uid_t r = 99, e = 99, s = 99;

	return !getresuid(&r, &e, &s) && r == real && e == effective && s == saved &&
	       (uid_t)syscall(SYS_setfsuid32, -1) == of_files;
}

FACT(setreuid_saves_a_new_effective_user)
{
	EXPECT_EQ(syscall(SYS_setreuid32, -1, 6), 0);
	EXPECT(users_are(0, 6, 6, 6));
	EXPECT_EQ(syscall(SYS_setreuid32, -1, 0), 0);
	EXPECT(users_are(0, 0, 6, 0));
	EXPECT_EQ(syscall(SYS_setreuid32, 5, -1), 0);
	EXPECT(users_are(5, 0, 0, 0));
}

FACT(who_is_not_root_takes_only_what_it_has)
{
	EXPECT_EQ(syscall(SYS_setresuid32, 5, 6, 7), 0);
	EXPECT(users_are(5, 6, 7, 6));
	EXPECT_ERRNO(syscall(SYS_setresuid32, -1, 8, -1), EPERM);
	EXPECT_ERRNO(syscall(SYS_setresuid32, 5, 6, 8), EPERM);
	EXPECT(users_are(5, 6, 7, 6));
	EXPECT_EQ(syscall(SYS_setresuid32, 7, 5, -1), 0);
	EXPECT(users_are(7, 5, 7, 5));
	EXPECT_EQ(syscall(SYS_setuid32, 7), 0);
	EXPECT(users_are(7, 7, 7, 7));
	EXPECT_ERRNO(syscall(SYS_setuid32, 5), EPERM);
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

FACT(sysinfo_counts_memory)
{
	struct sysinfo s;

	EXPECT_EQ(sysinfo(&s), 0);
	EXPECT(s.totalram > s.freeram && s.freeram > 0);
	EXPECT(s.mem_unit > 0);
	EXPECT(s.procs > 0);
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

FACT(a_futex_wakes_nobody_and_waits_for_nothing_changed)
{
	uint32_t word = 5;
	struct {
		int64_t seconds, rest;
	} soon = {0, 10000000};

	EXPECT_EQ(syscall(SYS_futex, &word, FUTEX_WAKE, 1, 0, 0, 0), 0);
	EXPECT_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT, 4, 0, 0, 0), EAGAIN);
	EXPECT_ERRNO(syscall(SYS_futex_time64, &word, FUTEX_WAIT, 5, &soon, 0, 0), ETIMEDOUT);
	EXPECT_ERRNO(syscall(SYS_futex, 16, FUTEX_WAIT, 1, 0, 0, 0), EFAULT);
}

FACT(a_futex_is_a_word_at_its_place)
{
	uint32_t words[2] = {0, 0};

	EXPECT_ERRNO(syscall(SYS_futex, (char *)words + 1, FUTEX_WAKE, 1, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_futex, 16, FUTEX_WAIT, 1, 0, 0, 0), EFAULT);
}

FACT(prctl_keeps_a_name)
{
	char name[17] = "";

	EXPECT_EQ(prctl(PR_SET_NAME, "a-name-that-is-too-long"), 0);
	EXPECT_EQ(prctl(PR_GET_NAME, name), 0);
	EXPECT(!strcmp(name, "a-name-that-is-"));
	EXPECT_ERRNO(prctl(123456), EINVAL);
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

FACT(affinity_has_one_processor_at_least)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	EXPECT(CPU_COUNT(&set) >= 1);
	EXPECT_EQ(sched_yield(), 0);
}

FACT(maps_lists_what_is_mapped)
{
	char line[300], want[32];
	char *p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool found = false, stack = false;
	FILE *f = fopen("/proc/self/maps", "r");

	REQUIRE(f != NULL && p != MAP_FAILED);
	mprotect(p + PAGE, PAGE, PROT_NONE);
	rewind(f);
	snprintf(want, sizeof(want), "%08x-%08x ---p", (unsigned)(uintptr_t)p + PAGE,
		 (unsigned)(uintptr_t)p + 2 * PAGE);
	while (fgets(line, sizeof(line), f)) {
		found |= !strncmp(line, want, strlen(want));
		stack |= strstr(line, "[stack]") != NULL;
	}
	EXPECT(found);
	EXPECT(stack);
}

FACT(meminfo_tells_total_and_free)
{
	char text[200] = "";
	unsigned total = 0, unused = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	REQUIRE(f != NULL);
	while (fgets(text, sizeof(text), f)) {
		sscanf(text, "MemTotal: %u kB", &total);
		sscanf(text, "MemFree: %u kB", &unused);
	}
	EXPECT(total > unused && unused > 0);
}
