/* tests/ktest/quota_test.c - the arithmetic of quotas on arrays of its own. */
#include <kernel/ktest.h>
#include <mm/quota.h>

#define N 8u

static struct {
	uint32_t quota[N], usage[N], promised[N], parent[N], nchildren[N];
	bool live[N];
} a;

static struct quotas q = {a.quota, a.usage, a.promised, a.parent, a.nchildren, N};

/* What an entry was before it lived is of no account. */
KTEST_SETUP(quota)
{
	for (uint32_t i = 0; i < N; i++) {
		a.quota[i] = a.usage[i] = a.promised[i] = a.parent[i] = a.nchildren[i] = 0x5a5a5a5a;
		a.live[i] = i == 0;
	}
	quota_init_root(&q, 1000);
}

/* The invariant of mm/quota.h, computed anew. */
static bool is_sound(void)
{
	for (uint32_t i = 0; i < N; i++) {
		uint64_t promised = 0;
		uint32_t children = 0;

		if (!a.live[i])
			continue;
		for (uint32_t j = 1; j < N; j++) {
			bool is_child = a.live[j] && a.parent[j] == i;

			children += is_child;
			promised += is_child ? a.quota[j] : 0;
		}
		if (a.nchildren[i] != children)
			return false;
		if (a.promised[i] != promised || a.promised[i] > a.usage[i] || a.usage[i] > a.quota[i])
			return false;
	}
	return true;
}

static bool split(uint32_t parent, uint32_t child, uint32_t n)
{
	bool done = quota_split(&q, parent, child, n);

	a.live[child] |= done;
	return done;
}

KTEST(quota, charge_up_to_the_quota_and_no_further)
{
	EXPECT(quota_charge(&q, 0, 999));
	EXPECT(!quota_charge(&q, 0, 2));
	EXPECT(quota_charge(&q, 0, 1));
	EXPECT_EQ(a.usage[0], 1000);
	EXPECT(!quota_charge(&q, 0, 1));
	quota_uncharge(&q, 0, 1000);
	EXPECT_EQ(quota_own(&q, 0), 0);
	EXPECT_EQ(a.parent[0], 0); /* the root is its own */
	EXPECT(is_sound());
}

/* usage + n wraps to something small; quota - usage cannot. */
KTEST(quota, guard_does_not_overflow)
{
	EXPECT(quota_charge(&q, 0, 10));
	EXPECT(!quota_can_consume(&q, 0, UINT32_MAX));
	EXPECT(!quota_can_consume(&q, 0, UINT32_MAX - 9));
	EXPECT(!quota_charge(&q, 0, UINT32_MAX - 9));
	EXPECT(!quota_split(&q, 0, 1, UINT32_MAX - 9));
	EXPECT_EQ(a.usage[0], 10);
	EXPECT_EQ(a.nchildren[0], 0);
}

KTEST(quota, root_grows_as_far_as_the_sum_fits)
{
	EXPECT(quota_grow_root(&q, UINT32_MAX - 1000));
	EXPECT(!quota_grow_root(&q, 1));
	EXPECT_EQ(a.quota[0], UINT32_MAX);
}

KTEST(quota, split_promises_and_remove_returns)
{
	EXPECT(split(0, 1, 600));
	EXPECT(!split(0, 2, 401));
	EXPECT_EQ(a.usage[0], 600);
	EXPECT_EQ(a.quota[0], 1000);
	EXPECT_EQ(a.quota[1], 600);
	EXPECT_EQ(a.usage[1], 0);
	EXPECT(is_sound());
	a.live[1] = false;
	quota_remove(&q, 1);
	EXPECT_EQ(a.usage[0], 0);
	EXPECT_EQ(a.nchildren[0], 0);
	EXPECT(is_sound());
}

KTEST(quota, hoist_keeps_the_grandparents_usage)
{
	ASSERT(split(0, 1, 600) && split(1, 2, 250));
	quota_hoist(&q, 2);
	EXPECT_EQ(a.usage[0], 600);
	EXPECT_EQ(a.quota[1], 350);
	EXPECT_EQ(a.usage[1], 0);
	EXPECT_EQ(a.parent[2], 0);
	EXPECT_EQ(a.nchildren[0], 2);
	EXPECT_EQ(a.nchildren[1], 0);
	EXPECT(is_sound());
}

KTEST(quota, pass_up_moves_pages_and_the_room_for_them)
{
	ASSERT(split(0, 1, 600) && quota_charge(&q, 1, 100));
	quota_pass_up(&q, 1, 100);
	EXPECT_EQ(quota_own(&q, 0), 100);
	EXPECT_EQ(a.usage[0], 600);
	EXPECT_EQ(a.quota[1], 500);
	EXPECT_EQ(a.usage[1], 0);
	EXPECT(is_sound());
}

/* One random step; refused ones must change nothing, which is_sound shows. */
static void random_step(void)
{
	uint32_t i = ktest_random_below(N), j = 1 + ktest_random_below(N - 1), n = ktest_random_below(400);

	if (!a.live[i])
		return;
	if (!a.live[j])
		split(i, j, n);
	else if (n % 3 == 0)
		quota_charge(&q, i, n);
	else if (n % 3 == 1 && quota_own(&q, i))
		quota_uncharge(&q, i, 1 + n % quota_own(&q, i));
	else if (a.parent[j])
		quota_hoist(&q, j);
	else if (quota_own(&q, j))
		quota_pass_up(&q, j, 1 + n % quota_own(&q, j));
	else if (!a.usage[j]) {
		quota_remove(&q, j);
		a.live[j] = false;
	}
}

KTEST(quota, random_history_keeps_the_invariant)
{
	for (uint32_t step = 0; step < 5000; step++) {
		random_step();
		ASSERT(is_sound());
	}
}
