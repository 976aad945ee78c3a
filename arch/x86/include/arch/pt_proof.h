/*
 * arch/pt_proof.h - what the contracts of arch/pt_format.h and arch/pte.h speak about, for the proof alone: to the
 * compiler all of it is comment. docs/proof.md tells how to read and run it.
 */
#ifndef ARCH_PT_PROOF_H
#define ARCH_PT_PROOF_H

/* clang-format off */
/* The geometry once more, in the manual's numbers: where page v stands in each table, and what its entry spans. */
#if QUIRE_PAE
/*@
  predicate is_level(integer level) = level == 0 || level == 1 || level == 2;
  logic integer index_0(integer v) = v % 512;
  logic integer index_1(integer v) = v / 512 % 512;
  logic integer index_2(integer v) = v / 262144;
  logic integer next_1(integer v) = (v / 512 + 1) * 512;
  logic integer next_2(integer v) = (v / 262144 + 1) * 262144;

  // A page is its indices, and nothing lies outside a table.
  lemma indices_name_the_page: \forall integer v; 0 <= v < 0x100000 ==>
	v == index_2(v) * 262144 + index_1(v) * 512 + index_0(v) && 0 <= index_2(v) < 4;
*/
#else
/*@
  predicate is_level(integer level) = level == 0 || level == 1;
  logic integer index_0(integer v) = v % 1024;
  logic integer index_1(integer v) = v / 1024;
  logic integer index_2(integer v) = 0;
  logic integer next_1(integer v) = (v / 1024 + 1) * 1024;
  logic integer next_2(integer v) = 0x100000;

  // A page is its indices, and nothing lies outside a table.
  lemma indices_name_the_page: \forall integer v; 0 <= v < 0x100000 ==>
	v == index_1(v) * 1024 + index_0(v) && 0 <= index_1(v) < 1024;
*/
#endif

/*@
  predicate in_space(struct pages range) = range.first + range.count <= ARCH_VPN_END;

  // The tables of each level cover what an entry above spans, and the root covers all.
  lemma levels_fit: ARCH_PT_SPAN(0) == 1 && ARCH_PT_ENTRIES(0) * ARCH_PT_SPAN(0) == ARCH_PT_SPAN(1) &&
	ARCH_PT_ENTRIES(ARCH_PT_LEVELS - 2) * ARCH_PT_SPAN(ARCH_PT_LEVELS - 2) == ARCH_PT_SPAN(ARCH_PT_LEVELS - 1) &&
	ARCH_PT_ENTRIES(ARCH_PT_LEVELS - 1) * ARCH_PT_SPAN(ARCH_PT_LEVELS - 1) == 0x100000;

  // Masks and shifts are remainders and quotients: tests/proof/lemmas.py proves these.
  admit lemma shr_9: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x >> 9) == x / 512;
  admit lemma shr_10: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x >> 10) == x / 1024;
  admit lemma shr_12: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x >> 12) == x / 4096;
  admit lemma shr_18: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x >> 18) == x / 262144;
  admit lemma shl_12: \forall integer x; 0 <= x < 0x10000000000000 ==> (x << 12) == x * 4096;
  admit lemma one_bit: \forall integer n; 0 <= n <= 20 ==> 1 <= (1 << n) <= 0x100000;
  admit lemma or_below: \forall integer x, y; 0 <= x < 0x100000 && 0 <= y < 0x100000 ==> 0 <= (x | y) < 0x100000;
  admit lemma and_3: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x & 3) == x % 4;
  admit lemma and_511: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x & 511) == x % 512;
  admit lemma and_1023: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x & 1023) == x % 1024;
  admit lemma or_511: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x | 511) == x / 512 * 512 + 511;
  admit lemma or_1023: \forall integer x; 0 <= x < 0x10000000000000000 ==> (x | 1023) == x / 1024 * 1024 + 1023;
  admit lemma or_262143: \forall integer x; 0 <= x < 0x10000000000000000 ==>
	(x | 262143) == x / 262144 * 262144 + 262143;
*/
/* clang-format on */

#endif
