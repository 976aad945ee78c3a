/* tests/fuzz/space_model.c - two address spaces as arrays of pages. */
#include "space_model.h"

#include <string.h>

struct space_model model;

const struct pages model_window[MODEL_WINDOWS] = {
	{BREAK_FIRST, BREAK_PAGES}, {MIDDLE_FIRST, MIDDLE_PAGES}, {STACK_FIRST, STACK_WINDOW}};

vpn_t slot_page(uint32_t slot)
{
	for (uint32_t i = 0; i < MODEL_WINDOWS; slot -= model_window[i++].count)
		if (slot < model_window[i].count)
			return model_window[i].first + slot;
	return 0;
}

uint32_t page_slot(vpn_t v)
{
	for (uint32_t i = 0, slot = 0; i < MODEL_WINDOWS; slot += model_window[i++].count)
		if (v - model_window[i].first < model_window[i].count)
			return slot + v - model_window[i].first;
	return NO_SLOT;
}

struct model_page *model_at(struct model_space *s, vpn_t v)
{
	uint32_t slot = page_slot(v);

	return slot != NO_SLOT && s->page[slot].mapped ? &s->page[slot] : NULL;
}

void model_own(struct model_page *p, uint32_t copy)
{
	if (p->own)
		model.copy[p->own].users--;
	p->own = copy;
	if (copy)
		model.copy[copy].users++;
}

static uint32_t new_copy(uint32_t word)
{
	uint32_t i = 1;

	while (model.copy[i].users)
		i++;
	model.copy[i].word = word;
	return i;
}

/* A file that nobody maps any more is gone with all that it held. */
void model_forget(struct model_page *p)
{
	model_own(p, 0);
	if (p->mapped && p->file != NO_FILE && !--model.file[p->file].users && p->file)
		memset(&model.file[p->file], 0, sizeof(model.file[0]));
	p->mapped = false;
}

void model_put(struct model_space *s, vpn_t v, struct model_page page)
{
	struct model_page *p = &s->page[page_slot(v)];

	page.own = 0;
	page.mapped = true;
	if (page.file != NO_FILE)
		model.file[page.file].users++;
	model_forget(p);
	*p = page;
}

static bool alike(const struct model_page *a, const struct model_page *b)
{
	return a->mapped && b->mapped && a->prot == b->prot && a->flags == b->flags && a->file == b->file &&
	       (a->file == NO_FILE || a->index + 1 == b->index);
}

bool model_same_area(const struct model_space *s, uint32_t a, uint32_t b)
{
	for (; a < b; a++)
		if (slot_page(a) + 1 != slot_page(a + 1) || !alike(&s->page[a], &s->page[a + 1]))
			return false;
	return s->page[a].mapped;
}

vpn_t model_run_first(const struct model_space *s, vpn_t v)
{
	while (page_slot(v - 1) != NO_SLOT && model_same_area(s, page_slot(v - 1), page_slot(v)))
		v--;
	return v;
}

vpn_t model_run_end(const struct model_space *s, vpn_t v)
{
	while (page_slot(v + 1) != NO_SLOT && model_same_area(s, page_slot(v), page_slot(v + 1)))
		v++;
	return v + 1;
}

uint32_t model_flagged(const struct model_space *s, uint32_t flag)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		n += s->page[i].mapped && s->page[i].flags & flag;
	return n;
}

uint32_t model_total(const struct model_space *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		n += s->page[i].mapped;
	return n;
}

uint32_t model_areas(const struct model_space *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		n += s->page[i].mapped && !(i && model_same_area(s, i - 1, i));
	return n;
}

uint32_t model_committed(void)
{
	uint32_t n = model_flagged(&model.space[0], AREA_COMMITTED);

	for (uint32_t i = 0; i < MODEL_FILES; i++)
		n += model.file[i].promised;
	return n + (model.space[1].lives ? model_flagged(&model.space[1], AREA_COMMITTED) : 0);
}

uint32_t model_frames(void)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < MODEL_COPIES; i++)
		n += model.copy[i].users != 0;
	for (uint32_t i = 0; i < MODEL_FILES; i++)
		for (uint32_t k = 0; k < FILE_PAGES; k++)
			n += model.file[i].in_cache[k];
	return n;
}

bool model_may_commit(uint32_t pages)
{
	uint32_t before = model.overcommit == OVERCOMMIT_NEVER ? model_committed() : 0;

	return model.overcommit == OVERCOMMIT_ALWAYS || (uint64_t)before + pages <= MODEL_QUOTA;
}

bool model_has_room(const struct model_space *s, uint32_t pages)
{
	return model.most == NO_LIMIT || model_total(s) + pages <= model.most;
}

void model_begin(uint32_t file_pages)
{
	struct model_space *s = &model.space[0];

	memset(&model, 0, sizeof(model));
	model.file[0].pages = file_pages;
	s->lives = true;
	s->brk_start = s->brk = vaddr_of(BREAK_FIRST) + 0x123;
	for (vpn_t v = STACK_END - 33; v < STACK_END; v++)
		model_put(s, v,
			  (struct model_page){.prot = PROT_READ | PROT_WRITE,
					      .flags = AREA_MAY_WRITE | AREA_GROWS_DOWN | AREA_COMMITTED,
					      .file = NO_FILE});
}

int model_fork(void)
{
	struct model_space *from = &model.space[0], *to = &model.space[1];
	uint32_t committed = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		committed += from->page[i].mapped && from->page[i].flags & AREA_COMMITTED &&
			     !(from->page[i].flags & AREA_NO_FORK);
	if (model.overcommit == OVERCOMMIT_NEVER && !model_may_commit(committed))
		return -ENOMEM;
	*to = (struct model_space){.lives = true, .brk_start = from->brk_start, .brk = from->brk};
	for (uint32_t i = 0; i < SLOTS; i++) {
		struct model_page p = from->page[i];

		if (!p.mapped || p.flags & AREA_NO_FORK)
			continue;
		p.flags &= ~(uint32_t)(AREA_LOCKED | AREA_ON_FAULT);
		model_put(to, slot_page(i), p);
		model_own(&to->page[i], p.flags & AREA_WIPE ? 0 : p.own);
	}
	return 0;
}

void model_end_child(void)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		model_forget(&model.space[1].page[i]);
	model.space[1].lives = false;
}

/* The stack, or a part of it, grows over a page that nothing is mapped at. */
static bool grow(struct model_space *s, vpn_t v)
{
	uint32_t above = 0, below = SLOTS;
	vpn_t first, lowest = USER_FIRST_VPN;

	while (above < SLOTS && (slot_page(above) < v || !s->page[above].mapped))
		above++;
	for (uint32_t i = 0; i < above; i++)
		below = s->page[i].mapped ? i : below;
	if (above == SLOTS || !(s->page[above].flags & AREA_GROWS_DOWN))
		return false;
	first = slot_page(above);
	if (below < SLOTS)
		lowest = slot_page(below) + 1 + (s->page[below].prot ? GUARD_GAP : 0);
	if (v < lowest || model_run_end(s, first) - v > STACK_LIMIT || !model_has_room(s, first - v))
		return false;
	if (s->page[above].flags & AREA_COMMITTED && !model_may_commit(first - v))
		return false;
	for (; v < first; v++)
		model_put(s, v, s->page[above]);
	return true;
}

/* The page that is allowed to be touched: what it costs, and what it holds. */
int model_touch(struct model_page *p, bool write, uint32_t *word)
{
	struct model_file *f = p->file != NO_FILE ? &model.file[p->file] : NULL;
	uint32_t zero = 0, *holds = &zero;

	if (p->own) {
		holds = &model.copy[p->own].word;
	} else if (f) {
		if (p->index >= f->pages)
			return -ENXIO;
		holds = &f->word[p->index];
		f->in_cache[p->index] |= !write || p->flags & AREA_SHARED;
	}
	if (write && !(p->flags & AREA_SHARED) && !(p->own && model.copy[p->own].users == 1)) {
		model_own(p, new_copy(*holds));
		holds = &model.copy[p->own].word;
	}
	if (!word)
		return 0;
	if (write)
		*holds = *word;
	else
		*word = *holds;
	return 0;
}

int model_access(struct model_space *s, vpn_t v, uint32_t prot, uint32_t *word)
{
	struct model_page *p = model_at(s, v);

	if (!p && !grow(s, v))
		return -EFAULT;
	p = model_at(s, v);
	if (prot == PROT_WRITE ? !(p->prot & PROT_WRITE) : !p->prot)
		return -EACCES;
	return model_touch(p, prot == PROT_WRITE, word);
}

int model_populate(struct model_space *s, struct pages range, bool write)
{
	int err = 0;

	for (vpn_t v = range.first; v < range.first + range.count && !err; v++)
		err = model_access(s, v, write ? PROT_WRITE : PROT_READ, NULL);
	return err;
}

/* Area by area: what cannot be had of one does not keep the next from it. */
void model_populate_areas(struct model_space *s, struct pages range)
{
	vpn_t end = range.first + range.count;

	for (vpn_t v = range.first, last; v < end; v = last) {
		const struct model_page *p = model_at(s, v);

		last = p ? model_run_end(s, v) : v + 1;
		last = last < end ? last : end;
		if (p && p->prot)
			model_populate(s, PAGES(v, last - v),
				       p->prot & PROT_WRITE && !(p->flags & AREA_SHARED));
	}
}

/* Copies of what lies behind the end go too. */
void model_truncate(uint32_t pages)
{
	struct model_file *f = &model.file[0];

	f->pages = pages;
	for (uint32_t i = pages; i < FILE_PAGES; i++) {
		f->in_cache[i] = false;
		f->word[i] = 0;
	}
	for (uint32_t k = 0; k < 2 * SLOTS; k++) {
		struct model_page *p = &model.space[k / SLOTS].page[k % SLOTS];

		if (p->mapped && p->file == 0 && p->index >= pages)
			model_own(p, 0);
	}
}
