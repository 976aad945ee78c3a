/*
 * tests/fuzz/memmap_fuzz.c - the target memmap: claims on memory in any order, as loaders and the boot allocator make
 * them.
 */
#include "claims.h"
#include "fuzz.h"

static struct memmap map;
static struct claims claims;

/* A place in memory: few bits, so that ranges meet; below 4 GiB; at the top; any. */
static uint64_t take_address(struct fuzz_input *in)
{
	uint8_t how = fuzz_take8(in);

	switch (how % 4) {
	case 0:
		return (uint64_t)fuzz_take8(in) << (how / 4);
	case 1:
		return fuzz_take32(in);
	case 2:
		return UINT64_MAX - fuzz_take16(in);
	default:
		return fuzz_take64(in);
	}
}

/* What the boot allocator may ask for: it takes what the map says is usable, and gives back what it took. */
static bool may_set(pfn_t f, enum mem_kind kind)
{
	if (kind == MEM_BOOT)
		return memmap_kind(&map, f) == MEM_USABLE;
	return kind != MEM_USABLE || claims_kind(&claims, f) == MEM_BOOT;
}

static void set(pfn_t first, uint32_t count, enum mem_kind kind)
{
	for (uint32_t i = 0; i < count; i++)
		if (!may_set(PFN(first.n + i), kind))
			return;
	memmap_set(&map, first, count, kind);
	claims_set(&claims, first, count, kind);
}

/* The questions about a run of frames, against the answers for each of them. */
static void ask(pfn_t first, uint32_t count)
{
	bool all = true, none = true;

	for (uint32_t i = 0; i < count; i++) {
		bool is = mem_kind_is_ram(memmap_kind(&map, PFN(first.n + i)));

		all &= is;
		none &= !is;
	}
	FUZZ_EQ(memmap_all_ram(&map, first, count), all);
	FUZZ_EQ(memmap_no_ram(&map, first, count), none);
}

/* Below any limit the kinds together are all there is. */
static void measure(uint64_t limit)
{
	uint64_t sum = 0;

	for (unsigned kind = 0; kind < MEM_KINDS; kind++) {
		sum += memmap_bytes(&map, (enum mem_kind)kind, limit);
	}
	FUZZ_EQ(sum, limit);
}

static void step(struct fuzz_input *in)
{
	static const enum mem_kind set_kinds[] = {MEM_BOOT, MEM_USABLE, MEM_KERNEL};
	uint8_t what = fuzz_take8(in);
	enum mem_kind kind = (enum mem_kind)(what / 8 % MEM_KINDS);
	uint64_t start, length;

	if (what % 8 == 0) {
		pfn_t first = PFN(fuzz_take16(in));

		set(first, fuzz_take8(in), set_kinds[what / 8 % ARRAY_SIZE(set_kinds)]);
	} else if (what % 8 == 1) {
		ask(PFN(fuzz_take16(in)), what);
	} else if (what % 8 == 2) {
		measure(take_address(in) | 1);
	} else {
		start = take_address(in);
		length = take_address(in);
		memmap_mark(&map, start, length, kind);
		claims_mark(&claims, start, length, kind);
	}
}

static void run(struct fuzz_input *in)
{
	memmap_init(&map);
	claims.count = 0;
	while (in->left && claims.count < CLAIMS)
		step(in);
	claims_compare(&claims, &map);
}

const struct fuzz_target fuzz_memmap = {.name = "memmap", .run = run};
