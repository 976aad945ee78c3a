/* kernel/exec.h - a program takes the place of the one that the running process runs. */
#ifndef KERNEL_EXEC_H
#define KERNEL_EXEC_H

#include <arch/trap.h>

/*
 * Replaces the running process's program; argv and envp are arrays in user memory. Returns 0, with f the registers of
 * the new program, or Linux's error for execve with nothing changed.
 */
int proc_exec(struct trap_frame *f, const char *path, vaddr_t argv, vaddr_t envp);

/* The same with arrays of the kernel, which end with a null. */
int proc_exec_kernel(struct trap_frame *f, const char *path, const char *const *argv,
		     const char *const *envp);

#endif
