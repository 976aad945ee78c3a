/* kernel/boot.h - what starting did, for the report. */
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <kernel/ktest.h>
#include <lib/types.h>

#define BOOT_STEPS_MOST 16

struct boot_step_time {
	const char *name;
	uint64_t ticks;
};

struct boot_record {
	uint32_t steps; /* done */
	struct boot_step_time time[BOOT_STEPS_MOST];
	uint32_t boot_frames; /* given back after boot */
	uint64_t started;     /* ticks at the first statement of C */
	uint64_t console;     /* ticks that went into printing before phase one was sealed */
	uint64_t sealed;      /* ticks from the first statement to the end of phase two, printing left out */
	uint64_t beyond_cpu;  /* usable bytes that lie where this CPU has no address bits */
	uint32_t taken_kib;   /* usable memory by the loader's map, less what was free then */
};
extern struct boot_record boot_record;

/* Print to the console: who this is; all that a person wants to know after boot; the last lines, with the tests. */
void report_banner(void);
void report_machine(void);
void report_summary(const struct ktest_result *tests);

#endif
