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

#include <mm/quota_proof.h>

/* Makes entry 0 the root, with this quota and nothing used. */
/*@ requires apart(q);
  @ assigns q->quota[0], q->usage[0], q->promised[0], q->parent[0], q->nchildren[0];
  @ assigns is_live[0 .. entries - 1], parent_of[0], quota_of[0];
  @ ensures sound(q) && q->quota[0] == quota && q->usage[0] == 0;
  @ ensures \forall integer i; 0 < i < entries ==> !is_live[i]; */
void quota_init_root(struct quotas *q, uint32_t quota);

/* Adds n to the root's quota; false, with nothing changed, where the sum does not fit. */
/*@ requires sound(q);
  @ assigns q->quota[0], is_live[0], parent_of[0], quota_of[0];
  @ ensures sound(q) && q->quota[0] == \old(q->quota[0]) + (\result ? n : 0);
  @ ensures \result <==> \old(q->quota[0]) + n <= UINT32_MAX; */
bool quota_grow_root(struct quotas *q, uint32_t n);

/* True when n more can be charged to i. */
/*@ requires sound(q) && live(i);
  @ assigns \nothing;
  @ ensures \result <==> q->usage[i] + n <= q->quota[i]; */
static inline bool quota_can_consume(const struct quotas *q, uint32_t i, uint32_t n)
{
	return n <= q->quota[i] - q->usage[i];
}

/* Charges n to i; false, with nothing changed, when i cannot consume them. */
/*@ requires sound(q) && live(i);
  @ assigns q->usage[i];
  @ ensures sound(q) && q->usage[i] == \old(q->usage[i]) + (\result ? n : 0);
  @ ensures \result <==> \old(q->usage[i]) + n <= q->quota[i]; */
static inline bool quota_charge(struct quotas *q, uint32_t i, uint32_t n)
{
	if (n > q->quota[i] - q->usage[i])
		return false;
	q->usage[i] += n;
	return true;
}

/* Takes n back from i, whose own are that many or more. */
/*@ requires sound(q) && live(i) && n <= q->usage[i] - q->promised[i];
  @ assigns q->usage[i];
  @ ensures sound(q) && q->usage[i] == \old(q->usage[i]) - n; */
static inline void quota_uncharge(struct quotas *q, uint32_t i, uint32_t n)
{
	q->usage[i] -= n;
}

/* Returns how many pages are charged to i itself. */
/*@ requires sound(q) && live(i);
  @ assigns \nothing;
  @ ensures \result + q->promised[i] == q->usage[i]; */
static inline uint32_t quota_own(const struct quotas *q, uint32_t i)
{
	return q->usage[i] - q->promised[i];
}

/* Makes `child`, not live, a child of parent with quota n, promised by the parent; false when it cannot spare n. */
/*@ requires sound(q) && live(parent) && 0 < child < entries && !is_live[child];
  @ assigns q->usage[parent], q->promised[parent], q->nchildren[parent];
  @ assigns q->quota[child], q->usage[child], q->promised[child], q->parent[child], q->nchildren[child];
  @ assigns is_live[child], parent_of[child], quota_of[child];
  @ ensures sound(q);
  @ behavior spares:
  @	assumes q->usage[parent] + n <= q->quota[parent];
  @	ensures \result && is_live[child] && q->parent[child] == parent;
  @	ensures q->quota[child] == n && q->usage[child] == 0;
  @	ensures q->usage[parent] == \old(q->usage[parent]) + n;
  @ behavior cannot_spare:
  @	assumes q->usage[parent] + n > q->quota[parent];
  @	assigns \nothing;
  @	ensures !\result; */
bool quota_split(struct quotas *q, uint32_t parent, uint32_t child, uint32_t n);

/* Moves i's child one level up, its quota along with it: i's quota and usage fall, i's parent's usage stays. */
/*@ requires sound(q) && live(child) && q->parent[child] != 0;
  @ requires q->parent[q->parent[child]] != child;
  @ assigns q->parent[child];
  @ assigns q->quota[q->parent[child]], q->usage[q->parent[child]], q->promised[q->parent[child]];
  @ assigns q->nchildren[q->parent[child]], q->nchildren[q->parent[q->parent[child]]];
  @ assigns is_live[child], parent_of[child], quota_of[child];
  @ assigns is_live[q->parent[child]], parent_of[q->parent[child]], quota_of[q->parent[child]];
  @ ensures sound(q) && q->parent[child] == \old(q->parent[q->parent[child]]);
  @ ensures q->quota[\old(q->parent[child])] == \old(q->quota[q->parent[child]]) - q->quota[child];
  @ ensures q->usage[\old(q->parent[child])] == \old(q->usage[q->parent[child]]) - q->quota[child]; */
void quota_hoist(struct quotas *q, uint32_t child);

/* Moves n of i's own pages to its parent, the quota for them too. i is not the root and owns that many. */
/*@ requires sound(q) && live(i) && i != 0 && n <= q->usage[i] - q->promised[i];
  @ assigns q->quota[i], q->usage[i], q->promised[q->parent[i]];
  @ assigns is_live[i], parent_of[i], quota_of[i];
  @ ensures sound(q) && q->quota[i] == \old(q->quota[i]) - n && q->usage[i] == \old(q->usage[i]) - n; */
void quota_pass_up(struct quotas *q, uint32_t i, uint32_t n);

/* Ends i, which uses nothing any more and is not the root: what it was promised returns to its parent. */
/*@ requires sound(q) && live(i) && i != 0 && q->usage[i] == 0 && q->nchildren[i] == 0;
  @ assigns q->usage[q->parent[i]], q->promised[q->parent[i]], q->nchildren[q->parent[i]];
  @ assigns is_live[i], parent_of[i], quota_of[i];
  @ ensures sound(q) && !is_live[i];
  @ ensures q->usage[q->parent[i]] == \old(q->usage[q->parent[i]]) - q->quota[i]; */
void quota_remove(struct quotas *q, uint32_t i);

#endif
