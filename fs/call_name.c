/* fs/call_name.c - the calls that change names, and those that change or tell where a process is. */
#include <fs/call.h>
#include <lib/string.h>
#include <linux/fs.h>
#include <mm/frame.h>
#include <mm/usercopy.h>

/* What link and rename are told. */
struct named_pair {
	uint32_t from_fd, to_fd;
	vaddr_t from, to;
};

typedef int name_fn(const struct fs_context *fs, const struct where *w);

/* Does one thing to a name. */
static int32_t with_name(uint32_t dirfd, vaddr_t path, name_fn *act)
{
	struct named n;
	int32_t err = named_get(&n, dirfd, path);

	if (err)
		return err;
	err = act(current_fs(), &n.where);
	named_put(&n);
	return err;
}

static int32_t make(uint32_t dirfd, vaddr_t path, uint32_t mode, uint32_t rdev)
{
	struct named n;
	int32_t err = named_get(&n, dirfd, path);

	if (err)
		return err;
	err = names_make(current_fs(), &n.where, mode, rdev);
	named_put(&n);
	return err;
}

static int32_t make_directory(uint32_t dirfd, vaddr_t path, uint32_t mode)
{
	return make(dirfd, path, S_IFDIR | (mode & (0777 | S_ISVTX)), 0);
}

int32_t sys_mkdir(struct trap_frame *f)
{
	return make_directory((uint32_t)AT_FDCWD, ARG1(f), ARG2(f));
}

int32_t sys_mkdirat(struct trap_frame *f)
{
	return make_directory(ARG1(f), ARG2(f), ARG3(f));
}

static int32_t make_node(uint32_t dirfd, vaddr_t path, uint32_t mode, uint32_t rdev)
{
	bool device = false;

	mode &= S_IFMT | 07777;
	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFCHR:
	case S_IFBLK:
		device = true;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return make(dirfd, path, mode, device ? rdev : 0);
}

int32_t sys_mknod(struct trap_frame *f)
{
	return make_node((uint32_t)AT_FDCWD, ARG1(f), ARG2(f), ARG3(f));
}

int32_t sys_mknodat(struct trap_frame *f)
{
	return make_node(ARG1(f), ARG2(f), ARG3(f), ARG4(f));
}

int32_t sys_unlink(struct trap_frame *f)
{
	return with_name((uint32_t)AT_FDCWD, ARG1(f), names_unlink);
}

int32_t sys_unlinkat(struct trap_frame *f)
{
	if (ARG3(f) & ~(uint32_t)AT_REMOVEDIR)
		return -EINVAL;
	return with_name(ARG1(f), ARG2(f), ARG3(f) ? names_rmdir : names_unlink);
}

int32_t sys_rmdir(struct trap_frame *f)
{
	return with_name((uint32_t)AT_FDCWD, ARG1(f), names_rmdir);
}

static int32_t make_symlink(vaddr_t target, uint32_t dirfd, vaddr_t path)
{
	char *text = kalloc();
	struct named n;
	int32_t err;

	if (!text)
		return -ENOMEM;
	err = string_from_user(text, target, PATH_MAX);
	if (!err)
		err = -ENOENT;
	if (err > 0)
		err = named_get(&n, dirfd, path);
	if (!err) {
		err = names_symlink(current_fs(), &n.where, text);
		named_put(&n);
	}
	kfree(text);
	return err;
}

int32_t sys_symlink(struct trap_frame *f)
{
	return make_symlink(ARG1(f), (uint32_t)AT_FDCWD, ARG2(f));
}

int32_t sys_symlinkat(struct trap_frame *f)
{
	return make_symlink(ARG1(f), ARG2(f), ARG3(f));
}

/* Names the file that old leads to; flags say whether a symbolic link at its end is followed: not by itself. */
static int32_t link_to(const struct named_pair *pair, uint32_t flags)
{
	uint32_t how = flags & AT_EMPTY_PATH;
	struct inode *i;
	struct named n;
	int32_t err;

	if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!(flags & AT_SYMLINK_FOLLOW))
		how |= AT_SYMLINK_NOFOLLOW;
	err = named_find(pair->from_fd, pair->from, how, &i);
	if (err)
		return err;
	err = named_get(&n, pair->to_fd, pair->to);
	if (!err) {
		err = names_link(current_fs(), i, &n.where);
		named_put(&n);
	}
	inode_put(i);
	return err;
}

int32_t sys_link(struct trap_frame *f)
{
	struct named_pair pair = {(uint32_t)AT_FDCWD, (uint32_t)AT_FDCWD, ARG1(f), ARG2(f)};

	return link_to(&pair, 0);
}

int32_t sys_linkat(struct trap_frame *f)
{
	struct named_pair pair = {ARG1(f), ARG3(f), ARG2(f), ARG4(f)};

	return link_to(&pair, ARG5(f));
}

static int32_t rename_to(const struct named_pair *pair, uint32_t flags)
{
	struct named from, to;
	int32_t err;

	if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) ||
	    (flags & RENAME_EXCHANGE && flags != RENAME_EXCHANGE))
		return -EINVAL;
	err = named_get(&from, pair->from_fd, pair->from);
	if (err)
		return err;
	err = named_get(&to, pair->to_fd, pair->to);
	if (!err) {
		err = names_rename(current_fs(), &from.where, &to.where, flags);
		named_put(&to);
	}
	named_put(&from);
	return err;
}

int32_t sys_rename(struct trap_frame *f)
{
	struct named_pair pair = {(uint32_t)AT_FDCWD, (uint32_t)AT_FDCWD, ARG1(f), ARG2(f)};

	return rename_to(&pair, 0);
}

int32_t sys_renameat(struct trap_frame *f)
{
	struct named_pair pair = {ARG1(f), ARG3(f), ARG2(f), ARG4(f)};

	return rename_to(&pair, 0);
}

int32_t sys_renameat2(struct trap_frame *f)
{
	struct named_pair pair = {ARG1(f), ARG3(f), ARG2(f), ARG4(f)};

	return rename_to(&pair, ARG5(f));
}

/* Tells as much of a target as there is room for, without a 0. */
static int32_t tell_target(const struct inode *i, vaddr_t out, uint32_t size)
{
	uint32_t length;

	if (!inode_is(i, S_IFLNK))
		return -EINVAL;
	length = (uint32_t)strlen(i->target);
	if (length > size)
		length = size;
	return copy_to_user(out, i->target, length) ? -EFAULT : (int32_t)length;
}

static int32_t read_link(uint32_t dirfd, vaddr_t path, vaddr_t out, uint32_t size)
{
	struct inode *i;
	int32_t result;

	if (!size || size > INT32_MAX)
		return -EINVAL;
	result = named_find(dirfd, path, AT_SYMLINK_NOFOLLOW, &i);
	if (result)
		return result;
	result = tell_target(i, out, size);
	inode_put(i);
	return result;
}

int32_t sys_readlink(struct trap_frame *f)
{
	return read_link((uint32_t)AT_FDCWD, ARG1(f), ARG2(f), ARG3(f));
}

int32_t sys_readlinkat(struct trap_frame *f)
{
	return read_link(ARG1(f), ARG2(f), ARG3(f), ARG4(f));
}

/* Goes to a directory whose reference it takes. */
static void go_to(struct inode *dir)
{
	struct fs_context *fs = current_fs();
	struct inode *before = fs->cwd;

	fs->cwd = dir;
	inode_put(before);
}

int32_t sys_chdir(struct trap_frame *f)
{
	struct inode *i;
	int32_t err = named_find((uint32_t)AT_FDCWD, ARG1(f), 0, &i);

	if (err)
		return err;
	if (!inode_is(i, S_IFDIR)) {
		inode_put(i);
		return -ENOTDIR;
	}
	go_to(i);
	return 0;
}

int32_t sys_fchdir(struct trap_frame *f)
{
	struct file *file = call_any_file(ARG1(f));

	if (!file)
		return -EBADF;
	if (!inode_is(file->inode, S_IFDIR))
		return -ENOTDIR;
	inode_get(file->inode);
	go_to(file->inode);
	return 0;
}

int32_t sys_getcwd(struct trap_frame *f)
{
	struct fs_context *fs = current_fs();
	char *path = kalloc();
	int32_t length;

	if (!path)
		return -ENOMEM;
	length = path_of_directory(fs->root, fs->cwd, path, PATH_MAX);
	if (length == -ERANGE)
		length = -ENAMETOOLONG;
	else if (length > 0 && (uint32_t)length > ARG2(f))
		length = -ERANGE;
	if (length > 0 && copy_to_user(ARG1(f), path, (uint32_t)length))
		length = -EFAULT;
	kfree(path);
	return length;
}
