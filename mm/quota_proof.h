/*
 * mm/quota_proof.h - what mm/quota.h's contracts speak about, for the proof alone: to the compiler all of it is
 * comment. Included by mm/quota.h behind struct quotas; docs/proof.md tells how to read and run it.
 */
#ifndef MM_QUOTA_PROOF_H
#define MM_QUOTA_PROOF_H

/* clang-format off */
#define ENTRIES_MAX 0x10000000

/*
 * The live entries' account book: which there are, and, where they are, copies of quota and parent. The sums run
 * over the copies: no store to another array can touch them.
 */
/*@ ghost uint32_t entries; */ /* the capacity */
/*@ ghost _Bool is_live[ENTRIES_MAX]; */
/*@ ghost uint32_t parent_of[ENTRIES_MAX], quota_of[ENTRIES_MAX]; */

/*@
  // Each array an object of its own: stronger than apart in memory, and no function compares addresses.
  predicate disjoint(uint32_t *a, uint32_t *b) = \base_addr(a) != \base_addr(b);
  predicate apart(struct quotas *q) =
	\valid_read(q) && 0 < entries <= ENTRIES_MAX &&
	\valid(q->quota + (0 .. entries - 1)) && \valid(q->usage + (0 .. entries - 1)) &&
	\valid(q->promised + (0 .. entries - 1)) && \valid(q->parent + (0 .. entries - 1)) &&
	\valid(q->nchildren + (0 .. entries - 1)) &&
	disjoint(q->quota, q->usage) && disjoint(q->quota, q->promised) &&
	disjoint(q->quota, q->parent) && disjoint(q->quota, q->nchildren) &&
	disjoint(q->usage, q->promised) && disjoint(q->usage, q->parent) &&
	disjoint(q->usage, q->nchildren) && disjoint(q->promised, q->parent) &&
	disjoint(q->promised, q->nchildren) && disjoint(q->parent, q->nchildren);

  predicate live(integer i) = 0 <= i < entries && is_live[i];

  // What j contributes to i's promises and to the number of its children.
  logic integer share(integer i, integer j) = is_live[j] && parent_of[j] == i ? quota_of[j] : 0;
  logic integer head(integer i, integer j) = is_live[j] && parent_of[j] == i ? 1 : 0;

  // The sums of both over j in [1, n).
  logic integer shares(integer i, integer n) = n <= 1 ? 0 : shares(i, n - 1) + share(i, n - 1);
  logic integer heads(integer i, integer n) = n <= 1 ? 0 : heads(i, n - 1) + head(i, n - 1);

  // The invariant. The parent of a live entry lives, and the root alone is its own.
  predicate sound(struct quotas *q) =
	apart(q) && is_live[0] && \forall integer i; 0 <= i < entries && is_live[i] ==>
		q->promised[i] == shares(i, entries) && q->nchildren[i] == heads(i, entries) &&
		q->promised[i] <= q->usage[i] <= q->quota[i] &&
		quota_of[i] == q->quota[i] && parent_of[i] == q->parent[i] &&
		0 <= parent_of[i] < entries && is_live[parent_of[i]] && (parent_of[i] == i <==> i == 0);
*/

/* Steps for the provers towards the invariant: clause by clause. */
#define ORDERED(e) q->promised[e] <= q->usage[e] <= q->quota[e]
#define IS_ORDERED \
	/@ assert ordered: \forall integer e; 0 <= e < entries && is_live[e] ==> ORDERED(e); @/
#define IS_BOOKED \
	/@ assert booked: \forall integer e; 0 <= e < entries && is_live[e] ==> \
		quota_of[e] == q->quota[e] && parent_of[e] == q->parent[e]; @/ \
	/@ assert linked: \forall integer e; 0 <= e < entries && is_live[e] ==> \
		0 <= parent_of[e] < entries && is_live[parent_of[e]] && (parent_of[e] == e <==> e == 0); @/
#define IS_SUMMED \
	/@ assert counted: \forall integer e; 0 <= e < entries && is_live[e] ==> \
		q->nchildren[e] == heads(e, entries); @/ \
	/@ assert summed: \forall integer e; 0 <= e < entries && is_live[e] ==> \
		q->promised[e] == shares(e, entries); @/ ;

/* Where two entries change, x and y: each of them, then all the others, then all. */
#define TWO_ARE_ORDERED(x, y) \
	/@ assert ordered_x: ORDERED(x); @/ \
	/@ assert ordered_y: ORDERED(y); @/ \
	/@ assert ordered_others: \forall integer e; \
		0 <= e < entries && is_live[e] && e != x && e != y ==> ORDERED(e); @/ \
	lemma_all_ordered(q, x, y);
#define OTHERS_ARE_BOOKED(x, y) \
	/@ assert booked_others: \forall integer e; 0 <= e < entries && is_live[e] && e != x && e != y ==> \
		quota_of[e] == q->quota[e] && parent_of[e] == q->parent[e]; @/
#define TWO_ARE_SUMMED(x, y) \
	/@ assert counted_x: q->nchildren[x] == heads(x, entries); @/ \
	/@ assert counted_y: q->nchildren[y] == heads(y, entries); @/ \
	/@ assert summed_x: q->promised[x] == shares(x, entries); @/ \
	/@ assert summed_y: q->promised[y] == shares(y, entries); @/ \
	/@ assert counted_others: \forall integer e; 0 <= e < entries && is_live[e] && e != x && e != y ==> \
		q->nchildren[e] == heads(e, entries); @/ \
	/@ assert summed_others: \forall integer e; 0 <= e < entries && is_live[e] && e != x && e != y ==> \
		q->promised[e] == shares(e, entries); @/

/* Enters what became of an entry. The loop does nothing; its invariant is the induction over the sums. */
/*@ ghost
  /@ requires i < entries <= ENTRIES_MAX;
     assigns is_live[i], parent_of[i], quota_of[i];
     ensures is_live[i] == alive && parent_of[i] == parent && quota_of[i] == quota;
     ensures \forall integer k; shares(k, entries) ==
	\old(shares(k, entries)) + (i > 0 ? share(k, i) - \old(share(k, i)) : 0);
     ensures \forall integer k; heads(k, entries) ==
	\old(heads(k, entries)) + (i > 0 ? head(k, i) - \old(head(k, i)) : 0); @/
  void book(uint32_t i, _Bool alive, uint32_t parent, uint32_t quota)
  {
	is_live[i] = alive;
	parent_of[i] = parent;
	quota_of[i] = quota;
	/@ loop invariant 1 <= m <= entries;
	   loop invariant \forall integer k; shares(k, m) ==
		shares{Pre}(k, m) + (0 < i < m ? share(k, i) - share{Pre}(k, i) : 0);
	   loop invariant \forall integer k; heads(k, m) ==
		heads{Pre}(k, m) + (0 < i < m ? head(k, i) - head{Pre}(k, i) : 0);
	   loop assigns m; loop variant entries - m; @/
	for (uint32_t m = 1; m < entries; m++);
  }
*/

/* What one live entry contributes is part of its parent's sums, and nobody has as many children as entries. */
/*@ ghost
  /@ requires 0 < entries;
     assigns \nothing;
     ensures \forall integer k; 0 <= shares(k, entries) && 0 <= heads(k, entries) < entries;
     ensures \forall integer j; 0 < j < entries && is_live[j] ==>
	quota_of[j] <= shares(parent_of[j], entries) && 1 <= heads(parent_of[j], entries); @/
  void lemma_parts_of_sums(void)
  {
	/@ loop invariant 1 <= m <= entries;
	   loop invariant \forall integer k; 0 <= shares(k, m) && 0 <= heads(k, m) < m;
	   loop invariant \forall integer j; 0 < j < m && is_live[j] ==>
		quota_of[j] <= shares(parent_of[j], m) && 1 <= heads(parent_of[j], m);
	   loop assigns m; loop variant entries - m; @/
	for (uint32_t m = 1; m < entries; m++);
  }
*/

/* Whoever is nobody's parent has promised nothing. */
/*@ ghost
  /@ requires 0 < entries;
     requires \forall integer j; 0 < j < entries && is_live[j] ==> parent_of[j] != i;
     assigns \nothing;
     ensures shares(i, entries) == 0 && heads(i, entries) == 0; @/
  void lemma_no_children(uint32_t i)
  {
	/@ loop invariant 1 <= m <= entries;
	   loop invariant shares(i, m) == 0 && heads(i, m) == 0;
	   loop assigns m; loop variant entries - m; @/
	for (uint32_t m = 1; m < entries; m++);
  }
*/

/* Three cases are all: to a prover alone with them. */
/*@ ghost
  /@ requires ORDERED(x) && ORDERED(y);
     requires \forall integer e; 0 <= e < entries && is_live[e] && e != x && e != y ==> ORDERED(e);
     assigns \nothing;
     ensures \forall integer e; 0 <= e < entries && is_live[e] ==> ORDERED(e); @/
  void lemma_all_ordered(const struct quotas *q, uint32_t x, uint32_t y)
  {
  }
*/

/* Begins the book: the root alone lives. */
/*@ ghost
  /@ requires 0 < entries <= ENTRIES_MAX;
     assigns is_live[0 .. entries - 1], parent_of[0], quota_of[0];
     ensures is_live[0] && \forall integer j; 0 < j < entries ==> !is_live[j];
     ensures parent_of[0] == 0 && quota_of[0] == quota; @/
  void book_root_alone(uint32_t quota)
  {
	/@ loop invariant 1 <= m <= entries;
	   loop invariant \forall integer j; 0 < j < m ==> !is_live[j];
	   loop assigns m, is_live[1 .. entries - 1]; loop variant entries - m; @/
	for (uint32_t m = 1; m < entries; m++)
		is_live[m] = 0;
	is_live[0] = 1;
	parent_of[0] = 0;
	quota_of[0] = quota;
  }
*/
/* clang-format on */

#endif
