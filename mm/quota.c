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
}

bool quota_grow_root(struct quotas *q, uint32_t n)
{
	if (n > UINT32_MAX - q->quota[0])
		return false;
	q->quota[0] += n;
	return true;
}

bool quota_split(struct quotas *q, uint32_t parent, uint32_t child, uint32_t n)
{
	if (n > q->quota[parent] - q->usage[parent])
		return false;
	q->usage[parent] += n;
	q->promised[parent] += n;
	q->nchildren[parent]++;
	q->quota[child] = n;
	q->usage[child] = 0;
	q->promised[child] = 0;
	q->parent[child] = parent;
	q->nchildren[child] = 0;
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

	q->quota[i] -= q->quota[child];
	q->usage[i] -= q->quota[child];
	q->promised[i] -= q->quota[child];
	q->nchildren[i]--;
	q->parent[child] = up;
	q->nchildren[up]++;
}

void quota_pass_up(struct quotas *q, uint32_t i, uint32_t n)
{
	q->quota[i] -= n;
	q->usage[i] -= n;
	q->promised[q->parent[i]] -= n;
}

void quota_remove(struct quotas *q, uint32_t i)
{
	uint32_t up = q->parent[i];

	q->usage[up] -= q->quota[i];
	q->promised[up] -= q->quota[i];
	q->nchildren[up]--;
}
