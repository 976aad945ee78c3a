/*
 * kernel/sys_poll.c - ppoll and select in all their forms: what fs/call_poll.c does, for a while with another signal
 * mask, and with a time that is told back. Lock: none of its own.
 */
#include <arch/timer.h>
#include <asm/poll.h>
#include <fs/fs_calls.h>
#include <kernel/proc.h>
#include <kernel/sys.h>
#include <kernel/syscall.h>
#include <kernel/time.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/usercopy.h>

#define WORD_BITS 32u
#define SETS      3u
#define MASK_SIZE 8u /* bytes of a signal mask */

#define READ_EVENTS  (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define WRITE_EVENTS (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)

/* How a program says how long. */
enum shape { TIMEVAL, TIMESPEC, TIMESPEC64 };

static const uint32_t events_of[SETS] = {READ_EVENTS, WRITE_EVENTS, POLLPRI};

static int length_from_user(vaddr_t from, enum shape shape, uint64_t *ns)
{
	int32_t tv[2];

	if (shape != TIMEVAL)
		return time_from_user(from, shape == TIMESPEC64, ns);
	if (copy_from_user(tv, from, sizeof(tv)))
		return -EFAULT;
	if (tv[0] < 0 || tv[1] < 0)
		return -EINVAL;
	*ns = (uint64_t)tv[0] * NS_PER_S + (uint64_t)tv[1] * NS_PER_US;
	return 0;
}

/* Reads when to stop waiting: without a time never, with none left at once. */
static int deadline_from_user(vaddr_t from, enum shape shape, uint64_t *deadline)
{
	uint64_t ns;
	int err = from ? length_from_user(from, shape, &ns) : 0;

	*deadline = WAIT_FOREVER;
	if (!err && from)
		*deadline = ns ? time_add(clock_ns(), ns) : 0;
	return err;
}

/* What is left of the time. As on Linux nobody is told where it cannot be written. */
static void left_to_user(vaddr_t to, enum shape shape, uint64_t deadline)
{
	uint64_t now = clock_ns(), left = deadline > now ? deadline - now : 0;
	int32_t tv[2] = {(int32_t)(left / NS_PER_S), (int32_t)(left % NS_PER_S / NS_PER_US)};
	int err;

	if (deadline == WAIT_FOREVER)
		return;
	err = shape == TIMEVAL ? copy_to_user(to, tv, sizeof(tv))
			       : time_to_user(to, shape == TIMESPEC64, left);
	(void)err;
}

/* Takes another mask until mask_back; null: the one that is. */
static int mask_from_user(vaddr_t from, uint32_t size)
{
	struct signals *s = &current->signals;
	uint64_t mask;

	if (!from)
		return 0;
	if (size != MASK_SIZE)
		return -EINVAL;
	if (copy_from_user(&mask, from, sizeof(mask)))
		return -EFAULT;
	s->saved = s->blocked;
	s->has_saved = true;
	signal_set_mask(mask);
	return 0;
}

/* A signal that broke the wait is delivered first, and its handler returns to the mask before. */
static int32_t mask_back(int32_t result)
{
	struct signals *s = &current->signals;

	if (s->has_saved && result != -ERESTARTNOHAND) {
		s->has_saved = false;
		signal_set_mask(s->saved);
	}
	return result;
}

static int32_t ppoll(struct trap_frame *f, enum shape shape)
{
	uint64_t deadline;
	int32_t result = deadline_from_user(ARG3(f), shape, &deadline);

	if (!result)
		result = mask_from_user(ARG4(f), ARG5(f));
	if (result)
		return result;
	result = mask_back(poll_user(ARG1(f), ARG2(f), deadline));
	left_to_user(ARG3(f), shape, deadline);
	return result;
}

int32_t sys_ppoll(struct trap_frame *f)
{
	return ppoll(f, TIMESPEC);
}

int32_t sys_ppoll_time64(struct trap_frame *f)
{
	return ppoll(f, TIMESPEC64);
}

/* The sets of a select: the program's words, and what is asked of each descriptor. */
struct selection {
	vaddr_t set[SETS];
	uint32_t n, words; /* descriptors, and words of each set */
	uint32_t *bits;    /* the three sets, one behind the other */
	struct pollfd *fds;
};

static void ask(struct selection *s)
{
	for (uint32_t i = 0; i < SETS * s->n; i++) {
		uint32_t set = i / s->n, fd = i % s->n;
		bool asked = s->bits[set * s->words + fd / WORD_BITS] >> fd % WORD_BITS & 1;

		s->fds[fd].events |= (short)(asked ? events_of[set] : 0);
	}
	for (uint32_t fd = 0; fd < s->n; fd++)
		s->fds[fd].fd = s->fds[fd].events ? (int)fd : -1;
}

/* Leaves the bits of what is ready, and counts them; -EBADF for what is not open. */
static int32_t answer(struct selection *s)
{
	int32_t ready = 0;

	for (uint32_t i = 0; i < SETS * s->n; i++) {
		uint32_t set = i / s->n, fd = i % s->n, bit = 1u << fd % WORD_BITS;
		uint32_t *word = &s->bits[set * s->words + fd / WORD_BITS];

		if (s->fds[fd].revents & POLLNVAL)
			return -EBADF;
		if (!(*word & bit))
			continue;
		if ((uint32_t)s->fds[fd].revents & events_of[set])
			ready++;
		else
			*word &= ~bit;
	}
	return ready;
}

static int32_t run(struct selection *s, uint64_t deadline)
{
	int32_t ready;

	for (uint32_t set = 0; set < SETS; set++)
		if (s->set[set] && copy_from_user(s->bits + set * s->words, s->set[set], s->words * 4))
			return -EFAULT;
	ask(s);
	ready = poll_files(s->fds, s->n, 0, deadline);
	if (ready >= 0)
		ready = answer(s);
	for (uint32_t set = 0; set < SETS && ready >= 0; set++)
		if (s->set[set] && copy_to_user(s->set[set], s->bits + set * s->words, s->words * 4))
			ready = -EFAULT;
	return ready;
}

/* A descriptor beyond all that there can be is not looked at, as on Linux. */
static int32_t select(const uint32_t *words, uint64_t deadline)
{
	struct selection s = {.set = {words[1], words[2], words[3]}, .n = words[0]};
	int32_t result = -ENOMEM;
	uint32_t bytes;

	if ((int32_t)s.n < 0)
		return -EINVAL;
	s.n = s.n < current_files()->limit ? s.n : current_files()->limit;
	s.words = (s.n + WORD_BITS - 1) / WORD_BITS;
	bytes = s.n * (uint32_t)sizeof(*s.fds) + SETS * s.words * 4;
	s.fds = kmalloc(bytes ? bytes : 1);
	if (s.fds) {
		memset(s.fds, 0, bytes);
		s.bits = (uint32_t *)(s.fds + s.n);
		result = run(&s, deadline);
	}
	kmfree(s.fds);
	return result;
}

static int32_t select_for(const uint32_t *words, enum shape shape)
{
	uint64_t deadline;
	int32_t result = deadline_from_user(words[4], shape, &deadline);

	if (result)
		return mask_back(result);
	result = mask_back(select(words, deadline));
	left_to_user(words[4], shape, deadline);
	return result;
}

int32_t sys__newselect(struct trap_frame *f)
{
	const uint32_t words[] = {ARG1(f), ARG2(f), ARG3(f), ARG4(f), ARG5(f)};

	return select_for(words, TIMEVAL);
}

int32_t sys_select(struct trap_frame *f)
{
	uint32_t words[5];

	return copy_from_user(words, ARG1(f), sizeof(words)) ? -EFAULT : select_for(words, TIMEVAL);
}

/* The sixth argument is a structure: a pointer to the mask, and its size. */
static int32_t pselect(struct trap_frame *f, enum shape shape)
{
	const uint32_t words[] = {ARG1(f), ARG2(f), ARG3(f), ARG4(f), ARG5(f)};
	uint32_t mask[2] = {0, 0};
	int err = 0;

	if (ARG6(f) && copy_from_user(mask, ARG6(f), sizeof(mask)))
		return -EFAULT;
	err = mask_from_user(mask[0], mask[1]);
	return err ? err : select_for(words, shape);
}

int32_t sys_pselect6(struct trap_frame *f)
{
	return pselect(f, TIMESPEC);
}

int32_t sys_pselect6_time64(struct trap_frame *f)
{
	return pselect(f, TIMESPEC64);
}
