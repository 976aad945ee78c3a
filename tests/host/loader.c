/* tests/host/loader.c - boot_window over memory that a test made. Strict: not a byte around what was placed. */
#include "loader.h"

#include <arch/x86/boot/boot.h>
#include <lib/panic.h>

/* arch/x86/boot/info.c names the entry code's spare table, which a simulated machine has in its image. */
extern char boot_spare_table[];
char boot_spare_table[PAGE_SIZE];

static struct {
	struct {
		uint64_t physical;
		const char *bytes;
		uint32_t length;
	} place[LOADER_PLACES];
	uint32_t count;
	uint32_t asked;
} loader;

void loader_place(uint64_t physical, const void *bytes, uint32_t length)
{
	INVARIANT(loader.count < LOADER_PLACES);
	loader.place[loader.count].physical = physical;
	loader.place[loader.count].bytes = bytes;
	loader.place[loader.count].length = length;
	loader.count++;
}

void loader_clear(void)
{
	loader.count = 0;
	loader.asked = 0;
}

uint32_t loader_asked(void)
{
	return loader.asked;
}

const void *boot_window(uint64_t physical, uint32_t bytes)
{
	loader.asked++;
	for (uint32_t i = 0; i < loader.count; i++) {
		uint64_t offset = physical - loader.place[i].physical;

		if (offset < loader.place[i].length && bytes <= loader.place[i].length - offset)
			return loader.place[i].bytes + offset;
	}
	return NULL;
}
