/*
 * mm/container.c - the tree of containers. Owns the table: the accounts' arrays, generations, and the links
 * between siblings. Lock: frame_lock, under which frames are charged too.
 *
 * A live container's generation is even, a free slot's odd: an id is stale as soon as its slot has moved on. A
 * slot whose generation would come round again is not used any more.
 *
 * Frames keep the index of the container that they were charged to when it ends: walking them would take as long as
 * there are many. Its slot then is an alias of whoever pays for it now, in a list of that one's, until no frame is
 * left that names it. So a frame's payer is always one look away.
 */
#include <lib/panic.h>
#include <mm/container.h>
#include <mm/slab.h>

#define FIRST_CAPACITY 64u
#define NEXT_CAPACITY  1024u /* from here on an array fills whole frames */
#define ROOT           0u

/* One array of `capacity` words for each. The first eight are the accounts'. */
enum field {
	QUOTA,
	USAGE,
	PROMISED,
	PARENT,
	NCHILDREN,
	PAYER,
	LEFT,
	COUNTED,
	GENERATION,
	FIRST_CHILD,
	FIRST_ALIAS,
	NEXT, /* sibling, alias or free slot. 0: none, for the root is none of them */
	PREV, /* sibling */
	FIELDS
};

static uint32_t first_arrays[FIELDS][FIRST_CAPACITY];

static struct {
	uint32_t *field[FIELDS];
	uint32_t capacity;
	uint32_t free_slot; /* 0: none */
	uint32_t count;
} table;

static struct quotas *quotas(void)
{
	return &frame_accounts.quotas;
}

/* Makes the table use these arrays, into which the old ones were copied. */
static void adopt(uint32_t *const arrays[FIELDS], uint32_t capacity)
{
	for (unsigned i = 0; i < FIELDS; i++)
		table.field[i] = arrays[i];
	table.capacity = capacity;
	frame_accounts = (struct accounts){
		.quotas = {arrays[QUOTA], arrays[USAGE], arrays[PROMISED], arrays[PARENT], arrays[NCHILDREN],
			   capacity},
		.payer = arrays[PAYER],
		.left = arrays[LEFT],
		.counted = arrays[COUNTED],
	};
}

static bool is_alive(uint32_t i)
{
	return table.field[GENERATION][i] % 2 == 0;
}

/* Makes a slot that nothing names any more ready for another container; false when its generations are used up. */
static bool add_slot(uint32_t i)
{
	if (table.field[GENERATION][i] == UINT32_MAX)
		return false;
	table.field[NEXT][i] = table.free_slot;
	table.free_slot = i;
	return true;
}

/* Puts the slots from first on into the free list, the lowest in front. */
static void add_slots(uint32_t first)
{
	for (uint32_t i = table.capacity; i-- > first;) {
		for (unsigned k = 0; k < FIELDS; k++)
			table.field[k][i] = 0;
		table.field[GENERATION][i] = 1;
		add_slot(i);
	}
}

void container_init(void)
{
	uint32_t *arrays[FIELDS];
	uint32_t quota = quotas()->quota[ROOT];
	uint32_t own = quota_own(quotas(), ROOT);

	for (unsigned i = 0; i < FIELDS; i++)
		arrays[i] = first_arrays[i];
	lock_acquire(&frame_lock);
	adopt(arrays, FIRST_CAPACITY);
	table.free_slot = 0;
	table.count = 1;
	add_slots(1);
	for (unsigned i = 0; i < FIELDS; i++)
		arrays[i][ROOT] = 0;
	quota_init_root(quotas(), quota);
	quota_charge(quotas(), ROOT, own);
	lock_release(&frame_lock);
}

/* Exchanges the table's arrays for larger ones, with the content copied, and hands back the old ones. */
static void swap_arrays(uint32_t *arrays[FIELDS], uint32_t capacity)
{
	uint32_t *old[FIELDS];
	uint32_t old_capacity = table.capacity;

	for (unsigned k = 0; k < FIELDS; k++) {
		old[k] = table.field[k];
		for (uint32_t i = 0; i < old_capacity; i++)
			arrays[k][i] = old[k][i];
	}
	adopt(arrays, capacity);
	add_slots(old_capacity);
	for (unsigned k = 0; k < FIELDS; k++)
		arrays[k] = old[k];
}

static void free_arrays(uint32_t *const arrays[FIELDS])
{
	for (unsigned k = 0; k < FIELDS; k++)
		if (arrays[k] != first_arrays[k])
			kmfree(arrays[k]);
}

/* Doubles the table. The arrays are allocated without the lock; who comes second gives them back. */
static int grow(void)
{
	uint32_t capacity = table.capacity < NEXT_CAPACITY ? NEXT_CAPACITY : 2 * table.capacity;
	uint32_t *arrays[FIELDS] = {0};
	bool complete = true;

	for (unsigned k = 0; k < FIELDS && complete; k++) {
		arrays[k] = kmalloc(capacity * (uint32_t)sizeof(uint32_t));
		complete = arrays[k];
	}
	if (complete) {
		lock_acquire(&frame_lock);
		if (table.capacity < capacity)
			swap_arrays(arrays, capacity);
		lock_release(&frame_lock);
	}
	free_arrays(arrays);
	return complete ? 0 : -ENOMEM;
}

uint32_t container_table_frames(void)
{
	return table.capacity < NEXT_CAPACITY
		       ? 0
		       : FIELDS * (table.capacity * (uint32_t)sizeof(uint32_t) / PAGE_SIZE);
}

/* Every id that was ever given is even, so that none is a free slot's generation. */
static bool is_live(struct container_id c)
{
	return c.index < table.capacity && table.field[GENERATION][c.index] == c.generation;
}

static struct container_id id_of(uint32_t i)
{
	return (struct container_id){i, table.field[GENERATION][i]};
}

static void link_child(uint32_t parent, uint32_t child)
{
	uint32_t second = table.field[FIRST_CHILD][parent];

	table.field[PREV][child] = 0;
	table.field[NEXT][child] = second;
	if (second)
		table.field[PREV][second] = child;
	table.field[FIRST_CHILD][parent] = child;
}

static void unlink_child(uint32_t child)
{
	uint32_t next = table.field[NEXT][child];
	uint32_t prev = table.field[PREV][child];

	if (next)
		table.field[PREV][next] = prev;
	if (prev)
		table.field[NEXT][prev] = next;
	else
		table.field[FIRST_CHILD][quotas()->parent[child]] = next;
}

/* Takes a slot, which is there, and makes it the parent's child. False when the parent cannot spare n. */
static bool make_child(uint32_t parent, uint32_t n, struct container_id *child)
{
	uint32_t i = table.free_slot;

	if (!quota_split(quotas(), parent, i, n))
		return false;
	table.free_slot = table.field[NEXT][i];
	table.field[PAYER][i] = i;
	table.field[FIRST_CHILD][i] = 0;
	table.field[FIRST_ALIAS][i] = 0;
	table.field[GENERATION][i]++;
	link_child(parent, i);
	table.count++;
	*child = id_of(i);
	return true;
}

/* Takes the aliases of i that no frame names any more for new containers; returns how many that were. */
static uint32_t reap(uint32_t i)
{
	uint32_t *link = &table.field[FIRST_ALIAS][i];
	uint32_t alias, reaped = 0;

	while ((alias = *link)) {
		if (table.field[LEFT][alias]) {
			link = &table.field[NEXT][alias];
			continue;
		}
		*link = table.field[NEXT][alias];
		reaped += add_slot(alias);
	}
	return reaped;
}

static uint32_t reap_all(void)
{
	uint32_t reaped = 0;

	for (uint32_t i = 0; i < table.capacity; i++)
		if (is_alive(i))
			reaped += reap(i);
	return reaped;
}

/*
 * Makes sure of a free slot, with frame_lock held but for the time that the table grows. It grows unless there was
 * much to reap: the walk over all containers is not for a handful of slots.
 */
static int need_slot(void)
{
	int err = 0;

	while (!table.free_slot && !err) {
		if (reap_all() >= table.capacity / 8)
			break;
		lock_release(&frame_lock);
		err = grow();
		lock_acquire(&frame_lock);
		if (table.free_slot)
			err = 0;
	}
	return err;
}

int container_split(struct container_id parent, uint32_t n, struct container_id *child)
{
	int err = -ESRCH;

	lock_acquire(&frame_lock);
	if (!is_live(parent))
		goto out;
	err = -EDQUOT;
	if (!quota_can_consume(quotas(), parent.index, n))
		goto out;
	err = need_slot();
	/* The parent may have changed or gone while the lock was free. */
	if (!err && !is_live(parent))
		err = -ESRCH;
	if (!err && !make_child(parent.index, n, child))
		err = -EDQUOT;
out:
	lock_release(&frame_lock);
	return err;
}

static void add_alias(uint32_t payer, uint32_t alias)
{
	table.field[PAYER][alias] = payer;
	table.field[NEXT][alias] = table.field[FIRST_ALIAS][payer];
	table.field[FIRST_ALIAS][payer] = alias;
}

/* Makes i and its aliases those of `up`, as far as frames name them. i pays for `own` frames in all. */
static void pass_frames(uint32_t i, uint32_t up, uint32_t own)
{
	uint32_t alias;

	reap(i);
	while ((alias = table.field[FIRST_ALIAS][i])) {
		table.field[FIRST_ALIAS][i] = table.field[NEXT][alias];
		own -= table.field[LEFT][alias];
		add_alias(up, alias);
	}
	table.field[LEFT][i] = own;
	table.field[PAYER][i] = up;
	if (own)
		add_alias(up, i);
	else
		add_slot(i);
}

static void destroy(uint32_t i)
{
	uint32_t up = quotas()->parent[i];
	uint32_t child, own;

	while ((child = table.field[FIRST_CHILD][i])) {
		unlink_child(child);
		quota_hoist(quotas(), child);
		link_child(up, child);
	}
	own = quota_own(quotas(), i);
	quota_pass_up(quotas(), i, own);
	quota_remove(quotas(), i);
	unlink_child(i);
	table.count--;
	table.field[GENERATION][i]++;
	pass_frames(i, up, own);
}

int container_destroy(struct container_id c)
{
	int err = 0;

	lock_acquire(&frame_lock);
	if (!is_live(c))
		err = -ESRCH;
	else if (c.index == ROOT)
		err = -EPERM;
	else
		destroy(c.index);
	lock_release(&frame_lock);
	return err;
}

/* Ends a call that failed; apart, so that the short way needs no register for the error. */
static __attribute__((noinline)) int give_up(int err)
{
	lock_release(&frame_lock);
	return err;
}

int container_alloc(struct container_id c, uint32_t flags, pfn_t *out)
{
	uint32_t n;

	lock_acquire(&frame_lock);
	if (UNLIKELY(!is_live(c)))
		return give_up(-ESRCH);
	n = frame_alloc_locked(c.index, flags);
	if (UNLIKELY(!n))
		return give_up(frame_alloc_error(c.index, flags));
	lock_release(&frame_lock);
	*out = PFN(n);
	if (UNLIKELY(flags & ALLOC_ZERO))
		frame_zero(PFN(n), flags >> 8);
	return 0;
}

int container_alloc_table(struct container_id c, pfn_t *out)
{
	lock_acquire(&frame_lock);
	out->n = is_live(c) ? frame_take_zeroed_locked(c.index) : 0;
	lock_release(&frame_lock);
	return out->n ? 0 : container_alloc(c, ALLOC_TABLE | ALLOC_ZERO, out);
}

int container_free(struct container_id c, pfn_t f)
{
	lock_acquire(&frame_lock);
	if (UNLIKELY(!is_live(c)))
		return give_up(-ESRCH);
	if (UNLIKELY(!frame_put_owned_locked(f, c.index)))
		return give_up(-EPERM);
	lock_release(&frame_lock);
	return 0;
}

bool container_can_consume(struct container_id c, uint32_t n)
{
	bool can;

	lock_acquire(&frame_lock);
	can = is_live(c) && quota_can_consume(quotas(), c.index, n);
	lock_release(&frame_lock);
	return can;
}

static int get(struct container_id c, enum field what, uint32_t *out)
{
	int err = -ESRCH;

	lock_acquire(&frame_lock);
	if (is_live(c)) {
		*out = table.field[what][c.index];
		err = 0;
	}
	lock_release(&frame_lock);
	return err;
}

int container_get_quota(struct container_id c, uint32_t *out)
{
	return get(c, QUOTA, out);
}

int container_get_usage(struct container_id c, uint32_t *out)
{
	return get(c, USAGE, out);
}

int container_get_nchildren(struct container_id c, uint32_t *out)
{
	return get(c, NCHILDREN, out);
}

int container_get_parent(struct container_id c, struct container_id *out)
{
	int err = -ESRCH;

	lock_acquire(&frame_lock);
	if (is_live(c)) {
		*out = id_of(table.field[PARENT][c.index]);
		err = 0;
	}
	lock_release(&frame_lock);
	return err;
}

uint32_t container_count(void)
{
	return table.count;
}

static unsigned fault(const char *what, uint32_t i)
{
	printk("containers: %u: %s (quota %u, usage %u, promised %u)\n", i, what, quotas()->quota[i],
	       quotas()->usage[i], quotas()->promised[i]);
	return 1;
}

/* Proves a live container's account against its children. A ring of siblings ends at more than there are. */
static unsigned check_one(uint32_t i)
{
	const struct quotas *q = quotas();
	uint32_t promised = 0, children = 0, prev = 0;
	unsigned faults = 0;

	for (uint32_t c = table.field[FIRST_CHILD][i]; c && children <= q->nchildren[i];
	     c = table.field[NEXT][c]) {
		if (q->parent[c] != i || table.field[PREV][c] != prev)
			faults += fault("linked to another parent or sibling", c);
		promised += q->quota[c];
		children++;
		prev = c;
	}
	if (children != q->nchildren[i])
		faults += fault("has not as many children as counted", i);
	if (q->promised[i] != promised)
		faults += fault("has not promised what its children have", i);
	if (q->promised[i] > q->usage[i] || q->usage[i] > q->quota[i])
		faults += fault("uses less than it promised, or more than its quota", i);
	return faults;
}

/* Proves i's list of aliases; adds what they have left to *sum. A ring ends at more of them than slots. */
static unsigned check_aliases(uint32_t i, uint32_t *sum)
{
	uint32_t seen = 0;

	for (uint32_t k = table.field[FIRST_ALIAS][i]; k; k = table.field[NEXT][k]) {
		if (is_alive(k) || table.field[PAYER][k] != i || seen++ > table.capacity)
			return fault("pays for one that lives, or that another pays for", i);
		*sum += table.field[LEFT][k];
	}
	return 0;
}

unsigned check_containers(void)
{
	uint32_t live = 0, left = 0, listed = 0;
	unsigned faults = 0;

	lock_acquire(&frame_lock);
	for (uint32_t i = 0; i < table.capacity; i++) {
		if (!is_alive(i)) {
			left += table.field[LEFT][i];
			continue;
		}
		live++;
		faults += check_one(i) + check_aliases(i, &listed);
	}
	if (left != listed)
		faults += fault("frames of containers that have ended are nobody's", ROOT);
	if (live != table.count)
		faults += fault("the containers are not as many as counted", ROOT);
	lock_release(&frame_lock);
	return faults;
}
