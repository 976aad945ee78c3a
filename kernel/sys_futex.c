/*
 * kernel/sys_futex.c - waiting for a word of memory to change, and waking who waits. Owns the lists of those who wait;
 * each stands on the kernel stack of its process. Lock: none, kernel code is not preempted.
 *
 * A word that only this space sees is its space and address; one in shared memory is its mapping and the place in it,
 * so that processes which map it at different addresses mean the same. Without threads the first is of use only for
 * its time-out, and between a process and its vfork child. Priority inheritance is not there: -ENOSYS.
 */
#include <arch/timer.h>
#include <asm/signal.h>
#include <bsd/sys/queue.h>
#include <fs/uio.h>
#include <fs/up.h>
#include <kernel/proc.h>
#include <kernel/sys.h>
#include <kernel/syscall.h>
#include <kernel/time.h>
#include <linux/futex.h>
#include <mm/space.h>
#include <mm/usercopy.h>

#define BUCKETS 64u

struct word {
	const void *object; /* a space or a mapping */
	uint64_t at;
};

struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct word word;
	uint32_t bits;
	bool woken;
	struct wait_queue queue; /* of one */
};

TAILQ_HEAD(waiters, waiter);

static struct waiters buckets[BUCKETS]; /* in each, who has waited longest comes first */

void futex_init(void)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		TAILQ_INIT(&buckets[i]);
}

static struct waiters *bucket_of(const struct word *w)
{
	uint32_t number = (uint32_t)(w->at >> PAGE_SHIFT) + (uint32_t)w->at / sizeof(uint32_t);

	return &buckets[(number + (uint32_t)(uintptr_t)w->object / sizeof(*w)) % BUCKETS];
}

/* What a word is. 0, -EINVAL where it is not aligned, or -EFAULT where none can be that changes. */
static int word_at(vaddr_t va, bool is_private, struct word *w)
{
	const struct area *a;

	if (va % sizeof(uint32_t))
		return -EINVAL;
	if (!user_range_ok(va, sizeof(uint32_t)))
		return -EFAULT;
	*w = (struct word){current_space(), va};
	if (is_private)
		return 0;
	a = space_find(current_space(), vpn_of(va));
	if (!a || a->first > vpn_of(va) || !a->prot)
		return -EFAULT;
	if (!(a->flags & AREA_SHARED))
		return a->prot & PROT_W ? 0 : -EFAULT;
	w->object = a->file;
	w->at = ((uint64_t)(a->offset + (vpn_of(va) - a->first)) << PAGE_SHIFT) + va % PAGE_SIZE;
	return 0;
}

static bool is_same(const struct word *a, const struct word *b)
{
	return a->object == b->object && a->at == b->at;
}

static void wake(struct waiter *w)
{
	TAILQ_REMOVE(bucket_of(&w->word), w, link);
	w->woken = true;
	wake_all(&w->queue);
}

/* Reads the word and compares: 0, -EFAULT or -EAGAIN. */
static int check_value(vaddr_t va, uint32_t wanted)
{
	uint32_t value;
	int err = copy_from_user(&value, va, sizeof(value));

	return err ? err : value == wanted ? 0 : -EAGAIN;
}

static bool is_private(const struct trap_frame *f)
{
	return ARG2(f) & FUTEX_PRIVATE_FLAG;
}

static uint32_t bits_of(const struct trap_frame *f)
{
	uint32_t command = ARG2(f) & (uint32_t)FUTEX_CMD_MASK;

	return command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET ? ARG6(f)
									    : FUTEX_BITSET_MATCH_ANY;
}

static int32_t futex_wait(struct trap_frame *f, uint64_t deadline)
{
	struct waiter w = {.bits = bits_of(f)};
	int err = word_at(ARG1(f), is_private(f), &w.word);

	if (!err && !w.bits)
		err = -EINVAL;
	if (!err)
		err = check_value(ARG1(f), ARG3(f));
	if (err)
		return err;
	wait_queue_init(&w.queue);
	TAILQ_INSERT_TAIL(bucket_of(&w.word), &w, link);
	while (!w.woken && !err)
		err = wait_on_until(&w.queue, deadline);
	if (w.woken)
		return 0;
	TAILQ_REMOVE(bucket_of(&w.word), &w, link);
	if (err != -EINTR)
		return err;
	return deadline == WAIT_FOREVER ? -ERESTARTSYS : current_again(deadline, futex_wait);
}

/* FUTEX_WAIT has a length of time, the other a point of it. */
static int32_t wait_with_time(struct trap_frame *f, bool wide)
{
	uint64_t time, now = ARG2(f) & FUTEX_CLOCK_REALTIME ? time_unix() : clock_ns();
	int err;

	if (!ARG4(f))
		return futex_wait(f, WAIT_FOREVER);
	err = time_from_user(ARG4(f), wide, &time);
	if (err)
		return err;
	if ((ARG2(f) & (uint32_t)FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
		time = time > now ? time - now : 0;
	return futex_wait(f, time_add(clock_ns(), time));
}

/* Wakes as many as are asked for, and one at least. */
static int32_t futex_wake(struct trap_frame *f)
{
	uint32_t bits = bits_of(f);
	struct waiter *w, *next;
	struct word word;
	int32_t woken = 0;
	int err = bits ? word_at(ARG1(f), is_private(f), &word) : -EINVAL;

	if (err)
		return err;
	TAILQ_FOREACH_SAFE(w, bucket_of(&word), link, next)
	{
		if (!is_same(&w->word, &word) || !(w->bits & bits))
			continue;
		wake(w);
		if (++woken >= (int32_t)ARG3(f))
			break;
	}
	return woken;
}

static void move(struct waiter *w, const struct word *to)
{
	struct waiters *from = bucket_of(&w->word);

	w->word = *to;
	if (bucket_of(to) == from)
		return;
	TAILQ_REMOVE(from, w, link);
	TAILQ_INSERT_TAIL(bucket_of(to), w, link);
}

/* Wakes some of those who wait for one word, and lets others wait for another. How many both are. */
static int32_t futex_requeue(struct trap_frame *f)
{
	int32_t most_woken = (int32_t)ARG3(f), most_moved = (int32_t)ARG4(f), done = 0;
	struct word from, to;
	struct waiter *w, *next;
	int err = most_woken < 0 || most_moved < 0 ? -EINVAL : word_at(ARG1(f), is_private(f), &from);

	if (!err)
		err = word_at(ARG5(f), is_private(f), &to);
	if (!err && (ARG2(f) & (uint32_t)FUTEX_CMD_MASK) == FUTEX_CMP_REQUEUE)
		err = check_value(ARG1(f), ARG6(f));
	if (err)
		return err;
	TAILQ_FOREACH_SAFE(w, bucket_of(&from), link, next)
	{
		if (!is_same(&w->word, &from))
			continue;
		if (done - most_woken >= most_moved)
			break;
		if (done++ < most_woken) {
			wake(w);
			continue;
		}
		move(w, &to);
	}
	return done;
}

static int32_t futex(struct trap_frame *f, bool wide)
{
	uint32_t command = ARG2(f) & (uint32_t)FUTEX_CMD_MASK;

	if (ARG2(f) & FUTEX_CLOCK_REALTIME && command != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (command) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return wait_with_time(f, wide);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		return futex_wake(f);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(f);
	default:
		return -ENOSYS;
	}
}

int32_t sys_futex(struct trap_frame *f)
{
	return futex(f, false);
}

int32_t sys_futex_time64(struct trap_frame *f)
{
	return futex(f, true);
}
