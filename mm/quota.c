/*
 * mm/quota.c - the arithmetic of hierarchical quotas. Owns nothing; the arrays are the caller's.
 *
 * Every guard is written as n > quota - usage: usage never exceeds quota, so the difference cannot wrap,
 * where usage + n could.
 */
#include <mm/quota.h>

void quota_init_root(struct quotas *q, uint32_t quota)
{
	q->quota[0] = quota;
	q->usage[0] = 0;
	q->promised[0] = 0;
	q->parent[0] = 0;
	q->nchildren[0] = 0;
	/*@ ghost book_root_alone(quota); lemma_no_children(0); */
}

bool quota_grow_root(struct quotas *q, uint32_t n)
{
	if (n > UINT32_MAX - q->quota[0])
		return false;
	q->quota[0] += n;
	/*@ ghost book(0, 1, 0, q->quota[0]); IS_BOOKED IS_ORDERED IS_SUMMED */
	return true;
}

bool quota_split(struct quotas *q, uint32_t parent, uint32_t child, uint32_t n)
{
	if (n > q->quota[parent] - q->usage[parent])
		return false;
	/*@ ghost lemma_parts_of_sums(); lemma_no_children(child); */
	q->usage[parent] += n;
	q->promised[parent] += n;
	q->nchildren[parent]++;
	q->quota[child] = n;
	q->usage[child] = 0;
	q->promised[child] = 0;
	q->parent[child] = parent;
	q->nchildren[child] = 0;
	/*@ ghost book(child, 1, parent, n); TWO_ARE_ORDERED(parent, child) */
	/*@ ghost TWO_ARE_SUMMED(parent, child) IS_BOOKED IS_SUMMED */
	return true;
}

/*
 * The grandparent had promised the child's quota as part of the parent's; now it promises it directly: it has
 * promised as much as before.
 */
void quota_hoist(struct quotas *q, uint32_t child)
{
	uint32_t i = q->parent[child];
	uint32_t up = q->parent[i];

	/*@ ghost lemma_parts_of_sums(); */
	/*@ assert i != child && up != child && up != i; */
	/*@ assert q->quota[child] <= q->promised[i] && q->quota[i] <= q->promised[up]; */
	q->quota[i] -= q->quota[child];
	q->usage[i] -= q->quota[child];
	q->promised[i] -= q->quota[child];
	q->nchildren[i]--;
	q->parent[child] = up;
	q->nchildren[up]++;
	/*@ ghost TWO_ARE_ORDERED(i, up) OTHERS_ARE_BOOKED(i, child) ; */
	/*@ ghost book(child, 1, up, q->quota[child]); book(i, 1, up, q->quota[i]); */
	/*@ ghost TWO_ARE_SUMMED(i, up) IS_BOOKED IS_SUMMED */
}

void quota_pass_up(struct quotas *q, uint32_t i, uint32_t n)
{
	/*@ ghost lemma_parts_of_sums(); */
	q->quota[i] -= n;
	q->usage[i] -= n;
	q->promised[q->parent[i]] -= n;
	/*@ ghost book(i, 1, q->parent[i], q->quota[i]); */
	/*@ ghost TWO_ARE_SUMMED(i, q->parent[i]) IS_BOOKED IS_ORDERED IS_SUMMED */
}

void quota_remove(struct quotas *q, uint32_t i)
{
	uint32_t up = q->parent[i];

	/*@ ghost lemma_parts_of_sums(); */
	q->usage[up] -= q->quota[i];
	q->promised[up] -= q->quota[i];
	q->nchildren[up]--;
	/*@ ghost book(i, 0, up, 0); IS_BOOKED IS_ORDERED IS_SUMMED */
}
