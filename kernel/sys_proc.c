/* kernel/sys_proc.c - system calls of processes: making, ending, waiting, who they are. Lock: none of its own. */
#include <asm/ldt.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <kernel/exec.h>
#include <kernel/proc.h>
#include <kernel/signal_frame.h>
#include <kernel/sys.h>
#include <linux/futex.h>
#include <linux/limits.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <mm/slab.h>
#include <mm/usercopy.h>

int32_t sys_fork(struct trap_frame *f)
{
	return proc_clone(f, &(struct proc_clone){.flags = SIGCHLD});
}

int32_t sys_vfork(struct trap_frame *f)
{
	return proc_clone(f, &(struct proc_clone){.flags = CLONE_VM | CLONE_VFORK | SIGCHLD});
}

/* The order of arguments that i386 has: CONFIG_CLONE_BACKWARDS. */
int32_t sys_clone(struct trap_frame *f)
{
	return proc_clone(f, &(struct proc_clone){.flags = ARG1(f),
						  .stack = ARG2(f),
						  .parent_tid = ARG3(f),
						  .tls = ARG4(f),
						  .child_tid = ARG5(f)});
}

int32_t sys_execve(struct trap_frame *f)
{
	char *path = kmalloc(PATH_MAX);
	int32_t length;
	int err;

	if (!path)
		return -ENOMEM;
	length = string_from_user(path, ARG1(f), PATH_MAX);
	err = length < 0 ? length : proc_exec(f, path, ARG2(f), ARG3(f));
	kmfree(path);
	return err ? err : (int32_t)f->eax;
}

int32_t sys_exit(struct trap_frame *f)
{
	proc_exit((int)(ARG1(f) & 0xFF) << 8);
}

int usage_to_user(vaddr_t to, const struct proc_usage *u)
{
	/* struct rusage: two times, then 14 words. */
	uint32_t r[18] = {0};

	r[0] = u->user_ticks / TICKS_A_SEC;
	r[1] = u->user_ticks % TICKS_A_SEC * (1000000 / TICKS_A_SEC);
	r[2] = u->kernel_ticks / TICKS_A_SEC;
	r[3] = u->kernel_ticks % TICKS_A_SEC * (1000000 / TICKS_A_SEC);
	r[4] = u->peak * (PAGE_SIZE / 1024);
	r[8] = u->minor_faults;
	r[16] = u->waits;
	r[17] = u->preemptions;
	return copy_to_user(to, r, sizeof(r));
}

int32_t sys_wait4(struct trap_frame *f)
{
	struct proc_waited w;
	uint32_t options = ARG3(f);
	int32_t id = (int32_t)ARG1(f), pid;

	if (options & ~(uint32_t)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE))
		return -EINVAL;
	if (id == INT32_MIN)
		return -ESRCH;
	pid = proc_wait(id == -1 ? PROC_ANY : id, options | WEXITED, &w);
	if (pid <= 0)
		return pid;
	if (ARG2(f) && copy_to_user(ARG2(f), &w.status, sizeof(w.status)))
		return -EFAULT;
	return ARG4(f) && usage_to_user(ARG4(f), &w.usage) ? -EFAULT : pid;
}

int32_t sys_waitpid(struct trap_frame *f)
{
	struct trap_frame four = *f;

	four.esi = 0;
	return sys_wait4(&four);
}

static void info_of_waited(const struct proc_waited *w, struct signal_info *info)
{
	int sig = w->status & 0x7F;

	info->signo = SIGCHLD;
	info->from.pid = w->pid;
	info->from.uid = w->uid;
	info->code = w->status == 0xFFFF ? CLD_CONTINUED
		     : sig == 0x7F       ? CLD_STOPPED
		     : sig               ? CLD_KILLED
					 : CLD_EXITED;
	info->from.status = w->status == 0xFFFF ? SIGCONT : sig && sig != 0x7F ? sig : w->status >> 8 & 0xFF;
}

int32_t sys_waitid(struct trap_frame *f)
{
	static const uint32_t known =
		WNOHANG | WEXITED | WSTOPPED | WCONTINUED | WNOWAIT | __WNOTHREAD | __WALL | __WCLONE;
	struct signal_info info = {0};
	struct proc_waited w;
	uint32_t options = ARG4(f);
	int32_t id = (int32_t)ARG2(f), pid;

	if (options & ~known || !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (ARG1(f) == P_ALL)
		id = PROC_ANY;
	else if (ARG1(f) == P_PGID && id >= 0)
		id = -(id ? id : current->group);
	else if (ARG1(f) != P_PID || id <= 0)
		return -EINVAL;
	pid = proc_wait(id, options, &w);
	if (pid < 0)
		return pid;
	if (pid)
		info_of_waited(&w, &info);
	if (pid && ARG5(f) && usage_to_user(ARG5(f), &w.usage))
		return -EFAULT;
	/* Up to the status, as on Linux: the times are the signal's. */
	return ARG3(f) ? copy_to_user(ARG3(f), &info, offsetof(struct signal_info, from.utime)) : 0;
}

int32_t sys_getpid(struct trap_frame *f)
{
	(void)f;
	return current->pid;
}

int32_t sys_getppid(struct trap_frame *f)
{
	(void)f;
	return current->parent ? current->parent->pid : 0;
}

/* Process groups and sessions. */

static struct proc *proc_or_self(uint32_t pid)
{
	return pid ? proc_find((int32_t)pid) : current;
}

int32_t sys_getpgid(struct trap_frame *f)
{
	struct proc *p = proc_or_self(ARG1(f));

	return p ? p->group : -ESRCH;
}

int32_t sys_getpgrp(struct trap_frame *f)
{
	(void)f;
	return current->group;
}

int32_t sys_getsid(struct trap_frame *f)
{
	struct proc *p = proc_or_self(ARG1(f));

	return p ? p->session : -ESRCH;
}

static int is_in_group_of_session(struct proc *p, void *arg)
{
	const int32_t *wanted = arg;

	return p->group == wanted[0] && p->session == wanted[1];
}

int32_t sys_setpgid(struct trap_frame *f)
{
	struct proc *p = proc_or_self(ARG1(f));
	int32_t group = (int32_t)(ARG2(f) ? ARG2(f) : ARG1(f) ? ARG1(f) : (uint32_t)current->pid);
	int32_t wanted[2] = {group, current->session};

	if (group < 0)
		return -EINVAL;
	if (!p || (p != current && p->parent != current))
		return -ESRCH;
	if (p != current && p->session != current->session)
		return -EPERM;
	if (p != current && p->has_execed)
		return -EACCES;
	if (p->session == p->pid || (group != p->pid && !proc_each(is_in_group_of_session, wanted)))
		return -EPERM;
	p->group = group;
	return 0;
}

static int is_in_group(struct proc *p, void *group)
{
	return p->group == *(int32_t *)group;
}

int32_t sys_setsid(struct trap_frame *f)
{
	(void)f;
	if (proc_each(is_in_group, &current->pid))
		return -EPERM;
	current->session = current->group = current->pid;
	return current->pid;
}

/* Users are data: everybody may do everything. 16-bit calls cut what they show. */

static int32_t id16(uint32_t id)
{
	return (int32_t)(id > 0xFFFF ? 0xFFFE : id);
}

int32_t sys_getuid(struct trap_frame *f)
{
	(void)f;
	return (int32_t)current->uid[0];
}

int32_t sys_geteuid(struct trap_frame *f)
{
	(void)f;
	return (int32_t)current->uid[1];
}

int32_t sys_getgid(struct trap_frame *f)
{
	(void)f;
	return (int32_t)current->gid[0];
}

int32_t sys_getegid(struct trap_frame *f)
{
	(void)f;
	return (int32_t)current->gid[1];
}

int32_t sys_getuid16(struct trap_frame *f)
{
	(void)f;
	return id16(current->uid[0]);
}

int32_t sys_geteuid16(struct trap_frame *f)
{
	(void)f;
	return id16(current->uid[1]);
}

int32_t sys_getgid16(struct trap_frame *f)
{
	(void)f;
	return id16(current->gid[0]);
}

int32_t sys_getegid16(struct trap_frame *f)
{
	(void)f;
	return id16(current->gid[1]);
}

/* Who acts as another than before is nobody's to look into, and its parent's end is no business of its. */
static void act_as(uint32_t id[4], uint32_t effective, uint32_t for_files)
{
	if (id[1] != effective || id[3] != for_files)
		current->dumpable = current->parent_death_signal = 0;
	id[1] = effective;
	id[3] = for_files;
}

/* Real, effective, saved; -1 leaves one as it is. Who is not root may only take what it has. */
static int set_ids(uint32_t id[4], uint32_t real, uint32_t effective, uint32_t saved, bool root)
{
	const uint32_t wanted[3] = {real, effective, saved};

	for (unsigned i = 0; i < 3; i++)
		if (wanted[i] != ~0u && !root && wanted[i] != id[0] && wanted[i] != id[1] &&
		    wanted[i] != id[2])
			return -EPERM;
	effective = effective != ~0u ? effective : id[1];
	act_as(id, effective, effective);
	if (real != ~0u)
		id[0] = real;
	if (saved != ~0u)
		id[2] = saved;
	return 0;
}

static bool is_root(void)
{
	return current->uid[1] == 0;
}

int32_t sys_setresuid(struct trap_frame *f)
{
	return set_ids(current->uid, ARG1(f), ARG2(f), ARG3(f), is_root());
}

int32_t sys_setresgid(struct trap_frame *f)
{
	return set_ids(current->gid, ARG1(f), ARG2(f), ARG3(f), is_root());
}

int32_t sys_setuid(struct trap_frame *f)
{
	uint32_t id = ARG1(f), all = is_root() ? id : ~0u;

	return id == ~0u ? -EINVAL : set_ids(current->uid, all, id, all, is_root());
}

int32_t sys_setgid(struct trap_frame *f)
{
	uint32_t id = ARG1(f), all = is_root() ? id : ~0u;

	return id == ~0u ? -EINVAL : set_ids(current->gid, all, id, all, is_root());
}

/* A new real one, or an effective one that is not the real one, is the saved one too. */
static int set_two(uint32_t id[4], uint32_t real, uint32_t effective)
{
	bool saves = real != ~0u || (effective != ~0u && effective != id[0]);
	uint32_t before = id[1];

	return set_ids(id, real, effective, saves ? effective != ~0u ? effective : before : ~0u, is_root());
}

int32_t sys_setreuid(struct trap_frame *f)
{
	return set_two(current->uid, ARG1(f), ARG2(f));
}

int32_t sys_setregid(struct trap_frame *f)
{
	return set_two(current->gid, ARG1(f), ARG2(f));
}

static int three_to_user(const struct trap_frame *f, const uint32_t id[4])
{
	return copy_to_user(ARG1(f), &id[0], 4) || copy_to_user(ARG2(f), &id[1], 4) ||
			       copy_to_user(ARG3(f), &id[2], 4)
		       ? -EFAULT
		       : 0;
}

int32_t sys_getresuid(struct trap_frame *f)
{
	return three_to_user(f, current->uid);
}

int32_t sys_getresgid(struct trap_frame *f)
{
	return three_to_user(f, current->gid);
}

static int32_t set_fs_id(uint32_t id[4], uint32_t wanted)
{
	uint32_t before = id[3];

	if (is_root() || wanted == id[0] || wanted == id[1] || wanted == id[2])
		act_as(id, id[1], wanted == ~0u ? before : wanted);
	return (int32_t)before;
}

int32_t sys_setfsuid(struct trap_frame *f)
{
	return set_fs_id(current->uid, ARG1(f));
}

int32_t sys_setfsgid(struct trap_frame *f)
{
	return set_fs_id(current->gid, ARG1(f));
}

/* What C libraries ask at start. */

int32_t sys_set_tid_address(struct trap_frame *f)
{
	current->clear_tid = ARG1(f);
	return current->pid;
}

/* The list is for threads that die with a lock held. */
int32_t sys_set_robust_list(struct trap_frame *f)
{
	if (ARG2(f) != sizeof(struct robust_list_head))
		return -EINVAL;
	current->robust_list = ARG1(f);
	return 0;
}

int32_t sys_set_thread_area(struct trap_frame *f)
{
	struct user_desc d;
	int err = copy_from_user(&d, ARG1(f), sizeof(d));

	if (!err)
		err = arch_tls_set(&current->tls, &d);
	if (err)
		return err;
	arch_tls_load(&current->tls);
	return copy_to_user(ARG1(f), &d.entry_number, sizeof(d.entry_number));
}

int32_t sys_get_thread_area(struct trap_frame *f)
{
	struct user_desc d = {0};
	int err = copy_from_user(&d.entry_number, ARG1(f), sizeof(d.entry_number));

	if (!err)
		err = arch_tls_get(&current->tls, &d);
	return err ? err : copy_to_user(ARG1(f), &d, sizeof(d));
}
