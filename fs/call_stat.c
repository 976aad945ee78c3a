/* fs/call_stat.c - the calls that tell what files are: stat in all its shapes, statfs, getdents. */
#include <asm/stat.h>
#include <asm/statfs.h>
#include <fs/call.h>
#include <fs/fs.h>
#include <lib/string.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <mm/usercopy.h>

#define BLOCK       4096u
#define NS_A_SECOND 1000000000

/* What all shapes of stat have, before it is fitted into one. */
struct facts {
	const struct inode *i;
	uint64_t size, blocks;
};

static struct facts facts_of(const struct inode *i)
{
	struct facts f = {.i = i};

	if (inode_is(i, S_IFREG) && !i->ops) {
		f.size = i->mapping.size;
		f.blocks = (uint64_t)i->mapping.pages * (PAGE_SIZE / 512);
	} else if (inode_is(i, S_IFLNK)) {
		f.size = strlen(i->target);
	} else if (inode_is(i, S_IFDIR)) {
		f.size = i->dir.count * 20ull; /* as tmpfs counts */
	}
	return f;
}

/* Seconds and what is left, also before 1970. */
static int64_t seconds(int64_t time, uint32_t *ns)
{
	int64_t s = time / NS_A_SECOND, rest = time % NS_A_SECOND;

	*ns = (uint32_t)(rest < 0 ? rest + NS_A_SECOND : rest);
	return rest < 0 ? s - 1 : s;
}

#define PUT_TIME(to, which, when)                                                                            \
	do {                                                                                                 \
		uint32_t ns;                                                                                 \
		(to).st_##which##time = (uint32_t)seconds((when), &ns);                                      \
		(to).st_##which##time_nsec = ns;                                                             \
	} while (0)

static int32_t put_stat64(const struct inode *i, vaddr_t out)
{
	struct facts f = facts_of(i);
	struct stat64 s;

	memset(&s, 0, sizeof(s));
	s.st_dev = i->device;
	s.__st_ino = i->number;
	s.st_ino = i->number;
	s.st_mode = i->mode;
	s.st_nlink = i->links;
	s.st_uid = i->uid;
	s.st_gid = i->gid;
	s.st_rdev = i->rdev;
	s.st_size = (int64_t)f.size;
	s.st_blksize = BLOCK;
	s.st_blocks = f.blocks;
	PUT_TIME(s, a, i->time.access);
	PUT_TIME(s, m, i->time.modification);
	PUT_TIME(s, c, i->time.change);
	return copy_to_user(out, &s, sizeof(s));
}

/* The shape with words of 32 bits and less: owners above 65534 are shown as nobody. */
static int32_t put_stat(const struct inode *i, vaddr_t out)
{
	struct facts f = facts_of(i);
	struct stat s;

	if (f.size > FILE_SMALL_MOST || i->links > UINT16_MAX)
		return -EOVERFLOW;
	memset(&s, 0, sizeof(s));
	s.st_dev = i->device;
	s.st_ino = i->number;
	s.st_mode = (uint16_t)i->mode;
	s.st_nlink = (uint16_t)i->links;
	s.st_uid = (uint16_t)(i->uid > UINT16_MAX ? 65534 : i->uid);
	s.st_gid = (uint16_t)(i->gid > UINT16_MAX ? 65534 : i->gid);
	s.st_rdev = i->rdev;
	s.st_size = (uint32_t)f.size;
	s.st_blksize = BLOCK;
	s.st_blocks = (uint32_t)f.blocks;
	PUT_TIME(s, a, i->time.access);
	PUT_TIME(s, m, i->time.modification);
	PUT_TIME(s, c, i->time.change);
	return copy_to_user(out, &s, sizeof(s));
}

/* The oldest shape: numbers of files that do not fit are refused. */
static int32_t put_old_stat(const struct inode *i, vaddr_t out)
{
	struct facts f = facts_of(i);
	struct __old_kernel_stat s;
	uint32_t ns;

	if (f.size > FILE_SMALL_MOST || i->links > UINT16_MAX || i->number > UINT16_MAX)
		return -EOVERFLOW;
	memset(&s, 0, sizeof(s));
	s.st_dev = (uint16_t)i->device;
	s.st_ino = (uint16_t)i->number;
	s.st_mode = (uint16_t)i->mode;
	s.st_nlink = (uint16_t)i->links;
	s.st_uid = (uint16_t)(i->uid > UINT16_MAX ? 65534 : i->uid);
	s.st_gid = (uint16_t)(i->gid > UINT16_MAX ? 65534 : i->gid);
	s.st_rdev = (uint16_t)i->rdev;
	s.st_size = (uint32_t)f.size;
	s.st_atime = (uint32_t)seconds(i->time.access, &ns);
	s.st_mtime = (uint32_t)seconds(i->time.modification, &ns);
	s.st_ctime = (uint32_t)seconds(i->time.change, &ns);
	return copy_to_user(out, &s, sizeof(s));
}

typedef int32_t put_fn(const struct inode *i, vaddr_t out);

static int32_t stat_path(uint32_t dirfd, vaddr_t path, uint32_t flags, vaddr_t out, put_fn *put)
{
	struct inode *i;
	int32_t err = named_find(dirfd, path, flags, &i);

	if (err)
		return err;
	err = put(i, out);
	inode_put(i);
	return err;
}

static int32_t stat_open(uint32_t fd, vaddr_t out, put_fn *put)
{
	struct file *file = call_any_file(fd);

	return file ? put(file->inode, out) : -EBADF;
}

int32_t sys_stat(struct trap_frame *f)
{
	return stat_path((uint32_t)AT_FDCWD, ARG1(f), 0, ARG2(f), put_stat);
}

int32_t sys_lstat(struct trap_frame *f)
{
	return stat_path((uint32_t)AT_FDCWD, ARG1(f), AT_SYMLINK_NOFOLLOW, ARG2(f), put_stat);
}

int32_t sys_fstat(struct trap_frame *f)
{
	return stat_open(ARG1(f), ARG2(f), put_stat);
}

int32_t sys_oldstat(struct trap_frame *f)
{
	return stat_path((uint32_t)AT_FDCWD, ARG1(f), 0, ARG2(f), put_old_stat);
}

int32_t sys_oldlstat(struct trap_frame *f)
{
	return stat_path((uint32_t)AT_FDCWD, ARG1(f), AT_SYMLINK_NOFOLLOW, ARG2(f), put_old_stat);
}

int32_t sys_oldfstat(struct trap_frame *f)
{
	return stat_open(ARG1(f), ARG2(f), put_old_stat);
}

int32_t sys_stat64(struct trap_frame *f)
{
	return stat_path((uint32_t)AT_FDCWD, ARG1(f), 0, ARG2(f), put_stat64);
}

int32_t sys_lstat64(struct trap_frame *f)
{
	return stat_path((uint32_t)AT_FDCWD, ARG1(f), AT_SYMLINK_NOFOLLOW, ARG2(f), put_stat64);
}

int32_t sys_fstat64(struct trap_frame *f)
{
	return stat_open(ARG1(f), ARG2(f), put_stat64);
}

int32_t sys_fstatat64(struct trap_frame *f)
{
	if (ARG4(f) & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	return stat_path(ARG1(f), ARG2(f), ARG4(f), ARG3(f), put_stat64);
}

static struct statx_timestamp timestamp(int64_t time)
{
	struct statx_timestamp t = {.__reserved = 0};

	t.tv_sec = seconds(time, &t.tv_nsec);
	return t;
}

static struct statx extended(const struct inode *i)
{
	struct facts f = facts_of(i);
	struct statx s;

	memset(&s, 0, sizeof(s));
	s.stx_mask = STATX_BASIC_STATS | STATX_MNT_ID;
	s.stx_blksize = BLOCK;
	s.stx_nlink = i->links;
	s.stx_uid = i->uid;
	s.stx_gid = i->gid;
	s.stx_mode = (uint16_t)i->mode;
	s.stx_ino = i->number;
	s.stx_size = f.size;
	s.stx_blocks = f.blocks;
	s.stx_atime = timestamp(i->time.access);
	s.stx_ctime = timestamp(i->time.change);
	s.stx_mtime = timestamp(i->time.modification);
	s.stx_rdev_major = i->rdev >> 8 & 0xFFF;
	s.stx_rdev_minor = (i->rdev & 0xFF) | (i->rdev >> 12 & ~0xFFu);
	s.stx_dev_minor = i->device;
	s.stx_mnt_id = i->device; /* nothing is mounted twice */
	return s;
}

static int32_t put_statx(const struct inode *i, vaddr_t out)
{
	struct statx s = extended(i);

	return copy_to_user(out, &s, sizeof(s));
}

/* The time of birth is told to who asks for it only, as on Linux. */
static int32_t put_statx_birth(const struct inode *i, vaddr_t out)
{
	struct statx s = extended(i);

	s.stx_mask |= STATX_BTIME;
	s.stx_btime = timestamp(i->time.birth);
	return copy_to_user(out, &s, sizeof(s));
}

int32_t sys_statx(struct trap_frame *f)
{
	uint32_t flags = ARG3(f),
		 known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;

	if (ARG4(f) & STATX__RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE || flags & ~known)
		return -EINVAL;
	return stat_path(ARG1(f), ARG2(f), flags, ARG5(f),
			 ARG4(f) & STATX_BTIME ? put_statx_birth : put_statx);
}

/* What statfs tells: the container that pays for pages is the file system. */
static struct statfs64 usage(const struct inode *i)
{
	uint32_t quota = 0, used = 0;
	struct statfs64 s;

	memset(&s, 0, sizeof(s));
	s.f_bsize = BLOCK;
	s.f_frsize = BLOCK;
	s.f_namelen = NAME_MAX;
	s.f_type = i->device == PROC_DEVICE ? PROC_SUPER_MAGIC : TMPFS_MAGIC;
	if (i->device == PROC_DEVICE)
		return s;
	container_get_quota(fs_container, &quota);
	container_get_usage(fs_container, &used);
	s.f_blocks = quota;
	s.f_bfree = s.f_bavail = quota - used;
	s.f_files = inode_count() + s.f_bfree;
	s.f_ffree = s.f_bfree;
	return s;
}

static int32_t put_statfs64(const struct inode *i, vaddr_t out)
{
	struct statfs64 s = usage(i);

	return copy_to_user(out, &s, sizeof(s));
}

static int32_t put_statfs(const struct inode *i, vaddr_t out)
{
	struct statfs64 wide = usage(i);
	struct statfs s;

	memset(&s, 0, sizeof(s));
	s.f_type = wide.f_type;
	s.f_bsize = wide.f_bsize;
	s.f_frsize = wide.f_frsize;
	s.f_namelen = wide.f_namelen;
	s.f_blocks = (uint32_t)wide.f_blocks;
	s.f_bfree = s.f_bavail = (uint32_t)wide.f_bfree;
	s.f_files = (uint32_t)wide.f_files;
	s.f_ffree = (uint32_t)wide.f_ffree;
	return copy_to_user(out, &s, sizeof(s));
}

int32_t sys_statfs(struct trap_frame *f)
{
	return stat_path((uint32_t)AT_FDCWD, ARG1(f), 0, ARG2(f), put_statfs);
}

int32_t sys_fstatfs(struct trap_frame *f)
{
	return stat_open(ARG1(f), ARG2(f), put_statfs);
}

int32_t sys_statfs64(struct trap_frame *f)
{
	if (ARG2(f) != sizeof(struct statfs64))
		return -EINVAL;
	return stat_path((uint32_t)AT_FDCWD, ARG1(f), 0, ARG3(f), put_statfs64);
}

int32_t sys_fstatfs64(struct trap_frame *f)
{
	if (ARG2(f) != sizeof(struct statfs64))
		return -EINVAL;
	return stat_open(ARG1(f), ARG3(f), put_statfs64);
}
