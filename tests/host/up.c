/* tests/host/up.c - one process for the suites of fs/, without the rest of the kernel. */
#include "up.h"

#include <arch/timer.h>
#include <fs/procfs.h>
#include <fs/tty.h>
#include <fs/up.h>
#include <kernel/random.h>
#include <kernel/signal.h>
#include <kernel/syscall.h>
#include <kernel/wait.h>
#include <lib/panic.h>
#include <stdio.h>
#include <string.h>

#define NS_A_YEAR 31557600000000000ll

bool (*up_meanwhile)(void);
struct files *up_files;
struct fs_context up_fs;
int64_t up_now;
uint32_t up_signals;
int up_last_signal;
uint32_t up_wakes, up_texts;
uint32_t up_uid, up_gid;
uint32_t up_random;
uint32_t up_pauses; /* the last of them is for a signal */
char up_console[4096];
uint32_t up_console_length;

void up_reset(void)
{
	up_meanwhile = NULL;
	up_now = 50 * NS_A_YEAR;
	up_signals = 0;
	up_last_signal = 0;
	up_wakes = 0;
	up_texts = 0;
	up_pauses = 0;
	up_random = 0x5A5A5A5A;
	up_console_length = 0;
}

struct files *current_files(void)
{
	return up_files;
}

struct fs_context *current_fs(void)
{
	return &up_fs;
}

bool current_pause(void)
{
	return up_pauses && !--up_pauses;
}

void current_owner(uint32_t *uid, uint32_t *gid)
{
	*uid = up_uid;
	*gid = up_gid;
}

uint64_t current_size_limit(void)
{
	return UINT64_MAX;
}

int32_t current_group(void)
{
	return 7;
}

int64_t clock_unix_ns(void)
{
	return up_now++;
}

uint64_t clock_ns(void)
{
	return (uint64_t)up_now;
}

int wait_on(struct wait_queue *q)
{
	return wait_on_until(q, WAIT_FOREVER);
}

int wait_on_until(struct wait_queue *q, uint64_t deadline_ns)
{
	static char sleeper;
	bool goes_on;

	if (up_meanwhile) {
		q->sleepers.tqh_first = (struct proc *)(void *)&sleeper;
		goes_on = up_meanwhile();
		if (goes_on && q->sleepers.tqh_first)
			panic("sim: nobody woke the process that waits");
		q->sleepers.tqh_first = NULL;
		return goes_on ? 0 : -EINTR;
	}
	if (deadline_ns == WAIT_FOREVER)
		panic("sim: the only process sleeps for ever");
	up_now = (int64_t)deadline_ns;
	return -ETIMEDOUT;
}

void wake_all(struct wait_queue *q)
{
	q->sleepers.tqh_first = NULL;
	up_wakes++;
}

int32_t current_again(uint64_t deadline, int32_t (*again)(struct trap_frame *f, uint64_t deadline))
{
	(void)deadline;
	(void)again;
	return -ERESTART_RESTARTBLOCK;
}

void signal_current(int signo)
{
	up_signals++;
	up_last_signal = signo;
}

void signal_group(int32_t group, int signo)
{
	(void)group;
	up_last_signal = signo;
}

void random_bytes(void *to, uint32_t n)
{
	memset(to, 0x5A, n);
}

uint32_t random_word(void)
{
	return up_random;
}

void console_write(const char *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n && up_console_length < sizeof(up_console); i++)
		up_console[up_console_length++] = bytes[i];
}

/* Processes 1, 7 and 300; their texts have as many lines as their numbers. */
int32_t proc_print(enum proc_text what, int32_t pid, char *to, uint32_t size)
{
	uint32_t length = 0;

	up_texts++;
	if (proc_next(pid - 1) != pid && pid)
		return -ESRCH;
	for (int32_t i = 0; i < (pid ? pid : 2); i++) {
		char line[32];
		uint32_t n = (uint32_t)snprintf(line, sizeof(line), "text %d line %d\n", (int)what, i);

		for (uint32_t k = 0; k < n; k++, length++)
			if (length < size)
				to[length] = line[k];
	}
	return (int32_t)length;
}

int32_t proc_self(void)
{
	return 7;
}

int32_t proc_next(int32_t pid)
{
	return pid < 1 ? 1 : pid < 7 ? 7 : pid < 300 ? 300 : 0;
}
