/*
 * mm/slab.h - small objects for the kernel's own structures: caches of objects of one size, cut from single
 * frames, and kmalloc on top (Bonwick, USENIX Summer 1994). Lock: one in each cache. Frames are the root's.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include <bsd/sys/queue.h>
#include <lib/lock.h>
#include <lib/types.h>

struct slab;
LIST_HEAD(slab_list, slab);

struct cache {
	const char *name;
	uint32_t size; /* bytes of an object, as asked for */
	uint32_t
		stride; /* from one object to the next: the size, aligned, and in debug builds red zones around it */
	uint32_t per_slab; /* objects */
	struct lock lock;
	struct slab_list partial; /* slabs with a free object */
	struct slab_list full;
	uint32_t slabs, used; /* frames held; objects handed out */
};

#define CACHE_SIZE_MAX 1984u /* two of them fit into a frame, with their red zones */

/* Makes a cache of objects of `size` bytes, 1 to CACHE_SIZE_MAX, each aligned to 8. */
void cache_init(struct cache *c, const char *name, uint32_t size);

/*
 * Returns an object, content undefined; null when no frame is to be had (nothing changed). Panics in debug builds
 * when the object was written to after it was freed.
 */
void *cache_alloc(struct cache *c);

/*
 * Takes an object back; a slab without objects returns its frame. Panics on a foreign or free object, and in debug
 * builds when bytes around it were written, or an object of its slab after it was freed; names cache and object.
 */
void cache_free(struct cache *c, void *object);

/*
 * Returns memory for size bytes, aligned to 8; whole frames (a power of two of them) above CACHE_SIZE_MAX. Null
 * when there is none or size is 0 or above 4 MiB. kmfree takes it back, and null. Red zones stand around what was
 * asked for, not around what the cache's objects have room for; there are none around whole frames.
 */
void *kmalloc(uint32_t size);
void kmfree(void *p);

/*
 * Proves the cache's slabs sound, in debug builds the red zones of its objects and the poison of free ones too;
 * prints each fault and returns how many there are.
 */
unsigned cache_check(struct cache *c);

/* The same over kmalloc's own caches, and how many of their objects are handed out. */
unsigned kmalloc_check(void);
uint32_t kmalloc_used(void);

/* Makes kmalloc's caches; before the first call. */
void slab_init(void);

#endif
