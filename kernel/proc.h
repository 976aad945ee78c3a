/*
 * kernel/proc.h - processes. One runs on the processor and has all structures for itself until it waits or returns to
 * user mode: the kernel's code is not preempted. Interrupts only count time and wake.
 */
#ifndef KERNEL_PROC_H
#define KERNEL_PROC_H

#include <arch/user.h>
#include <bsd/sys/queue.h>
#include <fs/files.h>
#include <kernel/signal.h>
#include <kernel/wait.h>
#include <mm/fork.h>
#include <mm/space.h>

#define PROC_NAME   16 /* as Linux's: 15 bytes and a 0 */
#define RLIMITS     16
#define FIRST_PID   1
#define PID_MAX     32768
#define TICKS_A_SEC 100u

enum proc_state { PROC_READY, PROC_WAITING, PROC_STOPPED, PROC_ZOMBIE };

/* An address space and who is in it: vfork and posix_spawn share their maker's for a while. */
struct shared_space {
	struct space space;
	struct file *program; /* that it runs; nobody writes to it meanwhile. Null before the first */
	uint32_t refs;
};

struct vfork_wait {
	struct wait_queue queue;
	bool over;
};

struct proc_usage {
	uint32_t user_ticks, kernel_ticks, minor_faults;
	uint32_t waits, preemptions; /* switches: because it waited; while it could have gone on */
	uint32_t peak;               /* pages in memory, see proc_note_peak */
};

struct rlimit_pair {
	uint32_t soft, hard;
};

/* Stands in a page of its own. */
struct proc {
	/* What the switch needs. */
	struct arch_context context;
	vaddr_t stack;               /* top of the kernel stack */
	struct shared_space *shared; /* null in a zombie */
	struct arch_tls tls;

	enum proc_state state;
	TAILQ_ENTRY(proc) queued;   /* in the run queue or a wait queue */
	struct wait_queue *waiting; /* on it */
	TAILQ_ENTRY(proc) timed;    /* among those that wait with a deadline */
	uint64_t deadline;          /* WAIT_FOREVER: none */
	bool timed_out, interruptible;
	TAILQ_ENTRY(proc) alarmed; /* among those with an alarm */

	int32_t pid, group, session;
	struct proc *parent;
	LIST_HEAD(proc_list, proc) children;
	LIST_ENTRY(proc) sibling;
	LIST_ENTRY(proc) hashed, listed;
	struct wait_queue child_changed;
	struct vfork_wait *vfork; /* its maker waits until this one leaves the space that they share */
	int exit_signal;
	int status; /* as wait4 tells it: of a zombie, or of one that stopped or goes on */
	bool told;  /* the last stop or start has been waited for */
	bool has_execed;

	struct files *files; /* null in a zombie */
	struct fs_context fs;

	char name[PROC_NAME];
	uint32_t uid[4], gid[4];   /* real, effective, saved, of the file system: data */
	struct group_list *groups; /* null: none */
	struct rlimit_pair limit[RLIMITS];
	uint32_t clear_tid;   /* set_tid_address */
	uint32_t set_tid;     /* where its number goes as soon as it runs */
	uint32_t robust_list; /* set_robust_list: data */
	struct proc_usage usage, children_usage;
	uint64_t started;                  /* clock_ns */
	uint64_t alarm_at, alarm_interval; /* ITIMER_REAL, in ns; 0: off */
	struct {
		uint32_t left, interval; /* ticks; 0: off */
	} cpu_timer[2];                  /* ITIMER_VIRTUAL, ITIMER_PROF */
	struct {
		int32_t (*again)(struct trap_frame *f, uint64_t deadline);
		uint64_t deadline;
		uint32_t remaining; /* of a sleep: where the rest of the time goes */
		bool wide;          /* as 64-bit words */
		bool absolute;
	} restart; /* a call with a deadline that a signal broke */
	uint32_t dumpable, no_new_privs, parent_death_signal;
	uint32_t keep_caps, no_huge_pages;   /* prctl's: data */
	uint32_t timer_slack, default_slack; /* ns: data, what waits here does so to the tick */
	uint32_t is_reaper;                  /* of orphans below it: PR_SET_CHILD_SUBREAPER */
	struct signals signals;
	struct arch_fpu fpu;
};
_Static_assert(sizeof(struct proc) <= PAGE_SIZE, "a process is a page");

extern struct proc *current; /* null until the first one runs */

static inline struct space *current_space(void)
{
	return &current->shared->space;
}

/* kernel/proc.c */

/* The number given last: the next one is looked for from here on. */
extern int32_t proc_last_pid;

/* Makes the first process, ready to begin in the kernel with an empty space. 0 or -ENOMEM. There is one. */
int proc_start_init(struct tenant *t, void (*begin)(void));

/* Returns the process with a number, or null; zombies too. */
struct proc *proc_find(int32_t pid);

/* Calls visit for each process, in no order; stops and returns its first result that is not 0. */
int proc_each(int (*visit)(struct proc *, void *), void *arg);

/* What clone is asked for, in Linux's words. */
struct proc_clone {
	uint32_t flags;
	vaddr_t stack, parent_tid, tls, child_tid;
};

/*
 * Duplicates the running process. Returns the child's number, or -EAGAIN, -ENOMEM, -EFAULT, -EINVAL (flags
 * that ask for threads) with nothing changed. The child begins on the way to user mode with f's registers and eax 0.
 */
int32_t proc_clone(struct trap_frame *f, const struct proc_clone *c);

/* Gives back what is left of a process that has ended: its stack, its groups and itself. */
void proc_free(struct proc *p);

/* Ends the running process; the status as wait4 tells it. */
_Noreturn void proc_exit(int status);

/* True when no member of a group has a parent in the same session outside: nobody would let them go on. */
bool proc_group_is_orphaned(int32_t number);

/* Tells the parent that this one stopped or goes on. */
void proc_tell_parent(struct proc *p, int code, int status);

/*
 * Notes how many pages the running process has in memory, if these are more than ever. Nothing counts them as they come
 * and go: this looks when it is asked for, before a large munmap, exec and exit. What goes in small pieces is missed.
 */
void proc_note_peak(void);

/* Puts the running process into another space, null for none, and lets a vfork's maker go on. */
void proc_enter_space(struct shared_space *next);

/* Makes an empty space with p's limits. 0, -ENOMEM or -EDQUOT. */
int shared_space_create(struct tenant *t, const struct proc *p, struct shared_space **out);
void shared_space_put(struct shared_space *s);
struct space_limits proc_space_limits(const struct proc *p);

/*
 * Waits for children: a pid, a group as its negative, 0 for the own group, or any; options as waitid's. Returns the
 * pid, 0 with WNOHANG, -ECHILD or -ERESTARTSYS.
 */
#define PROC_ANY INT32_MIN
struct proc_waited {
	int32_t pid;
	int status; /* as wait4 tells it */
	uint32_t uid;
	struct proc_usage usage; /* with its children's */
};
int32_t proc_wait(int32_t which, uint32_t options, struct proc_waited *out);

/* kernel/sys_groups.c. Null is a list without groups. */
void groups_get(struct group_list *g);
void groups_put(struct group_list *g);

/* kernel/sched.c */

/* Makes the boot stack the idle thread, which never returns; needs a process that is ready. */
_Noreturn void sched_start(void);

/* Hooks of arch/user.h: a tick of the clock; what is to be done before a return to user mode. */
void sched_tick(bool from_user);
void sched_return_work(struct trap_frame *f);

/* Gives the processor to the next one that is ready; comes back when this one is chosen again. */
void sched_yield(void);

/* Leaves: the running one is a zombie. For good: nobody will wait for it, so whoever runs next frees it. */
_Noreturn void sched_leave(bool for_good);

/* Where a new process's context starts. */
void sched_begin(void);

/* Puts a process that waited, stopped or is new into the run queue. */
void sched_ready(struct proc *p);

/* Stops the running process until sched_ready. */
void sched_stop(void);

/* Ends a wait, as wake_all does, for a signal. */
void sched_interrupt(struct proc *p);

/* Lists or unlists p's alarm; called with the new alarm_at. */
void sched_set_alarm(struct proc *p, uint64_t at, uint64_t interval);

/* Makes what comes before the next return to user mode look at p's signals, if p is running. */
void sched_look(struct proc *p);

#endif
