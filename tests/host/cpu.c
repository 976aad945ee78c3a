/*
 * tests/host/cpu.c - the simulated CPU's paging registers and translation caches. Implements arch/mmu.h but for
 * the image.
 *
 * The caches are as unkind as the manual allows (SDM 3A 4.10): nothing is ever evicted, so that a flush that is
 * missing is always seen; and what stands in the tables may have been cached before anybody used it, so an entry
 * that is about to change is cached first. Like a processor, the TLB caches no absent entry.
 */
#include "sim.h"

#include <arch/frame_access.h>
#include <lib/panic.h>
#include <stdlib.h>

#define WINDOW_SPANS (SIM_DIRECT_FRAMES / 512)

struct sim_cpu sim_cpu;
struct arch_mmu arch_mmu;

static struct {
	struct sim_translation *tlb;
	uint32_t count, room;
	struct sim_upper upper[4096];
	uint32_t upper_count;
	bool has_large, has_global, has_nx;
	bool window[WINDOW_SPANS]; /* spans that the entry page tables map */
	bool windows_ready;        /* onto high memory */
} cpu;

void sim_cpu_reset(const struct sim_config *c)
{
	sim_cpu = (struct sim_cpu){0};
	cpu.count = cpu.upper_count = 0;
	cpu.has_large = !c->no_large;
	cpu.has_global = !c->no_global;
	cpu.has_nx = QUIRE_PAE && !c->no_nx;
	cpu.windows_ready = false;
	sim_paging(false);
}

void sim_paging(bool on)
{
	sim_cpu.on = on;
	for (uint32_t i = 0; i < WINDOW_SPANS && !on; i++)
		cpu.window[i] = (i + 1) * SIM_TABLE_PAGES <= SIM_ENTRY_FRAMES;
}

/* The TLB. */

static struct sim_translation *tlb_find(uint32_t page)
{
	for (uint32_t i = 0; i < cpu.count; i++)
		if (page - cpu.tlb[i].page < cpu.tlb[i].count)
			return &cpu.tlb[i];
	return NULL;
}

static struct sim_translation *tlb_add(struct sim_translation t)
{
	if (cpu.count == cpu.room) {
		cpu.room = cpu.room ? 2 * cpu.room : 64;
		cpu.tlb = realloc(cpu.tlb, cpu.room * sizeof(*cpu.tlb));
		if (!cpu.tlb)
			abort();
	}
	cpu.tlb[cpu.count] = t;
	return &cpu.tlb[cpu.count++];
}

/* Drops the translations that meet [first, first + count), and among these the global ones if `global`. */
static void tlb_drop(uint32_t first, uint32_t count, bool global)
{
	for (uint32_t i = 0; i < cpu.count;) {
		const struct sim_translation *t = &cpu.tlb[i];
		bool meets = t->page < first + count && first < t->page + t->count;

		if (meets && (global || !t->global))
			cpu.tlb[i] = cpu.tlb[--cpu.count];
		else
			i++;
	}
	cpu.upper_count = 0; /* SDM 3A 4.10.4.1: INVLPG and CR3 loads alike */
}

/* The caches of level 1. */

static const struct sim_upper *upper_find(uint32_t page)
{
	for (uint32_t i = 0; i < cpu.upper_count; i++)
		if (cpu.upper[i].key == page / SIM_TABLE_PAGES)
			return &cpu.upper[i];
	return NULL;
}

static void upper_add(struct sim_upper u)
{
	if (!upper_find(u.key * SIM_TABLE_PAGES))
		cpu.upper[cpu.upper_count++] = u;
}

/* Accesses. */

static struct sim_translation *translate(uint32_t page)
{
	struct sim_translation *t = tlb_find(page);
	struct sim_walk w = {.page = page, .known = upper_find(page)};
	bool mapped;

	if (t)
		return t;
	mapped = sim_walk(&w);
	if (w.has_upper)
		upper_add(w.upper);
	return mapped ? tlb_add(w.leaf) : NULL;
}

/* Sets Dirty in the entry, unless that has changed behind the TLB's back. */
static void mark_dirty(struct sim_translation *t)
{
	uint64_t entry;

	t->dirty = true;
	if (sim_ram_is_free(t->table))
		return;
	entry = sim_ram_entry(t->table, t->index);
	if (sim_walk_frame(entry) == t->frame)
		sim_ram_set_bits(t->table, t->index, 0x40);
}

/* The kernel's own views of all RAM: the direct map, and directory 0 where virtual is physical. */
static bool is_view_of_all(const struct sim_translation *t)
{
	uint32_t distance = t->page - t->frame;

	return !(t->allows & SIM_USER) && (distance == SIM_DIRECT_PAGE || distance == 0);
}

bool sim_access(uint32_t page, unsigned wants)
{
	struct sim_translation *t = translate(page);

	if (!t || (wants & ~t->allows))
		return false;
	if ((wants & SIM_WRITE) && !t->dirty)
		mark_dirty(t);
	if (!is_view_of_all(t) && sim_ram_is_free(t->frame + page - t->page))
		sim_violation("page 0x%x is accessed, and frame 0x%x behind it is free", page,
			      t->frame + page - t->page);
	return true;
}

uint32_t sim_translates(uint32_t page)
{
	const struct sim_translation *t = tlb_find(page);

	if (!t)
		panic("sim: page 0x%x was not accessed", page);
	return t->frame + page - t->page;
}

void sim_check_unreached(uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < cpu.count; i++) {
		const struct sim_translation *t = &cpu.tlb[i];
		uint32_t frame = t->frame > first ? t->frame : first;

		if (frame - first < count && frame - t->frame < t->count && !is_view_of_all(t))
			sim_violation("frame 0x%x freed while page 0x%x still translates to it", frame,
				      t->page + frame - t->frame);
	}
	for (uint32_t i = 0; i < cpu.upper_count; i++)
		if (cpu.upper[i].table - first < count)
			sim_violation("frame 0x%x freed while it is still cached as the table of page 0x%x",
				      cpu.upper[i].table, cpu.upper[i].key * SIM_TABLE_PAGES);
	if (!sim_cpu.on)
		return;
	if (sim_cpu.root - first < count)
		sim_violation("frame 0x%x freed while it is the loaded root", sim_cpu.root);
	for (uint32_t i = 0; QUIRE_PAE && i < 4; i++)
		if (sim_walk_frame(sim_cpu.root_entry[i]) - first < count)
			sim_violation("frame 0x%x freed while entry %u of the loaded root names it",
				      sim_walk_frame(sim_cpu.root_entry[i]), i);
}

/* Entries that change. */

/* Caches what a page of the loaded tables translates to by now. */
static void cache_ahead(uint32_t page)
{
	struct sim_walk w = {.page = page, .quiet = true};

	if (!tlb_find(page) && sim_walk(&w))
		tlb_add(w.leaf);
	if (w.has_upper)
		upper_add(w.upper);
}

/* An entry of level 1, for the pages of this key. */
static void upper_changes(uint32_t key, uint64_t old, uint64_t value)
{
	uint32_t table = sim_walk_frame(value);

	if (sim_walk_is_large(old))
		cache_ahead(key * SIM_TABLE_PAGES);
	else if (sim_walk_frame(old))
		for (uint32_t i = 0; i < SIM_TABLE_PAGES; i++)
			cache_ahead(key * SIM_TABLE_PAGES + i);
	if (!table || sim_walk_is_large(value))
		return;
	if (!sim_ram_is(table) || sim_ram_is_free(table))
		sim_violation("frame 0x%x becomes the table of page 0x%x and is %s", table,
			      key * SIM_TABLE_PAGES, sim_ram_is(table) ? "free" : "no RAM");
	else if (sim_ram_is_uncleared(table))
		sim_violation("frame 0x%x becomes the table of page 0x%x and was not cleared", table,
			      key * SIM_TABLE_PAGES);
}

/* An entry of level 0: caches the page that it maps, wherever the loaded tables have its table. */
static void leaf_changes(uint32_t directory, uint32_t first_key, uint32_t table, uint32_t index)
{
	uint32_t i = 0;

	while ((i = sim_ram_find_entry(directory, i, table)) < SIM_TABLE_PAGES) {
		if (!sim_walk_is_large(sim_ram_entry(directory, i)))
			cache_ahead((first_key + i) * SIM_TABLE_PAGES + index);
		i++;
	}
}

void sim_entry_changes(uint32_t frame, uint32_t index, uint64_t value)
{
	uint64_t old = sim_ram_entry(frame, index);

	if (!sim_cpu.on || old == value)
		return;
	for (uint32_t i = 0; i < SIM_DIRECTORIES; i++) {
		uint32_t key = i * SIM_TABLE_PAGES;
		uint32_t directory = sim_walk_directory(key * SIM_TABLE_PAGES);

		if (!directory)
			continue;
		if (directory == frame)
			upper_changes(key + index, old, value);
		else if (sim_walk_frame(old))
			leaf_changes(directory, key, frame, index);
	}
}

/* The kernel's way to its frames. */

bool sim_direct_shows(uint32_t frame)
{
	struct sim_walk w = {.page = SIM_DIRECT_PAGE + frame, .quiet = true};

	if (!sim_cpu.on)
		return cpu.window[frame / SIM_TABLE_PAGES];
	return sim_walk(&w) && w.leaf.frame + w.page - w.leaf.page == frame;
}

bool sim_windows_ready(void)
{
	return cpu.windows_ready;
}

void arch_boot_window_map(pfn_t first, pfn_t table)
{
	if (first.n % SIM_TABLE_PAGES || first.n >= SIM_DIRECT_FRAMES)
		panic("sim: a boot window cannot begin at frame 0x%x", first.n);
	if (!sim_direct_shows(table.n))
		sim_violation("frame 0x%x cannot be a table: it is not mapped", table.n);
	/* The table holds entries from here on: whoever uses the frame for something else has them in it. */
	arch_frame_fill(table, 0x7AB1E001);
	cpu.window[first.n / SIM_TABLE_PAGES] = true;
}

void arch_window_init(pte_t *entries)
{
	if (!sim_ram_is(arch_frame_of_direct(entries).n))
		panic("sim: the windows' entries are in no RAM");
	cpu.windows_ready = true;
}

/* arch/mmu.h. */

void arch_mmu_probe(bool as_486)
{
	arch_mmu.large = cpu.has_large && !as_486;
	arch_mmu.global = cpu.has_global && !as_486;
	arch_mmu.nx = cpu.has_nx && !as_486;
	arch_mmu.pfn_end = as_486 ? 1u << 20 : SIM_FRAME_LIMIT;
	arch_mmu.leaf_bits = PTE_AS_PROT & ~(arch_mmu.global ? 0 : PROT_GLOBAL);
	arch_mmu.nx_bit = arch_mmu.nx ? 1ull << 63 : 0;
}

/* The code that runs must be mapped where it runs, or the next instruction is never fetched. */
static void check_code(void)
{
	struct sim_walk w = {.page = SIM_DIRECT_PAGE + SIM_IMAGE_TEXT, .quiet = true};

	if (!sim_walk(&w) || w.leaf.frame + w.page - w.leaf.page != SIM_IMAGE_TEXT ||
	    !(w.leaf.allows & SIM_EXECUTE))
		panic("sim: root 0x%x does not map the code that loads it", sim_cpu.root);
}

void arch_mmu_enable(pfn_t root)
{
	if ((arch_mmu.large && !cpu.has_large) || (arch_mmu.global && !cpu.has_global) ||
	    (arch_mmu.nx && !cpu.has_nx))
		panic("sim: a feature is turned on that the CPU does not have");
	sim_cpu.large = arch_mmu.large;
	sim_cpu.global = arch_mmu.global;
	sim_cpu.nx = arch_mmu.nx;
	sim_cpu.on = true;
	arch_tlb_flush_all();
	sim_load_root(root.n);
	check_code();
}

void arch_mmu_load(pfn_t root)
{
	arch_tlb_flush_user();
	sim_load_root(root.n);
	if (sim_cpu.on)
		check_code();
}

pfn_t arch_mmu_root(void)
{
	return PFN(sim_cpu.root);
}

void arch_tlb_flush_page(vpn_t v)
{
	tlb_drop(v, 1, true);
}

void arch_tlb_flush_range(struct pages range)
{
	tlb_drop(range.first, range.count, true);
}

void arch_tlb_flush_user(void)
{
	tlb_drop(0, 1u << 20, false);
}

void arch_tlb_flush_all(void)
{
	tlb_drop(0, 1u << 20, true);
}
