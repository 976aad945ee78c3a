/*
 * tests/host/machine.c - a simulated machine, from its description up to the state in which the kernel's own
 * tests run; and what tests/ktest/machine.h asks of it. The order is that of kernel/main.c.
 *
 *	frame 0    0x100  0x104         0x108  0x114    0x11c  0x124    0x12c    0x12d
 *	| RAM     | boot | suites' text | text | rodata | data | suites | module | RAM ...
 */
#include "sim.h"

#include <arch/frame_access.h>
#include <lib/panic.h>
#include <mm/boot_alloc.h>
#include <mm/fault.h>
#include <mm/kmap.h>
#include <mm/slab.h>
#include <tests/ktest/machine.h>

#define JUNK       0xA7A7A7A7u
#define JUNK_LIMIT 0x4000u /* frames: filling more would cost the host its memory */

struct arch_image arch_image(void)
{
	return (struct arch_image){
		.boot = PFN(SIM_IMAGE_BOOT),
		.suite_text = PFN(SIM_IMAGE_SUITE_TEXT),
		.text = PFN(SIM_IMAGE_TEXT),
		.rodata = PFN(SIM_IMAGE_RODATA),
		.data = PFN(SIM_IMAGE_DATA),
		.suite_rodata = PFN(SIM_IMAGE_SUITE_RODATA),
		.suite_data = PFN(SIM_IMAGE_SUITE_DATA),
		.end = PFN(SIM_IMAGE_END),
	};
}

/* What a loader would tell, and what the entry code adds to it. */
static void describe(const struct sim_config *c, struct memmap *m)
{
	memmap_init(m);
	for (unsigned i = 0; i < SIM_EXTENTS && c->ram[i].count; i++)
		memmap_mark(m, paddr_of(PFN(c->ram[i].first)).a, (uint64_t)c->ram[i].count << PAGE_SHIFT,
			    MEM_USABLE);
	memmap_mark(m, 0xF0000, 0x10000, MEM_RESERVED);
	memmap_mark(m, paddr_of(PFN(SIM_MODULE)).a, PAGE_SIZE, MEM_MODULE);
	memmap_mark(m, (uint64_t)SIM_FRAME_LIMIT << PAGE_SHIFT, 1 << 24,
		    MEM_USABLE); /* beyond the mode's reach */
	kmap_claim_image(m, !c->no_suites);
}

/* RAM is not cleared when a machine is switched on. */
static void fill_with_junk(const struct sim_config *c)
{
	for (unsigned i = 0; i < SIM_EXTENTS; i++)
		for (uint32_t n = 0; n < c->ram[i].count && c->ram[i].count <= JUNK_LIMIT; n++)
			sim_ram_fill(c->ram[i].first + n, JUNK);
}

void sim_boot(const struct sim_config *c)
{
	if (!sim_ram_make(c))
		panic("sim: the host has no addresses for machine %s", c->name);
	fill_with_junk(c);
	sim_cpu_reset(c);
	arch_mmu_probe(false);
	describe(c, &boot_info.map);
	boot_alloc_init(&boot_info.map, PFN(SIM_ENTRY_FRAMES), PFN(SIM_SPARE));
	if (kvm_init(&kernel_pdir))
		panic("sim: no memory for the kernel's map");
	enable_paging(&kernel_pdir);
	boot_alloc_window_all();
	if (kmap_descriptors(&kernel_pdir))
		panic("sim: no memory for the frame descriptors");
	alloc_init();
	slab_init();
	container_init();
	if (idptbl_init() || pdir_init_kern(&identity_pdir))
		panic("sim: no memory for the identity map");
	if (space_init())
		panic("sim: no memory for the zero page");
	if (kmap_release_boot() != SIM_IMAGE_SUITE_TEXT - SIM_IMAGE_BOOT)
		panic("sim: not all of the boot-only part was given back");
}

bool machine_reads(vpn_t v)
{
	return sim_access(v, 0);
}

bool machine_writes(vpn_t v)
{
	return sim_access(v, SIM_WRITE);
}

bool machine_executes(vpn_t v)
{
	return sim_access(v, SIM_EXECUTE);
}

/* Takes what faults of a program of the loaded space lead to, until the access succeeds. */
static int user_access(struct space *s, uint32_t va, bool write)
{
	const struct vm_fault fault = {va, write, false};
	unsigned wants = SIM_USER | (write ? SIM_WRITE : 0);

	for (unsigned tries = 0; !sim_access(va >> PAGE_SHIFT, wants); tries++) {
		int err = tries < 3 ? vm_fault(s, &fault) : -EIO;

		if (err)
			return err;
	}
	return 0;
}

/* One byte after the other: each looks at the TLB again. */
int machine_user_read(struct space *s, vaddr_t from, void *to, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, from++) {
		int err = user_access(s, from, false);

		if (err)
			return err;
		arch_frame_read(PFN(sim_translates(vpn_of(from))), from % PAGE_SIZE, (char *)to + i, 1);
	}
	return 0;
}

int machine_user_write(struct space *s, vaddr_t to, const void *from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, to++) {
		int err = user_access(s, to, true);

		if (err)
			return err;
		arch_frame_write(PFN(sim_translates(vpn_of(to))), to % PAGE_SIZE, (const char *)from + i, 1);
	}
	return 0;
}

uint32_t machine_frames_used(void)
{
	return frame_used() - container_table_frames();
}

uint32_t machine_violations(void)
{
	return sim_violations();
}

void machine_fail_after(int32_t n)
{
	frame_fail_after(n);
}

bool machine_is_simulated(void)
{
	return true;
}
