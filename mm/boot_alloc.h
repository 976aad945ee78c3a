/* mm/boot_alloc.h - phase one: frames before there are frame descriptors. */
#ifndef MM_BOOT_ALLOC_H
#define MM_BOOT_ALLOC_H

#include <mm/memmap.h>

/*
 * Starts phase one on the entry page tables: makes the usable frames of map below window_end allocatable, and
 * keeps `spare`, a mapped frame, as the table with which the window first grows. What is allocated is marked in
 * the map as MEM_BOOT. The map stays the caller's and must outlive phase one.
 */
void boot_alloc_init(struct memmap *map, pfn_t window_end, pfn_t spare);

/*
 * Returns the first of count contiguous frames in the mapped window, content undefined; NO_FRAME when there is
 * no such run below the direct map's end. Panics after boot_alloc_seal.
 */
pfn_t boot_alloc_frames(uint32_t count);

/* The same for frames that no map needs to show: above the direct map's reach, if there are any. */
pfn_t boot_alloc_high(uint32_t count);

/* Gives back what either of them returned. Panics when it was not allocated, and after the seal. */
void boot_free_frames(pfn_t first, uint32_t count);

/* Says that the whole direct map is loaded: the window needs no more tables of its own. */
void boot_alloc_window_all(void);

/* Returns how many tables the window has got so far: frames that phase one took for itself. */
uint32_t boot_alloc_window_tables(void);

/* Ends phase one: from here on only the frame allocator gives frames. */
void boot_alloc_seal(void);
bool boot_alloc_sealed(void);

/* Returns the map that phase one was started on; it stays to be read after the seal. */
const struct memmap *boot_memmap(void);

/* Makes phase one as it was before boot_alloc_init; tests only. */
void boot_alloc_reset(void);

#endif
