/*
 * mm/mapping.h - a mapping is the page cache of one file: frames by page index, and the areas that map it. The
 * cache holds one reference on each frame, each entry of a page table another. A page that it has not is a hole and
 * reads as zeros. Also what is behind shared anonymous memory. Lock: none, kernel code is not preempted.
 */
#ifndef MM_MAPPING_H
#define MM_MAPPING_H

#include <mm/container.h>
#include <mm/vma.h>

#define MAPPING_NODE_BITS 6u
#define MAPPING_FANOUT    (1u << MAPPING_NODE_BITS)

struct mapping_node;

/* A page's frame, or in an upper level the node below. */
union mapping_slot {
	pfn_t frame;
	struct mapping_node *node;
};

struct mapping {
	uint64_t size;           /* bytes; only mapping_truncate and mapping_write change it */
	union mapping_slot root; /* of height 0: page 0 itself */
	unsigned height;         /* levels of nodes */
	uint32_t pages;          /* frames in the cache */
	uint32_t refs;
	struct container_id payer; /* its frames are charged to it */
	struct area_list areas;    /* those that map it, of all spaces */
	uint32_t writers;          /* of these, shared ones that may be written through */
	void (*release)(struct mapping *);
	void (*written)(struct mapping *); /* an area writes to it from now on; null: nobody wants to know */
	const char *name; /* for lists of areas; null where there is none. Whoever sets it keeps it alive */
	uint64_t id[2];   /* device and inode number for such lists */
};

#define MAPPING_SIZE_MAX ((uint64_t)1 << 43) /* bytes: page indices have 31 bits */

/*
 * Makes an empty mapping with one reference. release, which may be null, is called when the last goes, with the
 * frames already given back; it frees what the mapping stands in.
 */
void mapping_init(struct mapping *m, struct container_id payer, void (*release)(struct mapping *));
void mapping_get(struct mapping *m);
void mapping_put(struct mapping *m);

/* Makes a mapping of `size` bytes that frees itself: shared anonymous memory. Null when there is no memory. */
struct mapping *mapping_create(struct container_id payer, uint64_t size);

/*
 * Stores the frame of a page, without a reference for the caller; in a hole NO_FRAME, with create a zeroed frame that
 * is in the cache from now on. Does not look at the size. Returns 0, -EFBIG, -EDQUOT, -ESRCH or -ENOMEM; on failure
 * nothing has changed.
 */
int mapping_page(struct mapping *m, uint32_t index, bool create, pfn_t *out);

/*
 * Stores where the cache keeps the frames of page index and some behind it, and returns how many these are: 0 where
 * it keeps nothing near. Valid until the mapping changes.
 */
uint32_t mapping_slots(struct mapping *m, uint32_t index, const union mapping_slot **slots);

/* Returns how many pages of the file there are, the last one in part or not. */
uint32_t mapping_page_count(const struct mapping *m);

/* Returns the first page from index on that is in the cache; MAPPING_NONE where there is none. Skips holes by nodes. */
#define MAPPING_NONE UINT32_MAX
uint32_t mapping_next(const struct mapping *m, uint32_t index);

/*
 * Sets the size. What lies behind it is freed, unmapped from every area first, and the tail of the last page
 * zeroed. Returns 0 or -EFBIG. Growing makes a hole.
 */
int mapping_truncate(struct mapping *m, uint64_t size);

/* Frees the pages of a range, which becomes a hole, unmapped from every area first; the size stays. */
void mapping_punch(struct mapping *m, uint32_t first, uint32_t count);

/* Writes zeros to a range of bytes that lies in one page, if that is in the cache. */
void mapping_zero(struct mapping *m, uint64_t at, uint32_t n);

/*
 * Copy between the file and the kernel's memory. Return how many bytes were copied: mapping_read fewer than n at the
 * end of the file; mapping_write, which grows the file as far as it writes, fewer when memory ran out, and -ENOMEM,
 * -EDQUOT or -EFBIG when that is none at all.
 */
int32_t mapping_read(struct mapping *m, uint64_t at, void *to, uint32_t n);
int32_t mapping_write(struct mapping *m, uint64_t at, const void *from, uint32_t n);

/* Tell the mapping of an area that maps it, or does no longer. mm/space.c keeps references. */
void mapping_add_area(struct mapping *m, struct area *a);
void mapping_remove_area(struct area *a);

#endif
