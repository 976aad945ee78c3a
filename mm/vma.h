/*
 * mm/vma.h - areas: runs of pages of one address space that were mapped alike; and the tree that finds them, and the
 * gaps between them, in O(log n). Knows no page table. Lock: the space's owner.
 */
#ifndef MM_VMA_H
#define MM_VMA_H

#include <arch/pte.h>
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct mapping;

#define USER_FIRST_VPN 1u /* page 0 is never mapped */
#define USER_VPN_END   ARCH_KERNEL_VPN
#define GUARD_GAP      256u /* pages below a stack, or above what grows up, that no other area is put into */

/* What an area is, besides its protection. Areas with different ones are never merged. */
#define AREA_SHARED 0x001u
#define AREA_MAY_WRITE                                                                                       \
	0x002u /* mprotect may make it writable: not a shared mapping of a file open for reading */
#define AREA_GROWS_DOWN 0x004u
#define AREA_GROWS_UP   0x008u
#define AREA_COMMITTED  0x010u /* its pages count in the tenant's commitment */
#define AREA_LOCKED     0x020u
#define AREA_ON_FAULT   0x040u /* locked, each page when it is touched */
#define AREA_NO_RESERVE 0x080u
#define AREA_NO_FORK    0x100u /* a child does not get it */
#define AREA_WIPE       0x200u /* a child gets it empty */

struct area {
	/* What it is. */
	vpn_t first, end;
	prot_t prot; /* what its program may do: PROT_R, PROT_W, PROT_X of arch/pte.h; 0 for PROT_NONE */
	uint32_t flags;
	uint32_t offset;      /* page of the file at first; nothing without a file */
	struct mapping *file; /* null: anonymous memory */
	struct pdir *pd;      /* whose user part it is mapped in */
	bool own_pages;       /* pages of its own may be in it: a child must get copies of its entries */

	/* Where it stands. */
	RB_ENTRY(area) link;
	struct area *prev, *next; /* by address; null at the ends */
	uint32_t gap;             /* free pages in front of it, guard gaps taken off */
	uint32_t most;            /* the largest gap in its subtree */
	LIST_ENTRY(area) of_file;
};

RB_HEAD(area_root, area);
LIST_HEAD(area_list, area);

struct area_tree {
	struct area_root root;
	struct area *first, *last; /* by address */
	uint32_t count;
	/* Found last by area_highest_gap: between this area and `high` no gap has as many pages as `pages`, or null. */
	struct {
		struct area *area;
		uint32_t pages;
		vpn_t high;
	} found;
};

void area_tree_init(struct area_tree *t);

/* Returns the first area that ends behind page v, whether it holds v or not; null where there is none. O(log n). */
struct area *area_find(const struct area_tree *t, vpn_t v);

/* Return the neighbours in the order of addresses; the first and the last one of all. O(1). */
static inline struct area *area_next(const struct area *a)
{
	return a->next;
}

static inline struct area *area_prev(const struct area *a)
{
	return a->prev;
}

static inline struct area *area_first(const struct area_tree *t)
{
	return t->first;
}

static inline struct area *area_last(const struct area_tree *t)
{
	return t->last;
}

/* Puts an area in front of another one, null for the end, into the tree; takes it out. O(log n). */
void area_insert(struct area_tree *t, struct area *a, struct area *next);
void area_remove(struct area_tree *t, struct area *a);

/* Makes an empty tree like another one, out of as many nodes, which are linked through their left child. O(n). */
void area_tree_copy(struct area_tree *to, const struct area_tree *from, struct area *nodes);

/* Move one end of an area, which must stay between its neighbours. Its offset stays. O(log n). */
void area_set_first(struct area_tree *t, struct area *a, vpn_t first);
void area_set_end(struct area_tree *t, struct area *a, vpn_t end);

/*
 * Moves the border of an area down to v, and puts another one, a copy of it, behind it up to where it ended; or puts
 * the pages of one that is alike and begins where an area ends into that one. O(log n), and no gap changes.
 */
void area_split(struct area_tree *t, struct area *a, vpn_t v, struct area *upper);
void area_join(struct area_tree *t, struct area *a, struct area *upper);

/* Returns the end of what an area keeps others out of, and the beginning: its own, or with a guard gap. */
vpn_t area_guarded_end(const struct area *a);
vpn_t area_guarded_first(const struct area *a);

/*
 * True when no area, nor the guard gap of one, meets a range. `next` is what area_find says of its first page.
 */
bool area_is_free(const struct area_tree *t, struct pages range, const struct area *next);

/*
 * Return the highest, or lowest, place for count pages in [low, high), clear of guard gaps; 0: none. O(log n). The
 * first looks where it found the last one.
 */
vpn_t area_highest_gap(struct area_tree *t, uint32_t count, vpn_t low, vpn_t high);
vpn_t area_lowest_gap(const struct area_tree *t, uint32_t count, vpn_t low, vpn_t high);

/* Proves order, gaps and the tree's own rules; prints each fault and returns how many there are. */
unsigned area_tree_check(const struct area_tree *t);

#endif
