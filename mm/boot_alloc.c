/*
 * mm/boot_alloc.c - phase one. Owns the boot memory map: what it hands out becomes MEM_BOOT there. Owns no frame
 * descriptor. Lock: none, one processor boots.
 *
 * The allocator needs mapped memory, and mapping memory needs the allocator. Two things break the circle: the
 * window that the entry page tables map, and one spare page table, with which the window reaches any other
 * place. What is reached has a free frame at least, so there is always one to become the next spare.
 *
 *	frame 0       window_end                                   ARCH_DIRECT_PAGES
 *	|#############|.........|######|............................|
 *	 entry tables            a span mapped with the spare
 */
#include <arch/mmu.h>
#include <lib/panic.h>
#include <mm/boot_alloc.h>

#define SPAN  ARCH_LARGE_PAGES /* frames that one page table maps */
#define SPANS (ARCH_DIRECT_PAGES / SPAN)

static struct {
	struct memmap *map;
	pfn_t window_end;
	pfn_t spare; /* a mapped frame: each span that gets it has a frame to replace it */
	bool sealed;
	uint8_t mapped[SPANS]; /* spans beyond window_end that have a table */
} boot;

void boot_alloc_init(struct memmap *map, pfn_t window_end, pfn_t spare)
{
	boot_alloc_reset();
	boot.map = map;
	boot.window_end = window_end;
	boot.spare = spare;
}

void boot_alloc_reset(void)
{
	boot.map = NULL;
	boot.sealed = false;
	for (uint32_t i = 0; i < SPANS; i++)
		boot.mapped[i] = 0;
}

void boot_alloc_window_all(void)
{
	boot.window_end = PFN(ARCH_DIRECT_PAGES);
}

uint32_t boot_alloc_window_tables(void)
{
	uint32_t sum = 0;

	for (uint32_t span = 0; span < SPANS; span++)
		sum += boot.mapped[span];
	return sum;
}

void boot_alloc_seal(void)
{
	boot.sealed = true;
}

bool boot_alloc_sealed(void)
{
	return boot.sealed;
}

const struct memmap *boot_memmap(void)
{
	return boot.map;
}

static bool span_mapped(uint32_t span)
{
	return (span + 1) * SPAN <= boot.window_end.n || boot.mapped[span];
}

/* Returns the first of count usable frames in a row in [from, limit); or NO_FRAME. */
static pfn_t find_run(uint32_t from, uint32_t limit, uint32_t count)
{
	for (uint32_t i = 0; i < boot.map->count; i++) {
		struct mem_range r = memmap_range(boot.map, i);
		uint64_t first = r.start >> PAGE_SHIFT;
		uint64_t end = r.end ? r.end >> PAGE_SHIFT : limit;

		if (first < from)
			first = from;
		if (end > limit)
			end = limit;
		if (r.kind == MEM_USABLE && first < end && end - first >= count)
			return PFN((uint32_t)first);
	}
	return NO_FRAME;
}

/* Returns the first span of a run that the window does not reach; SPANS where it reaches all. */
static uint32_t unmapped_span(pfn_t first, uint32_t count)
{
	for (uint32_t span = first.n / SPAN; span <= (first.n + count - 1) / SPAN; span++)
		if (!span_mapped(span))
			return span;
	return SPANS;
}

/* Returns the lowest usable frame that the window shows. */
static pfn_t mapped_frame(void)
{
	pfn_t f = find_run(1, ARCH_DIRECT_PAGES, 1);

	while (f.n && !span_mapped(f.n / SPAN))
		f = find_run((f.n / SPAN + 1) * SPAN, ARCH_DIRECT_PAGES, 1);
	return f;
}

/* Maps a span, which has a usable frame, with the spare, and takes the lowest mapped frame as the next spare. */
static void map_span(uint32_t span)
{
	arch_boot_window_map(PFN(span * SPAN), boot.spare);
	boot.mapped[span] = 1;
	boot.spare = mapped_frame();
	memmap_set(boot.map, boot.spare, 1, MEM_BOOT);
}

pfn_t boot_alloc_frames(uint32_t count)
{
	if (boot.sealed)
		panic("boot_alloc_frames after phase one was sealed");
	if (!count || count > ARCH_DIRECT_PAGES)
		return NO_FRAME;
	while (true) {
		pfn_t f = find_run(1, ARCH_DIRECT_PAGES, count); /* frame 0 is never handed out */
		uint32_t span;

		if (!f.n)
			return NO_FRAME;
		span = unmapped_span(f, count);
		if (span == SPANS) {
			memmap_set(boot.map, f, count, MEM_BOOT);
			return f;
		}
		/* The new spare may come out of this very run: look again. Each turn maps one span more. */
		map_span(span);
	}
}

pfn_t boot_alloc_high(uint32_t count)
{
	pfn_t f;

	if (boot.sealed)
		panic("boot_alloc_high after phase one was sealed");
	f = find_run(ARCH_DIRECT_PAGES, arch_mmu.pfn_end, count);
	if (f.n)
		memmap_set(boot.map, f, count, MEM_BOOT);
	return f;
}

void boot_free_frames(pfn_t first, uint32_t count)
{
	if (boot.sealed)
		panic("boot_free_frames after phase one was sealed");
	for (uint32_t i = 0; i < count; i++)
		if (memmap_kind(boot.map, PFN(first.n + i)) != MEM_BOOT)
			panic("boot_free_frames: frame 0x%x was not allocated", first.n + i);
	memmap_set(boot.map, first, count, MEM_USABLE);
}
