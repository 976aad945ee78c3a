/*
 * mm/space.h - address spaces: a directory, the areas that say what belongs at which address, and the tenant that
 * pays. An entry of the directory is there only where an area is, and most are made when they are touched.
 *
 *	0        1 MiB ...                  base       stack limit + gap      0xC0000000
 *	| never  | image | brk -> |   ...   <- mmap   |  guard  | <- stack   | kernel
 *
 * Lock: none. A space is changed by the process that runs, and kernel code is not preempted.
 */
#ifndef MM_SPACE_H
#define MM_SPACE_H

#include <mm/mapping.h>
#include <mm/pgtable.h>

/* Who pays: a container, and what its processes have been promised together. */
struct tenant {
	struct container_id owner;
	uint32_t quota;     /* the container's */
	uint32_t committed; /* private writable pages of all its spaces, and the shared memory in them */
	uint32_t refs;
};

/*
 * Splits n pages off parent for a new tenant, with one reference. Returns 0, -ENOMEM, -EDQUOT or -ESRCH, with
 * nothing changed. The last tenant_put destroys the container; frames that are left pass to the parent.
 */
int tenant_create(struct container_id parent, uint32_t pages, struct tenant **out);
void tenant_get(struct tenant *t);
void tenant_put(struct tenant *t);

/* OVERCOMMIT_ of <linux/mman.h>: a request is refused that alone exceeds the quota; never; beyond it altogether. */
extern unsigned overcommit;

#define NO_LIMIT UINT32_MAX

/* In bytes; NO_LIMIT: none. */
struct space_limits {
	uint32_t stack;   /* of an area that grows */
	uint32_t data;    /* from the image to the break */
	uint32_t address; /* of all areas together */
};

struct space {
	struct pdir pd;
	struct tenant *tenant;
	struct area_tree areas;
	struct area *last; /* found last, or null: the usual answer to the next search */
	struct space_limits limits;
	vpn_t mmap_base; /* areas are put below it, highest first */
	vaddr_t brk_start, brk;
	vaddr_t stack_top;     /* of the first stack */
	uint32_t pages;        /* of all areas */
	uint32_t locked;       /* of these, locked */
	uint32_t future_flags; /* of mlockall: what new areas get */
	struct area *node[2];  /* kept for the next areas; null where none is */
};

#define SPACE_AREAS_MAX 65530u /* as Linux: areas are the kernel's memory, and no quota counts them */

/* Makes the zero page and the caches of nodes, once, behind container_init. Returns 0 or -ENOMEM. */
int space_init(void);

/* The frame that reads of untouched memory see. Mapped without PROT_OWNED. */
extern pfn_t zero_frame;

/*
 * Makes an empty space, which must stay where it is: areas name its directory. Takes a reference on the tenant.
 * Returns 0, -ENOMEM, -EDQUOT or -ESRCH, with nothing changed.
 */
int space_create(struct space *s, struct tenant *t, struct space_limits limits);

/* Gives back every page, table, area and mapping. Panics for the space that is loaded. */
void space_destroy(struct space *s);

/* Loads CR3. */
void space_load(const struct space *s);

/* Returns the area that holds page v, or else the next one above; null where there is none. */
struct area *space_find(struct space *s, vpn_t v);

/* The same by address, for lists: of an area that ends behind `at`. */
struct area *space_next_area(struct space *s, vaddr_t at);

/* Returns how many pages are in memory. O(areas + tables). */
uint32_t space_resident(const struct space *s);

/* Proves areas and entries consistent; prints each fault and returns how many there are. O(areas + tables). */
unsigned check_space(struct space *s);

/* For mmap.c, fault.c and fork.c. */

/* Area nodes, taken before anything is changed. */
struct area_spares {
	struct area *first; /* linked through their left child */
};
int space_spares(struct space *s, struct area_spares *p, unsigned count);
struct area *area_spares_take(struct area_spares *p);
void area_spares_put(struct area_spares *p, struct area *a);
void space_spares_free(struct space *s, struct area_spares *p);

/* True when an area holds both sides of the boundary at page v: to cut it takes a spare. */
bool space_cuts(struct space *s, vpn_t v);

/*
 * Puts an area like this one into the space, where there is none: a neighbour that is alike grows, or a spare becomes
 * it, with a reference on the file of its own. Without spares (null) it takes a node by itself. Returns what holds its
 * pages now; null, with nothing changed, when there was no node. What it was promised goes to the space.
 */
struct area *space_add(struct space *s, const struct area *like, struct area_spares *p);

/* Move one end of an area, and keep the counts; the last one up, and the area merges with what it meets there. */
void space_set_first(struct space *s, struct area *a, vpn_t first);
void space_set_end(struct space *s, struct area *a, vpn_t end);
void space_grow_end(struct space *s, struct area *a, vpn_t end);

/* Takes a range out of all areas, and clears its entries. It takes as many spares as space_drop_spares says. */
unsigned space_drop_spares(struct space *s, struct pages range);
void space_drop(struct space *s, struct pages range, struct area_spares *p, struct tlb_batch *b);

/* What becomes of the areas of a range. */
struct area_change {
	uint32_t set, clear; /* flags */
	bool protects;       /* prot counts */
	bool commits;        /* private pages that become writable are promised by now */
	prot_t prot;
};

/* Changes what of a range is in areas, split at its ends and merged again. 0, or -ENOMEM with nothing changed. */
int space_change(struct space *s, struct pages range, const struct area_change *c);

/* True for an area whose pages would have to be promised if they became writable. */
bool space_wants_promise(const struct area *a);

/*
 * Promises pages to a tenant: 0, or -ENOMEM with nothing changed; tenant_uncommit takes it back. tenant_commit_again is
 * for pages that were asked for before, in another space or at another place: no request is too large by itself.
 */
int tenant_commit_strictly(struct tenant *t, uint32_t pages); /* where that is not left to guesses */
static inline int tenant_commit(struct tenant *t, uint32_t pages)
{
	if (UNLIKELY(overcommit)) /* not OVERCOMMIT_GUESS, which is 0 */
		return tenant_commit_strictly(t, pages);
	if (pages > t->quota)
		return -ENOMEM;
	t->committed += pages;
	return 0;
}
int tenant_commit_again(struct tenant *t, uint32_t pages);
void tenant_uncommit(struct tenant *t, uint32_t pages);

/* Returns the protection of an entry for a page of an area: writable only with `write`. */
prot_t area_entry_prot(const struct area *a, bool write);

#endif
