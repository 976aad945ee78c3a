/*
 * tests/fuzz/claims.c - pieces between all the places where a claim begins or ends; each claim in turn is painted
 * over the pieces that it covers.
 *
 *	claims    [--usable------------------)  [-----)
 *	                 [-reserved-)
 *	pieces    |      |          |        |  |     |
 */
#include "claims.h"
#include "fuzz.h"

#include <stdlib.h>

#define PAGES_END (1ull << 52)
#define LAST      (PAGES_END - 1) /* the one page that no edge can begin with */

static struct {
	uint32_t count;
	uint64_t first[2 * CLAIMS + 1];
	enum mem_kind kind[2 * CLAIMS + 1];
} pieces;

static void add(struct claims *c, struct claim claim)
{
	if (claim.end > LAST)
		claim.end = LAST;
	if (claim.first >= claim.end)
		return;
	FUZZ_HOLDS(c->count < CLAIMS);
	c->claim[c->count++] = claim;
}

void claims_mark(struct claims *c, uint64_t start, uint64_t length, enum mem_kind kind)
{
	uint64_t last = length - 1 > UINT64_MAX - start ? UINT64_MAX : start + (length - 1); /* byte */
	struct claim claim = {start / PAGE_SIZE, last / PAGE_SIZE + 1, kind, false};

	if (!length)
		return;
	if (kind == MEM_USABLE) {
		claim.first += start % PAGE_SIZE != 0;
		claim.end -= last % PAGE_SIZE != PAGE_SIZE - 1;
	}
	add(c, claim);
}

void claims_set(struct claims *c, pfn_t first, uint32_t count, enum mem_kind kind)
{
	add(c, (struct claim){first.n, (uint64_t)first.n + count, kind, true});
}

enum mem_kind claims_kind(const struct claims *c, pfn_t f)
{
	enum mem_kind kind = MEM_NONE;

	for (const struct claim *k = c->claim; k < c->claim + c->count; k++)
		if (f.n >= k->first && f.n < k->end && (k->over || kind < k->kind))
			kind = k->kind;
	return kind;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Cuts memory into pieces that every claim covers or does not touch. */
static void cut(const struct claims *c)
{
	uint32_t kept = 1;

	pieces.count = 1;
	pieces.first[0] = 0;
	for (uint32_t i = 0; i < c->count; i++) {
		pieces.first[pieces.count++] = c->claim[i].first;
		pieces.first[pieces.count++] = c->claim[i].end;
	}
	qsort(pieces.first, pieces.count, sizeof(pieces.first[0]), by_value);
	for (uint32_t i = 1; i < pieces.count; i++)
		if (pieces.first[i] != pieces.first[kept - 1] && pieces.first[i] < LAST)
			pieces.first[kept++] = pieces.first[i];
	pieces.count = kept;
}

static void paint(const struct claim *claim)
{
	for (uint32_t i = 0; i < pieces.count; i++)
		if (pieces.first[i] >= claim->first && pieces.first[i] < claim->end &&
		    (claim->over || pieces.kind[i] < claim->kind))
			pieces.kind[i] = claim->kind;
}

static void merge(void)
{
	uint32_t kept = 1;

	for (uint32_t i = 1; i < pieces.count; i++) {
		if (pieces.kind[i] == pieces.kind[kept - 1])
			continue;
		pieces.first[kept] = pieces.first[i];
		pieces.kind[kept++] = pieces.kind[i];
	}
	pieces.count = kept;
}

static uint64_t end_of(uint32_t i)
{
	return i + 1 < pieces.count ? pieces.first[i + 1] : PAGES_END;
}

static void is_sound(const struct memmap *m)
{
	FUZZ_HOLDS(m->count >= 1 && m->count <= MEMMAP_EDGES && m->edge[0].start == 0);
	for (uint32_t i = 1; i < m->count; i++) {
		FUZZ_HOLDS(m->edge[i].start > m->edge[i - 1].start);
		FUZZ_HOLDS(m->edge[i].kind != m->edge[i - 1].kind);
		FUZZ_EQ(m->edge[i].start % PAGE_SIZE, 0);
		FUZZ_HOLDS(m->edge[i].kind < MEM_KINDS);
	}
}

/* What a map may say of a page: nothing less reserved than it is, but where usable memory was given up. */
static bool is_safe(enum mem_kind said, enum mem_kind is)
{
	return said >= is || (is == MEM_USABLE && said == MEM_NONE);
}

static void compare_safety(const struct memmap *m)
{
	uint32_t r = 0;

	for (uint32_t i = 0; i < pieces.count; i++) {
		while (r + 1 < m->count && m->edge[r + 1].start <= pieces.first[i] * PAGE_SIZE)
			r++;
		for (; r < m->count && m->edge[r].start / PAGE_SIZE < end_of(i); r++)
			FUZZ_HOLDS(is_safe(m->edge[r].kind, pieces.kind[i]));
		r -= r > 0;
	}
}

static uint64_t bytes_of(enum mem_kind kind)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < pieces.count; i++)
		pages += pieces.kind[i] == kind ? end_of(i) - pieces.first[i] : 0;
	return pages * PAGE_SIZE;
}

void claims_compare(const struct claims *c, const struct memmap *m)
{
	cut(c);
	for (uint32_t i = 0; i < pieces.count; i++)
		pieces.kind[i] = MEM_NONE;
	for (uint32_t i = 0; i < c->count; i++)
		paint(&c->claim[i]);
	merge();
	is_sound(m);
	if (c->count > CLAIMS_EXACT) {
		compare_safety(m);
		return;
	}
	FUZZ_EQ(m->lost, 0);
	FUZZ_EQ(m->count, pieces.count);
	for (uint32_t i = 0; i < pieces.count; i++) {
		FUZZ_EQ(m->edge[i].start / PAGE_SIZE, pieces.first[i]);
		FUZZ_EQ(m->edge[i].kind, pieces.kind[i]);
	}
	for (unsigned kind = 0; kind < MEM_KINDS; kind++)
		FUZZ_EQ(memmap_bytes(m, (enum mem_kind)kind, 0), bytes_of((enum mem_kind)kind));
}
