/* kernel/sys_misc.c - system calls about the system: its name, memory, limits, random numbers. Lock: none. */
#include <arch/timer.h>
#include <asm/resource.h>
#include <asm/signal.h>
#include <fs/up.h>
#include <kernel/proc.h>
#include <kernel/random.h>
#include <kernel/sys.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/random.h>
#include <linux/securebits.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>
#include <mm/usercopy.h>

#define RANDOM_AT_ONCE 256u
#define NOFILE_MOST    (1u << 20) /* Linux's: no limit is above it */

/* Programs look at the release for what Linux has: this is whose calls these are. */
static const struct new_utsname system_name = {
	.sysname = "Linux",
	.nodename = "quire",
	.release = "6.1.0-quire",
	.version = "Quire " QUIRE_VERSION,
	.machine = "i686",
	.domainname = "(none)",
};

int32_t sys_uname(struct trap_frame *f)
{
	return copy_to_user(ARG1(f), &system_name, sizeof(system_name));
}

/* Without the domain. */
int32_t sys_olduname(struct trap_frame *f)
{
	return copy_to_user(ARG1(f), &system_name, sizeof(struct old_utsname));
}

/* And the first 8 bytes of each. */
int32_t sys_oldolduname(struct trap_frame *f)
{
	struct oldold_utsname n;

	memset(&n, 0, sizeof(n));
	memcpy(n.sysname, system_name.sysname, sizeof(n.sysname) - 1);
	memcpy(n.nodename, system_name.nodename, sizeof(n.nodename) - 1);
	memcpy(n.release, system_name.release, sizeof(n.release) - 1);
	memcpy(n.version, system_name.version, sizeof(n.version) - 1);
	memcpy(n.machine, system_name.machine, sizeof(n.machine) - 1);
	return copy_to_user(ARG1(f), &n, sizeof(n));
}

static int count_one(struct proc *p, void *count)
{
	(void)p;
	++*(uint16_t *)count;
	return 0;
}

int32_t sys_sysinfo(struct trap_frame *f)
{
	struct sysinfo s;
	struct zone_stats low, high;
	uint32_t unit = PAGE_SIZE; /* bytes, where their number fits */

	memset(&s, 0, sizeof(s));
	frame_stats(ZONE_LOW, &low);
	frame_stats(ZONE_HIGH, &high);
	s.uptime = (int32_t)(clock_ns() / NS_PER_S);
	if (low.total + high.total <= UINT32_MAX / PAGE_SIZE)
		unit = 1;
	s.totalram = (low.total + high.total) * (PAGE_SIZE / unit);
	s.freeram = (low.free + high.free) * (PAGE_SIZE / unit);
	s.totalhigh = high.total * (PAGE_SIZE / unit);
	s.freehigh = high.free * (PAGE_SIZE / unit);
	s.mem_unit = unit;
	proc_each(count_one, &s.procs);
	return copy_to_user(ARG1(f), &s, sizeof(s));
}

int32_t sys_sched_yield(struct trap_frame *f)
{
	(void)f;
	sched_yield();
	return 0;
}

/* One processor. */
int32_t sys_sched_getaffinity(struct trap_frame *f)
{
	uint32_t one = 1;

	if (ARG1(f) && !proc_find((int32_t)ARG1(f)))
		return -ESRCH;
	if (ARG2(f) < sizeof(one) || ARG2(f) % sizeof(one))
		return -EINVAL;
	return copy_to_user(ARG3(f), &one, sizeof(one)) ? -EFAULT : (int32_t)sizeof(one);
}

/* Which may be asked for, and must be by who asks for any. */
int32_t sys_sched_setaffinity(struct trap_frame *f)
{
	const struct proc *p = ARG1(f) ? proc_find((int32_t)ARG1(f)) : current;
	uint32_t set = 0;

	if (copy_from_user(&set, ARG3(f), ARG2(f) < sizeof(set) ? ARG2(f) : sizeof(set)))
		return -EFAULT;
	if (!p)
		return -ESRCH;
	if (current->uid[1] && current->uid[1] != p->uid[0] && current->uid[1] != p->uid[1])
		return -EPERM;
	return set & 1 ? 0 : -EINVAL;
}

/* Everybody shares the processor alike: SCHED_OTHER. */
int32_t sys_sched_getscheduler(struct trap_frame *f)
{
	if ((int32_t)ARG1(f) < 0)
		return -EINVAL;
	return !ARG1(f) || proc_find((int32_t)ARG1(f)) ? 0 : -ESRCH;
}

int32_t sys_getrandom(struct trap_frame *f)
{
	uint8_t bytes[RANDOM_AT_ONCE];
	uint32_t to = ARG1(f), left = ARG2(f), done = 0;

	if (ARG3(f) & ~(uint32_t)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (ARG3(f) & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if (left > INT32_MAX)
		left = INT32_MAX;
	while (left) {
		uint32_t part = left < sizeof(bytes) ? left : (uint32_t)sizeof(bytes), copied;

		random_bytes(bytes, part);
		copied = copy_to_user_some(to + done, bytes, part);
		done += copied;
		left -= copied;
		if (copied < part)
			return done ? (int32_t)done : -EFAULT;
		if (left && current_pause())
			break;
	}
	return (int32_t)done;
}

/* Limits. 32-bit programs see the largest word as "none". */

static int limit_to_user(vaddr_t to, const struct rlimit_pair *l, bool wide, uint32_t most)
{
	uint64_t w[2] = {l->soft == ~0u ? ~0ull : l->soft, l->hard == ~0u ? ~0ull : l->hard};
	uint32_t n[2] = {l->soft > most ? most : l->soft, l->hard > most ? most : l->hard};

	return wide ? copy_to_user(to, w, sizeof(w)) : copy_to_user(to, n, sizeof(n));
}

int32_t sys_ugetrlimit(struct trap_frame *f)
{
	return ARG1(f) < RLIMITS ? limit_to_user(ARG2(f), &current->limit[ARG1(f)], false, ~0u) : -EINVAL;
}

int32_t sys_getrlimit(struct trap_frame *f)
{
	return ARG1(f) < RLIMITS ? limit_to_user(ARG2(f), &current->limit[ARG1(f)], false, INT32_MAX)
				 : -EINVAL;
}

static int set_limit(struct proc *p, uint32_t which, uint64_t soft, uint64_t hard)
{
	struct rlimit_pair *l = &p->limit[which];
	struct rlimit_pair new = {soft > ~0u ? ~0u : (uint32_t)soft, hard > ~0u ? ~0u : (uint32_t)hard};

	if (soft > hard)
		return -EINVAL;
	if ((new.hard > l->hard && current->uid[1]) || (which == RLIMIT_NOFILE && new.hard > NOFILE_MOST))
		return -EPERM;
	*l = new;
	if (p->shared)
		p->shared->space.limits = proc_space_limits(p);
	if (which == RLIMIT_NOFILE && p->files)
		p->files->limit = new.soft < FILES_MOST ? new.soft : FILES_MOST;
	return 0;
}

int32_t sys_setrlimit(struct trap_frame *f)
{
	uint32_t n[2];

	if (ARG1(f) >= RLIMITS)
		return -EINVAL;
	if (copy_from_user(n, ARG2(f), sizeof(n)))
		return -EFAULT;
	return set_limit(current, ARG1(f), n[0], n[1]);
}

/* Limits of others: of those who are all the same user and group as the caller is really, and root's are all. */
static bool may_limit(const struct proc *p)
{
	bool same = true;

	for (unsigned i = 0; i < 3; i++)
		same &= p->uid[i] == current->uid[0] && p->gid[i] == current->gid[0];
	return same || p == current || !current->uid[1];
}

int32_t sys_prlimit64(struct trap_frame *f)
{
	struct proc *p = ARG1(f) ? proc_find((int32_t)ARG1(f)) : current;
	struct rlimit_pair old;
	uint64_t w[2];
	int err = 0;

	if (ARG2(f) >= RLIMITS)
		return -EINVAL;
	if (ARG3(f) && copy_from_user(w, ARG3(f), sizeof(w)))
		return -EFAULT;
	if (!p)
		return -ESRCH;
	if (!may_limit(p))
		return -EPERM;
	old = p->limit[ARG2(f)];
	if (ARG3(f))
		err = set_limit(p, ARG2(f), w[0], w[1]);
	return err || !ARG4(f) ? err : limit_to_user(ARG4(f), &old, true, ~0u);
}

/* Data: nobody looks at the list of who has ended. */
int32_t sys_get_robust_list(struct trap_frame *f)
{
	const struct proc *p = ARG1(f) ? proc_find((int32_t)ARG1(f)) : current;
	uint32_t size = sizeof(struct robust_list_head);

	if (!p)
		return -ESRCH;
	if (!may_limit(p))
		return -EPERM;
	return copy_to_user(ARG3(f), &size, sizeof(size)) ||
			       copy_to_user(ARG2(f), &p->robust_list, sizeof(p->robust_list))
		       ? -EFAULT
		       : 0;
}

/* Everybody has every capability, as data: the two-word forms have two sets of three words. */
int32_t sys_capget(struct trap_frame *f)
{
	struct __user_cap_header_struct header;
	uint32_t words, all = current->uid[1] ? 0 : ~0u, set[6] = {all, all, 0, all, all, 0};

	if (copy_from_user(&header, ARG1(f), sizeof(header)))
		return -EFAULT;
	switch (header.version) {
	case _LINUX_CAPABILITY_VERSION_1:
		words = 3;
		break;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		words = 6;
		break;
	default:
		header.version = _LINUX_CAPABILITY_VERSION_3;
		if (copy_to_user(ARG1(f), &header, sizeof(header)))
			return -EFAULT;
		return ARG2(f) ? -EINVAL : 0;
	}
	if (header.pid < 0)
		return -EINVAL;
	if (header.pid && !proc_find(header.pid))
		return -ESRCH;
	return ARG2(f) ? copy_to_user(ARG2(f), set, words * 4) : 0;
}

static int32_t set_name(vaddr_t from)
{
	char name[PROC_NAME];
	int32_t length = string_from_user(name, from, sizeof(name));

	if (length == -EFAULT)
		return -EFAULT;
	name[PROC_NAME - 1] = '\0';
	memset(current->name, 0, sizeof(current->name));
	memcpy(current->name, name, strlen(name));
	return 0;
}

static int32_t set_bit(uint32_t *bit, uint32_t value)
{
	if (value > 1)
		return -EINVAL;
	*bit = value;
	return 0;
}

static int32_t word_to_user(vaddr_t to, uint32_t word)
{
	return copy_to_user(to, &word, sizeof(word));
}

/* What is kept and told, and what is the same for all. */
static int32_t control_more(const struct trap_frame *f)
{
	uint32_t a = ARG2(f), rest = ARG3(f) | ARG4(f) | ARG5(f);

	switch (ARG1(f)) {
	case PR_CAPBSET_READ:
		return a > CAP_LAST_CAP ? -EINVAL : 1;
	case PR_SET_KEEPCAPS:
		return set_bit(&current->keep_caps, a);
	case PR_GET_KEEPCAPS:
		return (int32_t)current->keep_caps;
	case PR_GET_SECUREBITS:
		return (int32_t)(current->keep_caps * SECBIT_KEEP_CAPS);
	case PR_SET_TIMERSLACK:
		current->timer_slack = a ? a : current->default_slack;
		return 0;
	case PR_GET_TIMERSLACK:
		return (int32_t)current->timer_slack;
	case PR_GET_TIMING:
	case PR_GET_SECCOMP:
		return 0; /* by the tick; every call is allowed */
	case PR_GET_TSC:
		return word_to_user(a, PR_TSC_ENABLE);
	case PR_GET_TID_ADDRESS:
		return word_to_user(a, current->clear_tid);
	case PR_SET_CHILD_SUBREAPER:
		current->is_reaper = a != 0;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return word_to_user(a, current->is_reaper);
	case PR_SET_THP_DISABLE:
		return rest ? -EINVAL : set_bit(&current->no_huge_pages, a != 0);
	case PR_GET_THP_DISABLE:
		return a | rest ? -EINVAL : (int32_t)current->no_huge_pages;
	default:
		return -EINVAL;
	}
}

int32_t sys_prctl(struct trap_frame *f)
{
	uint32_t a = ARG2(f);

	switch (ARG1(f)) {
	case PR_SET_NAME:
		return set_name(a);
	case PR_GET_NAME:
		return copy_to_user(a, current->name, sizeof(current->name));
	case PR_SET_PDEATHSIG:
		if (a > SIGNALS)
			return -EINVAL;
		current->parent_death_signal = a;
		return 0;
	case PR_GET_PDEATHSIG:
		return copy_to_user(a, &current->parent_death_signal, 4);
	case PR_SET_DUMPABLE:
		return set_bit(&current->dumpable, a);
	case PR_GET_DUMPABLE:
		return (int32_t)current->dumpable;
	case PR_SET_NO_NEW_PRIVS:
		if (a != 1 || ARG3(f) || ARG4(f) || ARG5(f))
			return -EINVAL;
		current->no_new_privs = 1;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a || ARG3(f) || ARG4(f) || ARG5(f) ? -EINVAL : (int32_t)current->no_new_privs;
	default:
		return control_more(f);
	}
}
