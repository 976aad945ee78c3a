/*
 * tests/fuzz/container_fuzz.c - the target container: a tree of them, each with blocks of its own, against the sums
 * that define it. Slot 0 is the root.
 */
#include "fuzz.h"

#include <mm/container.h>
#include <tests/ktest/machine.h>

#define SLOTS  256u
#define BLOCKS 256u

static struct {
	struct slot {
		struct container_id id;
		bool live;
		uint32_t parent, quota;
		uint32_t own; /* pages; of the root what is in `block` alone */
	} slot[SLOTS];
	struct block {
		pfn_t f; /* NO_FRAME: not in use */
		uint32_t owner, pages, refs;
	} block[BLOCKS];
	struct container_id stale;
	uint32_t root_own; /* pages that the root has beside those: the kernel's */
	bool failing;
} my;

static uint32_t usage_of(uint32_t i)
{
	uint32_t sum = my.slot[i].own + (i ? 0 : my.root_own + container_table_frames());

	for (uint32_t j = 1; j < SLOTS; j++)
		sum += my.slot[j].live && my.slot[j].parent == i ? my.slot[j].quota : 0;
	return sum;
}

static uint32_t children_of(uint32_t i)
{
	uint32_t count = 0;

	for (uint32_t j = 1; j < SLOTS; j++)
		count += my.slot[j].live && my.slot[j].parent == i;
	return count;
}

static uint32_t spare_of(uint32_t i)
{
	return my.slot[i].quota - usage_of(i);
}

/* Compares a live container with its sums. */
static void check_slot(uint32_t i)
{
	const struct slot *s = &my.slot[i];
	struct container_id parent;
	uint32_t n;

	FUZZ_EQ(container_get_usage(s->id, &n), 0);
	FUZZ_EQ(n, usage_of(i));
	FUZZ_HOLDS(n <= s->quota);
	FUZZ_EQ(container_can_consume(s->id, s->quota - n), true);
	FUZZ_EQ(container_can_consume(s->id, s->quota - n + 1), false);
	FUZZ_EQ(container_can_consume(s->id, UINT32_MAX), false);
	FUZZ_EQ(container_get_quota(s->id, &n), 0);
	FUZZ_EQ(n, s->quota);
	FUZZ_EQ(container_get_nchildren(s->id, &n), 0);
	FUZZ_EQ(n, children_of(i));
	FUZZ_EQ(container_get_parent(s->id, &parent), 0);
	FUZZ_EQ(parent.index, my.slot[s->parent].id.index);
	FUZZ_EQ(parent.generation, my.slot[s->parent].id.generation);
}

static void begin(void)
{
	uint32_t n = 0;

	my.slot[0] = (struct slot){.id = CONTAINER_ROOT, .live = true};
	container_get_quota(CONTAINER_ROOT, &my.slot[0].quota);
	container_get_usage(CONTAINER_ROOT, &n);
	my.root_own = n - container_table_frames();
	my.failing = false;
	my.stale = (struct container_id){UINT32_MAX, 0};
}

/* The table grows where no slot is free, and slots stay in use while frames name them: its arrays may be refused. */
static bool may_lack_memory(void)
{
	return my.failing || spare_of(0) < 4 * container_table_frames() + 32;
}

static void split(uint32_t i, uint32_t j, uint32_t n)
{
	bool fits = n <= spare_of(i);
	uint32_t before = container_table_frames();
	struct container_id id = {0, 0};
	int err = container_split(my.slot[i].id, n, &id);

	if (err == -ENOMEM) {
		FUZZ_HOLDS(may_lack_memory());
		return;
	}
	/* The table's growth may have taken what the root had to spare. */
	if (i || before == container_table_frames())
		FUZZ_EQ(err, fits ? 0 : -EDQUOT);
	if (err)
		return;
	for (uint32_t k = 0; k < SLOTS; k++)
		FUZZ_HOLDS(!my.slot[k].live || my.slot[k].id.index != id.index);
	my.slot[j] = (struct slot){.id = id, .live = true, .parent = i, .quota = n};
}

static void destroy(uint32_t j)
{
	uint32_t up = my.slot[j].parent;

	FUZZ_EQ(container_destroy(my.slot[j].id), j ? 0 : -EPERM);
	if (!j)
		return;
	my.stale = my.slot[j].id;
	my.slot[j].live = false;
	my.slot[up].own += my.slot[j].own;
	for (uint32_t i = 1; i < SLOTS; i++)
		if (my.slot[i].parent == j)
			my.slot[i].parent = up;
	for (uint32_t k = 0; k < BLOCKS; k++)
		if (my.block[k].f.n && my.block[k].owner == j)
			my.block[k].owner = up;
}

/* True where memory may be short, whatever the quota says: more than one frame, or no frame of the kind. */
static bool may_be_short(uint32_t flags)
{
	struct zone_stats low, high;

	frame_stats(ZONE_LOW, &low);
	frame_stats(ZONE_HIGH, &high);
	if (my.failing || flags >> 8)
		return true;
	return flags & ALLOC_HIGH ? !high.free && low.free <= low.reserve : !low.free;
}

static void allocate(uint32_t i, struct block *b, uint32_t flags)
{
	uint32_t pages = 1u << (flags >> 8);
	bool fits = pages <= spare_of(i);
	int err = container_alloc(my.slot[i].id, flags, &b->f);

	if (err)
		b->f = NO_FRAME;
	if (fits && may_be_short(flags) && err == -ENOMEM)
		return;
	FUZZ_EQ(err, fits ? 0 : -EDQUOT);
	if (err)
		return;
	b->pages = pages;
	b->owner = i;
	b->refs = 1;
	my.slot[i].own += pages;
}

/* Gives a reference back through container i, which may be the wrong one. */
static void give_back(uint32_t i, struct block *b)
{
	int want = i == b->owner ? 0 : -EPERM;

	FUZZ_EQ(frame_owner(b->f), my.slot[b->owner].id.index);
	FUZZ_EQ(container_free(my.slot[i].id, b->f), want);
	if (want || --b->refs)
		return;
	my.slot[i].own -= b->pages;
	FUZZ_EQ(container_free(my.slot[i].id, b->f), -EPERM);
	b->f = NO_FRAME;
}

static void use_stale(void)
{
	struct container_id other;
	pfn_t f = PFN(1);
	uint32_t n;

	FUZZ_EQ(container_split(my.stale, 0, &other), -ESRCH);
	FUZZ_EQ(container_destroy(my.stale), -ESRCH);
	FUZZ_EQ(container_alloc(my.stale, ALLOC_USER, &f), -ESRCH);
	FUZZ_EQ(container_free(my.stale, f), -ESRCH);
	FUZZ_EQ(container_get_usage(my.stale, &n), -ESRCH);
	FUZZ_EQ(container_can_consume(my.stale, 0), false);
}

/* Small amounts, what is just there, what is just too much. */
static uint32_t take_amount(struct fuzz_input *in, uint32_t i)
{
	uint8_t n = fuzz_take8(in);

	return n < 250 ? n : spare_of(i) + n - 252;
}

static void frame_step(struct fuzz_input *in, uint8_t what, uint32_t i)
{
	struct block *b = &my.block[fuzz_take8(in)];
	uint32_t flags = what & 16 ? ALLOC_USER | ALLOC_HIGH : ALLOC_KERNEL;

	if (!b->f.n) {
		allocate(i, b, flags | (what & 32 ? ALLOC_ORDER(fuzz_take_below(in, 8)) : 0));
	} else if (what & 64 && b->refs < 4) {
		FUZZ_EQ(frame_get(b->f), 0);
		b->refs++;
	} else {
		give_back(what & 128 ? i : b->owner, b);
	}
}

static void burst(struct fuzz_input *in, uint32_t i)
{
	uint32_t first = fuzz_take8(in), count = fuzz_take8(in);

	for (uint32_t j = first; j < first + count; j++)
		if (!my.slot[j % SLOTS].live)
			split(i, j % SLOTS, j % 3);
}

static void step(struct fuzz_input *in)
{
	uint8_t what = fuzz_take8(in);
	uint32_t i = fuzz_take8(in), j = fuzz_take8(in);

	while (!my.slot[i].live)
		i = (i + 1) % SLOTS;
	if (what % 8 < 3)
		frame_step(in, what, i);
	else if (what % 8 == 3)
		use_stale();
	else if (what % 8 == 4)
		burst(in, i);
	else if (what % 8 == 5)
		machine_fail_after((my.failing = what & 8) ? what >> 4 : -1);
	else if (my.slot[j].live)
		destroy(j);
	else
		split(i, j, take_amount(in, i));
	if (!my.slot[i].live)
		i = my.slot[i].parent;
	check_slot(i);
	check_slot(my.slot[i].parent);
}

static void run(struct fuzz_input *in)
{
	uint32_t live = 0;

	begin();
	while (in->left)
		step(in);
	machine_fail_after(-1);
	for (uint32_t i = 0; i < SLOTS; i++) {
		live += my.slot[i].live;
		if (my.slot[i].live)
			check_slot(i);
	}
	FUZZ_EQ(container_count(), live);
	FUZZ_EQ(check_containers(), 0);
	for (uint32_t j = SLOTS; --j;)
		if (my.slot[j].live)
			destroy(j);
	for (uint32_t k = 0; k < BLOCKS; k++)
		while (my.block[k].f.n)
			give_back(0, &my.block[k]);
}

const struct fuzz_target fuzz_container = {.name = "container", .run = run, .on_machine = true};
