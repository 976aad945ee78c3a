/*
 * mm/mmap.h - the calls with which a program changes its address space, as Linux has them: the same arguments, the
 * same errors in the same order. Values of PROT_, MAP_, MREMAP_, MADV_ and so on are <linux/mman.h>'s.
 *
 * Unless a call says more, a failure has changed nothing. Addresses are results: above -4096 they are errors.
 */
#ifndef MM_MMAP_H
#define MM_MMAP_H

#include <linux/mman.h>
#include <mm/space.h>

#define MAP_GROWSUP 0x200 /* as Linux numbers it on ia64 */

struct mmap_request {
	vaddr_t hint;
	uint32_t length; /* bytes */
	uint32_t prot, flags;
	struct mapping *file;     /* looked at without MAP_ANONYMOUS only; null there: /dev/zero */
	bool may_read, may_write; /* how the descriptor is open */
	uint32_t offset;          /* of the file, in pages */
};

/*
 * Maps what a request says, over anything there with MAP_FIXED. Takes a reference of its own on the file. Returns the
 * address, -EINVAL, -ENOMEM, -EOVERFLOW, -EEXIST (MAP_FIXED_NOREPLACE), -EOPNOTSUPP (MAP_SHARED_VALIDATE with a newer
 * flag), -EACCES or -EPERM (page 0). Pages that MAP_POPULATE cannot get are left out in silence.
 */
int32_t space_mmap(struct space *s, const struct mmap_request *r);

/* Unmaps a range, which may hold nothing at all. 0, -EINVAL, -ENOMEM. */
int space_munmap(struct space *s, vaddr_t addr, uint32_t length);

/*
 * Changes the protection of a range. 0, -EINVAL, -ENOMEM, -EACCES. At a page without an area, or with one that may not
 * be protected so, it stops: what lies before has changed then, as on Linux.
 */
int space_mprotect(struct space *s, vaddr_t addr, uint32_t length, uint32_t prot);

struct mremap_request {
	vaddr_t old;
	uint32_t old_length, length; /* bytes */
	uint32_t flags;
	vaddr_t fixed; /* with MREMAP_FIXED: where to; with MREMAP_DONTUNMAP alone a hint */
};

/* Grows, shrinks or moves. Returns the address, -EINVAL, -EFAULT or -ENOMEM. */
int32_t space_mremap(struct space *s, const struct mremap_request *r);

/* 0, -EINVAL, -ENOMEM (a hole, after all else was done), -EBADF. */
int space_madvise(struct space *s, vaddr_t addr, uint32_t length, int advice);

/* 0, -EINVAL, -ENOMEM (a hole), -EBUSY (MS_INVALIDATE of what is locked). */
int space_msync(struct space *s, vaddr_t addr, uint32_t length, int flags);

/* Stores for each page whether it is in memory: 1 or 0. 0, -EINVAL, -ENOMEM (a hole; vec is undefined then). */
int space_mincore(struct space *s, vaddr_t addr, uint32_t pages, uint8_t *vec);

/* Lock a range or all; what is locked is in memory, and no more than that: nothing is ever paged out. */
int space_mlock(struct space *s, vaddr_t addr, uint32_t length, int flags); /* mlock2's flags */
int space_munlock(struct space *s, vaddr_t addr, uint32_t length);
int space_mlockall(struct space *s, int flags);
int space_munlockall(struct space *s);

/* Sets where the break begins: behind the image. 0 or -ENOMEM. */
int space_set_brk(struct space *s, vaddr_t start);

/* Moves the break. Returns the new one, or the old one where that is impossible. */
vaddr_t space_brk(struct space *s, vaddr_t addr);

/*
 * Maps the first stack: some pages below top, from where it grows down to the limit; new areas are put below that and
 * a guard gap. 0 or -ENOMEM.
 */
int space_map_stack(struct space *s, vaddr_t top, uint32_t size_limit, uint32_t prot);

/* For mmap_remap.c and mmap_advice.c. */

/* Returns how many pages so many bytes take; at most 2^20. */
static inline uint32_t pages_of_bytes(uint32_t bytes)
{
	return (bytes >> PAGE_SHIFT) + (bytes % PAGE_SIZE != 0);
}

/* Returns where so many pages can go, at the hint if that is free; 0: nowhere. */
vpn_t space_place(struct space *s, vaddr_t hint, uint32_t pages);

/* Asks limits and tenant for what an area wants, and notes in its flags what was promised. 0 or -ENOMEM. */
int space_promise(struct space *s, struct area *like);

/* True when the limit of a space allows it so many pages more, when those of a range have gone. NO_LIMIT allows all. */
bool space_may_have(const struct space *s, struct pages range, uint32_t more);

/* Brings in what of a range can be had, for writing where the program's own pages are to be written. */
void space_populate(struct space *s, struct pages range);

#endif
