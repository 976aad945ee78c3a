/*
 * arch/pte_store.h - the only code that touches table memory. The paging unit reads and writes the same words
 * on its own (it sets Accessed and Dirty), so each store is one that it never sees torn.
 */
#ifndef ARCH_PTE_STORE_H
#define ARCH_PTE_STORE_H

#include <arch/pte.h>

/* Returns the entry. */
static inline pte_t arch_pte_read(const pte_t *slot)
{
	return (pte_t){*(const volatile __typeof__(slot->raw) *)&slot->raw};
}

#if QUIRE_PAE

/* An entry of 64 bits is two words: Present is in the low one, so that is set last and cleared first. */
static inline void arch_pte_write(pte_t *slot, pte_t value)
{
	volatile uint32_t *word = (volatile uint32_t *)slot;

	if (!(value.raw & PTE_PRESENT)) {
		word[0] = (uint32_t)value.raw;
		word[1] = (uint32_t)(value.raw >> 32);
		return;
	}
	if (word[0] & PTE_PRESENT)
		word[0] = 0; /* never half of the old entry and half of the new */
	word[1] = (uint32_t)(value.raw >> 32);
	word[0] = (uint32_t)value.raw;
}

/* Stores value and returns the entry before, with the Accessed and Dirty that the CPU set up to that moment. */
static inline pte_t arch_pte_exchange(pte_t *slot, pte_t value)
{
	uint64_t old = slot->raw;

	while (true) {
		uint64_t expected = old;

		__asm__ volatile("lock; cmpxchg8b %1"
				 : "+A"(old), "+m"(slot->raw)
				 : "b"((uint32_t)value.raw), "c"((uint32_t)(value.raw >> 32))
				 : "memory", "cc");
		if (old == expected)
			return (pte_t){old};
	}
}

#else

static inline void arch_pte_write(pte_t *slot, pte_t value)
{
	*(volatile uint32_t *)&slot->raw = value.raw;
}

static inline pte_t arch_pte_exchange(pte_t *slot, pte_t value)
{
	__asm__ volatile("xchgl %0, %1" : "+r"(value.raw), "+m"(slot->raw) : : "memory");
	return value;
}

#endif

#endif
