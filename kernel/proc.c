/*
 * kernel/proc.c - processes come and go. Owns the table of their numbers and the tree that they are. Lock: one
 * processor, no preemption.
 */
#include <arch/timer.h>
#include <asm/resource.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <fs/file.h>
#include <fs/up.h>
#include <kernel/proc.h>
#include <kernel/start.h>
#include <kernel/syscall.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <mm/kmap.h>
#include <mm/slab.h>
#include <mm/usercopy.h>

#define BUCKETS        64u
#define STACK_LIMIT    (8u << 20)
#define TIMER_SLACK    50000u /* ns, as Linux's */
#define FAULTS_TO_LOOK 64u
#define CLONE_KNOWN                                                                                          \
	(CSIGNAL | CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |                       \
	 CLONE_CHILD_CLEARTID | CLONE_SETTLS | CLONE_DETACHED)

static struct {
	struct proc_list bucket[BUCKETS]; /* by number */
	struct proc_list all;
	struct proc *init;
} procs;

int32_t proc_last_pid;

struct proc *proc_find(int32_t pid)
{
	struct proc *p;

	LIST_FOREACH (p, &procs.bucket[(uint32_t)pid % BUCKETS], hashed)
		if (p->pid == pid)
			return p;
	return NULL;
}

int proc_each(int (*visit)(struct proc *, void *), void *arg)
{
	struct proc *p, *next;
	int result = 0;

	LIST_FOREACH_SAFE(p, &procs.all, listed, next)
	if ((result = visit(p, arg)))
		break;
	return result;
}

static int is_of_group(struct proc *p, void *number)
{
	return p->group == *(int32_t *)number || p->session == *(int32_t *)number;
}

/* A number is free when no process has it, nor a group or session that outlived its first one. */
static int32_t new_pid(void)
{
	for (int32_t tried = 0; tried < PID_MAX; tried++) {
		proc_last_pid = proc_last_pid % PID_MAX + 1;
		if (!proc_find(proc_last_pid) && !proc_each(is_of_group, &proc_last_pid))
			return proc_last_pid;
	}
	return 0;
}

struct space_limits proc_space_limits(const struct proc *p)
{
	return (struct space_limits){.stack = p->limit[RLIMIT_STACK].soft,
				     .data = p->limit[RLIMIT_DATA].soft,
				     .address = p->limit[RLIMIT_AS].soft};
}

int shared_space_create(struct tenant *t, const struct proc *p, struct shared_space **out)
{
	struct shared_space *s = kmalloc(sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->refs = 1;
	s->program = NULL;
	err = space_create(&s->space, t, proc_space_limits(p));
	if (err) {
		kmfree(s);
		return err;
	}
	*out = s;
	return 0;
}

void shared_space_put(struct shared_space *s)
{
	if (--s->refs)
		return;
	space_destroy(&s->space);
	if (s->program)
		file_put(s->program);
	kmfree(s);
}

static void end_vfork(struct proc *p)
{
	if (!p->vfork)
		return;
	p->vfork->over = true;
	wake_all(&p->vfork->queue);
	p->vfork = NULL;
}

/* Who shares the space that p leaves may wait for a word to become 0. */
static void clear_tid(struct proc *p)
{
	uint32_t zero = 0;

	if (p->clear_tid && p->shared->refs > 1)
		copy_to_user(p->clear_tid, &zero, sizeof(zero));
	p->clear_tid = 0;
}

void proc_note_peak(void)
{
	struct space *s = current_space();
	uint32_t pages = s->pages > current->usage.peak ? space_resident(s) : 0;

	if (pages > current->usage.peak)
		current->usage.peak = pages;
}

/*
 * A fork that is soon over is not looked at, which would be dear beside it: it has what it faulted in, at least. Nor is
 * a vfork, for its maker goes on in the same space.
 */
static void note_last_peak(const struct shared_space *s)
{
	struct proc_usage *u = &current->usage;

	if (s->refs == 1 && (current->has_execed || u->minor_faults >= FAULTS_TO_LOOK))
		proc_note_peak();
	else if (u->minor_faults > u->peak)
		u->peak = u->minor_faults;
}

void proc_enter_space(struct shared_space *next)
{
	struct shared_space *before = current->shared;

	if (before)
		note_last_peak(before);
	clear_tid(current);
	current->shared = next;
	if (next)
		space_load(&next->space);
	else
		set_pdir_base(&kernel_pdir);
	if (before)
		shared_space_put(before);
	end_vfork(current);
}

static void default_limits(struct proc *p)
{
	for (uint32_t i = 0; i < RLIMITS; i++)
		p->limit[i] = (struct rlimit_pair){~0u, ~0u};
	p->limit[RLIMIT_STACK].soft = STACK_LIMIT;
	p->limit[RLIMIT_CORE].soft = 0;
	p->limit[RLIMIT_NOFILE] = (struct rlimit_pair){1024, 4096};
}

#define COPIED_FROM (offsetof(struct proc, signals) + offsetof(struct signals, action))

/*
 * A process without space, files or parent; null when there is no memory. What stands at its end, the signals' actions
 * and the state of the FPU, is its maker's to copy.
 */
static struct proc *make(void)
{
	struct proc *p = kalloc();

	if (!p)
		return NULL;
	memset(p, 0, COPIED_FROM);
	p->stack = kstack_alloc();
	if (!p->stack) {
		kfree(p);
		return NULL;
	}
	p->deadline = WAIT_FOREVER;
	p->state = PROC_READY;
	p->told = true;
	p->started = clock_ns();
	LIST_INIT(&p->children);
	wait_queue_init(&p->child_changed);
	return p;
}

void proc_free(struct proc *p)
{
	kstack_free(p->stack);
	groups_put(p->groups);
	kfree(p);
}

static void link(struct proc *p, struct proc *parent)
{
	p->parent = parent;
	if (parent)
		LIST_INSERT_HEAD(&parent->children, p, sibling);
	LIST_INSERT_HEAD(&procs.bucket[(uint32_t)p->pid % BUCKETS], p, hashed);
	LIST_INSERT_HEAD(&procs.all, p, listed);
}

static void unlink(struct proc *p)
{
	LIST_REMOVE(p, sibling);
	LIST_REMOVE(p, hashed);
	LIST_REMOVE(p, listed);
}

/* The child's files and space; all or nothing. */
static int copy_holdings(struct proc *child, uint32_t flags)
{
	int err = files_fork(current->files, &child->files);

	if (err)
		return err;
	if (flags & CLONE_VM) {
		child->shared = current->shared;
		child->shared->refs++;
	} else {
		struct shared_space *s = kmalloc(sizeof(*s));

		err = s ? space_fork(&s->space, current_space()) : -ENOMEM;
		if (err) {
			kmfree(s);
			files_put(child->files);
			return err;
		}
		s->refs = 1;
		s->program = current->shared->program;
		if (s->program)
			file_get(s->program);
		child->shared = s;
	}
	fs_context_copy(&child->fs, &current->fs);
	return 0;
}

/* What a child has of its maker, and cannot fail. */
static void copy_rest(struct proc *child)
{
	arch_fpu_save(&current->fpu);
	child->fpu = current->fpu;
	child->tls = current->tls;
	child->group = current->group;
	child->session = current->session;
	signals_copy(&child->signals, &current->signals);
	memcpy(child->name, current->name, sizeof(child->name));
	memcpy(child->uid, current->uid, sizeof(child->uid));
	memcpy(child->gid, current->gid, sizeof(child->gid));
	child->groups = current->groups;
	groups_get(child->groups);
	memcpy(child->limit, current->limit, sizeof(child->limit));
	child->dumpable = current->dumpable;
	child->no_new_privs = current->no_new_privs;
	child->keep_caps = current->keep_caps;
	child->no_huge_pages = current->no_huge_pages;
	child->timer_slack = child->default_slack = current->timer_slack;
}

/* The child's first registers. */
static void copy_frame(struct proc *child, const struct trap_frame *f, vaddr_t stack)
{
	struct trap_frame *to = arch_user_frame(child->stack);

	*to = *f;
	to->eax = 0;
	if (stack)
		to->esp = stack;
	arch_context_init(&child->context, child->stack, sched_begin);
}

/* The numbers that the flags want written; a bad place costs nothing but the number, as on Linux. */
static void tell_numbers(struct proc *child, const struct proc_clone *c)
{
	if (c->flags & CLONE_PARENT_SETTID)
		copy_to_user(c->parent_tid, &child->pid, sizeof(child->pid));
	if (c->flags & CLONE_CHILD_SETTID)
		child->set_tid = c->child_tid;
	if (c->flags & CLONE_CHILD_CLEARTID)
		child->clear_tid = c->child_tid;
}

static int set_child_tls(struct proc *child, vaddr_t tls)
{
	struct user_desc d;
	int err = copy_from_user(&d, tls, sizeof(d));

	if (!err && d.entry_number == -1u)
		err = -EINVAL;
	return err ? err : arch_tls_set(&child->tls, &d);
}

/* Makes the child of the running process, with a number, but not yet in the tree. */
static int make_child(const struct proc_clone *c, struct proc **out)
{
	struct proc *child = make();
	int err;

	if (!child)
		return -ENOMEM;
	err = copy_holdings(child, c->flags);
	if (err)
		goto no_holdings;
	copy_rest(child);
	if (c->flags & CLONE_SETTLS)
		err = set_child_tls(child, c->tls);
	child->pid = err ? 0 : new_pid();
	*out = child;
	if (child->pid)
		return 0;
	err = err ? err : -EAGAIN;
	fs_context_put(&child->fs);
	files_put(child->files);
	shared_space_put(child->shared);
no_holdings:
	proc_free(child);
	return err == -EDQUOT ? -ENOMEM : err; /* what a quota forbids is to a program what is not there */
}

/* Waits until the child has left the space. Who is killed first leaves that to it. */
static void wait_for_vfork(struct proc *child)
{
	struct vfork_wait wait = {.over = false};

	wait_queue_init(&wait.queue);
	child->vfork = &wait;
	while (!wait.over && !wait_killable(&wait.queue))
		;
	if (!wait.over)
		child->vfork = NULL;
}

static int is_of_user(struct proc *p, void *count)
{
	*(uint32_t *)count += p->uid[0] == current->uid[0];
	return 0;
}

/* True when the user has as many processes as RLIMIT_NPROC allows, which binds everybody but root. */
static bool has_too_many(void)
{
	uint32_t count = 0;

	if (!current->uid[0] || !current->uid[1])
		return false;
	proc_each(is_of_user, &count);
	return count >= current->limit[RLIMIT_NPROC].soft;
}

int32_t proc_clone(struct trap_frame *f, const struct proc_clone *c)
{
	uint32_t flags = c->flags;
	struct proc *child;
	int32_t pid;
	int err;

	/* Threads are not to be had: what shares memory runs alone until it leaves. */
	if (flags & ~(uint32_t)CLONE_KNOWN || (flags & CLONE_VM && !(flags & CLONE_VFORK)) ||
	    (flags & CSIGNAL) > SIGNALS)
		return -EINVAL;
	if (has_too_many())
		return -EAGAIN;
	err = make_child(c, &child);
	if (err)
		return err;
	pid = child->pid;
	child->exit_signal = (int)(flags & CSIGNAL);
	copy_frame(child, f, c->stack);
	tell_numbers(child, c);
	link(child, current);
	sched_ready(child);
	if (flags & CLONE_VFORK)
		wait_for_vfork(child);
	return pid;
}

/* True when nobody wants to hear of p's end. */
static bool is_unwanted(const struct proc *p)
{
	const struct signal_action *a = &p->parent->signals.action[SIGCHLD - 1];

	return p->exit_signal == SIGCHLD && (a->handler == (uint32_t)SIG_IGN || a->flags & SA_NOCLDWAIT);
}

static void tell(struct proc *p, int signo, int code, int status)
{
	struct signal_info info = {.signo = signo, .code = code};

	info.from.pid = p->pid;
	info.from.uid = p->uid[0];
	info.from.status = status;
	info.from.utime = p->usage.user_ticks;
	info.from.stime = p->usage.kernel_ticks;
	if (signo)
		signal_send(p->parent, signo, &info);
	wake_all(&p->parent->child_changed);
}

void proc_tell_parent(struct proc *p, int code, int status)
{
	p->told = false;
	p->status = code == CLD_CONTINUED ? 0xFFFF : status << 8 | 0x7F;
	if (!(p->parent->signals.action[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		tell(p, SIGCHLD, code, status);
	else
		tell(p, 0, 0, 0);
}

static void add_usage(struct proc_usage *to, const struct proc_usage *u)
{
	to->user_ticks += u->user_ticks;
	to->kernel_ticks += u->kernel_ticks;
	to->minor_faults += u->minor_faults;
	to->waits += u->waits;
	to->preemptions += u->preemptions;
	if (u->peak > to->peak)
		to->peak = u->peak;
}

/* Takes a zombie's number and place in the tree; its times are its parent's children's. */
static void reap(struct proc *p)
{
	add_usage(&p->parent->children_usage, &p->usage);
	add_usage(&p->parent->children_usage, &p->children_usage);
	unlink(p);
}

/* Tells its parent of a zombie. True when that does not want it: then it has been reaped, and is to be freed. */
static bool tell_end(struct proc *p)
{
	int sig = p->status & 0x7F;
	bool unwanted = is_unwanted(p);
	bool ignored = unwanted && p->parent->signals.action[SIGCHLD - 1].handler == (uint32_t)SIG_IGN;

	/* What is ignored does not come even where it is blocked, as on Linux. */
	tell(p, ignored ? 0 : p->exit_signal, sig ? p->status & 0x80 ? CLD_DUMPED : CLD_KILLED : CLD_EXITED,
	     sig ? sig : p->status >> 8 & 0xFF);
	if (unwanted)
		reap(p);
	return unwanted;
}

/* A group of processes: `leaving` counts as gone already. */
struct group {
	int32_t number;
	const struct proc *leaving;
	bool is_connected; /* a member's parent is outside, in the same session, and can let it go on */
	bool has_stopped;
};

static bool connects(const struct proc *p)
{
	return p->parent && p->parent != procs.init && p->parent->group != p->group &&
	       p->parent->session == p->session;
}

static int look_at_member(struct proc *p, void *arg)
{
	struct group *g = arg;

	if (p->group != g->number || p->state == PROC_ZOMBIE)
		return 0;
	g->has_stopped |= p->state == PROC_STOPPED;
	g->is_connected |= p != g->leaving && connects(p);
	return 0;
}

bool proc_group_is_orphaned(int32_t number)
{
	struct group g = {.number = number};

	proc_each(look_at_member, &g);
	return !g.is_connected;
}

/* Whom nobody can let go on any more is told, and goes on. POSIX, _exit: consequences of process termination. */
static void wake_orphaned_group(int32_t number, const struct proc *leaving)
{
	struct group g = {.number = number, .leaving = leaving};

	proc_each(look_at_member, &g);
	if (g.is_connected || !g.has_stopped)
		return;
	signal_group(number, SIGHUP);
	signal_group(number, SIGCONT);
}

/* Returns who takes in what p leaves: the nearest one above it that asked for it, or init. */
static struct proc *reaper_of(const struct proc *p)
{
	struct proc *r = p->parent;

	while (r != procs.init && !r->is_reaper)
		r = r->parent;
	return r;
}

/* Those that have ended already, too, and the new parent hears of them. */
static void give_children_away(struct proc *p)
{
	struct proc *child, *reaper = reaper_of(p);
	bool was_link;

	while ((child = LIST_FIRST(&p->children))) {
		LIST_REMOVE(child, sibling);
		was_link = connects(child);
		child->parent = reaper;
		LIST_INSERT_HEAD(&reaper->children, child, sibling);
		child->exit_signal = SIGCHLD;
		if (child->parent_death_signal)
			signal_send(child, (int)child->parent_death_signal, NULL);
		if (was_link)
			wake_orphaned_group(child->group, NULL);
		if (child->state == PROC_ZOMBIE && tell_end(child))
			proc_free(child);
	}
}

_Noreturn void proc_exit(int status)
{
	struct proc *p = current;

	if (p == procs.init)
		init_ended(status);
	sched_set_alarm(p, 0, 0);
	files_put(p->files);
	p->files = NULL;
	fs_context_put(&p->fs);
	proc_enter_space(NULL);
	give_children_away(p);
	if (connects(p))
		wake_orphaned_group(p->group, p);
	signals_drop(&p->signals);
	p->status = status;
	p->state = PROC_ZOMBIE;
	sched_leave(tell_end(p));
}

static bool is_selected(const struct proc *p, int32_t which, uint32_t options)
{
	if (!(options & __WALL) && (p->exit_signal != SIGCHLD) != !!(options & __WCLONE))
		return false;
	if (which == PROC_ANY)
		return true;
	if (which > 0)
		return p->pid == which;
	return p->group == (which ? -which : current->group);
}

/* True when a child has something to tell that the options ask for. */
static bool has_news(const struct proc *p, uint32_t options)
{
	if (p->state == PROC_ZOMBIE)
		return options & WEXITED;
	if (p->told)
		return false;
	return p->state == PROC_STOPPED ? options & WSTOPPED : p->status == 0xFFFF && options & WCONTINUED;
}

static int32_t hear(struct proc *p, uint32_t options, struct proc_waited *out)
{
	*out = (struct proc_waited){.pid = p->pid, .status = p->status, .uid = p->uid[0], .usage = p->usage};
	add_usage(&out->usage, &p->children_usage);
	if (options & WNOWAIT)
		return out->pid;
	p->told = true;
	if (p->state == PROC_ZOMBIE) {
		reap(p);
		proc_free(p);
	}
	return out->pid;
}

int32_t proc_wait(int32_t which, uint32_t options, struct proc_waited *out)
{
	int err = 0;

	while (true) {
		struct proc *p;
		bool any = false;

		LIST_FOREACH (p, &current->children, sibling) {
			if (!is_selected(p, which, options))
				continue;
			if (has_news(p, options))
				return hear(p, options, out);
			any |= p->state != PROC_ZOMBIE; /* which has no news but its end */
		}
		if (!any)
			return -ECHILD;
		if (options & WNOHANG)
			return 0;
		if (err)
			return -ERESTARTSYS;
		err = wait_on(&current->child_changed);
	}
}

int proc_start_init(struct tenant *t, void (*begin)(void))
{
	struct proc *p = make();
	int err;

	if (!p)
		return -ENOMEM;
	for (uint32_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&procs.bucket[i]);
	default_limits(p);
	memset(p->signals.action, 0, sizeof(p->signals.action));
	err = shared_space_create(t, p, &p->shared);
	if (!err)
		err = files_create(&p->files);
	if (!err)
		err = fs_context_init(&p->fs);
	if (err)
		panic("no memory for the first process (%d)", err);
	arch_fpu_init(&p->fpu);
	p->dumpable = 1;
	p->timer_slack = p->default_slack = TIMER_SLACK;
	proc_last_pid = 0;
	p->pid = new_pid(); /* its group and session are 0, as Linux's: setsid gives it others */
	link(p, NULL);
	procs.init = p;
	arch_context_init(&p->context, p->stack, begin);
	sched_ready(p);
	return 0;
}

struct files *current_files(void)
{
	return current->files;
}

/* The kernel's own files, which it unpacks before there is a process, have none. */
uint64_t current_size_limit(void)
{
	uint32_t limit = current ? current->limit[RLIMIT_FSIZE].soft : ~0u;

	return limit == ~0u ? UINT64_MAX : limit;
}

void current_owner(uint32_t *uid, uint32_t *gid)
{
	*uid = current ? current->uid[3] : 0;
	*gid = current ? current->gid[3] : 0;
}

struct fs_context *current_fs(void)
{
	return &current->fs;
}
