/*
 * mm/boot_need.h - how much memory booting takes, computed from the memory map: for the message where there is too
 * little. Lock: none, one processor boots.
 */
#ifndef MM_BOOT_NEED_H
#define MM_BOOT_NEED_H

#include <mm/memmap.h>

/* Frames. Descriptors may lie anywhere, all else in the direct map's reach. */
struct boot_need {
	uint32_t kernel_map;  /* tables of the direct map, descriptors, stacks, devices and windows */
	uint32_t descriptors; /* of every frame of RAM within the mode's reach */
	uint32_t identity;    /* directory 0 and its tables */
	uint32_t stack;
	uint32_t zero_page; /* what untouched memory of programs reads as */
};

/*
 * Returns what the steps of booting take from the usable memory of this map, the boot allocator's, whether or not
 * some of it is taken already. After arch_mmu_probe: without large pages it is more. What phase one's window needs to
 * grow is left out.
 */
struct boot_need boot_need(const struct memmap *m);

/* Returns how much of it must be in the direct map's reach: descriptors take what is above it first. */
uint32_t boot_need_low(const struct memmap *m);

#endif
