/* tests/bench/bench.h - what memory management costs, in ticks of the time-stamp counter. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <lib/types.h>

/*
 * Measures every row and prints a line "bench: NAME VALUE" for each: ticks of one operation, which are instructions
 * under QEMU's -icount shift=0. Leaves the machine as it was. Returns false, with a message, where there is no
 * counter or memory runs out.
 */
bool bench_run(void);

#endif
