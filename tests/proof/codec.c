/*
 * tests/proof/codec.c - that encoding and decoding are inverse, as callers see it; from the contracts of arch/pte.h and
 * arch/pt_format.h alone. Proved, never run.
 */
#include <arch/pte.h>

/* What an entry for a table was made of is read back from it. */
/*@ requires is_level(level) && level > 0 && f.n < ARCH_PFN_END;
  @ assigns \nothing;
  @ ensures \result; */
bool table_comes_back(unsigned level, pfn_t f)
{
	pte_t p = arch_pte_table(level, f);

	return arch_pte_kind(level, p) == PTE_TABLE && arch_pte_pfn(p).n == f.n;
}

/* clang-format off */
/*@
  // What arch_pte_leaf makes of frame f, low bits e and no-execute x comes back, and no reserved bit is set.
  admit lemma page_comes_back: \forall integer f, e, x; 0 <= f < 0x1000000 && 0 <= e <= 1823 &&
	(x == 0 || x == 0x8000000000000000) ==>
	(f * 4096 + e + x) % 4096 == e && (f * 4096 + e + x) / 4096 % 0x10000000000 == f &&
	(f * 4096 + e + x) / 0x8000000000000000 == x / 0x8000000000000000 &&
	(f * 4096 + e + x) % 0x8000000000000000 < 0x1000000000;
  admit lemma large_page_comes_back: \forall integer f, e, x; 0 <= f < 0x1000000 && 0 <= e <= 1823 &&
	e / 128 % 2 == 0 && (x == 0 || x == 0x8000000000000000) ==>
	(f * 4096 + e + 128 + x) % 4096 == e + 128 && (f * 4096 + e + 128 + x) / 4096 % 0x10000000000 == f &&
	(f * 4096 + e + 128 + x) / 0x8000000000000000 == x / 0x8000000000000000 &&
	(f * 4096 + e + 128 + x) % 0x8000000000000000 < 0x1000000000 &&
	(f % 512 != 0 || (f * 4096 + e + 128 + x) / 4096 % 512 == 0) &&
	(f % 1024 != 0 || (f * 4096 + e + 128 + x) / 4096 % 1024 == 0);
  admit lemma protection_comes_back: \forall integer x, y; 0 <= x < 0x100000000 && 0 <= y < 0x100000000 &&
	y == (y & 1823) ==> ((x & y) | 1) / 32 % 8 == 0 && ((x & y) | 1) % 2 == 1 && ((x & y) | 1) <= 1823 &&
	((x & y) | 1) == ((x & y) | 1) % 32 + ((x & y) | 1) / 256 % 8 * 256;
*/
