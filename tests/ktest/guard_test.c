/*
 * tests/ktest/guard_test.c - what guards the kernel against its own mistakes: the stack protector, UBSan, and the
 * CPU's SMEP, SMAP and UMIP, tried with a page that a program could have. On the real machine only.
 */
#include <arch/clock.h>
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <arch/probe.h>
#include <arch/stack_guard.h>
#include <arch/trap.h>
#include <arch/user_access.h>
#include <kernel/ktest.h>
#include <mm/kmap.h>
#include <tests/ktest/eat_stack.h>
#include <tests/ktest/machine.h>

#define V 0x2345u

static struct pdir pd;

KTEST_TEARDOWN(guard)
{
	arch_user_close();
	set_pdir_base(&kernel_pdir);
	if (pd.root.n)
		vm_free(&pd);
	pd.root = NO_FRAME;
}

/* Loads a directory with one USER page, all of it allowed, that begins with a RET. */
static bool load_user_page(void)
{
	uint8_t ret = ARCH_RET;

	EXPECT_EQ(pdir_init(&pd, CONTAINER_ROOT), 0);
	if (!pd.root.n || alloc_page(&pd, V, PROT_R | PROT_W | PROT_X | PROT_USER))
		return EXPECT(false);
	arch_frame_write(arch_pte_pfn(get_ptbl_entry_by_va(&pd, vaddr_of(V))), 0, &ret, 1);
	set_pdir_base(&pd);
	return true;
}

/* What CPUID tells and what CR4 says are the same; a CPU without CPUID has none of it. */
KTEST(guard, cr4_has_each_protection_that_the_cpu_has)
{
	uint32_t cr4 = trap_control().cr4;

	EXPECT_EQ(!!(cr4 & CR4_SMEP), !!(cpu_info.protections & CPUID_SMEP));
	EXPECT_EQ(!!(cr4 & CR4_SMAP), !!(cpu_info.protections & CPUID_SMAP));
	EXPECT_EQ(!!(cr4 & CR4_UMIP), !!(cpu_info.more_protections & CPUID_UMIP));
}

KTEST(guard, umip_is_on)
{
	if (!(cpu_info.more_protections & CPUID_UMIP))
		SKIP("the CPU has no UMIP");
	EXPECT(trap_control().cr4 & CR4_UMIP);
}

KTEST(guard, smep_keeps_the_kernel_from_executing_user_pages)
{
	if (!(cpu_info.protections & CPUID_SMEP))
		SKIP("the CPU has no SMEP");
	ASSERT(load_user_page());
	EXPECT(!arch_probe_execute(vaddr_of(V)));
	EXPECT(machine_executes(V)); /* nothing else forbids it */
	EXPECT(!arch_probe_execute(vaddr_of(V)));
}

KTEST(guard, smap_keeps_the_kernel_from_user_pages)
{
	if (!(cpu_info.protections & CPUID_SMAP))
		SKIP("the CPU has no SMAP");
	ASSERT(load_user_page());
	EXPECT(!arch_probe_read(vaddr_of(V)) && !arch_probe_write(vaddr_of(V)));
	arch_user_open();
	EXPECT(arch_probe_read(vaddr_of(V)) && arch_probe_write(vaddr_of(V)));
	arch_user_close();
	EXPECT(!arch_probe_read(vaddr_of(V)) && !arch_probe_write(vaddr_of(V)));
}

/* A fault with the way open, as of a program's bad pointer, leaves it open for what follows. */
KTEST(guard, a_fault_leaves_the_way_to_user_pages_as_it_was)
{
	ASSERT(load_user_page());
	arch_user_open();
	EXPECT(!arch_probe_read(vaddr_of(V + 1)));
	EXPECT(arch_probe_read(vaddr_of(V)));
	arch_user_close();
	EXPECT(!arch_probe_read(vaddr_of(V + 1)));
	EXPECT_EQ(arch_probe_read(vaddr_of(V)), !(cpu_info.protections & CPUID_SMAP));
}

KTEST(guard, without_smep_and_smap_user_pages_are_open)
{
	if (cpu_info.protections & (CPUID_SMEP | CPUID_SMAP))
		SKIP("the CPU has SMEP or SMAP");
	ASSERT(load_user_page());
	EXPECT(arch_probe_read(vaddr_of(V)) && arch_probe_write(vaddr_of(V)));
	EXPECT(arch_probe_execute(vaddr_of(V)));
}

/* Every i486 has the flag: trap_dispatch panics when it finds it set, and the return sets it again. */
KTEST(guard, traps_run_with_the_way_to_user_pages_closed)
{
	uint32_t after;

	__asm__ volatile("pushfl\n\t"
			 "orl %1, (%%esp)\n\t"
			 "popfl\n\t"
			 "int $39\n\t"
			 "pushfl\n\t"
			 "movl (%%esp), %0\n\t"
			 "andl %2, (%%esp)\n\t"
			 "popfl"
			 : "=&r"(after)
			 : "i"(EFLAGS_AC), "i"(~EFLAGS_AC)
			 : "memory", "cc");
	EXPECT(after & EFLAGS_AC);
	EXPECT(!(arch_read_eflags() & EFLAGS_AC));
}

KTEST(guard, the_stack_guard_is_of_this_boot)
{
	EXPECT_NE(__stack_chk_guard, STACK_GUARD_FIXED);
	EXPECT_EQ(__stack_chk_guard & 0xFF, 0);
}

KTEST(guard, noise_does_not_repeat)
{
	uint32_t first = arch_clock_noise();
	uint32_t same = 0;

	while (same < 1000000 && arch_clock_noise() == first)
		same++;
	EXPECT(same < 1000000);
}

/* Whoever still walked the entry page tables, as the double fault's task did at first, would find nonsense. */
KTEST_PANICS(guard, a_double_fault_needs_no_boot_memory, "kernel stack overflow")
{
	struct arch_image image = arch_image();

	for (uint32_t n = image.boot.n; n < image.suite_text.n; n++)
		if (!frame_refs(PFN(n)))
			arch_frame_fill(PFN(n), 0xC3C3C3C3);
	arch_tlb_flush_all();
	eat_stack(param);
}

/* Writes over its own return address, as a loop with a wrong limit does. */
static __attribute__((noinline)) uint32_t smash(uint32_t beyond)
{
	uint8_t room[16] = {0};
	uint8_t *at = room;

	__asm__ volatile("" : "+r"(at)); /* the compiler forgets where it points */
	for (uint32_t i = 0; i < sizeof(room) + beyond; i++)
		at[i] = 0x41;
	return room[beyond % sizeof(room)];
}

KTEST_PANICS(guard, smashed_stack_panics, "the stack was overwritten in the function that goes on at")
{
	smash(32 + param);
}

KTEST_PANICS(guard, undefined_behaviour_panics, "undefined behaviour: addition overflows")
{
	volatile int32_t sum = INT32_MAX;

	if (!QUIRE_UBSAN)
		SKIP("this build has no UBSan");
	sum = sum + 1 + (int32_t)param;
}
