/*
 * mm/buddy.c - blocks of 2^order frames. Owns the free lists and, of the descriptors, what is said below.
 * Lock: frame_lock, held by the caller.
 *
 * A block of order k begins at a multiple of 2^k, so the block it was split from, and merges with again, is
 * found by flipping bit k of its first frame. Blocks of 32 frames and more stand in a list for each order, by
 * their first frame, the only one that says FRAME_FREE and the order.
 *
 *	cluster of 32 frames, some of them free         descriptor 0: next = the word, prev = its class + 1
 *	| used | free | free | used | ... | free |      descriptor 1: next, prev = links of the class' list
 *	word:  0      1      1      0   ...  1
 *
 * What is smaller is a bit for each frame in one word for 32 of them: splitting and merging are a matter of bits,
 * and single frames freed in any order cost the same. A cluster stands in the list of its class, the order of the
 * largest block in it; each of its free frames says FRAME_FREE for itself. One without a free frame stands in no
 * list; one that is all free is a block. The descriptors that hold word and links may be those of used frames, which
 * have no other use for them; the list goes by the second one's number, for frame 0 means none.
 */
#include <lib/panic.h>
#include <mm/buddy.h>

#define CLUSTER_ORDER 5u
#define CLUSTER       (1u << CLUSTER_ORDER)

uint32_t frame_end;

#include <mm/buddy_proof.h>

static void list_push(struct buddy *b, uint32_t n, unsigned order)
{
	struct frame *f = frame_desc(n);
	uint32_t next = b->head[order];

	f->prev = 0;
	f->next = next;
	if (next)
		frame_desc(next)->prev = n;
	b->head[order] = n;
	b->nonempty |= 1u << order;
}

static void list_remove(struct buddy *b, uint32_t n, unsigned order)
{
	uint32_t next = frame_desc(n)->next, prev = frame_desc(n)->prev;

	if (next)
		frame_desc(next)->prev = prev;
	if (prev) {
		frame_desc(prev)->next = next;
		return;
	}
	b->head[order] = next;
	if (!next)
		b->nonempty &= ~(1u << order);
}

/* Returns the block that this one was split from another with, and merges with again. */
/*@ requires order < BUDDY_ORDERS - 1;
  @ assigns \nothing;
  @ ensures other_half: \result != n && (\result >> (order + 1)) == (n >> (order + 1));
  @ ensures aligned: (\result & ((1 << order) - 1)) == (n & ((1 << order) - 1)); */
static inline uint32_t buddy_of(uint32_t n, unsigned order)
{
	return n ^ 1u << order;
}

/* Returns the first frame of what a block and its buddy make together. */
/*@ requires order < BUDDY_ORDERS - 1 && (n & ((1 << order) - 1)) == 0;
  @ assigns \nothing;
  @ ensures same: (\result >> (order + 1)) == (n >> (order + 1));
  @ ensures aligned: (\result & ((2 << order) - 1)) == 0; */
static inline uint32_t merged(uint32_t n, unsigned order)
{
	return n & (n ^ 1u << order);
}

static void push_block(struct buddy *b, uint32_t n, unsigned order)
{
	frame_desc(n)->tag = FRAME_TAG(0, order, FRAME_FREE);
	list_push(b, n, order);
}

static void set_tags(uint32_t n, uint32_t count, uint32_t tag)
{
	for (struct frame *f = frame_desc(n), *end = f + count; f < end; f++)
		f->tag = tag;
}

/* Takes a block of 32 frames or more off its list, or half of a larger one. */
static uint32_t take_block(struct buddy *b, unsigned order)
{
	uint32_t fits = b->nonempty & ~0u << order;
	unsigned from;
	uint32_t n;

	if (!fits)
		return 0;
	from = (unsigned)__builtin_ctz(fits);
	n = b->head[from];
	list_remove(b, n, from);
	while (from-- > order)
		push_block(b, n + (1u << from), from);
	return n;
}

/* Of the bits that begin a free block of this order, those that begin one of the next. */
/*@ requires order == 0 || order == 1 || order == 2 || order == 3 || order == 4;
  @ assigns \nothing;
  @ ensures order == 0 ==> IS_PAIRS(1);
  @ ensures order == 1 ==> IS_PAIRS(2);
  @ ensures order == 2 ==> IS_PAIRS(4);
  @ ensures order == 3 ==> IS_PAIRS(8);
  @ ensures order == 4 ==> IS_PAIRS(16); */
static inline uint32_t pairs(uint32_t starts, unsigned order)
{
	static const uint32_t multiples[CLUSTER_ORDER] = {0x55555555, 0x11111111, 0x01010101, 0x00010001, 1};

	return starts & starts >> (1u << order) & multiples[order];
}

/* Returns the order of the largest block in a word, and 1; 0 when it stands in no list. */
static unsigned level_of(uint32_t word)
{
	unsigned level = 0;

	for (uint32_t starts = word == ~0u ? 0 : word; starts; level++)
		starts = pairs(starts, level);
	return level;
}

/* Moves a cluster to the list of another level. */
static void move_cluster(struct buddy *b, uint32_t base, unsigned level)
{
	struct frame *f = frame_desc(base);

	if (f->prev)
		list_remove(b, base + 1, f->prev - 1);
	f->prev = level;
	if (level)
		list_push(b, base + 1, level - 1);
}

/* Stores the word of a cluster that frames were taken from. */
static void shrink(struct buddy *b, uint32_t base, uint32_t word)
{
	unsigned level = level_of(word);

	frame_desc(base)->next = word;
	if (frame_desc(base)->prev != level)
		move_cluster(b, base, level);
}

/* Returns the second frame of a cluster with a free block of this order, made of a larger one if need be; or 0. */
static uint32_t find_cluster(struct buddy *b, unsigned order)
{
	uint32_t fits = b->nonempty & ~0u << order;
	uint32_t n;

	if (!fits)
		return 0;
	if (fits % CLUSTER)
		return b->head[__builtin_ctz(fits)];
	n = take_block(b, CLUSTER_ORDER);
	set_tags(n, CLUSTER, FRAME_TAG(0, 0, FRAME_FREE));
	frame_desc(n)->next = ~0u;
	frame_desc(n)->prev = 0;
	return n + 1;
}

/* The bits of the first block of each order in a word. */
static const uint32_t first_block[CLUSTER_ORDER + 1] = {1, 3, 0xF, 0xFF, 0xFFFF, ~0u};

/* Returns the bits of a block in its cluster's word. */
/*@ requires FITS(0, 31) || FITS(1, 30) || FITS(2, 28) || FITS(3, 24) || FITS(4, 16);
  @ assigns \nothing;
  @ ensures order == 0 ==> IS_BLOCK(1);
  @ ensures order == 1 ==> IS_BLOCK(2);
  @ ensures order == 2 ==> IS_BLOCK(4);
  @ ensures order == 3 ==> IS_BLOCK(8);
  @ ensures order == 4 ==> IS_BLOCK(16); */
static inline uint32_t block_bits(unsigned order, uint32_t at)
{
	return first_block[order] << at;
}

/* Takes a block out of a cluster that has one of this order. */
static uint32_t carve(struct buddy *b, uint32_t base, unsigned order)
{
	uint32_t word = frame_desc(base)->next, starts = word;
	uint32_t first, count = 1u << order;

	for (unsigned k = 0; k < order; k++)
		starts = pairs(starts, k);
	first = (uint32_t)__builtin_ctz(starts);
	set_tags(base + first + 1, count - 1, FRAME_TAG(0, 0, FRAME_TAIL));
	shrink(b, base, word & ~block_bits(order, first));
	return base + first;
}

uint32_t buddy_alloc(struct buddy *b, unsigned order)
{
	uint32_t n = order < CLUSTER_ORDER ? find_cluster(b, order) : take_block(b, order);

	if (!n)
		return 0;
	b->free -= 1u << order;
	return order < CLUSTER_ORDER ? carve(b, n - 1, order) : n;
}

uint32_t buddy_alloc_singles(struct buddy *b, uint32_t *out, uint32_t most, uint32_t tag)
{
	uint32_t second = find_cluster(b, 0), base = second - 1;
	uint32_t count = 0, word;

	if (!second)
		return 0;
	for (word = frame_desc(base)->next; word && count < most; word &= word - 1) {
		uint32_t n = base + (uint32_t)__builtin_ctz(word);

		frame_desc(n)->tag = tag;
		out[count++] = n;
	}
	shrink(b, base, word);
	b->free -= count;
	return count;
}

/* Frees a block that is no part of a cluster. */
static void free_block(struct buddy *b, uint32_t n, unsigned order)
{
	frame_desc(n)->tag = FRAME_TAG(0, 0, FRAME_TAIL);
	for (; order < BUDDY_ORDERS - 1; order++) {
		uint32_t other = buddy_of(n, order);

		if (frame_desc(other)->tag != FRAME_TAG(0, order, FRAME_FREE))
			break;
		list_remove(b, other, order);
		frame_desc(other)->tag = FRAME_TAG(0, 0, FRAME_TAIL);
		n = merged(n, order);
	}
	push_block(b, n, order);
}

/* True when the block of 2^level frames in which frame n lies is all free. */
/*@ requires level == 0 || level == 1 || level == 2 || level == 3 || level == 4 || level == 5;
  @ assigns \nothing;
  @ ensures level == 0 ==> (\result <==> (word >> (n % 32)) % 2 == 1);
  @ ensures level == 1 ==> (\result <==> (word >> (n % 32 / 2 * 2)) % 4 == 3);
  @ ensures level == 2 ==> (\result <==> (word >> (n % 32 / 4 * 4)) % 16 == 0xF);
  @ ensures level == 3 ==> (\result <==> (word >> (n % 32 / 8 * 8)) % 256 == 0xFF);
  @ ensures level == 4 ==> (\result <==> (word >> (n % 32 / 16 * 16)) % 65536 == 0xFFFF);
  @ ensures level == 5 ==> (\result <==> word == 0xFFFFFFFF); */
static inline bool is_complete(uint32_t word, uint32_t n, unsigned level)
{
	static const uint32_t begin[CLUSTER_ORDER + 1] = {31, 30, 28, 24, 16, 0};
	uint32_t bits = first_block[level] << (n & begin[level]);

	return (word & bits) == bits;
}

/*
 * Moves a cluster in which the block of 2^level frames that holds n has become free, larger than any there was; where
 * all of it is free, it is a block.
 */
static __attribute__((noinline)) void grow(struct buddy *b, uint32_t n, unsigned level)
{
	uint32_t base = n & ~(CLUSTER - 1), word = frame_desc(base)->next;

	do
		level++;
	while (level <= CLUSTER_ORDER && is_complete(word, n, level));
	if (level <= CLUSTER_ORDER) {
		move_cluster(b, base, level);
		return;
	}
	move_cluster(b, base, 0);
	set_tags(base, CLUSTER, FRAME_TAG(0, 0, FRAME_TAIL));
	free_block(b, base, CLUSTER_ORDER);
}

/* A cluster changes its list only when the frames complete a larger block than any that is in it. */
static inline void free_bits(struct buddy *b, uint32_t n, unsigned order)
{
	struct frame *f = frame_desc(n & ~(CLUSTER - 1));
	uint32_t word = f->next | block_bits(order, n % CLUSTER);
	unsigned level = f->prev > order ? f->prev : order;

	set_tags(n, 1u << order, FRAME_TAG(0, 0, FRAME_FREE));
	f->next = word;
	if (is_complete(word, n, level))
		grow(b, n, level);
}

/* Not compiled into its callers, where its loop would lack registers. */
__attribute__((noinline)) void buddy_free_singles(struct buddy *b, const uint32_t *n, uint32_t count)
{
	b->free += count;
	while (count--)
		free_bits(b, n[count], 0);
}

void buddy_free(struct buddy *b, uint32_t n, unsigned order)
{
	b->free += 1u << order;
	if (order < CLUSTER_ORDER)
		free_bits(b, n, order);
	else
		free_block(b, n, order);
}

static unsigned fault(const char *what, uint32_t n, unsigned order)
{
	printk("buddy: block 0x%x of order %u: %s\n", n, order, what);
	return 1;
}

static unsigned check_block(uint32_t n, unsigned order)
{
	if (n & ((1u << order) - 1))
		return fault("not aligned", n, order);
	if (frame_desc(n)->tag != FRAME_TAG(0, order, FRAME_FREE))
		return fault("not marked free", n, order);
	if (order < BUDDY_ORDERS - 1 &&
	    frame_desc(buddy_of(n, order))->tag == FRAME_TAG(0, order, FRAME_FREE))
		return fault("not merged with its buddy", n, order);
	for (uint32_t i = 1; i < 1u << order; i++)
		if (frame_desc(n + i)->tag != FRAME_TAG(0, 0, FRAME_TAIL))
			return fault("holds a frame with a state of its own", n + i, order);
	return 0;
}

static unsigned check_cluster(uint32_t second, unsigned class)
{
	uint32_t base = second - 1, word = frame_desc(base)->next;

	if (base % CLUSTER)
		return fault("not the second frame of a cluster", second, class);
	if (word == ~0u)
		return fault("not merged, though all of it is free", base, class);
	if (level_of(word) != class + 1 || frame_desc(base)->prev != class + 1)
		return fault("in another class' list", base, class);
	for (uint32_t i = 0; i < CLUSTER; i++)
		if ((word >> i & 1) != (frame_desc(base + i)->tag == FRAME_TAG(0, 0, FRAME_FREE)))
			return fault("its bit and its mark disagree", base + i, 0);
	return 0;
}

/* Proves one list; adds its frames to *sum. A list that is a ring ends with more than are counted. */
static unsigned check_list(const struct buddy *b, unsigned order, uint32_t *sum)
{
	bool clusters = order < CLUSTER_ORDER;
	uint32_t prev = 0;
	unsigned faults = 0;

	if (!b->head[order] != !(b->nonempty >> order & 1))
		faults += fault("list and its bit disagree", b->head[order], order);
	for (uint32_t n = b->head[order]; n && *sum <= b->free; prev = n, n = frame_desc(n)->next) {
		if (!frame_known(n))
			return faults + fault("not a frame", n, order);
		if (frame_desc(n)->prev != prev)
			faults += fault("bad link back: in two lists?", n, order);
		faults += clusters ? check_cluster(n, order) : check_block(n, order);
		*sum += clusters ? (uint32_t)__builtin_popcount(frame_desc(n - 1)->next) : 1u << order;
	}
	return faults;
}

unsigned buddy_check(const struct buddy *b)
{
	uint32_t sum = 0;
	unsigned faults = 0;

	for (unsigned order = 0; order < BUDDY_ORDERS; order++)
		faults += check_list(b, order, &sum);
	if (sum != b->free) {
		printk("buddy: %u frames in the lists, %u counted\n", sum, b->free);
		faults++;
	}
	return faults;
}
