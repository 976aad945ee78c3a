/* arch/x86/clock.c - the time-stamp counter, measured by the 8254. Owns channel 2 and port 0x61 while it measures. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>

#define PIT_HZ       1193182u
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND  0x43
#define PIT_ONE_SHOT 0xB0 /* channel 2, low byte then high, mode 0 */
#define GATE_PORT    0x61
#define GATE_ON      0x01
#define SPEAKER_ON   0x02
#define OUT_HIGH     0x20

#define MEASURED_MS 10u
#define PATIENCE    10000000u /* turns of the poll: seconds, on any machine */

uint64_t arch_clock_now(void)
{
	return cpu_info.features & CPUID_TSC ? arch_read_tsc() : 0;
}

/* Starts channel 2 counting down and waits for its output to rise; false when it does not. */
static bool wait_for_timer(void)
{
	uint32_t count = PIT_HZ * MEASURED_MS / 1000;

	arch_out8(PIT_COMMAND, PIT_ONE_SHOT);
	arch_out8(PIT_CHANNEL2, count & 0xFF);
	arch_out8(PIT_CHANNEL2, (uint8_t)(count >> 8));
	for (uint32_t i = 0; i < PATIENCE; i++)
		if (arch_in8(GATE_PORT) & OUT_HIGH)
			return true;
	return false;
}

uint32_t arch_clock_calibrate(void)
{
	uint8_t gate = arch_in8(GATE_PORT);
	uint64_t ticks = 0;

	if (!(cpu_info.features & CPUID_TSC))
		return 0;
	arch_out8(GATE_PORT, (gate & ~SPEAKER_ON) | GATE_ON);
	ticks = arch_clock_now();
	if (wait_for_timer())
		ticks = arch_clock_now() - ticks;
	else
		ticks = 0;
	arch_out8(GATE_PORT, gate);
	return (uint32_t)(ticks / MEASURED_MS);
}
