/* user/tests/ids.c - facts of users and groups: kept as data, and what only root may. */
#include "fact.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

static bool groups_are(gid_t real, gid_t effective, gid_t saved, gid_t of_files)
{
	gid_t r = 99, e = 99, s = 99;

	return !getresgid(&r, &e, &s) && r == real && e == effective && s == saved &&
	       (gid_t)syscall(SYS_setfsgid32, -1) == of_files;
}

FACT(groups_change_as_users_do_and_only_the_user_makes_root)
{
	EXPECT_EQ(syscall(SYS_setregid32, -1, 6), 0);
	EXPECT(groups_are(0, 6, 6, 6));
	EXPECT_EQ(syscall(SYS_setregid32, 5, -1), 0);
	EXPECT(groups_are(5, 6, 6, 6));
	EXPECT_EQ(syscall(SYS_setgid32, 8), 0);
	EXPECT(groups_are(8, 8, 8, 8));
	EXPECT_ERRNO(syscall(SYS_setgid32, -1), EINVAL);
	EXPECT_ERRNO(syscall(SYS_setuid32, -1), EINVAL);
	EXPECT_EQ(syscall(SYS_setresgid32, 5, 6, 7), 0);
	EXPECT_EQ(syscall(SYS_setgroups32, 0, NULL), 0);
	EXPECT_EQ(syscall(SYS_setuid32, 9), 0);
	EXPECT(users_are(9, 9, 9, 9));
	EXPECT_ERRNO(syscall(SYS_setgroups32, 0, NULL), EPERM);
	EXPECT_ERRNO(syscall(SYS_setresgid32, 8, -1, -1), EPERM);
	EXPECT_ERRNO(syscall(SYS_setregid32, -1, 8), EPERM);
	EXPECT_EQ(syscall(SYS_setgid32, 7), 0);
	EXPECT(groups_are(5, 7, 7, 7));
	EXPECT_ERRNO(syscall(SYS_setgid32, 6), EPERM);
	EXPECT_ERRNO(syscall(SYS_getgroups32, -1, NULL), EINVAL);
	EXPECT_EQ(syscall(SYS_getgroups32, 0, NULL), 0);
}

/* These calls never fail: each tells what it was. */
static void expect_ids_of_files(long call)
{
	static const long asked[][2] = {{5, 6}, {7, 5}, {6, 7}, {8, 6}, {-1, 6}};

	for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		EXPECT_EQ(syscall(call, asked[i][0]), asked[i][1]);
}

FACT(the_ids_for_files_are_one_of_the_others_but_for_root)
{
	EXPECT_EQ(syscall(SYS_setfsuid32, 77), 0);
	EXPECT_EQ(syscall(SYS_setfsuid32, 0), 77);
	EXPECT_EQ(syscall(SYS_setfsuid32, -1), 0);
	EXPECT_EQ(syscall(SYS_setresgid32, 5, 6, 7), 0);
	EXPECT_EQ(syscall(SYS_setresuid32, 5, 6, 7), 0);
	expect_ids_of_files(SYS_setfsuid32);
	expect_ids_of_files(SYS_setfsgid32);
}

FACT(an_id_without_room_is_told_as_65534)
{
	EXPECT_EQ(syscall(SYS_setresgid32, 65536, 65535, 0), 0);
	EXPECT_EQ(syscall(SYS_setresuid32, 65535, 65536, 0), 0);
	EXPECT_EQ(syscall(SYS_getgid), 65534);
	EXPECT_EQ(syscall(SYS_getegid), 65535);
	EXPECT_EQ(syscall(SYS_getuid), 65535);
	EXPECT_EQ(syscall(SYS_geteuid), 65534);
	EXPECT_EQ(syscall(SYS_getgid32), 65536);
	EXPECT_EQ(syscall(SYS_getegid32), 65535);
	EXPECT_EQ(syscall(SYS_getuid32), 65535);
	EXPECT_EQ(syscall(SYS_geteuid32), 65536);
}

FACT(further_groups_are_kept_in_order_and_inherited)
{
	static uint32_t many[65537], got[65536];
	const uint32_t groups[] = {4, 2, 9};
	int status;

	EXPECT_EQ(syscall(SYS_setgroups32, 3, groups), 0);
	EXPECT_EQ(syscall(SYS_getgroups32, 0, NULL), 3);
	EXPECT_ERRNO(syscall(SYS_getgroups32, 2, got), EINVAL);
	EXPECT_ERRNO(syscall(SYS_getgroups32, 3, 16), EFAULT);
	EXPECT_EQ(syscall(SYS_getgroups32, 10, got), 3);
	EXPECT(got[0] == 2 && got[1] == 4 && got[2] == 9);
	EXPECT_ERRNO(syscall(SYS_setgroups32, 3, 16), EFAULT);
	EXPECT_ERRNO(syscall(SYS_setgroups32, 65537, many), EINVAL);
	if (!fork())
		_exit((int)syscall(SYS_getgroups32, 0, NULL));
	wait(&status);
	EXPECT_EQ(WEXITSTATUS(status), 3);
	for (uint32_t i = 0; i < 65536; i++)
		many[i] = i * 40503 % 65536;
	EXPECT_EQ(syscall(SYS_setgroups32, 65536, many), 0);
	EXPECT_EQ(syscall(SYS_getgroups32, 65536, got), 65536);
	for (uint32_t i = 0; i < 65536; i++)
		if (got[i] != i) {
			EXPECT_EQ(got[i], i);
			break;
		}
	EXPECT_EQ(syscall(SYS_setgroups32, 0, NULL), 0);
	EXPECT_EQ(syscall(SYS_getgroups32, 0, NULL), 0);
}

static bool is_changed_by(long call, long id)
{
	int sig = -1;

	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, 9);
	syscall(call, id, id, -1);
	prctl(PR_GET_PDEATHSIG, &sig);
	EXPECT_EQ(sig == 0, prctl(PR_GET_DUMPABLE) == 0);
	return !sig;
}

FACT(who_acts_as_another_is_not_to_be_looked_into)
{
	EXPECT(!is_changed_by(SYS_setresgid32, 0));
	EXPECT(is_changed_by(SYS_setresgid32, 4));
	EXPECT(!is_changed_by(SYS_setresgid32, 4));
	EXPECT(is_changed_by(SYS_setfsuid32, 6));
	EXPECT(!is_changed_by(SYS_setfsuid32, 6));
	EXPECT(is_changed_by(SYS_setfsgid32, 6));
	EXPECT(is_changed_by(SYS_setreuid32, 5));
	EXPECT(!is_changed_by(SYS_setreuid32, 5));
}
