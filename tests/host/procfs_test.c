/* tests/host/procfs_test.c - /proc over three processes whose texts tests/host/up.c makes: 1, 7 (this one) and 300. */
#include "calls.h"

KTEST_SETUP(procfs)
{
	calls_begin();
}

KTEST_TEARDOWN(procfs)
{
	calls_end();
}

static uint32_t length_of(const char *path)
{
	int32_t fd = uopen(path, O_RDONLY), got;
	uint32_t length = 0;

	EXPECT(fd >= 0);
	while ((got = CALL(sys_read, FD(fd), U, 1000)) > 0)
		length += (uint32_t)got;
	EXPECT_EQ(got, 0);
	CALL(sys_close, FD(fd));
	return length;
}

KTEST(procfs, self_is_the_running_process)
{
	EXPECT_EQ(CALL(sys_readlink, ustr("/proc/self"), U, 10), 1);
	EXPECT(ueq(U, "7"));
	EXPECT_EQ(length_of("/proc/self/maps"), 7 * 14);
	EXPECT_EQ(length_of("/proc/7/maps"), 7 * 14);
	EXPECT(uholds("/proc/1/stat", "text 2 line 0\n"));
	EXPECT(uholds("/proc/1/../1/../self/../1/stat", "text 2 line 0\n"));
}

KTEST(procfs, texts_may_be_long)
{
	EXPECT_EQ(length_of("/proc/300/status"), 10 * 14 + 90 * 15 + 200 * 16);
}

KTEST(procfs, what_is_not_there_is_not_found)
{
	static const char *const paths[] = {"/proc/2",          "/proc/2/maps",    "/proc/07",
					    "/proc/0",          "/proc/7/meminfo", "/proc/maps",
					    "/proc/4294967303", "/proc/x",         "/proc/7x"};

	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++)
		EXPECT_EQ(uopen(paths[i], O_RDONLY), -ENOENT);
	EXPECT_EQ(umake("/proc/new", "x"), -ENOENT);
	EXPECT_EQ(uopen("/proc/meminfo", O_WRONLY), 0);
	EXPECT_EQ(uwrite(0, "x"), -EINVAL);
}

KTEST(procfs, a_text_stays_while_it_is_read)
{
	int32_t fd = uopen("/proc/300/maps", O_RDONLY);

	EXPECT_EQ(CALL(sys_read, FD(fd), U, 5), 5);
	EXPECT_EQ(CALL(sys_read, FD(fd), U, 9), 9);
	EXPECT(ueq(U, "0 line 0\n"));
	EXPECT_EQ(CALL(sys_read, FD(fd), U_END, 9), -EFAULT);
	EXPECT_EQ(CALL(sys_lseek, FD(fd), 5, SEEK_SET), 5);
	EXPECT_EQ(CALL(sys_read, FD(fd), U, 8), 8);
	EXPECT(ueq(U, "0 line 0"));
}

/* The directory of a process names its files; they are freed with the last who uses them. */
KTEST(procfs, its_files_are_made_and_go)
{
	uint32_t before = inode_count();
	int32_t fd = uopen("/proc/7", O_RDONLY | O_DIRECTORY), got, names = 0;

	EXPECT_EQ(inode_count(), before + 1);
	while ((got = CALL(sys_getdents64, FD(fd), U, 64)) > 0)
		for (uint32_t at = 0; at < (uint32_t)got; at += uword(U + at + 16) & 0xFFFF)
			names++;
	EXPECT_EQ(got, 0);
	EXPECT_EQ(names, 2 + 7);
	EXPECT_EQ(CALL(sys_openat, FD(fd), ustr("maps"), O_RDONLY, 0), 1);
	EXPECT_EQ(CALL(sys_openat, FD(fd), ustr("../300/maps"), O_RDONLY, 0), 2);
	EXPECT_EQ(CALL(sys_fchdir, FD(fd)), 0);
	EXPECT_EQ(CALL(sys_access, ustr("../../dev"), 0), 0);
	EXPECT_EQ(CALL(sys_chdir, ustr("/")), 0);
	CALL(sys_close, 0);
	CALL(sys_close, 1);
	CALL(sys_close, 2);
	EXPECT_EQ(inode_count(), before);
}
