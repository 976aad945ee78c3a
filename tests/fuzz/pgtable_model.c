/* tests/fuzz/pgtable_model.c - see pgtable_model.h. */
#include "pgtable_model.h"
#include "fuzz.h"

#include <mm/boot_alloc.h>
#include <mm/frame.h>

static void count_page(struct model *m, const struct model_page *p, uint32_t by)
{
	if (!p->prot)
		return;
	m->mapped += by;
	if (!(p->prot & PROT_USER))
		m->supervisors += by;
	if (arch_mmu.nx && p->prot & PROT_W && p->prot & PROT_X)
		m->writable_code += by;
}

void model_set(struct model *m, vpn_t v, struct model_page page)
{
	count_page(m, &m->page[v], -1u);
	m->page[v] = page;
	count_page(m, &m->page[v], 1);
}

uint32_t model_count(const struct model *m, struct pages range)
{
	uint32_t count = 0;

	for (vpn_t v = range.first; v < range.first + range.count; v++)
		count += m->page[v].prot != 0;
	return count;
}

bool model_gets_large(const struct model *m, const struct wish *w, vpn_t v)
{
	uint32_t f = w->f.n + (v - w->range.first);
	uint32_t left = w->range.first + w->range.count - v;

	if (!(w->prot & PROT_LARGE) || !arch_mmu.large || v % MODEL_SPAN || left < MODEL_SPAN)
		return false;
	return f % MODEL_SPAN == 0 && f >= 1024 && !m->table[v / MODEL_SPAN] &&
	       memmap_all_ram(boot_memmap(), PFN(f), MODEL_SPAN);
}

uint32_t model_missing(const struct model *m, const struct wish *w)
{
	uint32_t missing = 0;
	vpn_t end = w->range.first + w->range.count;

	for (vpn_t v = w->range.first; v < end; v = (v / MODEL_SPAN + 1) * MODEL_SPAN)
		missing += !m->table[v / MODEL_SPAN] && !m->page[v].large && !model_gets_large(m, w, v);
	return missing;
}

int model_expect_charge(const struct model *m, uint32_t frames, int32_t fail_after)
{
	uint32_t quota = 0, usage = 0;

	container_get_quota(m->pd.owner, &quota);
	container_get_usage(m->pd.owner, &usage);
	if (frames > quota - usage && (fail_after < 0 || quota - usage <= (uint32_t)fail_after))
		return -EDQUOT;
	return fail_after >= 0 && frames > (uint32_t)fail_after ? -ENOMEM : 0;
}

/* The rules about the frames of a mapping; each frame for itself. */
static bool may_map_frame(pfn_t f, prot_t prot)
{
	enum frame_state state = frame_block_state(f);

	if (prot & PROT_USER && state != FRAME_USER && state != FRAME_RESERVED)
		return false;
	return !(prot & PROT_OWNED) || frame_refs(f);
}

static bool may_map(const struct wish *w)
{
	if (!w->range.first || w->range.first + w->range.count > ARCH_KERNEL_VPN || w->prot & PROT_GLOBAL)
		return false;
	if (!(w->prot & (PROT_USER | PROT_OWNED)))
		return true;
	if (!w->f.n || (w->prot & PROT_OWNED && w->prot & PROT_LARGE))
		return false;
	for (uint32_t i = 0; i < w->range.count; i++)
		if (!may_map_frame(PFN(w->f.n + i), w->prot))
			return false;
	return true;
}

int model_expect_map(const struct model *m, const struct wish *w)
{
	if (!w->range.count)
		return 0;
	if (w->range.first > ARCH_VPN_END || w->range.count > ARCH_VPN_END - w->range.first ||
	    w->f.n > ARCH_PFN_END || w->range.count > ARCH_PFN_END - w->f.n)
		return -EINVAL;
	if (!may_map(w))
		return -EPERM;
	if (model_count(m, w->range))
		return -EEXIST;
	return model_expect_charge(m, model_missing(m, w), w->fail_after);
}

/* A protection as it reads back. */
static uint16_t effective(prot_t prot)
{
	prot_t kept = (prot | PROT_R) & (PTE_AS_PROT | PROT_X);

	if (!arch_mmu.global)
		kept &= ~PROT_GLOBAL;
	return (uint16_t)(arch_mmu.nx ? kept : kept | PROT_X);
}

void model_map(struct model *m, const struct wish *w)
{
	vpn_t end = w->range.first + w->range.count;
	bool large = false;

	for (vpn_t v = w->range.first; v < end; v++) {
		if (v % MODEL_SPAN == 0 || v == w->range.first)
			large = model_gets_large(m, w, v);
		m->table[v / MODEL_SPAN] |= !large;
		model_set(m, v,
			  (struct model_page){w->f.n + (v - w->range.first), effective(w->prot), large});
	}
}

/* Compares one page; returns how many pages the entry that was found spans. */
static uint32_t compare_page(const struct model *m, vpn_t v)
{
	const struct model_page *p = &m->page[v];
	pte_t upper = get_pdir_entry_by_va(&m->pd, vaddr_of(v)),
	      e = get_ptbl_entry_by_va(&m->pd, vaddr_of(v));
	enum pte_kind want = p->large ? PTE_LEAF : m->table[v / MODEL_SPAN] ? PTE_TABLE : PTE_NONE;

	FUZZ_EQ(arch_pte_kind(1, upper), want);
	FUZZ_EQ(arch_pte_kind(0, e), p->prot && !p->large ? PTE_LEAF : PTE_NONE);
	if (p->prot) {
		pte_t leaf = p->large ? upper : e;

		FUZZ_EQ(arch_pte_pfn(leaf).n + (p->large ? v % MODEL_SPAN : 0), p->frame);
		FUZZ_EQ(arch_pte_prot(leaf), p->prot);
	}
	return want == PTE_NONE ? MODEL_SPAN - v % MODEL_SPAN : 1;
}

void model_compare(const struct model *m, struct pages range)
{
	vpn_t end = range.first + range.count;

	if (end > MODEL_PAGES)
		end = MODEL_PAGES;
	for (vpn_t v = range.first; v < end;)
		v += compare_page(m, v);
}

/* A leaf that the walk over all of them came to, and how many pages those before it had. */
struct tally {
	const struct model *m;
	uint32_t pages;
};

static int compare_leaf(const struct pt_leaf *leaf, void *arg)
{
	struct tally *t = arg;

	t->pages += ARCH_PT_SPAN(leaf->level);
	FUZZ_EQ(t->m->page[leaf->v].large, leaf->level != 0);
	FUZZ_EQ(arch_pte_pfn(leaf->entry).n, t->m->page[leaf->v].frame);
	FUZZ_EQ(arch_pte_prot(leaf->entry), t->m->page[leaf->v].prot);
	return 0;
}

void model_compare_all(const struct model *m)
{
	struct tally t = {m, 0};

	FUZZ_EQ(pdir_each_leaf(&m->pd, PAGES(0, ARCH_KERNEL_VPN), compare_leaf, &t), 0);
	FUZZ_EQ(t.pages, m->mapped);
	for (vpn_t v = 0; v < MODEL_PAGES; v += MODEL_SPAN)
		model_compare(m, PAGES(v, 1));
}
