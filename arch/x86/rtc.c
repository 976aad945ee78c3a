/* arch/x86/rtc.c - the clock of the day. Owns its index register and its periodic ticks. Lock: interrupts are off. */
#include <arch/clock.h>
#include <arch/io.h>
#include <arch/irq.h>
#include <arch/rtc.h>

#define RTC_INDEX 0x70
#define RTC_DATA  0x71

#define RTC_A          0x0A
#define A_UPDATING     0x80
#define A_RATE         0x0F
#define A_RATE_1024    0x06
#define RTC_B          0x0B
#define B_24_HOURS     0x02
#define B_BINARY       0x04
#define B_TICKS        0x40
#define RTC_C          0x0C
#define C_TICKED       0x40
#define RTC_CENTURY    0x32 /* on PCs; the ACPI tables may name another */
#define HOUR_PM        0x80
#define TICKS_OF_WAIT  16u
#define PATIENCE       1000000u
#define SECONDS_OF_DAY 86400u

static const uint8_t registers[] = {0, 2, 4, 7, 8, 9, RTC_CENTURY};
enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, CENTURY };
struct rtc_time {
	uint8_t part[sizeof(registers)];
};

uint8_t rtc_read(uint8_t index)
{
	arch_out8(RTC_INDEX, index);
	return arch_in8(RTC_DATA);
}

static void rtc_write(uint8_t index, uint8_t value)
{
	arch_out8(RTC_INDEX, index);
	arch_out8(RTC_DATA, value);
}

static struct rtc_time read_parts(void)
{
	struct rtc_time t;

	for (uint32_t i = 0; i < PATIENCE && (rtc_read(RTC_A) & A_UPDATING); i++)
		arch_relax();
	for (uint32_t i = 0; i < sizeof(registers); i++)
		t.part[i] = rtc_read(registers[i]);
	return t;
}

static bool same(const struct rtc_time *a, const struct rtc_time *b)
{
	for (uint32_t i = 0; i < sizeof(registers); i++) {
		if (a->part[i] != b->part[i])
			return false;
	}
	return true;
}

static uint8_t from_bcd(uint8_t x)
{
	return (uint8_t)((x >> 4) * 10 + (x & 15));
}

/* Makes the parts plain numbers, of 24 hours. */
static void decode(struct rtc_time *t)
{
	uint8_t how = rtc_read(RTC_B);
	bool pm = !(how & B_24_HOURS) && (t->part[HOUR] & HOUR_PM);

	if (!(how & B_24_HOURS))
		t->part[HOUR] &= (uint8_t)~HOUR_PM;
	for (uint32_t i = 0; i < sizeof(registers) && !(how & B_BINARY); i++)
		t->part[i] = from_bcd(t->part[i]);
	if (!(how & B_24_HOURS))
		t->part[HOUR] = (uint8_t)(t->part[HOUR] % 12 + (pm ? 12 : 0));
	if (t->part[CENTURY] < 19 || t->part[CENTURY] > 29)
		t->part[CENTURY] = t->part[YEAR] < 70 ? 20 : 19;
}

static bool can_be(const struct rtc_time *t)
{
	return t->part[SECOND] < 60 && t->part[MINUTE] < 60 && t->part[HOUR] < 24 && t->part[DAY] >= 1 &&
	       t->part[DAY] <= 31 && t->part[MONTH] >= 1 && t->part[MONTH] <= 12 && t->part[YEAR] < 100;
}

/* Days since 1970-01-01 of the Gregorian calendar; the year begins in March, so that leap days come last. */
static uint32_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
	uint32_t y = month <= 2 ? year - 1 : year;
	uint32_t m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

uint64_t rtc_unix(void)
{
	struct rtc_time t = read_parts(), again = read_parts();
	uint32_t days;

	for (uint32_t i = 0; i < 10 && !same(&t, &again); i++) {
		t = again;
		again = read_parts();
	}
	decode(&t);
	if (!can_be(&t))
		return 0;
	days = days_since_1970(t.part[CENTURY] * 100u + t.part[YEAR], t.part[MONTH], t.part[DAY]);
	return (uint64_t)days * SECONDS_OF_DAY + t.part[HOUR] * 3600u + t.part[MINUTE] * 60u + t.part[SECOND];
}

static bool wait_for_ticks(uint32_t count)
{
	for (uint32_t i = 0; i < PATIENCE && count; i++)
		count -= (rtc_read(RTC_C) & C_TICKED) != 0;
	return !count;
}

bool rtc_wait_edge(void)
{
	if (rtc_read(RTC_B) == 0xFF)
		return false;
	rtc_tick_on();
	return wait_for_ticks(1);
}

bool rtc_wait(void)
{
	bool ticked = wait_for_ticks(TICKS_OF_WAIT);

	rtc_tick_off();
	return ticked;
}

void rtc_tick_on(void)
{
	rtc_write(RTC_A, (rtc_read(RTC_A) & (uint8_t) ~(A_RATE | A_UPDATING)) | A_RATE_1024);
	rtc_write(RTC_B, rtc_read(RTC_B) | B_TICKS);
	rtc_note();
}

void rtc_tick_off(void)
{
	rtc_write(RTC_B, rtc_read(RTC_B) & (uint8_t)~B_TICKS);
	rtc_note();
}

void rtc_note(void)
{
	rtc_read(RTC_C);
}
