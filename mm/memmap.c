/*
 * mm/memmap.c - the map of physical memory as a row of edges, each the beginning of a range of one kind:
 *
 *	edge    0          1              2                  3
 *	        | none     | usable       | reserved         | none ...
 *	start   0          0x1000         0x9f000            0x100000
 *
 * To mark a range is to put edges at its two ends, change the kinds between them, and drop the edges that no
 * longer separate anything. So the order in which a loader lists its ranges, and their overlaps, do not matter.
 */
#include <mm/memmap.h>

#define PAGE_MASK ((uint64_t)PAGE_SIZE - 1)
#define SPARE     16 /* edges that only memmap_set may take: the boot allocator must not run dry of them */
#define LAST_PAGE (~PAGE_MASK) /* 2^64 - 4096: the end of what edges can tell */

void memmap_init(struct memmap *m)
{
	m->count = 1;
	m->lost = 0;
	m->edge[0].start = 0;
	m->edge[0].kind = MEM_NONE;
}

struct mem_range memmap_range(const struct memmap *m, uint32_t i)
{
	return (struct mem_range){
		.start = m->edge[i].start,
		.end = i + 1 < m->count ? m->edge[i + 1].start : 0,
		.kind = m->edge[i].kind,
	};
}

/* Returns the index of the range that holds an address. */
static uint32_t find(const struct memmap *m, uint64_t address)
{
	uint32_t i = m->count - 1;

	while (m->edge[i].start > address)
		i--;
	return i;
}

static bool starts_at(const struct memmap *m, uint64_t address)
{
	return m->edge[find(m, address)].start == address;
}

/* Makes an edge begin at address, which keeps its kind. There is room for it. */
static void split(struct memmap *m, uint64_t address)
{
	uint32_t at = find(m, address) + 1;

	if (m->edge[at - 1].start == address)
		return;
	for (uint32_t i = m->count++; i > at; i--)
		m->edge[i] = m->edge[i - 1];
	m->edge[at].start = address;
	m->edge[at].kind = m->edge[at - 1].kind;
}

/* Drops edges between ranges of the same kind. */
static void merge(struct memmap *m)
{
	uint32_t kept = 1;

	for (uint32_t i = 1; i < m->count; i++)
		if (m->edge[i].kind != m->edge[kept - 1].kind)
			m->edge[kept++] = m->edge[i];
	m->count = kept;
}

/* Returns the usable bytes of [start, end). */
static uint64_t usable_in(const struct memmap *m, uint64_t start, uint64_t end)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		struct mem_range r = memmap_range(m, i);
		uint64_t from = r.start > start ? r.start : start;
		uint64_t to = r.end && r.end < end ? r.end : end;

		if (r.kind == MEM_USABLE && from < to)
			sum += to - from;
	}
	return sum;
}

/*
 * Makes [*start, *end) fit into the edges that are left, without two new ones at worst: outward to edges that
 * exist. Memory that is to become usable is given up instead. Returns false for nothing to mark.
 */
static bool make_fit(struct memmap *m, uint64_t *start, uint64_t *end, bool usable, uint32_t room)
{
	uint32_t wanted = !starts_at(m, *start) + !starts_at(m, *end);
	uint64_t before = usable_in(m, *start, *end);
	struct mem_range last;

	if (m->count + wanted <= room)
		return true;
	if (usable) {
		m->lost += *end - *start - before;
		return false;
	}
	last = memmap_range(m, find(m, *end - 1));
	*start = m->edge[find(m, *start)].start;
	*end = last.end ? last.end : LAST_PAGE;
	m->lost += usable_in(m, *start, *end) - before;
	return true;
}

static void paint(struct memmap *m, uint64_t start, uint64_t end, enum mem_kind kind, bool over)
{
	split(m, start);
	if (end < LAST_PAGE)
		split(m, end);
	for (uint32_t i = find(m, start); i < m->count && m->edge[i].start < end; i++)
		if (over || m->edge[i].kind < kind)
			m->edge[i].kind = kind;
	merge(m);
}

void memmap_mark(struct memmap *m, uint64_t start, uint64_t length, enum mem_kind kind)
{
	uint64_t end = length > UINT64_MAX - start ? UINT64_MAX : start + length;

	if (kind == MEM_USABLE) {
		if (start > LAST_PAGE)
			return;
		start = (start + PAGE_MASK) & ~PAGE_MASK;
		end &= ~PAGE_MASK;
	} else if (length) {
		start &= ~PAGE_MASK;
		end = end > LAST_PAGE ? LAST_PAGE : (end + PAGE_MASK) & ~PAGE_MASK;
	}
	if (start >= end)
		return;
	if (make_fit(m, &start, &end, kind == MEM_USABLE, MEMMAP_EDGES - SPARE))
		paint(m, start, end, kind, false);
}

void memmap_set(struct memmap *m, pfn_t first, uint32_t count, enum mem_kind kind)
{
	uint64_t start = paddr_of(first).a;
	uint64_t end = start + (uint64_t)count * PAGE_SIZE;

	if (count && make_fit(m, &start, &end, kind == MEM_USABLE, MEMMAP_EDGES))
		paint(m, start, end, kind, true);
}

enum mem_kind memmap_kind(const struct memmap *m, pfn_t f)
{
	return m->edge[find(m, paddr_of(f).a)].kind;
}

bool mem_kind_is_ram(enum mem_kind kind)
{
	return kind == MEM_USABLE || kind == MEM_BOOT || kind == MEM_MODULE || kind == MEM_KERNEL;
}

/* True when every range that meets the frames is RAM, or when none is. */
static bool all_alike(const struct memmap *m, pfn_t first, uint32_t count, bool ram)
{
	uint64_t end = paddr_of(first).a + (uint64_t)count * PAGE_SIZE;

	for (uint32_t i = find(m, paddr_of(first).a); i < m->count && m->edge[i].start < end; i++)
		if (mem_kind_is_ram(m->edge[i].kind) != ram)
			return false;
	return true;
}

bool memmap_all_ram(const struct memmap *m, pfn_t first, uint32_t count)
{
	return all_alike(m, first, count, true);
}

bool memmap_no_ram(const struct memmap *m, pfn_t first, uint32_t count)
{
	return all_alike(m, first, count, false);
}

uint64_t memmap_bytes(const struct memmap *m, enum mem_kind kind, uint64_t limit)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		struct mem_range r = memmap_range(m, i);
		uint64_t end = limit && (!r.end || r.end > limit) ? limit : r.end;

		if (r.kind == kind && (r.start < limit || !limit))
			sum += end - r.start;
	}
	return sum;
}

const char *mem_kind_name(enum mem_kind kind)
{
	static const char *const names[MEM_KINDS] = {
		[MEM_NONE] = "none", [MEM_USABLE] = "usable",      [MEM_BOOT] = "boot",
		[MEM_ACPI] = "ACPI", [MEM_NVS] = "ACPI NVS",       [MEM_RESERVED] = "reserved",
		[MEM_BAD] = "bad",   [MEM_MODULE] = "boot module", [MEM_KERNEL] = "kernel",
	};

	return kind < MEM_KINDS ? names[kind] : "?";
}
