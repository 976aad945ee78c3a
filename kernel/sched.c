/*
 * kernel/sched.c - who runs: round robin among those that are ready, a slice of time each. Owns the run queue, those
 * that wait for a moment, and the alarms. Lock: interrupts off. Who waits with nobody ready halts on its own stack.
 */
#include <arch/irq.h>
#include <arch/timer.h>
#include <asm/resource.h>
#include <asm/signal.h>
#include <fs/up.h>
#include <kernel/proc.h>
#include <lib/panic.h>
#include <mm/usercopy.h>

#define SLICE_TICKS 2u

TAILQ_HEAD(proc_queue, proc);

struct proc *current;

static struct {
	struct proc_queue ready;  /* not the one that runs */
	struct proc_queue timed;  /* by deadline */
	struct proc_queue alarms; /* by alarm_at */
	struct proc *left;        /* has left the processor for good, and nobody waits for it */
	uint32_t slice;           /* ticks that the running one has left */
} sched = {
	.ready = TAILQ_HEAD_INITIALIZER(sched.ready),
	.timed = TAILQ_HEAD_INITIALIZER(sched.timed),
	.alarms = TAILQ_HEAD_INITIALIZER(sched.alarms),
};

/* What the one that left could not free itself: it stood on it. */
static void free_left(void)
{
	struct proc *p = sched.left;

	sched.left = NULL;
	if (p)
		proc_free(p);
}

static void load(struct proc *p)
{
	arch_set_kernel_stack(p->stack);
	arch_tls_load(&p->tls);
	arch_fpu_load(&p->fpu);
	if (p->shared)
		space_load(&p->shared->space);
	sched.slice = SLICE_TICKS;
	arch_return_work = signal_due(p);
}

/* Interrupts are off. Comes back when this one is chosen again. */
static void switch_to(struct proc *next)
{
	struct proc *before = current;

	if (next == before)
		return;
	arch_fpu_save(&before->fpu);
	current = next;
	load(next);
	arch_context_switch(&before->context, &next->context);
	free_left();
}

static void switch_away(void)
{
	struct proc *next;

	if (current->state != PROC_READY)
		current->usage.waits++;
	else if (TAILQ_FIRST(&sched.ready) != current)
		current->usage.preemptions++;
	while (!(next = TAILQ_FIRST(&sched.ready)))
		arch_irq_wait();
	TAILQ_REMOVE(&sched.ready, next, queued);
	switch_to(next);
}

/* Where a new process begins: as if it came back from the switch. */
void sched_begin(void)
{
	free_left();
	arch_irq_enable();
	if (current->set_tid)
		copy_to_user(current->set_tid, &current->pid, sizeof(current->pid));
	arch_user_return(current->stack);
}

_Noreturn void sched_start(void)
{
	struct arch_context boot;

	arch_irq_save();
	current = TAILQ_FIRST(&sched.ready);
	INVARIANT(current);
	TAILQ_REMOVE(&sched.ready, current, queued);
	load(current);
	arch_context_switch(&boot, &current->context);
	panic("the boot thread was chosen again");
}

void sched_yield(void)
{
	uint32_t state = arch_irq_save();

	TAILQ_INSERT_TAIL(&sched.ready, current, queued);
	switch_away();
	arch_irq_restore(state);
}

_Noreturn void sched_leave(bool for_good)
{
	arch_irq_save();
	if (for_good)
		sched.left = current;
	switch_away();
	panic("process %d was chosen after its end", current->pid);
}

static void unlist(struct proc *p)
{
	if (p->waiting)
		TAILQ_REMOVE(&p->waiting->sleepers, p, queued);
	if (p->deadline != WAIT_FOREVER)
		TAILQ_REMOVE(&sched.timed, p, timed);
	p->waiting = NULL;
	p->deadline = WAIT_FOREVER;
}

void sched_ready(struct proc *p)
{
	uint32_t state = arch_irq_save();

	unlist(p);
	p->state = PROC_READY;
	TAILQ_INSERT_TAIL(&sched.ready, p, queued);
	arch_irq_restore(state);
}

void sched_stop(void)
{
	uint32_t state = arch_irq_save();

	current->state = PROC_STOPPED;
	switch_away();
	arch_irq_restore(state);
}

void sched_interrupt(struct proc *p)
{
	uint32_t state = arch_irq_save();

	if (p->state == PROC_WAITING && (p->interruptible || signal_kills(p)))
		sched_ready(p);
	arch_irq_restore(state);
}

static void list_timed(struct proc *p)
{
	struct proc *behind;

	TAILQ_FOREACH (behind, &sched.timed, timed)
		if (behind->deadline > p->deadline)
			break;
	if (behind)
		TAILQ_INSERT_BEFORE(behind, p, timed);
	else
		TAILQ_INSERT_TAIL(&sched.timed, p, timed);
}

/* Interrupts are off, so nobody wakes before this sleeps. */
static void sleep(struct wait_queue *q, uint64_t deadline)
{
	current->state = PROC_WAITING;
	current->timed_out = false;
	current->waiting = q;
	current->deadline = deadline;
	if (q)
		TAILQ_INSERT_TAIL(&q->sleepers, current, queued);
	if (deadline != WAIT_FOREVER)
		list_timed(current);
	switch_away();
}

int wait_on_until(struct wait_queue *q, uint64_t deadline_ns)
{
	uint32_t state = arch_irq_save();
	int err = -EINTR;

	if (!signal_due(current)) {
		current->interruptible = true;
		sleep(q, deadline_ns);
		current->interruptible = false;
		err = current->timed_out ? -ETIMEDOUT : signal_due(current) ? -EINTR : 0;
	}
	arch_irq_restore(state);
	return err;
}

int wait_on(struct wait_queue *q)
{
	return wait_on_until(q, WAIT_FOREVER);
}

int wait_killable(struct wait_queue *q)
{
	uint32_t state = arch_irq_save();

	if (!signal_kills(current))
		sleep(q, WAIT_FOREVER);
	arch_irq_restore(state);
	return signal_kills(current) ? -EINTR : 0;
}

void wake_all(struct wait_queue *q)
{
	uint32_t state = arch_irq_save();
	struct proc *p;

	while ((p = TAILQ_FIRST(&q->sleepers)))
		sched_ready(p);
	arch_irq_restore(state);
}

void sched_look(struct proc *p)
{
	if (p == current)
		arch_return_work = 1;
}

void sched_set_alarm(struct proc *p, uint64_t at, uint64_t interval)
{
	uint32_t state = arch_irq_save();
	struct proc *behind;

	if (p->alarm_at)
		TAILQ_REMOVE(&sched.alarms, p, alarmed);
	p->alarm_at = at;
	p->alarm_interval = interval;
	if (at) {
		TAILQ_FOREACH (behind, &sched.alarms, alarmed)
			if (behind->alarm_at > at)
				break;
		if (behind)
			TAILQ_INSERT_BEFORE(behind, p, alarmed);
		else
			TAILQ_INSERT_TAIL(&sched.alarms, p, alarmed);
	}
	arch_irq_restore(state);
}

static void end_waits(uint64_t now)
{
	struct proc *p;

	while ((p = TAILQ_FIRST(&sched.timed)) && p->deadline <= now) {
		p->timed_out = true;
		sched_ready(p);
	}
}

/* An alarm that came too often for its interval counts once. */
static void ring_alarms(uint64_t now)
{
	struct proc *p;

	while ((p = TAILQ_FIRST(&sched.alarms)) && p->alarm_at <= now) {
		uint64_t next = p->alarm_interval ? p->alarm_at + p->alarm_interval : 0;

		if (next && next <= now)
			next = now + p->alarm_interval;
		sched_set_alarm(p, next, p->alarm_interval);
		signal_send(p, SIGALRM, NULL);
	}
}

/* A tick of the running process's own time, on one of its timers. */
static void count_down(unsigned timer, int signo)
{
	if (!current->cpu_timer[timer].left || --current->cpu_timer[timer].left)
		return;
	current->cpu_timer[timer].left = current->cpu_timer[timer].interval;
	signal_send(current, signo, NULL);
}

/* RLIMIT_CPU: a signal each second from the soft limit on, which goes up with it, and the end at the hard one. */
static void check_cpu_limit(void)
{
	uint32_t seconds = (current->usage.user_ticks + current->usage.kernel_ticks) / TICKS_A_SEC;
	struct rlimit_pair *limit = &current->limit[RLIMIT_CPU];

	if (seconds >= limit->hard) {
		signal_send(current, SIGKILL, NULL);
	} else if (seconds >= limit->soft) {
		limit->soft++;
		signal_send(current, SIGXCPU, NULL);
	}
}

static void count_tick(bool from_user)
{
	if (from_user) {
		current->usage.user_ticks++;
		count_down(0, SIGVTALRM);
	} else {
		current->usage.kernel_ticks++;
	}
	count_down(1, SIGPROF);
	check_cpu_limit();
}

/* True when the slice of the running one is over and another is ready. */
static bool is_over(void)
{
	return !sched.slice && !TAILQ_EMPTY(&sched.ready);
}

void sched_tick(bool from_user)
{
	uint64_t now = clock_ns();

	if (!current)
		return;
	if (current->state == PROC_READY)
		count_tick(from_user);
	end_waits(now);
	ring_alarms(now);
	if (sched.slice)
		sched.slice--;
	if (is_over())
		arch_return_work = 1;
}

bool current_pause(void)
{
	if (is_over())
		sched_yield();
	return signal_due(current);
}

void sched_return_work(struct trap_frame *f)
{
	arch_return_work = 0;
	current_pause();
	signal_deliver(f);
}
