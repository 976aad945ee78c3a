/* fs/call_fd.c - the calls that make, copy and change descriptors. */
#include <asm/ioctls.h>
#include <fs/call.h>
#include <fs/pipe.h>
#include <mm/usercopy.h>

#define ASYNC_IGNORED ((uint32_t)FASYNC) /* nobody is told by a signal */

static int32_t open_at(uint32_t dirfd, vaddr_t path, uint32_t flags, uint32_t mode)
{
	struct open_way how = {flags, mode & 07777 & ~current_fs()->umask};
	struct file *f;
	struct named n;
	int err = named_get(&n, dirfd, path);

	if (err)
		return err;
	/* Before a file is made or cut for it. */
	err = *n.path ? files_room(current_files(), 0) : -ENOENT;
	if (err >= 0)
		err = path_open(current_fs(), n.where.base, n.path, &how, &f);
	named_put(&n);
	return err ? err : call_install(f, flags);
}

int32_t sys_open(struct trap_frame *f)
{
	return open_at((uint32_t)AT_FDCWD, ARG1(f), ARG2(f), ARG3(f));
}

int32_t sys_openat(struct trap_frame *f)
{
	return open_at(ARG1(f), ARG2(f), ARG3(f), ARG4(f));
}

int32_t sys_creat(struct trap_frame *f)
{
	return open_at((uint32_t)AT_FDCWD, ARG1(f), O_CREAT | O_WRONLY | O_TRUNC, ARG2(f));
}

int32_t sys_close(struct trap_frame *f)
{
	return files_close(current_files(), ARG1(f));
}

/* Gives an open file another descriptor, the lowest from a place on. */
static int32_t duplicate(struct file *file, uint32_t from, bool close_on_exec)
{
	int32_t fd;

	file_get(file);
	fd = files_install(current_files(), file, from, close_on_exec);
	if (fd < 0)
		file_put(file);
	return fd;
}

int32_t sys_dup(struct trap_frame *f)
{
	struct file *file = call_any_file(ARG1(f));

	return file ? duplicate(file, 0, false) : -EBADF;
}

/* The same, with the new descriptor given. */
static int32_t duplicate_to(struct file *file, uint32_t fd, bool close_on_exec)
{
	int err;

	file_get(file);
	err = files_replace(current_files(), fd, file, close_on_exec);
	if (err)
		file_put(file);
	return err ? err : (int32_t)fd;
}

int32_t sys_dup2(struct trap_frame *f)
{
	struct file *file = call_any_file(ARG1(f));

	if (!file)
		return -EBADF;
	return ARG1(f) == ARG2(f) ? (int32_t)ARG2(f) : duplicate_to(file, ARG2(f), false);
}

int32_t sys_dup3(struct trap_frame *f)
{
	struct file *file;

	if (ARG3(f) & ~(uint32_t)O_CLOEXEC || ARG1(f) == ARG2(f))
		return -EINVAL;
	if (ARG2(f) >= current_files()->limit)
		return -EBADF;
	file = call_any_file(ARG1(f));
	return file ? duplicate_to(file, ARG2(f), ARG3(f)) : -EBADF;
}

static int32_t set_flags(struct file *file, uint32_t flags)
{
	uint32_t may_change = O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT | ASYNC_IGNORED;

	file->flags = (file->flags & ~may_change) | (flags & may_change & ~ASYNC_IGNORED);
	return 0;
}

/* A pipe stays as large as it is: what fits into that is granted. */
static int32_t set_pipe_size(const struct file *file, uint32_t size)
{
	if (!file->pipe)
		return -EBADF;
	if (size > 1u << 31)
		return -EINVAL;
	return size > PIPE_SIZE ? -EPERM : (int32_t)PIPE_SIZE;
}

static int32_t control(struct file *file, struct trap_frame *f)
{
	uint32_t fd = ARG1(f), argument = ARG3(f);

	switch (ARG2(f)) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (argument >= current_files()->limit)
			return -EINVAL;
		return duplicate(file, argument, ARG2(f) == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return files_get_close_on_exec(current_files(), fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		files_set_close_on_exec(current_files(), fd, argument & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return (int32_t)file->flags;
	default:
		break;
	}
	if (file->flags & O_PATH)
		return -EBADF;
	switch (ARG2(f)) {
	case F_SETFL:
		return set_flags(file, argument);
	case F_SETPIPE_SZ:
		return set_pipe_size(file, argument);
	case F_GETPIPE_SZ:
		return file->pipe ? (int32_t)PIPE_SIZE : -EBADF;
	default:
		return -EINVAL;
	}
}

int32_t sys_fcntl64(struct trap_frame *f)
{
	struct file *file = call_any_file(ARG1(f));

	return file ? control(file, f) : -EBADF;
}

/* They differ in locks, which are not there. */
int32_t sys_fcntl(struct trap_frame *f)
{
	return sys_fcntl64(f);
}

static int32_t set_nonblocking(struct file *file, vaddr_t argument)
{
	uint32_t on;

	if (copy_from_user(&on, argument, sizeof(on)))
		return -EFAULT;
	return set_flags(file, on ? file->flags | O_NONBLOCK : file->flags & ~(uint32_t)O_NONBLOCK);
}

/* FIONREAD of a regular file: what is left behind the position. */
static int32_t tell_left(const struct file *file, vaddr_t argument)
{
	uint64_t size = file->inode->mapping.size;
	uint32_t left = (uint32_t)(size - file->at);

	return copy_to_user(argument, &left, sizeof(left));
}

int32_t sys_ioctl(struct trap_frame *f)
{
	struct file *file = call_file(ARG1(f));

	if (!file)
		return -EBADF;
	switch (ARG2(f)) {
	case FIOCLEX:
	case FIONCLEX:
		files_set_close_on_exec(current_files(), ARG1(f), ARG2(f) == FIOCLEX);
		return 0;
	case FIONBIO:
		return set_nonblocking(file, ARG3(f));
	case FIONREAD:
		if (file->ops == &regular_ops)
			return tell_left(file, ARG3(f));
		break;
	default:
		break;
	}
	return file->ops->ioctl ? file->ops->ioctl(file, ARG2(f), ARG3(f)) : -ENOTTY;
}

/* Gives both ends descriptors and tells them; closes what it cannot tell. */
static int32_t install_pipe(struct file *end[2], uint32_t flags, vaddr_t out)
{
	int32_t fd[2];

	fd[0] = call_install(end[0], flags);
	if (fd[0] < 0) {
		file_put(end[1]);
		return fd[0];
	}
	fd[1] = call_install(end[1], flags);
	if (fd[1] < 0) {
		files_close(current_files(), (uint32_t)fd[0]);
		return fd[1];
	}
	if (copy_to_user(out, fd, sizeof(fd))) {
		files_close(current_files(), (uint32_t)fd[0]);
		files_close(current_files(), (uint32_t)fd[1]);
		return -EFAULT;
	}
	return 0;
}

static int32_t make_pipe(vaddr_t out, uint32_t flags)
{
	struct file *end[2];
	int err;

	if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(flags & O_NONBLOCK, end);
	return err ? err : install_pipe(end, flags, out);
}

int32_t sys_pipe(struct trap_frame *f)
{
	return make_pipe(ARG1(f), 0);
}

int32_t sys_pipe2(struct trap_frame *f)
{
	return make_pipe(ARG1(f), ARG2(f));
}

int32_t sys_umask(struct trap_frame *f)
{
	uint32_t before = current_fs()->umask;

	current_fs()->umask = ARG1(f) & 0777;
	return (int32_t)before;
}
