/* tests/ktest/tls_test.c - a program's own segments: which descriptors it may have, and that they work. */
#include <arch/gdt.h>
#include <lib/string.h>
#include <mm/usercopy.h>
#include <tests/ktest/user_machine.h>

static struct arch_tls tls;

KTEST_SETUP(tls)
{
	memset(&tls, 0, sizeof(tls));
	if (!user_machine_begin())
		ktest_fail("no memory for an address space");
}

KTEST_TEARDOWN(tls)
{
	static const struct arch_tls none;

	arch_tls_load(&none);
	user_machine_end();
}

/* What a C library asks for. */
static struct user_desc usual(uint32_t entry, vaddr_t base)
{
	return (struct user_desc){.entry_number = entry,
				  .base_addr = base,
				  .limit = 0xFFFFF,
				  .seg_32bit = 1,
				  .limit_in_pages = 1,
				  .useable = 1};
}

USER_PROGRAM(reads_gs, "	movl %gs:8, %ebx\n"
		       "	movl %gs:-4, %ecx" USER_ENDS);

static void load_gs(struct trap_frame *f)
{
	f->gs = 0x33;
}

KTEST(tls, a_segment_begins_where_the_program_says)
{
	struct user_desc d = usual(UINT32_MAX, USER_DATA + 100);
	uint32_t word = 0xCAFE, before = 0xBEEF;
	struct user_thread t;

	EXPECT_EQ(arch_tls_set(&tls, &d), 0);
	EXPECT_EQ(d.entry_number, 6);
	arch_tls_load(&tls);
	EXPECT_EQ(copy_to_user(USER_DATA + 108, &word, 4), 0);
	EXPECT_EQ(copy_to_user(USER_DATA + 96, &before, 4), 0);
	t = user_run_alone(user_reads_gs, (uint32_t)(user_reads_gs_end - user_reads_gs), load_gs);
	EXPECT(t.ended);
	EXPECT_EQ(t.last.ebx, 0xCAFE);
	EXPECT_EQ(t.last.ecx, 0xBEEF);
}

KTEST(tls, the_segments_of_the_last_load_count)
{
	struct user_desc d = usual(UINT32_MAX, USER_DATA);
	static const struct arch_tls none;
	struct user_thread t;

	EXPECT_EQ(arch_tls_set(&tls, &d), 0);
	arch_tls_load(&tls);
	arch_tls_load(&none);
	t = user_run_alone(user_reads_gs, (uint32_t)(user_reads_gs_end - user_reads_gs), load_gs);
	EXPECT(!t.ended);
	EXPECT_EQ(t.last.vector, TRAP_PROTECTION);
	arch_tls_load(&tls);
	t = user_run_alone(user_reads_gs, (uint32_t)(user_reads_gs_end - user_reads_gs), load_gs);
	EXPECT_NE(t.last.vector, TRAP_PROTECTION);
}

KTEST(tls, three_entries_can_be_had)
{
	struct user_desc d;

	for (uint32_t i = 0; i < 3; i++) {
		d = usual(UINT32_MAX, i);
		EXPECT_EQ(arch_tls_set(&tls, &d), 0);
		EXPECT_EQ(d.entry_number, 6 + i);
	}
	d = usual(UINT32_MAX, 0);
	EXPECT_EQ(arch_tls_set(&tls, &d), -ESRCH);
	d = (struct user_desc){.entry_number = 7, .read_exec_only = 1, .seg_not_present = 1};
	EXPECT_EQ(arch_tls_set(&tls, &d), 0);
	d = usual(UINT32_MAX, 0);
	EXPECT_EQ(arch_tls_set(&tls, &d), 0);
	EXPECT_EQ(d.entry_number, 7);
}

/* Each is refused, and the table stays as it was. */
KTEST(tls, what_is_no_harmless_data_segment_is_refused)
{
	static const struct user_desc bad[] = {
		{.entry_number = 6, .seg_32bit = 1, .contents = 2},
		{.entry_number = 6, .seg_32bit = 1, .contents = 3},
		{.entry_number = 6, .base_addr = 1},
		{.entry_number = 6, .limit = 1},
		{.entry_number = 6, .limit_in_pages = 1},
		{.entry_number = 6, .seg_32bit = 1, .seg_not_present = 1},
		{.entry_number = 6, .useable = 1},
		{.entry_number = 6, .read_exec_only = 1},
		{.entry_number = 6, .seg_not_present = 1},
		{.entry_number = 6, .contents = 1},
		{.entry_number = 5, .seg_32bit = 1},
		{.entry_number = 9, .seg_32bit = 1},
		{.entry_number = 12, .seg_32bit = 1},
		{.entry_number = 0, .seg_32bit = 1},
		{.entry_number = 0x80000006, .seg_32bit = 1},
		{.entry_number = UINT32_MAX - 1, .seg_32bit = 1},
	};
	static const struct arch_tls none;

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct user_desc d = bad[i];

		EXPECT_EQ(arch_tls_set(&tls, &d), -EINVAL);
		EXPECT_EQ(memcmp(&tls, &none, sizeof(tls)), 0);
		EXPECT_EQ(memcmp(&d, &bad[i], sizeof(d)), 0);
	}
}

/* Whatever can be set is present data of level 3, or nothing at all. */
KTEST(tls, any_descriptor_is_data_of_level_3)
{
	for (uint32_t i = 0; i < 5000; i++) {
		struct user_desc d;
		uint32_t word[sizeof(d) / 4];
		uint64_t got;

		for (uint32_t j = 0; j < ARRAY_SIZE(word); j++)
			word[j] = ktest_random();
		word[0] = 6 + word[0] % 3;
		memcpy(&d, word, sizeof(d));
		memset(&tls, 0, sizeof(tls));
		if (arch_tls_set(&tls, &d))
			continue;
		got = tls.descriptor[d.entry_number - 6];
		/* Present, level 3, no system segment, no code, accessed, 32 bits. */
		if (got)
			EXPECT_EQ(got >> 40 & 0xF9, 0xF1);
		if (got)
			EXPECT_EQ(got >> 53 & 3, 2);
	}
}

KTEST(tls, an_entry_reads_as_it_was_set)
{
	for (uint32_t i = 0; i < 64; i++) {
		struct user_desc d = usual(6 + i % 3, ktest_random()), got = {.entry_number = d.entry_number};

		d.limit = ktest_random() & 0xFFFFF;
		d.read_exec_only = i & 1;
		d.limit_in_pages = i >> 1 & 1;
		d.contents = i >> 2 & 1;
		d.useable = i >> 3 & 1;
		EXPECT_EQ(arch_tls_set(&tls, &d), 0);
		EXPECT_EQ(arch_tls_get(&tls, &got), 0);
		EXPECT_EQ(got.entry_number, d.entry_number);
		EXPECT_EQ(got.base_addr, d.base_addr);
		EXPECT_EQ(got.limit, d.limit);
		EXPECT_EQ(got.seg_32bit, 1);
		EXPECT_EQ(got.contents, d.contents);
		EXPECT_EQ(got.read_exec_only, d.read_exec_only);
		EXPECT_EQ(got.limit_in_pages, d.limit_in_pages);
		EXPECT_EQ(got.seg_not_present, 0);
		EXPECT_EQ(got.useable, d.useable);
	}
}

KTEST(tls, nothing_but_the_description_is_told)
{
	struct user_desc d = usual(6, 0x12345678), got;
	uint32_t word[sizeof(got) / 4];

	EXPECT_EQ(arch_tls_set(&tls, &d), 0);
	memset(&got, 0xFF, sizeof(got));
	got.entry_number = 6;
	EXPECT_EQ(arch_tls_get(&tls, &got), 0);
	memcpy(word, &got, sizeof(word));
	EXPECT_EQ(word[3], 0x51); /* 32 bits, pages, useable, and zeroes behind them */
}

KTEST(tls, an_empty_entry_reads_as_absent)
{
	struct user_desc d = {.entry_number = 8}, beyond = {.entry_number = 9};

	EXPECT_EQ(arch_tls_get(&tls, &beyond), -EINVAL);
	EXPECT_EQ(arch_tls_get(&tls, &d), 0);
	EXPECT_EQ(d.seg_not_present, 1);
	EXPECT_EQ(d.read_exec_only, 1);
	EXPECT_EQ(d.base_addr | d.limit, 0);
	EXPECT_EQ(arch_tls_set(&tls, &d), 0);
}
