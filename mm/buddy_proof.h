/*
 * mm/buddy_proof.h - what the contracts of mm/buddy.c speak about, for the proof alone: to the compiler all of it is
 * comment. docs/proof.md tells how to read and run it.
 */
#ifndef MM_BUDDY_PROOF_H
#define MM_BUDDY_PROOF_H

/* clang-format off */
#define HAS(word, i) (((word) & (1 << (i))) != 0)

/* What pairs and block_bits return, for each order by itself: the provers see constants. */
#define IS_PAIRS(size) \forall integer i; 0 <= i < 32 ==> \
	(HAS(\result, i) <==> HAS(starts, i) && HAS(starts, i + size) && i % (2 * size) == 0)
#define FITS(k, last) (order == k && at <= last)
#define IS_BLOCK(size) \forall integer i; 0 <= i < 32 ==> (HAS(\result, i) <==> at <= i < at + size)

/*@
  // Of bits: tests/proof/lemmas.py proves these.
  admit lemma small_shift: \forall integer k; 0 <= k < 5 ==> 1 <= (1 << k) <= 16;
  admit lemma and_below: \forall integer x, y; 0 <= x < 0x100000000 && 0 <= y < 0x100000000 ==> 0 <= (x & y) <= y;
  admit lemma and_all: \forall integer x; 0 <= x < 0x100000000 ==> (x & 0xFFFFFFFF) == x;
  admit lemma multiples_0: \forall integer i; 0 <= i < 32 ==> (((0x55555555 & (1 << i)) != 0) <==> (i % 2 == 0));
  admit lemma multiples_1: \forall integer i; 0 <= i < 32 ==> (((0x11111111 & (1 << i)) != 0) <==> (i % 4 == 0));
  admit lemma multiples_2: \forall integer i; 0 <= i < 32 ==> (((0x1010101 & (1 << i)) != 0) <==> (i % 8 == 0));
  admit lemma multiples_3: \forall integer i; 0 <= i < 32 ==> (((0x10001 & (1 << i)) != 0) <==> (i % 16 == 0));
  admit lemma multiples_4: \forall integer i; 0 <= i < 32 ==> (((0x1 & (1 << i)) != 0) <==> (i % 32 == 0));
  admit lemma first_1: \forall integer i; 0 <= i < 32 ==> (((1 & (1 << i)) != 0) <==> (i < 1));
  admit lemma block_in_word_0: \forall integer a; 0 <= a <= 31 ==> (1 << a) < 0x100000000;
  admit lemma first_2: \forall integer i; 0 <= i < 32 ==> (((3 & (1 << i)) != 0) <==> (i < 2));
  admit lemma block_in_word_1: \forall integer a; 0 <= a <= 30 ==> (3 << a) < 0x100000000;
  admit lemma first_4: \forall integer i; 0 <= i < 32 ==> (((15 & (1 << i)) != 0) <==> (i < 4));
  admit lemma block_in_word_2: \forall integer a; 0 <= a <= 28 ==> (15 << a) < 0x100000000;
  admit lemma first_8: \forall integer i; 0 <= i < 32 ==> (((255 & (1 << i)) != 0) <==> (i < 8));
  admit lemma block_in_word_3: \forall integer a; 0 <= a <= 24 ==> (255 << a) < 0x100000000;
  admit lemma first_16: \forall integer i; 0 <= i < 32 ==> (((65535 & (1 << i)) != 0) <==> (i < 16));
  admit lemma block_in_word_4: \forall integer a; 0 <= a <= 16 ==> (65535 << a) < 0x100000000;
  admit lemma buddies: \forall integer n, k; 0 <= n < 0x100000000 && 0 <= k < 31 ==>
	(n ^ (1 << k)) != n && ((n ^ (1 << k)) >> (k + 1)) == (n >> (k + 1)) &&
	((n ^ (1 << k)) & ((1 << k) - 1)) == (n & ((1 << k) - 1));
  admit lemma pair_of_buddies: \forall integer n, k; 0 <= n < 0x100000000 && 0 <= k < 31 ==>
	((n & (n ^ (1 << k))) >> (k + 1)) == (n >> (k + 1)) &&
	((n & ((1 << k) - 1)) != 0 || ((n & (n ^ (1 << k))) & ((2 << k) - 1)) == 0);
  admit lemma complete_0: \forall integer w, n; 0 <= w < 0x100000000 && 0 <= n < 0x100000000 ==>
	(((w & (1 << (n & 31))) == (1 << (n & 31))) <==> ((w >> (n % 32)) % 2 == 1));
  admit lemma in_word_0: \forall integer n; 0 <= n < 0x100000000 ==> (1 << (n & 31)) < 0x100000000;
  admit lemma complete_1: \forall integer w, n; 0 <= w < 0x100000000 && 0 <= n < 0x100000000 ==>
	(((w & (3 << (n & 30))) == (3 << (n & 30))) <==> ((w >> (n % 32 / 2 * 2)) % 4 == 3));
  admit lemma in_word_1: \forall integer n; 0 <= n < 0x100000000 ==> (3 << (n & 30)) < 0x100000000;
  admit lemma complete_2: \forall integer w, n; 0 <= w < 0x100000000 && 0 <= n < 0x100000000 ==>
	(((w & (15 << (n & 28))) == (15 << (n & 28))) <==> ((w >> (n % 32 / 4 * 4)) % 16 == 15));
  admit lemma in_word_2: \forall integer n; 0 <= n < 0x100000000 ==> (15 << (n & 28)) < 0x100000000;
  admit lemma complete_3: \forall integer w, n; 0 <= w < 0x100000000 && 0 <= n < 0x100000000 ==>
	(((w & (255 << (n & 24))) == (255 << (n & 24))) <==> ((w >> (n % 32 / 8 * 8)) % 256 == 255));
  admit lemma in_word_3: \forall integer n; 0 <= n < 0x100000000 ==> (255 << (n & 24)) < 0x100000000;
  admit lemma complete_4: \forall integer w, n; 0 <= w < 0x100000000 && 0 <= n < 0x100000000 ==>
	(((w & (65535 << (n & 16))) == (65535 << (n & 16))) <==> ((w >> (n % 32 / 16 * 16)) % 65536 == 65535));
  admit lemma in_word_4: \forall integer n; 0 <= n < 0x100000000 ==> (65535 << (n & 16)) < 0x100000000;
*/
/* clang-format on */

#endif
