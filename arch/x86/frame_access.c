/*
 * arch/x86/frame_access.c - the bytes of a frame. Owns this processor's two windows onto high frames: their
 * entries are the first in the table that maps the last span of the address space. Lock: window_lock, held while
 * a window is open.
 */
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <arch/pte_store.h>
#include <lib/lock.h>
#include <lib/panic.h>
#include <lib/string.h>

#define WORDS (PAGE_SIZE / sizeof(uint32_t))

static struct lock window_lock = LOCK_INIT("window", LOCK_WINDOW);
static pte_t *window_entries;

void arch_window_init(pte_t *entries)
{
	window_entries = entries;
}

/* The entries' place in their table tells the page that each maps. */
static vpn_t window_vpn(uint32_t window)
{
	uint32_t index = ((vaddr_t)window_entries & (PAGE_SIZE - 1)) / sizeof(pte_t);

	return ARCH_VPN_END - ARCH_LARGE_PAGES + index + window;
}

/* Between these two a high frame can be reached. Nothing happens for direct frames. */
static void windows_begin(bool high)
{
	if (high)
		lock_acquire(&window_lock);
}

static void windows_end(bool high)
{
	if (high)
		lock_release(&window_lock);
}

/* Returns where the frame can be reached until frame_close. */
static void *frame_open(pfn_t f, uint32_t window)
{
	if (arch_frame_is_direct(f))
		return arch_frame_direct(f);
	if (!window_entries)
		panic("frame 0x%x is not in the direct map, and there are no windows yet", f.n);
	arch_pte_write(&window_entries[window], arch_pte_leaf(0, f, PROT_R | PROT_W));
	return (void *)vaddr_of(window_vpn(window));
}

static void frame_close(pfn_t f, uint32_t window)
{
	if (arch_frame_is_direct(f))
		return;
	arch_pte_write(&window_entries[window], arch_pte_none());
	arch_tlb_flush_page(window_vpn(window));
}

/* The same for one frame, lock and all. */
static void *frame_begin(pfn_t f)
{
	windows_begin(!arch_frame_is_direct(f));
	return frame_open(f, 0);
}

static void frame_end(pfn_t f)
{
	frame_close(f, 0);
	windows_end(!arch_frame_is_direct(f));
}

__attribute__((noinline)) void arch_high_frame_fill(pfn_t f, uint32_t word)
{
	arch_fill_page(frame_begin(f), word);
	frame_end(f);
}

bool arch_frame_is_filled(pfn_t f, uint32_t word)
{
	const uint32_t *words = frame_begin(f);
	uint32_t i = 0;

	while (i < WORDS && words[i] == word)
		i++;
	frame_end(f);
	return i == WORDS;
}

void arch_high_frame_copy(pfn_t to, pfn_t from)
{
	windows_begin(true);
	arch_copy_page(frame_open(to, 0), frame_open(from, 1));
	frame_close(from, 1);
	frame_close(to, 0);
	windows_end(true);
}

void arch_frame_read(pfn_t f, uint32_t offset, void *out, uint32_t length)
{
	memcpy(out, (const char *)frame_begin(f) + offset, length);
	frame_end(f);
}

void arch_frame_write(pfn_t f, uint32_t offset, const void *in, uint32_t length)
{
	memcpy((char *)frame_begin(f) + offset, in, length);
	frame_end(f);
}
