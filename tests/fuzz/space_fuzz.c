/*
 * tests/fuzz/space_fuzz.c - the target space: what a program and its child do to their address spaces. After each step
 * the answer, the areas, the counts and what is charged are compared with the model, now and then every page's content
 * too. An allocation may be made to fail: then nothing may have changed.
 */
#include "fuzz.h"
#include "space_model.h"

#include <arch/frame_access.h>
#include <mm/fault.h>
#include <mm/fork.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

#define STEPS_A_LOOK 16u /* steps from one look at every page to the next */
#define ODD          255u

static struct {
	struct tenant *tenant;
	struct space space[2];
	struct mapping *file;
	int32_t fail_after; /* in this step; -1: no allocation fails */
	uint32_t words, steps;
} my;

static struct space *real(const struct model_space *m)
{
	return &my.space[m - model.space];
}

static uint32_t used(void)
{
	uint32_t n = 0;

	FUZZ_EQ(container_get_usage(my.tenant->owner, &n), 0);
	return n;
}

/* True when so many frames more surely are within the quota, with the tables that they may need. */
static bool has_frames(uint32_t frames)
{
	return my.fail_after < 0 && used() + frames + 6 <= MODEL_QUOTA;
}

/* Addresses are answers too, and may have the highest bit. */
static bool is_error(int32_t answer)
{
	return answer < 0 && answer > -4096;
}

/* An answer is the one wanted; or, where memory can have been short, that there is none: then it was not done. */
static bool done(int64_t got, int64_t want, bool may_lack)
{
	if (got != want && may_lack && (int32_t)got == -ENOMEM)
		return false;
	FUZZ_EQ(got, want);
	return true;
}

/* An allocation fails only where the answer is no error anyway: which of two comes first is no matter. */
static void fail(int32_t want)
{
	machine_fail_after(is_error(want) ? -1 : my.fail_after);
}

static bool failing(void)
{
	machine_fail_after(-1);
	return my.fail_after >= 0;
}

static struct pages take_range(struct fuzz_input *in, uint32_t windows)
{
	static const struct pages window[] = {
		{MIDDLE_FIRST, MIDDLE_PAGES}, {BREAK_FIRST, BREAK_PAGES}, {STACK_FIRST, STACK_WINDOW}};
	uint8_t n = fuzz_take8(in), m = fuzz_take8(in);
	struct pages w = window[n < 200 ? 0 : n % windows];
	uint32_t first = n % w.count, most = w.count - first;

	return PAGES(w.first + first, m < 192 ? 1 + m % (most < 6 ? most : 6) : 1 + m % most);
}

static uint32_t take_prot(struct fuzz_input *in)
{
	static const uint32_t prots[] = {PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC,
					 PROT_READ | PROT_WRITE | PROT_EXEC};

	return prots[fuzz_take8(in) % ARRAY_SIZE(prots)];
}

/* Frames, not entries: without a fault, which would change what is looked at. */
static void look_at_page(struct model_space *m, uint32_t slot)
{
	const struct model_page *p = &m->page[slot];
	pte_t e = get_ptbl_entry_by_va(&real(m)->pd, vaddr_of(slot_page(slot)));
	uint32_t word = 0;

	if (!p->own) {
		FUZZ_HOLDS(p->file != NO_FILE || arch_pte_is_none(e) || arch_pte_pfn(e).n == zero_frame.n);
		return;
	}
	FUZZ_HOLDS(!arch_pte_is_none(e));
	FUZZ_EQ(frame_refs(arch_pte_pfn(e)), model.copy[p->own].users);
	arch_frame_read(arch_pte_pfn(e), 0, &word, sizeof(word));
	FUZZ_EQ(word, model.copy[p->own].word);
}

static void look_at_file(const struct model_file *f)
{
	FUZZ_EQ(mapping_page_count(f->mapping), f->pages);
	for (uint32_t i = 0; i < f->pages; i++) {
		uint32_t word = 0;
		pfn_t frame;

		FUZZ_EQ(mapping_page(f->mapping, i, false, &frame), 0);
		FUZZ_EQ(frame.n != 0, f->in_cache[i]);
		if (frame.n)
			arch_frame_read(frame, 0, &word, sizeof(word));
		FUZZ_EQ(word, f->word[i]);
	}
}

static prot_t prot_of(uint32_t prot)
{
	return (prot & PROT_READ ? PROT_R : 0) | (prot & PROT_WRITE ? PROT_W : 0) |
	       (prot & PROT_EXEC ? PROT_X : 0);
}

static void compare_page(struct model_space *m, uint32_t slot)
{
	const struct model_page *p = &m->page[slot];
	vpn_t v = slot_page(slot);
	const struct area *a = area_find(&real(m)->areas, v);

	FUZZ_EQ(a && a->first <= v, p->mapped);
	if (!p->mapped)
		return;
	FUZZ_EQ(a->prot, prot_of(p->prot));
	FUZZ_EQ(a->flags, p->flags);
	FUZZ_EQ(a->file != NULL, p->file != NO_FILE);
	if (!a->file)
		return;
	FUZZ_EQ(a->offset + (v - a->first), p->index);
	if (!model.file[p->file].mapping)
		model.file[p->file].mapping = a->file;
	FUZZ_HOLDS(model.file[p->file].mapping == a->file);
}

static uint32_t tables_between(const struct space *s, vpn_t first, vpn_t end)
{
	uint32_t n = 0;

	for (vpn_t v = first & ~(ARCH_PT_SPAN(1) - 1); v < end; v += ARCH_PT_SPAN(1))
		n += arch_pte_kind(1, get_pdir_entry_by_va(&s->pd, vaddr_of(v))) == PTE_TABLE;
	return n;
}

/* The directory, and the tables that there may be: of what is put below the middle nothing stays but a table. */
static uint32_t tables(const struct space *s)
{
	return (ARCH_PT_LEVELS == 2 ? 1 : 4) + tables_between(s, BREAK_FIRST, BREAK_FIRST + BREAK_PAGES) +
	       tables_between(s, MIDDLE_FIRST - SLOTS, STACK_END);
}

static void compare_space(struct model_space *m, bool look)
{
	struct space *s = real(m);

	for (uint32_t i = 0; i < SLOTS; i++) {
		compare_page(m, i);
		if (look && m->page[i].mapped)
			look_at_page(m, i);
	}
	FUZZ_EQ(s->areas.count, model_areas(m));
	FUZZ_EQ(s->pages, model_total(m));
	FUZZ_EQ(s->locked, model_flagged(m, AREA_LOCKED));
	FUZZ_EQ(s->brk, m->brk);
	if (look)
		FUZZ_EQ(check_space(s), 0);
}

static void compare(bool look)
{
	uint32_t frames = 0;

	for (uint32_t i = 0; i < 2; i++) {
		if (model.space[i].lives) {
			compare_space(&model.space[i], look);
			frames += tables(&my.space[i]);
		}
	}
	for (uint32_t i = 0; look && i < MODEL_FILES; i++)
		if (model.file[i].users || !i)
			look_at_file(&model.file[i]);
	FUZZ_EQ(my.tenant->committed, model_committed());
	FUZZ_EQ(used(), frames + model_frames());
}

static void access(struct fuzz_input *in, struct model_space *m, bool writes)
{
	vpn_t v = take_range(in, 3).first;
	uint32_t word = writes ? ++my.words : 0, got = word, prot = writes ? PROT_WRITE : PROT_READ;
	struct space *s = real(m);
	bool short_of_frames = !has_frames(0);
	struct space_model before = model;
	int want = model_access(m, v, prot, &word), err;

	space_load(s);
	fail(want);
	if (writes)
		err = machine_user_write(s, vaddr_of(v), &word, sizeof(word));
	else
		err = machine_user_read(s, vaddr_of(v), &got, sizeof(got));
	failing();
	if (!done(err, want, short_of_frames)) {
		/* What there was no memory for has not been done, but that a stack has grown. */
		bool grew = !before.space[m - model.space].page[page_slot(v)].mapped;

		model = before;
		if (grew)
			model_access(m, v, PROT_EXEC + 1, NULL);
	} else if (!want && !writes) {
		FUZZ_EQ(got, word);
	}
}

static void execute(struct fuzz_input *in, struct model_space *m)
{
	vpn_t v = take_range(in, 3).first;
	const struct vm_fault f = {vaddr_of(v), false, true};
	const struct model_page *p = &m->page[page_slot(v)];
	bool may;

	if (!p->mapped || !p->prot || !has_frames(1))
		return;
	may = arch_prot_effective(prot_of(p->prot)) & PROT_X;
	FUZZ_EQ(vm_fault(real(m), &f), may ? model_access(m, v, PROT_READ, NULL) : -EACCES);
}

/* Takes away again what was put where the model has no pages. */
static void unmap_outside(struct model_space *m, int32_t addr, uint32_t pages)
{
	vpn_t first = vpn_of((vaddr_t)addr);

	for (vpn_t v = first; v < first + pages; v++)
		if (page_slot(v) == NO_SLOT)
			FUZZ_EQ(space_munmap(real(m), vaddr_of(v), PAGE_SIZE), 0);
}

static bool is_inside(int32_t addr, uint32_t pages)
{
	vpn_t first = vpn_of((vaddr_t)addr);

	for (vpn_t v = first; v < first + pages; v++)
		if (page_slot(v) == NO_SLOT)
			return false;
	return true;
}

/* What is asked for wrongly: each a value that Linux refuses. */
static void spoil(struct fuzz_input *in, struct mmap_request *r)
{
	switch (fuzz_take8(in) % 8) {
	case 0:
		r->hint += 1 + fuzz_take8(in);
		break;
	case 1:
		r->length = 0;
		break;
	case 2:
		r->length = 0u - PAGE_SIZE * fuzz_take8(in);
		break;
	case 3:
		r->offset = UINT32_MAX - fuzz_take8(in) % 4;
		break;
	case 4:
		r->hint = fuzz_take8(in) % 2 ? 0 : vaddr_of(USER_VPN_END - 1);
		r->length = 2 * PAGE_SIZE;
		break;
	case 5:
		r->flags = (r->flags & ~(uint32_t)MAP_TYPE) | fuzz_take8(in) % 16;
		break;
	case 6:
		r->may_read = false;
		break;
	default:
		r->may_write = false;
	}
}

static struct mmap_request take_request(struct fuzz_input *in)
{
	struct pages range = take_range(in, 2);
	uint8_t how = fuzz_take8(in), more = fuzz_take8(in);
	struct mmap_request r = {.hint = vaddr_of(range.first),
				 .length = range.count << PAGE_SHIFT,
				 .prot = take_prot(in),
				 .flags = how & 1 ? MAP_SHARED : MAP_PRIVATE,
				 .may_read = true,
				 .may_write = true,
				 .offset = how >> 4};

	r.flags |= how & 2 ? MAP_ANONYMOUS : 0;
	r.flags |= how & 8 ? MAP_FIXED : how & 4 ? MAP_FIXED_NOREPLACE : 0;
	r.flags |= more & 1 ? MAP_NORESERVE : 0;
	r.flags |= (more & 6) == 6 && has_frames(range.count) ? MAP_POPULATE : 0;
	r.flags |= (more & 24) == 24 && has_frames(range.count) ? MAP_LOCKED : 0;
	r.file = how & 2 ? NULL : my.file;
	if (more >= 224)
		spoil(in, &r);
	else if (!(how & 12) && more & 32)
		r.hint = 0;
	return r;
}

static void map(struct fuzz_input *in, struct model_space *m)
{
	struct mmap_request r = take_request(in);
	uint32_t file = r.file && !(r.flags & MAP_ANONYMOUS) ? 0 : NO_FILE, pages = pages_of_bytes(r.length);
	int32_t want = model_mmap(m, &r, file, false), got;
	bool fails = is_error(want);

	/* Without a file there is /dev/zero; shared memory larger than the model's files is none of its business. */
	if ((m->future & AREA_LOCKED && !has_frames(SLOTS)) || (!fails && pages > SLOTS) ||
	    (!fails && file == NO_FILE && (r.flags & MAP_TYPE) != MAP_PRIVATE && pages > FILE_PAGES))
		return;
	/* Elsewhere nothing is to be brought in, for of a file's pages that would be left. */
	if (!fails && (r.flags & (MAP_POPULATE | MAP_LOCKED) || m->future) && !is_inside(want, pages))
		return;
	fail(want);
	got = space_mmap(real(m), &r);
	if (!done(got, want, failing()) || fails)
		return;
	if (is_inside(got, pages))
		model_mmap(m, &r, file, true);
	else
		FUZZ_EQ(space_munmap(real(m), (vaddr_t)got, pages << PAGE_SHIFT), 0);
}

/* Bytes of a range, the last page in part maybe; what is odd about an address or a length now and then. */
static void take_bytes(struct fuzz_input *in, uint32_t windows, vaddr_t *addr, uint32_t *length)
{
	struct pages range = take_range(in, windows);
	uint8_t odd = fuzz_take8(in);

	*addr = vaddr_of(range.first) + (odd == ODD ? 1 : 0);
	*length = odd == ODD - 1 ? 0 : (range.count << PAGE_SHIFT) - (odd < 64 ? odd * 60 : 0);
}

static void unmap(struct fuzz_input *in, struct model_space *m)
{
	vaddr_t addr;
	uint32_t length;
	int want;

	take_bytes(in, 2, &addr, &length);
	want = model_munmap(m, addr, length, false);
	fail(want);
	if (done(space_munmap(real(m), addr, length), want, failing()))
		model_munmap(m, addr, length, true);
}

static void protect(struct fuzz_input *in, struct model_space *m)
{
	uint32_t length, prot = take_prot(in);
	vaddr_t addr;
	int want;

	take_bytes(in, 3, &addr, &length);
	if (fuzz_take8(in) >= 240 && m->page[page_slot(vpn_of(addr))].mapped)
		prot |= PROT_GROWSDOWN;
	want = model_mprotect(m, addr, length, prot, false);
	fail(want);
	if (done(space_mprotect(real(m), addr, length, prot), want, failing()))
		model_mprotect(m, addr, length, prot, true);
}

static void remap(struct fuzz_input *in, struct model_space *m)
{
	struct pages from = take_range(in, 2), to = take_range(in, 2);
	uint8_t how = fuzz_take8(in);
	struct mremap_request r = {.old = vaddr_of(from.first) + (how == ODD ? 1 : 0),
				   .old_length = how % 16 == 15 ? 0 : from.count << PAGE_SHIFT,
				   .length = to.count << PAGE_SHIFT,
				   .flags = how & 1 ? MREMAP_MAYMOVE : 0,
				   .fixed = vaddr_of(to.first) + (how == ODD - 2 ? 1 : 0)};
	int32_t want, got;

	r.flags |= (how & 3) == 3 || how == 250 ? MREMAP_FIXED : 0;
	r.length = how == 252 ? 0 : r.length;
	if (how & 64) {
		r.flags |= MREMAP_DONTUNMAP;
		r.length = how & 32 ? r.old_length : r.length;
		to.count = pages_of_bytes(r.length);
		r.fixed = how & 128 || r.flags & MREMAP_FIXED ? r.fixed : 0;
	}
	/* At the place where it is it may grow as far as the model's pages go, and so may what is moved. */
	if (!is_inside((int32_t)r.old, from.count + to.count) && !(r.flags & MREMAP_FIXED))
		return;
	if (model_flagged(m, AREA_LOCKED) && !has_frames(to.count))
		return;
	want = model_mremap(m, &r, false);
	if (model_flagged(m, AREA_LOCKED) && !is_error(want) && !is_inside(want, to.count))
		return;
	fail(want);
	got = space_mremap(real(m), &r);
	if (!done(got, want, failing() || !has_frames(0)) || is_error(want))
		return;
	model_mremap(m, &r, true);
	unmap_outside(m, got, to.count);
}

static void move_break(struct fuzz_input *in, struct model_space *m)
{
	vaddr_t addr = vaddr_of(BREAK_FIRST) + fuzz_take16(in) % ((BREAK_PAGES - 1) << PAGE_SHIFT);
	vaddr_t want = model_brk(m, addr, false), got;

	if (m->future & AREA_LOCKED && !has_frames(BREAK_PAGES))
		return;
	fail(0);
	got = space_brk(real(m), addr);
	if (got != want && failing())
		FUZZ_EQ(got, m->brk);
	else
		FUZZ_EQ(got, want);
	if (got == want)
		model_brk(m, addr, true);
	machine_fail_after(-1);
}

static void advise(struct fuzz_input *in, struct model_space *m)
{
	static const int advices[] = {MADV_DONTNEED,       MADV_DONTNEED,        MADV_FREE,
				      MADV_REMOVE,         MADV_DONTFORK,        MADV_DOFORK,
				      MADV_WIPEONFORK,     MADV_KEEPONFORK,      MADV_POPULATE_READ,
				      MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED, MADV_WILLNEED};
	struct pages range = take_range(in, 3);
	int advice = advices[fuzz_take8(in) % ARRAY_SIZE(advices)];

	/* A stack with a hole would grow until it touches itself, and stay two areas: the model has no such. */
	if (!has_frames(range.count) || (advice == MADV_DONTFORK && range.first >= STACK_FIRST))
		return;
	FUZZ_EQ(space_madvise(real(m), vaddr_of(range.first), range.count << PAGE_SHIFT, advice),
		model_madvise(m, range, advice));
}

static void lock(struct fuzz_input *in, struct model_space *m)
{
	struct pages range = take_range(in, 3);
	uint8_t how = fuzz_take8(in);
	uint32_t length = (range.count << PAGE_SHIFT) - how, flags = AREA_LOCKED;
	vaddr_t addr = vaddr_of(range.first) + how / 2;

	if (!has_frames(range.count))
		flags |= AREA_ON_FAULT;
	if (how & 1)
		FUZZ_EQ(space_munlock(real(m), addr, length), model_lock(m, range, 0));
	else
		FUZZ_EQ(space_mlock(real(m), addr, length, flags & AREA_ON_FAULT ? MLOCK_ONFAULT : 0),
			model_lock(m, range, flags));
}

static void lock_all(struct fuzz_input *in, struct model_space *m)
{
	uint8_t how = fuzz_take8(in);
	uint32_t flags = AREA_LOCKED;
	int words = how & 1 ? MCL_CURRENT : 0;

	if (how & 8 || !(how & 3)) {
		FUZZ_EQ(space_munlockall(real(m)), model_lockall(m, 0));
		m->future = 0;
		return;
	}
	words |= how & 2 ? MCL_FUTURE : 0;
	if (how & 4 || !has_frames(SLOTS)) {
		words |= MCL_ONFAULT;
		flags |= AREA_ON_FAULT;
	}
	FUZZ_EQ(space_mlockall(real(m), words), 0);
	m->future = words & MCL_FUTURE ? flags : 0;
	if (words & MCL_CURRENT)
		model_lockall(m, flags);
}

/* What tells and changes nothing. */
static void ask(struct fuzz_input *in, struct model_space *m)
{
	struct pages range = take_range(in, 3);
	int flags = fuzz_take8(in) % 16;
	uint8_t there[SLOTS];
	int want = 0;

	FUZZ_EQ(space_msync(real(m), vaddr_of(range.first), range.count << PAGE_SHIFT, flags),
		model_msync(m, range, flags));
	for (uint32_t i = 0; i < range.count; i++)
		want = m->page[page_slot(range.first) + i].mapped ? want : -ENOMEM;
	FUZZ_EQ(space_mincore(real(m), vaddr_of(range.first), range.count, there), want);
	for (uint32_t i = 0; i < range.count && !want; i++) {
		const struct model_page *p = &m->page[page_slot(range.first) + i];
		const struct model_file *f = &model.file[p->file];

		if (p->own)
			FUZZ_EQ(there[i], 1);
		else if (p->file != NO_FILE)
			FUZZ_EQ(there[i], p->index < f->pages && f->in_cache[p->index]);
	}
}

static void use_file(struct fuzz_input *in, struct model_space *m)
{
	uint32_t page = fuzz_take8(in) % FILE_PAGES, word = ++my.words;
	struct model_file *f = &model.file[0];
	int32_t got;

	(void)m;
	if (fuzz_take8(in) & 1) {
		FUZZ_EQ(mapping_truncate(my.file, (uint64_t)page << PAGE_SHIFT), 0);
		model_truncate(page);
		return;
	}
	machine_fail_after(my.fail_after);
	got = mapping_write(my.file, (uint64_t)page << PAGE_SHIFT, &word, sizeof(word));
	if ((failing() || !has_frames(0)) && got < 0)
		return;
	FUZZ_EQ(got, sizeof(word));
	f->pages = page < f->pages ? f->pages : page + 1;
	f->in_cache[page] = true;
	f->word[page] = word;
}

static void end_child(void)
{
	space_load(&my.space[0]);
	space_destroy(&my.space[1]);
	model_end_child();
}

static void fork_or_end(struct fuzz_input *in, struct model_space *m)
{
	int want, got;

	(void)in;
	(void)m;
	if (model.space[1].lives) {
		end_child();
		return;
	}
	/* Areas that only a lock told apart stay two in a child: the model knows no such. */
	if (model_flagged(&model.space[0], AREA_LOCKED))
		return;
	want = model_fork();
	fail(want);
	got = space_fork(&my.space[1], &my.space[0]);
	if (got == -EDQUOT)
		got = -ENOMEM;
	if (!done(got, want, failing() || !has_frames(0)))
		model_end_child();
}

static void read_page(struct fuzz_input *in, struct model_space *m)
{
	access(in, m, false);
}

static void write_page(struct fuzz_input *in, struct model_space *m)
{
	access(in, m, true);
}

typedef void step_t(struct fuzz_input *in, struct model_space *m);

/* What is done often stands here more than once. */
static step_t *const steps[32] = {
	map,     map,        map,        map,        map,        unmap,      unmap,      protect,
	protect, protect,    remap,      remap,      remap,      move_break, move_break, advise,
	advise,  advise,     lock,       lock_all,   ask,        use_file,   use_file,   fork_or_end,
	execute, write_page, write_page, write_page, write_page, read_page,  read_page,  read_page,
};

static void step(struct fuzz_input *in)
{
	uint8_t what = fuzz_take8(in);

	my.fail_after = (what & 96) == 96 ? fuzz_take8(in) % 6 : -1;
	steps[what % 32](in, &model.space[what & 128 && model.space[1].lives]);
	compare(++my.steps % STEPS_A_LOOK == 0);
}

static void begin(struct fuzz_input *in)
{
	uint8_t how = fuzz_take8(in), pages = fuzz_take8(in) % (FILE_PAGES + 1);
	struct space_limits limits = {NO_LIMIT, NO_LIMIT, NO_LIMIT};

	model_begin(pages);
	model.most = how & 4 ? 33 + how / 8 : NO_LIMIT;
	limits.address = model.most == NO_LIMIT ? NO_LIMIT : model.most << PAGE_SHIFT;
	model.overcommit = overcommit =
		how & 3 ? how & 2 ? OVERCOMMIT_ALWAYS : OVERCOMMIT_NEVER : OVERCOMMIT_GUESS;
	my.words = my.steps = 0;
	FUZZ_EQ(tenant_create(CONTAINER_ROOT, MODEL_QUOTA, &my.tenant), 0);
	FUZZ_EQ(space_create(&my.space[0], my.tenant, limits), 0);
	FUZZ_EQ(space_map_stack(&my.space[0], vaddr_of(STACK_END), STACK_LIMIT << PAGE_SHIFT,
				PROT_READ | PROT_WRITE),
		0);
	FUZZ_EQ(space_set_brk(&my.space[0], model.space[0].brk_start), 0);
	my.file = mapping_create(my.tenant->owner, (uint64_t)pages << PAGE_SHIFT);
	FUZZ_HOLDS(my.file != NULL);
	model.file[0].mapping = my.file;
	space_load(&my.space[0]);
}

static void run(struct fuzz_input *in)
{
	begin(in);
	while (in->left)
		step(in);
	compare(true);
	if (model.space[1].lives)
		end_child();
	set_pdir_base(&kernel_pdir);
	space_destroy(&my.space[0]);
	mapping_put(my.file);
	FUZZ_EQ(my.tenant->committed, 0);
	FUZZ_EQ(used(), 0);
	tenant_put(my.tenant);
	overcommit = OVERCOMMIT_GUESS;
}

const struct fuzz_target fuzz_space = {.name = "space", .run = run, .on_machine = true};
