/*
 * arch/x86/apic.c - the local APIC. Owns its registers, mapped when the timer is first wanted. Lock: interrupts are
 * off.
 */
#include <arch/apic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/pic.h>
#include <mm/kmap.h>

#define BASE_ENABLED 0x800u
#define BASE_ADDRESS 0xFFFFF000u

/* Registers: their offsets in words. */
#define APIC_END      (0xB0 / 4)
#define APIC_SPURIOUS (0xF0 / 4)
#define APIC_TIMER    (0x320 / 4)
#define APIC_LINT0    (0x350 / 4)
#define APIC_COUNT    (0x380 / 4)
#define APIC_LEFT     (0x390 / 4)
#define APIC_DIVIDE   (0x3E0 / 4)

#define SOFTWARE_ON  0x100u
#define LVT_MASKED   0x10000u
#define LVT_PERIODIC 0x20000u
#define LVT_EXTERNAL 0x700u /* the 8259s' interrupts go on through LINT0 */
#define DIVIDE_BY_16 3u

static struct {
	volatile uint32_t *registers;
	void (*handler)(void);
} apic;

/* Counts up, as clocks do. */
static uint64_t passed(void)
{
	return UINT32_MAX - apic.registers[APIC_LEFT];
}

static bool find_apic(void)
{
	uint64_t base;

	if (apic.registers)
		return true;
	if (!(cpu_info.features & CPUID_APIC))
		return false;
	base = arch_read_msr(MSR_APIC_BASE);
	if (!(base & BASE_ENABLED))
		return false;
	apic.registers = kmap_device(PADDR(base & BASE_ADDRESS), PAGE_SIZE);
	return apic.registers;
}

bool apic_timer_start(uint32_t hz, void (*handler)(void))
{
	uint64_t ticks;
	uint32_t us;

	if (!find_apic())
		return false;
	apic.registers[APIC_SPURIOUS] = SOFTWARE_ON | TRAP_APIC_SPURIOUS;
	apic.registers[APIC_LINT0] = LVT_EXTERNAL;
	apic.registers[APIC_TIMER] = LVT_MASKED;
	apic.registers[APIC_DIVIDE] = DIVIDE_BY_16;
	apic.registers[APIC_COUNT] = UINT32_MAX;
	us = arch_clock_measure(passed, &ticks);
	if (!us || !ticks)
		return false;
	apic.handler = handler;
	apic.registers[APIC_TIMER] = LVT_PERIODIC | TRAP_APIC_TIMER;
	apic.registers[APIC_COUNT] = (uint32_t)(ticks * 1000000 / us / hz);
	return true;
}

void apic_timer_stop(void)
{
	if (!apic.registers)
		return;
	apic.registers[APIC_TIMER] = LVT_MASKED;
	apic.registers[APIC_COUNT] = 0;
}

bool apic_interrupt(const struct trap_frame *f)
{
	if (f->vector == TRAP_APIC_SPURIOUS)
		return true;
	if (f->vector != TRAP_APIC_TIMER || !apic.handler)
		return false;
	apic.registers[APIC_END] = 0;
	irq_call(f, apic.handler);
	return true;
}
