/*
 * kernel/ktest.h - tests that register where they are written and run in the kernel, and on a host over the
 * simulated machine. Results are KTAP (Documentation/dev-tools/ktap.rst of Linux), one subtest for each suite.
 *
 *	KTEST(frame, put_twice_panics) { EXPECT_EQ(frame_refs(f), 1); }
 */
#ifndef KERNEL_KTEST_H
#define KERNEL_KTEST_H

#include <lib/panic.h>

/* Free direct-mapped memory with which all suites pass; measured on machines of 2.5 MiB and with holes. */
#define KTEST_NEEDS_KIB 960u

enum ktest_how {
	KTEST_NORMAL,
	KTEST_PANIC, /* must end in the panic named; a boot of its own, by name only */
	KTEST_MANUAL /* runs by name only: tests of the runner itself */
};

struct ktest_case {
	const char *suite, *name, *file;
	int line;
	void (*run)(uint32_t param);
	const uint32_t *params; /* the case runs once for each; null: once, with 0 */
	uint32_t param_count;
	enum ktest_how how;
	const char *panic; /* part of the message that a KTEST_PANIC case must end with */
};

struct ktest_fixture {
	const char *suite;
	bool teardown;
	void (*run)(void);
};

#define KTEST_IN(section_name) __attribute__((used, section(section_name)))

#define KTEST_REGISTER(s, n, fn, ...)                                                                        \
	static const struct ktest_case ktest_case_##s##_##n = {                                              \
		.suite = #s, .name = #n, .file = __FILE__, .line = __LINE__, .run = (fn), __VA_ARGS__};      \
	static const struct ktest_case *ktest_entry_##s##_##n KTEST_IN("ktest_cases") = &ktest_case_##s##_##n

#define KTEST_DEFINE(s, n, ...)                                                                              \
	static void ktest_run_##s##_##n(uint32_t param);                                                     \
	KTEST_REGISTER(s, n, ktest_run_##s##_##n, __VA_ARGS__);                                              \
	static void ktest_run_##s##_##n(uint32_t param __attribute__((unused)))

/* A case; one that runs for each value of an array, which it finds in `param`; one that must panic. */
#define KTEST(suite, name) KTEST_DEFINE(suite, name, .how = KTEST_NORMAL)
#define KTEST_EACH(suite, name, array)                                                                       \
	KTEST_DEFINE(suite, name, .params = (array), .param_count = ARRAY_SIZE(array))
#define KTEST_PANICS(suite, name, message) KTEST_DEFINE(suite, name, .how = KTEST_PANIC, .panic = (message))
#define KTEST_BY_NAME(suite, name)         KTEST_DEFINE(suite, name, .how = KTEST_MANUAL)

#define KTEST_FIXTURE(s, what, is_teardown)                                                                  \
	static void ktest_##what##_##s(void);                                                                \
	static const struct ktest_fixture ktest_fixture_##what##_##s = {#s, is_teardown,                     \
									ktest_##what##_##s};                 \
	static const struct ktest_fixture *ktest_fentry_##what##_##s KTEST_IN("ktest_fixtures") =            \
		&ktest_fixture_##what##_##s;                                                                 \
	static void ktest_##what##_##s(void)

/* Before and after each case of a suite; the teardown also after a failed ASSERT. */
#define KTEST_SETUP(suite)    KTEST_FIXTURE(suite, setup, false)
#define KTEST_TEARDOWN(suite) KTEST_FIXTURE(suite, teardown, true)

/* Report a failure with both values and go on; ASSERT leaves the function that it stands in. */
#define EXPECT(condition) ktest_check((condition) ? 1 : 0, 1, true, #condition, __FILE__, __LINE__)
#define EXPECT_EQ(got, want)                                                                                 \
	ktest_check((int64_t)(got), (int64_t)(want), true, #got " == " #want, __FILE__, __LINE__)
#define EXPECT_NE(got, not_want)                                                                             \
	ktest_check((int64_t)(got), (int64_t)(not_want), false, #got " != " #not_want, __FILE__, __LINE__)
/* Demands that a check finds faults, without its report in ours. */
#define EXPECT_FAULTS(check)                                                                                 \
	do {                                                                                                 \
		unsigned faults_found;                                                                       \
		printk_quiet = true;                                                                         \
		faults_found = (check);                                                                      \
		printk_quiet = false;                                                                        \
		EXPECT_NE(faults_found, 0);                                                                  \
	} while (0)
/* The same for a check that must count one fault, neither more nor less. */
#define EXPECT_ONE_FAULT(check)                                                                              \
	do {                                                                                                 \
		unsigned faults_found;                                                                       \
		printk_quiet = true;                                                                         \
		faults_found = (check);                                                                      \
		printk_quiet = false;                                                                        \
		EXPECT_EQ(faults_found, 1);                                                                  \
	} while (0)
#define ASSERT(condition)                                                                                    \
	do {                                                                                                 \
		if (!EXPECT(condition))                                                                      \
			return;                                                                              \
	} while (0)
#define ASSERT_EQ(got, want)                                                                                 \
	do {                                                                                                 \
		if (!EXPECT_EQ(got, want))                                                                   \
			return;                                                                              \
	} while (0)

/* Ends the case as skipped, with the reason in the report. */
#define SKIP(...)                                                                                            \
	do {                                                                                                 \
		ktest_skip(__VA_ARGS__);                                                                     \
		return;                                                                                      \
	} while (0)

bool ktest_check(int64_t got, int64_t want, bool equal, const char *what, const char *file, int line);
void ktest_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Fails the running case with a message of its own. */
void ktest_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns the next number of the case's own sequence; its seed stands in the report and is taken by seed=N. */
uint32_t ktest_random(void);
/* The same below a limit, which is not 0. */
uint32_t ktest_random_below(uint32_t limit);

struct ktest_options {
	const char *only; /* "suite" or "suite.case"; null or empty: everything */
	uint32_t seed;    /* 0: the runner takes 1 */
	bool ktap;        /* false: one line for each suite, for people */
};

struct ktest_result {
	uint32_t passed, failed, skipped;
};

/*
 * Runs what the options name, each case between its fixtures, then demands that no frame, object or container
 * leaked; after each suite, that allocator, containers and the kernel's map are sound. A name that fits no
 * case counts as one failure.
 */
struct ktest_result ktest_run(const struct ktest_options *o);

/* Prints "suite.case" and how it runs ("normal", "panic", "manual") for every case, one a line. */
void ktest_list(void);

/*
 * Called by panic with its message, before the report. When the running case wanted it, finishes the KTAP
 * report and returns true: the machine then ends as passed. Else marks the case failed.
 */
bool ktest_panicking(const char *message);

#endif
