/* fs/fs.c - the tree as it is before an archive fills it. Owns the root. */
#include <fs/file.h>
#include <fs/fs.h>
#include <fs/inode.h>
#include <fs/procfs.h>
#include <fs/tty.h>
#include <lib/string.h>

struct inode *fs_root;

static const struct node {
	const char *dir, *name;
	uint32_t mode, major, minor;
} nodes[] = {
	{NULL, "dev", S_IFDIR | 0755, 0, 0},      {NULL, "tmp", S_IFDIR | S_ISVTX | 0777, 0, 0},
	{"dev", "null", S_IFCHR | 0666, 1, 3},    {"dev", "zero", S_IFCHR | 0666, 1, 5},
	{"dev", "full", S_IFCHR | 0666, 1, 7},    {"dev", "random", S_IFCHR | 0666, 1, 8},
	{"dev", "urandom", S_IFCHR | 0666, 1, 9}, {"dev", "tty", S_IFCHR | 0666, 5, 0},
	{"dev", "console", S_IFCHR | 0600, 5, 1},
};

static int add(struct inode *dir, const char *name, struct inode *i)
{
	int err = i ? dir_add(dir, name, (uint32_t)strlen(name), i) : -ENOMEM;

	if (i)
		inode_put(i);
	return err;
}

static int add_node(const struct node *n)
{
	struct inode *dir = fs_root;

	if (n->dir)
		dir = dir_find(fs_root, n->dir, (uint32_t)strlen(n->dir))->inode;
	return add(dir, n->name, inode_create(n->mode, n->major << 8 | n->minor));
}

int fs_init(void)
{
	int err = 0;

	inode_init();
	file_init();
	tty_init();
	fs_root = inode_create(S_IFDIR | 0755, 0);
	if (!fs_root)
		return -ENOMEM;
	fs_root->dir.parent = fs_root;
	fs_root->links = 2;
	for (unsigned i = 0; i < ARRAY_SIZE(nodes) && !err; i++)
		err = add_node(&nodes[i]);
	if (!err)
		err = add(fs_root, "proc", procfs_create());
	if (err)
		fs_exit();
	return err;
}

void fs_exit(void)
{
	dir_clear(fs_root);
	inode_put(fs_root);
	fs_root = NULL;
}
