/* tests/ktest/container_test.c - containers: promises, charges, ids, and what is left when one ends. */
#include <arch/frame_access.h>
#include <kernel/ktest.h>
#include <mm/container.h>
#include <tests/ktest/machine.h>

#define MANY 200u

static struct container_id many[MANY];

static uint32_t usage(struct container_id c)
{
	uint32_t n = 0;

	EXPECT_EQ(container_get_usage(c, &n), 0);
	return n;
}

static uint32_t quota(struct container_id c)
{
	uint32_t n = 0;

	EXPECT_EQ(container_get_quota(c, &n), 0);
	return n;
}

static uint32_t nchildren(struct container_id c)
{
	uint32_t n = 0;

	EXPECT_EQ(container_get_nchildren(c, &n), 0);
	return n;
}

static bool same(struct container_id a, struct container_id b)
{
	return a.index == b.index && a.generation == b.generation;
}

static struct container_id split(struct container_id parent, uint32_t n)
{
	struct container_id child = {UINT32_MAX, 0};

	EXPECT_EQ(container_split(parent, n, &child), 0);
	return child;
}

/* Adds to a word, asks check_containers, and takes it off again. */
static unsigned faults_with(uint32_t *word, uint32_t more)
{
	unsigned faults;

	*word += more;
	faults = check_containers();
	*word -= more;
	return faults;
}

KTEST_TEARDOWN(container)
{
	machine_fail_after(-1);
	EXPECT_EQ(check_containers(), 0);
}

KTEST(container, root_has_every_allocatable_frame)
{
	struct zone_stats low, high;

	frame_stats(ZONE_LOW, &low);
	frame_stats(ZONE_HIGH, &high);
	EXPECT_EQ(quota(CONTAINER_ROOT), low.total + high.total);
	EXPECT_EQ(usage(CONTAINER_ROOT), frame_used());
}

KTEST(container, split_raises_the_parents_usage_and_keeps_its_quota)
{
	uint32_t root_quota = quota(CONTAINER_ROOT), root_usage = usage(CONTAINER_ROOT);
	struct container_id c = split(CONTAINER_ROOT, 100), parent;

	EXPECT_EQ(quota(CONTAINER_ROOT), root_quota);
	EXPECT_EQ(usage(CONTAINER_ROOT), root_usage + 100);
	EXPECT_EQ(quota(c), 100);
	EXPECT_EQ(usage(c), 0);
	EXPECT_EQ(container_get_parent(c, &parent), 0);
	EXPECT(same(parent, CONTAINER_ROOT));
	EXPECT_EQ(container_destroy(c), 0);
	EXPECT_EQ(usage(CONTAINER_ROOT), root_usage);
}

KTEST(container, split_beyond_what_is_left_changes_nothing)
{
	struct container_id c = split(CONTAINER_ROOT, 10), d;
	uint32_t children = nchildren(CONTAINER_ROOT), count = container_count();

	EXPECT_EQ(container_split(c, 11, &d), -EDQUOT);
	EXPECT_EQ(container_split(c, UINT32_MAX, &d), -EDQUOT);
	EXPECT_EQ(container_split(CONTAINER_ROOT, UINT32_MAX, &d), -EDQUOT);
	EXPECT_EQ(usage(c), 0);
	EXPECT_EQ(nchildren(c), 0);
	EXPECT_EQ(nchildren(CONTAINER_ROOT), children);
	EXPECT_EQ(container_count(), count);
	container_destroy(c);
}

KTEST(container, can_consume_does_not_overflow)
{
	struct container_id c = split(CONTAINER_ROOT, 10);
	pfn_t f;

	ASSERT_EQ(container_alloc(c, ALLOC_USER, &f), 0);
	EXPECT(container_can_consume(c, 9));
	EXPECT(!container_can_consume(c, 10));
	EXPECT(!container_can_consume(c, UINT32_MAX));
	EXPECT_EQ(container_free(c, f), 0);
	container_destroy(c);
	EXPECT(!container_can_consume(c, 0));
}

KTEST(container, alloc_charges_and_free_discharges)
{
	struct container_id c = split(CONTAINER_ROOT, 20);
	pfn_t f, block;

	EXPECT_EQ(container_alloc(c, ALLOC_USER | ALLOC_ZERO, &f), 0);
	EXPECT_EQ(usage(c), 1);
	EXPECT_EQ(container_alloc(c, ALLOC_KERNEL | ALLOC_ORDER(4), &block), 0);
	EXPECT_EQ(usage(c), 17);
	EXPECT_EQ(container_alloc(c, ALLOC_KERNEL | ALLOC_ORDER(2), &f), -EDQUOT);
	EXPECT_EQ(usage(c), 17);
	EXPECT_EQ(container_free(c, block), 0);
	EXPECT_EQ(container_free(c, f), 0);
	EXPECT_EQ(usage(c), 0);
	container_destroy(c);
}

KTEST(container, a_zeroed_block_is_zeroed_to_its_end)
{
	struct container_id c = split(CONTAINER_ROOT, 16);
	pfn_t f;

	ASSERT_EQ(container_alloc(c, ALLOC_KERNEL | ALLOC_ORDER(3), &f), 0);
	for (uint32_t i = 0; i < 8; i++)
		arch_frame_fill(PFN(f.n + i), 0xA7A7A7A7);
	EXPECT_EQ(container_free(c, f), 0);
	ASSERT_EQ(container_alloc(c, ALLOC_KERNEL | ALLOC_ZERO | ALLOC_ORDER(3), &f), 0);
	for (uint32_t i = 0; i < 8; i++)
		EXPECT(arch_frame_is_filled(PFN(f.n + i), 0));
	EXPECT_EQ(container_free(c, f), 0);
	container_destroy(c);
}

KTEST(container, a_failed_allocation_leaves_no_charge)
{
	struct container_id c = split(CONTAINER_ROOT, 20);
	pfn_t f;

	machine_fail_after(0);
	EXPECT_EQ(container_alloc(c, ALLOC_USER, &f), -ENOMEM);
	EXPECT_EQ(usage(c), 0);
	container_destroy(c);
}

/* First the quota, then the memory: with neither to be had, it is the quota that speaks. */
KTEST(container, a_charge_is_refused_before_memory_is_looked_for)
{
	struct container_id c = split(CONTAINER_ROOT, 0);
	pfn_t f;

	machine_fail_after(0);
	EXPECT_EQ(container_alloc(c, ALLOC_USER, &f), -EDQUOT);
	machine_fail_after(-1);
	container_destroy(c);
}

/* The owner stands in the frame, not in the call. */
KTEST(container, a_frame_of_another_container_is_refused)
{
	struct container_id a = split(CONTAINER_ROOT, 5), b = split(CONTAINER_ROOT, 5);
	pfn_t f;

	ASSERT_EQ(container_alloc(a, ALLOC_USER, &f), 0);
	EXPECT_EQ(container_free(b, f), -EPERM);
	EXPECT_EQ(container_free(CONTAINER_ROOT, f), -EPERM);
	EXPECT_EQ(usage(a), 1);
	EXPECT_EQ(usage(b), 0);
	EXPECT_EQ(container_free(a, f), 0);
	EXPECT_EQ(container_free(a, f), -EPERM);
	EXPECT_EQ(container_free(a, PFN(UINT32_MAX)), -EPERM);
	container_destroy(a);
	container_destroy(b);
}

/* Whoever made them takes them back: they would be freed under what stands in them. */
KTEST(container, tables_and_slabs_are_not_freed_by_their_owner)
{
	struct container_id c = split(CONTAINER_ROOT, 5);
	pfn_t table, slab;

	ASSERT_EQ(container_alloc(c, ALLOC_TABLE, &table), 0);
	ASSERT_EQ(container_alloc(c, ALLOC_PRIVATE, &slab), 0);
	EXPECT_EQ(container_free(c, table), -EPERM);
	EXPECT_EQ(container_free(c, slab), -EPERM);
	EXPECT_EQ(usage(c), 2);
	frame_put(table);
	frame_put(slab);
	container_destroy(c);
}

KTEST(container, a_stale_id_is_refused_everywhere)
{
	struct container_id c = split(CONTAINER_ROOT, 5), d, parent;
	uint32_t n;
	pfn_t f = PFN(1);

	container_destroy(c);
	d = split(CONTAINER_ROOT, 5);
	EXPECT_EQ(d.index, c.index);
	EXPECT_EQ(container_alloc(c, ALLOC_USER, &f), -ESRCH);
	EXPECT_EQ(container_free(c, f), -ESRCH);
	EXPECT_EQ(container_split(c, 1, &parent), -ESRCH);
	EXPECT_EQ(container_destroy(c), -ESRCH);
	EXPECT_EQ(container_get_usage(c, &n), -ESRCH);
	EXPECT_EQ(container_get_quota(c, &n), -ESRCH);
	EXPECT_EQ(container_get_nchildren(c, &n), -ESRCH);
	EXPECT_EQ(container_get_parent(c, &parent), -ESRCH);
	EXPECT(!container_can_consume(c, 0));
	EXPECT_EQ(container_get_usage((struct container_id){UINT32_MAX, 0}, &n), -ESRCH);
	EXPECT_EQ(usage(d), 0);
	container_destroy(d);
}

KTEST(container, the_root_cannot_be_destroyed)
{
	EXPECT_EQ(container_destroy(CONTAINER_ROOT), -EPERM);
}

KTEST(container, destroy_moves_frames_and_children_to_the_parent)
{
	struct container_id a = split(CONTAINER_ROOT, 100), b = split(a, 60), c = split(b, 20), parent;
	pfn_t f[3];

	for (uint32_t i = 0; i < 3; i++)
		ASSERT_EQ(container_alloc(b, ALLOC_USER, &f[i]), 0);
	EXPECT_EQ(usage(b), 23);
	EXPECT_EQ(container_destroy(b), 0);
	EXPECT_EQ(usage(a), 23);
	EXPECT_EQ(nchildren(a), 1);
	EXPECT_EQ(container_get_parent(c, &parent), 0);
	EXPECT(same(parent, a));
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(container_free(a, f[i]), 0);
	EXPECT_EQ(usage(a), 20);
	container_destroy(a);
	EXPECT_EQ(container_get_parent(c, &parent), 0);
	EXPECT(same(parent, CONTAINER_ROOT));
	container_destroy(c);
}

KTEST(container, frames_reach_the_root_when_all_above_is_gone)
{
	uint32_t before = usage(CONTAINER_ROOT);
	struct container_id c = split(CONTAINER_ROOT, 4);
	pfn_t f;

	ASSERT_EQ(container_alloc(c, ALLOC_USER, &f), 0);
	container_destroy(c);
	EXPECT_EQ(usage(CONTAINER_ROOT), before + 1);
	EXPECT_EQ(frame_owner(f), 0);
	EXPECT_EQ(container_free(CONTAINER_ROOT, f), 0);
}

/* Its frames are its parent's, and the parent's parent's after that; who frees them is discharged. */
KTEST(container, a_frame_is_paid_for_by_whoever_is_left)
{
	struct container_id a = split(CONTAINER_ROOT, 20), b = split(a, 10), c = split(b, 5), other;
	pfn_t of_b, of_c;

	ASSERT_EQ(container_alloc(b, ALLOC_USER | ALLOC_ORDER(1), &of_b), 0);
	ASSERT_EQ(container_alloc(c, ALLOC_USER, &of_c), 0);
	container_destroy(c);
	EXPECT_EQ(frame_owner(of_c), b.index);
	EXPECT_EQ(usage(b), 3);
	container_destroy(b);
	EXPECT_EQ(frame_owner(of_c), a.index);
	EXPECT_EQ(frame_owner(of_b), a.index);
	EXPECT_EQ(usage(a), 3);
	EXPECT_EQ(check_containers() + check_free_list(), 0);
	other = split(CONTAINER_ROOT, 5); /* not in a slot that frames still name */
	EXPECT(other.index != b.index && other.index != c.index);
	EXPECT_EQ(container_free(other, of_c), -EPERM);
	EXPECT_EQ(container_free(a, of_c), 0);
	EXPECT_EQ(usage(a), 2);
	frame_put(of_b);
	EXPECT_EQ(usage(a), 0);
	container_destroy(a);
	container_destroy(other);
}

/* Each leaves a frame behind and its slot with it; when the frames are gone the slots are used again. */
KTEST(container, slots_without_frames_are_used_again)
{
	static pfn_t left[MANY];
	uint32_t table;

	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			struct container_id c = split(CONTAINER_ROOT, 1);

			ASSERT_EQ(container_alloc(c, ALLOC_USER, &left[i]), 0);
			EXPECT_EQ(container_destroy(c), 0);
		}
		EXPECT_EQ(check_containers() + check_free_list(), 0);
		for (uint32_t i = 0; i < MANY; i++)
			EXPECT_EQ(container_free(CONTAINER_ROOT, left[i]), 0);
		if (round == 0)
			table = container_table_frames();
	}
	EXPECT_EQ(container_table_frames(), table);
}

KTEST(container, check_sees_an_alias_of_another)
{
	struct container_id c = split(CONTAINER_ROOT, 2), d = split(CONTAINER_ROOT, 0);
	pfn_t f;

	ASSERT_EQ(container_alloc(c, ALLOC_USER, &f), 0);
	container_destroy(c);
	frame_accounts.payer[c.index] = d.index;
	EXPECT_FAULTS(check_containers());
	frame_accounts.payer[c.index] = 0;
	EXPECT_ONE_FAULT(faults_with(&frame_accounts.left[d.index + 1], 1)); /* a free slot's */
	frame_accounts.left[c.index]++;
	EXPECT_ONE_FAULT(check_free_list());
	frame_accounts.left[c.index]--;
	EXPECT_EQ(check_containers() + check_free_list(), 0);
	frame_put(f);
	container_destroy(d);
}

/* One that has used up its quota, against one that was promised as much. */
KTEST(container, a_full_container_leaves_others_their_frames)
{
	struct container_id greedy = split(CONTAINER_ROOT, 40), modest = split(CONTAINER_ROOT, 40);
	pfn_t f[80];
	uint32_t n = 0;

	while (n < 80 && !container_alloc(greedy, ALLOC_USER, &f[n]))
		n++;
	EXPECT_EQ(n, 40);
	EXPECT_EQ(container_alloc(greedy, ALLOC_USER, &f[n]), -EDQUOT);
	for (; n < 80; n++)
		ASSERT_EQ(container_alloc(modest, ALLOC_USER, &f[n]), 0);
	while (n--)
		EXPECT_EQ(container_free(n < 40 ? greedy : modest, f[n]), 0);
	container_destroy(greedy);
	container_destroy(modest);
}

/* What a child was promised, its parent cannot use, the root and the kernel no less. */
KTEST(container, a_promise_binds_the_root_too)
{
	uint32_t spare = quota(CONTAINER_ROOT) - usage(CONTAINER_ROOT);
	struct container_id c = split(CONTAINER_ROOT, spare);
	pfn_t f;

	EXPECT(!kalloc());
	EXPECT_EQ(frame_alloc(ALLOC_KERNEL, &f), -EDQUOT);
	EXPECT_EQ(container_alloc(c, ALLOC_USER, &f), 0);
	EXPECT_EQ(container_free(c, f), 0);
	container_destroy(c);
}

/* More than three children, more than 64 containers, destroyed from the middle outward. */
KTEST(container, any_number_of_them_in_any_order)
{
	uint32_t before = container_count();

	for (uint32_t i = 0; i < MANY; i++)
		many[i] = split(i % 3 ? many[i / 3] : CONTAINER_ROOT, 0);
	EXPECT_EQ(container_count(), before + MANY);
	EXPECT_EQ(check_containers(), 0);
	for (uint32_t i = 0; i < MANY; i++)
		EXPECT_EQ(container_destroy(many[(i * 77 + 50) % MANY]), 0);
	EXPECT_EQ(container_count(), before);
}

/* When ids run out and the table cannot grow, the split is refused, and nothing stays locked. */
KTEST(container, a_failed_growth_refuses_the_split)
{
	struct container_id first = split(CONTAINER_ROOT, 0), c = first, last;
	uint32_t before, after;
	int err;

	machine_fail_after(0);
	before = container_count();
	while (!(err = container_split(c, 0, &last)))
		c = last;
	EXPECT_EQ(err, -ENOMEM);
	EXPECT(container_count() > before);
	EXPECT_EQ(check_containers(), 0);
	machine_fail_after(-1);
	after = container_count();
	EXPECT_EQ(container_split(c, 0, &last), 0);
	EXPECT_EQ(container_count(), after + 1);
	for (struct container_id parent; !same(last, first); last = parent) {
		ASSERT_EQ(container_get_parent(last, &parent), 0);
		EXPECT_EQ(container_destroy(last), 0);
	}
	container_destroy(first);
}

KTEST(container, check_sees_promises_that_are_not_the_childrens)
{
	struct container_id c = split(CONTAINER_ROOT, 10), d = split(c, 4);

	EXPECT_FAULTS(faults_with(&frame_accounts.quotas.promised[c.index], 1));
	EXPECT_ONE_FAULT(faults_with(&frame_accounts.quotas.promised[c.index], UINT32_MAX));
	EXPECT_ONE_FAULT(faults_with(&frame_accounts.quotas.quota[d.index], 1));
	EXPECT_ONE_FAULT(faults_with(&frame_accounts.quotas.nchildren[c.index], 1));
	EXPECT_ONE_FAULT(faults_with(&frame_accounts.quotas.usage[c.index], UINT32_MAX));
	EXPECT_EQ(check_containers(), 0);
	container_destroy(c);
	container_destroy(d);
}

/* The frames say who was charged: the arithmetic alone is sound. */
KTEST(container, check_sees_a_charge_for_no_frame)
{
	struct container_id c = split(CONTAINER_ROOT, 10);

	frame_accounts.quotas.usage[c.index]++;
	EXPECT_EQ(check_containers(), 0);
	EXPECT_ONE_FAULT(check_free_list());
	frame_accounts.quotas.usage[c.index]--;
	container_destroy(c);
}

KTEST(container, check_sees_more_use_than_the_quota)
{
	struct container_id c = split(CONTAINER_ROOT, 10);
	pfn_t f;

	ASSERT_EQ(container_alloc(c, ALLOC_USER, &f), 0);
	frame_accounts.quotas.quota[c.index] -= 10; /* the sums stay right */
	frame_accounts.quotas.promised[0] -= 10;
	EXPECT_ONE_FAULT(check_containers());
	frame_accounts.quotas.quota[c.index] += 10;
	frame_accounts.quotas.promised[0] += 10;
	EXPECT_EQ(check_containers(), 0);
	EXPECT_EQ(container_free(c, f), 0);
	container_destroy(c);
}

KTEST(container, check_sees_a_child_of_another_parent)
{
	struct container_id c = split(CONTAINER_ROOT, 0), d = split(CONTAINER_ROOT, 0);

	frame_accounts.quotas.parent[d.index] = c.index;
	EXPECT_ONE_FAULT(check_containers());
	frame_accounts.quotas.parent[d.index] = 0;
	EXPECT_EQ(check_containers(), 0);
	container_destroy(c);
	container_destroy(d);
}

/* A random history with what it should be kept beside it, compared after every step. */
#define LIVE   24u
#define FRAMES 64u

static struct {
	struct container_id id[LIVE];
	bool live[LIVE];
	uint32_t parent[LIVE]; /* index into this model */
	uint32_t quota[LIVE], own[LIVE];
	pfn_t frame[FRAMES];
	uint32_t owner[FRAMES];
} model;

static uint32_t model_usage(uint32_t i)
{
	uint32_t sum = model.own[i];

	for (uint32_t j = 1; j < LIVE; j++)
		sum += model.live[j] && model.parent[j] == i ? model.quota[j] : 0;
	return sum;
}

static void model_split(uint32_t i, uint32_t j, uint32_t n)
{
	int want = n <= model.quota[i] - model_usage(i) ? 0 : -EDQUOT;

	ASSERT_EQ(container_split(model.id[i], n, &model.id[j]), want);
	if (want)
		return;
	model.live[j] = true;
	model.parent[j] = i;
	model.quota[j] = n;
	model.own[j] = 0;
}

static void model_destroy(uint32_t j)
{
	uint32_t up = model.parent[j];

	ASSERT_EQ(container_destroy(model.id[j]), 0);
	model.live[j] = false;
	model.own[up] += model.own[j];
	for (uint32_t i = 1; i < LIVE; i++)
		if (model.parent[i] == j)
			model.parent[i] = up;
	for (uint32_t f = 0; f < FRAMES; f++)
		if (model.owner[f] == j)
			model.owner[f] = up;
}

static void model_frame(uint32_t i, uint32_t f)
{
	int want = model_usage(i) < model.quota[i] ? 0 : -EDQUOT;

	if (model.frame[f].n) {
		if (!model.live[model.owner[f]])
			return;
		ASSERT_EQ(container_free(model.id[model.owner[f]], model.frame[f]), 0);
		model.own[model.owner[f]]--;
		model.frame[f] = NO_FRAME;
		return;
	}
	ASSERT_EQ(container_alloc(model.id[i], ALLOC_USER | ALLOC_HIGH, &model.frame[f]), want);
	model.own[i] += !want;
	model.owner[f] = i;
	if (want)
		model.frame[f] = NO_FRAME;
}

KTEST(container, random_history_against_a_model)
{
	model.live[0] = true;
	model.id[0] = split(CONTAINER_ROOT, 60);
	model.quota[0] = 60;
	model.own[0] = 0;
	for (uint32_t step = 0; step < 1500; step++) {
		uint32_t i = ktest_random_below(LIVE), j = 1 + ktest_random_below(LIVE - 1);

		if (!model.live[i])
			continue;
		if (step % 3)
			model_frame(i, ktest_random_below(FRAMES));
		else if (model.live[j])
			model_destroy(j);
		else
			model_split(i, j, ktest_random_below(20));
		for (uint32_t k = 0; k < LIVE; k++)
			ASSERT(!model.live[k] || usage(model.id[k]) == model_usage(k));
	}
	EXPECT_EQ(check_containers(), 0);
	for (uint32_t j = 1; j < LIVE; j++)
		if (model.live[j])
			model_destroy(j);
	for (uint32_t f = 0; f < FRAMES; f++)
		if (model.frame[f].n)
			model_frame(0, f);
	EXPECT_EQ(container_destroy(model.id[0]), 0);
}

/* kfree takes back what kalloc gave, which is the root's. */
KTEST_PANICS(container, kfree_of_a_containers_frame_panics, "kfree: frame 0x")
{
	struct container_id c = split(CONTAINER_ROOT, 5);
	pfn_t f;

	if (!container_alloc(c, ALLOC_KERNEL, &f))
		kfree(arch_frame_direct(f));
}

/* Puts a table back that is empty by now. */
static void put_zeroed(pfn_t f)
{
	lock_acquire(&frame_lock);
	frame_put_zeroed_locked(f);
	lock_release(&frame_lock);
}

KTEST(container, a_table_that_went_back_empty_is_the_next_one)
{
	struct container_id c = split(CONTAINER_ROOT, 1);
	pfn_t f, again;

	frame_drain();
	ASSERT_EQ(container_alloc_table(c, &f), 0);
	EXPECT(arch_frame_is_filled(f, 0) && frame_state(f) == FRAME_TABLE);
	put_zeroed(f);
	EXPECT_EQ(frame_state(f), FRAME_CACHED);
	EXPECT_EQ(usage(c), 0);
	EXPECT_EQ(check_free_list(), 0);
	ASSERT_EQ(container_alloc_table(c, &again), 0);
	EXPECT(again.n == f.n && arch_frame_is_filled(f, 0) && frame_refs(f) == 1);
	EXPECT_EQ(container_alloc_table(c, &again), -EDQUOT);
	frame_put(f);
	EXPECT_EQ(container_destroy(c), 0);
	EXPECT_EQ(container_alloc_table(c, &again), -ESRCH);
}

/* More than are kept, and one whose container is gone, go where all other frames go. */
KTEST(container, few_zeroed_frames_are_kept)
{
	struct container_id c = split(CONTAINER_ROOT, 20), ended = split(CONTAINER_ROOT, 1);
	struct zone_stats before, after;
	pfn_t f[20], orphan;

	frame_drain();
	frame_stats(ZONE_LOW, &before);
	ASSERT_EQ(container_alloc_table(ended, &orphan), 0);
	EXPECT_EQ(container_destroy(ended), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(f); i++)
		ASSERT_EQ(container_alloc_table(c, &f[i]), 0);
	put_zeroed(orphan);
	EXPECT_EQ(check_free_list(), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(f); i++)
		put_zeroed(f[i]);
	EXPECT_EQ(usage(c), 0);
	EXPECT_EQ(check_free_list(), 0);
	frame_drain();
	frame_stats(ZONE_LOW, &after);
	EXPECT(after.free == before.free && after.cached == 0);
	EXPECT_EQ(container_destroy(c), 0);
}
