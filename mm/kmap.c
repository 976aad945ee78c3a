/*
 * mm/kmap.c - the kernel's map. Owns the kernel half of every directory, the identity tables, kernel stacks and
 * device windows. Lock: kmap_lock for stacks and windows; the rest is made once, while one processor boots.
 *
 *	0xFFFFFFFF  +--------------------------------+
 *	            | windows onto high frames       |  KMAP_WINDOW_VPN
 *	            +--------------------------------+
 *	            | devices, uncached              |  KMAP_DEVICE_VPN
 *	            +--------------------------------+
 *	            | kernel stacks, each above a    |
 *	            | page that is never mapped      |  KMAP_STACK_VPN     0xF8000000
 *	            +--------------------------------+
 *	            | frame descriptors, those of    |
 *	            | what is no RAM all the same    |
 *	            | frame of zeroes, read-only     |  ARCH_DESC_VPN
 *	            +--------------------------------+
 *	            | direct map of low memory:      |
 *	            | V = P + 0xC0000000, RAM only,  |
 *	            | large pages beyond 4 MiB       |
 *	            |   data, bss        rw-         |
 *	            |   read-only data   r--         |
 *	            |   text             r-x         |
 *	            |   boot-only part   rw-         |  0xC0100000
 *	            | (frame 0 is not mapped)        |  ARCH_KERNEL_VPN    0xC0000000
 *	            +--------------------------------+
 *	            | user part                      |
 *	0x00001000  +--------------------------------+
 *	            | never mapped                   |
 *	0x00000000  +--------------------------------+
 */
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <arch/pte_store.h>
#include <lib/panic.h>
#include <mm/boot_alloc.h>
#include <mm/kmap.h>

#define RO      (PROT_R | PROT_GLOBAL)
#define RW      (PROT_R | PROT_W | PROT_GLOBAL)
#define RX      (PROT_R | PROT_X | PROT_GLOBAL)
#define SPAN    ARCH_PT_SPAN(1)
#define SPANS   (ARCH_KERNEL_VPN / SPAN) /* of the user part */
#define SLOT    (KSTACK_PAGES + 1)       /* a stack with its guard page */
#define STACKS  (KMAP_STACK_PAGES / SLOT)
#define NO_SLOT STACKS

struct lock kmap_lock = LOCK_INIT("kmap", LOCK_KMAP);
struct pdir identity_pdir;

static struct {
	pfn_t identity
		[SPANS]; /* page table of a span of the identity map; NO_FRAME: a large page, or nothing */
	uint32_t desc_pages;                 /* of frame descriptors, mapped */
	pfn_t no_ram;                        /* the one frame of descriptors for all that is no RAM */
	uint32_t stacks[(STACKS + 31) / 32]; /* bit set: in use */
	uint32_t device_count;
	struct kregion device[KMAP_DEVICES];
} kmap;

/* The parts of the image, in order. All other RAM is data, and so are suites that nobody wanted. */
struct part {
	const char *name;
	pfn_t end;
	prot_t prot;
};

static struct part part_of(pfn_t f)
{
	struct arch_image image = arch_image();
	const struct part parts[] = {
		{"memory below the image", image.boot, RW},
		{"boot-only part", image.suite_text, RW},
		{"suites' text", image.text, RX},
		{"text", image.rodata, RX},
		{"read-only data", image.data, RO},
		{"data", image.suite_rodata, RW},
		{"suites' read-only data", image.suite_data, RO},
		{"suites' data", image.end, RW},
		{"direct map of RAM", PFN(ARCH_DIRECT_PAGES), RW},
	};
	const struct part *p = parts, *other = &parts[ARRAY_SIZE(parts) - 1];

	while (p < other && f.n >= p->end.n)
		p++;
	if (p == parts || memmap_kind(boot_memmap(), f) == MEM_KERNEL)
		return *p;
	return (struct part){other->name, p->end, other->prot};
}

void kmap_claim_image(struct memmap *m, bool suites)
{
	struct arch_image image = arch_image();

	memmap_set(m, image.boot, image.suite_text.n - image.boot.n, MEM_KERNEL);
	memmap_set(m, image.text, image.suite_rodata.n - image.text.n, MEM_KERNEL);
	if (!suites)
		return;
	memmap_set(m, image.suite_text, image.text.n - image.suite_text.n, MEM_KERNEL);
	memmap_set(m, image.suite_rodata, image.end.n - image.suite_rodata.n, MEM_KERNEL);
}

/* Stores the run of RAM in the direct map that ends behind frame n, from n on. */
static bool ram_run(uint32_t n, struct pages *out)
{
	const struct memmap *m = boot_memmap();
	uint64_t at = paddr_of(PFN(n)).a, limit = (uint64_t)ARCH_DIRECT_PAGES << PAGE_SHIFT;
	uint64_t from = 0, to = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		struct mem_range r = memmap_range(m, i);
		uint64_t end = r.end && r.end < limit ? r.end : limit; /* 0 stands for 2^64 */

		if (end <= at)
			continue;
		if (mem_kind_is_ram(r.kind)) {
			from = to ? from : r.start;
			to = end;
		} else if (to) {
			break;
		}
	}
	if (from < at)
		from = at;
	if (from >= to)
		return false;
	*out = PAGES((uint32_t)(from >> PAGE_SHIFT), (uint32_t)((to - from) >> PAGE_SHIFT));
	return true;
}

/* RAM, cut where the image's parts begin and end. Frame 0 is left out. */
static bool direct_region(uint32_t n, struct kregion *out)
{
	struct pages run;
	struct part part;

	if (!ram_run(n ? n : 1, &run))
		return false;
	part = part_of(PFN(run.first));
	if (run.first + run.count > part.end.n)
		run.count = part.end.n - run.first;
	*out = (struct kregion){part.name, PAGES(ARCH_KERNEL_VPN + run.first, run.count), PFN(run.first),
				part.prot | PROT_LARGE};
	return true;
}

static bool page_describes_ram(uint32_t page)
{
	return !memmap_no_ram(boot_memmap(), PFN(page * DESC_IN_PAGE), DESC_IN_PAGE);
}

/* Returns where the run of descriptor pages ends that `page` is in: all of them for RAM, or none. */
static uint32_t desc_run_end(uint32_t page, uint32_t pages)
{
	bool ram = page_describes_ram(page);

	while (++page < pages && page_describes_ram(page) == ram)
		;
	return page;
}

static bool desc_region(vpn_t v, struct kregion *out)
{
	uint32_t page = v > ARCH_DESC_VPN ? v - ARCH_DESC_VPN : 0;
	uint32_t end;

	if (page >= kmap.desc_pages)
		return false;
	end = desc_run_end(page, kmap.desc_pages);
	*out = (struct kregion){"frame descriptors", PAGES(ARCH_DESC_VPN + page, end - page), NO_FRAME, RW};
	if (!page_describes_ram(page)) {
		out->name = "descriptors of no RAM";
		out->prot = RO;
	}
	return true;
}

static bool stack_in_use(uint32_t slot)
{
	return kmap.stacks[slot / 32] >> slot % 32 & 1;
}

static void stack_mark(uint32_t slot)
{
	kmap.stacks[slot / 32] ^= 1u << slot % 32;
}

/* First page of a slot's stack; the page below is the guard. */
static vpn_t stack_page(uint32_t slot)
{
	return KMAP_STACK_VPN + slot * SLOT + 1;
}

static bool stack_region(vpn_t v, struct kregion *out)
{
	for (uint32_t slot = v > KMAP_STACK_VPN ? (v - KMAP_STACK_VPN) / SLOT : 0; slot < STACKS; slot++) {
		if (!stack_in_use(slot))
			continue;
		*out = (struct kregion){"kernel stack", PAGES(stack_page(slot), KSTACK_PAGES), NO_FRAME,
					RW | PROT_OWNED};
		return true;
	}
	return false;
}

bool kmap_region(vpn_t v, struct kregion *out)
{
	if (direct_region(v < ARCH_KERNEL_VPN ? 0 : v - ARCH_KERNEL_VPN, out) || desc_region(v, out) ||
	    stack_region(v, out))
		return true;
	for (uint32_t i = 0; i < kmap.device_count; i++) {
		*out = kmap.device[i];
		if (out->range.first + out->range.count > v)
			return true;
	}
	return false;
}

static int map_direct(struct pdir *pd)
{
	struct kregion r;
	uint32_t n = 0;
	int err = 0;

	while (!err && direct_region(n, &r)) {
		err = map_region(pd, r.range, r.first, r.prot);
		n = r.first.n + r.range.count;
	}
	return err;
}

static uint32_t desc_pages_wanted(void)
{
	return frame_table_end() / DESC_IN_PAGE;
}

/* Root entries are shared by value, so the tables of stacks, devices and windows are there from the start. */
static int make_tables(struct pdir *pd)
{
	int err = alloc_ptbl(pd, vaddr_of(KMAP_WINDOW_VPN));

	for (vpn_t v = KMAP_STACK_VPN; v < KMAP_DEVICE_VPN + KMAP_DEVICE_PAGES && !err; v += SPAN)
		err = alloc_ptbl(pd, vaddr_of(v));
	return err;
}

/* Descriptors come into kernel_pdir first, when paging is on; stacks and devices come into it alone. */
static int copy_descriptors(struct pdir *pd)
{
	int err = 0;

	for (vpn_t v = ARCH_DESC_VPN; v < ARCH_DESC_VPN + kmap.desc_pages && !err; v++) {
		pte_t e = get_ptbl_entry_by_va(&kernel_pdir, vaddr_of(v));

		err = map_page(pd, v, arch_pte_pfn(e), page_describes_ram(v - ARCH_DESC_VPN) ? RW : RO);
	}
	return err;
}

int kvm_init(struct pdir *pd)
{
	int err = pdir_init_bare(pd, CONTAINER_ROOT);

	if (err)
		return err;
	err = map_direct(pd);
	if (!err)
		err = make_tables(pd);
	if (!err)
		err = copy_descriptors(pd);
	if (err)
		vm_free(pd);
	else if (pd == &kernel_pdir)
		arch_window_init(pgdir_walk(pd, KMAP_WINDOW_VPN, 0, NULL).entry);
	return err;
}

/* Takes frames for up to `pages` pages of descriptors, as many in a row as there are; high ones before low ones. */
static pfn_t desc_frames(uint32_t *pages)
{
	for (; *pages; *pages /= 2) {
		pfn_t f = boot_alloc_high(*pages);

		if (!f.n)
			f = boot_alloc_frames(*pages);
		if (f.n)
			return f;
	}
	return NO_FRAME;
}

/* Maps the one page of zeroes as descriptor pages [page, page + count). */
static int map_no_ram(struct pdir *pd, uint32_t page, uint32_t count)
{
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++)
		err = map_page(pd, ARCH_DESC_VPN + page + i, kmap.no_ram, RO);
	return err;
}

/* Makes and maps descriptor pages [page, page + *count) of RAM; *count falls to what came in a row. */
static int map_ram(struct pdir *pd, uint32_t page, uint32_t *count)
{
	pfn_t f = desc_frames(count);
	int err;

	if (!f.n)
		return -ENOMEM;
	for (uint32_t i = 0; i < *count; i++)
		arch_frame_zero(PFN(f.n + i));
	err = map_region(pd, PAGES(ARCH_DESC_VPN + page, *count), f, RW);
	if (err)
		boot_free_frames(f, *count);
	return err;
}

/* Gives the frames of the descriptors before a page back and unmaps all; nobody has looked at them yet. */
static void drop_descriptors(struct pdir *pd, uint32_t end)
{
	struct tlb_batch b;

	for (uint32_t page = 0; page < end; page++)
		if (page_describes_ram(page))
			boot_free_frames(
				arch_pte_pfn(get_ptbl_entry_by_va(pd, vaddr_of(ARCH_DESC_VPN + page))), 1);
	tlb_begin(&b, pd->root);
	unmap_region(pd, PAGES(ARCH_DESC_VPN, desc_pages_wanted()), &b);
	tlb_finish(&b);
	boot_free_frames(kmap.no_ram, 1);
}

int kmap_descriptors(struct pdir *pd)
{
	uint32_t pages = desc_pages_wanted();
	uint32_t count = 1;
	int err;

	kmap.no_ram = desc_frames(&count);
	if (!kmap.no_ram.n)
		return -ENOMEM;
	arch_frame_zero(kmap.no_ram);
	for (uint32_t page = 0; page < pages; page += count) {
		count = desc_run_end(page, pages) - page;
		err = page_describes_ram(page) ? map_ram(pd, page, &count) : map_no_ram(pd, page, count);
		if (err) {
			drop_descriptors(pd, page);
			return err;
		}
	}
	kmap.desc_pages = pages;
	return 0;
}

/* What is no RAM may be of several memory types within one large page: only an uncached one may map it so (SDM 3A,
 * "Large Page Size Considerations"). */
prot_t kmap_identity_prot(pfn_t f)
{
	return (part_of(f).prot & ~PROT_GLOBAL) | (memmap_all_ram(boot_memmap(), f, 1) ? 0 : PROT_NOCACHE);
}

/* What a span of the identity map needs: a table, unless one large page or nothing does as well. */
static bool needs_table(const struct memmap *m, uint32_t span)
{
	pfn_t first = PFN(span * SPAN);

	if (!arch_pte_leaf_ok(1))
		return !memmap_no_ram(m, first, SPAN);
	if (first.n < ARCH_NO_LARGE_END)
		return true;
	return !memmap_all_ram(m, first, SPAN) && !memmap_no_ram(m, first, SPAN);
}

/* Page 0 stays unmapped. Without large pages, only RAM is mapped. */
static void fill_identity(pfn_t table, uint32_t span)
{
	pte_t *entry = arch_frame_direct(table);

	for (uint32_t i = 0; i < SPAN; i++) {
		pfn_t f = PFN(span * SPAN + i);

		if (f.n && (arch_pte_leaf_ok(1) || memmap_all_ram(boot_memmap(), f, 1)))
			arch_pte_write(&entry[i], arch_pte_leaf(0, f, kmap_identity_prot(f)));
	}
}

/* Gives back the tables of the spans before `end`. */
static void free_identity(uint32_t end)
{
	for (uint32_t span = 0; span < end; span++) {
		if (kmap.identity[span].n)
			frame_put(kmap.identity[span]);
		kmap.identity[span] = NO_FRAME;
	}
}

uint32_t idptbl_frames(const struct memmap *m)
{
	uint32_t sum = 0;

	for (uint32_t span = 0; span < SPANS; span++)
		sum += needs_table(m, span);
	return sum;
}

int idptbl_init(void)
{
	for (uint32_t span = 0; span < SPANS; span++) {
		if (!needs_table(boot_memmap(), span))
			continue;
		if (frame_alloc(ALLOC_TABLE | ALLOC_ZERO, &kmap.identity[span])) {
			free_identity(span);
			return -ENOMEM;
		}
		fill_identity(kmap.identity[span], span);
	}
	return 0;
}

/* The identity map's entry for a span. A table in it counts one reference more. */
static int identity_entry(uint32_t span, pte_t *out)
{
	pfn_t table = kmap.identity[span];
	pfn_t f = PFN(span * SPAN);

	*out = arch_pte_none();
	if (table.n) {
		*out = arch_pte_table(1, table);
		return frame_get(table);
	}
	if (arch_pte_leaf_ok(1))
		*out = arch_pte_leaf(1, f, kmap_identity_prot(f));
	return 0;
}

int set_pdir_entry_identity(struct pdir *pd, vaddr_t va, struct tlb_batch *b)
{
	pte_t old = get_pdir_entry_by_va(pd, va);
	pte_t new;
	int err;

	if (vpn_of(va) >= ARCH_KERNEL_VPN)
		return -EPERM;
	err = identity_entry(vpn_of(va) / SPAN, &new);
	if (err)
		return err;
	if (arch_pte_kind(1, old) != PTE_NONE)
		err = rmv_pdir_entry_by_va(pd, va, b);
	if (err)
		goto in_the_way;
	if (arch_pte_kind(1, old) == PTE_TABLE)
		tlb_put_table_later(b, arch_pte_pfn(old));
	arch_pte_write(pgdir_walk(pd, vpn_of(va), 1, NULL).entry, new);
	pd->shares_identity = true;
	return 0;
in_the_way:
	if (arch_pte_kind(1, new) == PTE_TABLE)
		frame_put(arch_pte_pfn(new));
	return err;
}

int pdir_init_kern(struct pdir *pd)
{
	struct tlb_batch b;
	int err = pdir_init(pd, CONTAINER_ROOT);

	if (err)
		return err;
	tlb_begin(&b, pd->root);
	for (vpn_t v = 0; v < ARCH_KERNEL_VPN && !err; v += SPAN)
		err = set_pdir_entry_identity(pd, vaddr_of(v), &b);
	if (err)
		vm_free(pd);
	return err;
}

uint32_t kmap_release_boot(void)
{
	struct arch_image image = arch_image();

	return free_range(paddr_of(image.boot), paddr_of(image.suite_text));
}

static uint32_t find_stack_slot(void)
{
	for (uint32_t slot = 0; slot < STACKS; slot++)
		if (!stack_in_use(slot))
			return slot;
	return NO_SLOT;
}

static int map_stack_page(vpn_t v)
{
	pfn_t f;
	int err = frame_alloc(ALLOC_PRIVATE, &f);

	if (err)
		return err;
	err = map_page(&kernel_pdir, v, f, RW | PROT_OWNED);
	if (err)
		frame_put(f);
	return err;
}

static void unmap_stack(uint32_t slot)
{
	struct tlb_batch b;

	tlb_begin(&b, kernel_pdir.root);
	unmap_region(&kernel_pdir, PAGES(stack_page(slot), KSTACK_PAGES), &b);
	tlb_finish(&b);
}

vaddr_t kstack_alloc(void)
{
	uint32_t slot;
	int err = -ENOMEM;

	lock_acquire(&kmap_lock);
	slot = find_stack_slot();
	if (slot != NO_SLOT)
		err = 0;
	for (uint32_t i = 0; i < KSTACK_PAGES && !err; i++)
		err = map_stack_page(stack_page(slot) + i);
	if (!err)
		stack_mark(slot);
	else if (slot != NO_SLOT)
		unmap_stack(slot);
	lock_release(&kmap_lock);
	return err ? 0 : vaddr_of(stack_page(slot) + KSTACK_PAGES);
}

void kstack_free(vaddr_t top)
{
	uint32_t page = vpn_of(top) - KSTACK_PAGES - KMAP_STACK_VPN;
	uint32_t slot = page / SLOT;

	lock_acquire(&kmap_lock);
	if (top % PAGE_SIZE || page % SLOT != 1 || slot >= STACKS || !stack_in_use(slot))
		panic("kstack_free: 0x%x is no stack's top", top);
	stack_mark(slot);
	unmap_stack(slot);
	lock_release(&kmap_lock);
}

bool kstack_guard(vaddr_t va)
{
	uint32_t page = vpn_of(va) - KMAP_STACK_VPN;

	return page < STACKS * SLOT && page % SLOT == 0 && stack_in_use(page / SLOT);
}

/* The first page that no device has. */
static vpn_t device_end(void)
{
	vpn_t end = KMAP_DEVICE_VPN;

	for (uint32_t i = 0; i < kmap.device_count; i++)
		end = kmap.device[i].range.first + kmap.device[i].range.count;
	return end;
}

void *kmap_device(paddr_t base, uint32_t length)
{
	uint64_t first = base.a >> PAGE_SHIFT;
	uint64_t count = ((base.a % PAGE_SIZE) + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct kregion r = {"device", {0}, PFN((uint32_t)first), RW | PROT_NOCACHE};
	void *where = NULL;

	lock_acquire(&kmap_lock);
	r.range = PAGES(device_end(), (uint32_t)count);
	if (kmap.device_count < KMAP_DEVICES && count && first + count <= arch_mmu.pfn_end &&
	    count <= KMAP_DEVICE_VPN + KMAP_DEVICE_PAGES - r.range.first &&
	    memmap_no_ram(boot_memmap(), r.first, r.range.count) &&
	    !map_region(&kernel_pdir, r.range, r.first, r.prot)) {
		kmap.device[kmap.device_count++] = r;
		where = (void *)(uintptr_t)(vaddr_of(r.range.first) + (uint32_t)(base.a % PAGE_SIZE));
	}
	lock_release(&kmap_lock);
	return where;
}
