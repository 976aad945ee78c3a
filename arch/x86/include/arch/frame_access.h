/*
 * arch/frame_access.h - the bytes of a frame. Low frames stand in the direct map, V = P + 0xC0000000; a high
 * frame is reached through this processor's window, for the length of one call.
 */
#ifndef ARCH_FRAME_ACCESS_H
#define ARCH_FRAME_ACCESS_H

#include <arch/pt_format.h>

/* True when the frame is in the direct map's reach. */
static inline bool arch_frame_is_direct(pfn_t f)
{
	return f.n < ARCH_DIRECT_PAGES;
}

/* Returns where the kernel sees a direct-mapped frame. */
static inline void *arch_frame_direct(pfn_t f)
{
	return (void *)((f.n + ARCH_KERNEL_VPN) << PAGE_SHIFT);
}

/* Returns the frame that a direct-map address lies in. Any pointer: one that is not in the map gives NO_FRAME. */
static inline pfn_t arch_frame_of_direct(const void *p)
{
	uint32_t n = ((uint32_t)p >> PAGE_SHIFT) - ARCH_KERNEL_VPN;

	return n < ARCH_DIRECT_PAGES ? PFN(n) : NO_FRAME;
}

/*
 * Returns the frame whose page in the direct map begins at an address; a number beyond all frames for any other
 * pointer. One rotation: an offset in the page ends up in the highest bits.
 */
static inline uint32_t arch_frame_of_page(const void *p)
{
	uint32_t at = (uint32_t)p - vaddr_of(ARCH_KERNEL_VPN);

	return at >> PAGE_SHIFT | at << (32 - PAGE_SHIFT);
}

/* Returns where frame 0's descriptor stands; the others follow. Mapped where mm/kmap.c has made them. */
static inline void *arch_frame_descriptors(void)
{
	return (void *)vaddr_of(ARCH_DESC_VPN);
}

static inline void arch_fill_page(void *page, uint32_t word)
{
	uint32_t count = PAGE_SIZE / sizeof(word);

	__asm__ volatile("rep stosl" : "+D"(page), "+c"(count) : "a"(word) : "memory");
}

static inline void arch_copy_page(void *to, const void *from)
{
	uint32_t count = PAGE_SIZE / sizeof(uint32_t);

	__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

/* Fill every word of a frame; copy one frame; read or write part of one (offset + length <= PAGE_SIZE). */
void arch_high_frame_fill(pfn_t f, uint32_t word);
static inline void arch_frame_fill(pfn_t f, uint32_t word)
{
	if (arch_frame_is_direct(f))
		arch_fill_page(arch_frame_direct(f), word);
	else
		arch_high_frame_fill(f, word);
}
void arch_high_frame_copy(pfn_t to, pfn_t from);
static inline void arch_frame_copy(pfn_t to, pfn_t from)
{
	if (arch_frame_is_direct(to) && arch_frame_is_direct(from))
		arch_copy_page(arch_frame_direct(to), arch_frame_direct(from));
	else
		arch_high_frame_copy(to, from);
}
void arch_frame_read(pfn_t f, uint32_t offset, void *out, uint32_t length);
void arch_frame_write(pfn_t f, uint32_t offset, const void *in, uint32_t length);

/* True when every word of the frame is this one. */
bool arch_frame_is_filled(pfn_t f, uint32_t word);

static inline void arch_frame_zero(pfn_t f)
{
	arch_frame_fill(f, 0);
}

/* The allocator tells of each block that becomes used or free. A simulated machine listens. */
static inline void arch_frame_note_used(pfn_t f, unsigned order)
{
	(void)f;
	(void)order;
}

static inline void arch_frame_note_free(pfn_t f, unsigned order)
{
	(void)f;
	(void)order;
}

#endif
