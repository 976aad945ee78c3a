/*
 * mm/kmap_check.c - proves a directory against the kernel's regions and the frames' states. Owns nothing; the
 * directory does not change while it is walked.
 */
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <arch/pte_store.h>
#include <lib/panic.h>
#include <mm/kmap.h>

#define MOST_PRINTED 8u    /* faults of one kind tend to come in thousands */
#define WINDOW       8192u /* frames that a walk looks at for two owners */

struct check {
	unsigned faults;
	bool have_region;
	struct kregion region; /* that the walk is in, or comes to next */
	vpn_t done;            /* kernel pages up to here are as they should be */
	uint32_t window;       /* the first frame that the walk looks at */
	uint32_t next;         /* the first owned one behind all of these */
	uint32_t *owned;       /* a bit for each of them that a page owns */
};

static void fault(struct check *c, const char *what, vpn_t v, pte_t e)
{
	if (c->faults++ < MOST_PRINTED)
		printk("check_vm: page 0x%x (entry 0x%llx): %s\n", v, (unsigned long long)e.raw, what);
}

/* Where there is NX, nothing is both writable and executable, at any address. */
static void check_wx(struct check *c, const struct pt_leaf *leaf)
{
	prot_t prot = arch_pte_prot(leaf->entry);

	if (arch_mmu.nx && prot & PROT_W && prot & PROT_X)
		fault(c, "writable and executable", leaf->v, leaf->entry);
}

/* A supervisor's page of the user part is the identity map's, or nobody's. */
static void check_identity(struct check *c, const struct pt_leaf *leaf)
{
	pfn_t f = arch_pte_pfn(leaf->entry);

	if (f.n != leaf->v)
		fault(c, "a supervisor's page in the user part", leaf->v, leaf->entry);
	else if (arch_pte_prot(leaf->entry) != arch_prot_effective(kmap_identity_prot(f)))
		fault(c, "identity map with another protection than the kernel's map", leaf->v, leaf->entry);
}

static int check_user_leaf(const struct pt_leaf *leaf, void *arg)
{
	struct check *c = arg;
	prot_t prot = arch_pte_prot(leaf->entry);
	enum frame_state state = frame_block_state(arch_pte_pfn(leaf->entry));

	check_wx(c, leaf);
	if (leaf->v == 0)
		fault(c, "page 0 is mapped", leaf->v, leaf->entry);
	if (prot & PROT_GLOBAL)
		fault(c, "a global page in the user part", leaf->v, leaf->entry);
	if (!(prot & PROT_USER))
		check_identity(c, leaf);
	else if (state != FRAME_USER && state != FRAME_RESERVED)
		fault(c, "a kernel frame with a user mapping", leaf->v, leaf->entry);
	else if (prot & PROT_OWNED && !frame_refs(arch_pte_pfn(leaf->entry)))
		fault(c, "owns a frame without references", leaf->v, leaf->entry);
	return 0;
}

/* Moves on to the region that holds page v or follows it; what was left of the one before is not mapped. */
static void next_region(struct check *c, vpn_t v)
{
	while (c->have_region && c->region.range.first + c->region.range.count <= v) {
		vpn_t end = c->region.range.first + c->region.range.count;

		if (c->done < end)
			fault(c, "not mapped up to the end of its region", end - 1, arch_pte_none());
		c->done = end;
		c->have_region = kmap_region(end, &c->region);
	}
}

/* A stack owns its frames; descriptors lie in what phase one took. Every other region's frames are contiguous. */
static bool is_regions_frame(const struct kregion *r, const struct pt_leaf *leaf)
{
	pfn_t f = arch_pte_pfn(leaf->entry);

	if (r->prot & PROT_OWNED)
		return frame_state(f) == FRAME_PRIVATE && frame_refs(f) == 1;
	if (!r->first.n)
		return frame_state(f) == FRAME_KERNEL && !frame_refs(f);
	return f.n == r->first.n + (leaf->v - r->range.first);
}

static int check_kernel_leaf(const struct pt_leaf *leaf, void *arg)
{
	struct check *c = arg;
	uint32_t count = ARCH_PT_SPAN(leaf->level);
	const struct kregion *r = &c->region;

	check_wx(c, leaf);
	if (leaf->v >= KMAP_WINDOW_VPN && leaf->v < KMAP_WINDOW_VPN + ARCH_WINDOW_PAGES) {
		if (arch_frame_is_direct(arch_pte_pfn(leaf->entry)))
			fault(c, "a window onto memory that the direct map has", leaf->v, leaf->entry);
		return 0;
	}
	next_region(c, leaf->v);
	if (!c->have_region || leaf->v < r->range.first ||
	    leaf->v + count > r->range.first + r->range.count) {
		fault(c, "mapped, but in no region", leaf->v, leaf->entry);
		return 0;
	}
	if (leaf->v != (c->done > r->range.first ? c->done : r->range.first))
		fault(c, "the page before it is not mapped", leaf->v, leaf->entry);
	if (!is_regions_frame(r, leaf))
		fault(c, "maps another frame than its region", leaf->v, leaf->entry);
	if (arch_pte_prot(leaf->entry) != arch_prot_effective(r->prot & ~PROT_LARGE))
		fault(c, "has another protection than its region", leaf->v, leaf->entry);
	c->done = leaf->v + count;
	return 0;
}

static int check_owner(const struct pt_leaf *leaf, void *arg)
{
	struct check *c = arg;
	pfn_t f = arch_pte_pfn(leaf->entry);
	uint32_t i = f.n - c->window, bit = 1u << i % 32;

	if (!(arch_pte_prot(leaf->entry) & PROT_OWNED) || f.n < c->window)
		return 0;
	if (i >= WINDOW) {
		c->next = f.n < c->next ? f.n : c->next;
		return 0;
	}
	if (c->owned[i / 32] & bit && frame_refs(f) == 1)
		fault(c, "owns a frame with one reference, which another page owns", leaf->v, leaf->entry);
	c->owned[i / 32] |= bit;
	return 0;
}

/* Two pages own no frame with one reference. A walk for so many frames at a time, wherever some are owned. */
static void check_owners(struct check *c, const struct pdir *pd)
{
	vpn_t end = pd->owns_kernel ? ARCH_VPN_END : ARCH_KERNEL_VPN;

	for (c->next = 0; c->next < UINT32_MAX;) {
		uint32_t owned[WINDOW / 32] = {0};

		c->owned = owned;
		c->window = c->next;
		c->next = UINT32_MAX;
		pdir_each_leaf(pd, PAGES(0, end), check_owner, c);
	}
}

/* Every directory has the kernel's root entries, but for what the CPU notes in them. */
static void check_shared(struct check *c, const struct pdir *pd)
{
	const pte_t *own = arch_frame_direct(pd->root);
	const pte_t *kernel = arch_frame_direct(kernel_pdir.root);
	unsigned root = ARCH_PT_LEVELS - 1;

	for (uint32_t i = arch_pt_index(root, ARCH_KERNEL_VPN); i < ARCH_PT_ENTRIES(root); i++) {
		pte_t a = arch_pte_read(&own[i]), b = arch_pte_read(&kernel[i]);

		if (arch_pte_kind(root, a) != arch_pte_kind(root, b) ||
		    arch_pte_pfn(a).n != arch_pte_pfn(b).n)
			fault(c, "another root entry than the kernel's", i << ARCH_PT_SPAN_BITS(root), a);
	}
}

unsigned check_vm(const struct pdir *pd)
{
	struct check c = {.faults = 0, .done = ARCH_KERNEL_VPN};

	c.have_region = kmap_region(ARCH_KERNEL_VPN, &c.region);
	pdir_each_leaf(pd, PAGES(0, ARCH_KERNEL_VPN), check_user_leaf, &c);
	pdir_each_leaf(pd, PAGES(ARCH_KERNEL_VPN, ARCH_VPN_END - ARCH_KERNEL_VPN), check_kernel_leaf, &c);
	next_region(&c, ARCH_VPN_END);
	check_owners(&c, pd);
	if (!pd->owns_kernel)
		check_shared(&c, pd);
	if (c.faults > MOST_PRINTED)
		printk("check_vm: %u faults in all\n", c.faults);
	return c.faults;
}
