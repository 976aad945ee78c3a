/* arch/apic.h - the local APIC's timer, for machines whose interval timer does not count. SDM 3A 11. */
#ifndef ARCH_APIC_H
#define ARCH_APIC_H

#include <arch/trap.h>

/* Calls handler hz times a second, interrupts off; false where there is no APIC, or nothing to measure it by. */
bool apic_timer_start(uint32_t hz, void (*handler)(void));
void apic_timer_stop(void);

/* Deals with an interrupt of the local APIC's own; false when f names none. */
bool apic_interrupt(const struct trap_frame *f);

#endif
