/*
 * arch/frame_access.h - the bytes of a frame of the simulated machine. The direct map is one run of host memory,
 * whatever host addresses it has; frames without RAM in it cannot be touched.
 */
#ifndef ARCH_FRAME_ACCESS_H
#define ARCH_FRAME_ACCESS_H

#include <arch/pt_format.h>

extern unsigned char *sim_direct;      /* frame 0's place */
extern unsigned char *sim_descriptors; /* frame 0's descriptor's */

/* True when the frame is in the direct map's reach. */
static inline bool arch_frame_is_direct(pfn_t f)
{
	return f.n < ARCH_DIRECT_PAGES;
}

/*
 * Returns where the kernel sees a direct-mapped frame. A violation where the kernel could not see it: no RAM,
 * outside of the boot window, or not mapped by the loaded directory.
 */
void *arch_frame_direct(pfn_t f);

/* Returns the frame that a direct-map address lies in. Any pointer: one that is not in the map gives NO_FRAME. */
static inline pfn_t arch_frame_of_direct(const void *p)
{
	uintptr_t n = ((uintptr_t)p - (uintptr_t)sim_direct) >> PAGE_SHIFT;

	return n < ARCH_DIRECT_PAGES ? PFN((uint32_t)n) : NO_FRAME;
}

/* Returns the frame whose page in the direct map begins at an address; UINT32_MAX for any other pointer. */
static inline uint32_t arch_frame_of_page(const void *p)
{
	uintptr_t at = (uintptr_t)p - (uintptr_t)sim_direct;

	return at % PAGE_SIZE || at >> PAGE_SHIFT >= ARCH_DIRECT_PAGES ? UINT32_MAX
								       : (uint32_t)(at >> PAGE_SHIFT);
}

/* Returns where frame 0's descriptor stands; the others follow. */
static inline void *arch_frame_descriptors(void)
{
	return sim_descriptors;
}

/* Fill every word of a frame; copy one frame; read or write part of one (offset + length <= PAGE_SIZE). */
void arch_frame_fill(pfn_t f, uint32_t word);
void arch_frame_copy(pfn_t to, pfn_t from);
void arch_frame_read(pfn_t f, uint32_t offset, void *out, uint32_t length);
void arch_frame_write(pfn_t f, uint32_t offset, const void *in, uint32_t length);

/* True when every word of the frame is this one; also asked about free frames. */
bool arch_frame_is_filled(pfn_t f, uint32_t word);

static inline void arch_frame_zero(pfn_t f)
{
	arch_frame_fill(f, 0);
}

/* The allocator tells of each block that becomes used or free. A free one cannot be touched. */
void arch_frame_note_used(pfn_t f, unsigned order);
void arch_frame_note_free(pfn_t f, unsigned order);

#endif
