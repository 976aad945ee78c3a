/* kernel/cmdline.h - the kernel's command line: words, `key` or `key=value`, with spaces between them. */
#ifndef KERNEL_CMDLINE_H
#define KERNEL_CMDLINE_H

#include <lib/types.h>

#define CMDLINE_ARGUMENTS 24u

struct kernel_options {
	bool test;           /* test: run suites as KTAP, then leave QEMU with the result */
	bool list;           /* test=list: print the cases instead */
	char only[96];       /* test=suite or test=suite.case */
	uint32_t seed;       /* seed=N; 0: not given */
	bool as_486;         /* cpu=486: find no feature of the CPU */
	bool no_selftest;    /* selftest=off */
	bool bench;          /* bench: print what operations cost, then leave QEMU */
	bool exit;           /* exit: leave QEMU after the report, with the self-tests' result */
	char init[96];       /* init=PATH: the first program, instead of /init; init=off: none */
	uint32_t quota;      /* quota=N: pages for all programs; 0: all but the kernel's share */
	uint32_t overcommit; /* overcommit=0, 1, 2: what is refused, as Linux's sysctl */
	bool log_calls;      /* log=calls: name system calls that do not exist */
	uint32_t argument_count;
	char argument[CMDLINE_ARGUMENTS][64]; /* words behind "--": the first program's */
	uint32_t not_known; /* words that mean nothing to the kernel, or whose value is no good */
};

/* What the kernel was started with; all off until the boot information is read. */
extern struct kernel_options kernel_options;

/* Reads a command line into options. Later words win over earlier ones; words that are not known are counted. */
void cmdline_parse(const char *line, struct kernel_options *options);

#endif
