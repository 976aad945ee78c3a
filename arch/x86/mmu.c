/*
 * arch/x86/mmu.c - the paging unit and its caches. Owns arch_mmu, and the control registers' paging bits. Lock:
 * none, all of it is this processor's own.
 */
#include <arch/cpu.h>
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <arch/pte_store.h>

#define LEAF_BITS (PTE_AS_PROT & ~PROT_GLOBAL)

/* Good for the entry page tables before anything is probed. */
struct arch_mmu arch_mmu = {.pfn_end = ARCH_PFN_END, .leaf_bits = LEAF_BITS};

static struct {
	uint32_t cr4; /* bits to be on while paging is; 0 where there may be no CR4 */
} unit;

void arch_mmu_probe(bool as_486)
{
	arch_cpu_identify(as_486);
	arch_mmu.large = QUIRE_PAE || (cpu_info.features & CPUID_PSE);
	arch_mmu.global = cpu_info.features & CPUID_PGE;
	arch_mmu.nx = QUIRE_PAE && (cpu_info.extended_features & CPUID_NX);
	if (cpu_info.physical_bits < 32 + 4 * QUIRE_PAE)
		arch_mmu.pfn_end = 1u << (cpu_info.physical_bits - PAGE_SHIFT);
	arch_mmu.leaf_bits = LEAF_BITS | (arch_mmu.global ? PROT_GLOBAL : 0);
	arch_mmu.nx_bit = arch_mmu.nx ? 1ull << 63 : 0;

	unit.cr4 = QUIRE_PAE ? CR4_PAE : arch_mmu.large ? CR4_PSE : 0;
	unit.cr4 |= arch_mmu.global ? CR4_PGE : 0;
	unit.cr4 |= cpu_info.protections & CPUID_SMEP ? CR4_SMEP : 0;
	unit.cr4 |= cpu_info.protections & CPUID_SMAP ? CR4_SMAP : 0;
	unit.cr4 |= cpu_info.more_protections & CPUID_UMIP ? CR4_UMIP : 0;
}

void arch_mmu_enable(pfn_t root)
{
	/* Without NXE the bit in an entry is reserved: it goes first. */
	if (arch_mmu.nx)
		arch_write_msr(MSR_EFER, arch_read_msr(MSR_EFER) | EFER_NXE);
	if (unit.cr4)
		arch_write_cr4((arch_read_cr4() & ~CR4_PGE) | (unit.cr4 & ~CR4_PGE));
	arch_mmu_load(root);
	arch_write_cr0(arch_read_cr0() | CR0_PG | CR0_WP);
	/* Last: global translations that earlier tables left would stay. */
	if (arch_mmu.global)
		arch_write_cr4(arch_read_cr4() | CR4_PGE);
}

void arch_mmu_load(pfn_t root)
{
	arch_write_cr3(root.n << PAGE_SHIFT);
}

pfn_t arch_mmu_root(void)
{
	return PFN(arch_read_cr3() >> PAGE_SHIFT);
}

void arch_tlb_flush_page(vpn_t v)
{
	__asm__ volatile("invlpg %0" : : "m"(*(const char *)vaddr_of(v)) : "memory");
}

void arch_tlb_flush_range(struct pages range)
{
	if (range.count > ARCH_TLB_RANGE_MAX) {
		arch_tlb_flush_all();
		return;
	}
	for (uint32_t i = 0; i < range.count; i++)
		arch_tlb_flush_page(range.first + i);
}

void arch_tlb_flush_user(void)
{
	arch_write_cr3(arch_read_cr3());
}

/* A change of CR4.PGE drops the global translations too: SDM 3A 4.10.4.1. */
void arch_tlb_flush_all(void)
{
	uint32_t cr4;

	if (!(unit.cr4 & CR4_PGE)) {
		arch_tlb_flush_user();
		return;
	}
	cr4 = arch_read_cr4();
	arch_write_cr4(cr4 & ~CR4_PGE);
	arch_write_cr4(cr4);
}

/* The level-1 table of the last GiB, or the whole root: kernel addresses are in it in both modes. */
extern pte_t entry_directory[];

void arch_boot_window_map(pfn_t first, pfn_t table)
{
	pte_t *entries = arch_frame_direct(table);
	uint32_t slot = arch_pt_index(1, first.n + ARCH_KERNEL_VPN);

	for (uint32_t i = 0; i < ARCH_LARGE_PAGES; i++)
		arch_pte_write(&entries[i], arch_pte_leaf(0, PFN(first.n + i), PROT_R | PROT_W | PROT_X));
	arch_pte_write(&entry_directory[slot], arch_pte_table(1, table));
}

extern char image_boot[], image_suite_text[], image_text[], image_rodata[], image_data[],
	image_suite_rodata[], image_suite_data[], image_end[];

struct arch_image arch_image(void)
{
	return (struct arch_image){
		.boot = arch_frame_of_direct(image_boot),
		.suite_text = arch_frame_of_direct(image_suite_text),
		.text = arch_frame_of_direct(image_text),
		.rodata = arch_frame_of_direct(image_rodata),
		.data = arch_frame_of_direct(image_data),
		.suite_rodata = arch_frame_of_direct(image_suite_rodata),
		.suite_data = arch_frame_of_direct(image_suite_data),
		.end = arch_frame_of_direct(image_end),
	};
}
