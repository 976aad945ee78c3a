/*
 * tests/host/multiboot2_test.c - arch/x86/boot/multiboot2.c on information that lies. Each piece stands in host
 * memory of exactly its size, so that AddressSanitizer sees a single byte read too many.
 */
#include "loader.h"

#include <arch/boot.h>
#include <arch/x86/boot/multiboot2.h>
#include <kernel/ktest.h>
#include <stdlib.h>
#include <string.h>

#define TAG_CMDLINE     1
#define TAG_LOADER      2
#define TAG_MODULE      3
#define TAG_MEMINFO     4
#define TAG_MMAP        6
#define TAG_FRAMEBUFFER 8
#define TAG_RSDP_OLD    14
#define TAG_RSDP_NEW    15

static struct {
	uint8_t bytes[32768];
	uint32_t length;
	uint32_t tag; /* where the open tag begins */
	struct boot_info info;
	const char *why;
} my;

static void put(uint64_t value, unsigned bytes)
{
	while (bytes--) {
		my.bytes[my.length++] = (uint8_t)value;
		value >>= 8;
	}
}

static void put_text(const char *text)
{
	while (*text)
		put((uint8_t)*text++, 1);
	put(0, 1);
}

static void set32(uint32_t at, uint32_t value)
{
	memcpy(my.bytes + at, &value, sizeof(value));
}

static void begin_tag(uint32_t type)
{
	my.tag = my.length;
	put(type, 4);
	put(0, 4);
}

static void end_tag(void)
{
	set32(my.tag + 4, my.length - my.tag);
	put(0, (8 - my.length % 8) % 8);
}

static void begin_mmap(uint32_t stride)
{
	begin_tag(TAG_MMAP);
	put(stride, 4);
	put(0, 4);
}

static void put_range(uint64_t base, uint64_t length, uint32_t type)
{
	put(base, 8);
	put(length, 8);
	put(type, 8);
}

static void put_end(void)
{
	begin_tag(0);
	end_tag();
	set32(0, my.length);
}

/* Parses what was built, of which so many bytes are there. */
static int parse_cut(uint32_t bytes)
{
	uint8_t *exact = malloc(bytes);
	int err;

	if (!exact)
		abort();
	memcpy(exact, my.bytes, bytes);
	my.why = NULL;
	err = multiboot2_parse(exact, bytes, &my.info, &my.why);
	free(exact);
	return err;
}

static int parse(void)
{
	return parse_cut(my.length);
}

/* A map that is right, for tests of everything else. */
static void put_good_map(void)
{
	begin_mmap(24);
	put_range(0, 0x9f000, 1);
	put_range(0x100000, 0x700000, 1);
	end_tag();
}

static void expect_refused(int err)
{
	EXPECT_EQ(err, -EINVAL);
	EXPECT(my.why && *my.why);
}

KTEST_SETUP(multiboot2)
{
	memset(&my, 0, sizeof(my));
	put(0, 8);
}

KTEST_TEARDOWN(multiboot2)
{
	loader_clear();
}

KTEST(multiboot2, good_information_is_read)
{
	put_good_map();
	begin_tag(TAG_CMDLINE);
	put_text("test=frame seed=7");
	end_tag();
	begin_tag(TAG_LOADER);
	put_text("GRUB 2.06");
	end_tag();
	begin_tag(TAG_MODULE);
	put(0x200000, 4);
	put(0x200123, 4);
	put_text("initrd");
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT(!strcmp(my.info.protocol, "Multiboot2"));
	EXPECT(!strcmp(my.info.cmdline, "test=frame seed=7"));
	EXPECT(!my.info.cmdline_cut);
	EXPECT(!strcmp(my.info.loader, "GRUB 2.06"));
	EXPECT_EQ(my.info.module_count, 1);
	EXPECT_EQ(my.info.module[0].start.a, 0x200000);
	EXPECT_EQ(my.info.module[0].length, 0x123);
	EXPECT(!strcmp(my.info.module[0].cmdline, "initrd"));
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x200)), MEM_MODULE);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x201)), MEM_USABLE);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x9f)), MEM_NONE);
}

KTEST(multiboot2, types_become_kinds)
{
	static const enum mem_kind want[] = {MEM_RESERVED, MEM_USABLE, MEM_RESERVED, MEM_ACPI,
					     MEM_NVS,      MEM_BAD,    MEM_RESERVED};

	begin_mmap(24);
	for (uint32_t type = 0; type < ARRAY_SIZE(want); type++)
		put_range((type + 1) * 0x10000, 0x1000, type);
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	for (uint32_t type = 0; type < ARRAY_SIZE(want); type++)
		EXPECT_EQ(memmap_kind(&my.info.map, PFN((type + 1) * 0x10)), want[type]);
}

static const uint32_t bad_sizes[] = {0, 1, 8, 15, 0x100001, 0xFFFFFFFF};

KTEST_EACH(multiboot2, impossible_total_size_is_refused, bad_sizes)
{
	put_good_map();
	put_end();
	set32(0, param);
	expect_refused(parse());
}

KTEST(multiboot2, total_size_past_the_end_is_refused)
{
	put_good_map();
	put_end();
	set32(0, my.length + 1);
	expect_refused(parse());
}

/* Whatever is cut off: refused, and never a byte read behind the cut. */
KTEST(multiboot2, every_cut_is_refused)
{
	put_good_map();
	begin_tag(TAG_CMDLINE);
	put_text("word");
	end_tag();
	begin_tag(TAG_RSDP_NEW);
	put(0, 36);
	end_tag();
	put_end();
	for (uint32_t bytes = 8; bytes < my.length; bytes++) {
		set32(0, bytes);
		expect_refused(parse_cut(bytes));
	}
}

static const uint32_t bad_tag_sizes[] = {0, 1, 7, 0x7FFFFFFF, 0xFFFFFFF8, 0xFFFFFFFF};

KTEST_EACH(multiboot2, impossible_tag_size_is_refused, bad_tag_sizes)
{
	begin_tag(TAG_LOADER);
	put_text("x");
	end_tag();
	set32(my.tag + 4, param);
	put_good_map();
	put_end();
	expect_refused(parse());
}

static const uint32_t tag_types[] = {TAG_CMDLINE, TAG_LOADER,      TAG_MODULE,   TAG_MEMINFO,
				     TAG_MMAP,    TAG_FRAMEBUFFER, TAG_RSDP_OLD, TAG_RSDP_NEW};

KTEST_EACH(multiboot2, tag_too_short_for_its_type_is_refused, tag_types)
{
	put_good_map();
	begin_tag(param);
	end_tag();
	put_end();
	expect_refused(parse());
}

KTEST(multiboot2, unknown_tags_are_skipped)
{
	begin_tag(0x12345);
	put(0xEE, 3);
	end_tag();
	begin_tag(17);
	end_tag();
	put_good_map();
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x100)), MEM_USABLE);
}

KTEST(multiboot2, missing_end_tag_is_refused)
{
	put_good_map();
	set32(0, my.length);
	expect_refused(parse());
}

static const uint32_t bad_strides[] = {0, 8, 16, 20, 23, 25, 0xFFFFFFF8, 0xFFFFFFFF};

KTEST_EACH(multiboot2, impossible_stride_is_refused, bad_strides)
{
	begin_mmap(param);
	put_range(0x100000, 0x100000, 1);
	end_tag();
	put_end();
	expect_refused(parse());
}

KTEST(multiboot2, larger_stride_is_followed)
{
	begin_mmap(40);
	put_range(0x100000, 0x100000, 1);
	put(0xDEAD, 16);
	put_range(0x400000, 0x100000, 2);
	put(0xBEEF, 16);
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT_EQ(my.info.raw_count, 2);
	EXPECT_EQ(my.info.raw[1].base, 0x400000);
	EXPECT_EQ(memmap_bytes(&my.info.map, MEM_USABLE, 0), 0x100000);
}

KTEST(multiboot2, map_cut_in_an_entry_is_refused)
{
	begin_mmap(24);
	put_range(0x100000, 0x100000, 1);
	put(0, 8);
	end_tag();
	put_end();
	expect_refused(parse());
}

KTEST(multiboot2, overlaps_in_any_order_keep_the_more_reserved)
{
	begin_mmap(24);
	put_range(0x300000, 0x2000, 2);
	put_range(0x500000, 0x100000, 1);
	put_range(0x100000, 0x400000, 1);
	put_range(0x301000, 0x2000, 4);
	put_range(0x200000, 0x200000, 1);
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x2ff)), MEM_USABLE);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x300)), MEM_RESERVED);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x301)), MEM_RESERVED);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x302)), MEM_NVS);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x303)), MEM_USABLE);
	EXPECT_EQ(memmap_bytes(&my.info.map, MEM_USABLE, 0), 0x500000 - 0x3000);
}

KTEST(multiboot2, range_that_wraps_ends_at_the_top)
{
	begin_mmap(24);
	put_range(0x100000, 0x100000, 1);
	put_range(0xFFFFFFFFFFFF0000, 0x20000, 2);
	put_range(0xFFFFFFFFFFFFF800, UINT64_MAX, 1);
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT_EQ(memmap_bytes(&my.info.map, MEM_USABLE, 0), 0x100000);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0)), MEM_NONE);
}

KTEST(multiboot2, no_map_falls_back_to_the_two_counts)
{
	begin_tag(TAG_MEMINFO);
	put(639, 4);
	put(7 * 1024, 4);
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT_EQ(memmap_bytes(&my.info.map, MEM_USABLE, 0), 7 * 0x100000 + 639 / 4 * 0x1000);
}

KTEST(multiboot2, nothing_about_memory_is_refused)
{
	begin_tag(TAG_LOADER);
	put_text("x");
	end_tag();
	put_end();
	EXPECT_EQ(parse(), -ENODATA);
	EXPECT(my.why && *my.why);
}

KTEST(multiboot2, empty_map_is_refused)
{
	begin_mmap(24);
	end_tag();
	put_end();
	EXPECT_EQ(parse(), -ENODATA);
}

/* More ranges than the map has edges: what is given up is counted. */
KTEST(multiboot2, no_range_is_lost_in_silence)
{
	uint64_t listed = 0;

	begin_mmap(24);
	for (uint32_t i = 0; i < 2 * MEMMAP_EDGES; i++, listed += 0x1000)
		put_range(0x100000 + i * 0x2000, 0x1000, 1);
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT_EQ(my.info.raw_count, BOOT_RAW_RANGES);
	EXPECT_EQ(my.info.raw_left_out, 2 * MEMMAP_EDGES - BOOT_RAW_RANGES);
	EXPECT(my.info.map.count <= MEMMAP_EDGES);
	EXPECT(my.info.map.lost > 0);
	EXPECT_EQ(memmap_bytes(&my.info.map, MEM_USABLE, 0) + my.info.map.lost, listed);
}

/* The same with reserved ranges: they may swallow usable memory, never the other way round. */
KTEST(multiboot2, reserved_ranges_are_never_given_up)
{
	begin_mmap(24);
	put_range(0x100000, 0x10000000, 1);
	for (uint32_t i = 0; i < 2 * MEMMAP_EDGES; i++)
		put_range(0x200000 + i * 0x2000, 0x1000, 2);
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	for (uint32_t i = 0; i < 2 * MEMMAP_EDGES; i++)
		EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x200 + 2 * i)), MEM_RESERVED);
}

KTEST(multiboot2, module_that_ends_before_it_begins_is_refused)
{
	put_good_map();
	begin_tag(TAG_MODULE);
	put(0x200000, 4);
	put(0x1FFFFF, 4);
	put_text("");
	end_tag();
	put_end();
	expect_refused(parse());
}

KTEST(multiboot2, modules_beyond_the_table_keep_their_memory)
{
	put_good_map();
	for (uint32_t i = 0; i < BOOT_MODULES + 2; i++) {
		begin_tag(TAG_MODULE);
		put(0x200000 + i * 0x1000, 4);
		put(0x200800 + i * 0x1000, 4);
		put_text("m");
		end_tag();
	}
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT_EQ(my.info.module_count, BOOT_MODULES);
	EXPECT_EQ(my.info.modules_left_out, 2);
	EXPECT_EQ(memmap_kind(&my.info.map, PFN(0x200 + BOOT_MODULES + 1)), MEM_MODULE);
}

/* Text without a terminator ends with its tag; text that is too long is cut and says so. */
KTEST(multiboot2, text_is_bounded)
{
	put_good_map();
	begin_tag(TAG_LOADER);
	for (uint32_t i = 0; i < 200; i++)
		put('L', 1);
	end_tag();
	begin_tag(TAG_CMDLINE);
	for (uint32_t i = 0; i < 600; i++)
		put('c', 1);
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT_EQ(strlen(my.info.loader), sizeof(my.info.loader) - 1);
	EXPECT_EQ(strlen(my.info.cmdline), sizeof(my.info.cmdline) - 1);
	EXPECT(my.info.cmdline_cut);
}

KTEST(multiboot2, framebuffer_and_rsdp_are_copied)
{
	put_good_map();
	begin_tag(TAG_FRAMEBUFFER);
	put(0xFD000000, 8);
	put(4096, 4);
	put(1024, 4);
	put(768, 4);
	put(32, 1);
	put(1, 1);
	put(0, 2);
	put(0x081008080810, 6);
	end_tag();
	begin_tag(TAG_RSDP_NEW);
	put(0x1234, 36);
	end_tag();
	begin_tag(TAG_RSDP_OLD);
	put(0x5678, 20);
	end_tag();
	put_end();
	ASSERT_EQ(parse(), 0);
	EXPECT(my.info.has_framebuffer);
	EXPECT_EQ(my.info.framebuffer.base.a, 0xFD000000);
	EXPECT_EQ(my.info.framebuffer.width, 1024);
	EXPECT_EQ(my.info.framebuffer.red.position, 0x10);
	EXPECT_EQ(my.info.rsdp_length, 36);
	EXPECT_EQ(my.info.rsdp[0], 0x34);
}

/* Any bytes at all: an answer, and no access outside. */
KTEST(multiboot2, random_damage_is_survived)
{
	for (uint32_t round = 0; round < 2000; round++) {
		memset(my.bytes, 0, sizeof(my.bytes));
		my.length = 0;
		put(0, 8);
		put_good_map();
		begin_tag(TAG_MODULE);
		put(0x200000, 4);
		put(0x201000, 4);
		put_text("module");
		end_tag();
		put_end();
		for (uint32_t hits = ktest_random_below(6) + 1; hits--;)
			my.bytes[ktest_random_below(my.length)] = (uint8_t)ktest_random();
		parse();
	}
}

/* By its physical address, as the entry code gets it. */
KTEST(multiboot2, information_is_found_where_it_lies)
{
	const char *why = "";

	put_good_map();
	put_end();
	EXPECT_EQ(arch_boot_info(MULTIBOOT2_MAGIC, 0x4000, &my.info, &why), -EFAULT);
	loader_place(0x4000, my.bytes, my.length);
	EXPECT_EQ(arch_boot_info(0x2BADB002, 0x4000, &my.info, &why), -EPROTO);
	EXPECT(*why);
	ASSERT_EQ(arch_boot_info(MULTIBOOT2_MAGIC, 0x4000, &my.info, &why), 0);
	set32(0, my.length + 8);
	EXPECT_EQ(arch_boot_info(MULTIBOOT2_MAGIC, 0x4000, &my.info, &why), -EFAULT);
	set32(0, 4);
	EXPECT_EQ(arch_boot_info(MULTIBOOT2_MAGIC, 0x4000, &my.info, &why), -EINVAL);
}
