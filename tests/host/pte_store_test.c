/*
 * tests/host/pte_store_test.c - the kernel's own entry store, not the machine's stand-in for it. The paging unit
 * may look between any two words that are written: so each store is stopped half-way, by an entry whose high
 * word lies in a page that cannot be written.
 *
 *	... | low word || high word | ...
 *	    writable    read-only
 */
#include "../../arch/x86/include/arch/pte_store.h"

#include <kernel/ktest.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#define SET PTE_PRESENT

static struct {
	unsigned char *pages;
	volatile uint32_t *low; /* the high word is the next one */
	struct sigaction before;
} my;
static sigjmp_buf stopped;

static void stop(int signal)
{
	siglongjmp(stopped, signal);
}

KTEST_SETUP(pte_store)
{
	struct sigaction stopping = {.sa_handler = stop};

	my.pages = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(my.pages != MAP_FAILED);
	my.low = (volatile uint32_t *)(void *)(my.pages + PAGE_SIZE) - 1;
	sigaction(SIGSEGV, &stopping, &my.before);
}

KTEST_TEARDOWN(pte_store)
{
	sigaction(SIGSEGV, &my.before, NULL);
	munmap(my.pages, 2 * PAGE_SIZE);
}

static pte_t entry(uint64_t raw)
{
	pte_t e = {0};

	e.raw |= raw;
	return e;
}

/* Makes the entry what it is, then writes another; returns the low word where the store was stopped. */
static uint32_t low_half_way(uint32_t was, uint64_t becomes)
{
	my.low[0] = was;
	mprotect(my.pages + PAGE_SIZE, PAGE_SIZE, PROT_READ);
	if (!sigsetjmp(stopped, 1)) {
		arch_pte_write((pte_t *)(uintptr_t)my.low, entry(becomes));
		ktest_fail("the high word was not written");
	}
	return my.low[0];
}

KTEST(pte_store, an_entry_becomes_present_with_its_low_word_last)
{
	if (sizeof(pte_t) == 4)
		SKIP("an entry of this mode is one word");
	EXPECT_EQ(low_half_way(0, 1ull << 36 | 0x5000 | SET), 0);
}

KTEST(pte_store, an_entry_becomes_absent_with_its_low_word_first)
{
	if (sizeof(pte_t) == 4)
		SKIP("an entry of this mode is one word");
	EXPECT_EQ(low_half_way(0x5000 | SET, 0), 0);
}

/* Half of the old entry with half of the new one would map a frame that is neither. */
KTEST(pte_store, a_changed_entry_is_absent_in_between)
{
	if (sizeof(pte_t) == 4)
		SKIP("an entry of this mode is one word");
	EXPECT_EQ(low_half_way(0x5000 | SET, 1ull << 36 | 0x6000 | SET) & SET, 0);
}

KTEST(pte_store, an_exchange_is_one_access)
{
	if (sizeof(pte_t) == 4 || sizeof(void *) == 8)
		SKIP("one word, or not the i386's instruction");
	my.low[0] = 0x5000 | SET;
	mprotect(my.pages + PAGE_SIZE, PAGE_SIZE, PROT_READ);
	if (!sigsetjmp(stopped, 1)) {
		arch_pte_exchange((pte_t *)(uintptr_t)my.low, entry(1ull << 36 | 0x6000 | SET));
		ktest_fail("the high word was not written");
	}
	EXPECT_EQ(my.low[0], 0x5000 | SET);
}
