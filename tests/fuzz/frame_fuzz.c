/*
 * tests/fuzz/frame_fuzz.c - the target frame: blocks of all sizes come and go, against a map of what is free.
 *
 * The allocator merges as far as it goes and drains its short lists before it refuses. So it must find a block exactly
 * when an aligned run of frames is free, wherever that lies, and this file looks for such a run itself.
 */
#include "fuzz.h"

#include <arch/frame_access.h>
#include <lib/panic.h>
#include <mm/frame.h>
#include <string.h>
#include <tests/host/sim.h>
#include <tests/ktest/machine.h>

#define BLOCKS 256u
#define FRAMES 0x2000u /* no machine that this runs on has more */

struct block {
	pfn_t f; /* NO_FRAME: not in use */
	unsigned order;
	uint32_t refs, state, stamp;
};

/* The frames that were free at first, as runs in the order of their numbers. */
static struct run {
	uint32_t first, count, at; /* `at`: of its first frame in is_free */
} runs[16];

static struct {
	uint32_t run_count, count;
	bool is_free[FRAMES];
	uint32_t free[ZONES]; /* frames */
	struct block block[BLOCKS];
	uint32_t stamps;
	int32_t fail_after;
} my;

static enum zone_id zone_of_frame(uint32_t n)
{
	return n < SIM_DIRECT_FRAMES ? ZONE_LOW : ZONE_HIGH;
}

/* Returns the place of a frame in is_free; a frame that is not ours to have ends it. */
static uint32_t index_of(uint32_t n)
{
	for (uint32_t i = 0; i < my.run_count; i++)
		if (n - runs[i].first < runs[i].count)
			return runs[i].at + (n - runs[i].first);
	panic("frame 0x%x is none that was free", n);
}

static void begin(void)
{
	frame_drain();
	for (uint32_t n = 0; n < SIM_FRAME_LIMIT; n++) {
		struct run *r = &runs[my.run_count];

		if (!sim_ram_is_free(n))
			continue;
		FUZZ_HOLDS(my.run_count < ARRAY_SIZE(runs));
		*r = (struct run){n, 0, my.count};
		while (sim_ram_is_free(n + r->count) && zone_of_frame(n + r->count) == zone_of_frame(n))
			r->count++;
		FUZZ_HOLDS(my.count + r->count <= FRAMES);
		memset(my.is_free + my.count, true, r->count);
		my.free[zone_of_frame(n)] += r->count;
		my.count += r->count;
		my.run_count++;
		n += r->count - 1;
	}
}

/* True when an aligned block of a run is all free. */
static bool has_block(const struct run *r, uint32_t size)
{
	uint32_t end = r->first + r->count;
	uint32_t first = (r->first + size - 1) / size * size;

	for (; first + size <= end; first += size)
		if (!memchr(my.is_free + r->at + (first - r->first), false, size))
			return true;
	return false;
}

/* True when a block of this order must be found in the zone. */
static bool has_run(enum zone_id zone, unsigned order)
{
	for (uint32_t i = 0; i < my.run_count; i++)
		if (zone_of_frame(runs[i].first) == zone && has_block(&runs[i], 1u << order))
			return true;
	return false;
}

/* The zone that must serve a request, by the rules of mm/frame.h; ZONES for none. */
static enum zone_id serving_zone(uint32_t flags, unsigned order)
{
	struct zone_stats low;

	if (flags & ALLOC_HIGH) {
		frame_stats(ZONE_LOW, &low);
		if (has_run(ZONE_HIGH, order))
			return ZONE_HIGH;
		if (my.free[ZONE_LOW] < low.reserve + (1u << order))
			return ZONES;
	}
	return has_run(ZONE_LOW, order) ? ZONE_LOW : ZONES;
}

/* Counts down to the failure that was asked for. */
static bool fails_on_purpose(void)
{
	if (my.fail_after > 0)
		my.fail_after--;
	else
		return my.fail_after == 0;
	return false;
}

/* What a request must answer, and from which zone. */
static int expected(uint32_t flags, unsigned order, enum zone_id *zone)
{
	if (order >= BUDDY_ORDERS)
		return -ENOMEM;
	if (1u << order > my.free[ZONE_LOW] + my.free[ZONE_HIGH])
		return -EDQUOT;
	if (fails_on_purpose())
		return -ENOMEM;
	*zone = serving_zone(flags, order);
	return *zone == ZONES ? -ENOMEM : 0;
}

static void mark(const struct block *b, bool is_free)
{
	uint32_t first = index_of(b->f.n), count = 1u << b->order;

	FUZZ_EQ(index_of(b->f.n + count - 1), first + count - 1);
	FUZZ_HOLDS(!memchr(my.is_free + first, is_free, count));
	memset(my.is_free + first, is_free, count);
	my.free[zone_of_frame(b->f.n)] += is_free ? 1u << b->order : -(1u << b->order);
}

static void stamp(struct block *b)
{
	b->stamp = ++my.stamps;
	arch_frame_write(b->f, 0, &b->stamp, sizeof(b->stamp));
	arch_frame_write(PFN(b->f.n + (1u << b->order) - 1), PAGE_SIZE - 4, &b->stamp, sizeof(b->stamp));
}

/* What was written into the block is still there: nobody else has it. */
static void check_stamp(const struct block *b)
{
	uint32_t first, last;

	arch_frame_read(PFN(b->f.n + (1u << b->order) - 1), PAGE_SIZE - 4, &last, sizeof(last));
	arch_frame_read(b->f, 0, &first, sizeof(first));
	FUZZ_EQ(first, b->stamp);
	FUZZ_EQ(last, b->stamp);
}

static void check_block(const struct block *b)
{
	FUZZ_EQ(frame_refs(b->f), b->refs);
	FUZZ_EQ(frame_state(b->f), b->state);
	FUZZ_EQ(frame_owner(b->f), 0);
}

/* Enters a block that the allocator gave. */
static void enter(struct block *b, uint32_t flags, enum zone_id zone)
{
	b->refs = 1;
	b->state = flags & 7;
	FUZZ_EQ(zone_of_frame(b->f.n), zone);
	FUZZ_EQ(b->f.n % (1u << b->order), 0);
	mark(b, false);
	for (uint32_t i = 0; flags & ALLOC_ZERO && i < 1u << b->order; i++)
		FUZZ_HOLDS(arch_frame_is_filled(PFN(b->f.n + i), 0));
	check_block(b);
	stamp(b);
}

static void allocate(struct block *b, uint32_t flags)
{
	enum zone_id zone = ZONES;
	pfn_t f = NO_FRAME;
	int want;

	b->order = flags >> 8;
	want = expected(flags, b->order, &zone);
	FUZZ_EQ(frame_alloc(flags, &f), want);
	b->f = f;
	if (!want)
		enter(b, flags, zone);
}

static void allocate_pages(struct block *b, unsigned order)
{
	enum zone_id zone = ZONES;
	int want = expected(ALLOC_KERNEL, order, &zone);
	void *page = order ? kalloc_block(order) : kalloc();

	FUZZ_EQ(!page, want != 0);
	b->order = order;
	b->f = page ? arch_frame_of_direct(page) : NO_FRAME;
	if (page)
		enter(b, ALLOC_KERNEL, zone);
}

/* Gives a reference back where a page's address will do: to the only one on a block of the kernel's. */
static void free_pages(const struct block *b)
{
	if (b->order)
		kfree_block(arch_frame_direct(b->f));
	else
		kfree(arch_frame_direct(b->f));
}

/* Gives a reference back, in either of the ways that there are for it. */
static void put(struct block *b, bool as_pages)
{
	as_pages &= b->refs == 1 && b->state == FRAME_KERNEL && arch_frame_is_direct(b->f);
	if (b->refs == 1) {
		check_stamp(b);
		mark(b, true);
	}
	if (as_pages)
		free_pages(b);
	else
		frame_put(b->f);
	if (!--b->refs)
		b->f = NO_FRAME;
}

static void get(struct block *b)
{
	FUZZ_EQ(frame_get(b->f), 0);
	b->refs++;
	check_block(b);
}

static void check_stats(void)
{
	for (unsigned zone = 0; zone < ZONES; zone++) {
		struct zone_stats s;

		frame_stats((enum zone_id)zone, &s);
		FUZZ_EQ(s.free, my.free[zone]);
		FUZZ_HOLDS(s.cached <= s.free && s.free <= s.total);
	}
}

static uint32_t take_flags(struct fuzz_input *in, uint8_t what)
{
	static const uint32_t purposes[] = {ALLOC_KERNEL, ALLOC_TABLE, ALLOC_USER, ALLOC_PRIVATE};
	uint32_t flags = purposes[what / 16 % 4];

	flags |= what & 8 ? ALLOC_HIGH : 0;
	flags |= what & 128 ? ALLOC_ZERO : 0;
	return flags | ALLOC_ORDER(fuzz_take_below(in, BUDDY_ORDERS + 1));
}

/* Many blocks of one size, up to all of memory; or the end of many. */
static void burst(struct fuzz_input *in, uint8_t what)
{
	uint32_t first = fuzz_take8(in), count = fuzz_take8(in);
	uint32_t flags = ALLOC_USER | ALLOC_ORDER(what / 32) | (what & 16 ? ALLOC_HIGH : 0);

	for (uint32_t i = first; i < first + count; i++) {
		struct block *b = &my.block[i % BLOCKS];

		if (what & 8 && !b->f.n)
			allocate(b, flags);
		else if (!(what & 8) && b->f.n)
			put(b, i & 1);
	}
}

static void set_failure(struct fuzz_input *in)
{
	uint8_t n = fuzz_take8(in);

	my.fail_after = n % 2 ? -1 : n / 8;
	machine_fail_after(my.fail_after);
}

static void step(struct fuzz_input *in)
{
	uint8_t what = fuzz_take8(in);
	struct block *b;

	if (what % 8 == 7) {
		burst(in, what);
		return;
	}
	b = &my.block[fuzz_take8(in)];
	if (what % 8 == 6)
		frame_drain();
	else if (what % 8 == 5)
		set_failure(in);
	else if (!b->f.n && what % 8 == 4)
		allocate_pages(b, fuzz_take_below(in, BUDDY_ORDERS));
	else if (!b->f.n)
		allocate(b, take_flags(in, what));
	else if (what % 8 == 4)
		get(b);
	else
		put(b, what & 8);
}

static void run(struct fuzz_input *in)
{
	my.fail_after = -1;
	while (in->left)
		step(in);
	check_stats();
	FUZZ_EQ(check_free_list(), 0);
	for (uint32_t i = 0; i < BLOCKS; i++)
		while (my.block[i].f.n)
			put(&my.block[i], false);
	FUZZ_HOLDS(!memchr(my.is_free, false, my.count));
	machine_fail_after(-1);
	check_stats();
}

const struct fuzz_target fuzz_frame = {.name = "frame", .run = run, .on_machine = true, .begin = begin};
