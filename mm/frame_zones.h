/*
 * mm/frame_zones.h - the frame allocator among its own files: frame.c gives and takes back, frame_init.c is phase
 * two, frame_check.c proves. Lock: frame_lock, held by whoever looks in here.
 */
#ifndef MM_FRAME_ZONES_H
#define MM_FRAME_ZONES_H

#include <arch/frame_access.h>
#include <mm/frame.h>

#define CACHE_LIMIT  32u /* frames on a short list: draining it stays a short work */
#define CACHE_SPACE  34u /* [0] is 0, no frame; from [1] on, the last is given next; one to spare */
#define ZEROED_LIMIT 16u /* frames on the list of zeroed ones */
#define POISON       0x9E0CA5EDu
#define POISONED     1u /* owner of a free frame that holds its poison; debug builds */
#define ROOT_ACCOUNT 0u

struct zone {
	struct buddy buddy;
	uint32_t cached; /* frames on the short list */
	uint32_t cache[CACHE_SPACE];
	uint32_t zeroed; /* free frames that hold zeros; high ones come zeroed by nobody */
	uint32_t zero[ZEROED_LIMIT];
	uint32_t total;
};

struct frame_zones {
	struct zone zone[ZONES];
	uint32_t direct_end; /* no frame from here on has a descriptor and is in the direct map */
	uint32_t cache_limit;
	uint32_t low_reserve;
	int32_t fail_after; /* < 0: never */
};
extern struct frame_zones frame_zones;

static inline struct zone *zone_of(uint32_t n)
{
	return &frame_zones.zone[arch_frame_is_direct(PFN(n)) ? ZONE_LOW : ZONE_HIGH];
}

static inline uint32_t zone_free(const struct zone *z)
{
	return z->buddy.free + z->cached + z->zeroed;
}

static inline bool tag_is_used(uint32_t tag)
{
	return tag >= FRAME_REF;
}

/* Panics over a frame that cannot be freed or shared, and says what it is instead. */
_Noreturn void frame_bad(const char *who, uint32_t n);

#endif
