/* tests/ktest/slab_test.c - caches of small objects, and kmalloc. */
#include <arch/frame_access.h>
#include <kernel/ktest.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <tests/ktest/machine.h>

static struct cache cache;

static void fill(void *p, uint32_t size, uint32_t with)
{
	for (uint32_t i = 0; i < size; i++)
		((uint8_t *)p)[i] = (uint8_t)(with + i);
}

static bool is_filled(const void *p, uint32_t size, uint32_t with)
{
	for (uint32_t i = 0; i < size; i++)
		if (((const uint8_t *)p)[i] != (uint8_t)(with + i))
			return false;
	return true;
}

static const uint32_t sizes[] = {1, 8, 24, 100, 500, CACHE_SIZE_MAX};

KTEST_EACH(slab, objects_do_not_overlap, sizes)
{
	void *object[64];
	uint32_t count = param > 500 ? 8 : 64;

	cache_init(&cache, "test", param);
	for (uint32_t i = 0; i < count; i++) {
		object[i] = cache_alloc(&cache);
		ASSERT(object[i]);
		EXPECT_EQ((uintptr_t)object[i] % 8, 0);
		fill(object[i], param, i);
	}
	EXPECT_EQ(cache_check(&cache), 0);
	for (uint32_t i = 0; i < count; i++)
		EXPECT(is_filled(object[i], param, i));
	for (uint32_t i = 0; i < count; i++)
		cache_free(&cache, object[i]);
	EXPECT_EQ(cache.slabs, 0);
	EXPECT_EQ(cache.used, 0);
}

KTEST(slab, empty_slabs_return_their_frames)
{
	uint32_t before = machine_frames_used();
	void *a, *b;

	cache_init(&cache, "test", 1500);
	a = cache_alloc(&cache);
	b = cache_alloc(&cache);
	EXPECT_EQ(machine_frames_used(), before + 1);
	cache_free(&cache, a);
	EXPECT_EQ(cache_check(&cache), 0);
	cache_free(&cache, b);
	EXPECT_EQ(machine_frames_used(), before);
}

KTEST(slab, no_frame_gives_null_and_changes_nothing)
{
	cache_init(&cache, "test", 64);
	machine_fail_after(0);
	EXPECT(!cache_alloc(&cache));
	EXPECT(!kmalloc(3 * PAGE_SIZE));
	machine_fail_after(-1);
	EXPECT_EQ(cache.slabs, 0);
	EXPECT_EQ(cache_check(&cache), 0);
}

static const uint32_t requests[] = {1, 16, 17, 1984, 1985, 4096, 4097, 65536, 1000000};

KTEST_EACH(slab, kmalloc_gives_what_was_asked_for, requests)
{
	uint8_t *p;

	if (param > 128 * PAGE_SIZE && !machine_has_block(8))
		SKIP("so small a machine has no block of this size");
	p = kmalloc(param);
	ASSERT(p);
	fill(p, param, 7);
	EXPECT(is_filled(p, param, 7));
	EXPECT_EQ((uintptr_t)p % 8, 0);
	EXPECT_EQ((uintptr_t)p % PAGE_SIZE == 0,
		  param > CACHE_SIZE_MAX); /* objects lie behind their slab's head */
	kmfree(p);
}

static const uint32_t kmalloc_sizes[] = {16, 32, 64, 96, 128, 192, 256, 512, 1024};

/* Two in a fresh slab stand side by side, with nothing between them but the red zones of debug builds. */
KTEST_EACH(slab, kmalloc_has_objects_of_its_sizes, kmalloc_sizes)
{
	char *a = kmalloc(param), *b = kmalloc(param);

	ASSERT(a && b);
	EXPECT_EQ(b - a, param + (QUIRE_DEBUG ? 16 : 0));
	kmfree(a);
	kmfree(b);
}

KTEST(slab, kmalloc_counts_its_objects)
{
	uint32_t before = kmalloc_used();
	void *small = kmalloc(1), *large = kmalloc(CACHE_SIZE_MAX), *frames = kmalloc(CACHE_SIZE_MAX + 1);

	EXPECT_EQ(kmalloc_used(), before + 2);
	kmfree(small);
	kmfree(large);
	kmfree(frames);
	EXPECT_EQ(kmalloc_used(), before);
	EXPECT_EQ(before, 0); /* what lives longer than a case has a cache of its own */
}

KTEST(slab, kmalloc_of_nothing_and_of_too_much_is_null)
{
	EXPECT(!kmalloc(0));
	EXPECT(!kmalloc((4u << 20) + 1));
	EXPECT(!kmalloc(UINT32_MAX));
	kmfree(NULL);
}

KTEST(slab, a_cache_is_made_of_whatever_memory)
{
	void *p;

	fill((uint8_t *)&cache, sizeof(cache), 0xA7);
	cache_init(&cache, "test", 64);
	EXPECT_EQ(cache_check(&cache), 0);
	p = cache_alloc(&cache);
	ASSERT(p);
	EXPECT_EQ(cache.slabs, 1);
	EXPECT_EQ(cache.used, 1);
	cache_free(&cache, p);
	EXPECT_EQ(cache_check(&cache), 0);
}

KTEST(slab, check_sees_a_wrong_count)
{
	void *p;

	cache_init(&cache, "test", 64);
	p = cache_alloc(&cache);
	cache.used++;
	EXPECT_ONE_FAULT(cache_check(&cache));
	cache.used--;
	EXPECT_EQ(cache_check(&cache), 0);
	cache_free(&cache, p);
}

/* A slab begins with its link, and its magic number and its cache stand in the words behind. */
KTEST(slab, check_sees_a_list_that_leads_astray)
{
	uintptr_t *word, next;
	void *p;

	cache_init(&cache, "test", 64);
	p = cache_alloc(&cache);
	ASSERT(p);
	word = (uintptr_t *)((uintptr_t)p & ~(uintptr_t)(PAGE_SIZE - 1));
	next = word[0];
	word[0] = (uintptr_t)word; /* a ring */
	EXPECT_FAULTS(cache_check(&cache));
	word[0] = next;
	for (uint32_t i = 2; i < 4; i++) {
		word[i] ^= 1;
		EXPECT_FAULTS(cache_check(&cache));
		word[i] ^= 1;
	}
	EXPECT_EQ(cache_check(&cache), 0);
	cache_free(&cache, p);
}

KTEST(slab, random_history)
{
	static struct {
		uint8_t *p;
		uint32_t size;
	} held[100];

	for (uint32_t step = 0; step < 3000; step++) {
		uint32_t i = ktest_random_below(100);

		if (held[i].p) {
			ASSERT(is_filled(held[i].p, held[i].size, i));
			kmfree(held[i].p);
			held[i].p = NULL;
		} else {
			held[i].size = 1 + ktest_random_below(step % 50 ? 600 : 9000);
			held[i].p = kmalloc(held[i].size);
			ASSERT(held[i].p);
			fill(held[i].p, held[i].size, i);
		}
	}
	EXPECT_EQ(kmalloc_check(), 0);
	for (uint32_t i = 0; i < 100; i++) {
		kmfree(held[i].p);
		held[i].p = NULL;
	}
}

KTEST_PANICS(slab, free_of_a_free_object_panics, "is free already")
{
	void *a, *b;

	cache_init(&cache, "test", 64);
	a = cache_alloc(&cache);
	b = cache_alloc(&cache);
	cache_free(&cache, a);
	cache_free(&cache, a);
	cache_free(&cache, b);
}

KTEST_PANICS(slab, free_inside_of_an_object_panics, "is not one of its objects")
{
	cache_init(&cache, "test", 64);
	cache_free(&cache, (char *)cache_alloc(&cache) + 8);
}

/* In the rest of the frame, which is too short for one more. */
KTEST_PANICS(slab, free_behind_the_last_object_panics, "is not one of its objects")
{
	cache_init(&cache, "test", 1104);
	cache_free(&cache, (char *)cache_alloc(&cache) + 3 * (1104 + (QUIRE_DEBUG ? 16 : 0)));
}

KTEST_PANICS(slab, free_into_another_cache_panics, "is not one of its objects")
{
	static struct cache other;

	cache_init(&cache, "test", 64);
	cache_init(&other, "other", 64);
	cache_free(&other, cache_alloc(&cache));
}

KTEST_PANICS(slab, kmfree_of_a_wild_pointer_panics, "is none of kmalloc's")
{
	char *page = arch_frame_direct(arch_frame_of_direct(kmalloc(PAGE_SIZE)));

	kmfree(page + 512);
}

/* A slab lies where a page's address would: it is not given back under the objects in it. */
KTEST_PANICS(slab, kmfree_of_a_live_slab_panics, "is a slab or a stack")
{
	char *object = kmalloc(100);

	kmfree(object - (uintptr_t)object % PAGE_SIZE);
}

KTEST_PANICS(slab, kfree_of_a_live_slab_panics, "is a slab or a stack")
{
	char *object = kmalloc(100);

	kfree(object - (uintptr_t)object % PAGE_SIZE);
}

KTEST_PANICS(slab, kmfree_of_a_page_table_panics, "is a page table")
{
	pfn_t f;

	if (!frame_alloc(ALLOC_TABLE, &f))
		kmfree(arch_frame_direct(f));
}

KTEST_PANICS(slab, kmfree_of_a_shared_block_panics, "is the kernel's")
{
	void *p = kmalloc(2 * PAGE_SIZE);

	frame_get(arch_frame_of_direct(p));
	kmfree(p);
}

static bool unguarded(void)
{
	if (!QUIRE_DEBUG)
		ktest_skip("red zones and poison are in debug builds only");
	return !QUIRE_DEBUG;
}

static void flip(volatile uint8_t *byte)
{
	*byte ^= 1;
}

/* Flips a byte, asks cache_check, and flips it back. */
static unsigned faults_with(uint8_t *byte)
{
	unsigned faults;

	flip(byte);
	faults = cache_check(&cache);
	flip(byte);
	return faults;
}

KTEST(slab, kmalloc_check_sees_each_of_its_caches)
{
	for (uint32_t size = 8; size <= CACHE_SIZE_MAX; size += 8) {
		uint8_t *p;

		if (unguarded())
			return;
		p = kmalloc(size);
		ASSERT(p);
		flip(&p[size]);
		EXPECT_ONE_FAULT(kmalloc_check());
		flip(&p[size]);
		kmfree(p);
	}
	EXPECT_EQ(kmalloc_check(), 0);
}

/* On both sides of an object of each size; a byte of its own is no fault. */
KTEST_EACH(slab, check_sees_a_byte_beside_an_object, sizes)
{
	uint8_t *p;

	if (unguarded())
		return;
	cache_init(&cache, "test", param);
	p = cache_alloc(&cache);
	ASSERT(p);
	EXPECT_EQ(faults_with(&p[0]), 0);
	EXPECT_EQ(faults_with(&p[param - 1]), 0);
	for (uint32_t i = 0; i < 8; i++) {
		EXPECT_ONE_FAULT(faults_with(&p[param + i]));
		EXPECT_ONE_FAULT(faults_with(&p[-1 - (int32_t)i]));
	}
	EXPECT_EQ(cache_check(&cache), 0);
	cache_free(&cache, p);
}

KTEST(slab, check_sees_a_write_to_a_free_object)
{
	uint8_t *a, *b;

	if (unguarded())
		return;
	cache_init(&cache, "test", 40);
	a = cache_alloc(&cache);
	b = cache_alloc(&cache);
	ASSERT(a && b);
	EXPECT_EQ(faults_with(&a[39]), 0);
	cache_free(&cache, a);
	EXPECT_ONE_FAULT(faults_with(&a[0]));
	EXPECT_ONE_FAULT(faults_with(&a[39]));
	EXPECT_EQ(cache_check(&cache), 0);
	cache_free(&cache, b);
}

/* What an object held cannot be read from it after it was freed, nor from its next life. */
KTEST(slab, a_freed_object_forgets_what_it_held)
{
	uint8_t *a, *b, *again;

	if (unguarded())
		return;
	cache_init(&cache, "test", 40);
	a = cache_alloc(&cache);
	b = cache_alloc(&cache);
	ASSERT(a && b);
	fill(a, 40, 7);
	cache_free(&cache, a);
	again = cache_alloc(&cache);
	EXPECT_EQ((uintptr_t)again, (uintptr_t)a);
	EXPECT(again[0] != 7 && again[39] != (uint8_t)(7 + 39));
	cache_free(&cache, again);
	cache_free(&cache, b);
}

/* The compiler does not know that nobody may. */
static void write_byte(volatile uint8_t *at)
{
	*at = 0;
}

/* The zone begins behind the bytes asked for, though there is room for more up to the next object. */
KTEST_PANICS(slab, overflow_by_one_byte_panics, "of cache test was written to beyond its end")
{
	uint8_t *p;

	if (unguarded())
		return;
	cache_init(&cache, "test", 61);
	p = cache_alloc(&cache);
	write_byte(&p[61]);
	cache_free(&cache, p);
}

/* Here the next object's zone would begin at once; each has its own behind it. */
KTEST_PANICS(slab, overflow_of_an_aligned_object_panics, "of cache test was written to beyond its end")
{
	uint8_t *p;

	if (unguarded())
		return;
	cache_init(&cache, "test", 64);
	p = cache_alloc(&cache);
	write_byte(&p[64]);
	cache_free(&cache, p);
}

KTEST_PANICS(slab, underflow_by_one_byte_panics, "of cache test was written to before its beginning")
{
	uint8_t *p;

	if (unguarded())
		return;
	cache_init(&cache, "test", 64);
	p = cache_alloc(&cache);
	write_byte(&p[-1]);
	cache_free(&cache, p);
}

KTEST_PANICS(slab, kmalloc_guards_what_was_asked_for, "of cache kmalloc-32 was written to beyond its end")
{
	uint8_t *p;

	if (unguarded())
		return;
	p = kmalloc(17);
	write_byte(&p[17]);
	kmfree(p);
}

KTEST_PANICS(slab, write_after_free_panics_at_the_next_alloc,
	     "of cache test was written to after it was freed")
{
	uint8_t *a;

	if (unguarded())
		return;
	cache_init(&cache, "test", 64);
	a = cache_alloc(&cache);
	ASSERT(cache_alloc(&cache)); /* keeps the slab */
	cache_free(&cache, a);
	write_byte(&a[63]);
	cache_alloc(&cache);
}

/* Before the frame is the frame allocator's, which could no longer name the cache. */
KTEST_PANICS(slab, write_after_free_panics_with_the_last_free,
	     "of cache test was written to after it was freed")
{
	uint8_t *a;
	void *b;

	if (unguarded())
		return;
	cache_init(&cache, "test", 64);
	a = cache_alloc(&cache);
	b = cache_alloc(&cache);
	cache_free(&cache, a);
	write_byte(&a[0]);
	cache_free(&cache, b);
}
