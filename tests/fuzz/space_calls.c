/* tests/fuzz/space_calls.c - what the calls of mm/mmap.h answer, and make of the model's pages. */
#include "space_model.h"

#include <string.h>

#define UNPROMISED                                                                                           \
	(AREA_SHARED | AREA_COMMITTED | AREA_NO_RESERVE) /* to a page with one of them nothing is promised */

/* Where no new area may be put: into pages that are mapped, or so near below a stack. */
static bool is_free(const struct model_space *s, struct pages range)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		vpn_t first = slot_page(i), end = first + 1;

		if (s->page[i].flags & AREA_GROWS_DOWN)
			first -= GUARD_GAP;
		if (s->page[i].mapped && range.first < end && range.first + range.count > first)
			return false;
	}
	return true;
}

static vpn_t find_place(const struct model_space *s, vaddr_t hint, uint32_t pages)
{
	vpn_t v = vpn_of(hint);

	if (v && v + pages <= USER_VPN_END && is_free(s, PAGES(v, pages)))
		return v;
	for (v = MIDDLE_END - pages; !is_free(s, PAGES(v, pages));)
		v--;
	return v;
}

static uint32_t mapped_in(const struct model_space *s, struct pages range)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS; i++)
		n += s->page[i].mapped && slot_page(i) - range.first < range.count;
	return n;
}

static int check_place(const struct model_space *s, const struct mmap_request *r, vpn_t *first)
{
	uint32_t pages = pages_of_bytes(r->length);

	if (!r->length)
		return -EINVAL;
	if (pages > USER_VPN_END)
		return -ENOMEM;
	if ((uint64_t)r->offset + pages > UINT32_MAX)
		return -EOVERFLOW;
	*first = vpn_of(r->hint);
	if (!(r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
		*first = find_place(s, r->hint, pages);
		return 0;
	}
	if (*first > USER_VPN_END - pages)
		return -ENOMEM;
	if (r->hint % PAGE_SIZE)
		return -EINVAL;
	if (!*first)
		return -EPERM;
	return r->flags & MAP_FIXED_NOREPLACE && mapped_in(s, PAGES(*first, pages)) ? -EEXIST : 0;
}

static int check_kind(const struct mmap_request *r, bool is_file)
{
	uint32_t type = r->flags & MAP_TYPE;

	if (type != MAP_SHARED && type != MAP_PRIVATE && !(type == MAP_SHARED_VALIDATE && is_file))
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && r->flags & MAP_FIXED_NOREPLACE)
		return -EOPNOTSUPP;
	if (is_file && !r->may_read)
		return -EACCES;
	return is_file && type != MAP_PRIVATE && r->prot & PROT_WRITE && !r->may_write ? -EACCES : 0;
}

/* A file for shared memory, which somebody must still map. */
static uint32_t new_file(uint32_t pages)
{
	uint32_t i = 1;

	while (model.file[i].users)
		i++;
	model.file[i].pages = pages;
	return i;
}

static struct model_page page_wanted(const struct model_space *s, const struct mmap_request *r, uint32_t file)
{
	bool is_private = (r->flags & MAP_TYPE) == MAP_PRIVATE;
	struct model_page p = {.prot = r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
			       .flags = s->future | (is_private ? 0 : AREA_SHARED),
			       .file = file,
			       .index = file != NO_FILE ? r->offset : 0};

	p.flags |= is_private || file == NO_FILE || r->may_write ? AREA_MAY_WRITE : 0;
	p.flags |= r->flags & MAP_LOCKED ? AREA_LOCKED : 0;
	p.flags |= r->flags & MAP_NORESERVE && model.overcommit != OVERCOMMIT_NEVER ? AREA_NO_RESERVE : 0;
	return p;
}

int32_t model_mmap(struct model_space *s, const struct mmap_request *r, uint32_t file, bool changes)
{
	uint32_t pages = pages_of_bytes(r->length);
	struct model_page p = page_wanted(s, r, file);
	vpn_t first;
	int err = check_place(s, r, &first);

	if (!err)
		err = check_kind(r, file != NO_FILE);
	if (!err && !model_has_room(s, pages - mapped_in(s, PAGES(first, pages))))
		err = -ENOMEM;
	if (!err && p.prot & PROT_WRITE && !(p.flags & UNPROMISED)) {
		p.flags |= AREA_COMMITTED;
		err = model_may_commit(pages) ? 0 : -ENOMEM;
	}
	if (!err && file == NO_FILE && p.flags & AREA_SHARED && !(p.flags & AREA_NO_RESERVE))
		err = model_may_commit(pages) ? 0 : -ENOMEM;
	if (err || !changes)
		return err ? err : (int32_t)vaddr_of(first);
	if (file == NO_FILE && p.flags & AREA_SHARED) {
		p.file = new_file(pages);
		model.file[p.file].promised = p.flags & AREA_NO_RESERVE ? 0 : pages;
	}
	for (uint32_t i = 0; i < pages; i++, p.index += p.file != NO_FILE)
		model_put(s, first + i, p);
	if (r->flags & MAP_POPULATE || (p.flags & (AREA_LOCKED | AREA_ON_FAULT)) == AREA_LOCKED)
		model_populate_areas(s, PAGES(first, pages));
	return (int32_t)vaddr_of(first);
}

static void drop(struct model_space *s, vpn_t first, uint32_t pages)
{
	for (vpn_t v = first; v < first + pages; v++)
		if (page_slot(v) != NO_SLOT)
			model_forget(&s->page[page_slot(v)]);
}

int model_munmap(struct model_space *s, vaddr_t addr, uint32_t length, bool changes)
{
	if (addr % PAGE_SIZE || !length || (uint64_t)addr + length > vaddr_of(USER_VPN_END))
		return -EINVAL;
	if (changes)
		drop(s, vpn_of(addr), pages_of_bytes(length));
	return 0;
}

/* How far a protection can be given: up to a page that may not have it. */
struct reach {
	uint32_t pages, promises;
	int err; /* of the page that it stops at, or 0 */
};

static struct reach reach_of(struct model_space *s, struct pages range, uint32_t prot)
{
	struct reach r = {0, 0, 0};

	for (; r.pages < range.count; r.pages++) {
		const struct model_page *p = model_at(s, range.first + r.pages);

		if (!p)
			r.err = -ENOMEM;
		else if (prot & PROT_WRITE && !(p->flags & AREA_MAY_WRITE))
			r.err = -EACCES;
		if (r.err)
			break;
		r.promises += prot & PROT_WRITE && !(p->flags & UNPROMISED);
	}
	return r;
}

static void protect(struct model_space *s, struct pages range, uint32_t prot)
{
	for (vpn_t v = range.first; v < range.first + range.count; v++) {
		struct model_page *p = model_at(s, v);

		if (prot & PROT_WRITE && !(p->flags & UNPROMISED))
			p->flags |= AREA_COMMITTED;
		p->prot = prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
	}
}

int model_mprotect(struct model_space *s, vaddr_t addr, uint32_t length, uint32_t prot, bool changes)
{
	struct pages range = PAGES(vpn_of(addr), pages_of_bytes(length));
	const struct model_page *p = model_at(s, range.first);
	struct reach r;

	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (!length)
		return 0;
	if (prot & PROT_GROWSDOWN) {
		/* In a hole Linux takes the area above; the target asks for it in areas only. */
		if (!p || !(p->flags & AREA_GROWS_DOWN))
			return p ? -EINVAL : -ENOMEM;
		range.count += range.first - model_run_first(s, range.first);
		range.first = model_run_first(s, range.first);
	}
	r = reach_of(s, range, prot);
	if (r.promises && !model_may_commit(r.promises))
		return -ENOMEM;
	if (changes)
		protect(s, PAGES(range.first, r.pages), prot);
	return r.err;
}

/* One mremap, in pages. */
struct remap {
	const struct mremap_request *r;
	struct model_page like; /* the first of the old pages */
	vpn_t old;
	uint32_t old_pages, pages, stay; /* stay: those of the old ones that there will be */
};

/* What is left behind is not locked, with all of its area. */
static void unlock_area(struct model_space *s, vpn_t at)
{
	vpn_t first = at, end = model_run_end(s, at);

	while (model_at(s, first - 1) && model_run_end(s, first - 1) == end)
		first--;
	for (vpn_t v = first; v < end; v++)
		model_at(s, v)->flags &= ~(uint32_t)(AREA_LOCKED | AREA_ON_FAULT);
}

/* Takes pages to another place, where the last ones may be new, and leaves an empty area behind or none. */
static void move(struct model_space *s, const struct remap *w, vpn_t to)
{
	struct model_page moved[SLOTS];
	uint32_t file = w->like.file;

	for (uint32_t i = 0; i < w->pages; i++) {
		moved[i] = w->like;
		moved[i].index += file != NO_FILE ? i : 0;
		moved[i].own = i < w->old_pages ? s->page[page_slot(w->old + i)].own : 0;
		if (moved[i].own)
			model.copy[moved[i].own].users++;
	}
	if (file != NO_FILE)
		model.file[file].users++; /* until it is mapped again */
	drop(s, to, w->pages);
	for (uint32_t i = 0; i < w->old_pages && w->r->flags & MREMAP_DONTUNMAP; i++)
		model_own(model_at(s, w->old + i), 0);
	if (w->r->flags & MREMAP_DONTUNMAP)
		unlock_area(s, w->old);
	else
		drop(s, w->old, w->old_pages);
	for (uint32_t i = 0; i < w->pages; i++) {
		if (moved[i].own)
			model.copy[moved[i].own].users--;
		if (page_slot(to + i) == NO_SLOT)
			continue;
		model_put(s, to + i, moved[i]);
		model_own(&s->page[page_slot(to + i)], moved[i].own);
	}
	if (file != NO_FILE && !--model.file[file].users && file)
		memset(&model.file[file], 0, sizeof(model.file[0]));
}

static bool is_locked(const struct model_page *p)
{
	return (p->flags & (AREA_LOCKED | AREA_ON_FAULT)) == AREA_LOCKED;
}

static int check_growth(const struct model_space *s, const struct remap *w)
{
	uint32_t more = w->r->flags & MREMAP_DONTUNMAP ? w->pages : w->pages - w->stay;
	uint32_t gone = w->r->flags & MREMAP_FIXED ? mapped_in(s, PAGES(vpn_of(w->r->fixed), w->pages)) : 0;

	if (!w->old_pages && !(w->like.flags & AREA_SHARED))
		return -EINVAL;
	if (w->stay > model_run_end(s, w->old) - w->old)
		return -EFAULT;
	if (w->like.file != NO_FILE && w->like.index + w->pages < w->like.index)
		return -EINVAL;
	return model_has_room(s, more - gone) ? 0 : -ENOMEM;
}

static int check_promise(const struct remap *w)
{
	uint32_t more = w->r->flags & MREMAP_DONTUNMAP ? w->pages : w->pages - w->stay;

	return w->like.flags & AREA_COMMITTED && !model_may_commit(more) ? -ENOMEM : 0;
}

static int check_fixed(const struct remap *w)
{
	vpn_t to = vpn_of(w->r->fixed);

	if (w->r->fixed % PAGE_SIZE)
		return -EINVAL;
	if (!(w->r->flags & MREMAP_FIXED))
		return 0;
	if (to + w->pages > USER_VPN_END || (w->old + w->old_pages > to && to + w->pages > w->old))
		return -EINVAL;
	if (to == w->old)
		return -EFAULT; /* doubled onto itself: what was to be doubled is gone */
	return to ? 0 : -EPERM;
}

/* To a place that is named, or with an empty area left behind. */
static int32_t remap_to(struct model_space *s, const struct remap *w, bool changes)
{
	vpn_t to = vpn_of(w->r->fixed);
	int err = check_fixed(w);

	if (!err)
		err = check_growth(s, w);
	if (!err)
		err = check_promise(w);
	if (err)
		return err;
	if (!(w->r->flags & MREMAP_FIXED))
		to = find_place(s, w->r->fixed, w->pages);
	if (!changes)
		return (int32_t)vaddr_of(to);
	move(s, w, to);
	if (is_locked(&w->like))
		model_populate_areas(s, PAGES(to, w->pages));
	return (int32_t)vaddr_of(to);
}

static int32_t remap_larger(struct model_space *s, const struct remap *w, bool changes)
{
	uint32_t more = w->pages - w->old_pages;
	vpn_t end = w->old + w->old_pages, to = w->old;
	bool stays = w->old_pages && model_run_end(s, w->old) == end && is_free(s, PAGES(end, more));
	int err = check_growth(s, w);

	if (!err && !stays && !(w->r->flags & MREMAP_MAYMOVE))
		err = -ENOMEM;
	if (!err)
		err = check_promise(w);
	if (err)
		return err;
	to = stays ? w->old : find_place(s, 0, w->pages);
	if (!changes)
		return (int32_t)vaddr_of(to);
	if (stays) {
		struct model_page like = *model_at(s, end - 1);

		for (vpn_t v = end; v < end + more; v++) {
			like.index += like.file != NO_FILE;
			model_put(s, v, like);
		}
	} else {
		move(s, w, to);
	}
	if (is_locked(&w->like))
		model_populate_areas(s, PAGES(to + w->old_pages, more));
	return (int32_t)vaddr_of(to);
}

static int check_flags(const struct mremap_request *r)
{
	bool keeps = r->flags & MREMAP_DONTUNMAP;

	if (r->flags & ~(uint32_t)(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((r->flags & MREMAP_FIXED || keeps) && !(r->flags & MREMAP_MAYMOVE))
		return -EINVAL;
	return (keeps && r->old_length != r->length) || r->old % PAGE_SIZE || !r->length ? -EINVAL : 0;
}

int32_t model_mremap(struct model_space *s, const struct mremap_request *r, bool changes)
{
	struct remap w = {.r = r, .old = vpn_of(r->old)};
	int err = check_flags(r);

	if (err)
		return err;
	if (!model_at(s, w.old))
		return -EFAULT;
	w.like = *model_at(s, w.old);
	w.old_pages = pages_of_bytes(r->old_length);
	w.pages = pages_of_bytes(r->length);
	w.stay = w.old_pages < w.pages ? w.old_pages : w.pages;
	if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return remap_to(s, &w, changes);
	if (w.old_pages < w.pages)
		return remap_larger(s, &w, changes);
	if (changes)
		drop(s, w.old + w.pages, w.old_pages - w.pages);
	return (int32_t)r->old;
}

vaddr_t model_brk(struct model_space *s, vaddr_t addr, bool changes)
{
	vpn_t now = vpn_of(s->brk + PAGE_SIZE - 1), then = vpn_of(addr + PAGE_SIZE - 1);
	struct model_page p = {.prot = PROT_READ | PROT_WRITE,
			       .flags = AREA_MAY_WRITE | AREA_COMMITTED | s->future,
			       .file = NO_FILE};

	if (addr < s->brk_start)
		return s->brk;
	if (then > now && (!is_free(s, PAGES(now, then - now + 1)) || !model_has_room(s, then - now) ||
			   !model_may_commit(then - now)))
		return s->brk;
	if (!changes)
		return addr;
	s->brk = addr;
	for (vpn_t v = now; v < then; v++)
		model_put(s, v, p);
	if (then > now && is_locked(&p))
		model_populate_areas(s, PAGES(now, then - now));
	if (then < now)
		drop(s, then, now - then);
	return addr;
}

/* A hole in a file: its pages are gone, copies of them stay. */
static void punch(const struct model_page *p)
{
	struct model_file *f = &model.file[p->file];

	if (p->index < f->pages) {
		f->in_cache[p->index] = false;
		f->word[p->index] = 0;
	}
}

static int advise_flags(struct model_page *p, int advice)
{
	if (advice == MADV_WIPEONFORK && (p->file != NO_FILE || p->flags & AREA_SHARED))
		return -EINVAL;
	if (advice == MADV_DONTFORK)
		p->flags |= AREA_NO_FORK;
	if (advice == MADV_DOFORK)
		p->flags &= ~(uint32_t)AREA_NO_FORK;
	if (advice == MADV_WIPEONFORK)
		p->flags |= AREA_WIPE;
	if (advice == MADV_KEEPONFORK)
		p->flags &= ~(uint32_t)AREA_WIPE;
	return 0;
}

static int advise(struct model_page *p, int advice)
{
	int err;

	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		if (p->flags & AREA_LOCKED && advice != MADV_DONTNEED_LOCKED)
			return -EINVAL;
		if (advice == MADV_FREE && p->file != NO_FILE)
			return -EINVAL;
		model_own(p, 0);
		return 0;
	case MADV_REMOVE:
		if (p->flags & AREA_LOCKED || p->file == NO_FILE)
			return -EINVAL;
		if (!(p->flags & AREA_SHARED) || !(p->prot & PROT_WRITE))
			return -EACCES;
		punch(p);
		return 0;
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		if (advice == MADV_POPULATE_WRITE ? !(p->prot & PROT_WRITE) : !p->prot)
			return -EINVAL;
		err = model_touch(p, advice == MADV_POPULATE_WRITE, NULL);
		return err == -ENXIO ? -EFAULT : err;
	default:
		return advise_flags(p, advice);
	}
}

int model_madvise(struct model_space *s, struct pages range, int advice)
{
	bool hole = false;

	for (vpn_t v = range.first; v < range.first + range.count; v++) {
		struct model_page *p = model_at(s, v);
		int err = p ? advise(p, advice) : 0;

		hole |= !p;
		if (err)
			return err;
	}
	return hole ? -ENOMEM : 0;
}

static void set_lock(struct model_page *p, uint32_t flags)
{
	p->flags = (p->flags & ~(uint32_t)(AREA_LOCKED | AREA_ON_FAULT)) | flags;
}

/* Locks up to the first hole; then, all being locked, brings it in. */
int model_lock(struct model_space *s, struct pages range, uint32_t flags)
{
	vpn_t end = range.first + range.count;

	for (vpn_t v = range.first; v < end; v++) {
		if (!model_at(s, v))
			return -ENOMEM;
		set_lock(model_at(s, v), flags);
	}
	for (vpn_t v = range.first; v < end && flags == AREA_LOCKED; v++) {
		struct model_page *p = model_at(s, v);

		if (!p->prot || model_touch(p, p->prot & PROT_WRITE && !(p->flags & AREA_SHARED), NULL))
			return -ENOMEM;
	}
	return 0;
}

int model_lockall(struct model_space *s, uint32_t flags)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		if (s->page[i].mapped)
			set_lock(&s->page[i], flags);
	if (flags == AREA_LOCKED)
		for (uint32_t i = 0; i < MODEL_WINDOWS; i++)
			model_populate_areas(s, model_window[i]);
	return 0;
}

int model_msync(const struct model_space *s, struct pages range, int flags)
{
	bool hole = false;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	for (vpn_t v = range.first; v < range.first + range.count; v++) {
		const struct model_page *p = &s->page[page_slot(v)];

		hole |= !p->mapped;
		if (p->mapped && flags & MS_INVALIDATE && p->flags & AREA_LOCKED)
			return -EBUSY;
	}
	return hole ? -ENOMEM : 0;
}
