/* kernel/syscall.h - what a system call is: a handler for a number. The numbers are <asm/unistd_32.h>'s. */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include <arch/trap.h>

/*
 * A handler finds its arguments in the frame and returns the result, or an error as -errno. Those that write the frame
 * themselves (execve, sigreturn) return what eax is to be.
 */
typedef int32_t syscall_fn(struct trap_frame *f);

#define ARG1(f) ((f)->ebx)
#define ARG2(f) ((f)->ecx)
#define ARG3(f) ((f)->edx)
#define ARG4(f) ((f)->esi)
#define ARG5(f) ((f)->edi)
#define ARG6(f) ((f)->ebp)

/*
 * An interrupted call's errors, seen by the kernel alone: begin again after the signal's handler, if it has SA_RESTART;
 * only where no handler ran; and by sys_restart_syscall with what the process remembers.
 */
#define ERESTARTSYS           512
#define ERESTARTNOHAND        514
#define ERESTART_RESTARTBLOCK 516

/* Call log of calls that do not exist: the command line's word `log=calls`. */
extern bool syscall_log;

/* Returns Linux's name of a call, or words that say that there is none. */
const char *syscall_name(uint32_t number);

/* Runs the call in a frame of the running process. */
void user_syscall(struct trap_frame *f);

#endif
