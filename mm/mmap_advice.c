/*
 * mm/mmap_advice.c - madvise, msync, mincore and the mlock family: what is said about pages that are mapped already.
 * Nothing is ever paged out and the page cache is the file, so most of it needs little. Owns nothing. Lock: none.
 */
#include <mm/fault.h>
#include <mm/mmap.h>
#include <mm/pgtable_run.h>

/* What is done to one area's part of a range. */
typedef int visit_t(struct space *s, struct area *a, struct pages part, int arg);

/* Calls visit for what of a range is in each area; stops and returns its first error. Holes: -ENOMEM at the end. */
static int each_part(struct space *s, struct pages range, visit_t *visit, int arg)
{
	vpn_t end = range.first + range.count, at = range.first;
	bool hole = false;
	int err = 0;

	while (at < end && !err) {
		struct area *a = space_find(s, at);
		vpn_t last;

		if (!a || a->first >= end)
			break;
		hole |= a->first > at;
		at = a->first > at ? a->first : at;
		last = a->end < end ? a->end : end;
		err = visit(s, a, PAGES(at, last - at), arg);
		at = last;
	}
	if (err)
		return err;
	return hole || at < end ? -ENOMEM : 0;
}

static int dontneed(struct space *s, struct area *a, struct pages part, int advice)
{
	if (a->flags & AREA_LOCKED && advice != MADV_DONTNEED_LOCKED)
		return -EINVAL;
	if (advice == MADV_FREE && (a->file || a->flags & AREA_SHARED))
		return -EINVAL;
	deallocuvm(s, part);
	return 0;
}

static int change_flags(struct space *s, struct area *a, struct pages part, int advice)
{
	struct area_change c = {0};

	switch (advice) {
	case MADV_DONTFORK:
		c.set = AREA_NO_FORK;
		break;
	case MADV_DOFORK:
		c.clear = AREA_NO_FORK;
		break;
	case MADV_WIPEONFORK:
		if (a->file || a->flags & AREA_SHARED)
			return -EINVAL;
		c.set = AREA_WIPE;
		break;
	default:
		c.clear = AREA_WIPE;
		break;
	}
	return space_change(s, part, &c);
}

static int populate(struct space *s, struct area *a, struct pages part, int advice)
{
	int err;

	if (advice == MADV_POPULATE_WRITE ? !(a->prot & PROT_W) : !a->prot)
		return -EINVAL;
	err = fault_populate(s, part, advice == MADV_POPULATE_WRITE);
	return err == -ENXIO ? -EFAULT : err;
}

static int remove_pages(struct space *s, struct area *a, struct pages part, int advice)
{
	(void)s;
	(void)advice;
	if (a->flags & AREA_LOCKED || !a->file)
		return -EINVAL;
	if (!(a->flags & AREA_SHARED) || !(a->prot & PROT_W))
		return -EACCES;
	mapping_punch(a->file, a->offset + (part.first - a->first), part.count);
	return 0;
}

static int nothing(struct space *s, struct area *a, struct pages part, int advice)
{
	(void)s;
	(void)a;
	(void)part;
	(void)advice;
	return 0;
}

/* Returns what does what is advised; null for what nobody can advise. */
static visit_t *advised(int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return dontneed;
	case MADV_REMOVE:
		return remove_pages;
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
		return change_flags;
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return populate;
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return nothing;
	default:
		return NULL;
	}
}

/*
 * Turns bytes into pages of the address space. 1: there are none; -1: they leave it. As Linux rounds: the last page of
 * 4 GiB and what would lie behind it are none.
 */
static int range_of(vaddr_t addr, uint32_t length, struct pages *range)
{
	*range = PAGES(vpn_of(addr), (length + PAGE_SIZE - 1) >> PAGE_SHIFT);
	if (range->count >= ARCH_VPN_END - range->first)
		return -1;
	return !range->count;
}

int space_madvise(struct space *s, vaddr_t addr, uint32_t length, int advice)
{
	visit_t *visit = advised(advice);
	struct pages range;
	int none;

	if (!visit || addr % PAGE_SIZE)
		return -EINVAL;
	none = range_of(addr, length, &range);
	if (none)
		return length ? -EINVAL : 0;
	return each_part(s, range, visit, advice);
}

static int sync_part(struct space *s, struct area *a, struct pages part, int flags)
{
	(void)s;
	(void)part;
	return flags & MS_INVALIDATE && a->flags & AREA_LOCKED ? -EBUSY : 0;
}

int space_msync(struct space *s, vaddr_t addr, uint32_t length, int flags)
{
	struct pages range;
	int none;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || addr % PAGE_SIZE ||
	    (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	none = range_of(addr, length, &range);
	if (none)
		return none < 0 ? -ENOMEM : 0;
	return each_part(s, range, sync_part, flags);
}

/* True when a page needs no reading from anywhere. */
static bool is_in_core(const struct space *s, const struct area *a, vpn_t v)
{
	pfn_t f = NO_FRAME;

	if (!arch_pte_is_none(get_ptbl_entry_by_va(&s->pd, vaddr_of(v))))
		return true;
	if (a->file)
		mapping_page(a->file, a->offset + (v - a->first), false, &f);
	return f.n;
}

int space_mincore(struct space *s, vaddr_t addr, uint32_t pages, uint8_t *vec)
{
	vpn_t first = vpn_of(addr);

	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (first > USER_VPN_END || pages > USER_VPN_END - first)
		return -ENOMEM;
	for (uint32_t i = 0; i < pages; i++) {
		const struct area *a = space_find(s, first + i);

		if (!a || a->first > first + i)
			return -ENOMEM;
		vec[i] = is_in_core(s, a, first + i);
	}
	return 0;
}

/* Locks or unlocks one part. */
static int lock_part(struct space *s, struct area *a, struct pages part, int flags)
{
	const struct area_change c = {.set = (uint32_t)flags, .clear = AREA_LOCKED | AREA_ON_FAULT};

	(void)a;
	return space_change(s, part, &c);
}

/* Finds the end of the areas that follow a page without a hole. */
static vpn_t end_of_run(struct space *s, struct pages range)
{
	vpn_t end = range.first + range.count, at = range.first;

	while (at < end) {
		const struct area *a = space_find(s, at);

		if (!a || a->first > at)
			return at;
		at = a->end;
	}
	return end;
}

/* mlock's bytes: from the page that they begin in to that in which they end. */
static int lock_range(vaddr_t addr, uint32_t length, struct pages *range)
{
	uint32_t offset = addr % PAGE_SIZE;

	return range_of(addr - offset, length + offset, range);
}

/* As Linux: all up to the first hole is locked, and then the hole reported. */
static int lock_some(struct space *s, struct pages range, int flags)
{
	vpn_t end = end_of_run(s, range);
	int err = 0;

	if (end > range.first)
		err = each_part(s, PAGES(range.first, end - range.first), lock_part, flags);
	if (!err && end < range.first + range.count)
		err = -ENOMEM;
	return err;
}

/* Brings in what was locked. Linux's errors: what cannot be touched is -ENOMEM, what there is no memory for -EAGAIN. */
static int fill_locked(struct space *s, struct area *a, struct pages part, int flags)
{
	int err;

	(void)flags;
	if (!a->prot)
		return -ENOMEM;
	err = fault_populate(s, part, a->prot & PROT_W && !(a->flags & AREA_SHARED));
	if (!err)
		return 0;
	return err == -ENOMEM ? -EAGAIN : -ENOMEM;
}

int space_mlock(struct space *s, vaddr_t addr, uint32_t length, int flags)
{
	struct pages range;
	int none, err;

	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	none = lock_range(addr, length, &range);
	if (none)
		return none < 0 ? -EINVAL : 0;
	err = lock_some(s, range, AREA_LOCKED | (flags & MLOCK_ONFAULT ? AREA_ON_FAULT : 0));
	if (!err && !(flags & MLOCK_ONFAULT))
		err = each_part(s, range, fill_locked, 0);
	return err;
}

int space_munlock(struct space *s, vaddr_t addr, uint32_t length)
{
	struct pages range;
	int none = lock_range(addr, length, &range);

	if (none < 0)
		return -EINVAL;
	return none ? 0 : lock_some(s, range, 0);
}

static void lock_all(struct space *s, int flags)
{
	struct area_change c = {.set = (uint32_t)flags, .clear = AREA_LOCKED | AREA_ON_FAULT};

	/* Whole areas are never split, so this takes no node and cannot fail. */
	space_change(s, PAGES(USER_FIRST_VPN, USER_VPN_END - USER_FIRST_VPN), &c);
}

int space_mlockall(struct space *s, int flags)
{
	int locks = AREA_LOCKED | (flags & MCL_ONFAULT ? AREA_ON_FAULT : 0);

	if (!flags || flags == MCL_ONFAULT || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return -EINVAL;
	s->future_flags = flags & MCL_FUTURE ? (uint32_t)locks : 0;
	if (!(flags & MCL_CURRENT))
		return 0;
	lock_all(s, locks);
	if (!(flags & MCL_ONFAULT))
		space_populate(s, PAGES(USER_FIRST_VPN, USER_VPN_END - USER_FIRST_VPN));
	return 0;
}

int space_munlockall(struct space *s)
{
	s->future_flags = 0;
	lock_all(s, 0);
	return 0;
}
