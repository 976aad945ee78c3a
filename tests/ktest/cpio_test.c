/* tests/ktest/cpio_test.c - archives, whole and damaged, and the files they become. */
#include "fs_tree.h"

#include <arch/frame_access.h>
#include <fs/cpio.h>
#include <lib/printf.h>
#include <mm/frame.h>
#include <tests/ktest/machine.h>

#define ARCHIVE_ORDER 2u
#define ARCHIVE_SIZE  (PAGE_SIZE << ARCHIVE_ORDER)

static struct fs_context fs;
static char *archive; /* at the beginning of its frames */
static uint32_t length;

KTEST_SETUP(cpio)
{
	archive = kalloc_block(ARCHIVE_ORDER);
	INVARIANT(archive);
	length = 0;
	tree_begin(&fs);
}

KTEST_TEARDOWN(cpio)
{
	machine_fail_after(-1);
	printk_quiet = false;
	tree_end(&fs);
	kfree_block(archive);
}

/* What a member is; what is left out is 0. */
struct member {
	const char *name, *data;
	uint32_t mode, ino, nlink, uid, gid, mtime, rdev_major, rdev_minor;
};

static void pad(void)
{
	while (length % 4)
		archive[length++] = '\0';
}

static void add_bytes(const char *bytes, uint32_t n)
{
	INVARIANT(length + n <= ARCHIVE_SIZE);
	memcpy(archive + length, bytes, n);
	length += n;
}

static void add(const struct member *m)
{
	uint32_t name_size = (uint32_t)strlen(m->name) + 1, size = m->data ? (uint32_t)strlen(m->data) : 0;
	char header[128];

	text_format(header, sizeof(header), "070701%08x%08X%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		    m->ino, m->mode, m->uid, m->gid, m->nlink, m->mtime, size, 0, 0, m->rdev_major,
		    m->rdev_minor, name_size, 0);
	add_bytes(header, 110);
	add_bytes(m->name, name_size);
	pad();
	if (m->data)
		add_bytes(m->data, size);
	pad();
}

static void add_end(void)
{
	add(&(struct member){.name = "TRAILER!!!", .nlink = 1});
}

static int unpack(void)
{
	struct boot_module m = {paddr_of(arch_frame_of_direct(archive)), length, ""};
	int err;

	printk_quiet = true;
	err = fs_unpack(&m);
	printk_quiet = false;
	return err;
}

/* One of each kind. */
static void add_all_kinds(void)
{
	add(&(struct member){.name = ".", .mode = S_IFDIR | 0711, .nlink = 2, .uid = 3});
	add(&(struct member){.name = "dir", .mode = S_IFDIR | 0750, .nlink = 2});
	add(&(struct member){.name = "/dir/file",
			     .data = "the content",
			     .mode = S_IFREG | 0640,
			     .nlink = 1,
			     .uid = 5,
			     .gid = 6,
			     .mtime = 1600000000});
	add(&(struct member){.name = "link", .data = "dir/file", .mode = S_IFLNK | 0777, .nlink = 1});
	add(&(struct member){.name = "dev/tape",
			     .mode = S_IFCHR | 0600,
			     .nlink = 1,
			     .rdev_major = 9,
			     .rdev_minor = 0x123});
	add(&(struct member){.name = "fifo", .mode = S_IFIFO | 0600, .nlink = 1});
	add(&(struct member){.name = "one", .mode = S_IFREG | 0644, .nlink = 2, .ino = 77});
	add(&(struct member){.name = "two", .data = "shared", .mode = S_IFREG | 0644, .nlink = 2, .ino = 77});
	add_end();
}

KTEST(cpio, members_become_files)
{
	const struct inode *i;

	add_all_kinds();
	EXPECT_EQ(unpack(), 0);
	EXPECT(holds(&fs, "/dir/file", "the content"));
	EXPECT(holds(&fs, "/link", "the content"));
	i = find(&fs, "/dir/file");
	ASSERT(i);
	EXPECT_EQ(i->mode, S_IFREG | 0640);
	EXPECT_EQ(i->uid, 5);
	EXPECT_EQ(i->gid, 6);
	EXPECT_EQ(i->time.modification, 1600000000ll * 1000000000);
	EXPECT_EQ(find(&fs, "/dir")->mode, S_IFDIR | 0750);
	EXPECT_EQ(find(&fs, "/")->mode, S_IFDIR | 0711);
	EXPECT_EQ(find(&fs, "/")->uid, 3);
	EXPECT_EQ(find(&fs, "/dev/tape")->rdev, 0x100923);
	EXPECT_EQ(find(&fs, "/fifo")->mode, S_IFIFO | 0600);
	EXPECT_EQ(find(&fs, "/one"), find(&fs, "/two"));
	EXPECT_EQ(find(&fs, "/one")->links, 2);
	EXPECT(holds(&fs, "/one", "shared"));
}

KTEST(cpio, later_members_and_archives_replace_earlier_ones)
{
	add(&(struct member){.name = "a", .data = "first", .mode = S_IFREG | 0644, .nlink = 2, .ino = 1});
	add(&(struct member){.name = "d", .mode = S_IFDIR | 0755, .nlink = 2});
	add(&(struct member){.name = "d/x", .data = "stays", .mode = S_IFREG | 0644, .nlink = 1});
	add_end();
	add_bytes("\0\0\0\0\0\0\0\0", 8);
	add(&(struct member){.name = "b", .data = "second", .mode = S_IFREG | 0644, .nlink = 2, .ino = 1});
	add(&(struct member){.name = "a", .data = "newer", .mode = S_IFREG | 0600, .nlink = 1});
	add(&(struct member){.name = "d", .mode = S_IFDIR | 0700, .nlink = 2});
	add_end();
	EXPECT_EQ(unpack(), 0);
	EXPECT(holds(&fs, "/a", "newer"));
	EXPECT(holds(&fs, "/b", "second"));
	EXPECT(holds(&fs, "/d/x", "stays"));
	EXPECT_EQ(find(&fs, "/d")->mode, S_IFDIR | 0700);
}

KTEST(cpio, what_has_no_place_is_left_out)
{
	add(&(struct member){.name = "no/dir", .data = "x", .mode = S_IFREG | 0644, .nlink = 1});
	add(&(struct member){.name = "odd", .mode = 0070000, .nlink = 1});
	add(&(struct member){.name = "tmp", .data = "x", .mode = S_IFREG | 0644, .nlink = 1});
	add(&(struct member){.name = "dev", .data = "x", .mode = S_IFREG | 0644, .nlink = 1});
	add(&(struct member){.name = "proc/x", .data = "x", .mode = S_IFREG | 0644, .nlink = 1});
	add(&(struct member){.name = "nothing", .data = "", .mode = S_IFLNK | 0777, .nlink = 1});
	add(&(struct member){.name = "good", .data = "x", .mode = S_IFREG | 0644, .nlink = 1});
	add_end();
	EXPECT_EQ(unpack(), 0);
	EXPECT(holds(&fs, "/good", "x"));
	EXPECT(holds(&fs, "/tmp", "x")); /* it was empty */
	EXPECT_EQ(find(&fs, "/dev")->mode & S_IFMT, S_IFDIR);
	EXPECT(!find(&fs, "/no"));
	EXPECT(!find(&fs, "/odd"));
	EXPECT(!find(&fs, "/nothing"));
}

/* Every way to cut an archive off: the files before the cut are there, and the damage is told. */
KTEST(cpio, an_archive_cut_off_anywhere_is_damaged)
{
	uint32_t whole, cuts = 0;

	add(&(struct member){.name = "a", .data = "first", .mode = S_IFREG | 0644, .nlink = 1});
	add(&(struct member){.name = "b", .data = "second", .mode = S_IFREG | 0644, .nlink = 1});
	add_end();
	whole = length;
	for (length = 0; length < whole; length++) {
		int err = unpack();

		if (err != -EINVAL)
			ktest_fail("cut off at %u of %u: %d", length, whole, err);
		cuts += holds(&fs, "/b", "second");
	}
	EXPECT_NE(cuts, 0);
}

static const struct {
	uint32_t at;
	const char *bytes;
} damages[] = {
	{0, "070707"},    {0, "\037\213"},  {6, "0000000g"},  {94, "00000000"}, {94, "00001001"},
	{94, "ffffffff"}, {54, "ffffffff"}, {94, "00000003"}, {110, "a\0"},     {54, "7fffffff"},
};

KTEST(cpio, damage_is_found_and_told)
{
	for (unsigned i = 0; i < ARRAY_SIZE(damages); i++) {
		int err;

		length = 0;
		add(&(struct member){.name = "name", .data = "data", .mode = S_IFREG | 0644, .nlink = 1});
		add_end();
		memcpy(archive + damages[i].at, damages[i].bytes, strlen(damages[i].bytes) ?: 2);
		if (damages[i].at == 110)
			archive[111] = '\0';
		err = unpack();
		if (err != -EINVAL)
			ktest_fail("damage %u: %d", i, err);
		EXPECT(!find(&fs, "/name"));
	}
}

KTEST(cpio, a_wrong_sum_is_damage)
{
	add(&(struct member){.name = "a", .data = "abc", .mode = S_IFREG | 0644, .nlink = 1});
	add_end();
	archive[5] = '2';
	archive[length - 124 + 5] = '2';
	EXPECT_EQ(unpack(), -EINVAL);
	memcpy(archive + 102, "00000126", 8);
	EXPECT_EQ(unpack(), 0);
	EXPECT(holds(&fs, "/a", "abc"));
}

KTEST(cpio, every_failing_allocation_leaves_what_was_whole)
{
	int err = -ENOMEM;
	int32_t left;

	add_all_kinds();
	for (left = 0; err && left < 200; left++) {
		tree_end(&fs);
		tree_begin(&fs);
		machine_fail_after(left);
		err = unpack();
		machine_fail_after(-1);
		if (err)
			EXPECT_EQ(err, -ENOMEM);
		if (find(&fs, "/link"))
			EXPECT(holds(&fs, "/dir/file", "the content"));
	}
	EXPECT_EQ(err, 0);
	EXPECT(left > 2);
}
