/* tests/ktest/pte_test.c - the codec of page-table entries: what goes in comes out. */
#include <arch/pte.h>
#include <kernel/ktest.h>

static const prot_t prots[] = {PROT_R,
			       PROT_R | PROT_W,
			       PROT_R | PROT_X,
			       PROT_R | PROT_USER,
			       PROT_R | PROT_W | PROT_USER | PROT_X,
			       PROT_R | PROT_W | PROT_USER | PROT_COW,
			       PROT_R | PROT_W | PROT_USER | PROT_OWNED,
			       PROT_R | PROT_GLOBAL,
			       PROT_R | PROT_W | PROT_NOCACHE};

/* The codec: what goes in comes out, and the kinds of entry exclude one another. */
KTEST_EACH(pte, an_entry_decodes_to_what_was_encoded, prots)
{
	for (uint32_t n = 1; n < ARCH_PFN_END && n; n <<= 1) {
		pte_t e = arch_pte_leaf(0, PFN(n), param);

		EXPECT_EQ(arch_pte_kind(0, e), PTE_LEAF);
		EXPECT_EQ(arch_pte_pfn(e).n, n);
		EXPECT_EQ(arch_pte_prot(e), arch_prot_effective(param));
		EXPECT(!arch_pte_accessed(e) && !arch_pte_dirty(e));
		e = arch_pte_table(1, PFN(n));
		EXPECT_EQ(arch_pte_kind(1, e), PTE_TABLE);
		EXPECT_EQ(arch_pte_pfn(e).n, n);
		if (n % ARCH_PT_SPAN(1) == 0 && arch_mmu.large) {
			e = arch_pte_leaf(1, PFN(n), param);
			EXPECT_EQ(arch_pte_kind(1, e), PTE_LEAF);
			EXPECT_EQ(arch_pte_prot(e), arch_prot_effective(param));
			EXPECT_EQ(arch_pte_pfn(e).n, n);
		}
	}
	EXPECT_EQ(arch_pte_kind(0, arch_pte_none()), PTE_NONE);
	EXPECT_EQ(arch_pte_kind(1, arch_pte_none()), PTE_NONE);
	EXPECT_EQ(arch_pte_kind(ARCH_PT_LEVELS - 1, arch_pte_table(ARCH_PT_LEVELS - 1, PFN(5))), PTE_TABLE);
}

/* Rights of the levels are taken together: what an upper entry forbids, no leaf below it can allow. */
KTEST(pte, an_entry_for_a_table_leaves_all_rights_to_the_leaf)
{
	uint64_t rights = PTE_WRITE | PTE_USER;

	EXPECT_EQ(arch_pte_table(1, PFN(5)).raw & rights, rights);
	EXPECT_EQ(arch_pte_prot(arch_pte_table(1, PFN(5))) & PROT_X, PROT_X);
	/* In PAE's root these bits are reserved. */
	if (ARCH_PT_ROOT_EAGER)
		EXPECT_EQ(arch_pte_table(ARCH_PT_LEVELS - 1, PFN(5)).raw & rights, 0);
}
