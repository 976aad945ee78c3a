/*
 * tests/host/sim.h - the simulated machine among its own files:
 *
 *	ram.c      physical memory and what may be touched of it
 *	walk.c     the paging unit's walk, from raw bits
 *	cpu.c      CR3, the TLB and the caches of upper levels; implements arch/mmu.h
 *	machine.c  a machine from its description up to the kernel's map; implements tests/ktest/machine.h
 *	usercopy.c user memory; implements arch/usercopy.h
 *	panic.c    printk, panic, violations
 *	configs.c  the machines that the suites run on
 *	main.c     one process for each machine, one report for all
 */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include <arch/mmu.h>
#include <lib/types.h>

#define SIM_EXTENTS 24

/* A run of frames that are RAM. Ends the list where count is 0. */
struct sim_extent {
	uint32_t first, count;
};

enum sim_mode { SIM_TWO_LEVEL = 1, SIM_PAE = 2, SIM_BOTH = 3 };

struct sim_config {
	const char *name, *what;
	enum sim_mode modes;
	bool host64;       /* too large for a 32-bit host */
	bool slow_to_boot; /* cases that must panic, a boot for each, run on other machines only */
	bool no_large, no_global, no_nx;
	bool no_suites; /* the image's suites are not wanted */
	struct sim_extent ram[SIM_EXTENTS];
};

/* Returns machine i; null past the last. */
const struct sim_config *sim_config(unsigned i);

/* The image: at 1 MiB, as the real one. */
#define SIM_IMAGE_BOOT         0x100u
#define SIM_IMAGE_SUITE_TEXT   0x104u
#define SIM_IMAGE_TEXT         0x108u
#define SIM_IMAGE_RODATA       0x114u
#define SIM_IMAGE_DATA         0x11cu
#define SIM_IMAGE_SUITE_RODATA 0x124u
#define SIM_IMAGE_SUITE_DATA   0x128u
#define SIM_IMAGE_END          0x12cu
#define SIM_SPARE              (SIM_IMAGE_SUITE_RODATA - 1) /* with which phase one's window grows */
#define SIM_MODULE             SIM_IMAGE_END                /* GRUB puts modules directly behind the kernel */
#define SIM_ENTRY_FRAMES       0x400u                       /* the entry page tables map 4 MiB */

/* Makes the machine's RAM; all of it accessible. False when the host cannot give the addresses. */
bool sim_ram_make(const struct sim_config *c);

/* Tell what a frame is. Any number may be asked. */
bool sim_ram_is(uint32_t frame);
bool sim_ram_is_free(uint32_t frame);

/* Read, find by the frame it names, and set bits of a page-table entry; its size is the mode's. */
#define SIM_ENTRY_BYTES (QUIRE_PAE ? 8u : 4u)
uint64_t sim_ram_entry(uint32_t frame, uint32_t index);
uint32_t sim_ram_find_entry(uint32_t frame, uint32_t from, uint32_t named); /* SIM_TABLE_PAGES: no more */
void sim_ram_set_bits(uint32_t frame, uint32_t index, uint32_t bits);

/* Fills a frame, whatever state it is in. */
void sim_ram_fill(uint32_t frame, uint32_t word);

/* True for a frame all of whose words but the first, a link, are the same and not 0: a table that was never cleared. */
bool sim_ram_is_uncleared(uint32_t frame);

/* What a translation allows, all levels taken together. */
enum { SIM_WRITE = 1, SIM_USER = 2, SIM_EXECUTE = 4, SIM_ALL = 7 };

/* The end of a walk, as a TLB keeps it: count pages from page, count frames from frame. */
struct sim_translation {
	uint32_t page, frame, count;
	unsigned allows;
	bool global, dirty;
	uint32_t table, index; /* where the entry lies */
};

/* An entry of level 1 that names a table, as a CPU keeps it. */
struct sim_upper {
	uint32_t key; /* page / SIM_TABLE_PAGES */
	uint32_t table;
	unsigned allows;
};

struct sim_walk {
	uint32_t page;
	bool quiet;                    /* in: reports no violation, marks nothing as accessed */
	const struct sim_upper *known; /* in: a cached entry of level 1 to start from, or null */
	bool has_upper;                /* out: the walk went through an entry of level 1, which is: */
	struct sim_upper upper;
	struct sim_translation leaf; /* out, when sim_walk returned true */
};

/* The features that the simulated CPU has on, and the registers of its paging unit. */
struct sim_cpu {
	bool on, large, global, nx;
	uint32_t root;
	uint64_t root_entry[4]; /* PAE: as read when CR3 was loaded */
};
extern struct sim_cpu sim_cpu;

/* The format, as far as the machine's other parts must know it, and not from the kernel's headers. */
#define SIM_TABLE_PAGES   (QUIRE_PAE ? 512u : 1024u)
#define SIM_DIRECTORIES   (QUIRE_PAE ? 4u : 1u) /* tables of level 1; each has SIM_TABLE_PAGES entries */
#define SIM_FRAME_LIMIT   (QUIRE_PAE ? 1u << 24 : 1u << 20)
#define SIM_DIRECT_PAGE   0xC0000u
#define SIM_DIRECT_FRAMES (QUIRE_PAE ? 0x28000u : 0x37000u)

/* Walks the loaded tables for a page; false where nothing is mapped, or where an entry is broken: a violation. */
bool sim_walk(struct sim_walk *w);

/* Returns the frame of the table of level 1 for a page, 0 where there is none. */
uint32_t sim_walk_directory(uint32_t page);

/* Returns the frame that an entry names; 0 for an entry that is not present. True for one that maps a large page. */
uint32_t sim_walk_frame(uint64_t entry);
bool sim_walk_is_large(uint64_t entry);

/* Loads the registers from a root; what is wrong with it is a violation. */
void sim_load_root(uint32_t root);

/* Puts a machine's CPU in the state after reset. */
void sim_cpu_reset(const struct sim_config *c);

/*
 * false: back to the entry page tables, whose window is as it was at the start; true: to the root that is loaded.
 * Caches stay as they are.
 */
void sim_paging(bool on);

/* True when an access to a page would succeed; fills the TLB and marks entries as the CPU does. */
bool sim_access(uint32_t page, unsigned wants);

/* Returns the frame that the TLB has for a page that was accessed. */
uint32_t sim_translates(uint32_t page);

/* Records a violation for each cached translation or table that still reaches one of the frames. */
void sim_check_unreached(uint32_t first, uint32_t count);

/* True when the direct map, or the boot window before it, shows this frame. */
bool sim_direct_shows(uint32_t frame);

/* True once the windows onto high memory are there. */
bool sim_windows_ready(void);

/* Called before an entry changes: what the CPU may have cached of it by now. */
void sim_entry_changes(uint32_t frame, uint32_t index, uint64_t value);

/* Records a broken rule and prints it. */
void sim_violation(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns the violations since the last call. */
uint32_t sim_violations(void);

/* Boots a machine as the kernel does; panics where it cannot. */
void sim_boot(const struct sim_config *c);

#endif
