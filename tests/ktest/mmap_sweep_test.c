/*
 * tests/ktest/mmap_sweep_test.c - every call that changes a space, with each of its allocations made to fail in turn:
 * it must say so and change nothing; and succeed when none fails.
 */
#include <tests/ktest/space_fixture.h>

static struct space_fixture x;
static struct mapping *file;

/* Everything that a failed call could have changed. Tables may stay. */
struct print {
	uint32_t areas, pages, committed, hash, refs, objects;
	vaddr_t brk;
};

static int hash_leaf(const struct pt_leaf *leaf, void *arg)
{
	struct print *p = arg;

	p->hash = p->hash * 31 + leaf->v + 7 * arch_pte_pfn(leaf->entry).n + arch_pte_prot(leaf->entry);
	return 0;
}

static struct print take_print(void)
{
	struct print p = {area_count(&x.s), x.s.pages, x.tenant->committed, 0, file->refs,
			  kmalloc_used(),   x.s.brk};

	for (struct area *a = area_first(&x.s.areas); a; a = area_next(a))
		p.hash = p.hash * 33 + a->first + 3 * a->end + 5 * a->prot + 7 * a->flags + 11 * a->offset;
	pdir_each_leaf(&x.s.pd, PAGES(0, ARCH_KERNEL_VPN), hash_leaf, &p);
	return p;
}

KTEST_SETUP(mmap_sweep)
{
	fixture_begin(&x);
	file = mapping_create(x.tenant->owner, 8 * PAGE);
	EXPECT_EQ(map_at(&x.s, AT, 8, RW, ANON | MAP_POPULATE), AT);
	EXPECT_EQ(map_shared(&x.s, AT + 16 * PAGE, 4, RW, file), AT + 16 * PAGE);
	EXPECT_EQ(space_set_brk(&x.s, AT + 64 * PAGE), 0);
}

KTEST_TEARDOWN(mmap_sweep)
{
	machine_fail_after(-1);
	mapping_put(file);
	fixture_end(&x);
}

static int32_t run_mmap(void)
{
	return map_at(&x.s, AT + 32 * PAGE, 2, PROT_READ, ANON);
}

static int32_t run_shared(void)
{
	return map_at(&x.s, AT + 32 * PAGE, 2, RW, MAP_SHARED | MAP_ANONYMOUS);
}

static int32_t run_file(void)
{
	return map_shared(&x.s, AT + 32 * PAGE, 4, PROT_READ, file);
}

static int32_t run_replace(void)
{
	return map_at(&x.s, AT + 2 * PAGE, 2, PROT_READ, ANON);
}

static int32_t run_munmap(void)
{
	return space_munmap(&x.s, AT + 2 * PAGE, 2 * PAGE);
}

static int32_t run_mprotect(void)
{
	return space_mprotect(&x.s, AT + 2 * PAGE, 2 * PAGE, PROT_READ);
}

static int32_t run_mremap(void)
{
	const struct mremap_request r = {AT + 2 * PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
					 AT + 0x2000000};

	return space_mremap(&x.s, &r);
}

static int32_t run_mremap_file(void)
{
	const struct mremap_request r = {AT + 17 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
					 AT + 3 * PAGE};

	return space_mremap(&x.s, &r);
}

static int32_t run_mlock(void)
{
	return space_mlock(&x.s, AT + 2 * PAGE, PAGE, MLOCK_ONFAULT);
}

static int32_t run_madvise(void)
{
	return space_madvise(&x.s, AT + 2 * PAGE, PAGE, MADV_DONTFORK);
}

static int32_t run_brk(void)
{
	return space_brk(&x.s, AT + 66 * PAGE) == AT + 66 * PAGE ? 0 : -ENOMEM;
}

static int32_t run_stack(void)
{
	return space_map_stack(&x.s, 0xB0000000u, 64 * PAGE, RW);
}

static const struct operation {
	const char *name;
	int32_t (*run)(void);
} operations[] = {
	{"mmap", run_mmap},         {"mmap, shared memory", run_shared},
	{"mmap, a file", run_file}, {"mmap over an area", run_replace},
	{"munmap", run_munmap},     {"mprotect", run_mprotect},
	{"mremap", run_mremap},     {"mremap of a file over an area", run_mremap_file},
	{"mlock", run_mlock},       {"madvise", run_madvise},
	{"brk", run_brk},           {"stack", run_stack},
};
static const uint32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
_Static_assert(ARRAY_SIZE(numbers) == ARRAY_SIZE(operations), "each call is swept");

/* Areas until the slab that nodes come from is full, so that the next node takes a frame. */
static uint32_t use_up_nodes(void)
{
	uint32_t n = 0;

	machine_fail_after(0);
	while (map_at(&x.s, AT + 0x1000000 + 2 * n * PAGE, 1, PROT_READ, ANON) > 0)
		n++;
	machine_fail_after(-1);
	return n;
}

KTEST_EACH(mmap_sweep, every_allocation_fails_in_turn, numbers)
{
	const struct operation *op = &operations[param];
	int32_t result, n = 0;
	struct print before;

	use_up_nodes();
	before = take_print();
	do {
		struct print after;

		machine_fail_after(n);
		result = op->run();
		machine_fail_after(-1);
		if (result >= 0)
			break;
		after = take_print();
		if (result != -ENOMEM || memcmp(&before, &after, sizeof(before)) || check_space(&x.s)) {
			ktest_fail("%s with allocation %d failing: returned %d, or left something changed",
				   op->name, n, result);
			return;
		}
	} while (n++ < 20);
	if (!n || n > 20)
		ktest_fail("%s failed %d times", op->name, n);
}
