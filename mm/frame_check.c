/* mm/frame_check.c - proves descriptors, lists and accounts against one another. Owns nothing. Lock: frame_lock. */
#include <lib/panic.h>
#include <mm/frame_zones.h>

static unsigned fault(const char *what, uint32_t n)
{
	printk("frames: frame 0x%x: %s\n", n, what);
	return 1;
}

static unsigned check_cache(const struct zone *z)
{
	unsigned faults = 0;

	if (z->cached > CACHE_LIMIT)
		return fault("the short list is too long", z->cached);
	for (uint32_t i = 0; i < z->cached; i++)
		if (!frame_known(z->cache[i]) ||
		    frame_desc(z->cache[i])->tag != FRAME_TAG(0, 0, FRAME_CACHED))
			faults += fault("on the short list, but not marked so", z->cache[i]);
	return faults;
}

/* Sums up the frames that an account's list says it owns; stops at more than there can be. */
static uint32_t listed_frames(uint32_t owner)
{
	uint32_t sum = 0;

	for (uint32_t n = frame_accounts.first_frame[owner]; n && sum <= frame_end; n = frame_desc(n)->next)
		sum += frame_desc(n)->owner == owner ? 1u << frame_tag_order(frame_desc(n)->tag) : frame_end;
	return sum;
}

/* Each account but the root has a list; the rest of the used frames are the root's. */
static unsigned check_owners(uint32_t used)
{
	const struct quotas *q = &frame_accounts.quotas;
	unsigned faults = 0;

	for (uint32_t i = 1; i < q->capacity; i++) {
		uint32_t listed = listed_frames(i);

		used -= listed;
		if (listed != q->own[i]) {
			printk("frames: container %u owns %u frames, charged for %u\n", i, listed, q->own[i]);
			faults++;
		}
	}
	if (used != q->own[0]) {
		printk("frames: the root owns %u frames, charged for %u\n", used, q->own[0]);
		faults++;
	}
	return faults;
}

struct tally {
	uint32_t used, free;
};

/* Counts one descriptor's block and proves the poison of a free frame. */
static unsigned check_frame(uint32_t n, struct tally *t)
{
	uint32_t tag = frame_desc(n)->tag;
	enum frame_state state = frame_tag_state(tag);

	if (state == FRAME_FREE || state == FRAME_CACHED)
		t->free += 1u << frame_tag_order(tag);
	else if (tag_is_used(tag))
		t->used += 1u << frame_tag_order(tag);
	if (QUIRE_DEBUG && !tag_is_used(tag) && state != FRAME_RESERVED && state != FRAME_KERNEL &&
	    frame_desc(n)->owner == POISONED && !arch_frame_is_filled(PFN(n), POISON))
		return fault("written to after it was freed", n);
	return 0;
}

unsigned check_free_list(void)
{
	struct tally t = {0};
	uint32_t counted = 0;
	unsigned faults = 0;

	lock_acquire(&frame_lock);
	for (unsigned i = 0; i < ZONES; i++) {
		faults += buddy_check(&frame_zones.zone[i].buddy);
		faults += check_cache(&frame_zones.zone[i]);
		counted += zone_free(&frame_zones.zone[i]);
	}
	for (uint32_t n = 0; n < frame_end; n++)
		if (frame_known(n))
			faults += check_frame(n, &t);
	if (t.free != counted) {
		printk("frames: %u are marked free, %u are counted\n", t.free, counted);
		faults++;
	}
	faults += check_owners(t.used);
	lock_release(&frame_lock);
	return faults;
}
