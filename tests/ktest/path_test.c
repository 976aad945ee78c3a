/* tests/ktest/path_test.c - paths and names over a tree of the kernel's own. tests/host/calls_test.c has the calls. */
#include "fs_tree.h"

#include <tests/ktest/machine.h>

static struct fs_context fs;

KTEST_SETUP(path)
{
	tree_begin(&fs);
}

KTEST_TEARDOWN(path)
{
	machine_fail_after(-1);
	tree_end(&fs);
}

static int make(const char *path, uint32_t mode)
{
	struct where where = {fs.root, path};

	return names_make(&fs, &where, mode, 0);
}

static int link_to(const char *target, const char *path)
{
	struct where where = {fs.root, path};

	return names_symlink(&fs, &where, target);
}

static int move(const char *from, const char *to)
{
	struct where a = {fs.root, from}, b = {fs.root, to};

	return names_rename(&fs, &a, &b, 0);
}

static int take(const char *path)
{
	struct where where = {fs.root, path};

	return names_unlink(&fs, &where);
}

KTEST(path, the_tree_begins_with_devices_proc_and_tmp)
{
	EXPECT_EQ(find(&fs, "/tmp")->mode, S_IFDIR | S_ISVTX | 0777);
	EXPECT_EQ(find(&fs, "/dev/null")->rdev, 0x103);
	EXPECT_EQ(find(&fs, "/dev/console")->rdev, 0x501);
	EXPECT_EQ(find(&fs, "/proc")->device, PROC_DEVICE);
	EXPECT(find(&fs, "/dev/../proc/..") == fs.root);
	EXPECT(find(&fs, "/../../tmp") == find(&fs, "tmp/"));
}

KTEST(path, open_creates_reads_and_cuts)
{
	struct file *f;

	EXPECT_EQ(fs_open_kernel(&fs, "/tmp/a", O_CREAT | O_RDWR, &f), 0);
	EXPECT_EQ(write_text(f, "some text"), 9);
	EXPECT_EQ(f->inode->mode, S_IFREG | 0644);
	file_put(f);
	EXPECT(holds(&fs, "tmp/a", "some text"));
	EXPECT_EQ(fs_open_kernel(&fs, "/tmp/a", O_TRUNC | O_RDWR, &f), 0);
	file_put(f);
	EXPECT(holds(&fs, "tmp/a", ""));
	EXPECT_EQ(file_open_program(&fs, "/tmp/a", &f), -EACCES);
	find(&fs, "/tmp/a")->mode |= 0100;
	EXPECT_EQ(file_open_program(&fs, "/tmp/a", &f), 0);
	EXPECT(file_mapping(f) == &find(&fs, "/tmp/a")->mapping);
	file_put(f);
	EXPECT_EQ(file_open_program(&fs, "/tmp", &f), -EACCES);
	EXPECT_EQ(file_open_program(&fs, "/dev/null", &f), -EACCES);
}

KTEST(path, paths_of_files_are_told)
{
	struct file *f;
	char text[PATH_SHOWN];

	EXPECT_EQ(make("/tmp/d", S_IFDIR | 0755), 0);
	EXPECT_EQ(fs_open_kernel(&fs, "/tmp/d/x", O_CREAT | O_RDWR, &f), 0);
	path_of_mapping(file_mapping(f), text);
	EXPECT(!strcmp(text, "/tmp/d/x"));
	EXPECT_EQ(move("/tmp/d", "/e"), 0);
	path_of_mapping(file_mapping(f), text);
	EXPECT(!strcmp(text, "/e/x"));
	EXPECT_EQ(take("/e/x"), 0);
	path_of_mapping(file_mapping(f), text);
	EXPECT(!strcmp(text, "/e/x (deleted)"));
	file_put(f);
	EXPECT_EQ(path_of_directory(fs.root, find(&fs, "/e"), text, 3), 3);
	EXPECT_EQ(path_of_directory(fs.root, find(&fs, "/e"), text, 2), -ERANGE);
	EXPECT_EQ(path_of_directory(fs.root, fs.root, text, 2), 2);
	EXPECT_EQ(path_of_directory(fs.root, fs.root, text, 1), -ERANGE);
}

/* "/" and the name is PATH_SHOWN - 1 bytes: there is room for it alone, not with what a file without a name has. */
KTEST(path, a_path_that_is_too_long_to_show_is_left_out)
{
	char path[PATH_SHOWN + 1], text[PATH_SHOWN];
	struct file *f;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[PATH_SHOWN - 1] = '\0';
	EXPECT_EQ(fs_open_kernel(&fs, path, O_CREAT | O_RDWR, &f), 0);
	path_of_mapping(file_mapping(f), text);
	EXPECT(!strcmp(text, path));
	EXPECT_EQ(make("/d", S_IFDIR | 0755), 0);
	EXPECT_EQ(move(path, "/d/x"), 0);
	memcpy(path, "d/", 2);
	EXPECT_EQ(move("/d/x", path), 0);
	path_of_mapping(file_mapping(f), text);
	EXPECT(!*text);
	EXPECT_EQ(take(path), 0);
	path_of_mapping(file_mapping(f), text);
	EXPECT(!*text);
	file_put(f);
}

KTEST(path, a_file_that_lost_its_name_takes_no_memory_for_it)
{
	struct file *f;
	char text[PATH_SHOWN];

	EXPECT_EQ(fs_open_kernel(&fs, "/x", O_CREAT | O_RDWR, &f), 0);
	machine_fail_after(0);
	EXPECT_EQ(take("/x"), 0);
	machine_fail_after(-1);
	path_of_mapping(file_mapping(f), text);
	EXPECT(!*text || !strcmp(text, "/x (deleted)"));
	file_put(f);
}

KTEST(path, a_deep_tree_goes_without_recursion)
{
	struct where where = {fs.root, "d"};
	struct inode *at = fs.root;

	inode_get(at);
	for (unsigned i = 0; i < 500; i++) {
		struct inode *next;

		where.base = at;
		ASSERT_EQ(names_make(&fs, &where, S_IFDIR | 0755, 0), 0);
		ASSERT_EQ(path_find(&fs, at, "d", 0, &next), 0);
		inode_put(at);
		at = next;
	}
	inode_put(at);
}

/* A directory that is removed while somebody is in it holds those above it. */
KTEST(path, removed_directories_hold_their_parents)
{
	struct inode *inner;

	EXPECT_EQ(make("/a", S_IFDIR | 0755), 0);
	EXPECT_EQ(make("/a/b", S_IFDIR | 0755), 0);
	EXPECT_EQ(path_find(&fs, fs.root, "/a/b", 0, &inner), 0);
	EXPECT_EQ(names_rmdir(&fs, &(struct where){fs.root, "/a/b"}), 0);
	EXPECT_EQ(names_rmdir(&fs, &(struct where){fs.root, "/a"}), 0);
	EXPECT_EQ(names_make(&fs, &(struct where){inner, "c"}, S_IFDIR | 0755, 0), -ENOENT);
	EXPECT_EQ(names_make(&fs, &(struct where){inner, "../../c"}, S_IFDIR | 0755, 0), 0);
	inode_put(inner);
	EXPECT(find(&fs, "/c"));
}

KTEST(path, many_names_in_one_directory)
{
	char name[16] = "/tmp/n000";
	struct listed l;
	uint64_t place = DIR_FIRST_PLACE;
	uint32_t count = 0;

	for (unsigned i = 0; i < 300; i++) {
		name[6] = (char)('0' + i * 7 % 300 / 100);
		name[7] = (char)('0' + i * 7 % 100 / 10);
		name[8] = (char)('0' + i * 7 % 10);
		EXPECT_EQ(make(name, S_IFREG | 0644), 0);
		EXPECT_EQ(make(name, S_IFREG | 0644), -EEXIST);
	}
	while (dir_next(find(&fs, "/tmp"), place, &l)) {
		place = l.next;
		count++;
	}
	EXPECT_EQ(count, 300);
}

/* Each operation with each of its allocations made to fail: what it says, and that it left everything as it was. */
static int do_make(void)
{
	return make("/tmp/a_name_that_needs_some_room", S_IFREG | 0644);
}

static int do_link(void)
{
	return link_to("a target that needs some room as well, more than others do", "/tmp/l");
}

static int do_move(void)
{
	return move("/tmp/old", "/tmp/a_longer_name_than_before_so_that_there_is_no_place");
}

static int do_replace(void)
{
	return move("/tmp/old", "/tmp/other");
}

static int do_open(void)
{
	struct file *f;
	int err = fs_open_kernel(&fs, "/tmp/new", O_CREAT | O_RDWR, &f);

	if (!err)
		file_put(f);
	return err;
}

static int (*const operations[])(void) = {do_make, do_link, do_move, do_replace, do_open};

KTEST(path, failing_allocations_change_nothing)
{
	for (unsigned i = 0; i < ARRAY_SIZE(operations); i++) {
		int err = -ENOMEM;

		tree_end(&fs);
		tree_begin(&fs);
		EXPECT_EQ(make("/tmp/old", S_IFREG | 0644), 0);
		EXPECT_EQ(make("/tmp/other", S_IFREG | 0644), 0);
		for (int32_t left = 0; err && left < 10; left++) {
			uint32_t frames = machine_frames_used(), files = inode_count();

			machine_fail_after(left);
			err = operations[i]();
			machine_fail_after(-1);
			if (!err)
				continue;
			EXPECT_EQ(err, -ENOMEM);
			EXPECT_EQ(machine_frames_used(), frames);
			EXPECT_EQ(inode_count() - (find(&fs, "/tmp/new") != NULL), files);
			EXPECT(find(&fs, "/tmp/old"));
			EXPECT(find(&fs, "/tmp/other"));
		}
		EXPECT_EQ(err, 0);
	}
}
