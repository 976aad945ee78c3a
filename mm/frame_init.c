/*
 * mm/frame_init.c - phase two: descriptors for all RAM, and all that is usable given to the allocator. Owns the
 * descriptors' memory. Lock: frame_lock, but for alloc_init itself, which runs while one processor boots.
 */
#include <lib/panic.h>
#include <mm/boot_alloc.h>
#include <mm/frame_zones.h>

#define LOW_RESERVE 64 /* of the low frames, one in so many is kept from requests that may be high */
#define BLOCK_PAGES (FRAME_BLOCK * sizeof(struct frame) / PAGE_SIZE)

/* Returns the end of the run of frames from n on whose descriptors lie side by side, at most `end`. */
static uint32_t run_end(uint32_t n, uint32_t end)
{
	uint32_t block_end = (n | (FRAME_BLOCK - 1)) + 1;

	return block_end < end ? block_end : end;
}

static void set_tags(uint32_t n, uint32_t end, uint32_t tag)
{
	while (n < end) {
		struct frame *f = frame_desc(n);
		uint32_t stop = run_end(n, end);

		for (; n < stop; n++, f++)
			f->tag = tag;
	}
}

/* Makes free what phase one left to the kernel, and panics over anything else. */
static void claim(uint32_t n, uint32_t end)
{
	while (n < end) {
		uint32_t stop = run_end(n, end);
		struct frame *f;

		if (!frame_known(n))
			frame_bad("free_range", n);
		for (f = frame_desc(n); n < stop; n++, f++) {
			if (f->tag != FRAME_TAG(0, 0, FRAME_KERNEL))
				frame_bad("free_range", n);
			f->tag = FRAME_TAG(0, 0, FRAME_TAIL);
		}
	}
}

/* Gives [first, end) to the buddy in the largest blocks. */
static void give(uint32_t first, uint32_t end)
{
	claim(first, end);
	while (first < end) {
		unsigned order = (unsigned)__builtin_ctz(first | FRAME_BLOCK);
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
	uint64_t end = r.end ? r.end >> PAGE_SHIFT : ARCH_PFN_END;

	if (first == 0)
		first = 1;
	if (end > ARCH_PFN_END)
		end = ARCH_PFN_END;
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

static void find_end(struct pages p, enum mem_kind kind)
{
	(void)kind;
	frame_end = (p.first + p.count + FRAME_BLOCK - 1) & ~(FRAME_BLOCK - 1);
}

/* Makes the descriptors of one block, all of them for frames that are not ours so far. */
static int make_descriptors(uint32_t block)
{
	pfn_t f = boot_alloc_frames(BLOCK_PAGES);

	if (!f.n)
		return -ENOMEM;
	for (uint32_t i = 0; i < BLOCK_PAGES; i++)
		arch_frame_zero(PFN(f.n + i));
	frame_blocks[block] = arch_frame_direct(f);
	set_tags(block * FRAME_BLOCK, (block + 1) * FRAME_BLOCK, FRAME_TAG(0, 0, FRAME_RESERVED));
	return 0;
}

/* Blocks, not ranges, are counted through: each allocation changes the map. */
static int make_all_descriptors(void)
{
	int err = 0;

	for (uint32_t b = 0; b < frame_end / FRAME_BLOCK && !err; b++)
		if (!memmap_no_ram(boot_memmap(), PFN(b * FRAME_BLOCK), FRAME_BLOCK))
			err = make_descriptors(b);
	return err;
}

static void mark_ram(struct pages p, enum mem_kind kind)
{
	(void)kind;
	set_tags(p.first, p.first + p.count, FRAME_TAG(0, 0, FRAME_KERNEL));
}

static void give_usable(struct pages p, enum mem_kind kind)
{
	if (kind == MEM_USABLE)
		free_range(paddr_of(PFN(p.first)), paddr_of(PFN(p.first + p.count)));
}

static uint32_t block_table_pages(void)
{
	return (frame_end / FRAME_BLOCK * (uint32_t)sizeof(*frame_blocks) + PAGE_SIZE - 1) / PAGE_SIZE;
}

static void free_descriptors(pfn_t table)
{
	for (uint32_t b = 0; b < frame_end / FRAME_BLOCK; b++)
		if (frame_blocks[b])
			boot_free_frames(arch_frame_of_direct(frame_blocks[b]), BLOCK_PAGES);
	boot_free_frames(table, block_table_pages());
	frame_blocks = NULL;
	frame_end = 0;
}

int alloc_init(void)
{
	pfn_t table;

	each_ram(find_end);
	table = boot_alloc_frames(block_table_pages());
	if (!table.n) {
		frame_end = 0;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < block_table_pages(); i++)
		arch_frame_zero(PFN(table.n + i));
	frame_blocks = arch_frame_direct(table);
	if (make_all_descriptors()) {
		free_descriptors(table);
		return -ENOMEM;
	}

	/* From here nothing fails. Phase one ends first: what it took by now is in the map and is not given out. */
	boot_alloc_seal();
	each_ram(mark_ram);
	quota_init_root(&frame_accounts.quotas, 0);
	each_ram(give_usable);
	return 0;
}
