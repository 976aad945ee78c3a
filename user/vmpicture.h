/*
 * user/vmpicture.h - pictures of a process's own memory, for a terminal of 80 columns.
 *
 * What stands behind a page is read from /proc/self/tables where there is one (Quire), else from /proc/self/pagemap
 * (Linux, for root), else mincore tells at least what is resident.
 */
#ifndef USER_VMPICTURE_H
#define USER_VMPICTURE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE  4096u
#define CELLS 8u /* pages in a row */

enum cell_kind {
	CELL_UNMAPPED,
	CELL_EMPTY,   /* mapped, and nothing behind it yet */
	CELL_PRESENT, /* a frame, whose number may be unknown */
};

struct cell {
	enum cell_kind kind;
	uint32_t frame; /* 0: unknown */
	char access;    /* what the entry allows: 'w', or 'r' only; ' ' where nobody tells */
};

struct row {
	struct cell cell[CELLS];
};

/* Decides about colours. */
void picture_init(void);

/* Looks at CELLS pages from here on. */
void row_read(struct row *r, const void *first);

/* The addresses above rows, then rows with a name of up to 9 letters. */
void row_print_head(const void *first);
void row_print(const char *name, const struct row *r);

/* True when both pages have the same, known or unknown, frame: without numbers only presence is compared. */
bool same_frame(const struct cell *a, const struct cell *b);
bool other_frame(const struct cell *a, const struct cell *b);

/* Every area of the process from the top down, with how much of it is resident. */
void picture_areas(void);

/* What of each 4 MiB is resident; one page table of two levels maps as much. */
void picture_tables(void);

void print_heading(const char *text);
void print_text(const char *text);

/* Prints what was to be seen; a claim that does not hold is remembered for the exit status. */
void claim(bool holds, const char *text);
extern bool picture_claims_hold;

#endif
