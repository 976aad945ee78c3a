/*
 * mm/tlb.h - flushes owed, and frames that must outlive them. Owns no page table.
 *
 * Whoever changes a present entry records it in a batch; frames and tables that the change let go wait in the
 * batch until the flush. A batch lives on the stack of one operation. Lock: none of its own; tlb_finish takes
 * frame_lock, so no lock of a higher rank may be held.
 */
#ifndef MM_TLB_H
#define MM_TLB_H

#include <arch/pt_format.h>

#define TLB_BATCH_FRAMES 62

struct tlb_batch {
	pfn_t root;       /* of the directory that changes */
	vpn_t first, end; /* pages that owe a flush; empty where first >= end */
	uint32_t count;
	pfn_t frame[TLB_BATCH_FRAMES]; /* one reference each, put after the flush */
};

/* Starts a batch for changes to the directory with this root. */
static inline void tlb_begin(struct tlb_batch *b, pfn_t root)
{
	b->root = root;
	b->first = ARCH_VPN_END;
	b->end = 0;
	b->count = 0;
}

/* Does the flush that is owed, then puts the frames. The batch is empty after it and can go on. */
void tlb_finish(struct tlb_batch *b);

/* Flushes a page of a directory's user part that changed, at once; for a change of one entry alone. */
void tlb_flush_page(pfn_t root, vpn_t v);

/* Records that count pages from first changed from present to anything else. */
static inline void tlb_owe(struct tlb_batch *b, vpn_t first, uint32_t count)
{
	if (first < b->first)
		b->first = first;
	if (first + count > b->end)
		b->end = first + count;
}

/*
 * Records that an entry above the pages changed: what the CPU caches of the upper levels owes a flush, and all that is
 * not global goes, as it does for so many pages.
 */
static inline void tlb_owe_table(struct tlb_batch *b)
{
	tlb_owe(b, 0, ARCH_TLB_RANGE_MAX + 1);
}

/* Hands over a reference on a frame that an entry mapped, to be put after the flush. May flush to make room. */
static inline void tlb_put_later(struct tlb_batch *b, pfn_t f)
{
	if (UNLIKELY(b->count == TLB_BATCH_FRAMES))
		tlb_finish(b);
	b->frame[b->count++] = f;
}

/* The same for a frame that served as a page table: everything that is not global is flushed. */
static inline void tlb_put_table_later(struct tlb_batch *b, pfn_t table)
{
	tlb_put_later(b, table);
	tlb_owe_table(b);
}

#endif
