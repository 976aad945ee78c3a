/* arch/x86/stack_guard.c - owns the stack protector's word. Lock: none, it changes once, before there are threads. */
#include <arch/clock.h>
#include <arch/stack_guard.h>
#include <lib/panic.h>

uintptr_t __stack_chk_guard = STACK_GUARD_FIXED;

/* The caller's frame may hold the old word, too: it must not return. */
__attribute__((no_stack_protector)) void arch_stack_guard_init(void)
{
	__stack_chk_guard = (STACK_GUARD_FIXED ^ arch_clock_noise()) & ~0xFFu;
}

_Noreturn void __stack_chk_fail(void)
{
	panic("the stack was overwritten in the function that goes on at %p", __builtin_return_address(0));
}
