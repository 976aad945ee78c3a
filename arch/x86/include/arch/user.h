/*
 * arch/user.h - user mode: the way out to a program and the ways back, threads of the kernel, and what a program may
 * have in the processor. Traps from user mode begin on the kernel stack that arch_set_kernel_stack named:
 *
 *	stack top   +-----------------------+
 *	            | struct trap_frame     |  the program's registers: arch_user_frame
 *	            +-----------------------+
 *	            | the kernel's calls    |
 */
#ifndef ARCH_USER_H
#define ARCH_USER_H

#include <arch/trap.h>
#include <asm/ldt.h>
#include <asm/sigcontext.h>

/*
 * What the kernel does when a program comes in; arch_user_hooks takes them over. Each runs on the program's kernel
 * stack, and with interrupts on but for tick.
 */
struct user_hooks {
	/* INT 0x80. f->eax is the number and becomes the result; f->error keeps the number. */
	void (*syscall)(struct trap_frame *f);

	/* An exception, page faults too, and a return to user mode that failed: general protection, error code 0. */
	void (*trap)(struct trap_frame *f);

	/* Before a return to user mode while arch_return_work is not 0, again and again until it is. */
	void (*return_work)(struct trap_frame *f);

	/* A page fault of the copy functions at a user address. True: the access can go on; false: it fails. */
	bool (*fault)(vaddr_t va, uint32_t error);

	/* A tick of timer_start's, interrupts off. from_user: a program was running. */
	void (*tick)(bool from_user);
};

/* Sets them and returns those before. Without a hook, as at first, traps panic and faults are not mended. */
struct user_hooks arch_user_hooks(const struct user_hooks *hooks);
extern struct user_hooks trap_hooks; /* those in use, for arch/ */

/* Not 0: something is to be done before user mode is entered again. */
extern uint32_t arch_return_work;

/* Finds out what the processor's floating-point unit is, and turns on what it has. Needs arch_cpu_identify. */
void arch_user_init(void);

/* A thread that does not run. */
struct arch_context {
	uint32_t esp;
};

/*
 * Makes a context whose first switch calls start on an empty stack below the place of the program's registers. start
 * must not return.
 */
void arch_context_init(struct arch_context *c, vaddr_t stack_top, void (*start)(void));

/* Saves the running thread in `from` and goes on with `to`. Interrupts stay as they are, on or off. */
void arch_context_switch(struct arch_context *from, struct arch_context *to);

/* Returns where the program's registers stand. */
static inline struct trap_frame *arch_user_frame(vaddr_t stack_top)
{
	return (struct trap_frame *)stack_top - 1;
}

/* Fills the registers of a program that begins: flat segments, interrupts on, all else 0. */
void arch_user_start(struct trap_frame *f, vaddr_t eip, vaddr_t esp);

/* Goes to user mode with the registers at the top of the stack; what else is on the stack is lost. */
_Noreturn void arch_user_return(vaddr_t stack_top);

/*
 * Makes registers that a program may have written fit to return to: code and stack segment of level 3, and of EFLAGS
 * what a program may change anyway. Selectors that name nothing of use are left: the return fails, as a trap.
 */
void arch_user_sanitise(struct trap_frame *f);

/* Gives a signal's handler flat segments, and flags without TF, DF and RF; the rest stays the program's. */
void arch_user_handler(struct trap_frame *f);

/* Sets where traps from user mode begin. */
void arch_set_kernel_stack(vaddr_t stack_top);

/* A program's floating-point and SSE registers: FXSAVE's image, FNSAVE's where the CPU has no FXSAVE. */
struct arch_fpu {
	_Alignas(16) uint8_t image[512];
};

/* Makes the state of a program that begins; saves the processor's, which stays as it is; loads it. */
void arch_fpu_init(struct arch_fpu *fpu);
void arch_fpu_save(struct arch_fpu *fpu);
void arch_fpu_load(const struct arch_fpu *fpu);

/* Returns what a floating-point exception was, by Linux's si_code: the processor's registers tell. simd: SSE's. */
int arch_fpu_error(bool simd);

/* Returns how many bytes of struct _fpstate a signal's frame holds: 0 where there is no floating-point unit. */
uint32_t arch_fpu_frame_size(void);

/*
 * Convert between a state and a signal frame's. What a program wrote into the frame is made fit to load, and what it
 * left out (magic other than 0: no SSE) is as at the beginning.
 */
void arch_fpu_to_frame(const struct arch_fpu *fpu, struct _fpstate *frame);
void arch_fpu_from_frame(struct arch_fpu *fpu, const struct _fpstate *frame);

/* A program's own segments, entries 6 to 8 of the GDT. All zero: none. */
struct arch_tls {
	uint64_t descriptor[3];
};

/*
 * Sets an entry as set_thread_area does; entry_number -1 chooses a free one and is filled in. Only 32-bit data that is
 * present can be described, or nothing at all. Returns 0, -EINVAL or -ESRCH (none is free), with nothing changed.
 */
int arch_tls_set(struct arch_tls *tls, struct user_desc *d);

/* Describes the entry d->entry_number as get_thread_area does. Returns 0 or -EINVAL. */
int arch_tls_get(const struct arch_tls *tls, struct user_desc *d);

/* Puts them into the GDT. Segment registers are loaded from it on the way to user mode. */
void arch_tls_load(const struct arch_tls *tls);

#endif
