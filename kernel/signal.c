/*
 * kernel/signal.c - signals: sent, taken, and what becomes of them on the way to user mode. Owns no state but the
 * processes'. Lock: interrupts off where the timer sends too.
 */
#include <arch/irq.h>
#include <asm/unistd_32.h>
#include <fs/up.h>
#include <kernel/proc.h>
#include <kernel/signal_frame.h>
#include <kernel/syscall.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <linux/signal.h>
#include <mm/slab.h>

#define INT_LENGTH 2u /* bytes of "int $0x80": a call begins again that far back */

#define HANDLER_DEFAULT ((uint32_t)SIG_DFL)
#define HANDLER_IGNORE  ((uint32_t)SIG_IGN)

#define STOPS      (BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define NOTHING    (BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH))
#define FAULTS     (BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGFPE) | BIT(SIGTRAP))
#define CERTAIN    (BIT(SIGKILL) | BIT(SIGSTOP))
#define BIT(signo) (1ull << ((signo)-1))

static const char *const fault_names[] = {
	[SIGSEGV] = "invalid address",    [SIGBUS] = "nothing behind the address",
	[SIGILL] = "invalid instruction", [SIGFPE] = "arithmetic",
	[SIGTRAP] = "breakpoint",
};

void signals_copy(struct signals *to, const struct signals *from)
{
	memcpy(to->action, from->action, sizeof(to->action));
	to->blocked = from->blocked;
	to->stack = from->stack;
}

void signals_reset(struct signals *s)
{
	for (uint32_t i = 0; i < SIGNALS; i++) {
		if (s->action[i].handler != HANDLER_IGNORE)
			s->action[i].handler = HANDLER_DEFAULT;
		s->action[i].flags = 0;
		s->action[i].mask = 0;
	}
	s->stack = (struct signal_stack){.flags = SS_DISABLE};
}

static void drop(struct signals *s, uint64_t set)
{
	struct signal_node *n;

	s->pending &= ~set;
	for (uint32_t i = 0; i < SIGNALS; i++) {
		while (set >> i & 1 && (n = s->first[i])) {
			s->first[i] = n->next;
			s->queued--;
			kmfree(n);
		}
	}
}

void signals_drop(struct signals *s)
{
	if (s->pending)
		drop(s, s->pending);
}

void signal_drop_ignored(struct proc *p, int signo)
{
	uint32_t handler = p->signals.action[signo - 1].handler;

	if (handler == HANDLER_IGNORE || (handler == HANDLER_DEFAULT && BIT(signo) & NOTHING))
		drop(&p->signals, BIT(signo));
}

bool signal_due(const struct proc *p)
{
	return p->signals.pending & (~p->signals.blocked | p->signals.waited);
}

bool signal_kills(const struct proc *p)
{
	return p->signals.pending & BIT(SIGKILL);
}

/* True when nothing would become of a signal. What the first process has no handler for does nothing to it. */
static bool is_ignored(const struct proc *p, int signo)
{
	uint32_t handler = p->signals.action[signo - 1].handler;

	if (p->signals.blocked & BIT(signo))
		return false; /* it may be waited for, or get a handler before it is let through */
	return handler == HANDLER_IGNORE ||
	       (handler == HANDLER_DEFAULT && (p->pid == FIRST_PID || BIT(signo) & NOTHING));
}

static void go_on(struct proc *p)
{
	if (p->state != PROC_STOPPED)
		return;
	proc_tell_parent(p, CLD_CONTINUED, SIGCONT);
	sched_ready(p);
}

/* Puts a node at the end of its signal's queue; false when there is no room or memory for it. */
static bool queue(struct signals *s, int signo, const struct signal_info *info)
{
	struct signal_node **end = &s->first[signo - 1];
	struct signal_node *n = s->queued < QUEUE_MOST ? kmalloc(sizeof(*n)) : NULL;

	if (!n)
		return false;
	while (*end)
		end = &(*end)->next;
	*n = (struct signal_node){NULL, *info};
	*end = n;
	s->queued++;
	return true;
}

/* What does not queue comes once, and without its details where there is no memory for them. */
static bool note(struct signals *s, int signo, const struct signal_info *info)
{
	if (signo >= SIGRTMIN && info && !queue(s, signo, info))
		return false;
	if (signo < SIGRTMIN && info && !(s->pending & BIT(signo)))
		queue(s, signo, info);
	s->pending |= BIT(signo);
	return true;
}

bool signal_send(struct proc *p, int signo, const struct signal_info *info)
{
	uint32_t state = arch_irq_save();
	bool sent = true;

	if (p->state == PROC_ZOMBIE)
		goto out;
	if (BIT(signo) & STOPS)
		drop(&p->signals, BIT(SIGCONT));
	if (signo == SIGCONT || signo == SIGKILL) {
		drop(&p->signals, STOPS);
		if (signo == SIGCONT)
			go_on(p);
		else if (p->state == PROC_STOPPED)
			sched_ready(p);
	}
	if (is_ignored(p, signo))
		goto out;
	sent = note(&p->signals, signo, info);
	if (signal_due(p)) {
		sched_interrupt(p);
		sched_look(p);
	}
out:
	arch_irq_restore(state);
	return sent;
}

void signal_current(int signo)
{
	signal_send(current, signo, NULL);
}

static int send_to_member(struct proc *p, void *arg)
{
	const int32_t *group_and_signal = arg;

	if (p->group == group_and_signal[0])
		signal_send(p, group_and_signal[1], NULL);
	return 0;
}

void signal_group(int32_t group, int signo)
{
	int32_t both[2] = {group, signo};

	proc_each(send_to_member, both);
}

void signal_fault(int signo, int code, uint32_t address)
{
	struct signal_info info = {.signo = signo, .code = code};
	struct signals *s = &current->signals;

	info.address = address;
	if (s->blocked & BIT(signo) || s->action[signo - 1].handler == HANDLER_IGNORE) {
		s->action[signo - 1].handler = HANDLER_DEFAULT;
		s->blocked &= ~BIT(signo);
	}
	drop(s, BIT(signo));
	note(s, signo, &info);
	s->has_fault = true;
	sched_look(current);
}

static struct signal_info take_info(struct signals *s, int signo)
{
	struct signal_node *n = s->first[signo - 1];
	struct signal_info info = {.signo = signo, .code = SI_KERNEL};

	if (n) {
		info = n->info;
		s->first[signo - 1] = n->next;
		s->queued--;
		kmfree(n);
	}
	return info;
}

int signal_take(struct proc *p, uint64_t set, struct signal_info *out)
{
	struct signals *s = &p->signals;
	uint64_t due = s->pending & set;
	uint32_t state = arch_irq_save();
	int signo = 0;

	if (due) {
		/*
		 * No handler's frame before the end: its stack may be a child's by then, which shares the space. What
		 * the program did itself comes before what others sent: its registers are still those.
		 */
		if (due & BIT(SIGKILL))
			due = BIT(SIGKILL);
		else if (due & FAULTS)
			due &= FAULTS;
		signo = 1 + __builtin_ctzll(due);
		*out = take_info(s, signo);
		if (!s->first[signo - 1])
			s->pending &= ~BIT(signo);
	}
	arch_irq_restore(state);
	return signo;
}

static _Noreturn void end(const struct trap_frame *f, const struct signal_info *info)
{
	if (BIT(info->signo) & FAULTS && info->code > 0)
		printk("%s[%d]: %s: 0x%08x, eip 0x%08x, esp 0x%08x\n", current->name, current->pid,
		       fault_names[info->signo], info->address, f->eip, f->esp);
	proc_exit(info->signo);
}

/* Where nobody could let it go on, only SIGSTOP stops. */
static void stop(int signo)
{
	if (signo != SIGSTOP && proc_group_is_orphaned(current->group))
		return;
	proc_tell_parent(current, CLD_STOPPED, signo);
	sched_stop();
}

static bool is_broken_call(const struct trap_frame *f)
{
	return f->vector == TRAP_SYSCALL && f->error != ~0u;
}

static void call_again(struct trap_frame *f, uint32_t number)
{
	f->eax = number;
	f->eip -= INT_LENGTH;
}

/* What a broken call returns to a program whose handler runs first. */
static void end_call(struct trap_frame *f, const struct signal_action *a)
{
	if (!is_broken_call(f))
		return;
	switch (-(int32_t)f->eax) {
	case ERESTARTSYS:
		if (a->flags & SA_RESTART)
			call_again(f, f->error);
		else
			f->eax = (uint32_t)-EINTR;
		break;
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK:
		f->eax = (uint32_t)-EINTR;
		break;
	default:
		break;
	}
	f->error = ~0u;
}

/* The same where no handler runs: the program sees nothing. */
static void repeat_call(struct trap_frame *f)
{
	if (!is_broken_call(f))
		return;
	switch (-(int32_t)f->eax) {
	case ERESTARTSYS:
	case ERESTARTNOHAND:
		call_again(f, f->error);
		break;
	case ERESTART_RESTARTBLOCK:
		call_again(f, __NR_restart_syscall);
		break;
	default:
		break;
	}
	f->error = ~0u;
}

static void handle(struct trap_frame *f, const struct signal_info *info)
{
	struct signals *s = &current->signals;
	struct signal_action a = s->action[info->signo - 1];
	uint64_t mask = s->has_saved ? s->saved : s->blocked;

	end_call(f, &a);
	if (a.flags & SA_RESETHAND)
		s->action[info->signo - 1].handler = HANDLER_DEFAULT;
	s->has_saved = false;
	s->blocked |= a.mask | (a.flags & SA_NODEFER ? 0 : BIT(info->signo));
	s->blocked &= ~CERTAIN;
	if (signal_enter_handler(f, &a, info, mask)) {
		/* No room for its frame: a second fault of that kind ends it. */
		if (info->signo == SIGSEGV)
			s->action[SIGSEGV - 1].handler = HANDLER_DEFAULT;
		signal_fault(SIGSEGV, SEGV_MAPERR, f->esp);
	}
}

/* Returns true when a handler's frame is on the stack, or will be. */
static bool deliver(struct trap_frame *f, const struct signal_info *info)
{
	uint32_t handler = current->signals.action[info->signo - 1].handler;

	if (handler == HANDLER_IGNORE)
		return false;
	if (handler != HANDLER_DEFAULT) {
		handle(f, info);
		return true;
	}
	if (current->pid == FIRST_PID && !current->signals.has_fault)
		return false;
	if (BIT(info->signo) & STOPS)
		stop(info->signo);
	else if (!(BIT(info->signo) & NOTHING))
		end(f, info);
	return false;
}

void signal_deliver(struct trap_frame *f)
{
	struct signals *s = &current->signals;
	struct signal_info info;
	bool handled = false;

	while (signal_take(current, ~s->blocked, &info))
		handled |= deliver(f, &info);
	s->has_fault = false;
	if (handled)
		return;
	repeat_call(f);
	if (s->has_saved) {
		s->blocked = s->saved;
		s->has_saved = false;
	}
}
