/*
 * tests/fuzz/pgtable_fuzz.c - the target pgtable: two directories with small quotas, mapped and unmapped in every way
 * that there is, one of them loaded. The simulated TLB forgets nothing, so a flush that is missing shows.
 */
#include "fuzz.h"
#include "pgtable_model.h"

#include <arch/frame_access.h>
#include <mm/kmap.h>
#include <string.h>
#include <tests/ktest/machine.h>

#define DIRECTORIES 2u
#define QUOTA       24u
#define USER_FRAMES 8u
#define STACKS      4u
#define DEVICE      0x90000u /* no machine that this runs on has RAM from here to DEVICE_END */
#define DEVICE_END  0xA0000u

static struct model directory[DIRECTORIES];

static struct {
	struct model *loaded; /* null: the kernel's directory */
	struct container_id owner;
	pfn_t user[USER_FRAMES];
	pfn_t ram; /* 2^10 frames of the kernel's; NO_FRAME where there are not as many */
	vaddr_t stack[STACKS];
	bool proved;
} my;

/* A reference on each frame of a range, for the mapping to take over. */
static void get_all(const struct wish *w)
{
	for (uint32_t i = 0; w->prot & PROT_OWNED && i < w->range.count; i++)
		FUZZ_EQ(frame_get(PFN(w->f.n + i)), 0);
}

/* Addresses near to one another, and the ends of all there is. */
static vpn_t take_page(struct fuzz_input *in)
{
	static const vpn_t near[] = {0,      1,      8 * MODEL_SPAN - 2,  8 * MODEL_SPAN,
				     0x2000, 0x7fff, ARCH_KERNEL_VPN - 3, 0xC0400};
	uint8_t n = fuzz_take8(in);

	if (n >= 250)
		return fuzz_take32(in) % (ARCH_VPN_END + 2);
	return near[n % 8] + n / 8;
}

static pfn_t take_frame(struct fuzz_input *in)
{
	static const uint32_t odd[] = {0, ARCH_PFN_END - 1, ARCH_PFN_END, UINT32_MAX, ARCH_PFN_END - 4};
	uint8_t n = fuzz_take8(in);

	switch (n % 4) {
	case 0:
		return my.user[n / 4 % USER_FRAMES];
	case 1:
		return my.ram.n ? PFN(my.ram.n + n / 4) : my.user[1];
	case 2:
		return PFN(DEVICE + n / 4 * 64);
	default:
		return n < 240 ? my.user[0] : PFN(odd[n / 4 % ARRAY_SIZE(odd)]);
	}
}

static prot_t take_prot(struct fuzz_input *in)
{
	uint8_t n = fuzz_take8(in);
	prot_t prot = PROT_R;

	prot |= n & 1 ? 0 : PROT_USER;
	prot |= n & 2 ? PROT_W : 0;
	prot |= n & 4 ? PROT_X : 0;
	prot |= n & 8 ? PROT_OWNED : 0;
	prot |= n & 16 ? PROT_LARGE : 0;
	prot |= n & 32 ? PROT_NOCACHE : 0;
	prot |= n & 64 ? PROT_COW : 0;
	return n == 255 ? prot | PROT_GLOBAL : prot;
}

static uint32_t take_count(struct fuzz_input *in)
{
	uint8_t n = fuzz_take8(in);

	if (n >= 250)
		return fuzz_take32(in) % UINT32_MAX + 1;
	if (n == 249)
		return 0;
	return n < 128 ? n % 8 + 1 : (n - 128) * MODEL_SPAN / 32 + 1;
}

static struct wish take_wish(struct fuzz_input *in)
{
	struct wish w = {.range = {take_page(in), 1}, .f = take_frame(in), .prot = take_prot(in)};
	uint8_t n = fuzz_take8(in);

	w.fail_after = n < 200 ? -1 : (n - 200) % 8;
	return w;
}

/*
 * Keeps a range within frames that nobody else has: an entry that owns nothing may name any frame, and it is for who
 * sets it to know that the frame stays.
 */
static void limit_count(struct wish *w)
{
	uint32_t limit = 1;

	if (my.ram.n && w->f.n - my.ram.n < 1024)
		limit = 1024 - (w->f.n - my.ram.n);
	else if (w->f.n >= DEVICE && w->f.n < DEVICE_END)
		limit = DEVICE_END - w->f.n;
	else if (w->f.n >= ARCH_PFN_END - 4)
		return;
	if (w->range.count > limit)
		w->range.count = limit;
}

static void map_one(struct model *m, struct wish w)
{
	int want = model_expect_map(m, &w);

	if (want == -EINVAL)
		want = -EPERM;
	if (want == 0)
		get_all(&w);
	machine_fail_after(w.fail_after);
	FUZZ_EQ(map_page(&m->pd, w.range.first, w.f, w.prot), want);
	machine_fail_after(-1);
	if (!want)
		model_map(m, &w);
}

static void map_range(struct model *m, struct wish w, bool in_bytes)
{
	int want = model_expect_map(m, &w);

	if (want == 0)
		get_all(&w);
	machine_fail_after(w.fail_after);
	if (in_bytes && w.range.first < ARCH_VPN_END && w.range.count - 1 < ARCH_VPN_END - 1 &&
	    w.f.n < ARCH_PFN_END)
		FUZZ_EQ(mappages(&m->pd, vaddr_of(w.range.first) + 1, w.range.count * PAGE_SIZE - 1,
				 PADDR(paddr_of(w.f).a + 1), w.prot),
			want);
	else
		FUZZ_EQ(map_region(&m->pd, w.range, w.f, w.prot), want);
	machine_fail_after(-1);
	if (!want)
		model_map(m, &w);
}

/* Takes pages out of the model, whose frames the batch has or the caller keeps. */
static void forget(struct model *m, struct pages range)
{
	for (vpn_t v = range.first; v < range.first + range.count; v++)
		model_set(m, v, (struct model_page){0});
}

static void unmap_one(struct model *m, vpn_t v)
{
	int want = -EPERM;

	if (v < MODEL_PAGES)
		want = !m->page[v].prot ? -ENOENT : m->page[v].large ? -EBUSY : 0;
	FUZZ_EQ(unmap_page(&m->pd, v, &m->batch), want);
	if (!want)
		forget(m, PAGES(v, 1));
}

/* True where a range begins or ends within a large page. */
static bool cuts_large(const struct model *m, struct pages range)
{
	vpn_t end = range.first + range.count;

	return (range.first % MODEL_SPAN && range.first < MODEL_PAGES && m->page[range.first].large) ||
	       (end % MODEL_SPAN && end < MODEL_PAGES && m->page[end].large);
}

static void unmap_range(struct model *m, struct pages range)
{
	int want = 0;

	if (!range.count)
		want = 0;
	else if (range.first > ARCH_VPN_END || range.count > ARCH_VPN_END - range.first)
		want = -EINVAL;
	else if (range.first + range.count > MODEL_PAGES)
		want = -EPERM;
	else if (cuts_large(m, range))
		want = -EBUSY;
	FUZZ_EQ(unmap_region(&m->pd, range, &m->batch), want);
	if (!want)
		forget(m, range);
}

static void demand_page(struct model *m, struct wish w)
{
	vpn_t v = w.range.first;
	int want = 0;
	pfn_t f;

	if (!v || v >= MODEL_PAGES || w.prot & PROT_GLOBAL)
		want = -EPERM;
	else if (m->page[v].prot)
		want = -EEXIST;
	else
		want = model_expect_charge(m, 1 + !m->table[v / MODEL_SPAN], w.fail_after);
	machine_fail_after(w.fail_after);
	FUZZ_EQ(alloc_page(&m->pd, v, w.prot), want);
	machine_fail_after(-1);
	if (want)
		return;
	f = arch_pte_pfn(get_ptbl_entry_by_va(&m->pd, vaddr_of(v)));
	w.f = f;
	w.prot = (w.prot | PROT_OWNED) & ~PROT_LARGE;
	FUZZ_EQ(frame_refs(f), 1);
	FUZZ_EQ(frame_state(f), FRAME_USER);
	FUZZ_EQ(frame_owner(f), m->pd.owner.index);
	FUZZ_HOLDS(arch_frame_is_filled(f, 0));
	model_map(m, &w);
}

static void make_table(struct model *m, const struct wish *w)
{
	vpn_t v = w->range.first % ARCH_VPN_END;
	int want;

	if (v >= MODEL_PAGES)
		want = -EPERM;
	else if (m->table[v / MODEL_SPAN] || m->page[v].large)
		want = -EEXIST;
	else
		want = model_expect_charge(m, 1, w->fail_after);
	machine_fail_after(w->fail_after);
	FUZZ_EQ(alloc_ptbl(&m->pd, vaddr_of(v)), want);
	machine_fail_after(-1);
	if (!want)
		m->table[v / MODEL_SPAN] = true;
}

/* What taking the table of a page away must answer. */
static int expect_table_gone(const struct model *m, vpn_t v, int where_large)
{
	if (v >= MODEL_PAGES)
		return -EPERM;
	if (m->page[v].large)
		return where_large;
	if (!m->table[v / MODEL_SPAN])
		return -ENOENT;
	return model_count(m, PAGES(v / MODEL_SPAN * MODEL_SPAN, MODEL_SPAN)) ? -EBUSY : 0;
}

static void drop_table(struct model *m, vpn_t v, bool by_entry)
{
	pte_t e = get_pdir_entry_by_va(&m->pd, vaddr_of(v));
	int want = expect_table_gone(m, v, by_entry ? -EBUSY : -ENOENT);

	if (!by_entry)
		FUZZ_EQ(free_ptbl(&m->pd, vaddr_of(v), &m->batch), want);
	else
		FUZZ_EQ(rmv_pdir_entry_by_va(&m->pd, vaddr_of(v), &m->batch), want);
	if (want)
		return;
	if (by_entry)
		tlb_put_table_later(&m->batch, arch_pte_pfn(e));
	m->table[v / MODEL_SPAN] = false;
}

/* A table of the caller's in the place of an empty one, or of none. */
static void set_table(struct model *m, vpn_t v)
{
	pte_t e = get_pdir_entry_by_va(&m->pd, vaddr_of(v));
	int want = expect_table_gone(m, v, -EBUSY);
	pfn_t table;

	if (container_alloc(m->pd.owner, ALLOC_TABLE | ALLOC_ZERO, &table))
		return;
	FUZZ_EQ(set_pdir_entry_by_va(&m->pd, vaddr_of(v), table, &m->batch), want == -ENOENT ? 0 : want);
	if (want && want != -ENOENT) {
		frame_put(table);
		return;
	}
	if (!want)
		tlb_put_table_later(&m->batch, arch_pte_pfn(e));
	m->table[v / MODEL_SPAN] = true;
}

static int expect_entry(const struct model *m, vpn_t v)
{
	if (!v || v >= MODEL_PAGES)
		return -EPERM;
	return m->page[v].large ? -EBUSY : m->table[v / MODEL_SPAN] ? 0 : -ENOENT;
}

/* The entry replaced, and with it the reference that it held, are the caller's. */
static void put_replaced(struct model *m, vpn_t v)
{
	if (m->page[v].prot & PROT_OWNED)
		tlb_put_later(&m->batch, PFN(m->page[v].frame));
}

static void set_entry(struct model *m, struct wish w)
{
	vpn_t v = w.range.first % ARCH_VPN_END;
	int want = expect_entry(m, v);

	w.range.first = v;
	w.prot &= ~(PROT_OWNED | PROT_GLOBAL | PROT_LARGE);
	/* An entry is set as it is wanted: what a program may see is for the caller to know. */
	if (frame_block_state(w.f) != FRAME_USER && frame_block_state(w.f) != FRAME_RESERVED)
		w.prot &= ~PROT_USER;
	if (!want && w.f.n >= ARCH_PFN_END)
		want = -EINVAL;
	FUZZ_EQ(set_ptbl_entry_by_va(&m->pd, vaddr_of(v), w.f, w.prot, &m->batch), want);
	if (want)
		return;
	put_replaced(m, v);
	model_map(m, &w);
}

static void remove_entry(struct model *m, vpn_t v)
{
	int want;

	v %= ARCH_VPN_END;
	want = expect_entry(m, v);
	if (!want && !m->page[v].prot)
		want = -ENOENT;
	FUZZ_EQ(rmv_ptbl_entry_by_va(&m->pd, vaddr_of(v), &m->batch), want);
	if (want)
		return;
	put_replaced(m, v);
	forget(m, PAGES(v, 1));
}

static void load(struct model *m)
{
	my.loaded = m;
	set_pdir_base(m ? &m->pd : &kernel_pdir);
}

/* What the machine does at a page of the loaded directory, once the flushes that are owed are done. */
static void access(vpn_t v)
{
	struct model *m = my.loaded;
	struct model_page p = {0};

	if (v >= MODEL_PAGES)
		return;
	if (m) {
		tlb_finish(&m->batch);
		p = m->page[v];
	}
	/* Frames that are no memory can be mapped, and are not to be touched. */
	if (p.prot && !frame_refs(PFN(p.frame)))
		return;
	FUZZ_EQ(machine_reads(v), p.prot != 0);
	FUZZ_EQ(machine_writes(v), (p.prot & PROT_W) != 0);
	FUZZ_EQ(machine_executes(v), (p.prot & PROT_X) != 0);
}

static void stack(uint32_t i)
{
	if (my.stack[i]) {
		kstack_free(my.stack[i]);
		my.stack[i] = 0;
		return;
	}
	my.stack[i] = kstack_alloc();
	if (!my.stack[i])
		return;
	FUZZ_HOLDS(machine_writes(vpn_of(my.stack[i] - 1)));
	FUZZ_HOLDS(!machine_reads(vpn_of(my.stack[i]) - KSTACK_PAGES - 1));
	FUZZ_HOLDS(kstack_guard(my.stack[i] - KSTACK_PAGES * PAGE_SIZE - 1));
}

static void start(struct model *m)
{
	FUZZ_EQ(pdir_init(&m->pd, my.owner), 0);
	tlb_begin(&m->batch, m->pd.root);
	m->mapped = m->supervisors = m->writable_code = 0;
}

/* Ends a directory, loaded or not. Its model is cleared where something was. */
static void end(struct model *m)
{
	tlb_finish(&m->batch);
	model_compare_all(m);
	if (my.loaded == m)
		load(NULL);
	vm_free(&m->pd);
	for (uint32_t s = 0; s < MODEL_SPANS; s++) {
		if (m->table[s] || m->page[s * MODEL_SPAN].large)
			memset(&m->page[s * MODEL_SPAN], 0, MODEL_SPAN * sizeof(m->page[0]));
		m->table[s] = false;
	}
}

static void map_step(struct fuzz_input *in, struct model *m, uint8_t how)
{
	struct wish w = take_wish(in);

	if (how == 0) {
		map_one(m, w);
	} else if (how < 3) {
		w.range.count = take_count(in);
		limit_count(&w);
		map_range(m, w, how == 1);
	} else if (how == 3) {
		demand_page(m, w);
	} else if (how == 4) {
		make_table(m, &w);
	} else {
		set_entry(m, w);
	}
	model_compare(m, PAGES(w.range.first, 4));
}

static void unmap_step(struct fuzz_input *in, struct model *m, uint8_t how)
{
	vpn_t v = take_page(in);

	if (how == 6)
		unmap_one(m, v);
	else if (how == 7)
		unmap_range(m, PAGES(v, take_count(in)));
	else if (how == 8)
		drop_table(m, v % ARCH_VPN_END, fuzz_take8(in) % 2);
	else if (how == 9)
		set_table(m, v % ARCH_VPN_END);
	else
		remove_entry(m, v);
	model_compare(m, PAGES(v, 4));
}

static void step(struct fuzz_input *in)
{
	uint8_t what = fuzz_take8(in);
	struct model *m = &directory[what / 16 % DIRECTORIES];

	switch (what % 16) {
	case 11:
		load(what & 32 ? NULL : m);
		break;
	case 12:
		access(take_page(in));
		break;
	case 13:
		tlb_finish(&m->batch);
		break;
	case 14:
		if (what < 128)
			break;
		/* Once: it walks the kernel's half too, which takes longer than most strings. */
		if (what >= 240 && !my.proved)
			fuzz_check_vm(&m->pd, !m->supervisors && !m->writable_code);
		my.proved |= what >= 240;
		end(m);
		start(m);
		break;
	case 15:
		stack(what / 16 % STACKS);
		break;
	default:
		if (what % 16 < 6)
			map_step(in, m, what % 16);
		else
			unmap_step(in, m, what % 16);
	}
}

/* Kept from string to string: to fill it with poison each time takes longer than all else. */
static void take_ram(void)
{
	if (frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(10), &my.ram))
		my.ram = NO_FRAME;
}

static void begin(void)
{
	FUZZ_EQ(container_split(CONTAINER_ROOT, QUOTA + USER_FRAMES, &my.owner), 0);
	for (uint32_t i = 0; i < USER_FRAMES; i++)
		FUZZ_EQ(container_alloc(my.owner, ALLOC_USER | ALLOC_HIGH, &my.user[i]), 0);
	my.loaded = NULL;
	my.proved = false;
	for (uint32_t i = 0; i < DIRECTORIES; i++)
		start(&directory[i]);
}

static void run(struct fuzz_input *in)
{
	begin();
	while (in->left)
		step(in);
	for (uint32_t i = 0; i < DIRECTORIES; i++)
		end(&directory[i]);
	for (uint32_t i = 0; i < STACKS; i++)
		if (my.stack[i])
			stack(i);
	for (uint32_t i = 0; i < USER_FRAMES; i++) {
		FUZZ_EQ(frame_refs(my.user[i]), 1);
		FUZZ_EQ(container_free(my.owner, my.user[i]), 0);
	}
	load(NULL);
	FUZZ_EQ(container_destroy(my.owner), 0);
}

const struct fuzz_target fuzz_pgtable = {
	.name = "pgtable", .run = run, .on_machine = true, .begin = take_ram};
