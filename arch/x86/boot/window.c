/*
 * arch/x86/boot/window.c - the loader's memory, wherever it lies, through the last span of the entry page tables.
 * Places are given out one after the other and never taken back: the kernel's map puts an end to them all.
 */
#include "boot.h"
#include <arch/boot.h>
#include <arch/pte_store.h>

#define WINDOW_VPN   (ARCH_VPN_END - ARCH_LARGE_PAGES)
#define WINDOW_PAGES (ARCH_LARGE_PAGES - 1) /* the last page stays out: no pointer past it wraps to 0 */

extern pte_t entry_window_table[ARCH_LARGE_PAGES];

static struct {
	uint32_t used; /* pages */
} window;

BOOT_CODE static void *map(uint64_t physical, uint32_t bytes, prot_t prot)
{
	uint32_t offset = physical % PAGE_SIZE;
	uint32_t first = (uint32_t)(physical >> PAGE_SHIFT);
	uint32_t count = (uint32_t)(((uint64_t)offset + bytes + PAGE_SIZE - 1) >> PAGE_SHIFT);
	vpn_t v = WINDOW_VPN + window.used;

	if (physical >> 32 || ARCH_VPN_END - first < count || WINDOW_PAGES - window.used < count)
		return NULL;

	/* Absent to present: no flush is owed. */
	for (uint32_t i = 0; i < count; i++)
		arch_pte_write(&entry_window_table[window.used + i], arch_pte_leaf(0, PFN(first + i), prot));
	window.used += count;
	return (char *)vaddr_of(v) + offset;
}

BOOT_CODE const void *boot_window(uint64_t physical, uint32_t bytes)
{
	return map(physical, bytes, PROT_R | PROT_X);
}

BOOT_CODE void *arch_boot_device(paddr_t base, uint32_t bytes)
{
	/* Executable: without it the entry has a bit that is reserved until the CPU's no-execute is turned on. */
	return map(base.a, bytes, PROT_R | PROT_W | PROT_X | PROT_NOCACHE);
}
