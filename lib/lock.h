/*
 * lib/lock.h - spinlocks that keep the interrupt state.
 *
 * A lock is taken with interrupts off and gives back the state it found. Debug builds check that a lock is
 * not taken twice, is released by its holder, and is taken in the order of ranks: a lock of a lower or equal
 * rank may not be taken while a higher one is held.
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include <arch/irq.h>
#include <lib/types.h>

/* Outermost first. mm/README.md draws the order. */
enum lock_rank { LOCK_SPACE = 1, LOCK_KMAP, LOCK_SLAB, LOCK_FRAME, LOCK_WINDOW, LOCK_CONSOLE };

struct lock {
	uint32_t held;      /* 0 or 1 */
	uint32_t irq_state; /* of the holder */
	const char *name;
	enum lock_rank rank;
	uint32_t cpu; /* of the holder; debug builds */
};

#define LOCK_INIT(its_name, its_rank)                                                                        \
	{                                                                                                    \
		.name = (its_name), .rank = (its_rank)                                                       \
	}

/* Panic where the rules are broken; called in debug builds, before and behind the taking. lib/lock.c. */
void lock_check_acquire(const struct lock *l);
void lock_note_holder(struct lock *l);
void lock_check_release(struct lock *l);

/* True while the calling processor holds the lock; always true in builds that do not check. */
bool lock_is_mine(const struct lock *l);

/* Takes the lock and turns interrupts off. Never fails; spins while another processor holds it. */
static inline void lock_acquire(struct lock *l)
{
	if (QUIRE_DEBUG)
		lock_check_acquire(l);
	arch_lock_irq(&l->held, &l->irq_state);
	if (QUIRE_DEBUG)
		lock_note_holder(l);
}

/* Releases the lock and gives the interrupts back as lock_acquire found them. */
static inline void lock_release(struct lock *l)
{
	if (QUIRE_DEBUG)
		lock_check_release(l);
	arch_unlock_irq(&l->held, &l->irq_state);
}

#endif
