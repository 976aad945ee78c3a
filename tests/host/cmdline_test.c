/* tests/host/cmdline_test.c - the kernel's command line: each word, and such as are none. */
#include <kernel/cmdline.h>
#include <kernel/ktest.h>
#include <stdio.h>
#include <string.h>

static struct kernel_options o;

/* Parses a line and returns how many of its words mean nothing. */
static uint32_t parse(const char *line)
{
	memset(&o, 0xAA, sizeof(o));
	cmdline_parse(line, &o);
	return o.not_known;
}

KTEST(cmdline, an_empty_line_turns_nothing_on)
{
	static const struct kernel_options off;

	EXPECT_EQ(parse(""), 0);
	EXPECT(!memcmp(&o, &off, sizeof(o)));
	EXPECT_EQ(parse("    "), 0);
	EXPECT(!memcmp(&o, &off, sizeof(o)));
}

KTEST(cmdline, each_word_sets_what_it_names)
{
	EXPECT_EQ(parse("test bench exit cpu=486 selftest=off log=calls"), 0);
	EXPECT(o.test && o.bench && o.exit && o.as_486 && o.no_selftest && o.log_calls && !o.list);
	EXPECT_EQ(parse(" seed=7  quota=4294967295 overcommit=2 init=/bin/sh "), 0);
	EXPECT(o.seed == 7 && o.quota == 4294967295u && o.overcommit == 2);
	EXPECT(!strcmp(o.init, "/bin/sh"));
	EXPECT(!o.test && !o.argument_count);
}

KTEST(cmdline, a_test_is_all_a_list_or_a_name)
{
	EXPECT_EQ(parse("test=pgtable.a_case"), 0);
	EXPECT(o.test && !o.list && !strcmp(o.only, "pgtable.a_case"));
	EXPECT_EQ(parse("test=list"), 0);
	EXPECT(o.test && o.list && !o.only[0]);
	EXPECT_EQ(parse("test=list test=buddy"), 0);
	EXPECT(!o.list && !strcmp(o.only, "buddy"));
}

KTEST(cmdline, words_that_are_none_are_counted_and_set_nothing)
{
	static const char *const wrong[] = {
		"tests",
		"tes",
		"Exit",
		"cpu=386",
		"cpu",
		"selftest=on",
		"selftest=",
		"seed=",
		"seed=1x",
		"seed=-1",
		"seed=4294967296",
		"quota=a",
		"overcommit=3",
		"log=all",
		"overcommit=x",
		"overcommit=",
		"log",
		"=",
		"-",
		"---",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (parse(wrong[i]) != 1)
			ktest_fail("\"%s\" was taken for something", wrong[i]);
		EXPECT(!o.test && !o.exit && !o.as_486 && !o.no_selftest && !o.log_calls && !o.init[0]);
		EXPECT(!o.seed && !o.quota && !o.overcommit && !o.argument_count);
	}
	EXPECT_EQ(parse("one test two"), 2);
	EXPECT(o.test);
}

KTEST(cmdline, the_later_word_wins)
{
	EXPECT_EQ(parse("seed=1 init=/a quota=5 seed=2 init=/b quota=0"), 0);
	EXPECT(o.seed == 2 && !o.quota && !strcmp(o.init, "/b"));
}

KTEST(cmdline, words_behind_two_dashes_are_the_programs)
{
	EXPECT_EQ(parse("exit -- /bin/facts test -- seed=x"), 0);
	EXPECT(o.exit && !o.test);
	EXPECT_EQ(o.argument_count, 4);
	EXPECT(!strcmp(o.argument[0], "/bin/facts"));
	EXPECT(!strcmp(o.argument[1], "test"));
	EXPECT(!strcmp(o.argument[2], "--"));
	EXPECT(!strcmp(o.argument[3], "seed=x"));
	EXPECT_EQ(parse("exit --"), 0);
	EXPECT_EQ(o.argument_count, 0);
}

KTEST(cmdline, what_there_is_no_room_for_is_left_out)
{
	static const char long_word[] = "123456789012345678901234567890123456789012345678901234567890123";
	char line[300];

	EXPECT_EQ(parse("-- a b c d e f g h i j k l m n o p q r s t u v w x y z"), 26 - CMDLINE_ARGUMENTS);
	EXPECT_EQ(o.argument_count, CMDLINE_ARGUMENTS);
	EXPECT(!strcmp(o.argument[CMDLINE_ARGUMENTS - 1], "x"));
	snprintf(line, sizeof(line), "-- %s", long_word);
	EXPECT_EQ(parse(line), 0);
	EXPECT(!strcmp(o.argument[0], long_word));
	snprintf(line, sizeof(line), "-- %sX", long_word);
	EXPECT_EQ(parse(line), 1);
	EXPECT_EQ(o.argument_count, 0);
	snprintf(line, sizeof(line), "init=/%s%.31s", long_word, long_word);
	EXPECT_EQ(parse(line), 0);
	EXPECT_EQ(strlen(o.init), sizeof(o.init) - 1);
	snprintf(line, sizeof(line), "init=/%s%.32s -- a", long_word, long_word);
	EXPECT_EQ(parse(line), 1);
	EXPECT(!o.init[0]);
	EXPECT_EQ(o.argument_count, 1);
	snprintf(line, sizeof(line), "test=%s%s", long_word, long_word);
	EXPECT_EQ(parse(line), 1);
}
