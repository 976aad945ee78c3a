/* fs/call_attr.c - the calls that change what a file is: its permissions, owner, times and size. */
#include <fs/call.h>
#include <fs/up.h>
#include <linux/falloc.h>
#include <mm/usercopy.h>

#define KEEP_ID     0xFFFFFFFFu
#define NS_A_SECOND 1000000000ll

/* In no UAPI header: utimensat(2). */
#define UTIME_NOW  0x3FFFFFFF
#define UTIME_OMIT 0x3FFFFFFE

static int32_t change_mode(struct inode *i, uint32_t mode)
{
	i->mode = (i->mode & S_IFMT) | (mode & 07777);
	inode_change(i);
	return 0;
}

static int32_t change_mode_at(uint32_t dirfd, vaddr_t path, uint32_t mode)
{
	struct inode *i;
	int32_t err = named_find(dirfd, path, 0, &i);

	if (err)
		return err;
	err = change_mode(i, mode);
	inode_put(i);
	return err;
}

int32_t sys_chmod(struct trap_frame *f)
{
	return change_mode_at((uint32_t)AT_FDCWD, ARG1(f), ARG2(f));
}

int32_t sys_fchmodat(struct trap_frame *f)
{
	return change_mode_at(ARG1(f), ARG2(f), ARG3(f));
}

int32_t sys_fchmod(struct trap_frame *f)
{
	struct file *file = call_file(ARG1(f));

	return file ? change_mode(file->inode, ARG2(f)) : -EBADF;
}

/* A program that has another owner now no longer runs as one. */
static int32_t change_owner(struct inode *i, uint32_t uid, uint32_t gid)
{
	if (uid != KEEP_ID)
		i->uid = uid;
	if (gid != KEEP_ID)
		i->gid = gid;
	if (!inode_is(i, S_IFDIR)) {
		i->mode &= ~(uint32_t)S_ISUID;
		if (i->mode & S_IXGRP)
			i->mode &= ~(uint32_t)S_ISGID;
	}
	inode_change(i);
	return 0;
}

struct owner {
	uint32_t uid, gid;
};

static int32_t change_owner_at(uint32_t dirfd, vaddr_t path, uint32_t flags, struct owner o)
{
	struct inode *i;
	int32_t err;

	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = named_find(dirfd, path, flags, &i);
	if (err)
		return err;
	err = change_owner(i, o.uid, o.gid);
	inode_put(i);
	return err;
}

int32_t sys_chown32(struct trap_frame *f)
{
	return change_owner_at((uint32_t)AT_FDCWD, ARG1(f), 0, (struct owner){ARG2(f), ARG3(f)});
}

int32_t sys_lchown32(struct trap_frame *f)
{
	return change_owner_at((uint32_t)AT_FDCWD, ARG1(f), AT_SYMLINK_NOFOLLOW,
			       (struct owner){ARG2(f), ARG3(f)});
}

int32_t sys_fchownat(struct trap_frame *f)
{
	return change_owner_at(ARG1(f), ARG2(f), ARG5(f), (struct owner){ARG3(f), ARG4(f)});
}

int32_t sys_fchown32(struct trap_frame *f)
{
	struct file *file = call_file(ARG1(f));

	return file ? change_owner(file->inode, ARG2(f), ARG3(f)) : -EBADF;
}

/* The old calls have ids of 16 bits. */
static uint32_t wide_id(uint32_t id)
{
	return (uint16_t)id == UINT16_MAX ? KEEP_ID : (uint16_t)id;
}

int32_t sys_chown(struct trap_frame *f)
{
	return change_owner_at((uint32_t)AT_FDCWD, ARG1(f), 0,
			       (struct owner){wide_id(ARG2(f)), wide_id(ARG3(f))});
}

int32_t sys_lchown(struct trap_frame *f)
{
	return change_owner_at((uint32_t)AT_FDCWD, ARG1(f), AT_SYMLINK_NOFOLLOW,
			       (struct owner){wide_id(ARG2(f)), wide_id(ARG3(f))});
}

int32_t sys_fchown(struct trap_frame *f)
{
	struct file *file = call_file(ARG1(f));

	return file ? change_owner(file->inode, wide_id(ARG2(f)), wide_id(ARG3(f))) : -EBADF;
}

/* The times that a call asks for. */
struct times {
	struct {
		int64_t seconds, ns;
	} access, modification;
};

static const struct times times_now = {{0, UTIME_NOW}, {0, UTIME_NOW}};

static bool is_time(int64_t ns)
{
	return ns == UTIME_NOW || ns == UTIME_OMIT || (ns >= 0 && ns < NS_A_SECOND);
}

/* As nanoseconds; what lies beyond them is their last, or their first. */
static int64_t clamp(int64_t seconds, int64_t ns)
{
	if (seconds >= INT64_MAX / NS_A_SECOND)
		return INT64_MAX;
	if (seconds <= INT64_MIN / NS_A_SECOND)
		return INT64_MIN;
	return seconds * NS_A_SECOND + ns;
}

static void set_times(struct inode *i, const struct times *t)
{
	int64_t now = clock_unix_ns();

	if (t->access.ns != UTIME_OMIT)
		i->time.access = t->access.ns == UTIME_NOW ? now : clamp(t->access.seconds, t->access.ns);
	if (t->modification.ns != UTIME_OMIT)
		i->time.modification = t->modification.ns == UTIME_NOW
					       ? now
					       : clamp(t->modification.seconds, t->modification.ns);
	i->time.change = now;
}

static int32_t set_times_at(uint32_t dirfd, vaddr_t path, uint32_t flags, const struct times *t)
{
	struct inode *i;
	int err;

	if (!is_time(t->access.ns) || !is_time(t->modification.ns))
		return -EINVAL;
	if (t->access.ns == UTIME_OMIT && t->modification.ns == UTIME_OMIT)
		return 0;
	if (!path && dirfd != (uint32_t)AT_FDCWD) {
		struct file *file = call_file(dirfd);

		if (flags)
			return -EINVAL;
		if (file)
			set_times(file->inode, t);
		return file ? 0 : -EBADF;
	}
	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = named_find(dirfd, path, flags, &i);
	if (err)
		return err;
	set_times(i, t);
	inode_put(i);
	return 0;
}

int32_t sys_utimensat(struct trap_frame *f)
{
	struct times t = times_now;
	int32_t words[4]; /* two of struct timespec as it was */

	if (ARG3(f)) {
		if (copy_from_user(words, ARG3(f), sizeof(words)))
			return -EFAULT;
		t = (struct times){{words[0], words[1]}, {words[2], words[3]}};
	}
	return set_times_at(ARG1(f), ARG2(f), ARG4(f), &t);
}

int32_t sys_utimensat_time64(struct trap_frame *f)
{
	struct times t = times_now;
	int64_t words
		[4]; /* two of struct __kernel_timespec; the upper half of nanoseconds is not looked at */

	if (ARG3(f)) {
		if (copy_from_user(words, ARG3(f), sizeof(words)))
			return -EFAULT;
		t = (struct times){{words[0], (int32_t)words[1]}, {words[2], (int32_t)words[3]}};
	}
	return set_times_at(ARG1(f), ARG2(f), ARG4(f), &t);
}

int32_t sys_utime(struct trap_frame *f)
{
	struct times t = times_now;
	int32_t seconds[2];

	if (ARG2(f)) {
		if (copy_from_user(seconds, ARG2(f), sizeof(seconds)))
			return -EFAULT;
		t = (struct times){{seconds[0], 0}, {seconds[1], 0}};
	}
	return set_times_at((uint32_t)AT_FDCWD, ARG1(f), 0, &t);
}

int32_t sys_utimes(struct trap_frame *f)
{
	struct times t = times_now;
	int32_t words[4]; /* seconds and microseconds, twice */

	if (ARG2(f)) {
		if (copy_from_user(words, ARG2(f), sizeof(words)))
			return -EFAULT;
		if (words[1] < 0 || words[1] >= 1000000 || words[3] < 0 || words[3] >= 1000000)
			return -EINVAL;
		t = (struct times){{words[0], words[1] * 1000}, {words[2], words[3] * 1000}};
	}
	return set_times_at((uint32_t)AT_FDCWD, ARG1(f), 0, &t);
}

/* Everything is readable and writable to everybody: owners are data. What has no x for anybody cannot be run. */
static int32_t check_access(uint32_t dirfd, vaddr_t path, uint32_t mode, uint32_t flags)
{
	struct inode *i;
	int32_t err;

	if (mode & ~7u || flags & ~(uint32_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = named_find(dirfd, path, flags, &i);
	if (err)
		return err;
	if (mode & 1 && !inode_is(i, S_IFDIR) && !(i->mode & 0111))
		err = -EACCES;
	inode_put(i);
	return err;
}

int32_t sys_access(struct trap_frame *f)
{
	return check_access((uint32_t)AT_FDCWD, ARG1(f), ARG2(f), 0);
}

int32_t sys_faccessat(struct trap_frame *f)
{
	return check_access(ARG1(f), ARG2(f), ARG3(f), 0);
}

int32_t sys_faccessat2(struct trap_frame *f)
{
	return check_access(ARG1(f), ARG2(f), ARG3(f), ARG4(f));
}

static int32_t cut_path(vaddr_t path, int64_t size)
{
	struct inode *i;
	int32_t err;

	if (size < 0)
		return -EINVAL;
	err = named_find((uint32_t)AT_FDCWD, path, 0, &i);
	if (err)
		return err;
	if (inode_is(i, S_IFDIR))
		err = -EISDIR;
	else if (!inode_is(i, S_IFREG) || i->ops)
		err = -EINVAL;
	else
		err = regular_truncate(i, (uint64_t)size);
	inode_put(i);
	return err;
}

static int32_t cut_open(uint32_t fd, int64_t size)
{
	struct file *file = call_file(fd);

	if (size < 0)
		return -EINVAL;
	if (!file)
		return -EBADF;
	if (file->ops != &regular_ops || !file_can_write(file) ||
	    (size > FILE_SMALL_MOST && !(file->flags & O_LARGEFILE)))
		return -EINVAL;
	return regular_truncate(file->inode, (uint64_t)size);
}

int32_t sys_truncate(struct trap_frame *f)
{
	return cut_path(ARG1(f), (int32_t)ARG2(f));
}

int32_t sys_truncate64(struct trap_frame *f)
{
	return cut_path(ARG1(f), (int64_t)call_wide(ARG2(f), ARG3(f)));
}

int32_t sys_ftruncate(struct trap_frame *f)
{
	return cut_open(ARG1(f), (int32_t)ARG2(f));
}

int32_t sys_ftruncate64(struct trap_frame *f)
{
	return cut_open(ARG1(f), (int64_t)call_wide(ARG2(f), ARG3(f)));
}

int32_t sys_fallocate(struct trap_frame *f)
{
	struct file *file = call_file(ARG1(f));
	int64_t at = (int64_t)call_wide(ARG3(f), ARG4(f)), length = (int64_t)call_wide(ARG5(f), ARG6(f));
	uint32_t mode = ARG2(f);

	if (!file)
		return -EBADF;
	if (at < 0 || length <= 0)
		return -EINVAL;
	if (mode & ~(uint32_t)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE) || mode == FALLOC_FL_PUNCH_HOLE)
		return -EOPNOTSUPP;
	if (!file_can_write(file))
		return -EBADF;
	if (file->ops->is_stream)
		return -ESPIPE;
	if (file->ops == &directory_ops)
		return -EISDIR;
	if (file->ops != &regular_ops)
		return -ENODEV;
	if (length > (int64_t)MAPPING_SIZE_MAX - at)
		return -EFBIG;
	if (!(mode & FALLOC_FL_PUNCH_HOLE))
		return regular_fill(file->inode, (uint64_t)at, (uint64_t)(at + length),
				    !(mode & FALLOC_FL_KEEP_SIZE));
	regular_punch(file->inode, (uint64_t)at, (uint64_t)(at + length));
	return 0;
}
