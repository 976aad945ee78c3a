/*
 * mm/slab.c - objects of one size, cut from single frames, and kmalloc's sizes on top. Owns the frames it cuts.
 * Lock: one in each cache, of rank LOCK_SLAB; frame_lock is taken below it.
 *
 *	frame  | struct slab | map: one bit an object | object | object | ... | rest |
 *
 * What is free stands in the map of the slab, not in the objects: a program that writes to an object after it
 * was freed, or frees it twice, cannot lead the allocator astray.
 */
#include <arch/frame_access.h>
#include <lib/panic.h>
#include <mm/frame.h>
#include <mm/slab.h>

#define MAP_WORDS  16u /* 512 objects: those of 8 bytes fill no more */
#define SLAB_MAGIC 0x51AB51ABu

struct slab {
	LIST_ENTRY(slab) link;
	uint32_t magic;
	struct cache *cache;
	uint32_t used;
	uint32_t free_map[MAP_WORDS]; /* bit set: free */
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

static uint32_t objects_per_slab(const struct cache *c)
{
	return (PAGE_SIZE - HEADER) / c->size;
}

void cache_init(struct cache *c, const char *name, uint32_t size)
{
	INVARIANT(size && size <= CACHE_SIZE_MAX);
	c->name = name;
	c->size = (size + 7) & ~7u;
	c->lock = (struct lock)LOCK_INIT(name, LOCK_SLAB);
	LIST_INIT(&c->partial);
	LIST_INIT(&c->full);
	c->slabs = 0;
	c->used = 0;
}

/* Makes a slab, all of it free, and puts it in front of the partial ones. */
static struct slab *new_slab(struct cache *c)
{
	struct slab *s = kalloc();

	if (!s)
		return NULL;
	s->magic = SLAB_MAGIC;
	s->cache = c;
	s->used = 0;
	for (uint32_t i = 0; i < MAP_WORDS; i++)
		s->free_map[i] = 0;
	for (uint32_t i = 0; i < objects_per_slab(c); i++)
		s->free_map[i / 32] |= 1u << i % 32;
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

void *cache_alloc(struct cache *c)
{
	struct slab *s;
	void *object = NULL;

	lock_acquire(&c->lock);
	s = LIST_FIRST(&c->partial);
	if (!s)
		s = new_slab(c);
	if (s) {
		object = (char *)s + HEADER + take_object(s) * c->size;
		c->used++;
		if (s->used == objects_per_slab(c)) {
			LIST_REMOVE(s, link);
			LIST_INSERT_HEAD(&c->full, s, link);
		}
	}
	lock_release(&c->lock);
	return object;
}

static struct slab *slab_of(const void *object)
{
	return (struct slab *)((uintptr_t)object & ~(uintptr_t)(PAGE_SIZE - 1));
}

/* Returns the number of an object in its slab; panics when there is none at this address, or a free one. */
static uint32_t object_index(const struct cache *c, const struct slab *s, const void *object)
{
	uint32_t offset = (uint32_t)((uintptr_t)object % PAGE_SIZE) - HEADER;
	uint32_t i = offset / c->size;

	if (s->magic != SLAB_MAGIC || s->cache != c || offset % c->size || i >= objects_per_slab(c))
		panic("cache %s: %p is not one of its objects", c->name, object);
	if (s->free_map[i / 32] & 1u << i % 32)
		panic("cache %s: object %p is free already", c->name, object);
	return i;
}

void cache_free(struct cache *c, void *object)
{
	struct slab *s = slab_of(object);
	uint32_t i;

	lock_acquire(&c->lock);
	i = object_index(c, s, object);
	s->free_map[i / 32] |= 1u << i % 32;
	s->used--;
	c->used--;
	LIST_REMOVE(s, link);
	if (s->used)
		LIST_INSERT_HEAD(&c->partial, s, link);
	else {
		c->slabs--;
		s->magic = 0;
		kfree(s);
	}
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
	pfn_t f;

	while (order < BUDDY_ORDERS && size > PAGE_SIZE << order)
		order++;
	return frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(order), &f) ? NULL : arch_frame_direct(f);
}

void *kmalloc(uint32_t size)
{
	if (!size)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		if (size <= sizes[i])
			return cache_alloc(&kmallocs.cache[i]);
	return alloc_frames(size);
}

void kmfree(void *p)
{
	struct slab *s = slab_of(p);

	if (!p)
		return;
	/* An object never lies at the beginning of a frame: that is where its slab is. */
	if ((void *)s == p)
		frame_put(arch_frame_of_direct(p));
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

/* Proves one list of slabs; adds to the sums of slabs and used objects. */
static unsigned check_list(struct cache *c, const struct slab_list *list, bool full, uint32_t *sums)
{
	unsigned faults = 0;
	struct slab *s;

	LIST_FOREACH (s, list, link) {
		if (sums[0]++ > c->slabs || s->magic != SLAB_MAGIC || s->cache != c)
			return fault(c, "a list leads to what is no slab of it");
		if (s->used + free_objects(s) != objects_per_slab(c) || !s->used)
			faults += fault(c, "a slab's map and its count disagree");
		if (full != (s->used == objects_per_slab(c)))
			faults += fault(c, "a slab is on the wrong list");
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
