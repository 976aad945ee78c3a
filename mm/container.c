/*
 * mm/container.c - the tree of containers. Owns the table: the accounts' arrays, generations, and the links
 * between siblings. Lock: frame_lock, under which frames are charged too.
 *
 * A live container's generation is even, a free slot's odd: an id is stale as soon as its slot has moved on. A
 * slot whose generation would come round again is not used any more.
 */
#include <lib/panic.h>
#include <mm/container.h>
#include <mm/slab.h>

#define FIRST_CAPACITY 64u
#define NEXT_CAPACITY  1024u /* from here on an array fills whole frames */
#define ROOT           0u

/* One array of `capacity` words for each. The first six are the accounts'. */
enum field {
	QUOTA,
	USAGE,
	OWN,
	PARENT,
	NCHILDREN,
	FIRST_FRAME,
	GENERATION,
	FIRST_CHILD,
	NEXT, /* sibling; of a free slot: the next free one. 0: none, for the root is nobody's sibling */
	PREV,
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
	frame_accounts.quotas = (struct quotas){arrays[QUOTA],  arrays[USAGE],     arrays[OWN],
						arrays[PARENT], arrays[NCHILDREN], capacity};
	frame_accounts.first_frame = arrays[FIRST_FRAME];
}

/* Puts the slots from first on into the free list, the lowest in front. */
static void add_slots(uint32_t first)
{
	for (uint32_t i = table.capacity; i-- > first;) {
		for (unsigned k = 0; k < FIELDS; k++)
			table.field[k][i] = 0;
		table.field[GENERATION][i] = 1;
		table.field[NEXT][i] = table.free_slot;
		table.free_slot = i;
	}
}

void container_init(void)
{
	uint32_t *arrays[FIELDS];
	uint32_t quota = quotas()->quota[ROOT];
	uint32_t own = quotas()->own[ROOT];

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

static bool is_live(struct container_id c)
{
	return c.index < table.capacity && table.field[GENERATION][c.index] == c.generation &&
	       c.generation % 2 == 0;
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
	table.field[FIRST_FRAME][i] = 0;
	table.field[FIRST_CHILD][i] = 0;
	table.field[GENERATION][i]++;
	link_child(parent, i);
	table.count++;
	*child = id_of(i);
	return true;
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
	err = 0;
	while (!table.free_slot && !err) {
		lock_release(&frame_lock);
		err = grow();
		lock_acquire(&frame_lock);
	}
	/* The parent may have changed or gone while the lock was free. */
	if (!err && !is_live(parent))
		err = -ESRCH;
	if (!err && !make_child(parent.index, n, child))
		err = -EDQUOT;
out:
	lock_release(&frame_lock);
	return err;
}

static void destroy(uint32_t i)
{
	uint32_t up = quotas()->parent[i];
	uint32_t child;

	while ((child = table.field[FIRST_CHILD][i])) {
		unlink_child(child);
		quota_hoist(quotas(), child);
		link_child(up, child);
	}
	frame_relabel_locked(i, up);
	quota_pass_up(quotas(), i, quotas()->own[i]);
	quota_remove(quotas(), i);
	unlink_child(i);
	table.count--;
	if (++table.field[GENERATION][i] != UINT32_MAX) {
		table.field[NEXT][i] = table.free_slot;
		table.free_slot = i;
	}
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

int container_alloc(struct container_id c, uint32_t flags, pfn_t *out)
{
	int err = -ESRCH;

	lock_acquire(&frame_lock);
	if (is_live(c))
		err = frame_alloc_locked(c.index, flags, out);
	lock_release(&frame_lock);
	if (!err)
		frame_prepare(*out, flags);
	return err;
}

int container_free(struct container_id c, pfn_t f)
{
	int err = 0;

	lock_acquire(&frame_lock);
	if (!is_live(c))
		err = -ESRCH;
	else if (!frame_put_owned_locked(f, c.index))
		err = -EPERM;
	lock_release(&frame_lock);
	return err;
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
	printk("containers: %u: %s (quota %u, usage %u, own %u)\n", i, what, quotas()->quota[i],
	       quotas()->usage[i], quotas()->own[i]);
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
	if (q->usage[i] != q->own[i] + promised)
		faults += fault("usage is not own + what the children were promised", i);
	if (q->usage[i] > q->quota[i])
		faults += fault("uses more than its quota", i);
	return faults;
}

unsigned check_containers(void)
{
	uint32_t live = 0;
	unsigned faults = 0;

	lock_acquire(&frame_lock);
	for (uint32_t i = 0; i < table.capacity; i++) {
		if (table.field[GENERATION][i] % 2)
			continue;
		live++;
		faults += check_one(i);
	}
	if (live != table.count)
		faults += fault("the containers are not as many as counted", ROOT);
	lock_release(&frame_lock);
	return faults;
}
