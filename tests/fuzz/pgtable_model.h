/*
 * tests/fuzz/pgtable_model.h - what a directory's user part should be: an array of all its pages, and of its tables.
 * Knows no format; what an operation must answer is worked out here from the rules in mm/pgtable.h.
 */
#ifndef TESTS_PGTABLE_MODEL_H
#define TESTS_PGTABLE_MODEL_H

#include <mm/pgtable.h>

#define MODEL_PAGES ARCH_KERNEL_VPN
#define MODEL_SPAN  ARCH_LARGE_PAGES
#define MODEL_SPANS (MODEL_PAGES / MODEL_SPAN)

struct model_page {
	uint32_t frame;
	uint16_t prot; /* as it reads back; 0: not mapped */
	bool large;    /* part of a large page */
};

struct model {
	struct pdir pd;
	struct tlb_batch batch;
	uint32_t mapped, supervisors; /* pages */
	uint32_t writable_code;       /* pages that can be written and executed */
	struct model_page page[MODEL_PAGES];
	bool table[MODEL_SPANS];
};

/* A mapping that is asked for. */
struct wish {
	struct pages range;
	pfn_t f;
	prot_t prot;
	int32_t fail_after; /* the allocation that is made to fail; -1: none */
};

/* Says that a page maps a frame, or with prot 0 nothing. */
void model_set(struct model *m, vpn_t v, struct model_page page);

/* Returns the pages mapped in a part of the user part. */
uint32_t model_count(const struct model *m, struct pages range);

/* Returns the tables that pages need and do not have; large pages of the wish need none. */
uint32_t model_missing(const struct model *m, const struct wish *w);

/* True where the wish gets a large page at page v. */
bool model_gets_large(const struct model *m, const struct wish *w, vpn_t v);

/* What a mapping of frames must answer: by map_region; map_page answers -EPERM where that says -EINVAL. */
int model_expect_map(const struct model *m, const struct wish *w);

/* What frames that are charged one after the other must answer. */
int model_expect_charge(const struct model *m, uint32_t frames, int32_t fail_after);

/* Enters a mapping that was made. */
void model_map(struct model *m, const struct wish *w);

/* Demands that the directory maps what the model says: in a range; everywhere. */
void model_compare(const struct model *m, struct pages range);
void model_compare_all(const struct model *m);

#endif
