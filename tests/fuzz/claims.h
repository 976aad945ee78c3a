/*
 * tests/fuzz/claims.h - the model of a memory map: the claims on memory as they were made, one after the other, and
 * what each page is by them. Slow and simple, in pages, and without a line of mm/memmap.c.
 */
#ifndef TESTS_CLAIMS_H
#define TESTS_CLAIMS_H

#include <mm/memmap.h>

#define CLAIMS       1024u
#define CLAIMS_EXACT 119u /* two edges for each fit into any map */

struct claims {
	uint32_t count;
	struct claim {
		uint64_t first, end; /* pages */
		enum mem_kind kind;
		bool over; /* whatever was there */
	} claim[CLAIMS];
};

/* Notes what memmap_mark and memmap_set are told. No more than CLAIMS. */
void claims_mark(struct claims *c, uint64_t start, uint64_t length, enum mem_kind kind);
void claims_set(struct claims *c, pfn_t first, uint32_t count, enum mem_kind kind);

/* Returns what a page is by the claims. */
enum mem_kind claims_kind(const struct claims *c, pfn_t f);

/*
 * Demands that the map says just what the claims say; where these are more than surely fit, that it errs on the safe
 * side.
 */
void claims_compare(const struct claims *c, const struct memmap *m);

#endif
