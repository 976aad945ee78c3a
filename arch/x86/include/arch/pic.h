/*
 * arch/pic.h - the two 8259 interrupt controllers: 16 lines, masked until somebody handles them. A handler runs with
 * interrupts off, on the stack of whatever was interrupted.
 */
#ifndef ARCH_PIC_H
#define ARCH_PIC_H

#include <arch/trap.h>

#define IRQ_TIMER 0u
#define IRQ_CLOCK 8u
#define IRQ_LINES 16u

/* Moves the lines behind the CPU's own vectors and masks all of them. */
void pic_init(void);

/* Sets a line's handler and lets the line in; null masks it. The handler finds whom it interrupted in irq_frame. */
void irq_handler(uint32_t line, void (*handler)(void));

/* Returns the registers that the interrupt being handled found; null outside of a handler. */
const struct trap_frame *irq_frame(void);

/* Calls a handler for an interrupt that found these registers. */
void irq_call(const struct trap_frame *f, void (*handler)(void));

/* Calls the handler of the interrupt that f names; false when it is none of the controllers', or nobody's. */
bool pic_interrupt(const struct trap_frame *f);

#endif
