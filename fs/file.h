/*
 * fs/file.h - open files. Processes share one after fork and dup: position and flags are its own. Lock: none, see
 * fs/inode.h; who waits holds a reference.
 */
#ifndef FS_FILE_H
#define FS_FILE_H

#include <fs/inode.h>
#include <fs/uio.h>
#include <linux/fcntl.h>

struct file;
struct fs_context;

/* All may be null. Bytes or -errno; a read or write that moved some says so, and never fails then. */
struct file_ops {
	int (*open)(struct file *f);
	void (*close)(struct file *f);
	int32_t (*read)(struct file *f, struct uio *u, uint64_t at);
	int32_t (*write)(struct file *f, struct uio *u, uint64_t at);
	int32_t (*ioctl)(struct file *f, uint32_t request, vaddr_t argument); /* null: -ENOTTY */
	uint32_t (*poll)(struct file *f);                                     /* POLL... bits; null: ready */
	bool is_stream;                                                       /* no position: -ESPIPE */
};

struct file {
	uint32_t refs;
	uint32_t flags; /* O_..., without those that only opening has */
	uint64_t at;
	struct inode *inode;
	const struct file_ops *ops;
	struct pipe *pipe;
	char *text; /* of /proc's files: what the first read made */
	uint32_t text_length;
	bool runs; /* opened by file_open_program */
};

#define FILE_SIZE_MOST  0x7FFFFFFFFFFFFFFFull
#define FILE_SMALL_MOST 0x7FFFFFFFu /* for who opened without O_LARGEFILE */

/* What only opening looks at. */
#define FILE_FLAGS_OF_OPEN ((uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC))

/* Makes the cache; before the first file. How many are open. */
void file_init(void);
uint32_t file_count(void);

/* True when the file was opened for it. O_PATH is for neither. */
bool file_can_read(const struct file *f);
bool file_can_write(const struct file *f);

/* Makes an open file and gives it a reference on i. 0, or what opening the kind of file says; nothing changed then. */
int file_create(struct inode *i, uint32_t flags, struct file **out);

/* Marks an open file as one that a program runs from. 0 or -ETXTBSY. */
int file_runs(struct file *f);

static inline void file_get(struct file *f)
{
	f->refs++;
}

void file_put(struct file *f);

/*
 * Opens by a path in the kernel's memory, with O_ flags; a created file has mode 0666 less umask. 0 or Linux's error
 * for open, with nothing changed.
 */
int fs_open_kernel(struct fs_context *fs, const char *path, uint32_t flags, struct file **out);

/*
 * The same for execve: -EACCES for what is no regular file or has no permission to be executed, -ETXTBSY for what
 * somebody may write. Until it is put, nobody may.
 */
int file_open_program(struct fs_context *fs, const char *path, struct file **out);

/*
 * The page cache to map; null when the file has none (-ENODEV; a device to map is asked for by file_is_zero). No
 * reference is added.
 */
struct mapping *file_mapping(struct file *f);

/* True for /dev/zero: a private mapping of it is anonymous, a shared one is shared anonymous memory. */
bool file_is_zero(const struct file *f);

/* Reads into kernel memory from a place; bytes (fewer at the end), -EISDIR or -EINVAL. */
int32_t file_pread_kernel(struct file *f, void *to, uint32_t n, uint64_t at);

/* The operations of regular files; reads and writes of them with a position. */
extern const struct file_ops regular_ops, directory_ops, console_ops, pipe_ops, fifo_ops, proc_text_ops;

/* Operations of a device node; null for one that is not there (-ENXIO). */
const struct file_ops *device_ops(uint32_t rdev);

/* Return the bits of poll's events that are true. */
uint32_t file_poll(struct file *f);

/*
 * Read and write in the middle or at the position, which moves: bytes or -errno. The file was opened for it. The other
 * checks of Linux's vfs_read.
 */
int32_t file_read(struct file *f, struct uio *u, uint64_t at);
int32_t file_write(struct file *f, struct uio *u, uint64_t at);
int32_t file_read_here(struct file *f, struct uio *u);
int32_t file_write_here(struct file *f, struct uio *u);

/* Sets a regular file's size: 0, -EFBIG, or -ETXTBSY while a program runs from it. */
int regular_truncate(struct inode *i, uint64_t size);

/* Gives pages to the holes of a range, and with grow the file its end: 0, -EFBIG, -ENOSPC or -ENOMEM. */
int regular_fill(struct inode *i, uint64_t at, uint64_t end, bool grow);

/* Makes a range a hole, as far as the file goes. */
void regular_punch(struct inode *i, uint64_t at, uint64_t end);

#endif
