/*
 * fs/cpio.h - reads cpio archives of the format "newc" (magic 070701, and 070702 with sums) from memory that may hold
 * anything: the kernel's documentation driver-api/early-userspace/buffer-format. Changes nothing; knows no files.
 */
#ifndef FS_CPIO_H
#define FS_CPIO_H

#include <lib/types.h>

#define CPIO_NAME_MOST 4096u /* with the 0 */

/* Where the archive lies: reads are for a range inside of size. */
struct cpio {
	uint64_t size;
	void (*read)(const struct cpio *c, uint64_t at, void *to, uint32_t n);
	uint64_t base;    /* the reader's */
	uint64_t at;      /* of the next header */
	uint32_t archive; /* several may stand one behind the other: links do not lead from one to another */
	const char *why;  /* of -EINVAL */
	uint64_t where;   /* and at which byte */
};

struct cpio_member {
	uint32_t ino, mode, uid, gid, nlink, mtime;
	uint32_t dev_major, dev_minor, rdev_major, rdev_minor;
	uint32_t name_size; /* with the 0 */
	uint64_t name_at;
	uint64_t data_at;
	uint32_t data_size;
	uint32_t sum; /* of the data's bytes, in 070702 */
	bool has_sum;
};

/* True when there is an archive at the beginning. */
bool cpio_is(const struct cpio *c);

/*
 * Reads the next member and goes behind it; its name, without slashes in front, goes to name[0..CPIO_NAME_MOST).
 * 0, -ENOENT (the end), or -EINVAL (damaged; why says how).
 */
int cpio_next(struct cpio *c, struct cpio_member *m, char *name);

#endif
