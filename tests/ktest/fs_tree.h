/* tests/ktest/fs_tree.h - a tree of files for the suites of fs/, without a process. */
#ifndef TESTS_FS_TREE_H
#define TESTS_FS_TREE_H

#include <fs/file.h>
#include <fs/files.h>
#include <fs/fs.h>
#include <fs/names.h>
#include <kernel/ktest.h>
#include <lib/string.h>

/* Make the tree, and take it away with the proof that nothing of it is left. */
static inline void tree_begin(struct fs_context *c)
{
	INVARIANT(!fs_root);
	EXPECT_EQ(fs_init(), 0);
	EXPECT_EQ(fs_context_init(c), 0);
}

static inline void tree_end(struct fs_context *c)
{
	EXPECT_EQ(file_count(), 0);
	fs_context_put(c);
	fs_exit();
	EXPECT_EQ(inode_count(), 0);
	EXPECT_EQ(inode_check(), 0);
}

/* Transfers with memory of the kernel. */
static inline int32_t read_text(struct file *f, char *to, uint32_t n)
{
	struct uio u = {.kernel = to, .left = n};

	return file_read_here(f, &u);
}

static inline int32_t write_text(struct file *f, const char *text)
{
	struct uio u = {.kernel = (char *)(uintptr_t)text, .left = (uint32_t)strlen(text)};

	return file_write_here(f, &u);
}

/* True when a file has exactly this content. */
static inline bool holds(struct fs_context *c, const char *path, const char *text)
{
	uint32_t n = (uint32_t)strlen(text);
	struct file *f;
	char got[128];
	int32_t length;

	if (n >= sizeof(got) || fs_open_kernel(c, path, O_RDONLY, &f))
		return false;
	length = read_text(f, got, sizeof(got));
	file_put(f);
	return length == (int32_t)n && !memcmp(got, text, n);
}

/* What a path leads to, without a reference; links at the end are not followed. Null where there is nothing. */
static inline struct inode *find(struct fs_context *c, const char *path)
{
	struct inode *i;

	if (path_find(c, c->cwd, path, 0, &i))
		return NULL;
	inode_put(i);
	return i;
}

#endif
