/*
 * kernel/wait.h - waiting, and being woken. A queue belongs to what is waited for. Lock: interrupts off, in here; a
 * handler may wake.
 */
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H

#include <bsd/sys/queue.h>
#include <lib/types.h>

struct proc;

struct wait_queue {
	TAILQ_HEAD(, proc) sleepers;
};

#define WAIT_QUEUE_INIT(q)                                                                                   \
	{                                                                                                    \
		TAILQ_HEAD_INITIALIZER((q).sleepers)                                                         \
	}
#define WAIT_FOREVER UINT64_MAX

static inline void wait_queue_init(struct wait_queue *q)
{
	TAILQ_INIT(&q->sleepers);
}

/*
 * Sleeps until woken, for the running process: 0, or -EINTR at once or later when a signal is to be delivered. Callers
 * look again at what they wait for: it may be gone when they run, and with -EINTR it may be there all the same.
 */
int wait_on(struct wait_queue *q);

/* The same, and -ETIMEDOUT when clock_ns() has reached the deadline. A null queue: for that or a signal alone. */
int wait_on_until(struct wait_queue *q, uint64_t deadline_ns);

/* The same as wait_on, but of all signals only SIGKILL ends it. */
int wait_killable(struct wait_queue *q);

/* Makes all sleepers of a queue ready to run. */
void wake_all(struct wait_queue *q);

#endif
