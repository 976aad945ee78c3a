/*
 * mm/buddy.h - frame descriptors, and blocks of 2^order of them in buddy lists (Knuth, TAOCP 1, 2.5), the small
 * ones as bits. Knows nothing of zones, quotas or owners. Lock: frame_lock, held by the caller.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include <arch/frame_access.h>

#define BUDDY_ORDERS 11 /* blocks of 1 to 1024 frames */

enum frame_state {
	FRAME_RESERVED, /* never ours: hole, device, firmware. 0: what a zeroed descriptor says */
	FRAME_TAIL,     /* in a block, free or used, but not its first frame */
	FRAME_FREE,     /* the first frame of a free block in the buddy, or a single one */
	FRAME_CACHED,   /* free, on the short list in front of the buddy */
	FRAME_KERNEL,   /* used by the kernel; without references: its image, modules, what phase one took */
	FRAME_TABLE,    /* used as a page table */
	FRAME_USER,     /* used by a program */
	FRAME_PRIVATE   /* used as a slab or a stack: nothing that is freed by its address */
};

/* 16 bytes for each frame. */
struct frame {
	uint32_t next,
		prev; /* mm/buddy.c's, of used frames too: its lists, and the words for blocks below 32 frames */
	uint32_t owner; /* container index of a used frame */
	uint32_t tag;   /* references << 8 | order << 3 | state */
};
_Static_assert(sizeof(struct frame) == 16, "SPEC: at most 16 bytes for each frame");

#define FRAME_TAG(refs, order, state) ((uint32_t)(refs) << 8 | (uint32_t)(order) << 3 | (uint32_t)(state))
#define FRAME_REF                     (1u << 8)
#define FRAME_REFS_MAX                0xFFFFFFu

/* No frame from here on has a descriptor; a multiple of the largest block. */
extern uint32_t frame_end;

/* Returns the descriptor; f < frame_end. Those of frames that are no RAM can be read only, and are zero. */
static inline struct frame *frame_desc(uint32_t f)
{
	return (struct frame *)arch_frame_descriptors() + f;
}

/* True for a frame that has a descriptor. Any number may be asked. */
static inline bool frame_known(uint32_t f)
{
	return f < frame_end;
}

static inline enum frame_state frame_tag_state(uint32_t tag)
{
	return (enum frame_state)(tag & 7);
}

static inline unsigned frame_tag_order(uint32_t tag)
{
	return tag >> 3 & 31;
}

static inline uint32_t frame_tag_refs(uint32_t tag)
{
	return tag >> 8;
}

struct buddy {
	uint32_t head
		[BUDDY_ORDERS]; /* first free block of each order, or cluster whose largest it is; 0: none */
	uint32_t nonempty;      /* bit per order */
	uint32_t free;          /* frames in all lists */
};

/* Takes a block of this order and returns its first frame, or 0 when no block is large enough. O(log n). */
uint32_t buddy_alloc(struct buddy *b, unsigned order);

/* Takes up to `most` single frames from one place, tags and stores them; returns how many. O(log n + most). */
uint32_t buddy_alloc_singles(struct buddy *b, uint32_t *out, uint32_t most, uint32_t tag);

/* Gives a block back and merges it with its free buddies as far as that goes. O(log n). */
void buddy_free(struct buddy *b, uint32_t first, unsigned order);

/* The same for `count` single frames anywhere. O(1) for each but that with which 32 in a row are free. */
void buddy_free_singles(struct buddy *b, const uint32_t *n, uint32_t count);

/* Proves the lists sound; prints each fault and returns how many there are. */
unsigned buddy_check(const struct buddy *b);

#endif
