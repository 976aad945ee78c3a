/* tests/ktest/space_test.c - spaces as such, tenants, and the check that all suites lean on. */
#include <arch/pte_store.h>
#include <mm/pgtable_run.h>
#include <tests/ktest/space_fixture.h>

#define HERE (AT + 8 * PAGE) /* with a page in front of it in the same table */

static struct space_fixture x;

KTEST_SETUP(space)
{
	fixture_begin(&x);
}

KTEST_TEARDOWN(space)
{
	fixture_end(&x);
}

KTEST(space, a_new_space_is_empty)
{
	EXPECT_EQ(area_count(&x.s), 0);
	EXPECT(!space_next_area(&x.s, 0));
	EXPECT_EQ(space_resident(&x.s), 0);
	EXPECT_EQ(x.s.pages, 0);
	EXPECT_EQ(arch_mmu_root().n, x.s.pd.root.n);
	EXPECT(!machine_reads(vpn_of(AT)));
}

KTEST(space, creating_one_fails_without_memory_and_changes_nothing)
{
	uint32_t frames = machine_frames_used();
	struct space s;
	struct tenant *t;

	for (int32_t n = 0; n < (ARCH_PT_ROOT_EAGER ? 4 : 1); n++) {
		machine_fail_after(n);
		EXPECT_EQ(space_create(&s, x.tenant, no_limits), -ENOMEM);
		machine_fail_after(-1);
		EXPECT_EQ(machine_frames_used(), frames);
		EXPECT_EQ(x.tenant->refs, 2);
	}
	EXPECT_EQ(tenant_create(x.tenant->owner, TENANT_PAGES, &t), -EDQUOT);
	EXPECT_EQ(tenant_create((struct container_id){1000000, 0}, 1, &t), -ESRCH);
	EXPECT_EQ(machine_frames_used(), frames);
}

KTEST(space, destroying_one_gives_everything_back)
{
	struct mapping *m = mapping_create(CONTAINER_ROOT, 4 * PAGE);
	uint32_t charged = charged_to(x.tenant), committed = x.tenant->committed, word;
	struct space s;

	ASSERT_EQ(space_create(&s, x.tenant, no_limits), 0);
	for (uint32_t i = 0; i < 10; i++) {
		vaddr_t at = AT + i * ARCH_PT_SPAN(1) * PAGE / 2;

		ASSERT_EQ(map_at(&s, at, 3, RW, ANON), (int32_t)at);
		EXPECT_EQ(space_write(&s, at + PAGE, &i, 4), 0);
		EXPECT_EQ(space_read(&s, at, &word, 4), 0);
	}
	ASSERT_EQ(map_shared(&s, 0x10000, 4, RW, m), 0x10000);
	EXPECT_EQ(space_write(&s, 0x10000, "abc", 4), 0);
	EXPECT_EQ(space_mprotect(&s, AT + PAGE, PAGE, PROT_NONE), 0);
	EXPECT_EQ(check_space(&s), 0);
	space_destroy(&s);
	EXPECT_EQ(charged_to(x.tenant), charged);
	EXPECT_EQ(x.tenant->committed, committed);
	EXPECT_EQ(m->refs, 1);
	EXPECT(LIST_EMPTY(&m->areas));
	mapping_put(m);
}

KTEST_PANICS(space, destroying_the_loaded_one_panics, "space_destroy of the loaded space")
{
	space_destroy(&x.s);
}

/* Two spaces of one tenant share its quota; what one gives back the other can have. */
KTEST(space, a_tenant_pays_for_all_its_spaces)
{
	struct space s;
	uint32_t i = 0;

	ASSERT_EQ(space_create(&s, x.tenant, no_limits), 0);
	ASSERT_EQ(map_at(&x.s, AT, TENANT_PAGES, RW, ANON), AT);
	ASSERT_EQ(map_at(&s, AT, TENANT_PAGES, RW, ANON), AT);
	EXPECT_EQ(space_write(&s, AT, "x", 1), 0);
	while (!space_write(&x.s, AT + i * PAGE, "x", 1))
		i++;
	EXPECT_EQ(charged_to(x.tenant), TENANT_PAGES);
	EXPECT_EQ(space_write(&s, AT + PAGE, "x", 1), -ENOMEM);
	EXPECT_EQ(space_munmap(&x.s, AT, PAGE), 0);
	EXPECT_EQ(space_write(&s, AT + PAGE, "x", 1), 0);
	space_destroy(&s);
}

/* Frames that a shared file's pages were charged to live on when the tenant ends: its parent pays. */
KTEST(space, pages_of_an_ended_tenant_pass_to_its_parent)
{
	struct tenant *t;
	struct mapping *m;
	uint32_t before, after;

	ASSERT_EQ(tenant_create(x.tenant->owner, 20, &t), 0);
	m = mapping_create(t->owner, 0);
	before = charged_to(x.tenant);
	EXPECT_EQ(mapping_write(m, 0, "abc", 4), 4);
	tenant_put(t);
	after = charged_to(x.tenant);
	EXPECT_EQ(after, before - 20 + 1);
	mapping_put(m);
	EXPECT_EQ(charged_to(x.tenant), after - 1);
}

KTEST(space, find_remembers_and_is_not_misled)
{
	ASSERT_EQ(map_at(&x.s, AT, 2, RW, ANON), AT);
	ASSERT_EQ(map_at(&x.s, AT + 4 * PAGE, 2, RW, ANON), AT + 4 * PAGE);
	EXPECT_EQ(space_find(&x.s, vpn_of(AT))->first, vpn_of(AT));
	EXPECT_EQ(space_find(&x.s, vpn_of(AT) + 2)->first, vpn_of(AT) + 4);
	EXPECT_EQ(space_find(&x.s, vpn_of(AT) + 5)->first, vpn_of(AT) + 4);
	EXPECT_EQ(space_munmap(&x.s, AT + 4 * PAGE, 2 * PAGE), 0);
	EXPECT(!space_find(&x.s, vpn_of(AT) + 5));
	EXPECT_EQ(space_find(&x.s, vpn_of(AT) + 1)->first, vpn_of(AT));
}

static void set_raw(vpn_t v, pte_t e)
{
	arch_pte_write(pgdir_walk(&x.s.pd, v, 0, NULL).entry, e);
}

/* What the check is for must be seen by it: one entry after the other is spoilt, and put right again. */
KTEST(space, the_check_finds_faults)
{
	vpn_t v = vpn_of(HERE);
	struct area *a;
	pte_t own, zero;

	ASSERT_EQ(map_at(&x.s, HERE, 4, RW, ANON), HERE);
	EXPECT_EQ(space_write(&x.s, HERE, "x", 1), 0);
	EXPECT_EQ(load(&x.s, HERE + PAGE), 0);
	own = get_ptbl_entry_by_va(&x.s.pd, HERE);
	zero = get_ptbl_entry_by_va(&x.s.pd, HERE + PAGE);
	a = space_find(&x.s, v);
	EXPECT_EQ(check_space(&x.s), 0);
	set_raw(v + 1, arch_pte_leaf(0, zero_frame, PROT_R | PROT_W | PROT_USER));
	EXPECT_FAULTS(check_space(&x.s));
	set_raw(v + 1, zero);
	set_raw(v, arch_pte_leaf(0, arch_pte_pfn(own), PROT_R | PROT_W | PROT_USER));
	EXPECT_FAULTS(check_space(&x.s));
	set_raw(v, arch_pte_leaf(0, arch_pte_pfn(own), PROT_R | PROT_W | PROT_OWNED));
	EXPECT_FAULTS(check_space(&x.s));
	set_raw(v, own);
	set_raw(v + 9, zero);
	EXPECT_FAULTS(check_space(&x.s));
	set_raw(v - 1, zero);
	set_raw(v + 9, arch_pte_none());
	EXPECT_FAULTS(check_space(&x.s));
	set_raw(v - 1, arch_pte_none());
	frame_get(arch_pte_pfn(own));
	EXPECT_FAULTS(check_space(&x.s));
	frame_put(arch_pte_pfn(own));
	a->prot = PROT_R;
	EXPECT_FAULTS(check_space(&x.s));
	a->prot = 0;
	EXPECT_FAULTS(check_space(&x.s));
	a->prot = PROT_R | PROT_W;
	a->flags |= AREA_SHARED;
	EXPECT_FAULTS(check_space(&x.s));
	a->flags &= ~AREA_SHARED;
	x.s.pages++;
	EXPECT_FAULTS(check_space(&x.s));
	x.s.pages--;
	EXPECT_EQ(check_space(&x.s), 0);
}

/* Nothing of an ended space is in the tables of the next one, though they are not zeroed again. */
KTEST(space, tables_of_an_ended_space_come_back_empty)
{
	struct mapping *file = mapping_create(x.tenant->owner, 4 * PAGE);

	for (unsigned round = 0; round < 3; round++) {
		struct space s;

		ASSERT_EQ(space_create(&s, x.tenant, no_limits), 0);
		ASSERT_EQ(map_at(&s, AT, 4, RW, ANON), AT);
		ASSERT_EQ(map_shared(&s, 2 * AT, 4, RW, file), 2 * AT);
		ASSERT_EQ(map_at(&s, 3 * AT, 2, RW, ANON), 3 * AT);
		EXPECT_EQ(s.pd.tables, 0);
		EXPECT_EQ(space_resident(&s), 0);
		EXPECT_EQ(fault_populate(&s, PAGES(vpn_of(AT) + round, 1), true), 0);
		EXPECT_EQ(fault_populate(&s, PAGES(vpn_of(AT) + 3, 1), false), 0);
		EXPECT_EQ(fault_populate(&s, PAGES(vpn_of(2 * AT) + round, 1), true), 0);
		EXPECT_EQ(fault_populate(&s, PAGES(vpn_of(3 * AT) + 1, 1), true), 0);
		EXPECT_EQ(s.pd.tables, 3);
		EXPECT_EQ(count_run(&s.pd, PAGES(0, USER_VPN_END)), 4);
		EXPECT_EQ(space_munmap(&s, 3 * AT, 2 * PAGE),
			  0); /* its table stays, where no area is any more */
		EXPECT_EQ(check_space(&s), 0);
		space_destroy(&s);
		EXPECT_EQ(check_free_list(), 0);
	}
	mapping_put(file);
}
