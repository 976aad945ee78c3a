/*
 * arch/stack_guard.h - the word that the compiler puts between a function's arrays and its return address, and
 * looks at before the function returns.
 */
#ifndef ARCH_STACK_GUARD_H
#define ARCH_STACK_GUARD_H

#include <lib/types.h>

/* Until arch_stack_guard_init. */
#define STACK_GUARD_FIXED 0x5CA1AB00u

/*
 * Makes the word one of this boot's own, which an attacker does not know. Its lowest byte stays 0, so that no
 * string can hold the whole of it. No function that is running may return: it would find another word than it
 * left. Needs arch_cpu_identify.
 */
void arch_stack_guard_init(void);

/* The compiler's names: the word, and what becomes of a function that finds another one. Panics, naming it. */
extern uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

#endif
