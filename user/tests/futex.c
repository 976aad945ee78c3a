/* user/tests/futex.c - facts of futex, between processes that share memory. */
#include "fact.h"
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static uint32_t *shared_words(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* The arguments that follow are those of futex(2), as many as the operation has. */
#define futex(...) syscall(SYS_futex, __VA_ARGS__)

/* A child that waits until it is woken; its status is 0 then. */
static pid_t child_that_waits(uint32_t *word, uint32_t bits)
{
	pid_t child = fork();

	if (!child)
		_exit(futex(word, FUTEX_WAIT_BITSET, *word, NULL, NULL, bits) != 0);
	return child;
}

/* Wakes until so many were woken, in all. */
static void wake_in_all(uint32_t *word, int count)
{
	while (count > 0)
		count -= (int)futex(word, FUTEX_WAKE, (uint32_t)count, NULL, NULL, 0);
	EXPECT_EQ(count, 0);
}

static void wait_for_end(pid_t child)
{
	int status;

	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

FACT(another_process_wakes_who_waits_in_shared_memory)
{
	uint32_t *words = shared_words();
	pid_t child = child_that_waits(words, UINT32_MAX);

	wake_in_all(words, 1);
	wait_for_end(child);
	EXPECT_EQ(futex(words, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
}

FACT(a_word_of_a_file_is_the_same_at_every_address)
{
	int fd = file_of(2 * PAGE);
	uint32_t *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uint32_t *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	pid_t child = child_that_waits(q + 5, UINT32_MAX);

	wake_in_all(p + PAGE / 4 + 5, 1);
	wait_for_end(child);
}

FACT(private_memory_has_words_of_its_own)
{
	static uint32_t word;
	pid_t child = child_that_waits(&word, UINT32_MAX);
	struct timespec soon = {0, 20000000};
	int status;

	nanosleep(&soon, NULL);
	EXPECT_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
	EXPECT_EQ(kill(child, SIGKILL), 0);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT(WIFSIGNALED(status));
}

FACT(as_many_are_woken_as_are_asked_for)
{
	uint32_t *words = shared_words();
	pid_t child[3];

	for (unsigned i = 0; i < 3; i++)
		child[i] = child_that_waits(words, UINT32_MAX);
	wake_in_all(words, 2);
	wake_in_all(words, 1);
	for (unsigned i = 0; i < 3; i++)
		wait_for_end(child[i]);
}

FACT(bits_choose_who_is_woken)
{
	uint32_t *words = shared_words();
	pid_t one = child_that_waits(words, 1), two = child_that_waits(words, 2);

	while (!futex(words, FUTEX_WAKE_BITSET, 5, NULL, NULL, 6))
		;
	wait_for_end(two);
	EXPECT_EQ(waitpid(one, NULL, WNOHANG), 0);
	EXPECT_EQ(futex(words, FUTEX_WAKE_BITSET, 5, NULL, NULL, 6), 0);
	wake_in_all(words, 1);
	wait_for_end(one);
	EXPECT_ERRNO(futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
	EXPECT_ERRNO(futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
}

FACT(requeue_lets_some_wait_for_another_word)
{
	uint32_t *words = shared_words();
	pid_t child[3];
	long moved = 0;

	for (unsigned i = 0; i < 3; i++)
		child[i] = child_that_waits(words, UINT32_MAX);
	EXPECT_ERRNO(futex(words, FUTEX_CMP_REQUEUE, 0, (void *)3, words + 1, 7), EAGAIN);
	EXPECT_ERRNO(futex(words, FUTEX_CMP_REQUEUE, UINT32_MAX, (void *)3, words + 1, 0), EINVAL);
	while (moved < 3)
		moved += futex(words, FUTEX_CMP_REQUEUE, 0, (void *)(3 - moved), words + 1, 0);
	EXPECT_EQ(moved, 3);
	EXPECT_EQ(futex(words, FUTEX_WAKE, 3, NULL, NULL, 0), 0);
	EXPECT_EQ(futex(words + 1, FUTEX_REQUEUE, 1, (void *)1, words + 1, 0), 2);
	EXPECT_EQ(futex(words + 1, FUTEX_WAKE, 3, NULL, NULL, 0), 2);
	for (unsigned i = 0; i < 3; i++)
		wait_for_end(child[i]);
}

FACT(a_time_that_is_over_ends_a_wait)
{
	uint32_t *words = shared_words();
	struct timespec soon = {0, 10000000}, then;

	EXPECT_ERRNO(futex(words, FUTEX_WAIT, 0, (int32_t[]){0, 10000000}, NULL, 0), ETIMEDOUT);
	EXPECT_ERRNO(futex(words, FUTEX_WAIT_BITSET, 0, (int32_t[]){0, 10000000}, NULL, 1), ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &then);
	then.tv_sec += then.tv_nsec / 980000000;
	then.tv_nsec = (then.tv_nsec + 20000000) % 1000000000;
	EXPECT_ERRNO(futex(words, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0,
			   (int32_t[]){(int32_t)then.tv_sec, (int32_t)then.tv_nsec}, NULL, 1),
		     ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &soon);
	EXPECT(soon.tv_sec > then.tv_sec || (soon.tv_sec == then.tv_sec && soon.tv_nsec >= then.tv_nsec));
	EXPECT_ERRNO(futex(words, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
}

FACT(a_word_that_cannot_change_is_EFAULT)
{
	uint32_t *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_ERRNO(futex(p, FUTEX_WAIT, 0, (int32_t[]){0, 1000}, NULL, 0), EFAULT);
	EXPECT_ERRNO(futex(p, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
	EXPECT_EQ(futex(p, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0);
	EXPECT_ERRNO(futex(p, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, (int32_t[]){0, 1000}, NULL, 0), ETIMEDOUT);
	munmap(p, PAGE);
	EXPECT_ERRNO(futex(p, FUTEX_WAKE, 1, NULL, NULL, 0), EFAULT);
	EXPECT_EQ(futex(p, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0), 0);
}

static void ignore(int sig)
{
	(void)sig;
}

FACT(a_signal_breaks_a_wait_or_restarts_it)
{
	struct sigaction action = {.sa_handler = ignore},
			 restart = {.sa_handler = ignore, .sa_flags = SA_RESTART};
	const struct timespec soon = {0, 30000000};
	uint32_t *words = shared_words();
	pid_t parent = getpid(), child;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &restart, NULL);
	child = fork();
	if (!child) {
		nanosleep(&soon, NULL);
		kill(parent, SIGUSR1);
		nanosleep(&soon, NULL);
		kill(parent, SIGUSR2);
		nanosleep(&soon, NULL);
		_exit(futex(words, FUTEX_WAKE, 1, NULL, NULL, 0) != 1);
	}
	EXPECT_ERRNO(futex(words, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
	EXPECT_EQ(futex(words, FUTEX_WAIT, 0, NULL, NULL, 0), 0);
	wait_for_end(child);
}

FACT(a_futex_wakes_nobody_and_waits_for_nothing_changed)
{
	uint32_t word = 5;
	struct {
		int64_t seconds, rest;
	} soon = {0, 10000000};

	EXPECT_EQ(syscall(SYS_futex, &word, FUTEX_WAKE, 1, 0, 0, 0), 0);
	EXPECT_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT, 4, 0, 0, 0), EAGAIN);
	EXPECT_ERRNO(syscall(SYS_futex_time64, &word, FUTEX_WAIT, 5, &soon, 0, 0), ETIMEDOUT);
	EXPECT_ERRNO(syscall(SYS_futex, 16, FUTEX_WAIT, 1, 0, 0, 0), EFAULT);
}

FACT(a_futex_is_a_word_at_its_place)
{
	uint32_t words[2] = {0, 0};

	EXPECT_ERRNO(syscall(SYS_futex, (char *)words + 1, FUTEX_WAKE, 1, 0, 0, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_futex, 16, FUTEX_WAIT, 1, 0, 0, 0), EFAULT);
}
