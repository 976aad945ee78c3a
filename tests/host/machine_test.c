/*
 * tests/host/machine_test.c - the simulated machine itself: what it must catch for the other suites to mean
 * something. Tables are built by hand from raw bits, in a directory that shares the kernel's part.
 *
 *	root (its directory)  ->  table  ->  page
 *	      pages from PAGE on map        frames of kalloc
 */
#include "sim.h"

#include <arch/frame_access.h>
#include <arch/irq.h>
#include <arch/pte_store.h>
#include <kernel/ktest.h>
#include <mm/boot_alloc.h>
#include <mm/frame.h>
#include <string.h>
#include <tests/ktest/machine.h>

#define P  0x001u
#define W  0x002u
#define U  0x004u
#define A  0x020u
#define D  0x040u
#define PS 0x080u
#define G  0x100u

#define PAGE  0x400u /* 4 MiB */
#define UPPER (PAGE / SIM_TABLE_PAGES)

static struct {
	pfn_t before; /* the root that was loaded */
	void *root, *directory, *table, *page, *other;
} my;

static uint64_t raw(void *page, uint64_t bits)
{
	return (uint64_t)arch_frame_of_direct(page).n << PAGE_SHIFT | bits;
}

static void set(void *table, uint32_t index, uint64_t value)
{
	pte_t entry = {0};

	memcpy(&entry, &value, sizeof(entry));
	arch_pte_write((pte_t *)table + index, entry);
}

static uint64_t get(void *table, uint32_t index)
{
	return arch_pte_read((const pte_t *)table + index).raw;
}

static void *zeroed(void)
{
	void *p = kalloc();

	return p ? memset(p, 0, PAGE_SIZE) : NULL;
}

KTEST_SETUP(machine)
{
	my.before = arch_mmu_root();
	my.root = zeroed();
	my.directory = QUIRE_PAE ? zeroed() : my.root;
	my.table = zeroed();
	my.page = zeroed();
	my.other = zeroed();
	ASSERT(my.root && my.directory && my.table && my.page && my.other);
	memcpy(my.root, arch_frame_direct(my.before), PAGE_SIZE);
	if (QUIRE_PAE)
		set(my.root, 0, raw(my.directory, P));
	set(my.directory, UPPER, raw(my.table, P | W | U));
	set(my.table, 0, raw(my.page, P | W));
	arch_mmu_load(arch_frame_of_direct(my.root));
}

KTEST_TEARDOWN(machine)
{
	arch_mmu_load(my.before);
	arch_tlb_flush_all();
	kfree(my.root);
	if (QUIRE_PAE)
		kfree(my.directory);
	kfree(my.table);
	if (my.page)
		kfree(my.page);
	kfree(my.other);
}

KTEST(machine, maps_what_the_tables_say)
{
	EXPECT(machine_reads(PAGE));
	EXPECT(machine_writes(PAGE));
	EXPECT(machine_executes(PAGE));
	EXPECT(!machine_reads(PAGE + 1));
	EXPECT(!machine_reads(PAGE + SIM_TABLE_PAGES));
}

KTEST(machine, missing_flush_is_seen)
{
	EXPECT(machine_reads(PAGE));
	set(my.table, 0, 0);
	EXPECT(machine_reads(PAGE));
	EXPECT(machine_writes(PAGE));
	arch_tlb_flush_page(PAGE + 1);
	EXPECT(machine_reads(PAGE));
	arch_tlb_flush_page(PAGE);
	EXPECT(!machine_reads(PAGE));
}

/* A processor may cache what it was never asked for. */
KTEST(machine, missing_flush_is_seen_for_a_page_never_used)
{
	set(my.table, 0, 0);
	EXPECT(machine_reads(PAGE));
	arch_tlb_flush_range(PAGES(PAGE - 3, 8));
	EXPECT(!machine_reads(PAGE));
}

KTEST(machine, missing_flush_is_seen_for_a_table_never_used)
{
	set(my.directory, UPPER, 0);
	EXPECT(machine_reads(PAGE));
	arch_tlb_flush_user();
	EXPECT(!machine_reads(PAGE));
}

KTEST(machine, change_of_rights_needs_a_flush)
{
	set(my.table, 0, raw(my.page, P));
	EXPECT(machine_writes(PAGE));
	arch_tlb_flush_page(PAGE);
	EXPECT(!machine_writes(PAGE));
	set(my.table, 0, raw(my.page, P | W));
	EXPECT(!machine_writes(PAGE));
	arch_tlb_flush_page(PAGE);
	EXPECT(machine_writes(PAGE));
}

KTEST(machine, absent_to_present_needs_no_flush)
{
	EXPECT(!machine_reads(PAGE + 1));
	set(my.table, 1, raw(my.page, P));
	EXPECT(machine_reads(PAGE + 1));
}

/* Level 1 is cached too: a new table is not seen before a flush, of whichever page. */
KTEST(machine, upper_level_is_cached)
{
	EXPECT(machine_reads(PAGE));
	set(my.other, 1, raw(my.page, P));
	set(my.directory, UPPER, raw(my.other, P | W | U));
	EXPECT(!machine_reads(PAGE + 1));
	arch_tlb_flush_page(0x7ffff);
	EXPECT(machine_reads(PAGE + 1));
	EXPECT(machine_reads(PAGE));
	arch_tlb_flush_page(PAGE);
	EXPECT(!machine_reads(PAGE));
}

KTEST(machine, freeing_a_reachable_frame_is_a_violation)
{
	EXPECT(machine_reads(PAGE));
	set(my.table, 0, 0);
	kfree(my.page);
	EXPECT_EQ(machine_violations(), 1);
	EXPECT(machine_reads(PAGE));
	EXPECT_EQ(machine_violations(), 1);
	my.page = NULL;
}

KTEST(machine, freeing_after_the_flush_is_right)
{
	EXPECT(machine_reads(PAGE));
	set(my.table, 0, 0);
	arch_tlb_flush_page(PAGE);
	kfree(my.page);
	EXPECT_EQ(machine_violations(), 0);
	my.page = NULL;
}

KTEST(machine, freeing_a_cached_table_is_a_violation)
{
	void *table = zeroed();

	ASSERT(table);
	set(my.directory, UPPER + 1, raw(table, P | W | U));
	EXPECT(!machine_reads(PAGE + SIM_TABLE_PAGES));
	set(my.directory, UPPER + 1, 0);
	/* Its pages are not mapped and their flush is not enough: the walk itself would use the table. */
	kfree(table);
	EXPECT_EQ(machine_violations(), 1);
}

KTEST(machine, freeing_the_loaded_root_is_a_violation)
{
	arch_frame_note_free(arch_frame_of_direct(my.root), 0);
	EXPECT_EQ(machine_violations(), 1);
	arch_frame_note_used(arch_frame_of_direct(my.root), 0);
}

KTEST(machine, accessed_and_dirty_are_set)
{
	EXPECT_EQ(get(my.table, 0) & (A | D), 0);
	EXPECT(machine_reads(PAGE));
	EXPECT_EQ(get(my.table, 0) & (A | D), A);
	EXPECT_EQ(get(my.directory, UPPER) & (A | D), A);
	EXPECT(machine_writes(PAGE));
	EXPECT_EQ(get(my.table, 0) & (A | D), A | D);
}

/* On a miss only: who clears Accessed must flush to see it set again. */
KTEST(machine, accessed_is_set_on_a_miss_only)
{
	EXPECT(machine_reads(PAGE));
	set(my.table, 0, raw(my.page, P | W));
	EXPECT(machine_reads(PAGE));
	EXPECT_EQ(get(my.table, 0) & A, 0);
	arch_tlb_flush_page(PAGE);
	EXPECT(machine_reads(PAGE));
	EXPECT_EQ(get(my.table, 0) & A, A);
}

KTEST(machine, exchange_returns_what_the_cpu_set)
{
	EXPECT(machine_writes(PAGE));
	EXPECT_EQ(arch_pte_exchange((pte_t *)my.table, (pte_t){0}).raw & (A | D), A | D);
	arch_tlb_flush_page(PAGE);
}

KTEST(machine, writes_need_every_level_to_allow_them)
{
	set(my.table, 1, raw(my.other, P));
	EXPECT(machine_reads(PAGE + 1));
	EXPECT(!machine_writes(PAGE + 1));
	set(my.directory, UPPER, raw(my.table, P | U));
	arch_tlb_flush_user();
	EXPECT(machine_reads(PAGE));
	EXPECT(!machine_writes(PAGE));
}

KTEST(machine, user_needs_every_level_to_allow_it)
{
	EXPECT(!sim_access(PAGE, SIM_USER));
	set(my.table, 1, raw(my.other, P | U));
	EXPECT(sim_access(PAGE + 1, SIM_USER));
	set(my.directory, UPPER, raw(my.table, P | W));
	arch_tlb_flush_user();
	EXPECT(!sim_access(PAGE + 1, SIM_USER));
}

KTEST(machine, no_execute_holds)
{
	if (!sim_cpu.nx)
		SKIP("the CPU has no no-execute");
	set(my.table, 1, raw(my.other, P | 1ull << 63));
	EXPECT(machine_reads(PAGE + 1));
	EXPECT(!machine_executes(PAGE + 1));
}

/* Returns the first frame of a large page without RAM, 0 where there is none. */
static uint32_t large_hole(void)
{
	for (uint32_t frame = 1u << 20; frame; frame -= SIM_TABLE_PAGES) {
		uint32_t n = 0;

		while (n < SIM_TABLE_PAGES && !sim_ram_is(frame - SIM_TABLE_PAGES + n))
			n++;
		if (n == SIM_TABLE_PAGES)
			return frame - SIM_TABLE_PAGES;
	}
	return 0;
}

KTEST(machine, large_page_maps_all_its_pages)
{
	uint32_t frame = large_hole();

	if (!sim_cpu.large || !frame)
		SKIP("no large pages, or no place for one");
	set(my.directory, UPPER + 1, (uint64_t)frame << PAGE_SHIFT | P | PS);
	EXPECT(machine_reads(PAGE + SIM_TABLE_PAGES));
	EXPECT(machine_reads(PAGE + 2 * SIM_TABLE_PAGES - 1));
	EXPECT(!machine_writes(PAGE + SIM_TABLE_PAGES));
	set(my.directory, UPPER + 1, 0);
	EXPECT(machine_reads(PAGE + SIM_TABLE_PAGES + 5));
	arch_tlb_flush_page(PAGE + SIM_TABLE_PAGES + 7);
	EXPECT(!machine_reads(PAGE + SIM_TABLE_PAGES));
}

KTEST(machine, global_survives_a_load_only)
{
	if (!sim_cpu.global)
		SKIP("the CPU has no global pages");
	set(my.table, 1, raw(my.other, P | G));
	EXPECT(machine_reads(PAGE));
	EXPECT(machine_reads(PAGE + 1));
	set(my.table, 0, 0);
	set(my.table, 1, 0);
	arch_mmu_load(arch_frame_of_direct(my.root));
	EXPECT(!machine_reads(PAGE));
	EXPECT(machine_reads(PAGE + 1));
	arch_tlb_flush_user();
	EXPECT(machine_reads(PAGE + 1));
	arch_tlb_flush_all();
	EXPECT(!machine_reads(PAGE + 1));
}

/* An entry that the CPU faults on, at a level; and whether these features make it legal. */
struct broken {
	unsigned level;
	uint64_t bits;
	bool pae_only, two_level_only;
	bool needs_large, unless_large, unless_global, unless_nx;
};

static const struct broken broken[] = {
	{.level = 0, .bits = PS},
	{.level = 0, .bits = G, .unless_global = true},
	{.level = 0, .bits = 1ull << 36, .pae_only = true},
	{.level = 0, .bits = 1ull << 62, .pae_only = true},
	{.level = 0, .bits = 1ull << 63, .pae_only = true, .unless_nx = true},
	{.level = 1, .bits = 1ull << 36, .pae_only = true},
	{.level = 1, .bits = 1ull << 63, .pae_only = true, .unless_nx = true},
	{.level = 1, .bits = PS, .unless_large = true},
	{.level = 1, .bits = PS | 0x1000, .needs_large = true},
	{.level = 1, .bits = PS | 0x100000, .needs_large = true},
	{.level = 1, .bits = PS | 0x200000, .needs_large = true, .two_level_only = true},
};
static const uint32_t broken_index[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static bool is_broken_here(const struct broken *b)
{
	return !(b->pae_only && !QUIRE_PAE) && !(b->two_level_only && QUIRE_PAE) &&
	       !(b->needs_large && !sim_cpu.large) && !(b->unless_large && sim_cpu.large) &&
	       !(b->unless_global && sim_cpu.global) && !(b->unless_nx && sim_cpu.nx);
}

KTEST_EACH(machine, reserved_bits_are_caught, broken_index)
{
	const struct broken *b = &broken[param];

	if (!is_broken_here(b))
		SKIP("legal, or not possible, on this CPU");
	if (b->level == 0)
		set(my.table, 0, raw(my.page, P | b->bits));
	else if (b->bits & PS)
		set(my.directory, UPPER, P | b->bits | (sim_cpu.large ? 0 : raw(my.table, 0)));
	else
		set(my.directory, UPPER, raw(my.table, P | b->bits));
	arch_tlb_flush_all();
	EXPECT(!machine_reads(PAGE));
	EXPECT_EQ(machine_violations(), 1);
	set(my.directory, UPPER, 0);
}

static const uint32_t root_bits[] = {0x2, 0x4, 0x20, 0x40, 0x80, 0x100};

KTEST_EACH(machine, reserved_bits_of_a_root_are_caught, root_bits)
{
	if (!QUIRE_PAE)
		SKIP("two-level roots are ordinary tables");
	set(my.root, 0, raw(my.directory, P | param));
	arch_mmu_load(arch_frame_of_direct(my.root));
	EXPECT_EQ(machine_violations(), 1);
}

KTEST(machine, pae_root_is_read_at_load_only)
{
	if (!QUIRE_PAE)
		SKIP("two-level roots are ordinary tables");
	set(my.root, 0, 0);
	arch_tlb_flush_page(PAGE);
	EXPECT(machine_reads(PAGE));
	arch_mmu_load(arch_frame_of_direct(my.root));
	EXPECT(!machine_reads(PAGE));
}

static const uint32_t first_words[] = {0x9E0CA5ED, 0, 0x123};

/* Whoever links such tables through their first words has written there. */
KTEST_EACH(machine, table_that_was_not_cleared_is_a_violation, first_words)
{
	arch_frame_fill(arch_frame_of_direct(my.other), 0x9E0CA5ED);
	*(uint32_t *)my.other = param;
	set(my.directory, UPPER + 1, raw(my.other, P | W | U));
	EXPECT_EQ(machine_violations(), 1);
	set(my.directory, UPPER + 1, 0);
	arch_tlb_flush_all();
	machine_violations();
}

KTEST(machine, table_in_a_free_frame_is_a_violation)
{
	void *p = kalloc();

	ASSERT(p);
	kfree(p);
	set(my.directory, UPPER + 1, raw(p, P | W | U));
	EXPECT_EQ(machine_violations(), 1);
	EXPECT(!machine_reads(PAGE + SIM_TABLE_PAGES));
	EXPECT_EQ(machine_violations(), 1);
	set(my.directory, UPPER + 1, 0);
}

KTEST(machine, touching_a_free_frame_is_a_violation)
{
	void *p = kalloc();
	pfn_t f = arch_frame_of_direct(p);
	uint32_t word;

	ASSERT(p);
	kfree(p);
	arch_frame_read(f, 0, &word, sizeof(word));
	EXPECT_EQ(machine_violations(), 1);
	arch_frame_write(f, 0, &word, sizeof(word));
	EXPECT_EQ(machine_violations(), 1);
}

KTEST(machine, frame_handed_out_or_freed_twice_is_a_violation)
{
	pfn_t f = arch_frame_of_direct(my.other);

	arch_frame_note_used(f, 0);
	EXPECT_EQ(machine_violations(), 1);
	arch_frame_note_free(f, 0);
	EXPECT_EQ(machine_violations(), 0);
	arch_frame_note_free(f, 0);
	EXPECT_EQ(machine_violations(), 1);
	arch_frame_note_used(f, 0);
}

/* Without the entry tables' window there is no direct map, and without a full map nothing beyond the window. */
KTEST(machine, boot_window_is_enforced)
{
	uint32_t span = SIM_DIRECT_FRAMES - SIM_TABLE_PAGES;

	sim_paging(false);
	arch_frame_direct(PFN(SIM_ENTRY_FRAMES - 1));
	EXPECT_EQ(machine_violations(), 0);
	arch_frame_direct(PFN(SIM_ENTRY_FRAMES));
	EXPECT_EQ(machine_violations(), 1);
	arch_frame_direct(PFN(span));
	EXPECT_EQ(machine_violations(), 1);
	arch_boot_window_map(PFN(span), PFN(SIM_SPARE));
	arch_frame_direct(PFN(span));
	EXPECT_EQ(machine_violations(), 0);
	sim_paging(true);
}

KTEST(machine, direct_map_has_holes)
{
	uint32_t hole = SIM_DIRECT_FRAMES - 1;

	while (sim_ram_is(hole / SIM_TABLE_PAGES * SIM_TABLE_PAGES) || sim_ram_is(hole))
		hole -= SIM_TABLE_PAGES;
	if (hole >= SIM_DIRECT_FRAMES)
		SKIP("no hole in the direct map's reach");
	arch_frame_direct(PFN(hole));
	EXPECT_EQ(machine_violations(), 1);
}

KTEST(machine, pointers_elsewhere_are_no_frames)
{
	int local = 0;

	EXPECT_EQ(arch_frame_of_direct(&local).n, 0);
	EXPECT_EQ(arch_frame_of_direct(NULL).n, 0);
	EXPECT_EQ(arch_frame_of_direct(sim_direct - 1).n, 0);
	EXPECT_EQ(arch_frame_of_direct(sim_direct + PAGE_SIZE * 5 + 17).n, 5);
}

KTEST(machine, interrupt_state_nests)
{
	uint32_t outer = arch_irq_save(), inner = arch_irq_save();

	EXPECT_EQ(sim_interrupts, 0);
	arch_irq_restore(inner);
	EXPECT_EQ(sim_interrupts, 0);
	arch_irq_restore(outer);
	EXPECT_EQ(sim_interrupts, 1);
}

KTEST_PANICS(machine, spinning_panics, "the only processor spins")
{
	arch_relax();
}

KTEST_PANICS(machine, root_without_the_kernel_panics, "does not map the code")
{
	memset(my.root, 0, PAGE_SIZE);
	arch_mmu_load(arch_frame_of_direct(my.root));
}

KTEST_PANICS(machine, entry_outside_of_ram_panics, "which is no RAM")
{
	pte_t local = {0};

	arch_pte_write(&local, (pte_t){0});
}

/* A write that no kernel could do here: the machine itself changes a free frame. */
KTEST(machine, the_allocators_check_sees_lost_poison)
{
	uint32_t poison;
	pfn_t f;

	ASSERT_EQ(frame_alloc(ALLOC_KERNEL, &f), 0);
	frame_put(f);
	poison = (uint32_t)sim_ram_entry(f.n, 7);
	EXPECT_EQ(check_free_list(), 0);
	sim_ram_set_bits(f.n, 7, ~poison);
	EXPECT_ONE_FAULT(check_free_list());
	sim_ram_fill(f.n, poison);
	EXPECT_EQ(check_free_list(), 0);
}
