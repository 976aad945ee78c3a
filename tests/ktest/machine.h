/*
 * tests/ktest/machine.h - what a case may ask of the machine that it runs on. Two implementations: the real one
 * (tests/ktest/machine.c) and the simulated one (tests/host/machine.c), so that cases run on both.
 */
#ifndef TESTS_MACHINE_H
#define TESTS_MACHINE_H

#include <mm/boot_alloc.h>
#include <mm/pgtable.h>

/* True when the supervisor can read, write or execute at the first byte of a page of the loaded directory. */
bool machine_reads(vpn_t v);
bool machine_writes(vpn_t v);
bool machine_executes(vpn_t v);

/*
 * Copy as a program of a space does that is loaded: through its translations, with each fault taken to vm_fault. 0, or
 * what the first fault came to that could not be resolved; -EIO when one is resolved and comes again all the same.
 */
struct space;
int machine_user_read(struct space *s, vaddr_t from, void *to, uint32_t n);
int machine_user_write(struct space *s, vaddr_t to, const void *from, uint32_t n);

/* Frames handed out, less those of the container table, which only grows. */
uint32_t machine_frames_used(void);

/* Broken rules that the simulated machine saw since the last call, each printed when it happened; 0 on a real one. */
uint32_t machine_violations(void);

/* frame_fail_after: the allocation after the next n and all later ones fail; -1 ends it. */
void machine_fail_after(int32_t n);

/* Sets who is asked for a page that the copy functions of arch/usercopy.h miss, as user_hooks.fault; null: nobody. */
void machine_on_user_fault(bool (*fault)(vaddr_t va, uint32_t error));

/* True on the simulated machine. */
bool machine_is_simulated(void);

/* Returns the first of count frames in a row that are no memory: a device's, for all that mm knows. */
static inline pfn_t machine_device_frames(uint32_t count)
{
	uint32_t n = arch_mmu.pfn_end - count;

	while (!memmap_no_ram(boot_memmap(), PFN(n), count))
		n -= 0x100;
	return PFN(n);
}

/* True when the loader and phase one left 2^order direct-mapped frames in a row, aligned to their size. */
static inline bool machine_has_block(unsigned order)
{
	uint64_t size = (uint64_t)PAGE_SIZE << order;

	for (uint32_t i = 0; i < boot_memmap()->count; i++) {
		struct mem_range r = memmap_range(boot_memmap(), i);
		uint64_t first = (r.start + size - 1) & ~(size - 1);

		if (r.kind == MEM_USABLE && first + size <= r.end &&
		    first + size <= (uint64_t)ARCH_DIRECT_PAGES << PAGE_SHIFT)
			return true;
	}
	return false;
}

#endif
