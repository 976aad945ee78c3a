/*
 * tests/host/walk.c - the paging unit's walk, literally from raw bits (SDM 3A 4.3 and 4.4, CR0.WP = 1). Shares no
 * constant with the kernel's codec: an error there is not repeated here.
 *
 *	two-level   CR3 -> [31:22] -> [21:12]
 *	PAE         four registers by [31:30] -> [29:21] -> [20:12]
 */
#include "sim.h"

#define PRESENT  0x001u
#define ACCESSED 0x020u
#define DIRTY    0x040u
#define BIT7     0x080u /* level 1: a large page; level 0: PAT, which no CPU here has */
#define GLOBAL   0x100u

#define BITS(high, low) (((1ull << ((high) - (low) + 1)) - 1) << (low))
#define NX_BIT          (1ull << 63)
#define BEYOND_REACH    (QUIRE_PAE ? BITS(62, 36) : 0)
#define LARGE_LOW       (QUIRE_PAE ? BITS(20, 12) : BITS(21, 12))
#define ROOT_RESERVED   (BITS(2, 1) | BITS(8, 5) | BITS(63, 36))

uint32_t sim_walk_frame(uint64_t entry)
{
	return entry & PRESENT ? (uint32_t)((entry & BITS(35, 12)) >> 12) : 0;
}

bool sim_walk_is_large(uint64_t entry)
{
	return (entry & (PRESENT | BIT7)) == (PRESENT | BIT7) && sim_cpu.large;
}

uint32_t sim_walk_directory(uint32_t page)
{
	return QUIRE_PAE ? sim_walk_frame(sim_cpu.root_entry[page >> 18]) : sim_cpu.root;
}

static unsigned allows(uint64_t entry)
{
	return (entry & 2 ? SIM_WRITE : 0) | (entry & 4 ? SIM_USER : 0) | (entry & NX_BIT ? 0 : SIM_EXECUTE);
}

/* Returns the bits that must be 0 in an entry that is present. */
static uint64_t reserved(uint64_t entry, unsigned level)
{
	bool leaf = level == 0 || sim_walk_is_large(entry);
	uint64_t bits = BEYOND_REACH;

	if (QUIRE_PAE && !sim_cpu.nx)
		bits |= NX_BIT;
	if (level == 0 || !sim_cpu.large)
		bits |= BIT7;
	if (leaf && level == 1)
		bits |= LARGE_LOW;
	if (leaf && !sim_cpu.global)
		bits |= GLOBAL;
	return bits;
}

/* Reads the entry for the walk's page in a table; false where the walk ends. */
static bool read_entry(const struct sim_walk *w, uint32_t table, unsigned level, uint64_t *entry)
{
	uint32_t index = (level ? w->page / SIM_TABLE_PAGES : w->page) % SIM_TABLE_PAGES;

	if (!sim_ram_is(table) || sim_ram_is_free(table)) {
		if (!w->quiet)
			sim_violation("page 0x%x: table of level %u in frame 0x%x, which is %s", w->page,
				      level, table, sim_ram_is(table) ? "free" : "no RAM");
		return false;
	}
	*entry = sim_ram_entry(table, index);
	if (!(*entry & PRESENT))
		return false;
	if (*entry & reserved(*entry, level)) {
		if (!w->quiet)
			sim_violation("page 0x%x: reserved bits 0x%llx in entry 0x%llx of level %u", w->page,
				      (unsigned long long)(*entry & reserved(*entry, level)),
				      (unsigned long long)*entry, level);
		return false;
	}
	if (!w->quiet)
		sim_ram_set_bits(table, index, ACCESSED);
	return true;
}

static void found(struct sim_walk *w, uint64_t entry, unsigned level)
{
	uint32_t count = level ? SIM_TABLE_PAGES : 1;

	w->leaf = (struct sim_translation){
		.page = w->page & ~(count - 1),
		.frame = sim_walk_frame(entry),
		.count = count,
		.allows = allows(entry) & w->upper.allows,
		.global = entry & GLOBAL,
		.dirty = entry & DIRTY,
		.table = w->upper.table,
		.index = (level ? w->page / SIM_TABLE_PAGES : w->page) % SIM_TABLE_PAGES,
	};
}

/* Level 1. Leaves what it finds in w->upper, or in w->leaf for a large page. */
static bool walk_upper(struct sim_walk *w)
{
	uint32_t directory = sim_walk_directory(w->page);
	uint64_t entry;

	if (!directory || !read_entry(w, directory, 1, &entry))
		return false;
	if (sim_walk_is_large(entry)) {
		w->upper = (struct sim_upper){.table = directory, .allows = SIM_ALL};
		found(w, entry, 1);
		return true;
	}
	w->has_upper = true;
	w->upper = (struct sim_upper){w->page / SIM_TABLE_PAGES, sim_walk_frame(entry), allows(entry)};
	return true;
}

bool sim_walk(struct sim_walk *w)
{
	uint64_t entry;

	w->has_upper = w->known;
	if (w->known)
		w->upper = *w->known;
	else if (!walk_upper(w))
		return false;
	if (!w->has_upper)
		return true;
	if (!read_entry(w, w->upper.table, 0, &entry))
		return false;
	found(w, entry, 0);
	return true;
}

static void load_entry(unsigned i)
{
	uint64_t entry = sim_ram_entry(sim_cpu.root, i);

	if ((entry & PRESENT) && (entry & ROOT_RESERVED))
		sim_violation("reserved bits 0x%llx in root entry 0x%llx",
			      (unsigned long long)(entry & ROOT_RESERVED), (unsigned long long)entry);
	sim_cpu.root_entry[i] = entry & PRESENT ? entry & ~ROOT_RESERVED : 0;
}

void sim_load_root(uint32_t root)
{
	sim_cpu.root = root;
	if (!sim_ram_is(root) || sim_ram_is_free(root) || root >= 1u << 20)
		sim_violation("root in frame 0x%x, which is no RAM in use below 4 GiB", root);
	for (unsigned i = 0; QUIRE_PAE && i < 4; i++)
		load_entry(i);
}
