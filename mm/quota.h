/*
 * mm/quota.h - the arithmetic of hierarchical quotas, in pages. Pure: works on arrays that the caller supplies,
 * allocates nothing, knows no frames and takes no lock. The caller passes indices of live entries only.
 *
 * Invariant, before and after each function, for each live i:
 *     promised[i] == sum of quota[j] over the live children j of i,  and  promised[i] <= usage[i] <= quota[i].
 * What i uses itself, its own, is the rest of its usage. It is no field: a charge changes one word.
 */
#ifndef MM_QUOTA_H
#define MM_QUOTA_H

#include <lib/types.h>

/* One array for each field; entry 0 is the root, and its own parent. */
struct quotas {
	uint32_t *quota;     /* the most that usage may be */
	uint32_t *usage;     /* own + what the children were promised */
	uint32_t *promised;  /* quotas of the live children */
	uint32_t *parent;    /* index */
	uint32_t *nchildren; /* live */
	uint32_t capacity;   /* entries in each array */
};

/* Makes entry 0 the root, with this quota and nothing used. */
void quota_init_root(struct quotas *q, uint32_t quota);

/* Adds n to the root's quota; false, with nothing changed, where the sum does not fit. */
bool quota_grow_root(struct quotas *q, uint32_t n);

/* True when n more can be charged to i. */
static inline bool quota_can_consume(const struct quotas *q, uint32_t i, uint32_t n)
{
	return n <= q->quota[i] - q->usage[i];
}

/* Charges n to i; false, with nothing changed, when i cannot consume them. */
static inline bool quota_charge(struct quotas *q, uint32_t i, uint32_t n)
{
	if (n > q->quota[i] - q->usage[i])
		return false;
	q->usage[i] += n;
	return true;
}

/* Takes n back from i, whose own are that many or more. */
static inline void quota_uncharge(struct quotas *q, uint32_t i, uint32_t n)
{
	q->usage[i] -= n;
}

/* Returns how many pages are charged to i itself. */
static inline uint32_t quota_own(const struct quotas *q, uint32_t i)
{
	return q->usage[i] - q->promised[i];
}

/* Makes `child`, not live, a child of parent with quota n, promised by the parent; false when it cannot spare n. */
bool quota_split(struct quotas *q, uint32_t parent, uint32_t child, uint32_t n);

/* Moves i's child one level up, its quota along with it: i's quota and usage fall, i's parent's usage stays. */
void quota_hoist(struct quotas *q, uint32_t child);

/* Moves n of i's own pages to its parent, the quota for them too. i is not the root and owns that many. */
void quota_pass_up(struct quotas *q, uint32_t i, uint32_t n);

/* Ends i, which uses nothing any more and is not the root: what it was promised returns to its parent. */
void quota_remove(struct quotas *q, uint32_t i);

#endif
