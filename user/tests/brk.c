/* user/tests/brk.c - facts of brk. Raw calls: the C library's brk does nothing. */
#include "fact.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static char *brk_at(const void *address)
{
	return (char *)syscall(SYS_brk, address);
}

FACT(brk_of_zero_tells_the_break)
{
	char *now = brk_at(NULL);

	EXPECT(now > (char *)0);
	EXPECT(brk_at(NULL) == now);
}

FACT(a_grown_heap_is_zero_and_writable)
{
	char *now = brk_at(NULL);

	EXPECT(brk_at(now + 3 * PAGE) == now + 3 * PAGE);
	for (unsigned i = 0; i < 3 * PAGE; i += 256)
		EXPECT_EQ(now[i], 0);
	memset(now, 1, 3 * PAGE);
}

FACT(a_heap_that_shrank_is_gone_above_its_page)
{
	char *now = (char *)(((uintptr_t)brk_at(NULL) + PAGE - 1) & ~(PAGE - 1));

	brk_at(now + 4 * PAGE);
	memset(now, 1, 4 * PAGE);
	EXPECT(brk_at(now + PAGE) == now + PAGE);
	EXPECT_EQ(now[PAGE - 1], 1);
	EXPECT_EQ(try_read(now + PAGE).signo, SIGSEGV);
}

FACT(a_heap_that_shrank_and_grew_is_zero_again)
{
	char *now = (char *)(((uintptr_t)brk_at(NULL) + PAGE - 1) & ~(PAGE - 1));

	brk_at(now + 2 * PAGE);
	memset(now, 1, 2 * PAGE);
	brk_at(now);
	brk_at(now + 2 * PAGE);
	EXPECT_EQ(now[0], 0);
	EXPECT_EQ(now[2 * PAGE - 1], 0);
}

FACT(a_break_within_a_page_is_kept_to_the_byte)
{
	char *now = brk_at(NULL);

	EXPECT(brk_at(now + 5) == now + 5);
	EXPECT(brk_at(NULL) == now + 5);
}

FACT(a_break_below_the_heap_changes_nothing)
{
	char *now = brk_at(NULL);

	EXPECT(brk_at((void *)PAGE) == now);
	EXPECT(brk_at(NULL) == now);
}

FACT(a_break_above_the_user_part_changes_nothing)
{
	char *now = brk_at(NULL);

	EXPECT(brk_at((void *)0xfffff000u) == now);
}

FACT(a_break_through_a_mapping_changes_nothing)
{
	char *now = brk_at(NULL);
	char *wall = (char *)(((uintptr_t)now + 16 * PAGE) & ~(PAGE - 1));

	REQUIRE(mmap(wall, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == wall);
	EXPECT(brk_at(wall + 2 * PAGE) == now);
}

FACT(a_break_over_the_limit_of_data_changes_nothing)
{
	char *now = brk_at(NULL);
	struct rlimit limit = {64 * PAGE, RLIM_INFINITY};

	REQUIRE(setrlimit(RLIMIT_DATA, &limit) == 0);
	EXPECT(brk_at(now + 300 * PAGE) == now);
}

FACT(malloc_and_free_of_many_sizes_keep_their_content)
{
	static unsigned char *block[500];
	unsigned seed = 1;

	for (unsigned round = 0; round < 4000; round++) {
		unsigned i = (seed = seed * 1103515245 + 12345) / 65536 % 500, size = (seed / 7) % 9000 + 1;

		if (block[i]) {
			EXPECT_EQ(block[i][0], i & 255);
			free(block[i]);
		}
		block[i] = malloc(size);
		REQUIRE(block[i] != NULL);
		memset(block[i], (int)(i & 255), size);
	}
}
