/* arch/timer.h - ticks, and the time. */
#ifndef ARCH_TIMER_H
#define ARCH_TIMER_H

#include <lib/types.h>

/* Who gives the ticks, in the order in which they are tried. */
enum timer_source { TIMER_PIT, TIMER_APIC, TIMER_RTC, TIMER_SOURCES };

/*
 * Lets user_hooks.tick be called hz times a second, hz from 19 to 1000, by the first source whose interrupts come: the
 * interval timer, the local APIC's, the clock of the day. Interrupts are on for a moment. False when none comes. Also
 * measures the time-stamp counter; call it once the kernel's map is loaded.
 */
bool timer_start(uint32_t hz);

/* The same with one source; stops the ticks; tells whose they are. */
bool timer_start_from(enum timer_source source, uint32_t hz);
void timer_stop(void);
const char *timer_name(void);

/* Returns nanoseconds since timer_start; never less than before. By the time-stamp counter, else to the tick. */
uint64_t clock_ns(void);

/* Returns the seconds since 1970 when timer_start was called; 0 where no clock shows them. */
uint64_t clock_unix_at_boot(void);

#endif
