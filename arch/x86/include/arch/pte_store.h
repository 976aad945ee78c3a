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

/* Copies count entries into a table that no MMU walks yet. */
static inline void arch_pte_copy(pte_t *to, const pte_t *from, uint32_t count)
{
	uint32_t words = count * (uint32_t)(sizeof(pte_t) / 4);

	__asm__ volatile("cld; rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory", "cc");
}

/* Clears count entries of a table that no MMU walks any more. */
static inline void arch_pte_clear(pte_t *table, uint32_t count)
{
	uint32_t words = count * (uint32_t)(sizeof(pte_t) / 4);

	__asm__ volatile("cld; rep stosl" : "+D"(table), "+c"(words) : "a"(0) : "memory", "cc");
}

/* Returns the first entry from i on that is not all 0; count where there is none. */
static inline uint32_t arch_pte_find(const pte_t *table, uint32_t i, uint32_t count)
{
	const pte_t *at = &table[i];
	uint32_t words = (count - i) * (uint32_t)(sizeof(pte_t) / 4);
	bool found;

	if (i >= count)
		return count;
	__asm__ volatile("cld; repe scasl; setne %b2"
			 : "+D"(at), "+c"(words), "=q"(found)
			 : "a"(0)
			 : "memory", "cc");
	/* It stopped one word behind what it found. */
	return found ? (uint32_t)((const uint32_t *)at - 1 - (const uint32_t *)table) /
			       (uint32_t)(sizeof(pte_t) / 4)
		     : count;
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
