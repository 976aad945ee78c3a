/*
 * arch/x86/clock.c - the time-stamp counter, measured by the 8254 or, where that is missing, by the clock of the day.
 * Owns channel 2 and port 0x61 while it measures; reads channel 0 and the time of day.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/rtc.h>

#define PIT_HZ       1193182u
#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND  0x43
#define PIT_ONE_SHOT 0xB0 /* channel 2, low byte then high, mode 0 */
#define PIT_LATCH    0x00 /* channel 0: its count, low byte then high */
#define GATE_PORT    0x61
#define GATE_ON      0x01
#define SPEAKER_ON   0x02
#define OUT_HIGH     0x20

#define RTC_LAST 9u /* registers 0 to 9: seconds to years */

#define MEASURED_MS 10u
#define PATIENCE    10000000u /* turns of the poll: seconds, on any machine */

uint64_t arch_clock_now(void)
{
	return cpu_info.features & CPUID_TSC ? arch_read_tsc() : 0;
}

/* Lets channel 2 count down and waits for its output to rise; false when there is no such timer. */
static bool wait_for_timer(void)
{
	uint32_t count = PIT_HZ * MEASURED_MS / 1000;

	if (arch_in8(GATE_PORT) & SPEAKER_ON) /* it was turned off: nobody is there */
		return false;
	arch_out8(PIT_COMMAND, PIT_ONE_SHOT);
	arch_out8(PIT_CHANNEL2, count & 0xFF);
	arch_out8(PIT_CHANNEL2, (uint8_t)(count >> 8));
	for (uint32_t i = 0; i < PATIENCE; i++)
		if (arch_in8(GATE_PORT) & OUT_HIGH)
			return true;
	return false;
}

uint32_t arch_clock_measure(uint64_t (*now)(void), uint64_t *passed)
{
	uint8_t gate = arch_in8(GATE_PORT);
	uint32_t us = MEASURED_MS * 1000;
	uint64_t before;

	arch_out8(GATE_PORT, (gate & ~SPEAKER_ON) | GATE_ON);
	before = now();
	if (!wait_for_timer()) {
		us = rtc_wait_edge() ? RTC_WAIT_US : 0;
		before = now();
		if (us && !rtc_wait())
			us = 0;
	}
	*passed = now() - before;
	arch_out8(GATE_PORT, gate);
	return us;
}

uint32_t arch_clock_calibrate(void)
{
	uint64_t ticks;
	uint32_t us;

	if (!(cpu_info.features & CPUID_TSC))
		return 0;
	us = arch_clock_measure(arch_clock_now, &ticks);
	return us ? (uint32_t)(ticks * 1000 / us) : 0;
}

/* Mixes a word into a hash so that each bit reaches the upper ones, and those the lower: Knuth's constant. */
static uint32_t mix(uint32_t hash, uint32_t word)
{
	hash = (hash ^ word) * 2654435769u;
	return hash ^ hash >> 15;
}

uint32_t arch_clock_noise(void)
{
	uint64_t ticks = arch_clock_now();
	uint32_t hash = mix(mix(0, (uint32_t)ticks), (uint32_t)(ticks >> 32));

	arch_out8(PIT_COMMAND, PIT_LATCH);
	hash = mix(hash, arch_in8(PIT_CHANNEL0));
	hash = mix(hash, arch_in8(PIT_CHANNEL0));
	for (uint8_t i = 0; i <= RTC_LAST; i++)
		hash = mix(hash, rtc_read(i));
	return hash;
}
