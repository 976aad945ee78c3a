/*
 * arch/x86/idt.c - owns the interrupt table: one gate for each vector. Programs may use three: the system
 * calls', and those of INT3 and INTO.
 */
#include <arch/gdt.h>
#include <arch/idt.h>
#include <arch/trap.h>

#define GATE_INTERRUPT 0x8E00u /* present, 32-bit, turns interrupts off */
#define GATE_TASK      0x8500u
#define GATE_USER      0x6000u /* reachable by INT from user mode */
#define STUB_SIZE      16u

void trap_syscall_entry(void); /* trap.S */
void trap_page_fault_entry(void);
extern const uint8_t trap_stubs[]; /* trap.S: STUB_SIZE bytes for each vector */

static uint64_t idt[TRAP_VECTORS];

static uint64_t gate(uint32_t selector, uint32_t offset, uint32_t kind)
{
	uint32_t low = selector << 16 | (offset & 0xFFFF);

	return (uint64_t)((offset & 0xFFFF0000) | kind) << 32 | low;
}

void idt_init(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint32_t)idt};

	for (uint32_t v = 0; v < TRAP_VECTORS; v++)
		idt[v] = gate(GDT_KERNEL_CODE, (uint32_t)trap_stubs + v * STUB_SIZE, GATE_INTERRUPT);
	idt[TRAP_DOUBLE_FAULT] = gate(GDT_DOUBLE_FAULT, 0, GATE_TASK);
	idt[TRAP_PAGE_FAULT] = gate(GDT_KERNEL_CODE, (uint32_t)trap_page_fault_entry, GATE_INTERRUPT);
	idt[TRAP_BREAKPOINT] |= (uint64_t)GATE_USER << 32;
	idt[TRAP_OVERFLOW] |= (uint64_t)GATE_USER << 32;
	idt[TRAP_SYSCALL] = gate(GDT_KERNEL_CODE, (uint32_t)trap_syscall_entry, GATE_INTERRUPT | GATE_USER);
	__asm__ volatile("lidt %0" : : "m"(idtr) : "memory");
}
