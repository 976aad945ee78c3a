/* mm/frame_check.c - proves descriptors, lists and accounts against one another. Owns nothing. Lock: frame_lock. */
#include <lib/panic.h>
#include <mm/frame_zones.h>

static unsigned fault(const char *what, uint32_t n)
{
	printk("frames: frame 0x%x: %s\n", n, what);
	return 1;
}

static bool is_listed(uint32_t n)
{
	return frame_known(n) && frame_desc(n)->tag == FRAME_TAG(0, 0, FRAME_CACHED);
}

static unsigned check_cache(const struct zone *z)
{
	unsigned faults = 0;

	if (z->cached > CACHE_LIMIT || z->cache[0] || z->zeroed > ZEROED_LIMIT)
		return fault("a short list is too long", z->cached);
	for (uint32_t i = 1; i <= z->cached; i++)
		if (!is_listed(z->cache[i]))
			faults += fault("on the short list, but not marked so", z->cache[i]);
	for (uint32_t i = 0; i < z->zeroed; i++) {
		if (!is_listed(z->zero[i]))
			faults += fault("on the list of zeroed frames, but not marked so", z->zero[i]);
		else if (!arch_frame_is_filled(PFN(z->zero[i]), 0))
			faults += fault("on the list of zeroed frames, but not zeroed", z->zero[i]);
	}
	return faults;
}

/* Compares what was counted for an account with what it is charged for; one that has ended is charged nothing. */
static unsigned check_account(uint32_t i)
{
	const struct accounts *a = &frame_accounts;
	uint32_t charged = a->payer[i] == i ? quota_own(&a->quotas, i) : a->left[i];

	if (a->counted[i] == charged)
		return 0;
	printk("frames: container %u owns %u frames, charged for %u\n", i, a->counted[i], charged);
	return 1;
}

/* Those that have ended come first, and what they still have is then counted to who pays for it. */
static unsigned check_accounts(void)
{
	const struct accounts *a = &frame_accounts;
	unsigned faults = 0;

	for (uint32_t i = 0; i < a->quotas.capacity; i++) {
		if (a->payer[i] == i)
			continue;
		faults += check_account(i);
		a->counted[a->payer[i]] += a->counted[i];
	}
	for (uint32_t i = 0; i < a->quotas.capacity; i++)
		if (a->payer[i] == i)
			faults += check_account(i);
	return faults;
}

/* Counts one descriptor's block and proves the poison of a free frame. */
static unsigned check_frame(uint32_t n, uint32_t *free)
{
	uint32_t tag = frame_desc(n)->tag;
	enum frame_state state = frame_tag_state(tag);

	if (state == FRAME_FREE || state == FRAME_CACHED)
		*free += 1u << frame_tag_order(tag);
	if (tag_is_used(tag)) {
		if (frame_desc(n)->owner >= frame_accounts.quotas.capacity)
			return fault("owned by no container", n);
		frame_accounts.counted[frame_desc(n)->owner] += 1u << frame_tag_order(tag);
	}
	if (QUIRE_DEBUG && !tag_is_used(tag) && state != FRAME_RESERVED && state != FRAME_KERNEL &&
	    frame_desc(n)->owner == POISONED && !arch_frame_is_filled(PFN(n), POISON))
		return fault("written to after it was freed", n);
	return 0;
}

unsigned check_free_list(void)
{
	uint32_t marked = 0, counted = 0;
	unsigned faults = 0;

	lock_acquire(&frame_lock);
	for (unsigned i = 0; i < ZONES; i++) {
		faults += buddy_check(&frame_zones.zone[i].buddy);
		faults += check_cache(&frame_zones.zone[i]);
		counted += zone_free(&frame_zones.zone[i]);
	}
	for (uint32_t i = 0; i < frame_accounts.quotas.capacity; i++)
		frame_accounts.counted[i] = 0;
	for (uint32_t n = 0; n < frame_end; n++)
		if (frame_known(n))
			faults += check_frame(n, &marked);
	if (marked != counted) {
		printk("frames: %u are marked free, %u are counted\n", marked, counted);
		faults++;
	}
	faults += check_accounts();
	lock_release(&frame_lock);
	return faults;
}
