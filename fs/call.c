/* fs/call.c - paths and descriptors of the running process. */
#include <fs/call.h>
#include <mm/frame.h>
#include <mm/usercopy.h>

struct file *call_any_file(uint32_t fd)
{
	return files_file(current_files(), fd);
}

struct file *call_file(uint32_t fd)
{
	struct file *f = call_any_file(fd);

	return f && !(f->flags & O_PATH) ? f : NULL;
}

int32_t call_install(struct file *f, uint32_t flags)
{
	int32_t fd = files_install(current_files(), f, 0, flags & O_CLOEXEC);

	if (fd < 0)
		file_put(f);
	return fd;
}

/* Where a path begins. */
static int find_base(uint32_t dirfd, const char *path, struct inode **out)
{
	struct fs_context *fs = current_fs();
	struct file *f;

	*out = fs->cwd;
	if (dirfd == (uint32_t)AT_FDCWD || *path == '/')
		return 0;
	f = call_any_file(dirfd);
	if (!f)
		return -EBADF;
	*out = f->inode;
	return 0;
}

static int get(struct named *n, uint32_t dirfd, vaddr_t path, bool may_be_empty)
{
	int32_t length;
	int err;

	n->path = kalloc();
	if (!n->path)
		return -ENOMEM;
	n->where.path = n->path;
	length = string_from_user(n->path, path, PATH_MAX);
	/* An empty path begins anywhere: whoever goes along it finds out. */
	if (!length && !may_be_empty)
		dirfd = (uint32_t)AT_FDCWD;
	err = length < 0 ? length : find_base(dirfd, n->path, &n->where.base);
	if (err)
		named_put(n);
	return err;
}

int named_get(struct named *n, uint32_t dirfd, vaddr_t path)
{
	return get(n, dirfd, path, false);
}

void named_put(struct named *n)
{
	kfree(n->path);
}

int named_find(uint32_t dirfd, vaddr_t path, uint32_t flags, struct inode **out)
{
	struct named n;
	int err = get(&n, dirfd, path, flags & AT_EMPTY_PATH);

	if (err)
		return err;
	if (!*n.path && flags & AT_EMPTY_PATH) {
		*out = n.where.base;
		inode_get(*out);
	} else {
		err = path_find(current_fs(), n.where.base, n.path,
				flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, out);
	}
	named_put(&n);
	return err;
}
