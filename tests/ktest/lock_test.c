/* tests/ktest/lock_test.c - spinlocks: the interrupt state they keep, and the rules that debug builds check. */
#include <arch/irq.h>
#include <kernel/ktest.h>
#include <lib/lock.h>

static struct lock outer, inner;

KTEST_SETUP(lock)
{
	outer = (struct lock)LOCK_INIT("outer", LOCK_SPACE);
	inner = (struct lock)LOCK_INIT("inner", LOCK_KMAP);
}

/* Returns whether interrupts were on after lock and release, and turns them off. */
static bool on_after_use(void)
{
	bool on;

	lock_acquire(&outer);
	EXPECT(!arch_irq_enabled());
	lock_release(&outer);
	on = arch_irq_enabled();
	arch_irq_save();
	return on;
}

KTEST(lock, release_gives_back_the_interrupt_state)
{
	uint32_t state = arch_irq_save();

	EXPECT(!on_after_use());
	arch_irq_enable();
	EXPECT(on_after_use());
	arch_irq_restore(state);
}

KTEST(lock, inner_release_leaves_interrupts_off)
{
	uint32_t state = arch_irq_save();

	arch_irq_enable();
	lock_acquire(&outer);
	lock_acquire(&inner);
	lock_release(&inner);
	EXPECT(!arch_irq_enabled());
	lock_release(&outer);
	EXPECT(arch_irq_enabled());
	arch_irq_restore(state);
}

KTEST(lock, held_while_it_is_mine)
{
	lock_acquire(&outer);
	EXPECT_EQ(outer.held, 1);
	EXPECT(lock_is_mine(&outer));
	lock_release(&outer);
	EXPECT_EQ(outer.held, 0);
	EXPECT_EQ(lock_is_mine(&outer), !QUIRE_DEBUG);
}

KTEST(lock, taken_again_after_release)
{
	for (int i = 0; i < 100; i++) {
		lock_acquire(&outer);
		lock_acquire(&inner);
		lock_release(&inner);
		lock_release(&outer);
	}
	EXPECT_EQ(outer.held, 0);
	EXPECT_EQ(inner.held, 0);
}

static bool unchecked(void)
{
	if (!QUIRE_DEBUG)
		ktest_skip("locks are checked in debug builds only");
	return !QUIRE_DEBUG;
}

KTEST_PANICS(lock, double_acquire_panics, "lock outer taken twice")
{
	if (unchecked())
		return;
	lock_acquire(&outer);
	lock_acquire(&outer);
}

KTEST_PANICS(lock, wrong_order_panics, "lock outer taken while inner is held")
{
	if (unchecked())
		return;
	lock_acquire(&inner);
	lock_acquire(&outer);
}

KTEST_PANICS(lock, release_of_a_free_lock_panics, "lock outer released by who does not hold it")
{
	if (unchecked())
		return;
	lock_release(&outer);
}

/* As another processor would do it: the lock is held, but not by this one. */
KTEST_PANICS(lock, foreign_release_panics, "lock outer released by who does not hold it")
{
	if (unchecked())
		return;
	lock_acquire(&outer);
	outer.cpu = arch_cpu() + 1;
	lock_release(&outer);
}

KTEST_PANICS(lock, release_out_of_order_panics, "lock outer released out of order")
{
	if (unchecked())
		return;
	lock_acquire(&outer);
	lock_acquire(&inner);
	lock_release(&outer);
}
