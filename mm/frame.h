/*
 * mm/frame.h - phase two: every usable frame of the machine, in two zones, each charged to a container.
 *
 * A frame is either free or used; a used one has an owner (a container's index), a purpose and references.
 * Lock: frame_lock covers descriptors, free lists and all quotas; it is taken in here.
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include <lib/lock.h>
#include <mm/buddy.h>
#include <mm/quota.h>

/* Flags of frame_alloc. The purpose is one of the first four. */
#define ALLOC_KERNEL   (FRAME_KERNEL)
#define ALLOC_TABLE    (FRAME_TABLE)
#define ALLOC_USER     (FRAME_USER)
#define ALLOC_PRIVATE  (FRAME_PRIVATE)
#define ALLOC_ZERO     0x08u                /* zeroed */
#define ALLOC_HIGH     0x10u                /* may lie outside of the direct map, and prefers to */
#define ALLOC_ORDER(n) ((uint32_t)(n) << 8) /* 2^n contiguous frames, aligned to their size */

enum zone_id { ZONE_LOW, ZONE_HIGH, ZONES };

struct zone_stats {
	uint32_t total;   /* frames under management */
	uint32_t free;    /* of these, in the buddy and on the short list */
	uint32_t cached;  /* of these, on the short lists */
	uint32_t reserve; /* low frames kept from requests that may be high */
	uint32_t largest; /* order of the largest free block; 0 where none is free */
};

extern struct lock frame_lock;

/*
 * The accounts that frames are charged to. One for the root at first; mm/container.c makes them grow. A frame keeps
 * the account that it was allocated from for all its life, and whoever pays for that account pays for the frame.
 */
struct accounts {
	struct quotas quotas;
	uint32_t *payer;   /* itself while it lives, then the next one above that does */
	uint32_t *left;    /* of one that has ended: frames that still name it */
	uint32_t *counted; /* check_free_list's */
};
extern struct accounts frame_accounts;

/* Returns the number of frames that descriptors are wanted for: all RAM lies below. Phase one. */
uint32_t frame_table_end(void);

/*
 * Phase two. Runs on the full kernel map, with descriptors mapped and zeroed (kmap_descriptors): gives every usable
 * frame of the boot map below the mode's reach to the allocator (never frame 0), gives the root container a quota of
 * as many, and seals phase one. Never fails.
 */
void alloc_init(void);

/*
 * Frees every whole page of [start, end) bytes that phase one left as RAM and that was never given to the
 * allocator before: for boot-only memory and modules that have served. The root's quota grows by as many.
 * Returns how many frames that were. Panics when one of them is no kernel frame or has an owner's reference.
 */
uint32_t free_range(paddr_t start, paddr_t end);

/*
 * Charges 2^order frames to the root and stores the first of them. Returns 0, -EDQUOT (the root has promised
 * what is left) or -ENOMEM (no such block is free); on failure nothing has changed. Content undefined without
 * ALLOC_ZERO. The block has one reference.
 */
int frame_alloc(uint32_t flags, pfn_t *out);

/*
 * The same for any account, a live one, with frame_lock held: returns the first frame, or 0, and why in the error that
 * frame_alloc_error finds before the lock is released. Zeroes nothing: that is for frame_zero, unlocked.
 */
uint32_t frame_alloc_locked(uint32_t owner, uint32_t flags);
int frame_alloc_error(uint32_t owner, uint32_t flags);
void frame_zero(pfn_t f, unsigned order);

/* Adds a reference to a used block. Returns 0, or -EAGAIN when its count is full (nothing changed). */
int frame_get(pfn_t f);

/*
 * Takes a reference back; with the last one the block becomes free and its owner is discharged. No translation
 * to it may be left in any TLB. Panics, naming the frame, when the block is free or not the allocator's.
 */
void frame_put(pfn_t f);

/* The same for *count of them, one reference each, the last one first, under one lock; *count is 0 then. */
void frame_put_all(const pfn_t *f, uint32_t *count);

/* The same for who holds frame_lock; the first is false, with nothing changed, when the count is full. */
bool frame_get_locked(pfn_t f);
void frame_put_locked(pfn_t f);

/*
 * The short ways of both, for whoever holds frame_lock and many references: false, with nothing changed, where a
 * frame, which has a descriptor, is in no state for it. For frame_unshare that is also the last reference.
 */
static inline bool frame_share(pfn_t f)
{
	struct frame *d = frame_desc(f.n);
	uint32_t tag = d->tag + FRAME_REF; /* small too when the count was full, and has wrapped */

	if (UNLIKELY(tag < 2 * FRAME_REF))
		return false;
	d->tag = tag;
	return true;
}

static inline bool frame_unshare(pfn_t f)
{
	struct frame *d = frame_desc(f.n);

	if (d->tag < 2 * FRAME_REF)
		return false;
	d->tag -= FRAME_REF;
	return true;
}

/*
 * The same for who holds frame_lock and names who pays for it: false, with nothing changed, for any other frame, and
 * for tables, slabs and stacks, which whoever made them takes back.
 */
bool frame_put_owned_locked(pfn_t f, uint32_t owner);

/* Return a used block's references and who pays for it; the state of any frame, FRAME_RESERVED for unknown ones. */
uint32_t frame_refs(pfn_t f);
uint32_t frame_owner(pfn_t f);
enum frame_state frame_state(pfn_t f);

/*
 * For page tables, which are emptied before they are freed and must come zeroed. The first is frame_put for a frame
 * that holds zeros only; the second returns such a frame, charged to an account, as a table; 0, with nothing changed,
 * when none is kept. Both for who holds frame_lock.
 */
void frame_put_zeroed_locked(pfn_t f);
uint32_t frame_take_zeroed_locked(uint32_t owner);

/* As frame_state, but a frame inside of a block is in the block's. O(log n). */
enum frame_state frame_block_state(pfn_t f);

/*
 * One page of direct-mapped memory for the kernel, charged to the root; null when there is none. kfree takes
 * such a page back and panics, naming the frame, on any other pointer and on a second time.
 */
void *kalloc(void);
void kfree(void *page);

/* The same for 2^order pages, contiguous and aligned to their size; the block itself knows how many it has. */
void *kalloc_block(unsigned order);
void kfree_block(void *first);

/* Gives the frames of the short lists back to the buddy, so that they can merge. */
void frame_drain(void);

/* Fills in the numbers of one zone. */
void frame_stats(enum zone_id zone, struct zone_stats *out);

/* Returns how many frames are handed out (with their references or not), in all zones. */
uint32_t frame_used(void);

/*
 * Walks descriptors and lists and proves them sound: every block in range, aligned, on one list only and
 * counted; free frames still holding their poison in debug builds; blocks merged as far as it goes; short lists
 * within their bound; the frames of each account as many as it is charged for. Prints each fault and returns
 * how many there are. O(frames).
 */
unsigned check_free_list(void);

/*
 * Tests: the allocation after the next n fails with -ENOMEM, and so does every later one, until -1 is given.
 * Costs the allocator nothing while it is off.
 */
void frame_fail_after(int32_t n);

#endif
