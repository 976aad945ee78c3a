/*
 * fs/call_poll.c - poll. All that may become ready wakes one queue, poll_queue: few wait there, and each looks again at
 * its own.
 */
#include <arch/irq.h>
#include <arch/timer.h>
#include <asm/poll.h>
#include <fs/call.h>
#include <fs/pipe.h>
#include <kernel/wait.h>
#include <mm/slab.h>
#include <mm/usercopy.h>

#define NS_A_MS 1000000ull

/* Looks at all; returns how many have something to tell. */
static int32_t look(struct pollfd *fds, uint32_t count)
{
	int32_t ready = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct pollfd *p = &fds[i];
		struct file *file = p->fd < 0 ? NULL : call_file((uint32_t)p->fd);
		uint32_t events = 0;

		if (file)
			events = file_poll(file) & ((uint16_t)p->events | POLLERR | POLLHUP);
		else if (p->fd >= 0)
			events = POLLNVAL;
		p->revents = (short)events;
		ready += events != 0;
	}
	return ready;
}

/* Looks until something is ready or time is over. */
static int32_t wait_for_any(struct pollfd *fds, uint32_t count, int32_t timeout)
{
	uint64_t deadline = timeout < 0 ? WAIT_FOREVER : clock_ns() + (uint32_t)timeout * NS_A_MS;
	uint32_t state = arch_irq_save();
	int32_t ready = look(fds, count);

	/* With interrupts off from the look to the sleep: nobody wakes in between. */
	while (!ready && timeout) {
		int err = wait_on_until(&poll_queue, deadline);

		ready = look(fds, count);
		if (ready || err == -ETIMEDOUT)
			break;
		if (err)
			ready = -ERESTARTNOHAND;
	}
	arch_irq_restore(state);
	return ready;
}

static int32_t tell(const struct pollfd *fds, uint32_t count, vaddr_t out)
{
	for (uint32_t i = 0; i < count; i++)
		if (copy_to_user(out + i * (uint32_t)sizeof(*fds) + offsetof(struct pollfd, revents),
				 &fds[i].revents, sizeof(fds[i].revents)))
			return -EFAULT;
	return 0;
}

int32_t sys_poll(struct trap_frame *f)
{
	uint32_t count = ARG2(f);
	struct pollfd *fds = NULL;
	int32_t ready = 0, err;

	if (count > current_files()->limit)
		return -EINVAL;
	if (count) {
		fds = kmalloc(count * (uint32_t)sizeof(*fds));
		if (!fds)
			return -ENOMEM;
		if (copy_from_user(fds, ARG1(f), count * (uint32_t)sizeof(*fds)))
			ready = -EFAULT;
	}
	if (!ready)
		ready = wait_for_any(fds, count, (int32_t)ARG3(f));
	if (ready >= 0) {
		err = tell(fds, count, ARG1(f));
		ready = err ? err : ready;
	}
	kmfree(fds);
	return ready;
}
