/* kernel/sys_signal.c - system calls of signals. Lock: none of its own. */
#include <arch/timer.h>
#include <kernel/proc.h>
#include <kernel/signal_frame.h>
#include <kernel/sys.h>
#include <kernel/time.h>
#include <linux/signal.h>
#include <mm/usercopy.h>

#define SET_BYTES   8u
#define UNMASKABLE  (signal_bit(SIGKILL) | signal_bit(SIGSTOP))
#define STACK_LEAST MINSIGSTKSZ
/* Others are taken out: so a program sees what there is. */
#define FLAGS_KNOWN                                                                                          \
	((uint32_t)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_RESTORER |             \
		    SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND))

static bool is_signal(uint32_t signo)
{
	return signo >= 1 && signo <= SIGNALS;
}

void signal_set_mask(uint64_t mask)
{
	current->signals.blocked = mask & ~UNMASKABLE;
	if (signal_due(current))
		sched_look(current);
}

static int set_action(uint32_t signo, const struct signal_action *a)
{
	struct signals *s = &current->signals;

	if (!is_signal(signo) || signal_bit((int)signo) & UNMASKABLE)
		return -EINVAL;
	s->action[signo - 1] = *a;
	s->action[signo - 1].flags &= FLAGS_KNOWN;
	s->action[signo - 1].mask &= ~UNMASKABLE;
	signal_drop_ignored(current, (int)signo);
	return 0;
}

int32_t sys_rt_sigaction(struct trap_frame *f)
{
	uint32_t signo = ARG1(f);
	struct signal_action new, old;
	int err = 0;

	if (ARG4(f) != SET_BYTES || !is_signal(signo))
		return -EINVAL;
	old = current->signals.action[signo - 1];
	if (ARG2(f)) {
		if (copy_from_user(&new, ARG2(f), sizeof(new)))
			return -EFAULT;
		err = set_action(signo, &new);
	}
	if (!err && ARG3(f))
		err = copy_to_user(ARG3(f), &old, sizeof(old));
	return err;
}

/* The older form: handler, one word of mask, flags, restorer. */
int32_t sys_sigaction(struct trap_frame *f)
{
	uint32_t signo = ARG1(f), w[4];
	struct signal_action old;
	int err = 0;

	if (!is_signal(signo))
		return -EINVAL;
	old = current->signals.action[signo - 1];
	if (ARG2(f)) {
		if (copy_from_user(w, ARG2(f), sizeof(w)))
			return -EFAULT;
		err = set_action(signo, &(struct signal_action){w[0], w[2], w[3], w[1]});
	}
	if (!err && ARG3(f)) {
		uint32_t o[4] = {old.handler, (uint32_t)old.mask, old.flags, old.restorer};

		err = copy_to_user(ARG3(f), o, sizeof(o));
	}
	return err;
}

int32_t sys_signal(struct trap_frame *f)
{
	uint32_t signo = ARG1(f);
	struct signal_action a = {.handler = ARG2(f), .flags = SA_RESETHAND | SA_NODEFER}, old;
	int err;

	if (!is_signal(signo))
		return -EINVAL;
	old = current->signals.action[signo - 1];
	err = set_action(signo, &a);
	return err ? err : (int32_t)old.handler;
}

/* how: as sigprocmask's. */
static int change_mask(uint32_t how, uint64_t set, uint64_t within)
{
	uint64_t blocked = current->signals.blocked;

	switch (how) {
	case SIG_BLOCK:
		signal_set_mask(blocked | set);
		return 0;
	case SIG_UNBLOCK:
		signal_set_mask(blocked & ~set);
		return 0;
	case SIG_SETMASK:
		signal_set_mask((blocked & ~within) | set);
		return 0;
	default:
		return -EINVAL;
	}
}

static int change_mask_of(struct trap_frame *f, uint32_t bytes)
{
	uint64_t old = current->signals.blocked, set = 0;
	int err = 0;

	if (ARG2(f)) {
		if (copy_from_user(&set, ARG2(f), bytes))
			return -EFAULT;
		err = change_mask(ARG1(f), set, bytes == SET_BYTES ? ~0ull : UINT32_MAX);
	}
	if (!err && ARG3(f))
		err = copy_to_user(ARG3(f), &old, bytes);
	return err;
}

int32_t sys_rt_sigprocmask(struct trap_frame *f)
{
	return ARG4(f) == SET_BYTES ? change_mask_of(f, SET_BYTES) : -EINVAL;
}

int32_t sys_sigprocmask(struct trap_frame *f)
{
	return change_mask_of(f, 4);
}

int32_t sys_rt_sigpending(struct trap_frame *f)
{
	uint64_t set = current->signals.pending & current->signals.blocked;

	return ARG2(f) > SET_BYTES ? -EINVAL : copy_to_user(ARG1(f), &set, ARG2(f));
}

int32_t sys_sigpending(struct trap_frame *f)
{
	uint32_t set = (uint32_t)(current->signals.pending & current->signals.blocked);

	return copy_to_user(ARG1(f), &set, sizeof(set));
}

/* Until a signal that the mask lets through; the handler returns to the mask before. */
static int32_t suspend(uint64_t mask)
{
	struct signals *s = &current->signals;

	s->saved = s->blocked;
	s->has_saved = true;
	signal_set_mask(mask);
	while (!wait_on_until(NULL, WAIT_FOREVER))
		;
	return -ERESTARTNOHAND;
}

int32_t sys_rt_sigsuspend(struct trap_frame *f)
{
	uint64_t mask;

	if (ARG2(f) != SET_BYTES)
		return -EINVAL;
	return copy_from_user(&mask, ARG1(f), sizeof(mask)) ? -EFAULT : suspend(mask);
}

/* Its mask is the third argument. */
int32_t sys_sigsuspend(struct trap_frame *f)
{
	return suspend(ARG3(f));
}

int32_t sys_pause(struct trap_frame *f)
{
	(void)f;
	while (!wait_on_until(NULL, WAIT_FOREVER))
		;
	return -ERESTARTNOHAND;
}

static int32_t take_waiting(uint64_t set, uint64_t deadline, struct signal_info *info)
{
	struct signals *s = &current->signals;
	int signo = signal_take(current, set, info);
	int err = 0;

	/* They are blocked as a rule, and stay so: one whose action is to ignore it would be dropped. */
	s->waited = set;
	while (!signo && !err) {
		err = wait_on_until(NULL, deadline);
		signo = signal_take(current, set, info);
	}
	s->waited = 0;
	if (signal_due(current))
		sched_look(current);
	return signo ? signo : err == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

static int32_t timed_wait(struct trap_frame *f, bool wide)
{
	uint64_t set, deadline = WAIT_FOREVER, length;
	struct signal_info info;
	int32_t signo;
	int err;

	if (ARG4(f) != SET_BYTES)
		return -EINVAL;
	if (copy_from_user(&set, ARG1(f), sizeof(set)))
		return -EFAULT;
	if (ARG3(f)) {
		err = time_from_user(ARG3(f), wide, &length);
		if (err)
			return err;
		deadline = time_add(clock_ns(), length);
	}
	signo = take_waiting(set & ~UNMASKABLE, deadline, &info);
	if (signo > 0 && ARG2(f) && signal_info_to_user(ARG2(f), &info))
		return -EFAULT;
	return signo;
}

int32_t sys_rt_sigtimedwait(struct trap_frame *f)
{
	return timed_wait(f, false);
}

int32_t sys_rt_sigtimedwait_time64(struct trap_frame *f)
{
	return timed_wait(f, true);
}

/* Sending. */

static bool may_signal(const struct proc *p, uint32_t signo)
{
	const uint32_t *own = current->uid, *its = p->uid;

	return !own[1] || own[1] == its[0] || own[1] == its[2] || own[0] == its[0] || own[0] == its[2] ||
	       (signo == SIGCONT && p->session == current->session);
}

static int send(struct proc *p, uint32_t signo, int code)
{
	struct signal_info info = {.signo = (int32_t)signo, .code = code};

	if (!may_signal(p, signo))
		return -EPERM;
	info.from.pid = current->pid;
	info.from.uid = current->uid[0];
	if (signo)
		signal_send(p, (int)signo, &info);
	return 0;
}

/* Many are meant: a group, which may be 0, the first process's; or all but the first and the sender. */
struct sending {
	uint32_t signo;
	int32_t group;
	bool all;
	bool any, sent;
};

static int send_one(struct proc *p, void *arg)
{
	struct sending *s = arg;

	if (s->all ? p->pid == FIRST_PID || p == current : p->group != s->group)
		return 0;
	s->any = true;
	s->sent |= !send(p, s->signo, SI_USER);
	return 0;
}

int32_t sys_kill(struct trap_frame *f)
{
	int32_t pid = (int32_t)ARG1(f);
	struct sending s = {.signo = ARG2(f), .group = pid ? -pid : current->group, .all = pid == -1};
	struct proc *p;

	if (s.signo > SIGNALS)
		return -EINVAL;
	if (pid > 0) {
		p = proc_find(pid);
		return p ? send(p, s.signo, SI_USER) : -ESRCH;
	}
	if (pid == INT32_MIN)
		return -ESRCH;
	proc_each(send_one, &s);
	if (!s.any)
		return -ESRCH;
	return s.sent || pid == -1 ? 0 : -EPERM;
}

static int32_t send_thread(int32_t pid, uint32_t signo)
{
	struct proc *p = pid > 0 ? proc_find(pid) : NULL;

	if (pid <= 0 || signo > SIGNALS)
		return -EINVAL;
	return p ? send(p, signo, SI_TKILL) : -ESRCH;
}

/* The program says what the handler is to see; what only the kernel may say is refused. */
static int32_t send_with_info(int32_t pid, uint32_t signo, vaddr_t from)
{
	struct proc *p = pid > 0 ? proc_find(pid) : NULL;
	struct signal_info info;

	if (copy_from_user(&info, from, sizeof(info)))
		return -EFAULT;
	if ((info.code >= 0 || info.code == SI_TKILL) && p != current)
		return -EPERM;
	if (!p || signo > SIGNALS)
		return p ? -EINVAL : -ESRCH;
	if (!may_signal(p, signo))
		return -EPERM;
	info.signo = (int32_t)signo;
	return signo && !signal_send(p, (int)signo, &info) ? -EAGAIN : 0;
}

int32_t sys_rt_sigqueueinfo(struct trap_frame *f)
{
	return send_with_info((int32_t)ARG1(f), ARG2(f), ARG3(f));
}

int32_t sys_rt_tgsigqueueinfo(struct trap_frame *f)
{
	if ((int32_t)ARG1(f) <= 0 || (int32_t)ARG2(f) <= 0)
		return -EINVAL;
	return ARG1(f) == ARG2(f) ? send_with_info((int32_t)ARG2(f), ARG3(f), ARG4(f)) : -ESRCH;
}

int32_t sys_tkill(struct trap_frame *f)
{
	return send_thread((int32_t)ARG1(f), ARG2(f));
}

int32_t sys_tgkill(struct trap_frame *f)
{
	if ((int32_t)ARG1(f) <= 0 || (int32_t)ARG2(f) <= 0)
		return -EINVAL;
	return ARG1(f) == ARG2(f) ? send_thread((int32_t)ARG2(f), ARG3(f)) : -ESRCH;
}

/* The alternate stack. */

int signal_set_stack(const struct signal_stack *wanted, vaddr_t sp)
{
	struct signal_stack *s = &current->signals.stack;
	uint32_t mode = wanted->flags & ~SS_AUTODISARM;

	if (signal_stack_flags(s, sp) == SS_ONSTACK)
		return -EPERM;
	if (mode && mode != SS_DISABLE && mode != SS_ONSTACK)
		return -EINVAL;
	if (mode != SS_DISABLE && wanted->size < STACK_LEAST)
		return -ENOMEM;
	*s = *wanted;
	if (mode == SS_DISABLE)
		s->sp = s->size = 0;
	return 0;
}

int32_t sys_sigaltstack(struct trap_frame *f)
{
	struct signal_stack old = current->signals.stack, new;
	int err = 0;

	old.flags = signal_stack_flags(&old, f->esp) | (old.flags & SS_AUTODISARM);
	if (ARG1(f)) {
		if (copy_from_user(&new, ARG1(f), sizeof(new)))
			return -EFAULT;
		err = signal_set_stack(&new, f->esp);
	}
	if (!err && ARG2(f))
		err = copy_to_user(ARG2(f), &old, sizeof(old));
	return err;
}
