/*
 * tests/fuzz/multiboot2_fuzz.c - the target multiboot2: a string is boot information, whole; where its first byte is
 * odd, its total size is put right first.
 */
#include "boot_model.h"
#include "fuzz.h"

#include <arch/x86/boot/multiboot2.h>
#include <stdlib.h>
#include <string.h>
#include <tests/host/loader.h>

#define PLACE 0x100178 /* inside the kernel's range, where loaders do put it */

static struct boot_model model;

static uint32_t read32(const uint8_t *p)
{
	struct fuzz_input in = {p, 4};

	return fuzz_take32(&in);
}

static uint64_t read64(const uint8_t *p)
{
	struct fuzz_input in = {p, 8};

	return fuzz_take64(&in);
}

/* The least size of the tags that are read; 8 for others. */
static uint32_t least(uint32_t type)
{
	static const uint8_t sizes[] = {8, 9, 9, 17, 16, 8, 16, 8, 32, 8, 8, 8, 8, 8, 28, 44};

	return type < sizeof(sizes) ? sizes[type] : 8;
}

static bool read_map(const uint8_t *tag, uint32_t size)
{
	uint32_t stride = read32(tag + 8);

	if (stride < 24 || stride % 8 || (size - 16) % stride)
		return false;
	for (const uint8_t *p = tag + 16; p < tag + size; p += stride)
		boot_model_range(&model, read64(p), read64(p + 8), read32(p + 16));
	return true;
}

static bool read_tag(const uint8_t *tag, uint32_t size)
{
	uint32_t type = read32(tag);

	if (size < least(type))
		return false;
	if (type == 1) {
		model.cmdline = tag + 8;
		model.cmdline_length = size - 8;
	}
	if (type == 3) {
		if (read32(tag + 12) < read32(tag + 8))
			return false;
		boot_model_module(&model, read32(tag + 8), read32(tag + 12) - read32(tag + 8));
	}
	return type != 6 || read_map(tag, size);
}

/* Without a map the two amounts of the last such tag count. */
static bool use_amounts(const uint8_t *amounts)
{
	if (model.ranges)
		return true;
	if (!amounts || !read32(amounts + 12))
		return false;
	boot_model_range(&model, 0, read32(amounts + 8) * 1024ull, 1);
	boot_model_range(&model, 0x100000, read32(amounts + 12) * 1024ull, 1);
	return true;
}

static bool read_all(const uint8_t *bytes, uint64_t length)
{
	const uint8_t *amounts = NULL;
	uint64_t end = length >= 16 ? read32(bytes) : 0, next;

	if (end < 16 || end > MULTIBOOT2_MOST || end > length)
		return false;
	for (uint64_t at = 8; at + 8 <= end; at = next) {
		uint32_t size = read32(bytes + at + 4);

		next = (at + size + 7) / 8 * 8;
		if (size < 8 || at + size > end)
			return false;
		if (!read32(bytes + at))
			return use_amounts(amounts);
		if (!read_tag(bytes + at, size))
			return false;
		if (read32(bytes + at) == 4)
			amounts = bytes + at;
	}
	return false;
}

static void run(struct fuzz_input *in)
{
	bool mend = fuzz_take8(in) % 2;
	uint32_t length = (uint32_t)in->left;
	uint8_t *exact = malloc(length + !length);

	if (!exact)
		abort();
	memcpy(exact, in->bytes, length);
	if (mend && length >= sizeof(length))
		memcpy(exact, &length, sizeof(length));
	memset(&model, 0, sizeof(model));
	model.refused = !read_all(exact, length);
	loader_place(PLACE, exact, length);
	boot_model_compare(&model, MULTIBOOT2_MAGIC, PLACE);
	loader_clear();
	free(exact);
}

const struct fuzz_target fuzz_multiboot2 = {.name = "multiboot2", .run = run};
