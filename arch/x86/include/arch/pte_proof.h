/*
 * arch/pte_proof.h - what the contracts of arch/pte.h speak about, for the proof alone: to the compiler all of it is
 * comment. docs/proof.md tells how to read and run it.
 */
#ifndef ARCH_PTE_PROOF_H
#define ARCH_PTE_PROOF_H

/* clang-format off */
/* Where the frame stands in an entry, and no-execute, in the manual's numbers. */
#if QUIRE_PAE
/*@
  logic integer frame_in(integer raw) = raw / 4096 % 0x10000000000;
  logic integer nx_in(integer raw) = raw / 0x8000000000000000;
*/
#else
/*@
  logic integer frame_in(integer raw) = raw / 4096;
  logic integer nx_in(integer raw) = 0;
*/
#endif

#define TOP 0x8000000000000000

/*@
  // What arch_mmu_probe leaves.
  predicate probed =
	arch_mmu.leaf_bits == (arch_mmu.leaf_bits & PTE_AS_PROT) && arch_mmu.pfn_end <= ARCH_PFN_END &&
	arch_mmu.nx_bit == (arch_mmu.nx ? 0x8000000000000000 : 0) && (arch_mmu.nx ==> QUIRE_PAE == 1);
  logic integer x_in(integer prot) = prot / 4096 % 2;
  logic integer nx_of(integer prot) = x_in(prot) == 1 ? 0 : arch_mmu.nx_bit;

  // Masks as remainders and sums: tests/proof/lemmas.py proves these.
  admit lemma bit_0: \forall integer x; 0 <= x < 0x10000000000000000 ==> (((x & 1) != 0) <==> (x % 2 == 1));
  admit lemma bit_5: \forall integer x; 0 <= x < 0x10000000000000000 ==> (((x & 32) != 0) <==> (x / 32 % 2 == 1));
  admit lemma bit_6: \forall integer x; 0 <= x < 0x10000000000000000 ==> (((x & 64) != 0) <==> (x / 64 % 2 == 1));
  admit lemma bit_7: \forall integer x; 0 <= x < 0x10000000000000000 ==> (((x & 128) != 0) <==> (x / 128 % 2 == 1));
  admit lemma bit_12: \forall integer x; 0 <= x < 0x10000000000000000 ==> (((x & 4096) != 0) <==> (x / 4096 % 2 == 1));
  admit lemma bit_63: \forall integer x; 0 <= x < 0x10000000000000000 ==>
	(((x & 0x8000000000000000) != 0) <==> (x / 0x8000000000000000 == 1));
  admit lemma or_4096: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x | 4096) == x + 4096 - x / 4096 % 2 * 4096;
  admit lemma and_frame_32: \forall integer x; 0 <= x < 0x100000000 ==> (x & 0xFFFFF000) == x / 4096 * 4096;
  admit lemma and_frame_64: \forall integer x; 0 <= x < 0x10000000000000000 ==>
	(x & 0x000FFFFFFFFFF000) == x / 4096 % 0x10000000000 * 4096;
  admit lemma or_table: \forall integer x; 0 <= x < 0x1000000000 && x % 4096 == 0 ==>
	(x | 1) == x + 1 && (x | 7) == x + 7;
  admit lemma or_page: \forall integer a, b; 0 <= a <= 1823 && 0 <= b < 0x1000000000 && b % 4096 == 0 ==>
	(a | b | 1) == b + (a | 1);
  admit lemma or_large: \forall integer a, b; 0 <= a <= 1823 && a / 128 % 2 == 0 && 0 <= b < 0x1000000000 &&
	b % 4096 == 0 ==> (a | b | 129) == b + (a | 1) + 128;
  admit lemma or_top: \forall integer x; 0 <= x < 0x8000000000000000 ==>
	(x | 0x8000000000000000) == x + 0x8000000000000000;
  admit lemma and_prot: \forall integer x; 0 <= x < 0x10000000000000000 ==>
	(x & 1823) == x % 32 + x / 256 % 8 * 256;
  admit lemma kept: \forall integer x, y; 0 <= x < 0x100000000 && 0 <= y < 0x100000000 && y == (y & 1823) ==>
	0 <= (x & y) <= 1823 && (x & y) / 128 % 2 == 0;
  admit lemma kept_and_x: \forall integer x, y; 0 <= x < 0x100000000 && 0 <= y < 4096 ==>
	(x & (y | 4096)) == (x & y) + x / 4096 % 2 * 4096;
*/
/* clang-format on */

#endif
