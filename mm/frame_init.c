/*
 * mm/frame_init.c - phase two: descriptors for all RAM, and all that is usable given to the allocator. Owns the
 * descriptors' memory. Lock: frame_lock, but for alloc_init itself, which runs while one processor boots.
 */
#include <arch/pte.h>
#include <lib/panic.h>
#include <mm/boot_alloc.h>
#include <mm/frame_zones.h>

#define LOW_RESERVE 64 /* of the low frames, one in so many is kept from requests that may be high */
#define LARGEST     (1u << (BUDDY_ORDERS - 1))

/* Makes free what phase one left to the kernel, and panics over anything else. */
static void claim(uint32_t n, uint32_t end)
{
	struct frame *f = frame_desc(n);

	for (; n < end; n++, f++) {
		if (f->tag != FRAME_TAG(0, 0, FRAME_KERNEL))
			frame_bad("free_range", n);
		f->tag = FRAME_TAG(0, 0, FRAME_TAIL);
	}
}

/* Gives [first, end) to the buddy in the largest blocks. */
static void give(uint32_t first, uint32_t end)
{
	claim(first, end);
	while (first < end) {
		unsigned order = (unsigned)__builtin_ctz(first | LARGEST);
		struct zone *z = zone_of(first);

		while (1u << order > end - first)
			order--;
		z->total += 1u << order;
		arch_frame_note_free(PFN(first), order);
		buddy_free(&z->buddy, first, order);
		first += 1u << order;
	}
}

uint32_t free_range(paddr_t start, paddr_t end)
{
	/* Shifted before they are rounded: at the top of the address space nothing wraps. */
	uint64_t first = (start.a >> PAGE_SHIFT) + (start.a % PAGE_SIZE != 0);
	uint64_t last = end.a >> PAGE_SHIFT;

	if (first == 0)
		first = 1;
	if (first >= last)
		return 0;
	if (last > frame_end)
		frame_bad("free_range", frame_end);
	lock_acquire(&frame_lock);
	give((uint32_t)first, (uint32_t)last);
	if (!quota_grow_root(&frame_accounts.quotas, (uint32_t)(last - first)))
		panic("free_range: more frames than a quota counts");
	frame_zones.low_reserve = frame_zones.zone[ZONE_LOW].total / LOW_RESERVE;
	lock_release(&frame_lock);
	return (uint32_t)(last - first);
}

/* The part of a boot range that the mode reaches, in frames; frame 0 left out. */
static struct pages reachable(struct mem_range r)
{
	uint64_t first = r.start >> PAGE_SHIFT;
	uint64_t end = r.end ? r.end >> PAGE_SHIFT : arch_mmu.pfn_end;

	if (first == 0)
		first = 1;
	if (end > arch_mmu.pfn_end)
		end = arch_mmu.pfn_end;
	return first < end ? PAGES((uint32_t)first, (uint32_t)(end - first)) : PAGES(0, 0);
}

/* Calls visit for each range of the boot map that holds RAM within reach. */
static void each_ram(void (*visit)(struct pages, enum mem_kind))
{
	const struct memmap *m = boot_memmap();

	for (uint32_t i = 0; i < m->count; i++) {
		struct mem_range r = memmap_range(m, i);
		struct pages p = reachable(r);

		if (mem_kind_is_ram(r.kind) && p.count)
			visit(p, r.kind);
	}
}

static void mark_ram(struct pages p, enum mem_kind kind)
{
	(void)kind;
	for (uint32_t n = p.first; n < p.first + p.count; n++)
		frame_desc(n)->tag = FRAME_TAG(0, 0, FRAME_KERNEL);
}

static void give_usable(struct pages p, enum mem_kind kind)
{
	if (kind == MEM_USABLE)
		free_range(paddr_of(PFN(p.first)), paddr_of(PFN(p.first + p.count)));
}

uint32_t frame_table_end(void)
{
	const struct memmap *m = boot_memmap();
	uint32_t end = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		struct mem_range r = memmap_range(m, i);
		struct pages p = reachable(r);

		if (mem_kind_is_ram(r.kind) && p.count)
			end = p.first + p.count;
	}
	return (end + LARGEST - 1) & ~(LARGEST - 1);
}

void alloc_init(void)
{
	frame_end = frame_table_end();
	frame_zones.direct_end = frame_end < ARCH_DIRECT_PAGES ? frame_end : ARCH_DIRECT_PAGES;
	/* Phase one ends first: what it took by now is in the map and is not given out. */
	boot_alloc_seal();
	each_ram(mark_ram);
	quota_init_root(&frame_accounts.quotas, 0);
	each_ram(give_usable);
}
