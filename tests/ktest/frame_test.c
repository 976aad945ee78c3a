/* tests/ktest/frame_test.c - the frame allocator: kalloc and kfree, blocks, zones, references, its own checks. */
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <kernel/ktest.h>
#include <mm/boot_alloc.h>
#include <mm/container.h>
#include <mm/frame_zones.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

/* Blocks held by a case, linked through their own first word: any number of them, in any zone. */
static struct {
	uint32_t first, blocks, frames;
} held;

static void hold(pfn_t f, unsigned order)
{
	arch_frame_write(f, 0, &held.first, sizeof(held.first));
	held.first = f.n;
	held.blocks++;
	held.frames += 1u << order;
}

static void release_all(void)
{
	while (held.first) {
		pfn_t f = PFN(held.first);

		arch_frame_read(f, 0, &held.first, sizeof(held.first));
		frame_put(f);
	}
	held.blocks = held.frames = 0;
}

/* Takes everything that these flags can get, in blocks as large as they come. */
static void exhaust(uint32_t flags)
{
	for (unsigned order = BUDDY_ORDERS; order-- > 0;) {
		pfn_t f;

		while (!frame_alloc(flags | ALLOC_ORDER(order), &f))
			hold(f, order);
	}
}

/* Debug builds fill each frame that is freed: on a large machine that takes minutes. */
static bool too_large_to_exhaust(void)
{
	struct zone_stats low, high;

	frame_stats(ZONE_LOW, &low);
	frame_stats(ZONE_HIGH, &high);
	return QUIRE_DEBUG && low.total + high.total > 64 * 256;
}

static uint32_t free_frames(enum zone_id zone)
{
	struct zone_stats s;

	frame_stats(zone, &s);
	return s.free;
}

KTEST_TEARDOWN(frame)
{
	machine_fail_after(-1);
	release_all();
}

KTEST(frame, kalloc_gives_a_page_of_its_own)
{
	uint32_t *a = kalloc(), *b = kalloc();

	ASSERT(a && b);
	EXPECT((uintptr_t)a % PAGE_SIZE == 0 && a != b);
	for (uint32_t i = 0; i < PAGE_SIZE / 4; i++) {
		a[i] = i;
		b[i] = ~i;
	}
	for (uint32_t i = 0; i < PAGE_SIZE / 4; i++)
		ASSERT(a[i] == i && b[i] == ~i);
	EXPECT_EQ(frame_refs(arch_frame_of_direct(a)), 1);
	EXPECT_EQ(frame_state(arch_frame_of_direct(a)), FRAME_KERNEL);
	kfree(a);
	kfree(b);
	EXPECT_EQ(frame_refs(arch_frame_of_direct(a)), 0);
}

KTEST(frame, kalloc_returns_null_when_memory_is_out)
{
	uint32_t before = frame_used();
	void *p;

	machine_fail_after(0);
	EXPECT(!kalloc());
	EXPECT_EQ(frame_used(), before);
	machine_fail_after(1);
	p = kalloc();
	EXPECT(p);
	EXPECT(!kalloc());
	kfree(p);
}

/* Every frame can be had, none twice, none outside of what the loader called usable; and all of it returns whole. */
KTEST(frame, every_frame_can_be_had_and_returned)
{
	uint32_t free = free_frames(ZONE_LOW);
	struct zone_stats before, after;

	if (too_large_to_exhaust())
		SKIP("a debug build fills each freed frame, and this machine has too many");
	frame_drain();
	frame_stats(ZONE_LOW, &before);
	exhaust(ALLOC_KERNEL);
	EXPECT_EQ(held.frames, free);
	EXPECT(!kalloc());
	EXPECT_EQ(check_free_list(), 0);
	release_all();
	frame_drain();
	frame_stats(ZONE_LOW, &after);
	EXPECT_EQ(after.free, free);
	EXPECT_EQ(after.largest, before.largest);
}

KTEST(frame, only_memory_that_the_loader_called_usable)
{
	if (too_large_to_exhaust())
		SKIP("a debug build fills each freed frame, and this machine has too many");
	exhaust(ALLOC_USER | ALLOC_HIGH);
	exhaust(ALLOC_KERNEL);
	for (uint32_t n = 0; n < frame_end; n++) {
		enum mem_kind kind = memmap_kind(boot_memmap(), PFN(n));

		if (!frame_refs(PFN(n)))
			continue;
		ASSERT(n != 0);
		ASSERT(kind == MEM_USABLE || kind == MEM_KERNEL || kind == MEM_BOOT);
	}
}

/* At both ends of every range of the map, as far as the machine reaches. */
KTEST(frame, ram_has_descriptors_and_nothing_else_has)
{
	const struct memmap *m = boot_memmap();

	EXPECT_EQ(frame_end % (1u << (BUDDY_ORDERS - 1)), 0);
	for (uint32_t i = 0; i < m->count; i++) {
		struct mem_range r = memmap_range(m, i);
		uint64_t first = r.start / PAGE_SIZE, end = r.end ? r.end / PAGE_SIZE : arch_mmu.pfn_end;

		first += first == 0;
		if (end > arch_mmu.pfn_end)
			end = arch_mmu.pfn_end;
		if (first >= end)
			continue;
		EXPECT_EQ(frame_state(PFN((uint32_t)first)) != FRAME_RESERVED, mem_kind_is_ram(r.kind));
		EXPECT_EQ(frame_state(PFN((uint32_t)end - 1)) != FRAME_RESERVED, mem_kind_is_ram(r.kind));
	}
}

/* Or a sweep would pass over allocations that a frame freed on the way made up for. */
KTEST(frame, while_allocations_fail_a_freed_frame_is_no_help)
{
	pfn_t f, g;

	ASSERT_EQ(frame_alloc(ALLOC_KERNEL, &f), 0);
	machine_fail_after(0);
	frame_put(f);
	EXPECT_EQ(frame_alloc(ALLOC_KERNEL, &g), -ENOMEM);
	EXPECT(!kalloc());
	machine_fail_after(-1);
	EXPECT_EQ(frame_alloc(ALLOC_KERNEL, &f), 0);
	frame_put(f);
}

KTEST(frame, frame_0_is_nobodys)
{
	EXPECT_EQ(frame_state(PFN(0)), FRAME_RESERVED);
	EXPECT_EQ(frame_refs(PFN(0)), 0);
}

/* Usable memory below the mode's reach, frame 0 apart, is under management: nothing stops at a constant. */
KTEST(frame, all_usable_memory_is_managed)
{
	uint64_t reach = (uint64_t)arch_mmu.pfn_end << PAGE_SHIFT;
	uint64_t usable = memmap_bytes(boot_memmap(), MEM_USABLE, reach) / PAGE_SIZE;
	struct arch_image image = arch_image();
	uint32_t boot_part = image.suite_text.n - image.boot.n;
	struct zone_stats low, high;

	usable -= memmap_kind(boot_memmap(), PFN(0)) == MEM_USABLE;
	frame_stats(ZONE_LOW, &low);
	frame_stats(ZONE_HIGH, &high);
	if (frame_state(image.boot) != FRAME_KERNEL || frame_refs(image.boot))
		usable += boot_part; /* given back by now */
	EXPECT_EQ(low.total + high.total, usable);
}

static const uint32_t orders[] = {0, 1, 2, 5, 8};

KTEST_EACH(frame, a_block_is_contiguous_and_aligned, orders)
{
	uint32_t before = frame_used();
	pfn_t f;

	if (!machine_has_block(param))
		SKIP("so small a machine has no block of this order");
	ASSERT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(param), &f), 0);
	EXPECT_EQ(f.n & ((1u << param) - 1), 0);
	EXPECT_EQ(frame_used(), before + (1u << param));
	for (uint32_t i = 1; i < 1u << param; i++)
		EXPECT_EQ(frame_state(PFN(f.n + i)), FRAME_TAIL);
	frame_put(f);
	EXPECT_EQ(frame_used(), before);
}

KTEST(frame, an_order_beyond_the_largest_is_refused)
{
	pfn_t f;

	EXPECT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(BUDDY_ORDERS), &f), -ENOMEM);
	EXPECT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(200), &f), -ENOMEM);
}

KTEST(frame, zeroed_frames_are_zero)
{
	uint32_t *p = kalloc();
	pfn_t f;

	ASSERT(p);
	for (uint32_t i = 0; i < PAGE_SIZE / 4; i++)
		p[i] = 0xdeadbeef;
	kfree(p);
	ASSERT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ZERO, &f), 0);
	EXPECT(arch_frame_is_filled(f, 0));
	frame_put(f);
	ASSERT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ZERO | ALLOC_ORDER(2), &f), 0);
	for (uint32_t i = 0; i < 4; i++)
		EXPECT(arch_frame_is_filled(PFN(f.n + i), 0));
	frame_put(f);
}

/* A page's worth of zeroes costs more than all the rest of an allocation. */
KTEST(frame, frames_are_zeroed_only_for_who_asks)
{
	pfn_t f, again;

	ASSERT_EQ(frame_alloc(ALLOC_KERNEL, &f), 0);
	arch_frame_fill(f, 0x5a5a5a5a);
	frame_put(f);
	ASSERT_EQ(frame_alloc(ALLOC_KERNEL, &again), 0);
	EXPECT_EQ(again.n, f.n); /* the last to come is the first to go */
	EXPECT(!arch_frame_is_filled(f, 0));
	frame_put(f);
	ASSERT_EQ(container_alloc(CONTAINER_ROOT, ALLOC_KERNEL, &again), 0);
	EXPECT(!arch_frame_is_filled(again, 0));
	frame_put(again);
}

KTEST(frame, a_failed_allocation_leaves_no_charge)
{
	uint32_t usage, after;
	pfn_t f;

	ASSERT_EQ(container_get_usage(CONTAINER_ROOT, &usage), 0);
	machine_fail_after(0);
	EXPECT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(3), &f), -ENOMEM);
	ASSERT_EQ(container_get_usage(CONTAINER_ROOT, &after), 0);
	EXPECT_EQ(after, usage);
}

KTEST(frame, the_last_reference_frees)
{
	uint32_t before = frame_used();
	pfn_t f;

	ASSERT_EQ(frame_alloc(ALLOC_USER | ALLOC_HIGH, &f), 0);
	EXPECT_EQ(frame_get(f), 0);
	EXPECT_EQ(frame_refs(f), 2);
	frame_put(f);
	EXPECT_EQ(frame_used(), before + 1);
	frame_put(f);
	EXPECT_EQ(frame_used(), before);
}

KTEST(frame, a_full_count_of_references_is_refused)
{
	pfn_t f;
	uint32_t tag;

	ASSERT_EQ(frame_alloc(ALLOC_USER, &f), 0);
	tag = frame_desc(f.n)->tag;
	frame_desc(f.n)->tag |= FRAME_REFS_MAX << 8;
	EXPECT_EQ(frame_get(f), -EAGAIN);
	EXPECT_EQ(frame_refs(f), FRAME_REFS_MAX);
	frame_desc(f.n)->tag = tag;
	frame_put(f);
}

/* Takes two single frames that are buddies: once nothing else is left, each split gives two in a row. */
static bool take_buddies(pfn_t *a, pfn_t *b)
{
	frame_drain();
	if (frame_alloc(ALLOC_KERNEL, a))
		return false;
	for (uint32_t tries = 0; tries < 1000 && !frame_alloc(ALLOC_KERNEL, b); tries++) {
		if ((a->n ^ b->n) == 1)
			return true;
		hold(*a, 0);
		*a = *b;
	}
	hold(*a, 0);
	return false;
}

/* The short list can hold back the very frames whose merging a larger request waits for. */
KTEST(frame, a_contiguous_request_drains_the_short_list)
{
	struct zone_stats s;
	pfn_t a, b, block;

	if (too_large_to_exhaust())
		SKIP("a debug build fills each freed frame, and this machine has too many");
	ASSERT(take_buddies(&a, &b));
	exhaust(ALLOC_KERNEL);
	frame_put(a);
	frame_put(b);
	frame_stats(ZONE_LOW, &s);
	EXPECT_EQ(s.cached, 2);
	ASSERT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(1), &block), 0);
	EXPECT_EQ(block.n, a.n & ~1u);
	frame_put(block);
}

KTEST(frame, the_largest_block_is_as_the_numbers_say)
{
	struct zone_stats low;
	pfn_t f, larger;

	frame_drain();
	frame_stats(ZONE_LOW, &low);
	if (low.largest + 1 < BUDDY_ORDERS)
		EXPECT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(low.largest + 1), &larger), -ENOMEM);
	ASSERT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(low.largest), &f), 0);
	frame_put(f);
}

/* High memory full of user frames, and low memory down to its reserve: what must be low is still to be had. */
KTEST(frame, user_frames_leave_a_low_reserve)
{
	struct zone_stats low;

	if (too_large_to_exhaust())
		SKIP("a debug build fills each freed frame, and this machine has too many");
	exhaust(ALLOC_USER | ALLOC_HIGH);
	EXPECT_EQ(free_frames(ZONE_HIGH), 0);
	frame_stats(ZONE_LOW, &low);
	EXPECT_NE(low.reserve, 0);
	EXPECT_EQ(low.free, low.reserve);
	for (uint32_t i = 0; i < low.reserve; i++) {
		pfn_t f;

		ASSERT_EQ(frame_alloc(ALLOC_TABLE, &f), 0);
		EXPECT(arch_frame_is_direct(f));
		hold(f, 0);
	}
}

KTEST(frame, high_memory_comes_first_for_who_can_use_it)
{
	uint32_t high = free_frames(ZONE_HIGH);
	pfn_t f, low;

	if (!high)
		SKIP("this machine has no high memory");
	ASSERT_EQ(frame_alloc(ALLOC_USER | ALLOC_HIGH | ALLOC_ZERO, &f), 0);
	EXPECT(!arch_frame_is_direct(f));
	EXPECT(arch_frame_is_filled(f, 0));
	EXPECT_EQ(free_frames(ZONE_HIGH), high - 1);
	ASSERT_EQ(frame_alloc(ALLOC_KERNEL, &low), 0);
	EXPECT(arch_frame_is_direct(low));
	frame_put(low);
	frame_put(f);
}

KTEST(frame, bytes_of_any_frame_can_be_read_written_and_copied)
{
	uint32_t in = 0x12345678, out = 0;
	pfn_t a, b;

	ASSERT_EQ(frame_alloc(ALLOC_USER | ALLOC_HIGH | ALLOC_ZERO, &a), 0);
	ASSERT_EQ(frame_alloc(ALLOC_USER | ALLOC_HIGH, &b), 0);
	arch_frame_write(a, PAGE_SIZE - 4, &in, 4);
	arch_frame_copy(b, a);
	arch_frame_read(b, PAGE_SIZE - 4, &out, 4);
	EXPECT_EQ(out, in);
	EXPECT(!arch_frame_is_filled(b, 0));
	frame_put(a);
	frame_put(b);
}

KTEST(frame, free_range_at_the_top_of_addresses_frees_nothing)
{
	EXPECT_EQ(free_range(PADDR(UINT64_MAX - 100), PADDR(UINT64_MAX)), 0);
	EXPECT_EQ(free_range(PADDR(UINT64_MAX), PADDR(0)), 0);
	EXPECT_EQ(free_range(PADDR(0), PADDR(PAGE_SIZE)), 0);
}

KTEST(frame, free_range_takes_whole_pages_only)
{
	EXPECT_EQ(free_range(PADDR(0x100001), PADDR(0x101fff)), 0);
	EXPECT_EQ(free_range(PADDR(0x100fff), PADDR(0x101000)), 0);
	EXPECT_EQ(free_range(PADDR(0x101000), PADDR(0x100000)), 0);
}

KTEST(frame, random_history_of_mixed_orders)
{
	static struct {
		pfn_t f;
		unsigned order;
	} block[64];
	uint32_t before = frame_used();

	for (uint32_t step = 0; step < 4000; step++) {
		uint32_t i = ktest_random_below(64);
		uint32_t word = 0;

		if (block[i].f.n) {
			arch_frame_read(PFN(block[i].f.n + (1u << block[i].order) - 1), 0, &word, 4);
			ASSERT_EQ(word, i);
			frame_put(block[i].f);
			block[i].f = NO_FRAME;
			continue;
		}
		block[i].order = ktest_random_below(5);
		if (frame_alloc(ALLOC_USER | ALLOC_HIGH | ALLOC_ORDER(block[i].order), &block[i].f))
			block[i].f = NO_FRAME;
		else
			arch_frame_write(PFN(block[i].f.n + (1u << block[i].order) - 1), 0, &i, 4);
	}
	EXPECT_EQ(check_free_list(), 0);
	for (uint32_t i = 0; i < 64; i++) {
		if (block[i].f.n)
			frame_put(block[i].f);
		block[i].f = NO_FRAME;
	}
	EXPECT_EQ(frame_used(), before);
}

/* A free block of the largest order, which no merge can change. */
static pfn_t free_block(void)
{
	pfn_t f = NO_FRAME;

	frame_drain();
	if (!frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(6), &f))
		frame_put(f);
	while (f.n && frame_state(f) != FRAME_FREE)
		f.n &= f.n - 1; /* it merged downward: to the first frame of the larger block */
	return f;
}

KTEST(frame, check_sees_a_changed_descriptor)
{
	pfn_t f = free_block();
	uint32_t tag;

	ASSERT(f.n);
	tag = frame_desc(f.n)->tag;
	EXPECT_EQ(check_free_list(), 0);
	frame_desc(f.n)->tag = FRAME_TAG(1, 0, FRAME_USER);
	EXPECT_FAULTS(check_free_list());
	frame_desc(f.n)->tag = tag;
	frame_desc(f.n + 1)->tag = FRAME_TAG(0, 0, FRAME_CACHED);
	EXPECT_FAULTS(check_free_list());
	frame_desc(f.n + 1)->tag = FRAME_TAG(0, 0, FRAME_TAIL);
	EXPECT_EQ(check_free_list(), 0);
}

KTEST(frame, check_sees_a_block_in_two_lists)
{
	pfn_t f = free_block();
	uint32_t prev;

	ASSERT(f.n);
	prev = frame_desc(f.n)->prev;
	frame_desc(f.n)->prev = f.n;
	EXPECT_ONE_FAULT(check_free_list());
	frame_desc(f.n)->prev = prev;
	EXPECT_EQ(check_free_list(), 0);
}

/* Of any account, the root's among them. */
KTEST(frame, check_sees_a_charge_without_its_frame)
{
	EXPECT_EQ(check_free_list(), 0);
	frame_accounts.quotas.usage[0]++;
	EXPECT_ONE_FAULT(check_free_list());
	frame_accounts.quotas.usage[0]--;
	EXPECT_EQ(check_free_list(), 0);
}

KTEST(frame, check_sees_a_charge_without_a_frame)
{
	frame_accounts.quotas.usage[0]++;
	EXPECT_ONE_FAULT(check_free_list());
	frame_accounts.quotas.usage[0]--;
	EXPECT_EQ(check_free_list(), 0);
}

KTEST(frame, check_sees_a_changed_short_list)
{
	struct zone_stats s;
	pfn_t f;

	ASSERT_EQ(frame_alloc(ALLOC_KERNEL, &f), 0);
	frame_put(f);
	frame_stats(ZONE_LOW, &s);
	EXPECT_EQ(frame_state(f), FRAME_CACHED);
	EXPECT(s.cached <= CACHE_LIMIT);
	frame_desc(f.n)->tag = FRAME_TAG(0, 0, FRAME_TAIL);
	EXPECT_FAULTS(check_free_list());
	frame_desc(f.n)->tag = FRAME_TAG(0, 0, FRAME_CACHED);
	EXPECT_EQ(check_free_list(), 0);
}

/* What a block holds is not its own list's: only the sums show it. */
KTEST(frame, check_sees_a_free_mark_outside_of_the_lists)
{
	uint32_t tag;
	pfn_t f;

	ASSERT_EQ(frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(1), &f), 0);
	tag = frame_desc(f.n + 1)->tag;
	frame_desc(f.n + 1)->tag = FRAME_TAG(0, 0, FRAME_FREE);
	EXPECT_FAULTS(check_free_list());
	frame_desc(f.n + 1)->tag = tag;
	EXPECT_EQ(check_free_list(), 0);
	frame_put(f);
}

/* One frame more on it than are marked so, and more than it has room for. */
KTEST(frame, check_sees_a_short_list_that_is_too_long)
{
	struct zone *low = &frame_zones.zone[ZONE_LOW];
	uint32_t cached;

	frame_drain();
	cached = low->cached;
	low->cached = 1;
	low->cache[1] = arch_image().text.n;
	EXPECT_FAULTS(check_free_list());
	low->cached = CACHE_LIMIT + 1;
	EXPECT_FAULTS(check_free_list());
	low->cached = cached;
	EXPECT_EQ(check_free_list(), 0);
}

KTEST(frame, the_short_list_is_bounded)
{
	struct zone_stats s;
	pfn_t f;

	for (uint32_t i = 0; i < 40; i++) {
		ASSERT_EQ(frame_alloc(ALLOC_KERNEL, &f), 0);
		hold(f, 0);
	}
	release_all();
	frame_stats(ZONE_LOW, &s);
	EXPECT(s.cached > 0 && s.cached <= CACHE_LIMIT);
	EXPECT_EQ(check_free_list(), 0);
}

KTEST(frame, check_sees_lost_poison)
{
	uint32_t poison, damage = 0;
	pfn_t f;

	if (!QUIRE_DEBUG || machine_is_simulated())
		SKIP("%s",
		     QUIRE_DEBUG ? "the simulated machine forbids the write" : "only debug builds poison");
	ASSERT_EQ(frame_alloc(ALLOC_KERNEL, &f), 0);
	frame_put(f);
	arch_frame_read(f, 128, &poison, 4);
	arch_frame_write(f, 128, &damage, 4);
	EXPECT_ONE_FAULT(check_free_list());
	arch_frame_write(f, 128, &poison, 4);
	EXPECT_EQ(check_free_list(), 0);
}

KTEST_PANICS(frame, kfree_twice_names_the_frame, "kfree: frame 0x")
{
	void *p = kalloc();

	kfree(p);
	kfree(p);
}

KTEST_PANICS(frame, kfree_of_a_wild_pointer_panics, "is no page of the direct map")
{
	kfree((void *)0x1000);
}

KTEST_PANICS(frame, kfree_behind_the_last_frame_panics, "is no page of the direct map")
{
	char *first = arch_frame_direct(arch_image().boot);

	if (frame_end >= ARCH_DIRECT_PAGES)
		SKIP("memory fills the direct map");
	kfree(first + (frame_end - arch_image().boot.n) * PAGE_SIZE);
}

KTEST_PANICS(frame, kfree_inside_of_a_page_panics, "is no page of the direct map")
{
	kfree((char *)kalloc() + 64);
}

KTEST_PANICS(frame, kfree_of_the_kernels_image_panics, "is the kernel's")
{
	kfree(arch_frame_direct(arch_image().text));
}

KTEST_PANICS(frame, kfree_of_a_page_table_panics, "is a page table")
{
	pfn_t f;

	if (!frame_alloc(ALLOC_TABLE, &f))
		kfree(arch_frame_direct(f));
}

KTEST_PANICS(frame, kfree_of_a_larger_block_panics, "is the kernel's")
{
	kfree(kalloc_block(1));
}

KTEST_PANICS(frame, put_inside_of_a_block_panics, "is not the first of its block")
{
	pfn_t f;

	if (!frame_alloc(ALLOC_USER | ALLOC_ORDER(2), &f))
		frame_put(PFN(f.n + 1));
}

KTEST_PANICS(frame, put_of_what_is_no_memory_panics, "is not memory")
{
	frame_put(PFN(0xFFFFFFFF));
}

KTEST_PANICS(frame, get_of_a_free_frame_panics, "frame_get: frame 0x")
{
	pfn_t f;

	if (frame_alloc(ALLOC_USER, &f))
		return;
	frame_put(f);
	frame_get(f);
}

KTEST_PANICS(frame, free_range_of_used_memory_panics, "free_range: frame 0x")
{
	pfn_t f;

	if (!frame_alloc(ALLOC_KERNEL, &f))
		free_range(paddr_of(f), paddr_of(PFN(f.n + 1)));
}

KTEST_PANICS(frame, free_range_of_what_is_no_memory_panics, "is not memory")
{
	free_range(paddr_of(PFN(1)), PADDR(UINT64_MAX));
}

KTEST_PANICS(frame, a_late_boot_allocation_panics, "after phase one was sealed")
{
	boot_alloc_frames(1);
}

KTEST_PANICS(frame, a_late_boot_free_panics, "after phase one was sealed")
{
	boot_free_frames(PFN(1), 1);
}

KTEST_PANICS(frame, a_write_after_free_panics, "was written to after it was freed")
{
	uint32_t *p;

	if (!QUIRE_DEBUG || machine_is_simulated())
		SKIP("%s",
		     QUIRE_DEBUG ? "the simulated machine forbids the write" : "only debug builds poison");
	p = kalloc();
	kfree(p);
	p[7] = 1;
	kalloc();
}
