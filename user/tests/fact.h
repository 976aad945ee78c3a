/*
 * user/tests/fact.h - facts: what a program may rely on, each shown by a few lines, on Linux as on Quire.
 *
 *     FACT(an_untouched_page_reads_as_zero)
 *     {
 *             EXPECT_EQ(pages(1)[100], 0);
 *     }
 *
 * Each fact runs in a process of its own, under a time limit, and becomes one line of TAP. With names as its
 * arguments a program runs these facts only, and in its own process: for a debugger, or where there is no fork.
 */
#ifndef USER_TESTS_FACT_H
#define USER_TESTS_FACT_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

struct fact {
	const char *name;
	void (*run)(void);
};

#define FACT(name)                                                                                           \
	static void name(void);                                                                              \
	static const struct fact fact_##name __attribute__((section("facts"), used)) = {#name, name};        \
	static void name(void)

/* The value and its type stay as they are; a demand that fails is printed, and the fact goes on. */
#define EXPECT(condition) fact_expect((condition), __FILE__, __LINE__, #condition)
#define EXPECT_EQ(got, want)                                                                                 \
	fact_expect_eq((long long)(got), (long long)(want),                                                  \
		       &(struct fact_place){__FILE__, __LINE__, #got " == " #want})
/* The call fails with this errno. */
#define EXPECT_ERRNO(call, want)                                                                             \
	do {                                                                                                 \
		errno = 0;                                                                                   \
		long long fact_got = (long long)(call);                                                      \
		int fact_errno = errno;                                                                      \
                                                                                                             \
		fact_expect_eq(fact_got, -1, &(struct fact_place){__FILE__, __LINE__, #call " == -1"});      \
		fact_expect_eq(fact_errno, want,                                                             \
			       &(struct fact_place){__FILE__, __LINE__, "errno of " #call});                 \
	} while (0)
/* Leaves the fact: what follows makes no sense without it. */
#define REQUIRE(condition)                                                                                   \
	do {                                                                                                 \
		if (!EXPECT(condition))                                                                      \
			return;                                                                              \
	} while (0)

struct fact_place {
	const char *file;
	int line;
	const char *what;
};

bool fact_expect(bool holds, const char *file, int line, const char *what);
bool fact_expect_eq(long long got, long long want, const struct fact_place *at);

/* Private anonymous pages, readable and writable; ends the fact when there are none. */
char *pages(unsigned count);

/* What became of an access: signo 0 when it went well. */
struct outcome {
	int signo, code;
	char *addr;
};
struct outcome try_read(const volatile void *at);
struct outcome try_write(volatile void *at);
struct outcome try_run(void *at); /* calls what stands there */

#define EXPECT_FAULT(seen, sig, why, where)                                                                  \
	do {                                                                                                 \
		struct outcome fact_seen = (seen);                                                           \
                                                                                                             \
		EXPECT_EQ(fact_seen.signo, sig);                                                             \
		EXPECT_EQ(fact_seen.code, why);                                                              \
		EXPECT_EQ((uintptr_t)fact_seen.addr, (uintptr_t)(where));                                    \
	} while (0)
#define EXPECT_NO_FAULT(seen) EXPECT_EQ((seen).signo, 0)

/* A program may have this function: it is called before the first fact, with what main was called with. */
void fact_begin(int argc, char **argv) __attribute__((weak));

/* Runs f in a child and returns its wait status. */
int in_child(void (*f)(void));

/* A new, empty file that has no name any more; ends the fact when there is none. */
int nameless_file(void);
/* The same with so many bytes, each of which is the number of its page plus 1; the position is at the start. */
int file_of(unsigned bytes);

/* Makes /tmp/path-PID, empty, and goes there. */
void enter(void);
/* Makes a file that holds its name. */
void touch(const char *name);

#endif
