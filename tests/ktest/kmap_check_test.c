/* tests/ktest/kmap_check_test.c - what check_vm must see, each fault made on purpose and taken back. */
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <arch/pte_store.h>
#include <kernel/ktest.h>
#include <mm/boot_alloc.h>
#include <mm/kmap.h>
#include <tests/ktest/machine.h>

#define SPAN  ARCH_PT_SPAN(1)
#define V     0x9000u
#define KV(f) (ARCH_KERNEL_VPN + (f).n) /* the direct map's page for a frame */

KTEST_SETUP(kmap_check)
{
	machine_violations();
}

KTEST_TEARDOWN(kmap_check)
{
	EXPECT_EQ(check_vm(&kernel_pdir), 0);
	EXPECT_EQ(check_vm(&identity_pdir), 0);
	EXPECT_EQ(machine_violations(), 0);
}

/* Changes one entry of the kernel's map, asks check_vm, and puts it back. */
static unsigned faults_with(pte_t *entry, pte_t changed)
{
	pte_t old = arch_pte_exchange(entry, changed);
	unsigned faults = check_vm(&kernel_pdir);

	arch_pte_exchange(entry, old);
	arch_tlb_flush_all();
	return faults;
}

KTEST(kmap_check, sees_every_wrong_entry)
{
	pfn_t text = arch_image().text, data = arch_image().data;
	pte_t *entry = pgdir_walk(&kernel_pdir, KV(text), 0, NULL).entry;
	prot_t rx = PROT_R | PROT_X | PROT_GLOBAL;

	EXPECT_EQ(check_vm(&kernel_pdir), 0);
	EXPECT_FAULTS(faults_with(entry, arch_pte_leaf(0, text, rx | PROT_W)));
	EXPECT_ONE_FAULT(faults_with(entry, arch_pte_leaf(0, data, rx)));
	EXPECT_ONE_FAULT(faults_with(entry, arch_pte_leaf(0, text, rx | PROT_USER)));
	EXPECT_ONE_FAULT(faults_with(pgdir_walk(&kernel_pdir, ARCH_KERNEL_VPN, 0, NULL).entry,
				     arch_pte_leaf(0, data, rx)));
	EXPECT_ONE_FAULT(faults_with(pgdir_walk(&kernel_pdir, KMAP_STACK_VPN, 0, NULL).entry,
				     arch_pte_leaf(0, text, PROT_R | PROT_W | PROT_GLOBAL)));
	entry = pgdir_walk(&kernel_pdir, KV(PFN(arch_image().end.n - 1)), 0, NULL).entry;
	EXPECT_ONE_FAULT(faults_with(entry, arch_pte_none()));
	EXPECT_EQ(check_vm(&kernel_pdir), 0);
}

KTEST(kmap_check, sees_a_gap_before_the_end_of_a_region)
{
	vaddr_t top = kstack_alloc();

	ASSERT(top);
	EXPECT_EQ(check_vm(&kernel_pdir), 0);
	EXPECT_ONE_FAULT(faults_with(pgdir_walk(&kernel_pdir, vpn_of(top) - KSTACK_PAGES, 0, NULL).entry,
				     arch_pte_none()));
	kstack_free(top);
}

/* A second address for kernel text and read-only data, and one where it can be written. */
KTEST(kmap_check, sees_a_writable_alias)
{
	const pfn_t frames[] = {arch_image().text, arch_image().rodata, PFN(arch_image().data.n - 1)};

	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		pte_t *entry = pgdir_walk(&identity_pdir, frames[i].n, 0, NULL).entry;
		pte_t old = arch_pte_exchange(entry, arch_pte_leaf(0, frames[i], PROT_R | PROT_W));

		EXPECT_ONE_FAULT(check_vm(&identity_pdir));
		arch_pte_exchange(entry, old);
		EXPECT_EQ(check_vm(&identity_pdir), 0);
	}
}

/* A window's page is in no region, but it is there for what the direct map does not show. */
KTEST(kmap_check, sees_a_window_onto_low_memory)
{
	pte_t *entry = pgdir_walk(&kernel_pdir, KMAP_WINDOW_VPN, 0, NULL).entry;
	prot_t rw = PROT_R | PROT_W;

	EXPECT_EQ(faults_with(entry, arch_pte_leaf(0, machine_device_frames(1), rw)), 0);
	EXPECT_ONE_FAULT(faults_with(entry, arch_pte_leaf(0, kernel_pdir.root, rw)));
	EXPECT_ONE_FAULT(faults_with(entry, arch_pte_leaf(0, arch_image().text, rw)));
	EXPECT_ONE_FAULT(
		faults_with(entry + ARCH_WINDOW_PAGES, arch_pte_leaf(0, machine_device_frames(1), rw)));
}

/* Between the regions, and behind the last one, nothing is mapped; up to its end every page is. */
KTEST(kmap_check, sees_the_ends_of_the_last_region)
{
	vaddr_t top = kstack_alloc();
	struct kregion r, last = {0};
	struct pt_slot behind;
	vpn_t end;

	ASSERT(top);
	for (vpn_t v = ARCH_KERNEL_VPN; kmap_region(v, &r); v = r.range.first + r.range.count)
		last = r;
	end = last.range.first + last.range.count;
	EXPECT_ONE_FAULT(faults_with(pgdir_walk(&kernel_pdir, end - 1, 0, NULL).entry, arch_pte_none()));
	behind = pgdir_walk(&kernel_pdir, end, 0, NULL);
	if (!behind.level) /* behind the last window there may be no table */
		EXPECT_ONE_FAULT(
			faults_with(behind.entry, arch_pte_leaf(0, machine_device_frames(1), PROT_R)));
	kstack_free(top);
}

/* A stack's frame is nobody else's, and nothing that can be freed by its address. */
KTEST(kmap_check, sees_a_stack_of_strange_frames)
{
	vaddr_t top = kstack_alloc();
	struct pt_slot s = pgdir_walk(&kernel_pdir, vpn_of(top) - KSTACK_PAGES, 0, NULL);
	pfn_t f = arch_pte_pfn(arch_pte_read(s.entry)), other;
	prot_t prot = PROT_R | PROT_W | PROT_GLOBAL | PROT_OWNED;

	ASSERT(top);
	EXPECT_EQ(frame_get(f), 0);
	EXPECT_ONE_FAULT(check_vm(&kernel_pdir));
	frame_put(f);
	EXPECT_EQ(check_vm(&kernel_pdir), 0);
	ASSERT_EQ(frame_alloc(ALLOC_KERNEL, &other), 0);
	EXPECT_ONE_FAULT(faults_with(s.entry, arch_pte_leaf(0, other, prot)));
	frame_put(other);
	EXPECT_ONE_FAULT(faults_with(s.entry, arch_pte_leaf(0, other, prot)));
	kstack_free(top);
}

/* Descriptors lie in frames that phase one took, which have no references; kernel frames of later days have. */
KTEST(kmap_check, sees_descriptors_in_strange_frames)
{
	struct pt_slot s = pgdir_walk(&kernel_pdir, ARCH_DESC_VPN, 0, NULL);
	prot_t prot = arch_pte_prot(arch_pte_read(s.entry));
	pfn_t other;

	ASSERT_EQ(s.level, 0);
	/* Aligned, it cannot be one of those whose descriptors lie in the page that changes. */
	if (frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(8), &other))
		SKIP("so small a machine has no 256 frames in a row");
	if (machine_is_simulated())
		EXPECT_ONE_FAULT(faults_with(s.entry, arch_pte_leaf(0, other, prot)));
	else /* 256 frames have a state by chance meanwhile */
		EXPECT_FAULTS(faults_with(s.entry, arch_pte_leaf(0, other, prot)));
	frame_put(other);
}

/* Maps a frame into a directory's user part behind map_page's back and asks check_vm. */
static unsigned faults_at(vpn_t v, pfn_t f, prot_t prot)
{
	struct pdir pd;
	unsigned faults;
	pte_t *entry;

	if (pdir_init(&pd, CONTAINER_ROOT) || alloc_ptbl(&pd, vaddr_of(v)))
		return 0;
	entry = pgdir_walk(&pd, v, 0, NULL).entry;
	arch_pte_write(entry, arch_pte_leaf(0, f, prot));
	faults = check_vm(&pd);
	arch_pte_write(entry, arch_pte_none());
	vm_free(&pd);
	return faults;
}

static unsigned faults_with_user(pfn_t f, prot_t prot)
{
	return faults_at(V, f, prot);
}

KTEST(kmap_check, sees_page_0)
{
	pfn_t f;

	ASSERT_EQ(frame_alloc(ALLOC_USER, &f), 0);
	EXPECT_EQ(faults_at(1, f, PROT_R | PROT_USER), 0);
	EXPECT_ONE_FAULT(faults_at(0, f, PROT_R | PROT_USER));
	EXPECT_FAULTS(faults_at(0, PFN(0), PROT_R | PROT_W));
	frame_put(f);
}

KTEST(kmap_check, sees_what_no_user_part_may_hold)
{
	pfn_t f;

	ASSERT_EQ(frame_alloc(ALLOC_USER, &f), 0);
	EXPECT_EQ(faults_with_user(f, PROT_R | PROT_W | PROT_USER), 0);
	EXPECT_ONE_FAULT(faults_with_user(f, PROT_R | PROT_W));
	if (arch_mmu.global)
		EXPECT_ONE_FAULT(faults_with_user(f, PROT_R | PROT_USER | PROT_GLOBAL));
	if (arch_mmu.nx)
		EXPECT_ONE_FAULT(faults_with_user(f, PROT_R | PROT_W | PROT_X | PROT_USER));
	EXPECT_ONE_FAULT(faults_with_user(arch_image().text, PROT_R | PROT_USER));
	EXPECT_ONE_FAULT(faults_with_user(arch_image().rodata, PROT_R | PROT_W | PROT_USER));
	EXPECT_ONE_FAULT(faults_with_user(kernel_pdir.root, PROT_R | PROT_USER));
	EXPECT_ONE_FAULT(faults_with_user(identity_pdir.root, PROT_R | PROT_W | PROT_USER));
	EXPECT_ONE_FAULT(faults_with_user(machine_device_frames(1), PROT_R | PROT_USER | PROT_OWNED));
	frame_put(f);
	EXPECT_ONE_FAULT(faults_with_user(f, PROT_R | PROT_USER)); /* a free frame */
}

/* Maps the first of two frames, and lets a second page own it too; the other one's owner is as it should be. */
static unsigned faults_with_two_owners(struct pdir *pd, const pfn_t *f)
{
	prot_t prot = PROT_R | PROT_W | PROT_USER | PROT_OWNED;
	struct tlb_batch b;
	unsigned faults;

	tlb_begin(&b, pd->root);
	EXPECT_EQ(map_page(pd, V, f[0], prot), 0);
	EXPECT_EQ(map_page(pd, V + 1, f[1], prot), 0);
	EXPECT_EQ(check_vm(pd), 0);
	EXPECT_EQ(set_ptbl_entry_by_va(pd, vaddr_of(V + 9), f[0], prot, &b), 0);
	faults = check_vm(pd);
	EXPECT_EQ(frame_get(f[0]), 0);
	EXPECT_EQ(check_vm(pd), 0);
	EXPECT_EQ(unmap_region(pd, PAGES(V, 10), &b), 0);
	tlb_finish(&b);
	return faults;
}

/* In low memory and in high memory, far away, where there is any. */
KTEST(kmap_check, sees_two_owners_of_one_reference)
{
	struct pdir pd;
	pfn_t f[2];

	ASSERT_EQ(pdir_init(&pd, CONTAINER_ROOT), 0);
	for (uint32_t first = 0; first < 2; first++) {
		ASSERT_EQ(frame_alloc(ALLOC_USER, &f[first]), 0);
		ASSERT_EQ(frame_alloc(ALLOC_USER | ALLOC_HIGH, &f[!first]), 0);
		EXPECT_ONE_FAULT(faults_with_two_owners(&pd, f));
	}
	vm_free(&pd);
}

KTEST(kmap_check, sees_a_stack_whose_pages_are_one_frame)
{
	vaddr_t top = kstack_alloc();
	pte_t *entry = pgdir_walk(&kernel_pdir, vpn_of(top) - KSTACK_PAGES, 0, NULL).entry;

	ASSERT(top);
	EXPECT_ONE_FAULT(faults_with(entry, arch_pte_read(entry + 1)));
	kstack_free(top);
}

/* A window's page is in no region: that it is writable and executable is all that is wrong with it. */
KTEST(kmap_check, sees_writable_code_in_the_kernels_half)
{
	pte_t *entry = pgdir_walk(&kernel_pdir, KMAP_WINDOW_VPN, 0, NULL).entry;
	pfn_t data = machine_device_frames(1);

	if (!arch_mmu.nx)
		SKIP("no no-execute here: what can be read can be executed");
	EXPECT_EQ(faults_with(entry, arch_pte_leaf(0, data, PROT_R | PROT_W)), 0);
	EXPECT_EQ(faults_with(entry, arch_pte_leaf(0, data, PROT_R | PROT_X)), 0);
	EXPECT_ONE_FAULT(faults_with(entry, arch_pte_leaf(0, data, PROT_R | PROT_W | PROT_X)));
}

KTEST(kmap_check, sees_writable_code_in_a_large_page)
{
	struct pdir pd;
	pte_t *entry;
	pfn_t f;

	if (!arch_mmu.nx || !arch_mmu.large)
		SKIP("no no-execute or no large pages here");
	if (!machine_has_block(ARCH_PT_SPAN_BITS(1)))
		SKIP("so small a machine has no block of this order");
	ASSERT_EQ(frame_alloc(ALLOC_USER | ALLOC_ORDER(ARCH_PT_SPAN_BITS(1)), &f), 0);
	ASSERT_EQ(pdir_init(&pd, CONTAINER_ROOT), 0);
	entry = pgdir_walk(&pd, SPAN, 1, NULL).entry;
	arch_pte_write(entry, arch_pte_leaf(1, f, PROT_R | PROT_W | PROT_USER));
	EXPECT_EQ(check_vm(&pd), 0);
	arch_pte_write(entry, arch_pte_leaf(1, f, PROT_R | PROT_X | PROT_USER));
	EXPECT_EQ(check_vm(&pd), 0);
	arch_pte_write(entry, arch_pte_leaf(1, f, PROT_R | PROT_W | PROT_X | PROT_USER));
	EXPECT_ONE_FAULT(check_vm(&pd));
	arch_pte_write(entry, arch_pte_none());
	vm_free(&pd);
	frame_put(f);
}

/* What is mapped is the same, or nothing: the root entry alone tells. */
KTEST(kmap_check, sees_a_root_that_differs_from_the_kernels)
{
	unsigned root = ARCH_PT_LEVELS - 1;
	struct pdir pd;
	pte_t *entry, old;
	pfn_t copy;

	ASSERT_EQ(pdir_init(&pd, CONTAINER_ROOT), 0);
	ASSERT_EQ(frame_alloc(ALLOC_TABLE, &copy), 0);
	entry = (pte_t *)arch_frame_direct(pd.root) + arch_pt_index(root, KMAP_WINDOW_VPN);
	old = arch_pte_read(entry);
	arch_frame_copy(copy, arch_pte_pfn(old));
	arch_pte_write(entry, arch_pte_none());
	EXPECT_FAULTS(check_vm(&pd));
	arch_pte_write(entry, arch_pte_table(root, copy));
	EXPECT_ONE_FAULT(check_vm(&pd));
	arch_pte_write(entry, (pte_t){old.raw - PTE_PRESENT});
	EXPECT_FAULTS(check_vm(&pd));
	arch_pte_write(entry, old);
	EXPECT_EQ(check_vm(&pd), 0);
	vm_free(&pd);
	frame_put(copy);
}

/* Finds a span of the direct map in which RAM ends; 0 where there is none. */
static vpn_t span_that_ram_ends_in(void)
{
	vpn_t found = 0;
	struct kregion r;

	for (vpn_t v = ARCH_KERNEL_VPN; kmap_region(v, &r) && r.first.n; v = r.range.first + r.range.count) {
		vpn_t end = r.range.first + r.range.count;

		if (end % SPAN && end - end % SPAN >= r.range.first && end < KMAP_STACK_VPN)
			found = end - end % SPAN;
	}
	return found;
}

KTEST(kmap_check, sees_a_large_page_over_the_end_of_memory)
{
	vpn_t v = span_that_ram_ends_in();
	prot_t prot = PROT_R | PROT_W | PROT_GLOBAL;

	if (!arch_mmu.large || !v)
		SKIP("no large pages, or memory ends where one could");
	EXPECT_FAULTS(faults_with(pgdir_walk(&kernel_pdir, v, 1, NULL).entry,
				  arch_pte_leaf(1, PFN(v - ARCH_KERNEL_VPN), prot)));
}
