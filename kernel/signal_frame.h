/* kernel/signal_frame.h - what a handler finds on its stack, and the calls that bring a program back from it. */
#ifndef KERNEL_SIGNAL_FRAME_H
#define KERNEL_SIGNAL_FRAME_H

#include <arch/trap.h>
#include <kernel/signal.h>
#include <mm/space.h>

/*
 * Makes the frame that of a program in its handler, with all that it was on the stack it chose. Returns 0, or -EFAULT
 * with the frame unchanged.
 */
int signal_enter_handler(struct trap_frame *f, const struct signal_action *a, const struct signal_info *info,
			 uint64_t mask);

/* Linux's siginfo_t of it, 128 bytes, to a program. */
int signal_info_to_user(vaddr_t to, const struct signal_info *info);

/* SS_DISABLE, SS_ONSTACK when sp lies on it, or 0. */
uint32_t signal_stack_flags(const struct signal_stack *s, vaddr_t sp);

/*
 * Makes the page from which handlers return whose program names no place for it; once. Maps it into a space, where no
 * stack need be executable. 0 or -ENOMEM.
 */
int signal_page_init(void);
int signal_page_map(struct space *s);

int32_t sys_sigreturn(struct trap_frame *f);
int32_t sys_rt_sigreturn(struct trap_frame *f);

#endif
