/*
 * mm/container.h - containers: page quotas in a tree. Every used frame is charged to one container; a container
 * can promise part of its quota to children and then cannot use that part itself, so none can take what another
 * was promised. Lock: frame_lock, taken in here.
 */
#ifndef MM_CONTAINER_H
#define MM_CONTAINER_H

#include <mm/frame.h>

/* Names one life of a table entry: once its container is destroyed the id is stale for ever. */
struct container_id {
	uint32_t index, generation;
};
#define CONTAINER_ROOT ((struct container_id){0, 0})

/* Makes the root container, whose quota is every allocatable frame. Runs once, after alloc_init. */
void container_init(void);

/*
 * Makes a child of parent with quota n and usage 0, raises the parent's usage by n and stores the child's id.
 * Returns 0, -ESRCH (parent is stale), -EDQUOT (it cannot spare n) or -ENOMEM (the table cannot grow); on
 * failure nothing has changed.
 */
int container_split(struct container_id parent, uint32_t n, struct container_id *child);

/*
 * Moves the frames that c still owns to its parent's account and its children to its parent, then lowers the
 * parent's usage by what is left of c's quota. Returns 0, -ESRCH (stale) or -EPERM (the root). O(children), those
 * among them that have ended before and left frames; frames are not walked.
 */
int container_destroy(struct container_id c);

/*
 * Allocates a block (flags as frame_alloc's), charged to c. Returns 0, -ESRCH (stale), -EDQUOT or -ENOMEM; on
 * failure nothing has changed, the charge least of all.
 */
int container_alloc(struct container_id c, uint32_t flags, pfn_t *out);

/* The same for a page table: zeroed, and with no work where one was kept so. */
int container_alloc_table(struct container_id c, pfn_t *out);

/*
 * Takes back a reference on c's frame, as frame_put. Returns 0, -ESRCH (stale) or -EPERM (another container's frame,
 * a free one, or one that is a table, a slab or a stack); on failure nothing has changed.
 */
int container_free(struct container_id c, pfn_t f);

/* True when c is live and n more pages can be charged to it. */
bool container_can_consume(struct container_id c, uint32_t n);

/* Store what they are named for, in pages (parent: its id; the root is its own). Return 0 or -ESRCH. */
int container_get_quota(struct container_id c, uint32_t *out);
int container_get_usage(struct container_id c, uint32_t *out);
int container_get_parent(struct container_id c, struct container_id *out);
int container_get_nchildren(struct container_id c, uint32_t *out);

/* Returns how many frames the table takes; it grows and never shrinks. */
uint32_t container_table_frames(void);

/* Returns how many containers live, the root among them. */
uint32_t container_count(void);

/* Proves the invariant of mm/quota.h and the tree's links; prints each fault and returns how many there are. */
unsigned check_containers(void);

#endif
