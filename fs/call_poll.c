/*
 * fs/call_poll.c - poll, and what select is made of. All that may become ready wakes one queue, poll_queue: few wait
 * there, and each looks again at its own.
 */
#include <arch/irq.h>
#include <arch/timer.h>
#include <asm/poll.h>
#include <fs/call.h>
#include <fs/pipe.h>
#include <fs/up.h>
#include <kernel/wait.h>
#include <mm/slab.h>
#include <mm/usercopy.h>

#define NS_A_MS 1000000ull

/* Looks at all; returns how many have something to tell. */
static int32_t look(struct pollfd *fds, uint32_t count, uint32_t always)
{
	int32_t ready = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct pollfd *p = &fds[i];
		struct file *file = p->fd < 0 ? NULL : call_file((uint32_t)p->fd);
		uint32_t events = 0;

		if (file)
			events = file_poll(file) & ((uint16_t)p->events | always);
		else if (p->fd >= 0)
			events = POLLNVAL;
		p->revents = (short)events;
		ready += events != 0;
	}
	return ready;
}

int32_t poll_files(struct pollfd *fds, uint32_t count, uint32_t always, uint64_t deadline)
{
	uint32_t state = arch_irq_save();
	int32_t ready = look(fds, count, always);

	/* With interrupts off from the look to the sleep: nobody wakes in between. */
	while (!ready && deadline) {
		int err = wait_on_until(&poll_queue, deadline);

		ready = look(fds, count, always);
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

int32_t poll_user(vaddr_t user_fds, uint32_t count, uint64_t deadline)
{
	struct pollfd *fds = NULL;
	int32_t ready = 0, err;

	if (count > current_files()->limit)
		return -EINVAL;
	if (count) {
		fds = kmalloc(count * (uint32_t)sizeof(*fds));
		if (!fds)
			return -ENOMEM;
		if (copy_from_user(fds, user_fds, count * (uint32_t)sizeof(*fds)))
			ready = -EFAULT;
	}
	if (!ready)
		ready = poll_files(fds, count, POLLERR | POLLHUP, deadline);
	if (ready >= 0) {
		err = tell(fds, count, user_fds);
		ready = err ? err : ready;
	}
	kmfree(fds);
	return ready;
}

static int32_t poll_until(struct trap_frame *f, uint64_t deadline)
{
	int32_t ready = poll_user(ARG1(f), ARG2(f), deadline);

	return ready == -ERESTARTNOHAND ? current_again(deadline, poll_until) : ready;
}

int32_t sys_poll(struct trap_frame *f)
{
	int32_t ms = (int32_t)ARG3(f);
	uint64_t deadline = ms < 0 ? WAIT_FOREVER : ms ? clock_ns() + (uint32_t)ms * NS_A_MS : 0;

	return poll_until(f, deadline);
}
