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

void tlb_owe(struct tlb_batch *b, vpn_t first, uint32_t count)
{
	if (first < b->first)
		b->first = first;
	if (first + count > b->end)
		b->end = first + count;
}

void tlb_owe_table(struct tlb_batch *b)
{
	b->tables = true;
}

void tlb_put_later(struct tlb_batch *b, pfn_t f)
{
	if (b->count == TLB_BATCH_FRAMES)
		tlb_finish(b);
	b->frame[b->count++] = f;
}

void tlb_put_table_later(struct tlb_batch *b, pfn_t table)
{
	tlb_put_later(b, table);
	tlb_owe_table(b);
}

/* The kernel's entries are in every directory, and global. */
static void flush_kernel(const struct tlb_batch *b)
{
	if (b->tables || b->end - b->first > ARCH_TLB_RANGE_MAX)
		arch_tlb_flush_all();
	else
		arch_tlb_flush_range(PAGES(b->first, b->end - b->first));
}

/* A directory that is not loaded has nothing in the TLB: the CR3 load that replaced it dropped all. */
static void flush_user(const struct tlb_batch *b)
{
	if (arch_mmu_root().n != b->root.n)
		return;
	if (b->tables || b->end - b->first > ARCH_TLB_RANGE_MAX)
		arch_tlb_flush_user();
	else
		arch_tlb_flush_range(PAGES(b->first, b->end - b->first));
}

void tlb_finish(struct tlb_batch *b)
{
	if (b->end > ARCH_KERNEL_VPN)
		flush_kernel(b);
	else if (b->tables || b->first < b->end)
		flush_user(b);
	if (b->count)
		frame_put_all(b->frame, b->count);
	tlb_begin(b, b->root);
}
