/*
 * tests/host/string_test.c - lib/string.c, compiled under names of its own (the host's functions keep theirs),
 * held against plain loops.
 */
#include <kernel/ktest.h>
#include <lib/string.h>

#define ROOM 24 /* every offset and length up to several words */

static uint8_t from[3 * ROOM], to[3 * ROOM], want[3 * ROOM];

static void prepare(void)
{
	for (unsigned i = 0; i < sizeof(from); i++) {
		from[i] = (uint8_t)(i * 7 + 1);
		to[i] = want[i] = (uint8_t)(0x80 + i);
	}
}

static bool alike(void)
{
	for (unsigned i = 0; i < sizeof(to); i++)
		if (to[i] != want[i])
			return false;
	return true;
}

KTEST(string, memcpy_copies_exactly)
{
	for (unsigned start = 0; start < 8; start++) {
		for (unsigned length = 0; length <= ROOM; length++) {
			prepare();
			for (unsigned i = 0; i < length; i++)
				want[ROOM + start + i] = from[3 + i];
			EXPECT(memcpy(to + ROOM + start, from + 3, length) == to + ROOM + start);
			EXPECT(alike());
		}
	}
}

KTEST(string, memset_sets_exactly)
{
	for (unsigned start = 0; start < 8; start++) {
		for (unsigned length = 0; length <= ROOM; length++) {
			prepare();
			for (unsigned i = 0; i < length; i++)
				want[ROOM + start + i] = 0xA5;
			EXPECT(memset(to + ROOM + start, 0x7FA5, length) == to + ROOM + start);
			EXPECT(alike());
		}
	}
}

static void check_move(unsigned target, unsigned source, unsigned length)
{
	uint8_t copy[3 * ROOM];

	prepare();
	for (unsigned i = 0; i < sizeof(to); i++)
		copy[i] = to[i];
	for (unsigned i = 0; i < length; i++)
		want[target + i] = copy[source + i];
	EXPECT(memmove(to + target, to + source, length) == to + target);
	EXPECT(alike());
}

/* Ranges that overlap in either direction, by any distance. */
KTEST(string, memmove_moves_over_itself)
{
	for (unsigned distance = 0; distance <= ROOM; distance++) {
		for (unsigned length = 0; length <= ROOM; length++) {
			check_move(ROOM, ROOM + distance, length);
			check_move(ROOM + distance, ROOM, length);
		}
	}
}

KTEST(string, memcmp_compares_unsigned)
{
	EXPECT_EQ(memcmp("abc", "abd", 2), 0);
	EXPECT(memcmp("abc", "abd", 3) < 0);
	EXPECT(memcmp("\xff", "\x01", 1) > 0);
	EXPECT_EQ(memcmp("a", "b", 0), 0);
}

KTEST(string, lengths_and_order)
{
	EXPECT_EQ(strlen(""), 0);
	EXPECT_EQ(strlen("four"), 4);
	EXPECT_EQ(strcmp("", ""), 0);
	EXPECT(strcmp("a", "ab") < 0);
	EXPECT(strcmp("ab", "a") > 0);
	EXPECT(strcmp("\xff", "a") > 0);
	EXPECT_EQ(strncmp("abX", "abY", 2), 0);
	EXPECT(strncmp("abX", "abY", 3) < 0);
	EXPECT_EQ(strncmp("ab", "ab", 99), 0);
	EXPECT_EQ(strncmp("a", "b", 0), 0);
}

KTEST(string, string_copy_says_when_it_cuts)
{
	static const char raw[3] = {'x', 'y', 'z'};
	char out[4] = "###";

	EXPECT(string_copy(out, 4, "abc", 4));
	EXPECT_EQ(strcmp(out, "abc"), 0);
	EXPECT(!string_copy(out, 3, "abc", 4));
	EXPECT_EQ(strcmp(out, "ab"), 0);
	EXPECT(string_copy(out, 4, raw, 3));
	EXPECT_EQ(strcmp(out, "xyz"), 0);
	EXPECT(!string_copy(out, 1, "a", 1));
	EXPECT_EQ(strcmp(out, ""), 0);
	EXPECT(string_copy(out, 1, "", 1));
	EXPECT(string_copy(out, 4, raw, 0));
	EXPECT_EQ(out[0], 0);
}
