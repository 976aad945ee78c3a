/* arch/irq.h - the interrupt flag of the simulated processor. */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <lib/types.h>

extern uint32_t sim_interrupts; /* 1: on */

/* Turns interrupts off and returns the state before, for arch_irq_restore. */
static inline uint32_t arch_irq_save(void)
{
	uint32_t state = sim_interrupts;

	sim_interrupts = 0;
	return state;
}

static inline void arch_irq_restore(uint32_t state)
{
	sim_interrupts = state;
}

/* Turns interrupts on; tells whether they are. */
static inline void arch_irq_enable(void)
{
	sim_interrupts = 1;
}

static inline bool arch_irq_enabled(void)
{
	return sim_interrupts;
}

/* There is one processor, so who spins here spins for ever: panics. */
void arch_relax(void);

/* Turns interrupts off, waits until *held is 0, makes it 1 and stores the interrupt state before into *state. */
static inline void arch_lock_irq(uint32_t *held, uint32_t *state)
{
	uint32_t before = arch_irq_save();

	while (*held)
		arch_relax();
	*held = 1;
	*state = before;
}

/* Makes *held 0 and gives the interrupts back as *state says. */
static inline void arch_unlock_irq(uint32_t *held, const uint32_t *state)
{
	uint32_t before = *state;

	*held = 0;
	arch_irq_restore(before);
}

/* Returns the number of the running processor. */
static inline uint32_t arch_cpu(void)
{
	return 0;
}

#endif
