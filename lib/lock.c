/* lib/lock.c - the rules of spinlocks, checked in debug builds. Owns the stack of held locks. */
#include <lib/lock.h>
#include <lib/panic.h>

#define MOST_HELD 8

/* One processor today: the locks it holds, outermost first. Interrupts are off while any is held. */
static struct {
	const struct lock *held[MOST_HELD];
	uint32_t count;
} stack;

bool lock_is_mine(const struct lock *l)
{
	return !QUIRE_DEBUG || (l->held && l->cpu == arch_cpu());
}

void lock_check_acquire(const struct lock *l)
{
	if (l->held && l->cpu == arch_cpu())
		panic("lock %s taken twice", l->name);
	if (stack.count && stack.held[stack.count - 1]->rank >= l->rank)
		panic("lock %s taken while %s is held", l->name, stack.held[stack.count - 1]->name);
	INVARIANT(stack.count < MOST_HELD);
}

/* Only the holder may say who holds it. */
void lock_note_holder(struct lock *l)
{
	stack.held[stack.count++] = l;
	l->cpu = arch_cpu();
}

void lock_check_release(struct lock *l)
{
	if (!l->held || l->cpu != arch_cpu())
		panic("lock %s released by who does not hold it", l->name);
	if (!stack.count || stack.held[stack.count - 1] != l)
		panic("lock %s released out of order", l->name);
	stack.count--;
}
