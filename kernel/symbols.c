/*
 * kernel/symbols.c - looks addresses up in the tables that scripts/make-symbols.py makes from a first link of the
 * kernel. That first link has no tables: then the symbols here are null, and nothing has a name. Owns
 * symbols_of_suites.
 */
#include <kernel/symbols.h>

struct symbol {
	uint32_t start, size;
	uint32_t name; /* offset into the names */
};
struct symbols {
	uint32_t count;
	struct symbol table[]; /* by start, without overlap; behind it the names */
};
extern const struct symbols symbols __attribute__((weak)), suite_symbols __attribute__((weak));

bool symbols_of_suites;

/* Returns how many symbols start at or below the address. */
static uint32_t count_up_to(const struct symbols *s, uint32_t address)
{
	uint32_t low = 0, high = s->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->table[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const char *find(const struct symbols *s, uint32_t address, uint32_t *offset)
{
	uint32_t below = s ? count_up_to(s, address) : 0;
	const struct symbol *found;

	if (!below)
		return NULL;
	found = &s->table[below - 1];
	if (address - found->start >= found->size)
		return NULL;
	*offset = address - found->start;
	return (const char *)&s->table[s->count] + found->name;
}

const char *symbol_find(uint32_t address, uint32_t *offset)
{
	const char *name = find(&symbols, address, offset);

	return name || !symbols_of_suites ? name : find(&suite_symbols, address, offset);
}
