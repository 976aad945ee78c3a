/*
 * mm/buddy.c - blocks of 2^order frames. Owns the free lists and, of the descriptors, those of free blocks.
 * Lock: frame_lock, held by the caller.
 *
 * A block of order k begins at a multiple of 2^k, so the block it was split from, and merges with again, is
 * found by flipping bit k of its first frame. Only a block's first descriptor says FRAME_FREE and its order.
 */
#include <lib/panic.h>
#include <mm/buddy.h>

uint32_t frame_end;

static void list_push(struct buddy *b, struct frame *f, uint32_t n, unsigned order)
{
	uint32_t next = b->head[order];

	f->tag = FRAME_TAG(0, order, FRAME_FREE);
	f->prev = 0;
	f->next = next;
	if (next)
		frame_desc(next)->prev = n;
	b->head[order] = n;
	b->nonempty |= 1u << order;
}

static void list_remove(struct buddy *b, const struct frame *f, unsigned order)
{
	uint32_t next = f->next, prev = f->prev;

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

uint32_t buddy_alloc(struct buddy *b, unsigned order)
{
	uint32_t fits = b->nonempty & ~0u << order;
	struct frame *f;
	unsigned from;
	uint32_t n;

	if (!fits)
		return 0;
	from = (unsigned)__builtin_ctz(fits);
	n = b->head[from];
	f = frame_desc(n);
	list_remove(b, f, from);
	while (from-- > order)
		list_push(b, f + (1u << from), n + (1u << from), from);
	b->free -= 1u << order;
	return n;
}

void buddy_free(struct buddy *b, uint32_t n, unsigned order)
{
	b->free += 1u << order;
	frame_desc(n)->tag = FRAME_TAG(0, 0, FRAME_TAIL);
	for (; order < BUDDY_ORDERS - 1; order++) {
		struct frame *other = frame_desc(n ^ 1u << order);

		if (other->tag != FRAME_TAG(0, order, FRAME_FREE))
			break;
		list_remove(b, other, order);
		other->tag = FRAME_TAG(0, 0, FRAME_TAIL);
		n &= ~(1u << order);
	}
	list_push(b, frame_desc(n), n, order);
}

static unsigned fault(const char *what, uint32_t n, unsigned order)
{
	printk("buddy: block 0x%x of order %u: %s\n", n, order, what);
	return 1;
}

/* Proves one block sound, found in the list of this order behind prev. */
static unsigned check_block(uint32_t n, uint32_t prev, unsigned order)
{
	if (n & ((1u << order) - 1))
		return fault("not aligned", n, order);
	if (frame_desc(n)->tag != FRAME_TAG(0, order, FRAME_FREE))
		return fault("not marked free", n, order);
	if (frame_desc(n)->prev != prev)
		return fault("bad link back: in two lists?", n, order);
	if (order < BUDDY_ORDERS - 1 && frame_desc(n ^ 1u << order)->tag == FRAME_TAG(0, order, FRAME_FREE))
		return fault("not merged with its buddy", n, order);
	for (uint32_t i = 1; i < 1u << order; i++)
		if (frame_desc(n + i)->tag != FRAME_TAG(0, 0, FRAME_TAIL))
			return fault("holds a frame with a state of its own", n + i, order);
	return 0;
}

/* Proves one list; adds its frames to *sum. A list that is a ring ends when it holds more than all frames. */
static unsigned check_list(const struct buddy *b, unsigned order, uint32_t *sum)
{
	uint32_t prev = 0;
	unsigned faults = 0;

	if (!b->head[order] != !(b->nonempty >> order & 1))
		faults += fault("list and its bit disagree", b->head[order], order);
	for (uint32_t n = b->head[order]; n; prev = n, n = frame_desc(n)->next) {
		if (!frame_known(n))
			return faults + fault("not a frame", n, order);
		if (*sum > b->free)
			return faults + fault("more blocks than are counted", n, order);
		faults += check_block(n, prev, order);
		*sum += 1u << order;
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
