/*
 * mm/tlb.c - flushes owed, and frames that must outlive them. Owns no page table. Lock: none, a batch is one
 * operation's.
 *
 * A frame goes back to the allocator only behind the flush: until then a processor may still write to it through
 * the old translation, and whoever got it next would find the write.
 */
#include <arch/mmu.h>
#include <mm/frame.h>
#include <mm/tlb.h>

/* More pages than are worth flushing one by one, or none. */
static __attribute__((noinline)) void flush_many(const struct tlb_batch *b)
{
	if (b->end > ARCH_KERNEL_VPN)
		arch_tlb_flush_all();
	else if (b->end)
		arch_tlb_flush_user();
}

/*
 * The kernel's entries are in every directory, and global. A directory that is not loaded has nothing in the TLB: the
 * CR3 load that replaced it dropped all.
 */
static inline void flush(const struct tlb_batch *b)
{
	uint32_t count = b->end - b->first;

	if (b->end <= ARCH_KERNEL_VPN && arch_mmu_root().n != b->root.n)
		return;
	if (count - 1 >= ARCH_TLB_RANGE_MAX)
		flush_many(b);
	else
		arch_tlb_flush_range(PAGES(b->first, count));
}

void tlb_flush_page(pfn_t root, vpn_t v)
{
	if (arch_mmu_root().n == root.n)
		arch_tlb_flush_page(v);
}

void tlb_finish(struct tlb_batch *b)
{
	flush(b);
	b->first = ARCH_VPN_END;
	b->end = 0;
	if (b->count)
		frame_put_all(b->frame, &b->count);
}
