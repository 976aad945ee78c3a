/*
 * mm/mapping.c - the page cache of a file. Owns the tree of nodes and a reference on each frame in it. Lock: none,
 * kernel code is not preempted, and nothing in here waits.
 *
 *	root --> node of 64 --> node of 64 --> frame        height 2: pages 0 to 4095
 *
 * The tree is as high as the highest page in it wants, and a node stands only where a page is below it.
 */
#include <arch/frame_access.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/mapping.h>
#include <mm/pgtable_run.h>
#include <mm/slab.h>

#define HEIGHT_MAX 6u
#define NODES_MAX  (2 * HEIGHT_MAX) /* that one new page can want: above the old root, and down to the page */
#define INDEX_END  ((uint32_t)(MAPPING_SIZE_MAX >> PAGE_SHIFT))

struct mapping_node {
	union mapping_slot slot[MAPPING_FANOUT];
};

static inline unsigned slot_index(uint32_t index, unsigned level)
{
	return index >> MAPPING_NODE_BITS * (level - 1) & (MAPPING_FANOUT - 1);
}

static inline bool fits(uint32_t index, unsigned height)
{
	return height >= HEIGHT_MAX || !(index >> MAPPING_NODE_BITS * height);
}

/* Returns the slot of a page; null where no node is. */
static inline union mapping_slot *find_slot(struct mapping *m, uint32_t index)
{
	union mapping_slot *slot = &m->root;

	if (UNLIKELY(!fits(index, m->height)))
		return NULL;
	for (unsigned level = m->height; level; level--) {
		if (UNLIKELY(!slot->node))
			return NULL;
		slot = &slot->node->slot[slot_index(index, level)];
	}
	return slot;
}

void mapping_init(struct mapping *m, struct container_id payer, void (*release)(struct mapping *))
{
	*m = (struct mapping){.refs = 1, .payer = payer, .release = release};
	LIST_INIT(&m->areas);
}

void mapping_get(struct mapping *m)
{
	m->refs++;
}

/* New nodes for one page. */
struct nodes {
	struct mapping_node *node[NODES_MAX];
	unsigned count;
};

static void free_nodes(struct nodes *n)
{
	while (n->count)
		kmfree(n->node[--n->count]);
}

static int alloc_nodes(struct nodes *n, unsigned count)
{
	n->count = 0;
	while (n->count < count) {
		struct mapping_node *node = kmalloc(sizeof(*node));

		if (!node) {
			free_nodes(n);
			return -ENOMEM;
		}
		memset(node, 0, sizeof(*node));
		n->node[n->count++] = node;
	}
	return 0;
}

/* Returns how high the tree must be for a page. */
static unsigned height_for(const struct mapping *m, uint32_t index)
{
	unsigned height = m->height;

	while (!fits(index, height))
		height++;
	return height;
}

/* Counts the nodes that the tree lacks for a page. */
static unsigned missing_nodes(const struct mapping *m, uint32_t index)
{
	unsigned height = height_for(m, index);
	const union mapping_slot *slot = &m->root;

	if (!m->pages)
		return height;
	/* A higher root has the old tree in its slot 0, and the page in another. */
	if (height > m->height)
		return height - m->height + height - 1;
	for (unsigned level = height; level; level--) {
		if (!slot->node)
			return level;
		slot = &slot->node->slot[slot_index(index, level)];
	}
	return 0;
}

/* Puts a frame into the cache, with nodes enough. */
static void insert(struct mapping *m, uint32_t index, pfn_t f, struct nodes *n)
{
	unsigned height = height_for(m, index);
	union mapping_slot *slot = &m->root;

	for (; m->pages && m->height < height; m->height++) {
		struct mapping_node *node = n->node[--n->count];

		node->slot[0] = m->root;
		m->root.node = node;
	}
	m->height = height;
	for (unsigned level = height; level; level--) {
		if (!slot->node)
			slot->node = n->node[--n->count];
		slot = &slot->node->slot[slot_index(index, level)];
	}
	slot->frame = f;
	m->pages++;
}

static __attribute__((noinline)) int fill_hole(struct mapping *m, uint32_t index, pfn_t *out)
{
	struct nodes n;
	int err;

	if (index >= INDEX_END)
		return -EFBIG;
	err = alloc_nodes(&n, missing_nodes(m, index));
	if (err)
		return err;
	err = container_alloc(m->payer, ALLOC_USER | ALLOC_ZERO | ALLOC_HIGH, out);
	if (!err)
		insert(m, index, *out, &n);
	free_nodes(&n);
	return err;
}

int mapping_page(struct mapping *m, uint32_t index, bool create, pfn_t *out)
{
	const union mapping_slot *slot = find_slot(m, index);

	*out = slot ? slot->frame : NO_FRAME;
	return out->n || !create ? 0 : fill_hole(m, index, out);
}

uint32_t mapping_next(const struct mapping *m, uint32_t index)
{
	while (m->pages && index < INDEX_END && fits(index, m->height)) {
		const union mapping_slot *slot = &m->root;
		unsigned level = m->height;

		for (; level && slot->node; level--)
			slot = &slot->node->slot[slot_index(index, level)];
		if (!level && slot->frame.n)
			return index;
		/* No page is below this slot: on behind all that it stands for. */
		index = (index | ((1u << MAPPING_NODE_BITS * level) - 1)) + 1;
	}
	return MAPPING_NONE;
}

uint32_t mapping_slots(struct mapping *m, uint32_t index, const union mapping_slot **slots)
{
	*slots = find_slot(m, index);
	if (!*slots)
		return 0;
	return m->height ? MAPPING_FANOUT - index % MAPPING_FANOUT : 1;
}

uint32_t mapping_page_count(const struct mapping *m)
{
	return (uint32_t)((m->size + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

/* Frees the pages from first on, and nodes without pages, below a slot of a level. */
static void free_pages(struct mapping *m, union mapping_slot *slot, unsigned level, uint32_t first)
{
	struct mapping_node *node = slot->node;
	unsigned from;
	bool empty = true;

	if (!level) {
		if (slot->frame.n) {
			frame_put(slot->frame);
			m->pages--;
		}
		slot->frame = NO_FRAME;
		return;
	}
	if (!node)
		return;
	from = slot_index(first, level);
	for (unsigned i = from; i < MAPPING_FANOUT; i++)
		free_pages(m, &node->slot[i], level - 1, i == from ? first : 0);
	for (unsigned i = 0; i < MAPPING_FANOUT && empty; i++)
		empty = level > 1 ? !node->slot[i].node : !node->slot[i].frame.n;
	if (empty) {
		kmfree(node);
		slot->node = NULL;
	}
}

/* Frees the pages from first on. No area maps them. */
static void free_from(struct mapping *m, uint32_t first)
{
	if (fits(first, m->height))
		free_pages(m, &m->root, m->height, first);
	if (!m->pages)
		m->height = 0;
}

void mapping_put(struct mapping *m)
{
	INVARIANT(m->refs);
	if (--m->refs)
		return;
	INVARIANT(LIST_EMPTY(&m->areas));
	free_from(m, 0);
	if (m->release)
		m->release(m);
}

static void free_itself(struct mapping *m)
{
	kmfree(m);
}

struct mapping *mapping_create(struct container_id payer, uint64_t size)
{
	struct mapping *m = kmalloc(sizeof(*m));

	if (!m)
		return NULL;
	mapping_init(m, payer, free_itself);
	m->size = size;
	return m;
}

/* Returns where an area shows a run of the file's pages; none of them: count 0. */
static struct pages shown(const struct area *a, uint32_t first, uint32_t count)
{
	uint64_t from = a->offset > first ? a->offset : first;
	uint64_t area_end = (uint64_t)a->offset + (a->end - a->first), end = (uint64_t)first + count;

	end = end < area_end ? end : area_end;
	if (from >= end)
		return PAGES(a->first, 0);
	return PAGES(a->first + (uint32_t)(from - a->offset), (uint32_t)(end - from));
}

/* Unmaps a run of pages everywhere, copies that programs made of them too. */
static void unmap_everywhere(struct mapping *m, uint32_t first, uint32_t count)
{
	struct tlb_batch b;
	struct area *a;

	LIST_FOREACH (a, &m->areas, of_file) {
		tlb_begin(&b, a->pd->root);
		clear_run(a->pd, shown(a, first, count), &b);
		tlb_finish(&b);
	}
}

void mapping_zero(struct mapping *m, uint64_t at, uint32_t n)
{
	static const uint8_t zeros[256];
	uint32_t done = 0;
	pfn_t f;

	mapping_page(m, (uint32_t)(at >> PAGE_SHIFT), false, &f);
	while (f.n && done < n) {
		uint32_t piece = n - done < sizeof(zeros) ? n - done : sizeof(zeros);

		arch_frame_write(f, (uint32_t)(at % PAGE_SIZE) + done, zeros, piece);
		done += piece;
	}
}

/* Zeroes what lies behind a size in its last page: an area may have written there. */
static void zero_tail(struct mapping *m, uint64_t size)
{
	if (size % PAGE_SIZE)
		mapping_zero(m, size, PAGE_SIZE - (uint32_t)(size % PAGE_SIZE));
}

int mapping_truncate(struct mapping *m, uint64_t size)
{
	uint64_t old = m->size;
	uint32_t first;

	if (size > MAPPING_SIZE_MAX)
		return -EFBIG;
	m->size = size;
	zero_tail(m, size < old ? size : old);
	if (size >= old)
		return 0;
	first = mapping_page_count(m);
	unmap_everywhere(m, first, UINT32_MAX - first);
	free_from(m, first);
	return 0;
}

/* Unmaps a page of the cache from an area, unless its program has a copy in that place. */
static void unmap_page_of(const struct area *a, uint32_t index, pfn_t f)
{
	struct pages range = shown(a, index, 1);
	struct tlb_batch b;

	if (!range.count || arch_pte_pfn(get_ptbl_entry_by_va(a->pd, vaddr_of(range.first))).n != f.n)
		return;
	tlb_begin(&b, a->pd->root);
	clear_run(a->pd, range, &b);
	tlb_finish(&b);
}

/* The nodes stay until the file is cut or ends. */
void mapping_punch(struct mapping *m, uint32_t first, uint32_t count)
{
	for (uint32_t index = mapping_next(m, first); index != MAPPING_NONE && index - first < count;
	     index = mapping_next(m, index + 1)) {
		union mapping_slot *slot = find_slot(m, index);
		struct area *a;

		LIST_FOREACH (a, &m->areas, of_file)
			unmap_page_of(a, index, slot->frame);
		frame_put(slot->frame);
		slot->frame = NO_FRAME;
		m->pages--;
	}
	if (!m->pages)
		free_from(m, 0);
}

/* A part of a copy that lies in one page. */
static uint32_t part_of(uint64_t at, uint32_t n)
{
	uint32_t rest = PAGE_SIZE - (uint32_t)(at % PAGE_SIZE);

	return n < rest ? n : rest;
}

int32_t mapping_read(struct mapping *m, uint64_t at, void *to, uint32_t n)
{
	uint32_t done = 0, part;

	if (at >= m->size)
		return 0;
	n = n < INT32_MAX ? n : INT32_MAX;
	n = m->size - at < n ? (uint32_t)(m->size - at) : n;
	for (; done < n; done += part, at += part) {
		char *out = (char *)to + done;
		pfn_t f;

		part = part_of(at, n - done);
		mapping_page(m, (uint32_t)(at >> PAGE_SHIFT), false, &f);
		if (f.n)
			arch_frame_read(f, (uint32_t)(at % PAGE_SIZE), out, part);
		else
			memset(out, 0, part);
	}
	return (int32_t)done;
}

int32_t mapping_write(struct mapping *m, uint64_t at, const void *from, uint32_t n)
{
	uint32_t done = 0, part;
	int err = 0;

	if (at >= MAPPING_SIZE_MAX && n)
		return -EFBIG;
	n = n < INT32_MAX ? n : INT32_MAX;
	n = MAPPING_SIZE_MAX - at < n ? (uint32_t)(MAPPING_SIZE_MAX - at) : n;
	if (at > m->size)
		zero_tail(m, m->size);
	for (; done < n; done += part, at += part) {
		pfn_t f;

		part = part_of(at, n - done);
		err = mapping_page(m, (uint32_t)(at >> PAGE_SHIFT), true, &f);
		if (err)
			break;
		arch_frame_write(f, (uint32_t)(at % PAGE_SIZE), (const char *)from + done, part);
		m->size = at + part > m->size ? at + part : m->size;
	}
	return done || !err ? (int32_t)done : err;
}

static bool writes(const struct area *a)
{
	return !(~a->flags & (AREA_SHARED | AREA_MAY_WRITE));
}

void mapping_add_area(struct mapping *m, struct area *a)
{
	LIST_INSERT_HEAD(&m->areas, a, of_file);
	m->writers += writes(a);
}

void mapping_remove_area(struct area *a)
{
	LIST_REMOVE(a, of_file);
	a->file->writers -= writes(a);
}
