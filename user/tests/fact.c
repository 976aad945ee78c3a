/* user/tests/fact.c - runs a program's facts and reports them as TAP. Owns what a fact may share with its child. */
#include "fact.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LIMIT 60 /* seconds for one fact: emulated machines are slow */

extern const struct fact __start_facts[], __stop_facts[];

static bool failed;

bool fact_expect(bool holds, const char *file, int line, const char *what)
{
	if (!holds) {
		failed = true;
		printf("# %s:%d: %s\n", file, line, what);
	}
	return holds;
}

bool fact_expect_eq(long long got, long long want, const struct fact_place *at)
{
	if (got != want) {
		failed = true;
		printf("# %s:%d: %s: got %lld, want %lld\n", at->file, at->line, at->what, got, want);
	}
	return got == want;
}

static _Noreturn void leave(void)
{
	fflush(stdout);
	_exit(failed);
}

char *pages(unsigned count)
{
	char *p = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!EXPECT(p != MAP_FAILED))
		leave();
	return p;
}

int nameless_file(void)
{
	static unsigned made;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/tmp/fact-%d-%u", (int)getpid(), made++);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (!EXPECT(fd >= 0) || !EXPECT_EQ(unlink(name), 0))
		leave();
	return fd;
}

int file_of(unsigned bytes)
{
	static char page[PAGE];
	int fd = nameless_file();

	for (unsigned at = 0; at < bytes; at += PAGE) {
		unsigned n = bytes - at < PAGE ? bytes - at : PAGE;

		memset(page, (int)(at / PAGE + 1), n);
		if (!EXPECT_EQ(write(fd, page, n), n))
			leave();
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

void enter(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/tmp/path-%d", (int)getpid());
	if (!EXPECT_EQ(mkdir(name, 0755), 0) || !EXPECT_EQ(chdir(name), 0))
		leave();
}

void touch(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);

	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, name, strlen(name)), strlen(name));
	close(fd);
}

int in_child(void (*f)(void))
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		f();
		leave();
	}
	EXPECT(child > 0);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	return status;
}

static sigjmp_buf back;
static struct outcome seen;

static void note(int signo, siginfo_t *info, void *context)
{
	(void)context;
	seen = (struct outcome){signo, info->si_code, info->si_addr};
	siglongjmp(back, 1);
}

enum access { READ, WRITE, RUN };

static struct outcome try(enum access how, volatile void *at)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
	struct sigaction now = {.sa_sigaction = note, .sa_flags = SA_SIGINFO}, before[4];

	seen = (struct outcome){0, 0, NULL};
	for (int i = 0; i < 4; i++)
		sigaction(signals[i], &now, &before[i]);
	if (!sigsetjmp(back, 1)) {
		if (how == READ)
			(void)*(volatile char *)at;
		else if (how == WRITE)
			*(volatile char *)at = 1;
		else
			((void (*)(void))(uintptr_t)at)();
	}
	for (int i = 0; i < 4; i++)
		sigaction(signals[i], &before[i], NULL);
	return seen;
}

struct outcome try_read(const volatile void *at)
{
	return try(READ, (volatile void *)(uintptr_t)at);
}

struct outcome try_write(volatile void *at)
{
	return try(WRITE, at);
}

struct outcome try_run(void *at)
{
	return try(RUN, at);
}

static void (*apart)(void);

static void under_limit(void)
{
	alarm(LIMIT);
	apart();
}

static void run_apart(const struct fact *f)
{
	int status;

	apart = f->run;
	status = in_child(under_limit);
	if (WIFSIGNALED(status))
		printf("# ended by signal %d%s\n", WTERMSIG(status),
		       WTERMSIG(status) == SIGALRM ? ": too slow" : "");
	failed |= status != 0;
}

static bool asked_for(const char *name, char **names)
{
	for (; *names; names++) {
		if (!strcmp(*names, name))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	unsigned number = 0, bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (fact_begin)
		fact_begin(argc, argv);
	for (const struct fact *f = __start_facts; f < __stop_facts; f++) {
		if (argc > 1 && !asked_for(f->name, argv + 1))
			continue;
		failed = false;
		if (argc > 1)
			f->run();
		else
			run_apart(f);
		bad += failed;
		printf("%s %u %s\n", failed ? "not ok" : "ok", ++number, f->name);
	}
	printf("1..%u\n", number);
	return bad != 0;
}
