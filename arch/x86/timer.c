/*
 * arch/x86/timer.c - the ticks and the time. Owns channel 0 of the interval timer. Lock: interrupts are off where what
 * the handler changes is read.
 */
#include <arch/apic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/irq.h>
#include <arch/pic.h>
#include <arch/rtc.h>
#include <arch/timer.h>
#include <arch/user.h>

#define PIT_HZ         1193182u
#define PIT_CHANNEL0   0x40
#define PIT_COMMAND    0x43
#define PIT_RATE       0x34 /* channel 0, low byte then high, mode 2 */
#define PIT_STOPPED    0x30 /* the same, mode 0: one interrupt at most */
#define NS_OF_SECOND   1000000000u
#define MEASURED_AGAIN 5u
#define AGREEMENT      64u
#define PROOF_TICKS    2u /* a first one may have been left over */
#define PATIENCE_MS    200u
#define PATIENCE       4000000u /* accesses of a port, where no counter is measured: seconds at most */
#define PORT_DELAY     0x80

static struct {
	volatile uint64_t ticks;
	uint32_t hz;
	uint32_t rtc_share; /* of RTC_HZ, counted up by hz */
	bool proven;        /* ticks are passed on */
	const char *name;
	uint64_t unix_at_boot;
	uint64_t tsc_at_boot;
	uint32_t
		ns_factor; /* nanoseconds in a tick of the counter, times 2^ns_shift; 0: there is no counter */
	uint32_t ns_shift;
} timer;

static void on_tick(void)
{
	timer.ticks++;
	if (timer.proven && trap_hooks.tick)
		trap_hooks.tick(trap_from_user(irq_frame()));
}

/* The clock of the day knows powers of two only. */
static void on_rtc(void)
{
	rtc_note();
	timer.rtc_share += timer.hz;
	if (timer.rtc_share < RTC_HZ)
		return;
	timer.rtc_share -= RTC_HZ;
	on_tick();
}

static bool pit_start(uint32_t hz)
{
	uint32_t count = (PIT_HZ + hz / 2) / hz;

	arch_out8(PIT_COMMAND, PIT_RATE);
	arch_out8(PIT_CHANNEL0, count & 0xFF);
	arch_out8(PIT_CHANNEL0, (uint8_t)(count >> 8));
	irq_handler(IRQ_TIMER, on_tick);
	return true;
}

static void pit_stop(void)
{
	arch_out8(PIT_COMMAND, PIT_STOPPED);
	irq_handler(IRQ_TIMER, NULL);
}

static bool apic_start(uint32_t hz)
{
	return apic_timer_start(hz, on_tick);
}

static bool rtc_start(uint32_t hz)
{
	(void)hz;
	if (rtc_read(0) == 0xFF)
		return false;
	irq_handler(IRQ_CLOCK, on_rtc);
	rtc_tick_on();
	return true;
}

static void rtc_stop(void)
{
	rtc_tick_off();
	irq_handler(IRQ_CLOCK, NULL);
}

static const struct {
	const char *name;
	bool (*start)(uint32_t hz);
	void (*stop)(void);
} sources[TIMER_SOURCES] = {
	[TIMER_PIT] = {"8254", pit_start, pit_stop},
	[TIMER_APIC] = {"local APIC", apic_start, apic_timer_stop},
	[TIMER_RTC] = {"MC146818", rtc_start, rtc_stop},
};

/* A counter that goes on proves nothing: it is the interrupts that must come. */
static bool ticks_come(void)
{
	uint64_t enough = timer.ticks + PROOF_TICKS;
	uint64_t late = clock_ns() + PATIENCE_MS * (NS_OF_SECOND / 1000);
	uint32_t state = arch_irq_save();

	arch_irq_enable();
	for (uint32_t i = 0; timer.ticks < enough; i++) {
		if (timer.ns_factor ? clock_ns() > late : i == PATIENCE)
			break;
		arch_in8(PORT_DELAY);
	}
	arch_irq_restore(state);
	return timer.ticks >= enough;
}

/* Who is held up while measuring, as emulated machines are, finds too much: two must agree, and the least counts. */
static uint32_t ticks_in_ms(void)
{
	uint32_t least = arch_clock_calibrate();

	for (uint32_t i = 0; i < MEASURED_AGAIN && least; i++) {
		uint32_t next = arch_clock_calibrate();
		uint32_t most = next > least ? next : least;

		least = next < least ? next : least;
		if (most - least < least / AGREEMENT)
			break;
	}
	return least;
}

/* As many bits of nanoseconds for each tick as a word holds. */
static void measure_counter(void)
{
	uint32_t in_ms = ticks_in_ms();
	uint32_t shift = 32;

	if (!in_ms)
		return;
	while (shift && ((uint64_t)(NS_OF_SECOND / 1000) << shift) / in_ms > UINT32_MAX)
		shift--;
	timer.tsc_at_boot = arch_clock_now();
	timer.ns_factor = (uint32_t)(((uint64_t)(NS_OF_SECOND / 1000) << shift) / in_ms);
	timer.ns_shift = shift;
}

bool timer_start_from(enum timer_source source, uint32_t hz)
{
	timer.hz = hz;
	timer.rtc_share = 0;
	timer.proven = false;
	if (!timer.ns_factor)
		measure_counter();
	if (!sources[source].start(hz))
		return false;
	timer.proven = ticks_come();
	if (!timer.proven)
		sources[source].stop();
	else
		timer.name = sources[source].name;
	return timer.proven;
}

void timer_stop(void)
{
	for (uint32_t i = 0; i < TIMER_SOURCES; i++)
		sources[i].stop();
	timer.proven = false;
	timer.name = NULL;
}

bool timer_start(uint32_t hz)
{
	timer.unix_at_boot = rtc_unix();
	for (uint32_t i = 0; i < TIMER_SOURCES; i++) {
		if (timer_start_from(i, hz))
			return true;
	}
	return false;
}

const char *timer_name(void)
{
	return timer.name ? timer.name : "none";
}

uint64_t clock_ns(void)
{
	uint64_t passed;
	uint32_t state;

	if (timer.ns_factor) {
		passed = arch_clock_now() - timer.tsc_at_boot;
		return ((passed >> 32) * timer.ns_factor << (32 - timer.ns_shift)) +
		       ((uint64_t)(uint32_t)passed * timer.ns_factor >> timer.ns_shift);
	}
	if (!timer.hz)
		return 0;
	state = arch_irq_save();
	passed = timer.ticks;
	arch_irq_restore(state);
	return passed * (NS_OF_SECOND / timer.hz);
}

uint64_t clock_unix_at_boot(void)
{
	return timer.unix_at_boot;
}
