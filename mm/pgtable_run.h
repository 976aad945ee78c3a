/*
 * mm/pgtable_run.h - runs of entries of the user part: what unmapping, protecting, copying and moving a range do to
 * page tables, each table walked to once. Only single pages stand in the user part of a space's directory.
 * Lock: the directory owner's.
 */
#ifndef MM_PGTABLE_RUN_H
#define MM_PGTABLE_RUN_H

#include <mm/pgtable.h>

/* Clears a range; what its entries held goes to the batch. */
void clear_run(struct pdir *pd, struct pages range, struct tlb_batch *b);

/* Frees the tables that a range, in which nothing is mapped, fills wholly. Smaller parts keep theirs for the next. */
void free_tables_of_run(struct pdir *pd, struct pages range, struct tlb_batch *b);

/*
 * Gives the pages of a range another protection: PROT_R, PROT_W, PROT_X of arch/pte.h, or none. Without `shared` only
 * pages that nobody else holds become writable, the others when they are written. With no right at all, what an entry
 * owns is kept out of the paging unit's sight, and other entries are cleared.
 */
struct run_protection {
	prot_t prot;
	bool shared;
};
void protect_run(struct pdir *pd, struct pages range, struct run_protection p, struct tlb_batch *b);

/* Counts the tables that a directory has for a range: those that a copy or a move can want. */
uint32_t tables_of_run(const struct pdir *pd, struct pages range);

/*
 * Shares a range of private pages with another directory, where it is unmapped: entries of both become read-only.
 * Tables come from the stock, which has enough. Returns 0, or -EAGAIN when a frame can have no more references: some
 * entries have been copied then, and others not.
 */
int copy_run(struct pdir *to, struct pdir *from, struct pages range, struct table_stock *stock,
	     struct tlb_batch *b);

/* Moves the entries of a range to other pages, which are unmapped. Tables come from the stock, which has enough. */
void move_run(struct pdir *pd, struct pages from, vpn_t to, struct table_stock *stock, struct tlb_batch *b);

/* Counts the tables that pages [to, to + from.count) lack where entries of `from` could come. */
uint32_t tables_for_move(const struct pdir *pd, struct pages from, vpn_t to);

/* Clears a range of a directory that is no longer used, and puts what its entries held at once. */
void drop_run(struct pdir *pd, struct pages range);

/* Counts the entries of a range that hold a page, hidden ones too. */
uint32_t count_run(const struct pdir *pd, struct pages range);

#endif
