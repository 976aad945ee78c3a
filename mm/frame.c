/*
 * mm/frame.c - phase two: all usable frames. Owns the descriptors, the zones and the accounts that frames are
 * charged to. Lock: frame_lock.
 *
 *	          free()                  merge
 *	 users  ----------> short list ----------> buddy: blocks of 1, 2, 4 ... 1024 frames
 *	 users  <---------- (<= CACHE) <----------
 *	          alloc()                 split
 *
 * Each zone has its own of both. A charge comes first, in frame_alloc alone: an account without room is refused
 * before anything was looked for.
 */
#include <arch/frame_access.h>
#include <lib/panic.h>
#include <mm/boot_alloc.h>
#include <mm/frame.h>

#define CACHE_LIMIT  16 /* frames on a short list: draining it stays a short work */
#define LOW_RESERVE  64 /* of the low frames, one in so many is kept from requests that may be high */
#define POISON       0x9E0CA5EDu
#define POISONED     1u /* owner of a free frame that holds its poison; debug builds */
#define BLOCK_PAGES  (FRAME_BLOCK * sizeof(struct frame) / PAGE_SIZE)
#define ROOT_ACCOUNT 0u

struct zone {
	struct buddy buddy;
	uint32_t cached_first, cached;
	uint32_t total;
};

struct lock frame_lock = LOCK_INIT("frame", LOCK_FRAME);

/* The root's account, until mm/container.c moves it into a table. */
static struct {
	uint32_t quota, usage, own, parent, nchildren, first_frame;
} root_account;

struct accounts frame_accounts = {
	.quotas = {&root_account.quota, &root_account.usage, &root_account.own, &root_account.parent,
		   &root_account.nchildren, 1},
	.first_frame = &root_account.first_frame,
};

static struct {
	struct zone zone[ZONES];
	uint32_t cache_limit;
	uint32_t low_reserve;
	int32_t fail_after; /* < 0: never */
} frames = {.cache_limit = CACHE_LIMIT, .fail_after = -1};

static struct zone *zone_of(uint32_t n)
{
	return &frames.zone[arch_frame_is_direct(PFN(n)) ? ZONE_LOW : ZONE_HIGH];
}

static uint32_t zone_free(const struct zone *z)
{
	return z->buddy.free + z->cached;
}

static bool tag_is_used(uint32_t tag)
{
	return tag >= FRAME_REF;
}

/* The short list. Callers hold frame_lock. */
static uint32_t cache_pop(struct zone *z)
{
	uint32_t n = z->cached_first;

	if (n) {
		z->cached_first = frame_desc(n)->next;
		z->cached--;
	}
	return n;
}

static void cache_push(struct zone *z, uint32_t n)
{
	struct frame *f = frame_desc(n);

	f->tag = FRAME_TAG(0, 0, FRAME_CACHED);
	f->next = z->cached_first;
	z->cached_first = n;
	z->cached++;
}

static void zone_drain(struct zone *z)
{
	while (z->cached)
		buddy_free(&z->buddy, cache_pop(z), 0);
}

/* A block from the buddy; what the short list holds back may be what is missing. */
static uint32_t zone_take(struct zone *z, unsigned order)
{
	uint32_t n = buddy_alloc(&z->buddy, order);

	if (n || !z->cached)
		return n;
	if (order == 0)
		return cache_pop(z);
	zone_drain(z);
	return buddy_alloc(&z->buddy, order);
}

/* True when the tests want this allocation to fail. The short lists are off then, so that every one comes here. */
static bool fails_on_purpose(void)
{
	if (frames.fail_after < 0)
		return false;
	if (frames.fail_after == 0)
		return true;
	frames.fail_after--;
	return false;
}

/*
 * High memory first for who can use it. Such requests leave the low reserve alone: the kernel's own frames, which
 * must be low, are still to be had when high memory is full.
 */
static uint32_t take_block(uint32_t flags, unsigned order)
{
	struct zone *low = &frames.zone[ZONE_LOW];
	uint32_t n;

	if (fails_on_purpose())
		return 0;
	if (flags & ALLOC_HIGH) {
		n = zone_take(&frames.zone[ZONE_HIGH], order);
		if (n || zone_free(low) < frames.low_reserve + (1u << order))
			return n;
	}
	return zone_take(low, order);
}

/* The common case first: one low frame from the short list; or a high one for who prefers it. */
static uint32_t take(uint32_t flags, unsigned order)
{
	uint32_t n = 0;

	if (order == 0)
		n = cache_pop(&frames.zone[flags & ALLOC_HIGH ? ZONE_HIGH : ZONE_LOW]);
	return n ? n : take_block(flags, order);
}

/* Links a used block into its owner's list, which serves container_destroy. The root is never destroyed. */
static void owner_link(struct frame *f, uint32_t n, uint32_t owner)
{
	uint32_t *first;

	f->owner = owner;
	if (owner == ROOT_ACCOUNT)
		return;
	first = &frame_accounts.first_frame[owner];
	f->prev = 0;
	f->next = *first;
	if (f->next)
		frame_desc(f->next)->prev = n;
	*first = n;
}

static void owner_unlink(struct frame *f)
{
	if (f->owner == ROOT_ACCOUNT)
		return;
	if (f->next)
		frame_desc(f->next)->prev = f->prev;
	if (f->prev)
		frame_desc(f->prev)->next = f->next;
	else
		frame_accounts.first_frame[f->owner] = f->next;
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

void frame_prepare(pfn_t f, uint32_t flags)
{
	if (flags & ALLOC_ZERO)
		for (uint32_t i = 0; i < 1u << (flags >> 8); i++)
			arch_frame_zero(PFN(f.n + i));
}

int frame_alloc_locked(uint32_t owner, uint32_t flags, pfn_t *out)
{
	unsigned order = flags >> 8;
	uint32_t n;

	if (order >= BUDDY_ORDERS)
		return -ENOMEM;
	if (!quota_charge(&frame_accounts.quotas, owner, 1u << order))
		return -EDQUOT;
	n = take(flags, order);
	if (!n) {
		quota_uncharge(&frame_accounts.quotas, owner, 1u << order);
		return -ENOMEM;
	}
	arch_frame_note_used(PFN(n), order);
	if (QUIRE_DEBUG)
		poison_check(n, order);
	frame_desc(n)->tag = FRAME_TAG(1, order, flags & 7);
	owner_link(frame_desc(n), n, owner);
	*out = PFN(n);
	return 0;
}

int frame_alloc(uint32_t flags, pfn_t *out)
{
	int err;

	lock_acquire(&frame_lock);
	err = frame_alloc_locked(ROOT_ACCOUNT, flags, out);
	lock_release(&frame_lock);
	if (!err)
		frame_prepare(*out, flags);
	return err;
}

/* A block without references goes back. Its owner is discharged by what the block's own descriptor says. */
static void release(struct frame *f, uint32_t n)
{
	unsigned order = frame_tag_order(f->tag);
	struct zone *z = zone_of(n);

	quota_uncharge(&frame_accounts.quotas, f->owner, 1u << order);
	owner_unlink(f);
	if (QUIRE_DEBUG)
		poison_write(n, order);
	arch_frame_note_free(PFN(n), order);
	if (order == 0 && z->cached < frames.cache_limit)
		cache_push(z, n);
	else
		buddy_free(&z->buddy, n, order);
}

static const char *const state_names[] = {
	[FRAME_TAIL] = "not the first of its block",
	[FRAME_RESERVED] = "not memory",
	[FRAME_FREE] = "free",
	[FRAME_CACHED] = "free",
	[FRAME_KERNEL] = "the kernel's",
	[FRAME_TABLE] = "a page table",
	[FRAME_USER] = "a program's",
};

static _Noreturn void bad_free(const char *who, uint32_t n)
{
	panic("%s: frame 0x%x is %s", who, n, state_names[frame_state(PFN(n))]);
}

int frame_get(pfn_t f)
{
	int err = 0;

	lock_acquire(&frame_lock);
	if (!frame_known(f.n) || !tag_is_used(frame_desc(f.n)->tag))
		bad_free("frame_get", f.n);
	if (frame_tag_refs(frame_desc(f.n)->tag) == FRAME_REFS_MAX)
		err = -EAGAIN;
	else
		frame_desc(f.n)->tag += FRAME_REF;
	lock_release(&frame_lock);
	return err;
}

void frame_put_locked(pfn_t p)
{
	struct frame *f;

	if (!frame_known(p.n) || !tag_is_used(frame_desc(p.n)->tag))
		bad_free("frame_put", p.n);
	f = frame_desc(p.n);
	f->tag -= FRAME_REF;
	if (!tag_is_used(f->tag))
		release(f, p.n);
}

void frame_put(pfn_t p)
{
	lock_acquire(&frame_lock);
	frame_put_locked(p);
	lock_release(&frame_lock);
}

uint32_t frame_refs(pfn_t f)
{
	return frame_known(f.n) ? frame_tag_refs(frame_desc(f.n)->tag) : 0;
}

uint32_t frame_owner(pfn_t f)
{
	return frame_known(f.n) ? frame_desc(f.n)->owner : ROOT_ACCOUNT;
}

enum frame_state frame_state(pfn_t f)
{
	return frame_known(f.n) ? frame_tag_state(frame_desc(f.n)->tag) : FRAME_RESERVED;
}

void *kalloc(void)
{
	pfn_t f;

	return frame_alloc(ALLOC_KERNEL, &f) ? NULL : arch_frame_direct(f);
}

void kfree(void *page)
{
	pfn_t f = arch_frame_of_direct(page);

	if ((uintptr_t)page % PAGE_SIZE || !f.n || !frame_known(f.n))
		panic("kfree: %p is no page of the direct map", page);
	if (frame_desc(f.n)->tag != FRAME_TAG(1, 0, FRAME_KERNEL))
		bad_free("kfree", f.n);
	frame_put(f);
}

void frame_relabel_locked(uint32_t from, uint32_t to)
{
	uint32_t n = frame_accounts.first_frame[from];

	frame_accounts.first_frame[from] = 0;
	while (n) {
		struct frame *f = frame_desc(n);
		uint32_t next = f->next;

		owner_link(f, n, to);
		n = next;
	}
}

void frame_drain(void)
{
	lock_acquire(&frame_lock);
	for (unsigned i = 0; i < ZONES; i++)
		zone_drain(&frames.zone[i]);
	lock_release(&frame_lock);
}

void frame_fail_after(int32_t n)
{
	frame_drain();
	frames.cache_limit = n < 0 ? CACHE_LIMIT : 0;
	frames.fail_after = n;
}

/* Gives [first, end), all of it memory that phase one left to the kernel, to the buddy in the largest blocks. */
static void give(uint32_t first, uint32_t end)
{
	for (uint32_t n = first; n < end; n++)
		if (!frame_known(n) || frame_desc(n)->tag != FRAME_TAG(0, 0, FRAME_KERNEL))
			bad_free("free_range", n);
		else
			frame_desc(n)->tag = FRAME_TAG(0, 0, FRAME_TAIL);
	while (first < end) {
		unsigned order = (unsigned)__builtin_ctz(first | FRAME_BLOCK);
		struct zone *z = zone_of(first);

		while (1u << order > end - first)
			order--;
		z->total += 1u << order;
		arch_frame_note_free(PFN(first), order);
		buddy_free(&z->buddy, first, order);
		first += 1u << order;
	}
}

uint32_t free_range(paddr_t start, paddr_t end)
{
	/* Shifted before they are rounded: at the top of the address space nothing wraps. */
	uint64_t first = (start.a >> PAGE_SHIFT) + (start.a % PAGE_SIZE != 0);
	uint64_t last = end.a >> PAGE_SHIFT;

	if (first == 0)
		first = 1;
	if (first >= last)
		return 0;
	if (last > frame_end)
		bad_free("free_range", frame_end);
	lock_acquire(&frame_lock);
	give((uint32_t)first, (uint32_t)last);
	if (!quota_grow_root(&frame_accounts.quotas, (uint32_t)(last - first)))
		panic("free_range: more frames than a quota counts");
	frames.low_reserve = frames.zone[ZONE_LOW].total / LOW_RESERVE;
	lock_release(&frame_lock);
	return (uint32_t)(last - first);
}

/* The part of a boot range that the mode reaches, in frames; frame 0 left out. */
static struct pages reachable(struct mem_range r)
{
	uint64_t first = r.start >> PAGE_SHIFT;
	uint64_t end = r.end ? r.end >> PAGE_SHIFT : ARCH_PFN_END;

	if (first == 0)
		first = 1;
	if (end > ARCH_PFN_END)
		end = ARCH_PFN_END;
	return first < end ? PAGES((uint32_t)first, (uint32_t)(end - first)) : PAGES(0, 0);
}

/* Calls visit for each range of the boot map that holds RAM within reach. */
static void each_ram(void (*visit)(struct pages, enum mem_kind))
{
	const struct memmap *m = boot_memmap();

	for (uint32_t i = 0; i < m->count; i++) {
		struct mem_range r = memmap_range(m, i);
		struct pages p = reachable(r);

		if (mem_kind_is_ram(r.kind) && p.count)
			visit(p, r.kind);
	}
}

static void find_end(struct pages p, enum mem_kind kind)
{
	(void)kind;
	frame_end = (p.first + p.count + FRAME_BLOCK - 1) & ~(FRAME_BLOCK - 1);
}

/* Makes the descriptors of one block, all of them for frames that are not ours so far. */
static int make_descriptors(uint32_t block)
{
	pfn_t f = boot_alloc_frames(BLOCK_PAGES);

	if (!f.n)
		return -ENOMEM;
	for (uint32_t i = 0; i < BLOCK_PAGES; i++)
		arch_frame_zero(PFN(f.n + i));
	frame_blocks[block] = arch_frame_direct(f);
	for (uint32_t i = 0; i < FRAME_BLOCK; i++)
		frame_blocks[block][i].tag = FRAME_TAG(0, 0, FRAME_RESERVED);
	return 0;
}

/* Blocks, not ranges, are counted through: each allocation changes the map. */
static int make_all_descriptors(void)
{
	int err = 0;

	for (uint32_t b = 0; b < frame_end / FRAME_BLOCK && !err; b++)
		if (!memmap_no_ram(boot_memmap(), PFN(b * FRAME_BLOCK), FRAME_BLOCK))
			err = make_descriptors(b);
	return err;
}

static void mark_ram(struct pages p, enum mem_kind kind)
{
	(void)kind;
	for (uint32_t n = p.first; n < p.first + p.count; n++)
		frame_desc(n)->tag = FRAME_TAG(0, 0, FRAME_KERNEL);
}

static void give_usable(struct pages p, enum mem_kind kind)
{
	if (kind == MEM_USABLE)
		free_range(paddr_of(PFN(p.first)), paddr_of(PFN(p.first + p.count)));
}

static uint32_t block_table_pages(void)
{
	return (frame_end / FRAME_BLOCK * (uint32_t)sizeof(*frame_blocks) + PAGE_SIZE - 1) / PAGE_SIZE;
}

static void free_descriptors(pfn_t table)
{
	for (uint32_t b = 0; b < frame_end / FRAME_BLOCK; b++)
		if (frame_blocks[b])
			boot_free_frames(arch_frame_of_direct(frame_blocks[b]), BLOCK_PAGES);
	boot_free_frames(table, block_table_pages());
	frame_blocks = NULL;
	frame_end = 0;
}

int alloc_init(void)
{
	pfn_t table;

	each_ram(find_end);
	table = boot_alloc_frames(block_table_pages());
	if (!table.n)
		return -ENOMEM;
	for (uint32_t i = 0; i < block_table_pages(); i++)
		arch_frame_zero(PFN(table.n + i));
	frame_blocks = arch_frame_direct(table);
	if (make_all_descriptors()) {
		free_descriptors(table);
		return -ENOMEM;
	}

	/* From here nothing fails. Phase one ends first: what it took by now is in the map and is not given out. */
	boot_alloc_seal();
	each_ram(mark_ram);
	quota_init_root(&frame_accounts.quotas, 0);
	each_ram(give_usable);
	return 0;
}

static unsigned largest_order(const struct buddy *b)
{
	return b->nonempty ? 31 - (unsigned)__builtin_clz(b->nonempty) : 0;
}

void frame_stats(enum zone_id zone, struct zone_stats *out)
{
	const struct zone *z = &frames.zone[zone];

	lock_acquire(&frame_lock);
	out->total = z->total;
	out->free = zone_free(z);
	out->cached = z->cached;
	out->reserve = zone == ZONE_LOW ? frames.low_reserve : 0;
	out->largest = largest_order(&z->buddy);
	lock_release(&frame_lock);
}

uint32_t frame_used(void)
{
	uint32_t used = 0;

	lock_acquire(&frame_lock);
	for (unsigned i = 0; i < ZONES; i++)
		used += frames.zone[i].total - zone_free(&frames.zone[i]);
	lock_release(&frame_lock);
	return used;
}

static unsigned fault(const char *what, uint32_t n)
{
	printk("frames: frame 0x%x: %s\n", n, what);
	return 1;
}

static unsigned check_cache(const struct zone *z)
{
	uint32_t count = 0;
	unsigned faults = 0;

	if (z->cached > CACHE_LIMIT)
		faults += fault("the short list is too long", z->cached_first);
	for (uint32_t n = z->cached_first; n && count <= z->cached; n = frame_desc(n)->next, count++) {
		if (!frame_known(n) || frame_desc(n)->tag != FRAME_TAG(0, 0, FRAME_CACHED))
			return faults + fault("on the short list, but not marked so", n);
	}
	if (count != z->cached)
		faults += fault("the short list is not as long as counted", z->cached_first);
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
		faults += buddy_check(&frames.zone[i].buddy);
		faults += check_cache(&frames.zone[i]);
		counted += zone_free(&frames.zone[i]);
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
