/* kernel/user_trap.c - what becomes of a program's traps: its memory, or a signal. Lock: none, one processor. */
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <kernel/proc.h>
#include <kernel/syscall.h>
#include <kernel/user_trap.h>
#include <lib/panic.h>
#include <mm/fault.h>

static inline int resolve(vaddr_t va, uint32_t error)
{
	const struct vm_fault fault = {va, error & TRAP_PF_WRITE, error & TRAP_PF_FETCH};

	if (vpn_of(va) >= ARCH_KERNEL_VPN)
		return -EFAULT;
	current->usage.minor_faults++;
	return vm_fault(current_space(), &fault);
}

static bool kernel_fault(vaddr_t va, uint32_t error)
{
	return current && current->shared && !resolve(va, error);
}

/* Its process dies alone, and gives back every page. */
static _Noreturn void out_of_memory(void)
{
	printk("%s[%d]: out of memory, %u pages in memory\n", current->name, current->pid,
	       space_resident(current_space()));
	proc_exit(SIGKILL);
}

static __attribute__((noinline)) void refuse(struct trap_frame *f, int err)
{
	switch (err) {
	case -ENOMEM:
	case -EDQUOT:
		out_of_memory();
	case -ENXIO:
	case -EIO:
		signal_fault(SIGBUS, BUS_ADRERR, f->cr2);
		return;
	case -EACCES:
		signal_fault(SIGSEGV, SEGV_ACCERR, f->cr2);
		return;
	default:
		signal_fault(SIGSEGV, SEGV_MAPERR, f->cr2);
	}
}

static inline void page_fault(struct trap_frame *f)
{
	int err = resolve(f->cr2, f->error);

	if (UNLIKELY(err))
		refuse(f, err);
}

static __attribute__((noinline)) void other_trap(struct trap_frame *f)
{
	switch (f->vector) {
	case TRAP_DIVIDE:
		signal_fault(SIGFPE, FPE_INTDIV, f->eip);
		return;
	case TRAP_DEBUG:
		signal_fault(SIGTRAP, TRAP_TRACE, f->eip);
		return;
	case TRAP_BREAKPOINT:
		signal_fault(SIGTRAP, SI_KERNEL,
			     0); /* as Linux tells it, which nothing but the context does */
		return;
	case TRAP_INVALID_OPCODE:
		signal_fault(SIGILL, ILL_ILLOPN, f->eip);
		return;
	case TRAP_IRET:
		signal_fault(SIGILL, ILL_BADSTK, 0);
		return;
	case TRAP_NO_FPU:
		signal_fault(SIGILL, ILL_COPROC, f->eip);
		return;
	case TRAP_FPU_ERROR:
	case TRAP_SIMD_ERROR:
		signal_fault(SIGFPE, arch_fpu_error(f->vector == TRAP_SIMD_ERROR), f->eip);
		return;
	case TRAP_ALIGNMENT:
		signal_fault(SIGBUS, BUS_ADRALN, 0); /* nobody knows the address */
		return;
	default:
		/* Overflow, bound, segments, general protection. */
		signal_fault(SIGSEGV, SI_KERNEL, 0);
	}
}

/* The one that there are most of first. */
static void user_trap(struct trap_frame *f)
{
	if (f->vector == TRAP_PAGE_FAULT)
		page_fault(f);
	else
		other_trap(f);
}

const struct user_hooks kernel_hooks = {
	.syscall = user_syscall,
	.trap = user_trap,
	.return_work = sched_return_work,
	.fault = kernel_fault,
	.tick = sched_tick,
};
