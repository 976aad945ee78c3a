/* arch/irq.h - the interrupt flag of this processor. */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <lib/types.h>

/* Turns interrupts off and returns the state before, for arch_irq_restore. */
static inline uint32_t arch_irq_save(void)
{
	uint32_t flags;

	__asm__ volatile("pushfl\n\tpopl %0\n\tcli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void arch_irq_restore(uint32_t flags)
{
	__asm__ volatile("pushl %0\n\tpopfl" : : "r"(flags) : "memory", "cc");
}

/* Turns interrupts on; tells whether they are. */
static inline void arch_irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline bool arch_irq_enabled(void)
{
	uint32_t flags;

	__asm__ volatile("pushfl\n\tpopl %0" : "=r"(flags) : : "memory");
	return flags & 0x200;
}

/* Tells the processor that it spins; "rep; nop" is a plain NOP before the Pentium 4. */
static inline void arch_relax(void)
{
	__asm__ volatile("rep; nop" : : : "memory");
}

/* Returns the number of the running processor. */
static inline uint32_t arch_cpu(void)
{
	return 0;
}

#endif
