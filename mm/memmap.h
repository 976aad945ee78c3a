/*
 * mm/memmap.h - what each range of physical memory is. Sorted, page-aligned and without overlap at all times,
 * whatever the loader says and in whatever order. Lock: none, it is changed during boot only.
 */
#ifndef MM_MEMMAP_H
#define MM_MEMMAP_H

#include <lib/types.h>

/* Where ranges overlap the later of these wins: the more reserved, then what the loader put there for us. */
enum mem_kind {
	MEM_NONE, /* nothing, or a device */
	MEM_USABLE,
	MEM_BOOT, /* taken by the boot allocator */
	MEM_ACPI, /* ACPI tables: RAM that could be had back */
	MEM_NVS,
	MEM_RESERVED,
	MEM_BAD,
	MEM_MODULE,
	MEM_KERNEL,
	MEM_KINDS
};

#define MEMMAP_EDGES 256

/* Edge i begins a range of its kind that ends where edge i + 1 begins; the last one ends at 2^64. */
struct memmap {
	uint32_t count;
	uint64_t lost; /* bytes of usable memory given up because the edges ran out */
	struct {
		uint64_t start;
		enum mem_kind kind;
	} edge[MEMMAP_EDGES];
};

/* One range, for iteration; end 0 stands for 2^64 and occurs in the last range only. */
struct mem_range {
	uint64_t start, end;
	enum mem_kind kind;
};

/* Makes the map say MEM_NONE everywhere. */
void memmap_init(struct memmap *m);

/*
 * Says that [start, start + length) bytes are of this kind. A range that wraps 2^64 ends there. Usable memory
 * shrinks to whole pages, every other kind grows to whole pages. When there is no room for more edges, usable
 * memory is left out and other kinds swallow the rest of the ranges they end in; `lost` counts either.
 */
void memmap_mark(struct memmap *m, uint64_t start, uint64_t length, enum mem_kind kind);

/*
 * As memmap_mark for frames, but the new kind stands whatever was there: for the boot allocator. What it gives back
 * when there is no room for more edges stays as it is, and is lost.
 */
void memmap_set(struct memmap *m, pfn_t first, uint32_t count, enum mem_kind kind);

/* Returns range i; i < m->count. */
struct mem_range memmap_range(const struct memmap *m, uint32_t i);

/* Returns the kind of one frame. */
enum mem_kind memmap_kind(const struct memmap *m, pfn_t f);

/* True where the kernel may map the kind as ordinary memory: RAM that is no firmware's. */
bool mem_kind_is_ram(enum mem_kind kind);

/* True when all of count frames from first are RAM, or when none of them is. */
bool memmap_all_ram(const struct memmap *m, pfn_t first, uint32_t count);
bool memmap_no_ram(const struct memmap *m, pfn_t first, uint32_t count);

/* Returns the bytes of this kind below limit (0: everywhere). */
uint64_t memmap_bytes(const struct memmap *m, enum mem_kind kind, uint64_t limit);

/* Returns the kind's name for the boot report. */
const char *mem_kind_name(enum mem_kind kind);

#endif
