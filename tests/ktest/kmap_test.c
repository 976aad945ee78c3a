/* tests/ktest/kmap_test.c - the kernel's map, the identity map, stacks and devices, and the proof of them. */
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <arch/pte_store.h>
#include <kernel/ktest.h>
#include <mm/boot_alloc.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

#define SPAN  ARCH_PT_SPAN(1)
#define KV(f) (ARCH_KERNEL_VPN + (f).n) /* the direct map's page for a frame */

KTEST_SETUP(kmap)
{
	machine_violations();
}

KTEST_TEARDOWN(kmap)
{
	machine_fail_after(-1);
	set_pdir_base(&kernel_pdir);
	EXPECT_EQ(check_vm(&kernel_pdir), 0);
	EXPECT_EQ(check_vm(&identity_pdir), 0);
	EXPECT_EQ(machine_violations(), 0);
}

KTEST(kmap, text_is_read_and_execute)
{
	vpn_t v = KV(arch_image().text);

	EXPECT(machine_reads(v) && !machine_writes(v));
	EXPECT(machine_executes(v));
}

KTEST(kmap, read_only_data_is_read_only)
{
	vpn_t v = KV(arch_image().rodata);

	EXPECT(machine_reads(v) && !machine_writes(v));
	EXPECT_EQ(machine_executes(v), !arch_mmu.nx);
}

static prot_t prot_at(const struct pdir *pd, vpn_t v)
{
	return arch_pte_prot(get_ptbl_entry_by_va(pd, vaddr_of(v)));
}

/* Where they are wanted they are a kernel like the rest of it; else their frames are the allocator's. */
KTEST(kmap, the_suites_are_code_and_data_or_free_memory)
{
	struct arch_image image = arch_image();
	bool wanted = memmap_kind(boot_memmap(), image.suite_text) == MEM_KERNEL;
	const pfn_t frames[] = {image.suite_text,   PFN(image.text.n - 1),
				image.suite_rodata, PFN(image.suite_data.n - 1),
				image.suite_data,   PFN(image.end.n - 1)};
	const prot_t prots[] = {PROT_R | PROT_X, PROT_R, PROT_R | PROT_W};

	EXPECT(wanted || machine_is_simulated());
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		prot_t prot = wanted ? prots[i / 2] : PROT_R | PROT_W;

		EXPECT_EQ(prot_at(&kernel_pdir, KV(frames[i])), arch_prot_effective(prot | PROT_GLOBAL));
		EXPECT_EQ(prot_at(&identity_pdir, frames[i].n), arch_prot_effective(prot));
		EXPECT_EQ(frame_state(frames[i]) == FRAME_KERNEL && !frame_refs(frames[i]), wanted);
	}
}

KTEST(kmap, data_and_memory_are_not_executable)
{
	void *page = kalloc();

	ASSERT(page);
	EXPECT(machine_writes(KV(arch_image().data)));
	EXPECT_EQ(machine_executes(KV(arch_image().data)), !arch_mmu.nx);
	EXPECT(machine_writes(KV(arch_frame_of_direct(page))));
	EXPECT_EQ(machine_executes(KV(arch_frame_of_direct(page))), !arch_mmu.nx);
	kfree(page);
}

KTEST(kmap, page_0_and_frame_0_are_not_mapped)
{
	EXPECT(!machine_reads(0));
	EXPECT(!machine_reads(ARCH_KERNEL_VPN));
	set_pdir_base(&identity_pdir);
	EXPECT(!machine_reads(0));
}

/* All RAM below the reach, and only RAM. */
KTEST(kmap, the_direct_map_is_all_low_memory)
{
	for (uint32_t n = 1; n < ARCH_DIRECT_PAGES; n += n < 1024 ? 1 : SPAN / 2) {
		struct pt_slot s = pgdir_walk(&kernel_pdir, ARCH_KERNEL_VPN + n, 0, NULL);
		bool mapped = arch_pte_kind(s.level, arch_pte_read(s.entry)) == PTE_LEAF;

		if (mapped != memmap_all_ram(boot_memmap(), PFN(n), 1))
			ktest_fail("frame 0x%x: mapped is %d", n, mapped);
	}
}

KTEST(kmap, large_pages_begin_after_4_mib)
{
	struct pt_slot s = pgdir_walk(&kernel_pdir, ARCH_KERNEL_VPN + 0x100, 0, NULL);

	EXPECT_EQ(s.level, 0);
	s = pgdir_walk(&kernel_pdir, ARCH_KERNEL_VPN + ARCH_NO_LARGE_END - 1, 0, NULL);
	EXPECT(s.level == 0 || memmap_no_ram(boot_memmap(), PFN(ARCH_NO_LARGE_END - SPAN), SPAN));
	if (!arch_mmu.large || !memmap_all_ram(boot_memmap(), PFN(ARCH_NO_LARGE_END), SPAN))
		SKIP("no large pages, or too little memory for one");
	s = pgdir_walk(&kernel_pdir, ARCH_KERNEL_VPN + ARCH_NO_LARGE_END, 0, NULL);
	EXPECT_EQ(s.level, 1);
	EXPECT(arch_pte_prot(arch_pte_read(s.entry)) & PROT_GLOBAL || !arch_mmu.global);
}

/* A second kernel map, and each of its tables made to fail in turn: none may be left behind. */
KTEST(kmap, a_failed_kvm_init_gives_back_every_table)
{
	uint32_t used = machine_frames_used();
	struct pdir pd;
	int32_t n = 0;
	int err;

	do {
		machine_fail_after(n++);
		err = kvm_init(&pd);
		machine_fail_after(-1);
		ASSERT(err == 0 || err == -ENOMEM);
		if (!err) {
			/* The real kernel stands on a stack that the second map does not have. */
			if (machine_is_simulated())
				EXPECT_EQ(check_vm(&pd), 0);
			vm_free(&pd);
		}
		ASSERT_EQ(machine_frames_used(), used);
		n += n > 12 ? n / 4 : 0; /* without large pages there are hundreds */
	} while (err);
	EXPECT(n > 3);
}

/* Supervisor's, not global, and read-only where the kernel's map is. */
KTEST(kmap, the_identity_map_is_memory_as_it_is)
{
	pfn_t text = arch_image().text, data = arch_image().data;
	pte_t e = get_ptbl_entry_by_va(&identity_pdir, vaddr_of(text.n));

	EXPECT_EQ(arch_pte_pfn(e).n, text.n);
	EXPECT_EQ(arch_pte_prot(e), arch_prot_effective(PROT_R | PROT_X));
	e = get_ptbl_entry_by_va(&identity_pdir, vaddr_of(data.n));
	EXPECT_EQ(arch_pte_prot(e), arch_prot_effective(PROT_R | PROT_W));
	set_pdir_base(&identity_pdir);
	EXPECT(machine_executes(text.n) && !machine_writes(text.n));
	EXPECT(machine_writes(data.n));
	set_pdir_base(&kernel_pdir);
	EXPECT(!machine_reads(text.n)); /* not global: gone with the CR3 load */
	EXPECT(!machine_reads(data.n));
}

/* A large page over a hole may meet devices, and memory of types that one cached page must not join. */
KTEST(kmap, the_identity_map_caches_ram_only)
{
	uint32_t holes = 0;

	for (vpn_t v = SPAN / 2; v < ARCH_KERNEL_VPN; v += SPAN / 2) {
		pte_t e = get_pdir_entry_by_va(&identity_pdir, vaddr_of(v));
		bool large = arch_pte_kind(1, e) == PTE_LEAF;
		bool ram = memmap_all_ram(boot_memmap(), PFN(v), 1);

		if (!large)
			e = get_ptbl_entry_by_va(&identity_pdir, vaddr_of(v));
		if (!large && arch_pte_kind(0, e) == PTE_NONE)
			continue;
		EXPECT_EQ(!(arch_pte_prot(e) & PROT_NOCACHE), ram);
		holes += !ram;
	}
	if (!holes)
		SKIP("no hole is mapped");
}

/* At both ends of every range: where one large page cannot map devices, nobody asked for them. */
KTEST(kmap, the_identity_map_without_large_pages_is_ram_only)
{
	const struct memmap *m = boot_memmap();

	if (arch_mmu.large)
		SKIP("this CPU has large pages");
	for (uint32_t i = 0; i < m->count; i++) {
		struct mem_range r = memmap_range(m, i);
		vpn_t ends[2] = {(vpn_t)(r.start >> PAGE_SHIFT), (vpn_t)((r.end - 1) >> PAGE_SHIFT)};

		for (uint32_t k = 0; k < 2; k++) {
			pte_t e = get_ptbl_entry_by_va(&identity_pdir, vaddr_of(ends[k]));

			if (ends[k] && ends[k] < ARCH_KERNEL_VPN)
				EXPECT_EQ(arch_pte_kind(0, e) == PTE_LEAF, mem_kind_is_ram(r.kind));
		}
	}
}

/* The forerunner's tables took 4 MiB: a large page needs none. */
KTEST(kmap, the_identity_map_takes_few_tables)
{
	uint32_t tables = 0, ram = 0, borders = 0;

	for (vpn_t v = 0; v < ARCH_KERNEL_VPN; v += SPAN) {
		tables += arch_pte_kind(1, get_pdir_entry_by_va(&identity_pdir, vaddr_of(v))) == PTE_TABLE;
		ram += !memmap_no_ram(boot_memmap(), PFN(v), SPAN);
	}
	borders = 2 * boot_memmap()->count + ARCH_NO_LARGE_END / SPAN;
	EXPECT(tables <= (arch_mmu.large ? borders : ram));
}

KTEST(kmap, set_pdir_entry_identity_shares_the_tables)
{
	struct tlb_batch b;
	struct pdir pd;
	pfn_t table;

	ASSERT_EQ(pdir_init(&pd, CONTAINER_ROOT), 0);
	tlb_begin(&b, pd.root);
	table = arch_pte_pfn(get_pdir_entry_by_va(&identity_pdir, 0));
	EXPECT_EQ(alloc_ptbl(&pd, vaddr_of(4 * SPAN)), 0);
	/* A large page, where the CPU has any, holds no reference that would be given back. */
	EXPECT_EQ(map_page(&pd, 6 * SPAN, machine_device_frames(1), PROT_R | PROT_USER), 0);
	EXPECT_EQ(set_pdir_entry_identity(&pd, vaddr_of(6 * SPAN), &b), -EBUSY);
	EXPECT_EQ(unmap_page(&pd, 6 * SPAN, &b), 0);
	EXPECT_EQ(set_pdir_entry_identity(&pd, 0x1000, &b), 0);
	EXPECT_EQ(arch_pte_pfn(get_pdir_entry_by_va(&pd, 0)).n, table.n);
	EXPECT_EQ(set_pdir_entry_identity(&pd, vaddr_of(ARCH_KERNEL_VPN), &b), -EPERM);
	EXPECT_EQ(set_pdir_entry_identity(&pd, 0x1000, &b), -EBUSY);
	EXPECT_EQ(set_pdir_entry_identity(&pd, vaddr_of(4 * SPAN), &b), 0); /* an empty table makes room */
	tlb_finish(&b);
	EXPECT_EQ(check_vm(&pd), 0);
	vm_free(&pd);
	EXPECT_NE(frame_refs(table), 0);
}

/* A table that several directories have is changed through none of them. */
KTEST(kmap, the_identity_maps_pages_cannot_be_changed)
{
	struct tlb_batch b;
	struct pdir pd;
	pfn_t f;

	ASSERT_EQ(pdir_init(&pd, CONTAINER_ROOT), 0);
	ASSERT_EQ(frame_alloc(ALLOC_USER, &f), 0);
	tlb_begin(&b, pd.root);
	EXPECT_EQ(set_pdir_entry_identity(&pd, 0, &b), 0);
	EXPECT_EQ(unmap_page(&pd, arch_image().text.n, &b), -EPERM);
	EXPECT_EQ(unmap_region(&pd, PAGES(0x50, 4), &b), -EPERM);
	EXPECT_EQ(alloc_page(&pd, 5 * SPAN, PROT_R | PROT_USER), -EPERM);
	EXPECT_EQ(map_page(&pd, 5 * SPAN, f, PROT_R | PROT_USER), -EPERM);
	EXPECT_EQ(set_ptbl_entry_by_va(&pd, vaddr_of(0x50), f, PROT_R, &b), -EPERM);
	EXPECT_EQ(rmv_ptbl_entry_by_va(&pd, vaddr_of(0x50), &b), -EPERM);
	EXPECT_EQ(alloc_ptbl(&pd, vaddr_of(5 * SPAN)), -EPERM);
	tlb_finish(&b);
	frame_put(f);
	EXPECT_EQ(check_vm(&identity_pdir), 0);
	vm_free(&pd);
}

/* Every directory has the kernel's root entries: no leaf in them goes from one alone. */
KTEST(kmap, the_direct_maps_large_pages_stay)
{
	struct tlb_batch b;
	vpn_t v = ARCH_KERNEL_VPN + ARCH_NO_LARGE_END;
	struct pt_slot s = pgdir_walk(&kernel_pdir, v, ARCH_PT_LEVELS - 1, NULL);

	if (arch_pte_kind(s.level, arch_pte_read(s.entry)) != PTE_LEAF)
		SKIP("the direct map's large pages are not in the root here");
	tlb_begin(&b, kernel_pdir.root);
	EXPECT_EQ(unmap_region(&kernel_pdir, PAGES(v, SPAN), &b), -EBUSY);
	EXPECT_EQ(check_vm(&kernel_pdir), 0);
}

KTEST(kmap, a_failed_pdir_init_kern_changes_nothing)
{
	uint32_t used = machine_frames_used();
	struct pdir pd;

	machine_fail_after(0);
	EXPECT_EQ(pdir_init_kern(&pd), -ENOMEM);
	machine_fail_after(-1);
	EXPECT_EQ(machine_frames_used(), used);
	ASSERT_EQ(pdir_init_kern(&pd), 0);
	EXPECT_EQ(check_vm(&pd), 0);
	vm_free(&pd);
	EXPECT_EQ(machine_frames_used(), used);
}

/* A table of the identity map whose references are all taken: the directory is given up, half-made as it is. */
KTEST(kmap, a_pdir_init_kern_that_gets_no_reference_changes_nothing)
{
	pfn_t table = arch_pte_pfn(get_pdir_entry_by_va(&identity_pdir, 0));
	uint32_t tag = frame_desc(table.n)->tag, used = machine_frames_used();
	struct pdir pd;

	frame_desc(table.n)->tag |= FRAME_REFS_MAX << 8;
	EXPECT_EQ(pdir_init_kern(&pd), -EAGAIN);
	frame_desc(table.n)->tag = tag;
	EXPECT_EQ(machine_frames_used(), used);
}

/* All that is no RAM has the same descriptors, in one frame of zeroes that nobody can write. */
KTEST(kmap, descriptors_of_no_ram_are_one_page_of_zeroes)
{
	pfn_t shared = NO_FRAME;

	for (uint32_t page = 0; page < frame_end / DESC_IN_PAGE; page++) {
		pte_t e = get_ptbl_entry_by_va(&kernel_pdir, vaddr_of(ARCH_DESC_VPN + page));

		if (!memmap_no_ram(boot_memmap(), PFN(page * DESC_IN_PAGE), DESC_IN_PAGE))
			continue;
		shared = shared.n ? shared : arch_pte_pfn(e);
		ASSERT_EQ(arch_pte_pfn(e).n, shared.n);
		ASSERT(!(arch_pte_prot(e) & PROT_W));
	}
	if (!shared.n)
		SKIP("each page of descriptors has some of RAM");
	EXPECT(arch_frame_is_filled(shared, 0));
}

/* The simulated machine, whose memory begins as junk, keeps its descriptors elsewhere: nobody wrote here since. */
KTEST(kmap, descriptors_of_ram_begin_as_zeroes)
{
	if (!machine_is_simulated())
		SKIP("the descriptors are in use");
	for (uint32_t page = 0; page < frame_end / DESC_IN_PAGE; page++)
		ASSERT(arch_frame_is_filled(
			arch_pte_pfn(get_ptbl_entry_by_va(&kernel_pdir, vaddr_of(ARCH_DESC_VPN + page))), 0));
}

/* Gives back the identity map's tables, of which no directory but the one that is freed here has any. */
static void forget_identity(void)
{
	static pfn_t tables[ARCH_KERNEL_VPN / SPAN];
	uint32_t count = 0;

	for (vpn_t v = 0; v < ARCH_KERNEL_VPN; v += SPAN) {
		pte_t e = get_pdir_entry_by_va(&identity_pdir, vaddr_of(v));

		if (arch_pte_kind(1, e) == PTE_TABLE)
			tables[count++] = arch_pte_pfn(e);
	}
	vm_free(&identity_pdir);
	while (count--)
		frame_put(tables[count]);
}

/* True when the identity map has a table for the first MiBs, which no large page ever maps. */
static bool identity_has_a_table(void)
{
	struct tlb_batch b;
	struct pdir pd;
	bool has;

	if (pdir_init(&pd, CONTAINER_ROOT))
		return true;
	tlb_begin(&b, pd.root);
	EXPECT_EQ(set_pdir_entry_identity(&pd, 0, &b), 0);
	has = arch_pte_kind(1, get_pdir_entry_by_va(&pd, 0)) == PTE_TABLE;
	vm_free(&pd);
	return has;
}

KTEST(kmap, a_failed_idptbl_init_changes_nothing)
{
	uint32_t used;
	int32_t n = 0;
	int err;

	forget_identity();
	used = machine_frames_used();
	do {
		machine_fail_after(n);
		err = idptbl_init();
		machine_fail_after(-1);
		ASSERT(err == 0 || (err == -ENOMEM && machine_frames_used() == used));
		EXPECT(!err || !n || !identity_has_a_table());
		n += 1 + n / 4; /* without large pages there are hundreds of tables */
	} while (err);
	EXPECT(n > 1);
	EXPECT_EQ(pdir_init_kern(&identity_pdir), 0);
}

KTEST(kmap, a_stack_stands_above_a_guard_page)
{
	vaddr_t a = kstack_alloc(), b = kstack_alloc();
	vaddr_t guard = a - (KSTACK_PAGES + 1) * PAGE_SIZE;

	ASSERT(a && b && a != b);
	EXPECT(machine_writes(vpn_of(a) - 1) && machine_writes(vpn_of(a) - KSTACK_PAGES));
	EXPECT(!machine_reads(vpn_of(guard)));
	EXPECT(kstack_guard(guard) && kstack_guard(guard + PAGE_SIZE - 1));
	EXPECT(!kstack_guard(guard + PAGE_SIZE) && !kstack_guard(guard - 1));
	EXPECT_EQ(check_vm(&kernel_pdir), 0);
	kstack_free(a);
	EXPECT(!machine_reads(vpn_of(a) - 1));
	EXPECT(!kstack_guard(guard));
	kstack_free(b);
}

static const uint32_t stack_points[] = {0, 1};

KTEST_EACH(kmap, a_failed_kstack_alloc_changes_nothing, stack_points)
{
	uint32_t used = machine_frames_used();

	machine_fail_after((int32_t)param);
	EXPECT_EQ(kstack_alloc(), 0);
	machine_fail_after(-1);
	EXPECT_EQ(machine_frames_used(), used);
}

/* When all places are taken the answer is 0, and every place can be had again. */
KTEST(kmap, stacks_run_out_in_an_orderly_way)
{
	static vaddr_t top[KMAP_STACK_PAGES / (KSTACK_PAGES + 1) + 1];
	uint32_t n = 0, again = 0;

	while (n < ARRAY_SIZE(top) && (top[n] = kstack_alloc()))
		n++;
	EXPECT(n > 10 && n < ARRAY_SIZE(top));
	for (uint32_t i = 0; i < n; i++)
		kstack_free(top[i]);
	while (again < n && (top[again] = kstack_alloc()))
		again++;
	EXPECT_EQ(again, n);
	while (again--)
		kstack_free(top[again]);
}

KTEST_PANICS(kmap, kstack_free_inside_of_a_page_panics, "is no stack's top")
{
	kstack_free(kstack_alloc() + 1);
}

KTEST_PANICS(kmap, kstack_free_of_another_page_panics, "is no stack's top")
{
	kstack_free(kstack_alloc() - PAGE_SIZE);
}

KTEST_PANICS(kmap, kstack_free_twice_panics, "is no stack's top")
{
	vaddr_t top = kstack_alloc();

	kstack_free(top);
	kstack_free(top);
}

KTEST(kmap, a_device_window_holds_no_ram_and_no_nothing)
{
	EXPECT(!kmap_device(PADDR(0x100000), 0x1000));
	EXPECT(!kmap_device(PADDR(0xfee00000), 0));
	EXPECT(!kmap_device(PADDR((uint64_t)arch_mmu.pfn_end << PAGE_SHIFT), 0x1000));
	EXPECT(!kmap_device(PADDR(0xc0000000), 0xffffffff));
}

/* Windows are for good: this one is found again by every later run. In all directories, uncached. */
KTEST(kmap, a_device_gets_a_window)
{
	static vaddr_t window;
	pfn_t f = machine_device_frames(2);
	pte_t e;

	if (!window)
		/* One byte of it lies in the second page. */
		window = (vaddr_t)(uintptr_t)kmap_device(PADDR(paddr_of(f).a + 0x123), PAGE_SIZE - 0x122);
	ASSERT(window);
	EXPECT_EQ(window % PAGE_SIZE, 0x123);
	for (uint32_t i = 0; i < 2; i++) {
		e = get_ptbl_entry_by_va(&kernel_pdir, window + i * PAGE_SIZE);
		EXPECT_EQ(arch_pte_pfn(e).n, f.n + i);
		EXPECT_EQ(arch_pte_prot(e) & (PROT_NOCACHE | PROT_W | PROT_USER), PROT_NOCACHE | PROT_W);
		e = get_ptbl_entry_by_va(&identity_pdir, window + i * PAGE_SIZE);
		EXPECT_EQ(arch_pte_pfn(e).n, f.n + i);
	}
}

/* The second and the third of them as well as the first. */
KTEST(kmap, every_device_has_a_region)
{
	static void *window[2];
	pfn_t f = machine_device_frames(4);

	for (uint32_t i = 0; i < 2; i++) {
		struct kregion r;

		if (!window[i])
			window[i] = kmap_device(paddr_of(PFN(f.n + 2 + i)), PAGE_SIZE);
		ASSERT(window[i]);
		ASSERT(kmap_region(vpn_of((vaddr_t)(uintptr_t)window[i]), &r));
		EXPECT_EQ(r.first.n, f.n + 2 + i);
		EXPECT_EQ(r.range.count, 1);
	}
}

/* The first page that no device has. */
static vpn_t window_end(void)
{
	vpn_t end = KMAP_DEVICE_VPN;
	struct kregion r;

	while (kmap_region(end, &r))
		end = r.range.first + r.range.count;
	return end;
}

/*
 * Windows are for good, so these are the last. With each mode another end comes first: in one a page more than is left
 * is refused, in the other a page is left when all devices are there.
 */
KTEST(kmap, windows_and_their_pages_run_out)
{
	pfn_t f = PFN(arch_mmu.pfn_end - KMAP_DEVICE_PAGES);
	static bool are_out;
	uint32_t left, kept = !ARCH_PT_ROOT_EAGER, devices = 0;
	struct kregion r;

	if (!machine_is_simulated() || !memmap_no_ram(boot_memmap(), f, KMAP_DEVICE_PAGES))
		SKIP("windows are wanted later, or there are no frames for them");
	for (vpn_t v = KMAP_DEVICE_VPN; kmap_region(v, &r); v = r.range.first + r.range.count)
		devices++;
	for (; !are_out && devices < KMAP_DEVICES - 1; devices++)
		EXPECT(kmap_device(paddr_of(f), PAGE_SIZE));
	left = KMAP_DEVICE_VPN + KMAP_DEVICE_PAGES - window_end();
	EXPECT(!kmap_device(paddr_of(f), (left + 1) * PAGE_SIZE));
	if (!are_out)
		EXPECT(kmap_device(paddr_of(f), (left - kept) * PAGE_SIZE));
	are_out = true;
	EXPECT(!kmap_device(paddr_of(f), PAGE_SIZE));
}

KTEST(kmap, the_page_behind_the_last_is_nobodys)
{
	struct tlb_batch b;

	tlb_begin(&b, kernel_pdir.root);
	EXPECT_EQ(unmap_page(&kernel_pdir, ARCH_VPN_END, &b), -EPERM);
	EXPECT_EQ(map_page(&kernel_pdir, ARCH_VPN_END, machine_device_frames(1), PROT_R), -EPERM);
	EXPECT_EQ(alloc_page(&kernel_pdir, ARCH_VPN_END, PROT_R), -EPERM);
}

/* True for two that should have been one: side by side, and neither has frames of its own that tell them apart. */
static bool are_one(const struct kregion *a, const struct kregion *b)
{
	if (a->first.n || b->first.n || (a->prot & PROT_OWNED))
		return false;
	return a->range.first + a->range.count == b->range.first && a->prot == b->prot;
}

KTEST(kmap, regions_follow_one_another)
{
	struct kregion r, before = {.name = ""};
	vpn_t v = ARCH_KERNEL_VPN;
	uint32_t count = 0;

	while (kmap_region(v, &r)) {
		ASSERT(r.range.count && r.range.first >= v && r.range.first + r.range.count <= ARCH_VPN_END);
		EXPECT(r.prot & PROT_R && r.name[0]);
		ASSERT(!are_one(&before, &r));
		before = r;
		v = r.range.first + r.range.count;
		count++;
	}
	EXPECT(count >= 5);
}

/* Pages that a case holds, linked through their first words. */
struct held {
	struct held *next;
};

static bool is_boot_part(pfn_t f)
{
	return f.n >= arch_image().boot.n && f.n < arch_image().suite_text.n;
}

/* True for each frame of a free block. Frame 0 is none, so the way down to a block's first frame ends. */
static bool is_free(uint32_t n)
{
	enum frame_state state = frame_state(PFN(n));

	for (uint32_t bit = 1; state == FRAME_TAIL; bit <<= 1) {
		n &= ~bit;
		state = frame_state(PFN(n));
	}
	return state == FRAME_FREE || state == FRAME_CACHED;
}

/* Takes pages until it has `wanted` of the boot-only part. Returns the list; short of them only when memory is out. */
static struct held *hold_boot_part(uint32_t wanted)
{
	struct held *list = NULL;

	while (wanted) {
		struct held *page = kalloc();

		if (!page)
			break;
		page->next = list;
		list = page;
		wanted -= is_boot_part(arch_frame_of_direct(page));
	}
	return list;
}

/*
 * Overwrites those of the boot-only part, tries what may be done with them at both of their addresses, and gives all
 * back. Returns how many. The identity map is loaded; the list is reached through the kernel's half.
 */
static uint32_t use_boot_part(struct held *list)
{
	uint32_t used = 0;

	while (list) {
		struct held *next = list->next;
		pfn_t f = arch_frame_of_direct(list);

		if (is_boot_part(f)) {
			arch_frame_fill(f, 0xC3C3C3C3);
			arch_tlb_flush_all();
			EXPECT(machine_writes(KV(f)) && machine_writes(f.n));
			EXPECT_EQ(machine_executes(KV(f)), !arch_mmu.nx);
			EXPECT_EQ(machine_executes(f.n), !arch_mmu.nx);
			used++;
		}
		kfree(list);
		list = next;
	}
	return used;
}

/* A stack's frame is mapped: it is not given back by its address in the direct map. */
KTEST_PANICS(kmap, kfree_of_a_stack_panics, "is a slab or a stack")
{
	vaddr_t top = kstack_alloc();

	kfree(arch_frame_direct(arch_pte_pfn(get_ptbl_entry_by_va(&kernel_pdir, top - 1))));
}

/*
 * What only starting needed can be had, be overwritten, the entry page tables too, and is no more executable than
 * any other memory. A frame that is not free was given to somebody by the allocator, and is left alone.
 */
KTEST(kmap, the_boot_only_part_is_memory_like_any_other)
{
	struct arch_image image = arch_image();
	prot_t rw = PROT_R | PROT_W;
	uint32_t free = 0;

	for (uint32_t n = image.boot.n; n < image.suite_text.n; n++) {
		enum frame_state state = frame_state(PFN(n));

		EXPECT(state != FRAME_RESERVED && (state != FRAME_KERNEL || frame_refs(PFN(n))));
		EXPECT_EQ(prot_at(&kernel_pdir, KV(PFN(n))), arch_prot_effective(rw | PROT_GLOBAL));
		EXPECT_EQ(prot_at(&identity_pdir, n), arch_prot_effective(rw));
		free += is_free(n);
	}
	EXPECT_EQ(arch_mmu_root().n, kernel_pdir.root.n);
	EXPECT(!is_boot_part(kernel_pdir.root));
	set_pdir_base(&identity_pdir);
	EXPECT_EQ(use_boot_part(hold_boot_part(free)), free);
	if (!free)
		SKIP("all of it is in use, as memory like any other");
}
