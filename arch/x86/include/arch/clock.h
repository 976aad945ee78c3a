/* arch/clock.h - how long things take, by the time-stamp counter where the CPU has one. */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include <lib/types.h>

/* Returns ticks since some moment; 0 always where there is no counter. Needs arch_cpu_identify. */
uint64_t arch_clock_now(void);

/*
 * Stores by how much a counter goes on while microseconds pass, by the interval timer (8254, channel 2), else by the
 * clock of the day's ticks. Returns how many they were, some 10000; 0 when neither runs.
 */
uint32_t arch_clock_measure(uint64_t (*now)(void), uint64_t *passed);

/* Measures the time-stamp counter. Returns its ticks in a millisecond; 0 without one, or without a clock to go by. */
uint32_t arch_clock_calibrate(void);

/*
 * Returns a word that differs from boot to boot and from call to call, as far as the machine's clocks do: the
 * time-stamp counter where there is one, the interval timer and the time of day. Needs arch_cpu_identify.
 */
uint32_t arch_clock_noise(void);

#endif
