/* arch/clock.h - how long things take, by the time-stamp counter where the CPU has one. */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include <lib/types.h>

/* Returns ticks since some moment; 0 always where there is no counter. Needs arch_cpu_identify. */
uint64_t arch_clock_now(void);

/*
 * Measures the counter against the interval timer (8254, channel 2); takes 10 ms. Returns the ticks of a
 * millisecond; 0 where there is no counter, or no timer that runs.
 */
uint32_t arch_clock_calibrate(void);

/*
 * Returns a word that differs from boot to boot and from call to call, as far as the machine's clocks do: the
 * time-stamp counter where there is one, the interval timer and the time of day. Needs arch_cpu_identify.
 */
uint32_t arch_clock_noise(void);

#endif
