/*
 * tests/fuzz/fuzz.h - byte strings become operations, and what these do is compared with a model:
 *
 *	main.c        libFuzzer's side: chooses the target, boots its machine, demands that nothing is left behind
 *	claims.c      the model of a memory map
 *	NAME_fuzz.c   the target NAME
 *
 * Wherever a string ends, zeros follow: each string is a whole history.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <lib/types.h>

/* What is left of a string. */
struct fuzz_input {
	const uint8_t *bytes;
	size_t left;
};

/* Return the next bytes as a number, low byte first; zeros behind the end. */
uint8_t fuzz_take8(struct fuzz_input *in);
uint32_t fuzz_take16(struct fuzz_input *in);
uint32_t fuzz_take32(struct fuzz_input *in);
uint64_t fuzz_take64(struct fuzz_input *in);

/* Returns a number below limit, 1 to 65536, from one byte or two. */
uint32_t fuzz_take_below(struct fuzz_input *in, uint32_t limit);

struct fuzz_target {
	const char *name;
	void (*run)(struct fuzz_input *in);
	bool on_machine;     /* it runs on a machine that has booted; */
	void (*begin)(void); /* what it keeps from then on, or null */
};
extern const struct fuzz_target fuzz_container, fuzz_cpio, fuzz_elf, fuzz_frame, fuzz_memmap, fuzz_multiboot2,
	fuzz_pgtable, fuzz_pvh, fuzz_space;

/* Ends the process, which libFuzzer reports with the string, unless the values are equal; the condition holds. */
#define FUZZ_EQ(got, want)    fuzz_check((int64_t)(got), (int64_t)(want), #got " == " #want, __FILE__, __LINE__)
#define FUZZ_HOLDS(condition) fuzz_check((condition) ? 1 : 0, 1, #condition, __FILE__, __LINE__)
void fuzz_check(int64_t got, int64_t want, const char *what, const char *file, int line);

/* Demands that a check finds faults or none, without its report where faults are wanted. */
void fuzz_check_vm(const void *pdir, bool sound);

#endif
