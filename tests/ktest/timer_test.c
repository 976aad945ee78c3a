/* tests/ktest/timer_test.c - ticks from each of the machine's timers, and the time. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/irq.h>
#include <arch/rtc.h>
#include <arch/timer.h>
#include <tests/ktest/user_machine.h>

#define HZ         100u
#define MS         1000000ull
#define PATIENCE   40000000u /* accesses of a port: seconds */
#define A_WHILE    1000000u
#define PORT_DELAY 0x80

static volatile uint32_t ticks, ticks_of_user;
static bool interrupts_on;

static void count(bool from_user)
{
	ticks++;
	ticks_of_user += from_user;
	interrupts_on |= arch_irq_enabled();
}

KTEST_SETUP(timer)
{
	ticks = ticks_of_user = 0;
	interrupts_on = false;
	if (!user_machine_begin())
		ktest_fail("no memory for an address space");
	user_case.tick = count;
}

KTEST_TEARDOWN(timer)
{
	timer_stop();
	user_machine_end();
}

static bool wait_for(uint32_t n)
{
	uint32_t state = arch_irq_save();

	arch_irq_enable();
	for (uint32_t i = 0; i < PATIENCE && ticks < n; i++)
		arch_in8(PORT_DELAY);
	arch_irq_restore(state);
	return ticks >= n;
}

static const uint32_t sources[] = {TIMER_PIT, TIMER_APIC, TIMER_RTC};
static const char *const names[] = {"8254", "local APIC", "MC146818"};

/*
 * A second clock shows about the same: far off would be another rate. An emulator that was kept waiting hands in its
 * ticks together, or has measured the second clock while it stood still, so there is more than one try.
 */
#define TRIES 5u

KTEST_EACH(timer, each_source_ticks_at_its_rate, sources)
{
	uint64_t before, passed;
	bool good = false;

	for (unsigned tries = 0; tries < TRIES && !good; tries++) {
		uint32_t per_ms = arch_clock_calibrate(), first = ticks;

		if (!timer_start_from(param, HZ))
			SKIP("no interrupts come from the %s", names[param]);
		EXPECT(wait_for(first + 1));
		before = arch_clock_now();
		EXPECT(wait_for(first + 11));
		passed = arch_clock_now() - before;
		timer_stop();
		good = !per_ms || (passed / per_ms > 30 && passed / per_ms < 2000);
	}
	EXPECT(!interrupts_on);
	EXPECT(good);
}

KTEST_EACH(timer, a_source_that_is_stopped_is_silent, sources)
{
	uint32_t now;

	if (!timer_start_from(param, HZ))
		SKIP("no interrupts come from the %s", names[param]);
	EXPECT(wait_for(1));
	timer_stop();
	now = ticks;
	arch_irq_enable();
	for (uint32_t i = 0; i < A_WHILE; i++)
		arch_in8(PORT_DELAY);
	arch_irq_save();
	EXPECT_EQ(ticks, now);
}

KTEST(timer, some_source_ticks)
{
	EXPECT(timer_start(HZ));
	EXPECT(wait_for(3));
}

KTEST(timer, the_clock_goes_on_and_never_back)
{
	uint64_t before, now;
	uint32_t first;

	ASSERT(timer_start(HZ));
	EXPECT(wait_for(1));
	first = ticks;
	before = clock_ns();
	arch_irq_enable();
	for (uint32_t i = 0; i < PATIENCE && ticks < first + 10; i++) {
		now = clock_ns();
		if (now < before) {
			EXPECT(now >= before);
			break;
		}
	}
	arch_irq_save();
	now = clock_ns();
	EXPECT(now - before >= 30 * MS);
	EXPECT(now - before < 4000 * MS);
}

KTEST(timer, the_time_of_day_is_one_that_can_be)
{
	if (rtc_read(0) == 0xFF)
		SKIP("the machine has no clock of the day");
	ASSERT(timer_start(HZ));
	EXPECT(clock_unix_at_boot() > 1577836800); /* 2020 */
	EXPECT(clock_unix_at_boot() < 4102444800); /* 2100 */
}

/* A program that never calls is interrupted all the same. */
USER_PROGRAM(spins, "1:	incl %ebx\n"
		    "	jmp 1b");

static struct trap_frame stopped;

static void stop_spinning(struct trap_frame *f)
{
	stopped = *f;
	user_pause();
}

static void count_and_stop(bool from_user)
{
	count(from_user);
	if (from_user && ticks_of_user >= 3)
		arch_return_work = 1;
}

KTEST(timer, ticks_interrupt_a_program)
{
	struct user_thread t;

	user_case.tick = count_and_stop;
	user_case.return_work = stop_spinning;
	ASSERT(timer_start(HZ));
	USER_LOAD(spins);
	ASSERT(user_thread_begin(&t));
	user_run(&t);
	EXPECT(ticks_of_user >= 3);
	EXPECT(!t.ended);
	EXPECT_EQ(stopped.cs & 0xFFFF, 0x73);
	EXPECT_NE(stopped.ebx, 0);
	user_run(&t); /* goes on where it was, to the next tick */
	EXPECT(ticks_of_user >= 4);
	user_thread_end(&t);
}
