/* arch/rtc.h - the clock of the day (MC146818): the time, and its ticks. */
#ifndef ARCH_RTC_H
#define ARCH_RTC_H

#include <lib/types.h>

/* Returns what one of its registers holds; 0xFF where there is no clock. */
uint8_t rtc_read(uint8_t index);

/* Returns the time in seconds since 1970, taking the clock for UTC; 0 when it shows no date that can be. */
uint64_t rtc_unix(void);

/* Waits until a tick has just come; then for RTC_WAIT_US more. False when none comes. The line is masked meanwhile. */
#define RTC_WAIT_US 15625u
bool rtc_wait_edge(void);
bool rtc_wait(void);

/* Makes it interrupt RTC_HZ times a second; each interrupt is to be taken note of with rtc_note, or is the last. */
#define RTC_HZ 1024u
void rtc_tick_on(void);
void rtc_tick_off(void);
void rtc_note(void);

#endif
