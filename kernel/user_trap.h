/* kernel/user_trap.h - what the kernel does when a program comes in. */
#ifndef KERNEL_USER_TRAP_H
#define KERNEL_USER_TRAP_H

#include <arch/user.h>

extern const struct user_hooks kernel_hooks;

#endif
