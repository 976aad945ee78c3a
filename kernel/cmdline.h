/* kernel/cmdline.h - the kernel's command line: words, `key` or `key=value`, with spaces between them. */
#ifndef KERNEL_CMDLINE_H
#define KERNEL_CMDLINE_H

#include <lib/types.h>

struct kernel_options {
	bool test;          /* test: run suites as KTAP, then leave QEMU with the result */
	bool list;          /* test=list: print the cases instead */
	char only[96];      /* test=suite or test=suite.case */
	uint32_t seed;      /* seed=N; 0: not given */
	bool as_486;        /* cpu=486: find no feature of the CPU */
	bool no_selftest;   /* selftest=off */
	bool bench;         /* bench: print what operations cost, then leave QEMU */
	bool exit;          /* exit: leave QEMU after the report, with the self-tests' result */
	uint32_t not_known; /* words that mean nothing to the kernel, or whose value is no good */
};

/* What the kernel was started with; all off until the boot information is read. */
extern struct kernel_options kernel_options;

/* Reads a command line into options. Later words win over earlier ones; words that are not known are counted. */
void cmdline_parse(const char *line, struct kernel_options *options);

#endif
