/*
 * mm/slab.c - objects of one size, cut from single frames, and kmalloc's sizes on top. Owns the frames it cuts.
 * Lock: one in each cache, of rank LOCK_SLAB; frame_lock is taken below it.
 *
 *	frame  | struct slab | map: one bit an object | object | object | ... | rest |
 *
 * In debug builds an object stands between red zones, and a free one is filled with poison:
 *
 *	| length asked for, the same inverted | 4 red bytes | bytes asked for | red bytes up to the next, 8 or more |
 *
 * What is free stands in the map of the slab, not in the objects: a program that writes to an object after it
 * was freed, or frees it twice, cannot lead the allocator astray.
 */
#include <arch/frame_access.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>

#define MAP_WORDS  16u /* 512 objects: those of 8 bytes fill no more */
#define SLAB_MAGIC 0x51AB51ABu

#define RED_BYTE    0xB5
#define POISON_BYTE 0x6D
#define RED_ZONE    (QUIRE_DEBUG ? (uint32_t)sizeof(struct red_zone) : 0)

struct slab {
	LIST_ENTRY(slab) link;
	uint32_t magic;
	struct cache *cache;
	uint32_t used;
	uint32_t free_map[MAP_WORDS]; /* bit set: free */
};

/* In front of each object in debug builds; behind it stand as many red bytes or more. */
struct red_zone {
	uint16_t length, inverted;
	uint8_t red[4];
};

#define HEADER ((uint32_t)((sizeof(struct slab) + 15) & ~15u))

static const uint32_t sizes[] = {16, 32, 64, 96, 128, 192, 256, 512, 1024, 1984};
static const char *const names[] = {"kmalloc-16",   "kmalloc-32",  "kmalloc-64",  "kmalloc-96",
				    "kmalloc-128",  "kmalloc-192", "kmalloc-256", "kmalloc-512",
				    "kmalloc-1024", "kmalloc-1984"};
_Static_assert(ARRAY_SIZE(sizes) == ARRAY_SIZE(names), "a name for each size");

static struct {
	struct cache cache[ARRAY_SIZE(sizes)];
} kmallocs;

void cache_init(struct cache *c, const char *name, uint32_t size)
{
	INVARIANT(size && size <= CACHE_SIZE_MAX);
	c->name = name;
	c->size = size;
	c->stride = ((size + 7) & ~7u) + 2 * RED_ZONE;
	c->per_slab = (PAGE_SIZE - HEADER) / c->stride;
	c->lock = (struct lock)LOCK_INIT(name, LOCK_SLAB);
	LIST_INIT(&c->partial);
	LIST_INIT(&c->full);
	c->slabs = 0;
	c->used = 0;
}

/* An object's place, red zones and all, and the object in it. */

static void *place(struct slab *s, uint32_t i)
{
	return (char *)s + HEADER + i * s->cache->stride;
}

static void *object_at(struct slab *s, uint32_t i)
{
	return (char *)place(s, i) + RED_ZONE;
}

/* What debug builds do with both. */

static bool all_bytes(const uint8_t *from, const uint8_t *to, uint8_t byte)
{
	while (from < to && *from == byte)
		from++;
	return from == to;
}

static void poison(struct slab *s, uint32_t i)
{
	memset(place(s, i), POISON_BYTE, s->cache->stride);
}

static bool is_poisoned(struct slab *s, uint32_t i)
{
	return all_bytes(place(s, i), place(s, i + 1), POISON_BYTE);
}

/* Makes the zones around an object of `length` bytes. */
static void guard(struct slab *s, uint32_t i, uint32_t length)
{
	struct red_zone *zone = place(s, i);
	uint8_t *end = (uint8_t *)(zone + 1) + length;

	zone->length = (uint16_t)length;
	zone->inverted = (uint16_t)~length;
	memset(zone->red, RED_BYTE, sizeof(zone->red));
	memset(end, RED_BYTE, (size_t)((uint8_t *)place(s, i + 1) - end));
}

/* Returns what happened to the zones around an object, null when nothing did. */
static const char *damage(struct slab *s, uint32_t i)
{
	const struct red_zone *zone = place(s, i);
	const uint8_t *object = (const uint8_t *)(zone + 1);

	if ((zone->length ^ zone->inverted) != UINT16_MAX || !all_bytes(zone->red, object, RED_BYTE))
		return "was written to before its beginning";
	if (!all_bytes(object + zone->length, place(s, i + 1), RED_BYTE))
		return "was written to beyond its end";
	return NULL;
}

static void check_poison(struct slab *s, uint32_t i)
{
	if (!is_poisoned(s, i))
		panic("object %p of cache %s was written to after it was freed", object_at(s, i),
		      s->cache->name);
}

/* The frame goes back to the allocator: what is wrong with its objects could no longer be told. */
static void check_all_poison(struct slab *s)
{
	for (uint32_t i = 0; i < s->cache->per_slab; i++)
		check_poison(s, i);
}

static void check_and_poison(struct slab *s, uint32_t i)
{
	const char *what = damage(s, i);

	if (what)
		panic("object %p of cache %s %s", object_at(s, i), s->cache->name, what);
	poison(s, i);
}

/* Makes a slab, all of it free, and puts it in front of the partial ones. */
static struct slab *new_slab(struct cache *c)
{
	struct slab *s;
	pfn_t f;

	if (frame_alloc(ALLOC_PRIVATE, &f))
		return NULL;
	s = arch_frame_direct(f);
	s->magic = SLAB_MAGIC;
	s->cache = c;
	s->used = 0;
	for (uint32_t i = 0; i < MAP_WORDS; i++)
		s->free_map[i] = 0;
	for (uint32_t i = 0; i < c->per_slab; i++) {
		s->free_map[i / 32] |= 1u << i % 32;
		if (QUIRE_DEBUG)
			poison(s, i);
	}
	LIST_INSERT_HEAD(&c->partial, s, link);
	c->slabs++;
	return s;
}

/* Takes the first free object of a slab that has one. */
static uint32_t take_object(struct slab *s)
{
	uint32_t word = 0;
	uint32_t bit;

	while (!s->free_map[word])
		word++;
	bit = (uint32_t)__builtin_ctz(s->free_map[word]);
	s->free_map[word] &= ~(1u << bit);
	s->used++;
	return word * 32 + bit;
}

/* Returns an object of which `length` bytes are wanted. */
static void *alloc_object(struct cache *c, uint32_t length)
{
	struct slab *s;
	void *object = NULL;
	uint32_t i;

	lock_acquire(&c->lock);
	s = LIST_FIRST(&c->partial);
	if (!s)
		s = new_slab(c);
	if (s) {
		i = take_object(s);
		object = object_at(s, i);
		c->used++;
		if (QUIRE_DEBUG) {
			check_poison(s, i);
			guard(s, i, length);
		}
		if (s->used == c->per_slab) {
			LIST_REMOVE(s, link);
			LIST_INSERT_HEAD(&c->full, s, link);
		}
	}
	lock_release(&c->lock);
	return object;
}

void *cache_alloc(struct cache *c)
{
	return alloc_object(c, c->size);
}

static struct slab *slab_of(const void *object)
{
	return (struct slab *)((uintptr_t)object & ~(uintptr_t)(PAGE_SIZE - 1));
}

/* Returns the number of an object in its slab; panics when there is none at this address, or a free one. */
static uint32_t object_index(const struct cache *c, const struct slab *s, const void *object)
{
	uint32_t offset = (uint32_t)((uintptr_t)object % PAGE_SIZE) - HEADER - RED_ZONE;
	uint32_t i = offset / c->stride;

	if (s->magic != SLAB_MAGIC || s->cache != c || offset != i * c->stride || i >= c->per_slab)
		panic("cache %s: %p is not one of its objects", c->name, object);
	if (s->free_map[i / 32] & 1u << i % 32)
		panic("cache %s: object %p is free already", c->name, object);
	return i;
}

/* Its last object is free. */
static void free_slab(struct slab *s)
{
	if (QUIRE_DEBUG)
		check_all_poison(s);
	LIST_REMOVE(s, link);
	s->cache->slabs--;
	s->magic = 0;
	frame_put(arch_frame_of_direct(s));
}

void cache_free(struct cache *c, void *object)
{
	struct slab *s = slab_of(object);
	uint32_t i;

	lock_acquire(&c->lock);
	i = object_index(c, s, object);
	if (QUIRE_DEBUG)
		check_and_poison(s, i);
	if (s->used == c->per_slab) {
		LIST_REMOVE(s, link);
		LIST_INSERT_HEAD(&c->partial, s, link);
	}
	s->free_map[i / 32] |= 1u << i % 32;
	c->used--;
	if (!--s->used)
		free_slab(s);
	lock_release(&c->lock);
}

void slab_init(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		cache_init(&kmallocs.cache[i], names[i], sizes[i]);
}

/* Whole frames: a power of two of them. */
static void *alloc_frames(uint32_t size)
{
	unsigned order = 0;

	while (order < BUDDY_ORDERS && size > PAGE_SIZE << order)
		order++;
	return kalloc_block(order);
}

void *kmalloc(uint32_t size)
{
	if (!size)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		if (size <= sizes[i])
			return alloc_object(&kmallocs.cache[i], size);
	return alloc_frames(size);
}

void kmfree(void *p)
{
	struct slab *s = slab_of(p);

	if (!p)
		return;
	/* An object never lies at the beginning of a frame: that is where its slab is. */
	if ((void *)s == p)
		kfree_block(p);
	else if (s->magic == SLAB_MAGIC)
		cache_free(s->cache, p);
	else
		panic("kmfree: %p is none of kmalloc's", p);
}

static unsigned fault(const struct cache *c, const char *what)
{
	printk("cache %s: %s\n", c->name, what);
	return 1;
}

static uint32_t free_objects(const struct slab *s)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < MAP_WORDS * 32; i++)
		sum += s->free_map[i / 32] >> i % 32 & 1;
	return sum;
}

/* Proves zones and poison of a slab's objects. */
static unsigned check_objects(struct slab *s)
{
	unsigned faults = 0;

	for (uint32_t i = 0; i < s->cache->per_slab; i++) {
		const char *what = is_poisoned(s, i) ? NULL : "was written to after it was freed";

		if (!(s->free_map[i / 32] & 1u << i % 32))
			what = damage(s, i);
		if (what) {
			printk("object %p of cache %s %s\n", object_at(s, i), s->cache->name, what);
			faults++;
		}
	}
	return faults;
}

/* Proves one list of slabs; adds to the sums of slabs and used objects. */
static unsigned check_list(struct cache *c, const struct slab_list *list, bool full, uint32_t *sums)
{
	unsigned faults = 0;
	struct slab *s;

	LIST_FOREACH (s, list, link) {
		if (sums[0]++ > c->slabs || s->magic != SLAB_MAGIC || s->cache != c)
			return fault(c, "a list leads to what is no slab of it");
		if (s->used + free_objects(s) != c->per_slab || !s->used)
			faults += fault(c, "a slab's map and its count disagree");
		if (full != (s->used == c->per_slab))
			faults += fault(c, "a slab is on the wrong list");
		if (QUIRE_DEBUG)
			faults += check_objects(s);
		sums[1] += s->used;
	}
	return faults;
}

unsigned cache_check(struct cache *c)
{
	uint32_t sums[2] = {0, 0};
	unsigned faults;

	lock_acquire(&c->lock);
	faults = check_list(c, &c->partial, false, sums) + check_list(c, &c->full, true, sums);
	if (sums[0] != c->slabs || sums[1] != c->used)
		faults += fault(c, "not as many slabs or objects as counted");
	lock_release(&c->lock);
	return faults;
}

unsigned kmalloc_check(void)
{
	unsigned faults = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		faults += cache_check(&kmallocs.cache[i]);
	return faults;
}

uint32_t kmalloc_used(void)
{
	uint32_t used = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		used += kmallocs.cache[i].used;
	return used;
}
