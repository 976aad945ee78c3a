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

/* Halts until an interrupt has been handled, and turns interrupts off again: STI lets none in before the HLT. */
static inline void arch_irq_wait(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
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

/*
 * Turns interrupts off, waits until *held is 0, makes it 1 and then stores the interrupt state before into *state;
 * nothing that follows begins earlier. The flags wait on the stack, so neither operand may be addressed from ESP:
 * none is, for the kernel keeps frame pointers. The loop stands out of the way of who finds the lock free.
 */
static inline void arch_lock_irq(uint32_t *held, uint32_t *state)
{
	__asm__ volatile("pushfl\n\t"
			 "cli\n"
			 "1:\tlock btsl $0, %0\n\t"
			 "jc 2f\n\t"
			 "popl %1\n\t"
			 ".subsection 1\n"
			 "2:\trep; nop\n\t"
			 "testl $1, %0\n\t"
			 "jnz 2b\n\t"
			 "jmp 1b\n\t"
			 ".previous"
			 : "+m"(*held), "=m"(*state)
			 :
			 : "memory", "cc");
}

/* Makes *held 0, when all before is done, and gives the interrupts back as *state says. */
static inline void arch_unlock_irq(uint32_t *held, const uint32_t *state)
{
	__asm__ volatile("pushl %1\n\t"
			 "movl $0, %0\n\t"
			 "popfl"
			 : "=m"(*held)
			 : "m"(*state)
			 : "memory", "cc");
}

/* Returns the number of the running processor. */
static inline uint32_t arch_cpu(void)
{
	return 0;
}

#endif
