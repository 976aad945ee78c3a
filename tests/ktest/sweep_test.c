/*
 * tests/ktest/sweep_test.c - every operation that allocates, with each of its allocations made to fail in turn:
 * it must say -ENOMEM, change nothing and leak nothing; and succeed when none fails.
 */
#include <arch/frame_access.h>
#include <kernel/ktest.h>
#include <mm/kmap.h>
#include <mm/slab.h>
#include <tests/ktest/machine.h>

#define SPAN ARCH_PT_SPAN(1)
#define V    (5 * SPAN - 2)
#define URW  (PROT_R | PROT_W | PROT_USER)

static struct container_id owner;
static struct pdir pd;

/* What the operations make, for the undoing. */
static struct {
	void *p;
	pfn_t f;
	struct pdir pd;
	vaddr_t stack;
} made;

/* Everything that a failed operation could have changed. */
struct print {
	uint32_t frames, objects, containers, charged, promised, leaves, hash, tables;
};

static int hash_leaf(const struct pt_leaf *leaf, void *arg)
{
	struct print *p = arg;

	p->leaves++;
	p->hash = p->hash * 31 + leaf->v + 7 * arch_pte_pfn(leaf->entry).n + arch_pte_prot(leaf->entry);
	return 0;
}

static struct print take_print(void)
{
	struct print p = {machine_frames_used(), kmalloc_used(), container_count(), 0, 0, 0, 0, 0};

	container_get_usage(owner, &p.charged);
	container_get_usage(CONTAINER_ROOT, &p.promised);
	pdir_each_leaf(&pd, PAGES(0, ARCH_KERNEL_VPN), hash_leaf, &p);
	for (vpn_t v = 0; v < ARCH_KERNEL_VPN; v += SPAN)
		p.tables += arch_pte_kind(1, get_pdir_entry_by_va(&pd, vaddr_of(v))) == PTE_TABLE;
	return p;
}

static bool same_print(const struct print *a, const struct print *b)
{
	return a->frames == b->frames && a->objects == b->objects && a->containers == b->containers &&
	       a->charged == b->charged && a->promised == b->promised && a->leaves == b->leaves &&
	       a->hash == b->hash && a->tables == b->tables;
}

static int run_kalloc(void)
{
	made.p = kalloc();
	return made.p ? 0 : -ENOMEM;
}

static void undo_kalloc(void)
{
	kfree(made.p);
}

static int run_small_kmalloc(void)
{
	made.p = kmalloc(1500); /* a size that no other object of the suite shares a slab with */
	return made.p ? 0 : -ENOMEM;
}

static int run_large_kmalloc(void)
{
	made.p = kmalloc(5 * PAGE_SIZE);
	return made.p ? 0 : -ENOMEM;
}

static void undo_kmalloc(void)
{
	kmfree(made.p);
}

static int run_block(void)
{
	return container_alloc(owner, ALLOC_USER | ALLOC_HIGH | ALLOC_ZERO | ALLOC_ORDER(3), &made.f);
}

static void undo_block(void)
{
	container_free(owner, made.f);
}

static int run_pdir_init(void)
{
	return pdir_init(&made.pd, owner);
}

static int run_pdir_init_kern(void)
{
	return pdir_init_kern(&made.pd);
}

static int run_kvm_init(void)
{
	return kvm_init(&made.pd);
}

static void undo_pdir(void)
{
	vm_free(&made.pd);
}

static int run_alloc_mem_quota(void)
{
	return alloc_mem_quota(&made.pd, owner, 20);
}

static void undo_alloc_mem_quota(void)
{
	free_mem_quota(&made.pd);
}

static int run_alloc_ptbl(void)
{
	return alloc_ptbl(&pd, vaddr_of(V));
}

static int run_alloc_page(void)
{
	return alloc_page(&pd, V, URW);
}

/* Device memory: nobody's frames. Over three tables. */
static int run_map_region(void)
{
	return map_region(&pd, PAGES(V, SPAN + 4), machine_device_frames(SPAN + 4), PROT_R | PROT_USER);
}

static int run_mappages(void)
{
	return mappages(&pd, vaddr_of(V), 4 * PAGE_SIZE, paddr_of(machine_device_frames(4)),
			PROT_R | PROT_USER);
}

static int run_map_page(void)
{
	return map_page(&pd, V, machine_device_frames(1), PROT_R | PROT_USER);
}

static void undo_map(void)
{
	struct tlb_batch b;

	tlb_begin(&b, pd.root);
	unmap_region(&pd, PAGES(V, SPAN + 4), &b);
	for (vpn_t v = V; v < V + 3 * SPAN; v += SPAN)
		free_ptbl(&pd, vaddr_of(v), &b);
	tlb_finish(&b);
}

static int run_kstack_alloc(void)
{
	made.stack = kstack_alloc();
	return made.stack ? 0 : -ENOMEM;
}

static void undo_kstack_alloc(void)
{
	kstack_free(made.stack);
}

static const struct operation {
	const char *name;
	int (*run)(void);
	void (*undo)(void);
} operations[] = {
	{"kalloc", run_kalloc, undo_kalloc},
	{"kmalloc, small", run_small_kmalloc, undo_kmalloc},
	{"kmalloc, large", run_large_kmalloc, undo_kmalloc},
	{"container_alloc", run_block, undo_block},
	{"pdir_init", run_pdir_init, undo_pdir},
	{"pdir_init_kern", run_pdir_init_kern, undo_pdir},
	{"kvm_init", run_kvm_init, undo_pdir},
	{"alloc_mem_quota", run_alloc_mem_quota, undo_alloc_mem_quota},
	{"alloc_ptbl", run_alloc_ptbl, undo_map},
	{"alloc_page", run_alloc_page, undo_map},
	{"map_page", run_map_page, undo_map},
	{"map_region", run_map_region, undo_map},
	{"mappages", run_mappages, undo_map},
	{"kstack_alloc", run_kstack_alloc, undo_kstack_alloc},
};

static const uint32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
_Static_assert(ARRAY_SIZE(numbers) == ARRAY_SIZE(operations), "each operation is swept");

KTEST_SETUP(sweep)
{
	EXPECT_EQ(container_split(CONTAINER_ROOT, 100, &owner), 0);
	EXPECT_EQ(pdir_init(&pd, owner), 0);
}

KTEST_TEARDOWN(sweep)
{
	machine_fail_after(-1);
	vm_free(&pd);
	container_destroy(owner);
}

/* Without large pages the kernel's map takes hundreds of tables: from the 20th on only some of them fail. */
KTEST_EACH(sweep, every_allocation_fails_in_turn, numbers)
{
	const struct operation *op = &operations[param];
	struct print before = take_print();
	int32_t n = 0;
	int err = -ENOMEM;

	for (int32_t step = 0; err; n += 1 + step / 20 * 9, step++) {
		struct print after;

		machine_fail_after(n);
		err = op->run();
		machine_fail_after(-1);
		if (!err)
			op->undo();
		after = take_print();
		if ((err && err != -ENOMEM) || !same_print(&before, &after)) {
			ktest_fail("%s with allocation %d failing: returned %d, or left something changed",
				   op->name, n, err);
			return;
		}
	}
	if (n == 1)
		ktest_fail("%s never failed", op->name);
}

/* The table of containers doubles in ten allocations. */
KTEST(sweep, container_split_when_the_table_is_full)
{
	uint32_t count = container_count(), full;
	struct container_id last = owner, next;

	machine_fail_after(0);
	while (!container_split(last, 0, &next))
		last = next;
	full = container_count();
	for (int32_t n = 0; n < 10; n++) {
		struct print before = take_print(), after;

		machine_fail_after(n);
		EXPECT_EQ(container_split(last, 0, &next), -ENOMEM);
		machine_fail_after(-1);
		after = take_print();
		ASSERT(same_print(&before, &after));
	}
	EXPECT_EQ(container_count(), full);
	while (container_count() > count) {
		ASSERT_EQ(container_get_parent(last, &next), 0);
		ASSERT_EQ(container_destroy(last), 0);
		last = next;
	}
}
