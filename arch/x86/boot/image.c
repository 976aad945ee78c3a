/*
 * arch/x86/boot/image.c - plans the move of an image that the loader put elsewhere. Owns nothing.
 *
 *	to                       from               from + size
 *	| modules, information,  | the image        |
 *	| nothing                |                  |
 *
 *	| the image        | modules, information,  |
 *	|                  | nothing                |
 *	to                 to + size
 *
 * The code runs at an address that it was not linked for. Calls are relative and may be made; there must be no other
 * address in it, and so no stack guard either.
 */
#include "image.h"
#include "boot.h"
#include "multiboot2.h"

#define MOVING_CODE BOOT_CODE __attribute__((no_stack_protector))

#define TAG_END    0u
#define TAG_MODULE 3u
#define TAG_MMAP   6u
#define RAM        1u /* type of a range */

MOVING_CODE static uint32_t get(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

MOVING_CODE static void put(uint8_t *p, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

/* Returns the next tag of a type behind `tag`, whole and within the information; null where there is none. */
MOVING_CODE static uint8_t *next_tag(uint8_t *info, uint8_t *tag, uint32_t type)
{
	uint32_t size = get(info);
	uint32_t at = tag ? (uint32_t)(tag - info) + ((get(tag + 4) + 7) & ~7u) : 8;

	while (at < size && size - at >= 8) {
		uint32_t length = get(info + at + 4);

		if (length < 8 || length > size - at || get(info + at) == TAG_END)
			return NULL;
		if (get(info + at) == type)
			return info + at;
		at += (length + 7) & ~7u;
	}
	return NULL;
}

/* Where a range of the map that begins at an entry ends; one that wraps ends at the top. */
MOVING_CODE static uint64_t range_end(const uint8_t *entry, uint64_t *start)
{
	uint64_t length = get(entry + 8) | (uint64_t)get(entry + 12) << 32;

	*start = get(entry) | (uint64_t)get(entry + 4) << 32;
	return length > UINT64_MAX - *start ? UINT64_MAX : *start + length;
}

/* True when a tag's map has [start, end) as RAM, and nothing of it as anything else. */
MOVING_CODE static bool is_ram(const uint8_t *tag, uint64_t start, uint64_t end)
{
	uint32_t length = get(tag + 4), stride = length < 16 ? 0 : get(tag + 8);
	uint64_t at = start, reached = 0, from, to;

	if (stride < 24)
		return false;
	while (at < end && reached != at) {
		reached = at;
		for (uint32_t i = 16; i < length && length - i >= 24; i += stride) {
			to = range_end(tag + i, &from);
			if (get(tag + i + 16) == RAM && from <= at && at < to)
				at = to;
			if (get(tag + i + 16) != RAM && from < end && start < to)
				return false;
		}
	}
	return at >= end;
}

/* Moves what lies between `to` and `from`. False when it lies there in part. */
MOVING_CODE static bool follow(const struct image_move *m, uint32_t *address, uint32_t length)
{
	uint64_t end = (uint64_t)*address + length;

	if (end <= m->to || *address >= m->from + m->size)
		return true;
	if (*address < m->to || end > m->from)
		return false;
	*address += m->size;
	return true;
}

/* Makes the modules' tags follow or, without `change`, finds out whether they can. */
MOVING_CODE static bool modules_follow(const struct image_move *m, uint8_t *info, bool change)
{
	for (uint8_t *t = next_tag(info, NULL, TAG_MODULE); t; t = next_tag(info, t, TAG_MODULE)) {
		uint32_t start = get(t + 8), length = get(t + 12) - start;

		if (get(t + 4) < 16 || get(t + 12) < start || !follow(m, &start, length))
			return false;
		if (change) {
			put(t + 8, start);
			put(t + 12, start + length);
		}
	}
	return true;
}

MOVING_CODE const char *image_move_plan(struct image_move *m, uint8_t *info)
{
	uint32_t size = get(info), place = m->info;
	uint8_t *map = NULL;

	if (size >= MULTIBOOT2_LEAST && size <= MULTIBOOT2_MOST)
		map = next_tag(info, NULL, TAG_MMAP);
	if (!map)
		return "Quire: loaded elsewhere than at 1 MiB, where it runs, and without a memory map.\r\n";
	if (m->from < m->to || m->size > UINT32_MAX - m->from)
		return "Quire: loaded below 1 MiB, where it runs.\r\n";
	if (!is_ram(map, m->to, m->from + m->size))
		return "Quire: it runs at 1 MiB, and not all memory from there to where it was loaded is "
		       "RAM.\r\n";
	if (!follow(m, &place, size) || !modules_follow(m, info, false))
		return "Quire: what the loader put at 1 MiB, where it runs, is not in one piece.\r\n";

	/* From here nothing fails. */
	modules_follow(m, info, true);
	m->info = place;
	return NULL;
}
