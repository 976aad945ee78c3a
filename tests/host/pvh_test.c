/* tests/host/pvh_test.c - arch/x86/boot/pvh.c, on information that is right and on such that lies. */
#include "loader.h"

#include <arch/x86/boot/pvh.h>
#include <kernel/ktest.h>
#include <string.h>

/* As in the protocol; written here once more, so that a wrong offset is not repeated. */
static struct {
	uint32_t words[14];
	uint64_t map[4][3];
	uint64_t module[2][4];
	char text[1024];
	uint8_t rsdp[36];
	struct boot_info info;
	const char *why;
} my;

#define WORD_VERSION   1
#define WORD_MODULES   3
#define WORD_MAP_COUNT 12

static int parse(void)
{
	my.why = NULL;
	return pvh_parse(0x1000, &my.info, &my.why);
}

KTEST_SETUP(pvh)
{
	static const uint32_t words[14] = {0x336EC578, 1,      0, 1,      0x3000, 0, 0x4000,
					   0,          0x5000, 0, 0x2000, 0,      2, 0};

	memset(&my, 0, sizeof(my));
	memcpy(my.words, words, sizeof(words));
	my.map[0][1] = 0x9f000;
	my.map[0][2] = 1;
	my.map[1][0] = 0x100000;
	my.map[1][1] = 0x700000;
	my.map[1][2] = 1;
	my.module[0][0] = 0x200000;
	my.module[0][1] = 0x1001;
	strcpy(my.text, "test seed=3");
	memcpy(my.rsdp, "RSD PTR ", 8);
	loader_place(0x1000, my.words, sizeof(my.words));
	loader_place(0x2000, my.map, sizeof(my.map));
	loader_place(0x3000, my.module, sizeof(my.module));
	loader_place(0x4000, my.text, sizeof(my.text));
	loader_place(0x5000, my.rsdp, sizeof(my.rsdp));
}

KTEST_TEARDOWN(pvh)
{
	loader_clear();
}

KTEST(pvh, good_information_is_read)
{
	ASSERT_EQ(parse(), 0);
	EXPECT(!strcmp(my.info.protocol, "PVH"));
	EXPECT(!strcmp(my.info.cmdline, "test seed=3"));
	EXPECT_EQ(memmap_bytes(&my.info.map, MEM_USABLE, 0), 0x79f000 - 0x2000);
	EXPECT_EQ(my.info.module_count, 1);
	EXPECT_EQ(my.info.module[0].length, 0x1001);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x201)), MEM_MODULE);
	EXPECT_EQ(my.info.rsdp_length, 20);
}

KTEST(pvh, wrong_magic_is_refused)
{
	my.words[0]++;
	EXPECT_EQ(parse(), -EINVAL);
	EXPECT(my.why && *my.why);
}

KTEST(pvh, no_memory_map_is_refused)
{
	my.words[WORD_MAP_COUNT] = 0;
	EXPECT_EQ(parse(), -ENODATA);
	my.words[WORD_MAP_COUNT] = 2;
	my.words[WORD_VERSION] = 0;
	EXPECT_EQ(parse(), -ENODATA);
}

KTEST(pvh, counts_past_the_end_are_refused)
{
	my.words[WORD_MAP_COUNT] = 5;
	EXPECT_EQ(parse(), -EFAULT);
	my.words[WORD_MAP_COUNT] = 0xFFFFFFFF;
	EXPECT_EQ(parse(), -EINVAL);
	my.words[WORD_MAP_COUNT] = 2;
	my.words[WORD_MODULES] = 3;
	EXPECT_EQ(parse(), -EFAULT);
	my.words[WORD_MODULES] = 0x20000001;
	EXPECT_EQ(parse(), -EINVAL);
}

/* The window has room for so much: what is only counted takes none of it. */
KTEST(pvh, many_modules_leave_room_in_the_window)
{
	static uint64_t modules[256][4];
	uint32_t before;

	ASSERT_EQ(parse(), 0);
	before = loader_asked();
	for (uint32_t i = 0; i < ARRAY_SIZE(modules); i++) {
		modules[i][0] = 0x200000 + 0x2000 * i;
		modules[i][1] = 0x1000;
		modules[i][2] = 0x4000;
	}
	loader_place(0x7000, modules, sizeof(modules));
	my.words[WORD_MODULES] = ARRAY_SIZE(modules);
	my.words[4 + 0] = 0x7000;
	ASSERT_EQ(parse(), 0);
	EXPECT(!strcmp(my.info.cmdline, "test seed=3"));
	EXPECT_EQ(my.info.modules_left_out, ARRAY_SIZE(modules) - BOOT_MODULES);
	EXPECT_EQ(loader_asked() - before, before + BOOT_MODULES);
}

KTEST(pvh, module_that_wraps_is_refused)
{
	my.module[0][0] = UINT64_MAX - 0x1000;
	EXPECT_EQ(parse(), -EINVAL);
	my.module[0][0] = 0;
	my.module[0][1] = 1ull << 32;
	EXPECT_EQ(parse(), -EINVAL);
}

KTEST(pvh, information_out_of_reach_is_refused)
{
	EXPECT_EQ(pvh_parse(0xFFFFFFFF00000000, &my.info, &my.why), -EFAULT);
	EXPECT(my.why && *my.why);
}
