/*
 * tests/ktest/selftest_test.c - the runner runs itself: what it can prove from inside, and by name the cases that
 * go wrong on purpose, each of which whoever reads the report must see as a failure.
 */
#include <arch/irq.h>
#include <drivers/qemu/debug_exit.h>
#include <kernel/ktest.h>
#include <lib/panic.h>
#include <mm/slab.h>
#include <tests/ktest/eat_stack.h>
#include <tests/ktest/machine.h>

static const uint32_t values[] = {7, 0, 4096};

static struct {
	uint32_t setups, teardowns;
	uint32_t random[4];
} seen;

KTEST_SETUP(selftest)
{
	seen.setups++;
}

KTEST_TEARDOWN(selftest)
{
	seen.teardowns++;
}

KTEST(selftest, setup_runs_before_each_case_and_teardown_after)
{
	EXPECT_NE(seen.setups, 0);
	EXPECT_EQ(seen.setups, seen.teardowns + 1);
}

KTEST_EACH(selftest, each_case_finds_its_value, values)
{
	EXPECT(param == values[0] || param == values[1] || param == values[2]);
}

KTEST(selftest, checks_tell_what_they_found)
{
	EXPECT(ktest_check(1, 1, true, "equal", __FILE__, __LINE__));
	EXPECT(ktest_check(1, 2, false, "different", __FILE__, __LINE__));
	EXPECT_EQ(INT64_MIN, INT64_MIN);
	EXPECT_NE((int64_t)1 << 32, 0);
}

KTEST(selftest, random_numbers_stay_below_their_limit)
{
	uint32_t hit = 0;

	EXPECT_EQ(ktest_random_below(1), 0);
	for (int i = 0; i < 1000; i++) {
		uint32_t n = ktest_random_below(10);

		ASSERT(n < 10);
		hit |= 1u << n;
	}
	EXPECT_EQ(hit, 0x3FF);
}

KTEST(selftest, random_numbers_do_not_repeat_at_once)
{
	for (unsigned i = 0; i < ARRAY_SIZE(seen.random); i++)
		seen.random[i] = ktest_random();
	for (unsigned i = 1; i < ARRAY_SIZE(seen.random); i++)
		EXPECT_NE(seen.random[i], seen.random[i - 1]);
}

/* From here on: by name only. */

KTEST_BY_NAME(selftest, fails)
{
	EXPECT_EQ(1 + 1, 3);
}

KTEST_BY_NAME(selftest, fails_in_an_assert)
{
	ASSERT_EQ(1 + 1, 3);
	ktest_fail("ASSERT went on");
}

KTEST_BY_NAME(selftest, skips)
{
	SKIP("as asked, with a number: %d", 42);
}

/* Beside the null pointer itself, which a build with UBSan reports before the CPU can. */
KTEST_BY_NAME(selftest, crashes)
{
	*(volatile uint32_t *)(param + 4) = 0;
}

KTEST_BY_NAME(selftest, panics)
{
	panic("a case panicked that was not to");
}

KTEST_BY_NAME(selftest, hangs)
{
	arch_irq_save();
	while (true)
		arch_relax();
}

/* The status says that all is well; only the report, which ends in the middle, can tell. */
KTEST_BY_NAME(selftest, exits_early)
{
	qemu_debug_exit(true);
}

KTEST_BY_NAME(selftest, resets_the_machine)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) none = {0, 0};

	__asm__ volatile("lidt %0\n\tint3" : : "m"(none));
}

KTEST_BY_NAME(selftest, leaks_a_frame)
{
	EXPECT(kalloc());
}

KTEST_BY_NAME(selftest, leaks_an_object)
{
	EXPECT(kmalloc(24));
}

KTEST_BY_NAME(selftest, overflows_stack)
{
	eat_stack(param);
}

/* Cases that must panic and do not keep to it. */
#define WANTS_PANIC(name, message) KTEST_DEFINE(selftest, name, .how = KTEST_MANUAL, .panic = (message))

WANTS_PANIC(returns_instead_of_panicking, "a panic that never comes")
{
}

WANTS_PANIC(panics_with_another_message, "the message that was wanted")
{
	panic("some other message");
}
