/* tests/ktest/fork_test.c - what a child gets, and what neither of the two sees of the other. */
#include <arch/pte_store.h>
#include <tests/ktest/space_fixture.h>

static struct space_fixture x;
static struct space child;
static bool has_child;

KTEST_SETUP(fork)
{
	has_child = false;
	fixture_begin(&x);
}

static void end_child(void)
{
	space_load(&x.s);
	if (has_child)
		space_destroy(&child);
	has_child = false;
}

KTEST_TEARDOWN(fork)
{
	machine_fail_after(-1);
	if (has_child) {
		EXPECT_EQ(check_space(&child), 0);
		EXPECT_EQ(check_vm(&child.pd), 0);
	}
	end_child();
	fixture_end(&x);
}

static void do_fork(void)
{
	EXPECT_EQ(space_fork(&child, &x.s), 0);
	has_child = true;
}

static uint32_t load_of(struct space *s, vaddr_t from)
{
	space_load(s);
	return load(s, from);
}

static int store_of(struct space *s, vaddr_t to, uint32_t word)
{
	space_load(s);
	return store(s, to, word);
}

KTEST(fork, neither_sees_what_the_other_writes)
{
	ASSERT_EQ(map_at(&x.s, AT, 4, RW, ANON), AT);
	EXPECT_EQ(store(&x.s, AT, 1), 0);
	EXPECT_EQ(store(&x.s, AT + PAGE, 2), 0);
	EXPECT_EQ(load(&x.s, AT + 2 * PAGE), 0);
	do_fork();
	EXPECT_EQ(store_of(&x.s, AT, 10), 0);
	EXPECT_EQ(store_of(&child, AT + PAGE, 20), 0);
	EXPECT_EQ(store_of(&child, AT + 2 * PAGE, 30), 0);
	EXPECT_EQ(load_of(&child, AT), 1);
	EXPECT_EQ(load_of(&child, AT + PAGE), 20);
	EXPECT_EQ(load_of(&x.s, AT), 10);
	EXPECT_EQ(load_of(&x.s, AT + PAGE), 2);
	EXPECT_EQ(load_of(&x.s, AT + 2 * PAGE), 0);
}

/* The parent's translations were writable until the fork. */
KTEST(fork, the_parents_rights_are_flushed)
{
	ASSERT_EQ(map_at(&x.s, AT, 1, RW, ANON), AT);
	EXPECT_EQ(store(&x.s, AT, 1), 0);
	do_fork();
	EXPECT(machine_reads(vpn_of(AT)));
	EXPECT(!machine_writes(vpn_of(AT)));
}

KTEST(fork, pages_are_shared_until_one_writes)
{
	uint32_t before;
	pfn_t f;

	ASSERT_EQ(map_at(&x.s, AT, 20, RW, ANON), AT);
	for (uint32_t i = 0; i < 20; i++)
		EXPECT_EQ(store(&x.s, AT + i * PAGE, i), 0);
	before = charged_to(x.tenant);
	do_fork();
	EXPECT(charged_to(x.tenant) < before + 20);
	f = arch_pte_pfn(get_ptbl_entry_by_va(&x.s.pd, AT));
	EXPECT_EQ(frame_refs(f), 2);
	EXPECT_EQ(x.tenant->committed, 40);
	EXPECT_EQ(store_of(&child, AT, 5), 0);
	EXPECT_EQ(frame_refs(f), 1);
	before = charged_to(x.tenant);
	EXPECT_EQ(store_of(&x.s, AT, 6), 0); /* nobody else has it: written in place */
	EXPECT_EQ(charged_to(x.tenant), before);
	EXPECT_EQ(arch_pte_pfn(get_ptbl_entry_by_va(&x.s.pd, AT)).n, f.n);
}

KTEST(fork, shared_memory_stays_shared)
{
	struct mapping *m = mapping_create(x.tenant->owner, 2 * PAGE);

	ASSERT_EQ(map_at(&x.s, AT, 2, RW, MAP_SHARED | MAP_ANONYMOUS), AT);
	ASSERT_EQ(map_shared(&x.s, AT + 2 * PAGE, 2, RW, m), AT + 2 * PAGE);
	mapping_put(m);
	EXPECT_EQ(store(&x.s, AT, 1), 0);
	do_fork();
	EXPECT_EQ(store_of(&child, AT + 4, 2), 0);
	EXPECT_EQ(store_of(&x.s, AT + PAGE, 3), 0);
	EXPECT_EQ(store_of(&child, AT + 3 * PAGE, 4), 0);
	EXPECT_EQ(load_of(&child, AT), 1);
	EXPECT_EQ(load_of(&x.s, AT + 4), 2);
	EXPECT_EQ(load_of(&child, AT + PAGE), 3);
	EXPECT_EQ(load_of(&x.s, AT + 3 * PAGE), 4);
}

KTEST(fork, a_private_page_of_a_file_that_was_written_is_copied)
{
	struct mapping *m = mapping_create(x.tenant->owner, 2 * PAGE);

	ASSERT_EQ(map_private(&x.s, AT, 2, RW, m), AT);
	EXPECT_EQ(store(&x.s, AT, 7), 0);
	EXPECT_EQ(load(&x.s, AT + PAGE), 0);
	do_fork();
	EXPECT_EQ(store_of(&x.s, AT, 8), 0);
	EXPECT_EQ(load_of(&child, AT), 7);
	EXPECT_EQ(load_of(&child, AT + PAGE), 0);
	EXPECT_EQ(store_of(&child, AT + PAGE, 9), 0);
	EXPECT_EQ(load_of(&x.s, AT + PAGE), 0);
	mapping_put(m);
}

KTEST(fork, memory_without_rights_keeps_its_content_in_both)
{
	ASSERT_EQ(map_at(&x.s, AT, 2, RW, ANON), AT);
	EXPECT_EQ(store(&x.s, AT, 7), 0);
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, PROT_NONE), 0);
	do_fork();
	EXPECT_EQ(space_mprotect(&child, AT, PAGE, RW), 0);
	EXPECT_EQ(store_of(&child, AT, 8), 0);
	EXPECT_EQ(load_of(&x.s, AT), FAILED(EACCES));
	EXPECT_EQ(space_mprotect(&x.s, AT, PAGE, RW), 0);
	EXPECT_EQ(load_of(&x.s, AT), 7);
}

KTEST(fork, what_a_child_is_not_to_have_it_has_not)
{
	ASSERT_EQ(map_at(&x.s, AT, 3, RW, ANON), AT);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(store(&x.s, AT + i * PAGE, 7), 0);
	EXPECT_EQ(space_madvise(&x.s, AT, PAGE, MADV_DONTFORK), 0);
	EXPECT_EQ(space_madvise(&x.s, AT + PAGE, PAGE, MADV_WIPEONFORK), 0);
	EXPECT_EQ(space_mlock(&x.s, AT + 2 * PAGE, PAGE, 0), 0);
	do_fork();
	EXPECT_EQ(load_of(&child, AT), FAILED(EFAULT));
	EXPECT_EQ(load_of(&child, AT + PAGE), 0);
	EXPECT_EQ(load_of(&child, AT + 2 * PAGE), 7);
	EXPECT_EQ(child.locked, 0);
	EXPECT_EQ(x.s.locked, 1);
	EXPECT_EQ(check_space(&child), 0);
	EXPECT_EQ(load_of(&x.s, AT + PAGE), 7);
}

/* Locks are not inherited: what they kept apart is one area in the child. */
KTEST(fork, areas_that_are_alike_in_the_child_are_one)
{
	ASSERT_EQ(map_at(&x.s, AT, 3, RW, ANON), AT);
	EXPECT_EQ(space_mlock(&x.s, AT + PAGE, PAGE, 0), 0);
	EXPECT_EQ(area_count(&x.s), 3);
	do_fork();
	EXPECT_EQ(area_count(&child), 1);
	EXPECT_EQ(child.locked, 0);
	EXPECT_EQ(check_space(&child), 0);
}

/* The child's one area reaches into a table of which the parent's had nothing to copy. */
KTEST(fork, areas_that_become_one_want_no_more_tables)
{
	ASSERT_EQ(map_at(&x.s, AT - PAGE, 2, RW, ANON), AT - PAGE);
	EXPECT_EQ(space_mlock(&x.s, AT, PAGE, MLOCK_ONFAULT), 0);
	EXPECT_EQ(store(&x.s, AT - PAGE, 7), 0);
	EXPECT_EQ(load(&x.s, AT), 0);
	do_fork();
	EXPECT_EQ(area_count(&child), 1);
	EXPECT_EQ(load_of(&child, AT - PAGE), 7);
	EXPECT_EQ(load_of(&child, AT), 0);
}

KTEST(fork, a_child_can_fork)
{
	struct space grandchild;

	ASSERT_EQ(map_at(&x.s, AT, 1, RW, ANON), AT);
	EXPECT_EQ(store(&x.s, AT, 1), 0);
	do_fork();
	ASSERT_EQ(space_fork(&grandchild, &child), 0);
	EXPECT_EQ(store_of(&grandchild, AT, 3), 0);
	EXPECT_EQ(store_of(&child, AT, 2), 0);
	EXPECT_EQ(load_of(&x.s, AT), 1);
	EXPECT_EQ(load_of(&grandchild, AT), 3);
	end_child();
	EXPECT_EQ(load_of(&grandchild, AT), 3);
	space_load(&x.s);
	space_destroy(&grandchild);
	EXPECT_EQ(load_of(&x.s, AT), 1);
}

KTEST(fork, the_break_and_the_stack_go_on_in_the_child)
{
	EXPECT_EQ(space_set_brk(&x.s, AT), 0);
	EXPECT_EQ(space_brk(&x.s, AT + 10), AT + 10);
	EXPECT_EQ(space_map_stack(&x.s, 0xB0000000u, 64 * PAGE, RW), 0);
	EXPECT_EQ(store(&x.s, AT, 5), 0);
	do_fork();
	EXPECT_EQ(space_brk(&child, AT + 2 * PAGE), AT + 2 * PAGE);
	EXPECT_EQ(store_of(&child, AT + PAGE, 6), 0);
	EXPECT_EQ(store_of(&child, 0xB0000000u - 60 * PAGE, 6), 0);
	EXPECT_EQ(load_of(&child, AT), 5);
	EXPECT_EQ(load_of(&x.s, AT + PAGE), FAILED(EFAULT));
	EXPECT_EQ(child.mmap_base, x.s.mmap_base);
}

KTEST(fork, without_overcommit_a_child_that_could_not_write_is_refused)
{
	ASSERT_EQ(map_at(&x.s, AT, TENANT_PAGES / 2 + 1, RW, ANON), AT);
	EXPECT_EQ(store(&x.s, AT, 1), 0);
	overcommit = OVERCOMMIT_NEVER;
	EXPECT_EQ(space_fork(&child, &x.s), -ENOMEM);
	EXPECT_EQ(x.tenant->committed, TENANT_PAGES / 2 + 1);
	overcommit = OVERCOMMIT_GUESS;
	do_fork();
	EXPECT_EQ(x.tenant->committed, 2 * (TENANT_PAGES / 2 + 1));
}

/* Two tables' worth of areas, some in one table. */
static void many_areas(void)
{
	for (uint32_t i = 0; i < 12; i++) {
		vaddr_t at = AT + (i / 4 * ARCH_PT_SPAN(1) + i % 4 * 2) * PAGE;

		ASSERT_EQ(map_at(&x.s, at, 1, i % 2 ? RW : RW | PROT_EXEC, ANON), (int32_t)at);
		EXPECT_EQ(store(&x.s, at, i), 0);
	}
}

KTEST(fork, each_allocation_fails_in_turn_and_nothing_has_changed)
{
	uint32_t charged, frames, committed, objects;
	int32_t n = 0;
	int err;

	many_areas();
	charged = charged_to(x.tenant);
	frames = machine_frames_used();
	committed = x.tenant->committed;
	objects = kmalloc_used();
	do {
		machine_fail_after(n);
		err = space_fork(&child, &x.s);
		machine_fail_after(-1);
		if (!err)
			break;
		ASSERT_EQ(err, -ENOMEM);
		ASSERT(charged_to(x.tenant) == charged && machine_frames_used() == frames &&
		       x.tenant->committed == committed && x.tenant->refs == 2 && kmalloc_used() == objects);
		ASSERT(machine_writes(vpn_of(AT)));
		ASSERT_EQ(check_space(&x.s), 0);
	} while (n++ < 40);
	has_child = !err;
	EXPECT(n >= 4 && n < 40);
	for (uint32_t i = 0; i < 12; i++)
		EXPECT_EQ(load_of(&child, AT + (i / 4 * ARCH_PT_SPAN(1) + i % 4 * 2) * PAGE), i);
}

/* A frame that can have no more references: the fork is refused, and what was copied by then given back. */
KTEST(fork, a_frame_with_all_its_references_refuses_the_child)
{
	vaddr_t behind = AT + ARCH_PT_SPAN(1) * PAGE;
	struct frame *d;
	uint32_t tag, frames;
	pfn_t f;

	ASSERT_EQ(map_at(&x.s, AT, 3, RW, ANON), AT);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_EQ(store(&x.s, AT + i * PAGE, i), 0);
	ASSERT_EQ(map_at(&x.s, behind, 1, RW, ANON), (int32_t)behind); /* in a table that is not come to */
	EXPECT_EQ(store(&x.s, behind, 1), 0);
	f = arch_pte_pfn(get_ptbl_entry_by_va(&x.s.pd, AT + 2 * PAGE));
	d = frame_desc(f.n);
	tag = d->tag;
	frames = machine_frames_used();
	d->tag = tag | ~(FRAME_REF - 1);
	EXPECT_EQ(space_fork(&child, &x.s), -ENOMEM);
	d->tag = tag;
	EXPECT_EQ(machine_frames_used(), frames);
	EXPECT_EQ(frame_refs(arch_pte_pfn(get_ptbl_entry_by_va(&x.s.pd, AT))), 1);
	EXPECT_EQ(store(&x.s, AT, 5), 0);
	EXPECT_EQ(x.tenant->committed, 4);
}

/* Two areas in one table want one table: a quota with room for that and the directory is enough. */
KTEST(fork, a_child_takes_no_more_than_it_needs)
{
	uint32_t needs = (ARCH_PT_ROOT_EAGER ? 4 : 1) + 1, i = 0;

	ASSERT_EQ(map_at(&x.s, AT, TENANT_PAGES, RW, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + 200 * PAGE, 1, RW, ANON), AT + 200 * PAGE);
	EXPECT_EQ(store(&x.s, AT + 200 * PAGE, 1), 0);
	while (charged_to(x.tenant) < TENANT_PAGES - needs)
		ASSERT_EQ(store(&x.s, AT + i++ * PAGE, 1), 0);
	do_fork();
	EXPECT_EQ(charged_to(x.tenant), TENANT_PAGES);
}

KTEST(fork, ten_thousand_children_leave_nothing)
{
	uint32_t frames, count = machine_is_simulated() ? 100 : 10000;

	many_areas();
	do_fork();
	end_child();
	frames = machine_frames_used();
	for (uint32_t i = 0; i < count; i++) {
		do_fork();
		ASSERT(has_child && child.areas.count == x.s.areas.count);
		if (i % 8 == 0)
			EXPECT_EQ(store_of(&child, AT, i), 0);
		end_child();
	}
	EXPECT_EQ(machine_frames_used(), frames);
	EXPECT_EQ(load_of(&x.s, AT), 0);
}
