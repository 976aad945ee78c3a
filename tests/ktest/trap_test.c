/* tests/ktest/trap_test.c - exceptions on the real machine: probes, protection, and panics that say what happened. */
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/irq.h>
#include <arch/mmu.h>
#include <arch/probe.h>
#include <arch/trap.h>
#include <kernel/cmdline.h>
#include <kernel/ktest.h>
#include <kernel/symbols.h>
#include <lib/panic.h>
#include <mm/kmap.h>
#include <tests/ktest/eat_stack.h>
#include <tests/ktest/machine.h>

static const uint8_t rodata[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE))) = {1};
static uint8_t data[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static vpn_t page_of(const volatile void *p)
{
	return vpn_of((vaddr_t)p);
}

static vpn_t text_page(void)
{
	return vpn_of((vaddr_t)trap_init);
}

KTEST(trap, page_zero_is_not_mapped)
{
	EXPECT(!machine_reads(0));
	EXPECT(!machine_writes(0));
	EXPECT(!machine_executes(0));
	EXPECT(!arch_probe_execute(0));
}

KTEST(trap, text_is_read_and_executed_only)
{
	EXPECT(machine_reads(text_page()));
	EXPECT(machine_executes(text_page()));
	EXPECT(!machine_writes(text_page()));
}

KTEST(trap, read_only_data_is_not_written)
{
	EXPECT(machine_reads(page_of(rodata)));
	EXPECT(!machine_writes(page_of(rodata)));
	EXPECT_EQ(rodata[0], 1);
}

KTEST(trap, data_is_read_and_written)
{
	data[0] = 0x5A;
	EXPECT(machine_reads(page_of(data)));
	EXPECT(machine_writes(page_of(data)));
	EXPECT_EQ(data[0], 0x5A);
}

KTEST(trap, data_is_not_executed)
{
	if (!arch_mmu.nx)
		SKIP("no no-execute here: the CPU or the paging mode lacks it");
	EXPECT(!machine_executes(page_of(data)));
	EXPECT(!machine_executes(page_of(rodata)));
}

KTEST(trap, data_is_executed_without_no_execute)
{
	if (arch_mmu.nx)
		SKIP("this machine has no-execute");
	EXPECT(machine_executes(page_of(data)));
	EXPECT(machine_executes(page_of(rodata)));
}

/* The byte that the probe makes a RET is as it was, in pages that nobody may write too. */
KTEST(trap, asking_whether_a_page_executes_leaves_no_trace)
{
	data[0] = 0x5A;
	for (int i = 0; i < 3; i++) {
		machine_executes(page_of(data));
		machine_executes(page_of(rodata));
	}
	EXPECT_EQ(data[0], 0x5A);
	EXPECT_EQ(rodata[0], 1);
	EXPECT(!machine_writes(page_of(rodata)));
}

KTEST(trap, guard_page_below_the_running_stack)
{
	volatile uint8_t here = 0;
	vpn_t v = page_of(&here);
	uint32_t down = 0;

	while (down <= KSTACK_PAGES && !kstack_guard(vaddr_of(v - down)))
		down++;
	ASSERT(down >= 1 && down <= KSTACK_PAGES);
	EXPECT(machine_writes(v - down + 1));
	EXPECT(!machine_reads(v - down));
	EXPECT(!machine_writes(v - down));
	EXPECT(!machine_executes(v - down));
}

/* Each failed probe leaves stack and registers as they were: thousands in a row would show it. */
KTEST(trap, fix_ups_balance_the_stack)
{
	volatile uint8_t before = 0;
	uint32_t canary = 0x1234ABCD;

	for (uint32_t i = 0; i < 3000; i++) {
		EXPECT(!arch_probe_read(i));
		EXPECT(!arch_probe_write(i));
		EXPECT(!arch_probe_execute(i));
	}
	EXPECT_EQ(canary, 0x1234ABCD);
	EXPECT_EQ(before, 0);
}

KTEST(trap, executable_code_is_called)
{
	EXPECT(machine_executes(text_page()));
	data[0] = ARCH_RET;
	EXPECT_EQ(arch_probe_execute((vaddr_t)data), !arch_mmu.nx);
}

/* A controller names its last line when the request went away; nobody may mind. */
KTEST(trap, spurious_interrupts_are_ignored)
{
	__asm__ volatile("int $39\n\tint $47");
}

#define PIC_MASTER 0x20
#define PIC_SLAVE  0xA0
#define READ_IRR   0x0A /* lines that ask */
#define READ_ISR   0x0B /* lines in service */
#define RTC        0x70
#define RTC_TICKS  0x40 /* in its register B */

static uint8_t pic_read(uint16_t pic, uint8_t what)
{
	arch_out8(pic, what);
	return arch_in8(pic);
}

static void rtc_write(uint8_t index, uint8_t value)
{
	arch_out8(RTC, index);
	arch_out8(RTC + 1, value);
}

static uint8_t rtc_read(uint8_t index)
{
	arch_out8(RTC, index);
	return arch_in8(RTC + 1);
}

/* Makes the clock ask on the slave's first line; false when it does not within a second. */
static bool clock_asks(void)
{
	rtc_write(0x0B, rtc_read(0x0B) | RTC_TICKS);
	for (uint32_t i = 0; i < 1000000; i++) {
		rtc_read(0x0C);
		if (pic_read(PIC_SLAVE, READ_IRR) & 1)
			return true;
	}
	return false;
}

/* The slave's request goes away when the master has it already: the CPU is told of the slave's last line. */
KTEST(trap, a_spurious_interrupt_of_the_slave_leaves_nothing_in_service)
{
	uint8_t registers = rtc_read(0x0B);
	uint32_t flags = arch_irq_save();
	bool asks;

	arch_out8(PIC_SLAVE + 1, 0xFE);
	asks = clock_asks();
	arch_out8(PIC_SLAVE + 1, 0xFF);
	rtc_write(0x0B, registers);
	rtc_read(0x0C);
	if (asks) {
		arch_out8(PIC_MASTER + 1, 0xFB);
		__asm__ volatile("sti\n\tnop\n\tnop\n\tcli");
		arch_out8(PIC_MASTER + 1, 0xFF);
	}
	arch_irq_restore(flags);
	if (!asks)
		SKIP("this machine has no clock that ticks");
	EXPECT_EQ(pic_read(PIC_MASTER, READ_ISR), 0);
}

KTEST(trap, every_exception_has_a_name)
{
	for (uint32_t v = 0; v < TRAP_VECTORS; v++)
		ASSERT(trap_name(v) && *trap_name(v));
}

KTEST(trap, control_registers_say_that_protection_is_on)
{
	struct trap_control c = trap_control();

	EXPECT_EQ(c.cr0 >> 31, 1);
	EXPECT_EQ(c.cr0 >> 16 & 1, 1);
	EXPECT_EQ(vpn_of(c.cr3), arch_mmu_root().n);
}

KTEST(trap, there_is_no_local_descriptor_table)
{
	uint32_t selector;

	__asm__ volatile("sldt %0" : "=r"(selector));
	EXPECT_EQ(selector & 0xFFFF, 0);
	__asm__ volatile("lar %1, %0"
			 : "=r"(selector)
			 : "r"(0x1237), "0"(0x5A5A5A5A)
			 : "cc"); /* no access through it */
	EXPECT_EQ(selector, 0x5A5A5A5A);
}

/* Whatever of the paging unit the CPU has is found, and on; where it is to pass for a 486, nothing is. */
KTEST(trap, what_the_paging_unit_has_is_on)
{
	uint32_t cr4 = trap_control().cr4;

	EXPECT(!kernel_options.as_486 || !cpu_info.has_cpuid);
	EXPECT_EQ(arch_mmu.large, QUIRE_PAE || (cpu_info.features & CPUID_PSE));
	EXPECT_EQ(arch_mmu.global, !!(cpu_info.features & CPUID_PGE));
	EXPECT_EQ(arch_mmu.nx, QUIRE_PAE && (cpu_info.extended_features & CPUID_NX));
	EXPECT_EQ(!!(cr4 & CR4_PAE), QUIRE_PAE);
	EXPECT_EQ(!!(cr4 & CR4_PSE), !QUIRE_PAE && arch_mmu.large);
	EXPECT_EQ(!!(cr4 & CR4_PGE), arch_mmu.global);
	if (arch_mmu.nx)
		EXPECT(arch_read_msr(MSR_EFER) & EFER_NXE);
}

KTEST(trap, functions_have_names)
{
	uint32_t offset = 1;
	const char *name = symbol_find((uint32_t)trap_init, &offset);

	ASSERT(name);
	EXPECT_EQ(offset, 0);
	EXPECT(name[0] == 't' && name[5] == 'i');
	ASSERT(symbol_find((uint32_t)trap_init + 1, &offset));
	EXPECT_EQ(offset, 1);
	EXPECT(!symbol_find(0, &offset));
	EXPECT(!symbol_find(UINT32_MAX, &offset));
	EXPECT(!symbol_find((uint32_t)data, &offset));
}

KTEST_PANICS(trap, divide_error_panics, "divide error")
{
	volatile uint32_t zero = 0;

	__asm__ volatile("divl %0" : : "m"(zero) : "eax", "edx", "cc");
}

KTEST_PANICS(trap, invalid_opcode_panics, "invalid opcode")
{
	__asm__ volatile("ud2");
}

KTEST_PANICS(trap, breakpoint_panics, "breakpoint")
{
	__asm__ volatile("int3");
}

KTEST_PANICS(trap, bad_selector_panics, "general protection, error code 0xfff8")
{
	__asm__ volatile("movl %0, %%es" : : "r"(0xFFF8));
}

KTEST_PANICS(trap, unexpected_interrupt_panics, "interrupt 200, which nothing asked for")
{
	__asm__ volatile("int $200");
}

KTEST_PANICS(trap, null_write_names_the_address, "page fault: write to 0x00000010, nothing is mapped there")
{
	*(volatile uint32_t *)(param + 0x10) = 0;
}

KTEST_PANICS(trap, null_read_names_the_address, "page fault: read of 0x00000004, nothing is mapped there")
{
	(void)*(volatile uint32_t *)(param + 4);
}

KTEST_PANICS(trap, null_call_names_the_address, "page fault: fetch from 0x00000000, nothing is mapped there")
{
	((void (*)(void))param)();
}

KTEST_PANICS(trap, text_write_panics, "its protection forbids it")
{
	*(volatile uint8_t *)trap_init = (uint8_t)param;
}

KTEST_PANICS(trap, guard_page_access_is_named, "the guard page of a kernel stack")
{
	vaddr_t top = kstack_alloc();

	ASSERT(top);
	*(volatile uint8_t *)(top - KSTACK_PAGES * PAGE_SIZE - 1) = (uint8_t)param;
}

KTEST_PANICS(trap, stack_overflow_is_reported_as_one, "kernel stack overflow")
{
	eat_stack(param);
}

KTEST_PANICS(trap, broken_invariant_panics, "param == 1 does not hold")
{
	INVARIANT(param == 1);
}

/* Formatting the message faults, so the panic's own report fails: one line, and the end. */
KTEST_PANICS(trap, panic_within_panic_ends, "panic while panicking: page fault: read of 0x00000003")
{
	panic("%s", (const char *)(param + 3));
}
