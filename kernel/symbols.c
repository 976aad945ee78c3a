/*
 * kernel/symbols.c - looks addresses up in the table that scripts/make-symbols.py makes from a first link of the
 * kernel. That first link has no table: then the symbols here are null, and nothing has a name.
 */
#include <kernel/symbols.h>

struct symbol {
	uint32_t start, size;
	uint32_t name; /* offset into symbol_names */
};
extern const struct symbol symbol_table[] __attribute__((weak)); /* by start, without overlap */
extern const uint32_t symbol_count __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));

/* Returns how many symbols start at or below the address. */
static uint32_t count_up_to(uint32_t address)
{
	uint32_t low = 0, high = symbol_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (symbol_table[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *symbol_find(uint32_t address, uint32_t *offset)
{
	const struct symbol *s;
	uint32_t below = &symbol_count ? count_up_to(address) : 0;

	if (!below)
		return NULL;
	s = &symbol_table[below - 1];
	if (address - s->start >= s->size)
		return NULL;
	*offset = address - s->start;
	return symbol_names + s->name;
}
