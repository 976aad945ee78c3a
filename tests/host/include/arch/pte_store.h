/*
 * arch/pte_store.h - table memory of the simulated machine. Each store tells the simulated paging unit, which
 * may have cached the entry up to that moment.
 */
#ifndef ARCH_PTE_STORE_H
#define ARCH_PTE_STORE_H

#include <arch/pte.h>

/* Returns the entry. */
static inline pte_t arch_pte_read(const pte_t *slot)
{
	return *slot;
}

/* Stores value. A violation where slot is not in RAM in use. */
void arch_pte_write(pte_t *slot, pte_t value);

/* Stores value and returns the entry before, with the Accessed and Dirty that the CPU set up to that moment. */
pte_t arch_pte_exchange(pte_t *slot, pte_t value);

/* Copies count entries into a table that no MMU walks yet. */
static inline void arch_pte_copy(pte_t *to, const pte_t *from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		arch_pte_write(&to[i], from[i]);
}

/* Clears count entries of a table that no MMU walks any more. */
static inline void arch_pte_clear(pte_t *table, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		arch_pte_write(&table[i], (pte_t){0});
}

/* Returns the first entry from i on that is not all 0; count where there is none. */
static inline uint32_t arch_pte_find(const pte_t *table, uint32_t i, uint32_t count)
{
	while (i < count && !table[i].raw)
		i++;
	return i;
}

#endif
