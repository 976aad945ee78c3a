/* kernel/sys_time.c - system calls of time: clocks, sleeping, alarms, what a process used. Lock: none of its own. */
#include <arch/timer.h>
#include <asm/signal.h>
#include <fs/up.h>
#include <kernel/proc.h>
#include <kernel/sys.h>
#include <kernel/syscall.h>
#include <kernel/time.h>
#include <linux/resource.h>
#include <linux/time.h>
#include <mm/usercopy.h>

#define NS_PER_TICK (NS_PER_S / TICKS_A_SEC)

int time_from_user(vaddr_t from, bool wide, uint64_t *ns)
{
	int64_t w[2];
	int32_t n[2];
	int err = wide ? copy_from_user(w, from, sizeof(w)) : copy_from_user(n, from, sizeof(n));

	if (err)
		return err;
	if (!wide) {
		w[0] = n[0];
		w[1] = n[1];
	} else {
		w[1] = (int32_t)w[1]; /* the upper half is padding, as Linux reads it for 32-bit programs */
	}
	if (w[0] < 0 || w[1] < 0 || w[1] >= NS_PER_S)
		return -EINVAL;
	*ns = (uint64_t)w[0] >= UINT64_MAX / NS_PER_S ? UINT64_MAX
						      : (uint64_t)w[0] * NS_PER_S + (uint64_t)w[1];
	return 0;
}

int time_to_user(vaddr_t to, bool wide, uint64_t ns)
{
	int64_t w[2] = {(int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S)};
	int32_t n[2] = {(int32_t)w[0], (int32_t)w[1]};

	return wide ? copy_to_user(to, w, sizeof(w)) : copy_to_user(to, n, sizeof(n));
}

uint64_t time_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t unix_at_boot(void)
{
	return clock_unix_at_boot() * NS_PER_S;
}

uint64_t time_unix(void)
{
	return unix_at_boot() + clock_ns();
}

static uint64_t used(void)
{
	return (uint64_t)(current->usage.user_ticks + current->usage.kernel_ticks) * NS_PER_TICK;
}

static int clock_read(uint32_t clock, uint64_t *ns)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ns = time_unix();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = clock_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = used();
		return 0;
	default:
		return -EINVAL;
	}
}

static int32_t gettime(struct trap_frame *f, bool wide)
{
	uint64_t ns;
	int err = clock_read(ARG1(f), &ns);

	return err ? err : time_to_user(ARG2(f), wide, ns);
}

int32_t sys_clock_gettime(struct trap_frame *f)
{
	return gettime(f, false);
}

int32_t sys_clock_gettime64(struct trap_frame *f)
{
	return gettime(f, true);
}

static int32_t getres(struct trap_frame *f, bool wide)
{
	bool fine = ARG1(f) != CLOCK_REALTIME_COARSE && ARG1(f) != CLOCK_MONOTONIC_COARSE;
	uint64_t ns;
	int err = clock_read(ARG1(f), &ns);

	return err || !ARG2(f) ? err : time_to_user(ARG2(f), wide, fine ? 1 : NS_PER_TICK);
}

int32_t sys_clock_getres(struct trap_frame *f)
{
	return getres(f, false);
}

int32_t sys_clock_getres_time64(struct trap_frame *f)
{
	return getres(f, true);
}

int32_t sys_time(struct trap_frame *f)
{
	int32_t now = (int32_t)(time_unix() / NS_PER_S);

	return ARG1(f) && copy_to_user(ARG1(f), &now, sizeof(now)) ? -EFAULT : now;
}

int32_t sys_gettimeofday(struct trap_frame *f)
{
	static const uint32_t zone[2];
	uint64_t now = time_unix();
	int32_t t[2] = {(int32_t)(now / NS_PER_S), (int32_t)(now % NS_PER_S / NS_PER_US)};

	if (ARG1(f) && copy_to_user(ARG1(f), t, sizeof(t)))
		return -EFAULT;
	return ARG2(f) ? copy_to_user(ARG2(f), zone, sizeof(zone)) : 0;
}

int32_t current_again(uint64_t deadline, int32_t (*again)(struct trap_frame *f, uint64_t deadline))
{
	current->restart.deadline = deadline;
	current->restart.again = again;
	return -ERESTART_RESTARTBLOCK;
}

int32_t sys_restart_syscall(struct trap_frame *f)
{
	return current->restart.again ? current->restart.again(f, current->restart.deadline) : -EINTR;
}

/* Sleeping. A broken sleep remembers its end; what is left goes to the program, unless the end was given. */

static int32_t sleep_on(struct trap_frame *f, uint64_t deadline)
{
	(void)f;
	while (true) {
		int err = wait_on_until(NULL, deadline);

		if (err == -ETIMEDOUT)
			return 0;
		if (!err)
			continue;
		if (current->restart.absolute)
			return -ERESTARTNOHAND;
		if (current->restart.remaining) {
			uint64_t now = clock_ns();

			if (time_to_user(current->restart.remaining, current->restart.wide,
					 deadline > now ? deadline - now : 0))
				return -EFAULT;
		}
		return current_again(deadline, sleep_on);
	}
}

static int clock_for_sleep(uint32_t clock)
{
	uint64_t unused;
	int err = clock_read(clock, &unused);

	switch (clock) {
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		return err;
	}
}

/* Who sleeps uses no time of the processor: it is over already, or only a signal ends it, and all of it is left. */
static int32_t sleep_on_use(bool absolute, uint64_t length)
{
	int err = 0;

	if (length <= (absolute ? used() : 0))
		return 0;
	if (current->restart.remaining)
		err = time_to_user(current->restart.remaining, current->restart.wide, length);
	current->restart.remaining = 0;
	return err ? err : sleep_on(NULL, WAIT_FOREVER);
}

static int32_t nanosleep(uint32_t clock, bool absolute, vaddr_t request, vaddr_t remaining, bool wide)
{
	uint64_t length;
	int err = clock_for_sleep(clock);

	if (!err)
		err = time_from_user(request, wide, &length);
	if (err)
		return err;
	current->restart.remaining = absolute ? 0 : remaining;
	current->restart.wide = wide;
	current->restart.absolute = absolute;
	if (clock == CLOCK_PROCESS_CPUTIME_ID)
		return sleep_on_use(absolute, length);
	if (absolute && (clock == CLOCK_REALTIME || clock == CLOCK_TAI))
		length = length > unix_at_boot() ? length - unix_at_boot() : 0;
	return sleep_on(NULL, absolute ? length : time_add(clock_ns(), length));
}

int32_t sys_nanosleep(struct trap_frame *f)
{
	return nanosleep(CLOCK_MONOTONIC, false, ARG1(f), ARG2(f), false);
}

int32_t sys_clock_nanosleep(struct trap_frame *f)
{
	return nanosleep(ARG1(f), ARG2(f) & TIMER_ABSTIME, ARG3(f), ARG4(f), false);
}

int32_t sys_clock_nanosleep_time64(struct trap_frame *f)
{
	return nanosleep(ARG1(f), ARG2(f) & TIMER_ABSTIME, ARG3(f), ARG4(f), true);
}

/* Alarms. */

static uint64_t alarm_left(void)
{
	uint64_t now = clock_ns();

	return current->alarm_at > now ? current->alarm_at - now : current->alarm_at ? 1 : 0;
}

int32_t sys_alarm(struct trap_frame *f)
{
	uint64_t left = alarm_left();
	uint64_t length = (uint64_t)ARG1(f) * NS_PER_S;

	sched_set_alarm(current, length ? clock_ns() + length : 0, 0);
	if (left && left < NS_PER_S)
		return 1; /* 0 would be none at all */
	return (int32_t)((left + NS_PER_S / 2) / NS_PER_S);
}

/* struct itimerval: the interval, then what is left, in seconds and microseconds. */
static int alarm_to_user(vaddr_t to, uint64_t interval, uint64_t left)
{
	uint32_t w[4] = {(uint32_t)(interval / NS_PER_S), (uint32_t)(interval % NS_PER_S / NS_PER_US),
			 (uint32_t)(left / NS_PER_S), (uint32_t)(left % NS_PER_S / NS_PER_US)};

	if (left && !w[2] && !w[3])
		w[3] = 1;
	return copy_to_user(to, w, sizeof(w));
}

/* A timer of ITIMER_: its interval and what is left. Processor time is counted in ticks, and a part of one is one. */
static void timer_get(uint32_t which, uint64_t *interval, uint64_t *left)
{
	if (which == ITIMER_REAL) {
		*interval = current->alarm_interval;
		*left = alarm_left();
		return;
	}
	*interval = (uint64_t)current->cpu_timer[which - ITIMER_VIRTUAL].interval * NS_PER_TICK;
	*left = (uint64_t)current->cpu_timer[which - ITIMER_VIRTUAL].left * NS_PER_TICK;
}

static uint32_t ticks_of(uint64_t ns)
{
	uint64_t ticks = (ns + NS_PER_TICK - 1) / NS_PER_TICK;

	return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

static void timer_set(uint32_t which, uint64_t interval, uint64_t length)
{
	if (which == ITIMER_REAL) {
		sched_set_alarm(current, length ? clock_ns() + length : 0, interval);
		return;
	}
	current->cpu_timer[which - ITIMER_VIRTUAL].interval = ticks_of(interval);
	current->cpu_timer[which - ITIMER_VIRTUAL].left = ticks_of(length);
}

int32_t sys_getitimer(struct trap_frame *f)
{
	uint64_t interval, left;

	if (ARG1(f) > ITIMER_PROF)
		return -EINVAL;
	timer_get(ARG1(f), &interval, &left);
	return alarm_to_user(ARG2(f), interval, left);
}

int32_t sys_setitimer(struct trap_frame *f)
{
	uint64_t left, interval, next = 0, length = 0;
	int32_t w[4] = {0};

	if (ARG2(f) && copy_from_user(w, ARG2(f), sizeof(w)))
		return -EFAULT;
	for (unsigned i = 0; i < 4; i++)
		if (w[i] < 0 || (i % 2 && w[i] >= 1000000))
			return -EINVAL;
	if (ARG1(f) > ITIMER_PROF)
		return -EINVAL;
	timer_get(ARG1(f), &interval, &left);
	next = (uint64_t)w[0] * NS_PER_S + (uint64_t)w[1] * NS_PER_US;
	length = (uint64_t)w[2] * NS_PER_S + (uint64_t)w[3] * NS_PER_US;
	timer_set(ARG1(f), next, length);
	return ARG3(f) ? alarm_to_user(ARG3(f), interval, left) : 0;
}

/* What a process used. */

int32_t sys_times(struct trap_frame *f)
{
	uint32_t t[4] = {current->usage.user_ticks, current->usage.kernel_ticks,
			 current->children_usage.user_ticks, current->children_usage.kernel_ticks};

	if (ARG1(f) && copy_to_user(ARG1(f), t, sizeof(t)))
		return -EFAULT;
	return (int32_t)(clock_ns() / NS_PER_TICK);
}

int32_t sys_getrusage(struct trap_frame *f)
{
	switch ((int32_t)ARG1(f)) {
	case RUSAGE_SELF:
	case RUSAGE_THREAD:
		proc_note_peak();
		return usage_to_user(ARG2(f), &current->usage);
	case RUSAGE_CHILDREN:
		return usage_to_user(ARG2(f), &current->children_usage);
	default:
		return -EINVAL;
	}
}
