/*
 * kernel/sys.h - the system calls of processes, memory, signals and time: handlers as kernel/syscall.h wants them,
 * under Linux's names for i386. What a call does and its errors: section 2 of Linux's manual.
 */
#ifndef KERNEL_SYS_H
#define KERNEL_SYS_H

#include <kernel/syscall.h>

struct proc_usage;

/* Linux's names of all its calls, from number 0 up, each with a 0 behind it; made from its header. */
extern const char call_names[];
extern const uint32_t call_names_size;

/* kernel/sys_proc.c */
syscall_fn sys_fork, sys_vfork, sys_clone, sys_execve, sys_exit, sys_wait4, sys_waitpid;
syscall_fn sys_waitid, sys_getpid, sys_getppid, sys_getpgid, sys_getpgrp, sys_getsid, sys_setpgid;
syscall_fn sys_setsid, sys_getuid, sys_geteuid, sys_getgid, sys_getegid, sys_getuid16;
syscall_fn sys_geteuid16, sys_getgid16, sys_getegid16, sys_setresuid, sys_setresgid, sys_setuid;
syscall_fn sys_setgid, sys_setreuid, sys_setregid, sys_getresuid, sys_getresgid, sys_setfsuid;
syscall_fn sys_setfsgid, sys_set_tid_address, sys_set_robust_list;
syscall_fn sys_set_thread_area, sys_get_thread_area;

/* kernel/sys_memory.c */
syscall_fn sys_brk, sys_mmap2, sys_mmap, sys_munmap, sys_mprotect, sys_mremap, sys_madvise;
syscall_fn sys_msync, sys_mincore, sys_mlock, sys_mlock2, sys_munlock, sys_mlockall, sys_munlockall;

/* kernel/sys_poll.c */
syscall_fn sys_ppoll, sys_ppoll_time64, sys_select, sys__newselect, sys_pselect6, sys_pselect6_time64;

/* kernel/sys_signal.c */
syscall_fn sys_rt_sigaction, sys_sigaction, sys_signal, sys_rt_sigprocmask, sys_sigprocmask;
syscall_fn sys_rt_sigpending, sys_sigpending, sys_rt_sigsuspend, sys_sigsuspend, sys_pause;
syscall_fn sys_rt_sigtimedwait, sys_rt_sigtimedwait_time64, sys_rt_sigqueueinfo, sys_rt_tgsigqueueinfo,
	sys_kill, sys_tkill, sys_tgkill;
syscall_fn sys_sigaltstack;

/* kernel/sys_time.c */
syscall_fn sys_clock_gettime, sys_clock_gettime64, sys_clock_getres, sys_clock_getres_time64;
syscall_fn sys_time, sys_gettimeofday, sys_restart_syscall, sys_nanosleep, sys_clock_nanosleep;
syscall_fn sys_clock_nanosleep_time64, sys_alarm, sys_getitimer, sys_setitimer, sys_times;
syscall_fn sys_getrusage;

/* kernel/sys_groups.c */
syscall_fn sys_getgroups, sys_setgroups;

/* kernel/sys_futex.c */
void futex_init(void); /* before the first process */
syscall_fn sys_futex, sys_futex_time64;

/* kernel/sys_misc.c */
syscall_fn sys_uname, sys_olduname, sys_oldolduname, sys_sysinfo, sys_sched_yield, sys_sched_getaffinity,
	sys_sched_setaffinity, sys_sched_getscheduler, sys_getrandom, sys_get_robust_list;
syscall_fn sys_ugetrlimit, sys_getrlimit, sys_setrlimit, sys_prlimit64, sys_capget, sys_prctl;

/* Writes a struct rusage of it; 0 or -EFAULT. */
int usage_to_user(vaddr_t to, const struct proc_usage *u);

#endif
