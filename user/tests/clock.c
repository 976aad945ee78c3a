/* user/tests/clock.c - facts of time. */
#include "fact.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

struct time32 {
	int32_t seconds, rest;
};
struct time64 {
	int64_t seconds, rest;
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	EXPECT_EQ(clock_gettime(clock, &t), 0);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

FACT(monotonic_time_never_goes_back)
{
	int64_t before = now_ns(CLOCK_MONOTONIC);

	for (int i = 0; i < 2000; i++) {
		int64_t now = now_ns(CLOCK_MONOTONIC);

		REQUIRE(now >= before);
		before = now;
	}
}

FACT(both_widths_tell_the_same_time)
{
	struct time32 a;
	struct time64 b;

	EXPECT_EQ(syscall(SYS_clock_gettime32, CLOCK_REALTIME, &a), 0);
	EXPECT_EQ(syscall(SYS_clock_gettime64, CLOCK_REALTIME, &b), 0);
	EXPECT(b.seconds - a.seconds >= 0 && b.seconds - a.seconds <= 1);
	EXPECT(a.rest >= 0 && a.rest < 1000000000 && b.rest >= 0 && b.rest < 1000000000);
}

FACT(the_day_is_after_2019)
{
	struct timeval t;

	EXPECT_EQ(gettimeofday(&t, NULL), 0);
	EXPECT(t.tv_sec > 1560000000);
	EXPECT(t.tv_usec >= 0 && t.tv_usec < 1000000);
	EXPECT(time(NULL) - t.tv_sec <= 1);
}

FACT(the_calls_that_tell_the_day_agree)
{
	int32_t seconds = 0, us[2], zone[2] = {7, 7};
	int64_t now = now_ns(CLOCK_REALTIME);

	EXPECT_EQ(syscall(SYS_gettimeofday_time32, us, zone), 0);
	EXPECT(us[0] * 1000000000ll + us[1] * 1000 - now + 1000 >= 0);
	EXPECT(us[0] * 1000000000ll + us[1] * 1000 - now < 1000000000);
	EXPECT(zone[0] == 0 && zone[1] == 0);
	EXPECT_EQ(syscall(SYS_gettimeofday_time32, NULL, NULL), 0);
	EXPECT_ERRNO(syscall(SYS_gettimeofday_time32, NULL, 16), EFAULT);
	EXPECT(syscall(SYS_time, &seconds) >= now / 1000000000 - 1);
	EXPECT(seconds >= now / 1000000000 - 1 && seconds <= now / 1000000000 + 1);
	EXPECT_EQ(syscall(SYS_time, NULL) - seconds <= 1, true);
	EXPECT_ERRNO(syscall(SYS_time, 16), EFAULT);
}

FACT(a_clock_tells_how_fine_it_is)
{
	struct time32 a = {1, 1};
	struct time64 b = {1, 1}, coarse = {1, 1};

	EXPECT_EQ(syscall(SYS_clock_getres_time32, CLOCK_MONOTONIC, &a), 0);
	EXPECT_EQ(syscall(SYS_clock_getres_time64, CLOCK_MONOTONIC, &b), 0);
	EXPECT_EQ(syscall(SYS_clock_getres_time64, CLOCK_MONOTONIC_COARSE, &coarse), 0);
	EXPECT(a.seconds == 0 && b.seconds == 0 && coarse.seconds == 0);
	EXPECT(a.rest > 0 && a.rest == b.rest && coarse.rest >= b.rest && coarse.rest <= 10000000);
	EXPECT_EQ(syscall(SYS_clock_getres_time64, CLOCK_REALTIME_COARSE, &b), 0);
	EXPECT_EQ(b.rest, coarse.rest);
	EXPECT_EQ(syscall(SYS_clock_getres_time64, CLOCK_REALTIME, NULL), 0);
	EXPECT_ERRNO(syscall(SYS_clock_getres_time64, 77, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clock_getres_time64, CLOCK_REALTIME, 16), EFAULT);
}

FACT(a_sleep_takes_its_time)
{
	struct timespec t = {0, 50000000};
	int64_t start = now_ns(CLOCK_MONOTONIC), took;

	EXPECT_EQ(nanosleep(&t, NULL), 0);
	took = now_ns(CLOCK_MONOTONIC) - start;
	EXPECT(took >= 50000000);
	EXPECT(took < 5000000000ll);
}

FACT(a_sleep_until_a_time_in_the_past_ends_at_once)
{
	struct timespec t = {0, 1};

	EXPECT_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
}

FACT(a_sleep_until_a_time_ends_then)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_TAI};

	for (unsigned i = 0; i < 3; i++) {
		int64_t end = now_ns(clocks[i]) + 20000000;
		struct time64 t = {end / 1000000000, end % 1000000000};

		EXPECT_EQ(syscall(SYS_clock_nanosleep_time64, clocks[i], TIMER_ABSTIME, &t, NULL), 0);
		EXPECT(now_ns(clocks[i]) >= end);
	}
}

static void nothing(int sig)
{
	(void)sig;
}

FACT(an_interrupted_sleep_tells_what_is_left)
{
	struct sigaction a = {.sa_handler = nothing};
	struct timespec t = {50, 0}, left = {0, 0};

	sigaction(SIGALRM, &a, NULL);
	ualarm(20000, 0);
	EXPECT_ERRNO(nanosleep(&t, &left), EINTR);
	EXPECT(left.tv_sec >= 45 && left.tv_sec < 50);
}

FACT(a_sleep_until_a_time_is_interrupted_and_tells_nothing)
{
	struct sigaction a = {.sa_handler = nothing, .sa_flags = SA_RESTART};
	int64_t end = now_ns(CLOCK_MONOTONIC) + 50000000000;
	struct time64 t = {end / 1000000000, end % 1000000000}, left = {-1, -1};

	sigaction(SIGALRM, &a, NULL);
	ualarm(20000, 0);
	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &left), EINTR);
	EXPECT(left.seconds == -1 && left.rest == -1);
}

FACT(wrong_times_and_clocks_are_EINVAL)
{
	struct time32 bad = {0, 1000000000}, negative = {-1, 0};
	struct time64 t;

	EXPECT_ERRNO(syscall(SYS_nanosleep, &bad, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_nanosleep, &negative, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clock_gettime64, 77, &t), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, 77, 0, &t, 0), EINVAL);
}

FACT(not_every_clock_can_be_slept_on)
{
	struct time64 t = {0, 1000}, bad = {0, -1};

	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, CLOCK_THREAD_CPUTIME_ID, 0, &t, 0), EOPNOTSUPP);
	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, CLOCK_MONOTONIC_RAW, 0, &t, 0), EOPNOTSUPP);
	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, CLOCK_MONOTONIC_COARSE, 0, &t, 0), EOPNOTSUPP);
	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, CLOCK_REALTIME_COARSE, 0, &bad, 0), EOPNOTSUPP);
	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, CLOCK_PROCESS_CPUTIME_ID, 0, &bad, 0), EINVAL);
	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, CLOCK_PROCESS_CPUTIME_ID, 0, -1, 0), EFAULT);
	EXPECT_EQ(syscall(SYS_clock_nanosleep_time64, CLOCK_BOOTTIME, 0, &t, 0), 0);
	EXPECT_EQ(syscall(SYS_clock_nanosleep_time64, CLOCK_TAI, 0, &t, 0), 0);
}

/* Nobody sleeps and uses the processor, so a time that has not come does not come. */
FACT(a_sleep_on_the_time_of_the_process_goes_on_until_a_signal)
{
	struct sigaction a = {.sa_handler = nothing};
	struct time64 past = {0, 1}, later = {10, 0}, left = {0, 0};

	while (now_ns(CLOCK_PROCESS_CPUTIME_ID) == 0)
		;
	EXPECT_EQ(syscall(SYS_clock_nanosleep_time64, CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &past, 0), 0);
	sigaction(SIGALRM, &a, NULL);
	ualarm(60000, 0);
	EXPECT_ERRNO(syscall(SYS_clock_nanosleep_time64, CLOCK_PROCESS_CPUTIME_ID, 0, &later, &left), EINTR);
	EXPECT(left.seconds == 10 || left.seconds == 9);
}

/* Each child tells its number when its time is over; those who sleep longest were made first. */
static void in_order_of_their_times(void (*wait)(unsigned ms))
{
	int ends[2];
	char told[4] = "";

	REQUIRE(pipe(ends) == 0);
	for (unsigned i = 3; i > 0; i--) {
		if (fork())
			continue;
		wait(40 * i);
		write(ends[1], &"0123"[i], 1);
		_exit(0);
	}
	for (unsigned i = 0; i < 3; i++)
		EXPECT_EQ(read(ends[0], told + i, 1), 1);
	EXPECT_EQ(strcmp(told, "123"), 0);
}

static void sleep_ms(unsigned ms)
{
	usleep(1000 * ms);
}

static void await_alarm(unsigned ms)
{
	struct sigaction a = {.sa_handler = nothing};

	sigaction(SIGALRM, &a, NULL);
	ualarm(1000 * ms, 0);
	pause();
}

FACT(sleepers_wake_in_the_order_of_their_times)
{
	in_order_of_their_times(sleep_ms);
}

FACT(alarms_ring_in_the_order_of_their_times)
{
	in_order_of_their_times(await_alarm);
}

FACT(work_is_counted_as_time_of_the_process)
{
	struct rusage usage;
	struct tms t;

	do { /* the fact's limit ends this where nothing is counted */
		for (volatile int i = 0; i < 100000; i++)
			;
		EXPECT_EQ(getrusage(RUSAGE_SELF, &usage), 0);
	} while (usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec < 60000);
	EXPECT(times(&t) != (clock_t)-1);
	EXPECT(t.tms_utime + t.tms_stime >= 6);
	EXPECT_ERRNO(getrusage(77, &usage), EINVAL);
}

static unsigned left_of(long seconds, long us)
{
	struct itimerval t = {{0, 0}, {seconds, us}};

	EXPECT_EQ(setitimer(ITIMER_REAL, &t, NULL), 0);
	return (unsigned)syscall(SYS_alarm, 0);
}

FACT(alarm_tells_whole_seconds_and_never_none)
{
	EXPECT_EQ(left_of(50, 300000), 50);
	EXPECT_EQ(left_of(50, 900000), 51);
	EXPECT_EQ(left_of(0, 300000), 1);
	EXPECT_EQ(syscall(SYS_alarm, 0), 0);
}

FACT(wrong_intervals_are_EINVAL)
{
	struct itimerval t = {{0, 0}, {1, 1000000}}, negative = {{0, -1}, {1, 0}};

	EXPECT_ERRNO(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
	EXPECT_ERRNO(setitimer(ITIMER_REAL, &negative, NULL), EINVAL);
}

FACT(each_word_of_an_interval_is_looked_at)
{
	for (unsigned i = 0; i < 4; i++) {
		int32_t words[4] = {0, 0, 50, 0};

		words[i] = -1;
		EXPECT_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, words, NULL), EINVAL);
		words[i] = 999999;
		EXPECT_EQ(syscall(SYS_setitimer, ITIMER_REAL, words, NULL), 0);
		words[i] = 1000000;
		EXPECT_EQ(syscall(SYS_setitimer, ITIMER_REAL, words, NULL), i % 2 ? -1 : 0);
	}
	EXPECT_ERRNO(syscall(SYS_setitimer, 3, NULL, NULL), EINVAL);
	EXPECT_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, 16, NULL), EFAULT);
	EXPECT_EQ(syscall(SYS_alarm, 0) > 0, true);
}

FACT(the_intervals_before_are_told)
{
	int32_t first[4] = {3, 400000, 50, 0}, second[4] = {0, 0, 0, 0}, before[4];

	EXPECT_EQ(syscall(SYS_setitimer, ITIMER_REAL, first, NULL), 0);
	EXPECT_EQ(syscall(SYS_getitimer, ITIMER_REAL, before), 0);
	EXPECT(before[0] == 3 && before[1] == 400000 && (before[2] == 49 || before[2] == 50));
	EXPECT(before[3] >= 0 && before[3] < 1000000);
	EXPECT_EQ(syscall(SYS_setitimer, ITIMER_REAL, second, before), 0);
	EXPECT(before[0] == 3 && before[1] == 400000 && (before[2] == 49 || before[2] == 50));
	EXPECT_EQ(syscall(SYS_getitimer, ITIMER_REAL, before), 0);
	EXPECT_EQ(before[0] | before[1] | before[2] | before[3], 0);
}

FACT(half_of_the_nanoseconds_is_padding)
{
	struct time64 t = {0, 0x100000001};

	EXPECT_EQ(syscall(SYS_clock_nanosleep_time64, CLOCK_MONOTONIC, 0, &t, NULL), 0);
}

FACT(getitimer_of_no_timer_is_EINVAL)
{
	struct itimerval t = {{0, 0}, {0, 0}};

	EXPECT_EQ(setitimer(ITIMER_REAL, &t, NULL), 0);
	EXPECT_ERRNO(getitimer(77, &t), EINVAL);
	EXPECT_EQ(getitimer(ITIMER_REAL, &t), 0);
	EXPECT_EQ(t.it_value.tv_sec | t.it_value.tv_usec, 0);
}

static volatile unsigned rung;

static void on_ring(int sig)
{
	(void)sig;
	rung++;
}

/* Rings twice while the processor is kept busy, and not while it sleeps. */
static void rings_on_processor_time(int which, int sig)
{
	struct itimerval every = {{0, 20000}, {0, 20000}}, left, off = {{0, 0}, {0, 0}};
	struct sigaction a = {.sa_handler = on_ring};

	rung = 0;
	sigaction(sig, &a, NULL);
	EXPECT_EQ(setitimer(which, &every, NULL), 0);
	usleep(100000);
	EXPECT(rung <= 1);
	rung = 0;
	while (rung < 2)
		;
	EXPECT_EQ(getitimer(which, &left), 0);
	EXPECT_EQ(left.it_interval.tv_usec, 20000);
	EXPECT(left.it_value.tv_sec == 0 && left.it_value.tv_usec > 0 && left.it_value.tv_usec <= 20000);
	EXPECT_EQ(setitimer(which, &off, &left), 0);
	EXPECT_EQ(left.it_interval.tv_usec, 20000);
	EXPECT_EQ(getitimer(which, &left), 0);
	EXPECT_EQ(left.it_value.tv_sec + left.it_value.tv_usec, 0);
}

FACT(the_virtual_timer_rings_on_the_programs_own_time)
{
	rings_on_processor_time(ITIMER_VIRTUAL, SIGVTALRM);
}

FACT(the_profiling_timer_rings_on_processor_time)
{
	rings_on_processor_time(ITIMER_PROF, SIGPROF);
}

FACT(processor_timers_are_not_inherited)
{
	struct itimerval every = {{0, 0}, {100, 0}}, left;
	int status = -1;
	pid_t child;

	EXPECT_EQ(setitimer(ITIMER_PROF, &every, NULL), 0);
	child = fork();
	if (!child) {
		getitimer(ITIMER_PROF, &left);
		_exit(left.it_value.tv_sec + left.it_value.tv_usec != 0);
	}
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

static volatile sig_atomic_t over;

static void count(int sig)
{
	(void)sig;
	over++;
}

FACT(seconds_of_the_processor_may_be_limited)
{
	int *seen = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), status = 0;
	pid_t child = fork();

	if (!child) {
		const struct rlimit limit = {1, 2};
		struct rlimit now = limit;

		signal(SIGXCPU, count);
		setrlimit(RLIMIT_CPU, &limit);
		while (true) {
			getrlimit(RLIMIT_CPU, &now);
			seen[0] = over;
			seen[1] = (int)now.rlim_cur;
		}
	}
	EXPECT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(WTERMSIG(status), SIGKILL);
	EXPECT_EQ(seen[0], 1);
	EXPECT_EQ(seen[1], 2);
}
