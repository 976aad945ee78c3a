/*
 * mm/frame.c - all usable frames. Owns the zones and the accounts that frames are
 * charged to. Lock: frame_lock.
 *
 *	          free()                  merge
 *	 users  ----------> short list ----------> buddy: blocks of 1, 2, 4 ... 1024 frames
 *	 users  <---------- (<= CACHE) <----------
 *	          alloc()                 split
 *
 * Each zone has its own of both. Beside the short list stands another, of frames that hold zeros: page tables, which
 * come back empty and are wanted so. A charge comes first, in frame_alloc alone: an account without room is refused
 * before anything was looked for.
 */
#include <lib/panic.h>
#include <mm/frame_zones.h>

#define REFILL (CACHE_LIMIT / 2) /* frames that an empty short list takes from the buddy at once */
#define SPILL  7u                /* and that a full one gives back */

struct lock frame_lock = LOCK_INIT("frame", LOCK_FRAME);

/* The root's account, until mm/container.c moves it into a table. */
static struct {
	uint32_t quota, usage, promised, parent, nchildren, payer, left, counted;
} root_account;

struct accounts frame_accounts = {
	.quotas = {&root_account.quota, &root_account.usage, &root_account.promised, &root_account.parent,
		   &root_account.nchildren, 1},
	.payer = &root_account.payer,
	.left = &root_account.left,
	.counted = &root_account.counted,
};

struct frame_zones frame_zones = {.cache_limit = CACHE_LIMIT, .fail_after = -1};

/* The short list. Callers hold frame_lock. */
static inline void cache_push(struct zone *z, uint32_t n)
{
	uint32_t cached = z->cached + 1;

	frame_desc(n)->tag = FRAME_TAG(0, 0, FRAME_CACHED);
	z->cached = cached;
	z->cache[cached] = n;
}

/* Returns 0 when the list is empty. */
static inline uint32_t cache_pop(struct zone *z)
{
	uint32_t cached = z->cached;
	uint32_t n = z->cache[cached];

	if (n)
		z->cached = cached - 1;
	return n;
}

static void zone_drain(struct zone *z)
{
	buddy_free_singles(&z->buddy, z->cache + 1, z->cached);
	buddy_free_singles(&z->buddy, z->zero, z->zeroed);
	z->cached = z->zeroed = 0;
}

/* A block from the buddy; what the short list holds back may be what is missing. */
static uint32_t zone_take(struct zone *z, unsigned order)
{
	uint32_t n = buddy_alloc(&z->buddy, order);

	if (n || !(z->cached + z->zeroed))
		return n;
	zone_drain(z);
	return buddy_alloc(&z->buddy, order);
}

/* A single frame, and with it some more for the short list; when all others are used, one of the zeroed. */
static uint32_t zone_take_single(struct zone *z)
{
	if (!z->cached && !z->buddy.free)
		zone_drain(z);
	if (!z->cached)
		z->cached = buddy_alloc_singles(&z->buddy, z->cache + 1, frame_zones.cache_limit ? REFILL : 1,
						FRAME_TAG(0, 0, FRAME_CACHED));
	return cache_pop(z);
}

static uint32_t zone_take_any(struct zone *z, unsigned order)
{
	return order ? zone_take(z, order) : zone_take_single(z);
}

/* True when the tests want this allocation to fail. The short lists are off then, so that every one comes here. */
static bool fails_on_purpose(void)
{
	if (frame_zones.fail_after < 0)
		return false;
	if (frame_zones.fail_after == 0)
		return true;
	frame_zones.fail_after--;
	return false;
}

/*
 * High memory first for who can use it. Such requests leave the low reserve alone: the kernel's own frames, which
 * must be low, are still to be had when high memory is full.
 */
static __attribute__((noinline)) uint32_t take_from_zones(uint32_t flags, unsigned order)
{
	struct zone *low = &frame_zones.zone[ZONE_LOW], *high = &frame_zones.zone[ZONE_HIGH];
	uint32_t n = 0;

	if (fails_on_purpose())
		return 0;
	if (flags & ALLOC_HIGH) {
		if (zone_free(high))
			n = zone_take_any(high, order);
		if (n || zone_free(low) < frame_zones.low_reserve + (1u << order))
			return n;
	}
	return zone_take_any(low, order);
}

static void poison_write(uint32_t n, unsigned order)
{
	for (uint32_t i = n; i < n + (1u << order); i++) {
		arch_frame_fill(PFN(i), POISON);
		frame_desc(i)->owner = POISONED;
	}
}

/* Panics when somebody wrote to a frame after it was freed. Frames that were never used hold no poison. */
static void poison_check(uint32_t n, unsigned order)
{
	for (uint32_t i = n; i < n + (1u << order); i++) {
		if (frame_desc(i)->owner == POISONED && !arch_frame_is_filled(PFN(i), POISON))
			panic("frame 0x%x was written to after it was freed", i);
		frame_desc(i)->owner = 0;
	}
}

/* Panics when a frame that goes to the zeroed ones, or comes from them, is not. */
static void check_zeros(uint32_t n)
{
	if (!arch_frame_is_filled(PFN(n), 0))
		panic("frame 0x%x, kept as a zeroed one, is not", n);
}

void frame_zero(pfn_t f, unsigned order)
{
	for (uint32_t count = 1u << order; count; count--, f.n++)
		arch_frame_zero(f);
}

/* One frame from a short list; 0 where it takes more to find one. The rules are take_from_zones'. */
static inline uint32_t take_listed(uint32_t flags)
{
	struct zone *low = &frame_zones.zone[ZONE_LOW], *high = &frame_zones.zone[ZONE_HIGH];
	uint32_t n;

	if (!(flags & ALLOC_HIGH))
		return cache_pop(low);
	n = cache_pop(high);
	if (!n && !high->buddy.free && low->buddy.free >= frame_zones.low_reserve)
		n = cache_pop(low);
	return n;
}

/* The common case first. */
static inline uint32_t take(uint32_t flags, unsigned order)
{
	uint32_t n = order ? 0 : take_listed(flags);

	return UNLIKELY(!n) ? take_from_zones(flags, order) : n;
}

/* Returns the first frame of a block, charged to its owner; 0 with nothing changed. */
static inline uint32_t alloc_block(uint32_t owner, uint32_t flags, unsigned order)
{
	struct frame *f;
	uint32_t n;

	if (QUIRE_DEBUG)
		INVARIANT((flags & 7) >= ALLOC_KERNEL); /* a purpose */
	if (UNLIKELY(!quota_charge(&frame_accounts.quotas, owner, 1u << order)))
		return 0;
	n = take(flags, order);
	if (UNLIKELY(!n)) {
		quota_uncharge(&frame_accounts.quotas, owner, 1u << order);
		return 0;
	}
	f = frame_desc(n);
	arch_frame_note_used(PFN(n), order);
	if (QUIRE_DEBUG)
		poison_check(n, order);
	f->tag = FRAME_TAG(1, order, flags & 7);
	f->owner = owner;
	return n;
}

static __attribute__((noinline)) uint32_t alloc_large(uint32_t owner, uint32_t flags)
{
	return flags >> 8 < BUDDY_ORDERS ? alloc_block(owner, flags, flags >> 8) : 0;
}

extern inline uint32_t frame_alloc_locked(uint32_t owner, uint32_t flags)
{
	return UNLIKELY(flags >= ALLOC_ORDER(1)) ? alloc_large(owner, flags) : alloc_block(owner, flags, 0);
}

__attribute__((noinline)) int frame_alloc_error(uint32_t owner, uint32_t flags)
{
	unsigned order = flags >> 8;

	if (order < BUDDY_ORDERS && !quota_can_consume(&frame_accounts.quotas, owner, 1u << order))
		return -EDQUOT;
	return -ENOMEM;
}

int frame_alloc(uint32_t flags, pfn_t *out)
{
	int err = 0;
	uint32_t n;

	lock_acquire(&frame_lock);
	n = frame_alloc_locked(ROOT_ACCOUNT, flags);
	if (n)
		*out = PFN(n);
	else
		err = frame_alloc_error(ROOT_ACCOUNT, flags);
	lock_release(&frame_lock);
	if (n && flags & ALLOC_ZERO)
		frame_zero(PFN(n), flags >> 8);
	return err;
}

/* Frees a frame for which the short list has no room, and makes room for the next ones. */
static __attribute__((noinline)) void spill(struct zone *z, uint32_t n)
{
	uint32_t count = z->cached < SPILL ? z->cached : SPILL;
	uint32_t *last = &z->cache[z->cached + 1];

	*last = n;
	z->cached -= count;
	buddy_free_singles(&z->buddy, last - count, count + 1);
}

/* Gives a block without references back to its zone. */
static inline void give_back(struct zone *z, uint32_t n, unsigned order)
{
	if (QUIRE_DEBUG)
		poison_write(n, order);
	arch_frame_note_free(PFN(n), order);
	if (order) {
		buddy_free(&z->buddy, n, order);
		return;
	}
	if (UNLIKELY(z->cached >= frame_zones.cache_limit))
		spill(z, n);
	else
		cache_push(z, n);
}

/* The same wherever it lies; discharges its owner, which lives. */
static inline void release(uint32_t owner, uint32_t n, unsigned order)
{
	quota_uncharge(&frame_accounts.quotas, owner, 1u << order);
	if (UNLIKELY(!arch_frame_is_direct(PFN(n))))
		give_back(&frame_zones.zone[ZONE_HIGH], n, order);
	else
		give_back(&frame_zones.zone[ZONE_LOW], n, order);
}

/* The same for any order and owner: one that has ended, and who pays for it. */
static __attribute__((noinline)) void release_any(const struct frame *f, uint32_t n)
{
	unsigned order = frame_tag_order(f->tag);
	uint32_t payer = frame_accounts.payer[f->owner];

	if (payer != f->owner)
		frame_accounts.left[f->owner] -= 1u << order;
	release(payer, n, order);
}

static const char *const state_names[] = {
	[FRAME_TAIL] = "not the first of its block",
	[FRAME_RESERVED] = "not memory",
	[FRAME_FREE] = "free",
	[FRAME_CACHED] = "free",
	[FRAME_KERNEL] = "the kernel's",
	[FRAME_TABLE] = "a page table",
	[FRAME_USER] = "a program's",
	[FRAME_PRIVATE] = "a slab or a stack",
};

_Noreturn void frame_bad(const char *who, uint32_t n)
{
	panic("%s: frame 0x%x is %s", who, n, state_names[frame_state(PFN(n))]);
}

bool frame_get_locked(pfn_t f)
{
	if (!frame_known(f.n) || !tag_is_used(frame_desc(f.n)->tag))
		frame_bad("frame_get", f.n);
	return frame_share(f);
}

int frame_get(pfn_t f)
{
	bool got;

	lock_acquire(&frame_lock);
	got = frame_get_locked(f);
	lock_release(&frame_lock);
	return got ? 0 : -EAGAIN;
}

/* True for the only reference to a single frame. */
static inline bool is_last_single(uint32_t tag)
{
	return tag - FRAME_TAG(1, 0, FRAME_KERNEL) <= FRAME_PRIVATE - FRAME_KERNEL;
}

/* Takes a reference back, of any block and owner. */
static void put_any(struct frame *f, uint32_t n)
{
	f->tag -= FRAME_REF;
	if (!tag_is_used(f->tag))
		release_any(f, n);
}

/* True for a table, a slab or a stack: whoever made it takes it back. */
static inline bool is_built_in(uint32_t tag)
{
	return frame_tag_state(tag) == FRAME_TABLE || frame_tag_state(tag) == FRAME_PRIVATE;
}

/* The same for who pays for it, if that is who it is; not for a table, a slab or a stack. */
static __attribute__((noinline)) bool put_any_owned(uint32_t n, uint32_t owner)
{
	struct frame *f;

	if (!frame_known(n))
		return false;
	f = frame_desc(n);
	if (!tag_is_used(f->tag) || is_built_in(f->tag) || frame_accounts.payer[f->owner] != owner)
		return false;
	put_any(f, n);
	return true;
}

/* True for the only reference to a single frame that is the kernel's or a program's; one comparison. */
static inline bool is_owners_last(uint32_t tag)
{
	return (tag & ~(uint32_t)(FRAME_KERNEL ^ FRAME_USER)) == FRAME_TAG(1, 0, FRAME_KERNEL);
}

extern inline bool frame_put_owned_locked(pfn_t p, uint32_t owner)
{
	if (UNLIKELY(!frame_known(p.n) || frame_desc(p.n)->owner != owner ||
		     !is_owners_last(frame_desc(p.n)->tag)))
		return put_any_owned(p.n, owner);
	release(owner, p.n, 0);
	return true;
}

static __attribute__((noinline)) void put_checked(uint32_t n)
{
	if (!frame_known(n) || !tag_is_used(frame_desc(n)->tag))
		frame_bad("frame_put", n);
	put_any(frame_desc(n), n);
}

/* True for the only reference to a single frame, one whose owner lives. */
static inline bool is_plain(const struct frame *f)
{
	return is_last_single(f->tag) && frame_accounts.payer[f->owner] == f->owner;
}

/* The common case first. */
static inline void put_used(uint32_t n)
{
	if (UNLIKELY(!frame_known(n) || !is_plain(frame_desc(n))))
		put_checked(n);
	else
		release(frame_desc(n)->owner, n, 0);
}

__attribute__((noinline)) void frame_put_locked(pfn_t f)
{
	put_used(f.n);
}

void frame_put_zeroed_locked(pfn_t p)
{
	struct zone *z = &frame_zones.zone[ZONE_LOW];
	struct frame *f = frame_desc(p.n);

	if (f->tag != FRAME_TAG(1, 0, FRAME_TABLE) || frame_accounts.payer[f->owner] != f->owner ||
	    z->zeroed >= ZEROED_LIMIT || !frame_zones.cache_limit) {
		frame_put_locked(p);
		return;
	}
	quota_uncharge(&frame_accounts.quotas, f->owner, 1);
	if (QUIRE_DEBUG)
		check_zeros(p.n);
	arch_frame_note_free(p, 0);
	f->tag = FRAME_TAG(0, 0, FRAME_CACHED);
	f->owner = 0;
	z->zero[z->zeroed++] = p.n;
}

uint32_t frame_take_zeroed_locked(uint32_t owner)
{
	struct zone *z = &frame_zones.zone[ZONE_LOW];
	struct frame *f;
	uint32_t n;

	if (!z->zeroed || !quota_charge(&frame_accounts.quotas, owner, 1))
		return 0;
	n = z->zero[--z->zeroed];
	arch_frame_note_used(PFN(n), 0);
	if (QUIRE_DEBUG)
		check_zeros(n);
	f = frame_desc(n);
	f->tag = FRAME_TAG(1, 0, FRAME_TABLE);
	f->owner = owner;
	return n;
}

void frame_put(pfn_t f)
{
	lock_acquire(&frame_lock);
	put_used(f.n);
	lock_release(&frame_lock);
}

void frame_put_all(const pfn_t *f, uint32_t *count)
{
	lock_acquire(&frame_lock);
	for (; *count; --*count)
		put_used(f[*count - 1].n);
	lock_release(&frame_lock);
}

uint32_t frame_refs(pfn_t f)
{
	return frame_known(f.n) ? frame_tag_refs(frame_desc(f.n)->tag) : 0;
}

uint32_t frame_owner(pfn_t f)
{
	return frame_known(f.n) ? frame_accounts.payer[frame_desc(f.n)->owner] : ROOT_ACCOUNT;
}

enum frame_state frame_state(pfn_t f)
{
	return frame_known(f.n) ? frame_tag_state(frame_desc(f.n)->tag) : FRAME_RESERVED;
}

/* A block begins at a multiple of its size: behind its first frame all are tails, whatever it is rounded down to. */
enum frame_state frame_block_state(pfn_t f)
{
	enum frame_state state = frame_state(f);

	for (unsigned order = 1; order < BUDDY_ORDERS && state == FRAME_TAIL; order++)
		state = frame_state(PFN(f.n & ~0u << order));
	return state;
}

void *kalloc(void)
{
	uint32_t n;

	lock_acquire(&frame_lock);
	n = alloc_block(ROOT_ACCOUNT, ALLOC_KERNEL, 0);
	lock_release(&frame_lock);
	return n ? arch_frame_direct(PFN(n)) : NULL;
}

void *kalloc_block(unsigned order)
{
	pfn_t f;

	return frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(order), &f) ? NULL : arch_frame_direct(f);
}

/* Returns the frame of a page in the direct map; panics over any other pointer. */
static inline uint32_t frame_of_page(const char *who, const void *page)
{
	uint32_t n = arch_frame_of_page(page);

	if (n >= frame_zones.direct_end)
		panic("%s: %p is no page of the direct map", who, page);
	return n;
}

/* Frees a block that is charged to the root and has no other reference. */
static inline void free_kernels(const char *who, uint32_t n, unsigned order)
{
	const struct frame *f = frame_desc(n);

	if (f->tag != FRAME_TAG(1, order, FRAME_KERNEL) || f->owner != ROOT_ACCOUNT)
		frame_bad(who, n);
	quota_uncharge(&frame_accounts.quotas, ROOT_ACCOUNT, 1u << order);
	give_back(&frame_zones.zone[ZONE_LOW], n, order);
}

void kfree(void *page)
{
	uint32_t n = frame_of_page("kfree", page);

	lock_acquire(&frame_lock);
	free_kernels("kfree", n, 0);
	lock_release(&frame_lock);
}

void kfree_block(void *first)
{
	uint32_t n = frame_of_page("kfree_block", first);

	lock_acquire(&frame_lock);
	free_kernels("kfree_block", n, frame_tag_order(frame_desc(n)->tag));
	lock_release(&frame_lock);
}

void frame_drain(void)
{
	lock_acquire(&frame_lock);
	for (unsigned i = 0; i < ZONES; i++)
		zone_drain(&frame_zones.zone[i]);
	lock_release(&frame_lock);
}

void frame_fail_after(int32_t n)
{
	frame_drain();
	frame_zones.cache_limit = n < 0 ? CACHE_LIMIT : 0;
	frame_zones.fail_after = n;
}

static unsigned largest_order(const struct buddy *b)
{
	return b->nonempty ? 31 - (unsigned)__builtin_clz(b->nonempty) : 0;
}

void frame_stats(enum zone_id zone, struct zone_stats *out)
{
	const struct zone *z = &frame_zones.zone[zone];

	lock_acquire(&frame_lock);
	out->total = z->total;
	out->free = zone_free(z);
	out->cached = z->cached + z->zeroed;
	out->reserve = zone == ZONE_LOW ? frame_zones.low_reserve : 0;
	out->largest = largest_order(&z->buddy);
	lock_release(&frame_lock);
}

uint32_t frame_used(void)
{
	uint32_t used = 0;

	lock_acquire(&frame_lock);
	for (unsigned i = 0; i < ZONES; i++)
		used += frame_zones.zone[i].total - zone_free(&frame_zones.zone[i]);
	lock_release(&frame_lock);
	return used;
}
