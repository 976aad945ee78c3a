/* fs/uio.h - the user memory of one read or write: runs of bytes, gone through from the first on. */
#ifndef FS_UIO_H
#define FS_UIO_H

#include <lib/types.h>

/* struct iovec, as a program of the i386 lays it out. */
struct user_run {
	vaddr_t base;
	uint32_t length;
};

struct uio {
	const struct user_run *run; /* the first that is not done */
	uint32_t done;              /* bytes of it */
	uint32_t left;              /* bytes of all runs */
	char *kernel; /* not null: all of it is here, in the kernel's memory, and there are no runs */
};

/* Makes one of a single run. The run must live as long. */
#define UIO(its_run) ((struct uio){.run = (its_run), .left = (its_run)->length})

/* True when a range lies in the user part. */
bool user_range_ok(vaddr_t va, uint32_t n);

/* Copy, from where the last copy ended; return how many bytes that was: less than n at a bad address. n <= left. */
uint32_t uio_to_user(struct uio *u, const void *from, uint32_t n);
uint32_t uio_from_user(struct uio *u, void *to, uint32_t n);

/* The same with zeros. */
uint32_t uio_zero(struct uio *u, uint32_t n);

#endif
