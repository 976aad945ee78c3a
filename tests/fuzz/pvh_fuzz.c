/*
 * tests/fuzz/pvh_fuzz.c - the target pvh: a string is the memory at PLACE, and the start information its first bytes.
 * All else is where that says, here or nowhere.
 */
#include "boot_model.h"
#include "fuzz.h"

#include <arch/x86/boot/pvh.h>
#include <tests/host/loader.h>

#define PLACE       0x1000u
#define INFO_LENGTH 56u
#define TEXT_LENGTH 1024u

static struct boot_model model;
static struct fuzz_input memory;

/* Returns the bytes at an address; null where they are not all there. */
static const uint8_t *at(uint64_t address, uint64_t length)
{
	uint64_t offset = address - PLACE;

	return address >= PLACE && offset < memory.left && length <= memory.left - offset
		       ? memory.bytes + offset
		       : NULL;
}

/* Returns word i of 8 bytes. */
static uint64_t word(const uint8_t *p, uint32_t i)
{
	struct fuzz_input in = {p + 8 * i, 8};

	return fuzz_take64(&in);
}

static bool read_map(uint64_t address, uint32_t count)
{
	const uint8_t *p = at(address, count * 24ull);

	if (!address || !count || count > 4096 || !p)
		return false;
	for (uint32_t i = 0; i < count; i++, p += 24)
		boot_model_range(&model, word(p, 0), word(p, 1), (uint32_t)word(p, 2));
	return true;
}

static bool read_modules(uint64_t address, uint32_t count)
{
	const uint8_t *p = at(address, count * 32ull);

	if (!count)
		return true;
	if (count > 256 || !p)
		return false;
	for (uint32_t i = 0; i < count; i++, p += 32) {
		if (word(p, 1) > UINT32_MAX || word(p, 0) + word(p, 1) < word(p, 0))
			return false;
		boot_model_module(&model, word(p, 0), word(p, 1));
	}
	return true;
}

/* By words: magic and version, flags and count of modules, modules, command line, RSDP, map, its count. */
static bool read_all(void)
{
	const uint8_t *p = at(PLACE, INFO_LENGTH);

	if (!p || (uint32_t)word(p, 0) != PVH_MAGIC || !(word(p, 0) >> 32))
		return false;
	if (!read_map(word(p, 5), (uint32_t)word(p, 6)) || !read_modules(word(p, 2), word(p, 1) >> 32))
		return false;
	model.cmdline = word(p, 3) ? at(word(p, 3), TEXT_LENGTH) : NULL;
	model.cmdline_length = model.cmdline ? TEXT_LENGTH : 0;
	return true;
}

static void run(struct fuzz_input *in)
{
	memory = *in;
	model = (struct boot_model){0};
	model.refused = !read_all();
	loader_place(PLACE, in->bytes, (uint32_t)in->left);
	boot_model_compare(&model, PVH_MAGIC, PLACE);
	loader_clear();
}

const struct fuzz_target fuzz_pvh = {.name = "pvh", .run = run};
