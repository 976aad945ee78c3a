/*
 * user/tests/exec.c - facts of execve and of what a program finds when it starts. With SHOW in its environment this
 * program is the one that is started: it tells what the variable's value asks for, and ends.
 */
#include "fact.h"
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

static char *me; /* the path of this program */
static char output[300000];
static char *never[] = {"SHOW=never", NULL}; /* the environment of what must not start */

static int is_blocked(int sig)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, sig);
}

static void show_stack(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[200], rights[5] = "";

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[stack]"))
			sscanf(line, "%*s %4s", rights);
	printf("%s", rights);
}

static void show_ids(void)
{
	uid_t u[3];
	gid_t g[3];
	int sig = -1;

	getresuid(&u[0], &u[1], &u[2]);
	getresgid(&g[0], &g[1], &g[2]);
	prctl(PR_GET_PDEATHSIG, &sig);
	printf("%u %u %u %u ", u[0], u[1], u[2], (unsigned)syscall(SYS_setfsuid32, -1));
	printf("%u %u %u %u ", g[0], g[1], g[2], (unsigned)syscall(SYS_setfsgid32, -1));
	printf("%lu %lu %lu %lu ", getauxval(AT_UID), getauxval(AT_EUID), getauxval(AT_GID),
	       getauxval(AT_EGID));
	printf("%lu %d %d", getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE), sig);
}

static void show_signals(void)
{
	static const int reset[] = {SIGHUP, SIGTERM, 64};
	struct sigaction a;
	int left = 0;

	sigaction(SIGUSR1, NULL, &a);
	printf("%d %d", a.sa_handler == SIG_IGN ? 1 : a.sa_handler == SIG_DFL ? 0 : 2, is_blocked(SIGUSR2));
	for (unsigned i = 0; i < 3; i++) {
		sigaction(reset[i], NULL, &a);
		left |= a.sa_handler != SIG_DFL || a.sa_flags || sigismember(&a.sa_mask, SIGUSR1);
	}
	printf(" %d", left);
}

static void show_environment(void)
{
	for (char **e = environ; *e; e++)
		printf("%s|", *e);
}

static void show_descriptors(void)
{
	printf("%d %d", fcntl(100, F_GETFD), fcntl(101, F_GETFD));
}

static void show_pid(void)
{
	printf("%d", (int)getpid());
}

static void show_random(void)
{
	uint32_t *r = (uint32_t *)(uintptr_t)getauxval(AT_RANDOM);

	printf("%08x%08x%08x%08x", r[0], r[1], r[2], r[3]);
}

static void show_signal_stack(void)
{
	stack_t now;

	sigaltstack(NULL, &now);
	printf("%d %u", now.ss_flags, (unsigned)now.ss_size);
}

static void show_name(void)
{
	char name[17] = "";

	prctl(PR_GET_NAME, name);
	printf("%s", name);
}

static const struct {
	const char *what;
	void (*show)(void);
} shows[] = {
	{"environment", show_environment},
	{"descriptors", show_descriptors},
	{"signals", show_signals},
	{"pid", show_pid},
	{"random", show_random},
	{"signal stack", show_signal_stack},
	{"stack", show_stack},
	{"name", show_name},
	{"ids", show_ids},
};

static void show(const char *what, int argc, char **argv)
{
	if (!strcmp(what, "args")) {
		for (int i = 0; i < argc; i++)
			printf("%s|", argv[i]);
	} else if (!strcmp(what, "length")) {
		printf("%u", (unsigned)strlen(argv[argc - 1]));
	} else if (!strcmp(what, "start")) {
		unsigned short control;

		__asm__ volatile("fnstcw %0" : "=m"(control));
		printf("%x %u", control, (unsigned)(((uintptr_t)argv - 4) % 16));
	}
	for (unsigned i = 0; i < sizeof(shows) / sizeof(shows[0]); i++)
		if (!strcmp(what, shows[i].what))
			shows[i].show();
	fflush(stdout);
	_exit(!strcmp(what, "never"));
}

void fact_begin(int argc, char **argv)
{
	me = (char *)(uintptr_t)getauxval(AT_EXECFN);
	if (getenv("SHOW"))
		show(getenv("SHOW"), argc, argv);
}

/* Runs a program with its output read back; returns its wait status. */
static int shown(const char *path, char **argv, char *what)
{
	char variable[64], *environment[] = {variable, "OTHER=value", NULL};
	int ends[2], status = -1, at = 0;
	ssize_t n;
	pid_t child;

	snprintf(variable, sizeof(variable), "SHOW=%s", what);
	if (!EXPECT_EQ(pipe(ends), 0))
		return -1;
	child = fork();
	if (!child) {
		dup2(ends[1], 1);
		close(ends[1]);
		execve(path, argv, environment);
		_exit(errno);
	}
	close(ends[1]);
	while ((n = read(ends[0], output + at, sizeof(output) - 1 - (unsigned)at)) > 0)
		at += (int)n;
	output[at] = 0;
	close(ends[0]);
	EXPECT_EQ(waitpid(child, &status, 0), child);
	return status;
}

/* A file of this content and mode; returns its name. */
static char *file(const char *content, unsigned size, unsigned mode)
{
	static char name[64];
	int fd;

	snprintf(name, sizeof(name), "/tmp/fact-exec-%d", (int)getpid());
	unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0700);
	EXPECT_EQ(write(fd, content, size), size);
	EXPECT_EQ(fchmod(fd, mode), 0);
	close(fd);
	return name;
}

static int error_of(const char *path)
{
	char *words[] = {"x", NULL};

	errno = 0;
	EXPECT_EQ(execve(path, words, never), -1);
	return errno;
}

FACT(arguments_arrive)
{
	char *words[] = {"name", "", "two words", "3", NULL};

	EXPECT_EQ(shown(me, words, "args"), 0);
	EXPECT(!strcmp(output, "name||two words|3|"));
}

FACT(without_arguments_there_is_an_empty_one)
{
	EXPECT_EQ(shown(me, NULL, "args"), 0);
	EXPECT(!strcmp(output, "|"));
}

FACT(the_environment_arrives)
{
	char *words[] = {"name", NULL};

	EXPECT_EQ(shown(me, words, "environment"), 0);
	EXPECT(!strcmp(output, "SHOW=environment|OTHER=value|"));
}

FACT(the_pid_stays)
{
	char *words[] = {"name", NULL};
	int status = shown(me, words, "pid");

	EXPECT_EQ(status, 0);
	EXPECT(atoi(output) > 0 && atoi(output) != getpid());
}

FACT(descriptors_stay_but_those_marked)
{
	char *words[] = {"name", NULL};

	EXPECT_EQ(dup2(1, 100), 100);
	EXPECT_EQ(dup3(1, 101, O_CLOEXEC), 101);
	EXPECT_EQ(shown(me, words, "descriptors"), 0);
	EXPECT(!strcmp(output, "0 -1"));
}

static void handler(int sig)
{
	(void)sig;
}

FACT(handlers_go_ignoring_and_the_mask_stay)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = SA_RESTART};
	char *words[] = {"name", NULL};
	sigset_t set;

	sigaddset(&a.sa_mask, SIGUSR1);
	sigaction(SIGHUP, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(64, &a, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR1, handler);
	EXPECT_EQ(shown(me, words, "signals"), 0);
	EXPECT(!strcmp(output, "0 1 0"));
	signal(SIGUSR1, SIG_IGN);
	EXPECT_EQ(shown(me, words, "signals"), 0);
	EXPECT(!strcmp(output, "1 1 0"));
}

FACT(the_alternate_stack_goes)
{
	stack_t s = {.ss_sp = pages(8), .ss_size = 8 * PAGE};
	char *words[] = {"name", NULL};

	EXPECT_EQ(sigaltstack(&s, NULL), 0);
	EXPECT_EQ(shown(me, words, "signal stack"), 0);
	EXPECT(!strcmp(output, "2 0"));
}

FACT(each_start_has_other_random_bytes)
{
	char *words[] = {"name", NULL}, first[33];

	shown(me, words, "random");
	EXPECT_EQ(strlen(output), 32);
	memcpy(first, output, 33);
	shown(me, words, "random");
	EXPECT(strcmp(output, first) != 0);
}

FACT(an_argument_may_have_a_hundred_thousand_bytes)
{
	static char large[100001];
	char *words[] = {"name", large, NULL};

	memset(large, 'a', sizeof(large) - 1);
	EXPECT_EQ(shown(me, words, "length"), 0);
	EXPECT_EQ(atoi(output), 100000);
}

FACT(an_argument_and_its_end_may_have_128_KiB)
{
	static char large[131072];
	char *words[] = {"name", large, NULL};

	memset(large, 'a', sizeof(large) - 1);
	EXPECT_EQ(shown(me, words, "length"), 0);
	EXPECT_EQ(atoi(output), 131071);
}

FACT(an_argument_over_128_KiB_is_E2BIG)
{
	static char large[131073];
	char *words[] = {"name", large, NULL};

	memset(large, 'a', sizeof(large) - 1);
	EXPECT_ERRNO(execve(me, words, never), E2BIG);
}

FACT(an_argument_of_a_megabyte_is_E2BIG)
{
	static char large[1 << 20];
	char *words[] = {"name", large, NULL};

	memset(large, 'a', sizeof(large) - 1);
	EXPECT_ERRNO(execve(me, words, never), E2BIG);
}

FACT(arguments_over_a_quarter_of_the_stack_are_E2BIG)
{
	static char piece[100000], *words[60];
	struct rlimit limit = {4 << 20, RLIM_INFINITY};

	memset(piece, 'a', sizeof(piece) - 1);
	for (int i = 0; i < 59; i++)
		words[i] = piece;
	REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0);
	EXPECT_ERRNO(execve(me, words, never), E2BIG);
}

FACT(the_places_of_arguments_count_as_they_do)
{
	unsigned count = 500000;
	char **words = calloc(count + 1, sizeof(*words));

	for (unsigned i = 0; i < count; i++)
		words[i] = "";
	EXPECT_ERRNO(execve(me, words, never), E2BIG);
}

FACT(arguments_that_the_stack_s_limit_has_no_room_for_are_E2BIG)
{
	static char large[100001];
	char *words[] = {"name", large, NULL};
	struct rlimit limit = {16384, RLIM_INFINITY};

	memset(large, 'a', sizeof(large) - 1);
	REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0);
	EXPECT_ERRNO(execve(me, words, never), E2BIG);
}

FACT(what_is_not_there_is_ENOENT)
{
	EXPECT_EQ(error_of("/tmp/no/such"), ENOENT);
	EXPECT_EQ(error_of(""), ENOENT);
}

FACT(what_has_no_execute_permission_is_EACCES)
{
	EXPECT_EQ(error_of(file("#!/bin/x\n", 9, 0644)), EACCES);
	EXPECT_EQ(error_of("/tmp"), EACCES);
}

FACT(what_is_no_program_is_ENOEXEC)
{
	EXPECT_EQ(error_of(file("", 0, 0755)), ENOEXEC);
	EXPECT_EQ(error_of(file("hello, world, no program here at all, just text\n", 48, 0755)), ENOEXEC);
	EXPECT_EQ(error_of(file("\177ELF", 4, 0755)), ENOEXEC);
}

FACT(a_program_for_another_machine_is_ENOEXEC)
{
	Elf32_Ehdr h = {.e_ident = ELFMAG,
			.e_type = ET_EXEC,
			.e_machine = EM_ARM,
			.e_version = 1,
			.e_ehsize = sizeof(h)};

	h.e_ident[EI_CLASS] = ELFCLASS32;
	EXPECT_EQ(error_of(file((char *)&h, sizeof(h), 0755)), ENOEXEC);
}

FACT(a_file_that_is_no_directory_in_the_path_is_ENOTDIR)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/x", file("", 0, 0755));
	EXPECT_EQ(error_of(path), ENOTDIR);
}

FACT(bad_pointers_are_EFAULT)
{
	char *words[] = {"x", (char *)16, NULL};

	EXPECT_ERRNO(execve((char *)16, words, never), EFAULT);
	EXPECT_ERRNO(execve(me, words, never), EFAULT);
	EXPECT_ERRNO(execve(me, (char **)16, never), EFAULT);
	EXPECT_ERRNO(execve(me, never, (char **)16), EFAULT);
}

FACT(a_script_runs_its_interpreter)
{
	char script[300], want[400], *words[] = {"called", "more", NULL}, *name;

	snprintf(script, sizeof(script), "#! %s one two \nrest", me);
	name = file(script, (unsigned)strlen(script), 0755);
	EXPECT_EQ(shown(name, words, "args"), 0);
	snprintf(want, sizeof(want), "%s|one two|%s|more|", me, name);
	EXPECT(!strcmp(output, want));
}

FACT(the_line_of_a_script_need_not_end)
{
	char script[300], want[700], *words[] = {"called", NULL}, *name;

	snprintf(script, sizeof(script), "#!%s one", me);
	name = file(script, (unsigned)strlen(script), 0755);
	EXPECT_EQ(shown(name, words, "args"), 0);
	snprintf(want, sizeof(want), "%s|one|%s|", me, name);
	EXPECT(!strcmp(output, want));
}

/* What does not fit is the argument's; of the interpreter's name nothing may be missing. */
FACT(the_first_255_bytes_of_a_script_s_line_count)
{
	char script[400], want[700], *words[] = {"called", NULL}, *name;
	int path = (int)strlen(me);

	memset(script, 'a', sizeof(script));
	memcpy(script, "#!", 2);
	memcpy(script + 2, me, (size_t)path);
	script[2 + path] = ' ';
	name = file(script, sizeof(script), 0755);
	EXPECT_EQ(shown(name, words, "args"), 0);
	snprintf(want, sizeof(want), "%s|%.*s|%s|", me, 255 - 3 - path, script + 3 + path, name);
	EXPECT(!strcmp(output, want));
	for (int blanks = 253 - path; blanks <= 254 - path; blanks++) {
		memset(script + 2, ' ', (size_t)blanks);
		memcpy(script + 2 + blanks, me, (size_t)path);
		script[2 + blanks + path] = ' ';
		name = file(script, sizeof(script), 0755);
		if (blanks == 253 - path)
			EXPECT_EQ(shown(name, words, "args"), 0);
		else
			EXPECT_EQ(error_of(name), ENOEXEC);
	}
	memset(script + 2, ' ', sizeof(script) - 2);
	EXPECT_EQ(error_of(file(script, sizeof(script), 0755)), ENOEXEC);
}

FACT(a_script_whose_interpreter_is_not_there_is_ENOENT)
{
	EXPECT_EQ(error_of(file("#!/no/such\n", 11, 0755)), ENOENT);
}

FACT(a_script_that_runs_itself_ends_with_ELOOP)
{
	char script[100];
	char *name = file("", 0, 0755);

	snprintf(script, sizeof(script), "#!%s\n", name);
	EXPECT_EQ(error_of(file(script, (unsigned)strlen(script), 0755)), ELOOP);
}

/* Runs this program through so many scripts, each of which names the next one. */
static int through_scripts(unsigned count)
{
	char name[64], line[100], *words[] = {"name", NULL};

	for (unsigned i = 0; i < count; i++) {
		int fd;

		snprintf(name, sizeof(name), "/tmp/fact-script-%d-%u", (int)getpid(), i);
		if (i)
			snprintf(line, sizeof(line), "#!/tmp/fact-script-%d-%u\n", (int)getpid(), i - 1);
		else
			snprintf(line, sizeof(line), "#!%s\n", me);
		unlink(name);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0755);
		EXPECT_EQ(write(fd, line, strlen(line)), strlen(line));
		close(fd);
	}
	return shown(name, words, "pid");
}

FACT(five_scripts_may_lead_to_a_program)
{
	EXPECT_EQ(through_scripts(4), 0);
	EXPECT_EQ(through_scripts(5), 0);
	EXPECT_EQ(WEXITSTATUS(through_scripts(6)), ELOOP);
}

FACT(a_program_starts_with_an_fpu_of_its_own_and_an_aligned_stack)
{
	char *words[] = {"name", NULL};
	unsigned short control = 0xf7f;

	for (unsigned i = 0; i < 5; i++) {
		__asm__ volatile("fldcw %0" : : "m"(control));
		EXPECT_EQ(shown(me, words, "start"), 0);
		EXPECT(!strcmp(output, "37f 0"));
		words[0] += i % 2; /* strings of other lengths */
	}
}

static char copy[500000];

/* Reads this program, to be changed; returns its size. */
static unsigned copy_me(void)
{
	int fd = open(me, O_RDONLY);
	ssize_t size = read(fd, copy, sizeof(copy));

	close(fd);
	EXPECT(size > 0 && size < (ssize_t)sizeof(copy));
	return (unsigned)size;
}

/* A copy of this program that asks for what its stack may be. */
static char *copy_with_stack(unsigned flags)
{
	Elf32_Ehdr *h = (Elf32_Ehdr *)(void *)copy;
	unsigned size = copy_me();

	for (unsigned i = 0; i < h->e_phnum; i++) {
		Elf32_Phdr *p = (Elf32_Phdr *)(void *)(copy + h->e_phoff) + i;

		if (p->p_type == PT_GNU_STACK)
			p->p_flags = flags;
	}
	return file(copy, size, 0755);
}

FACT(nobody_asks_for_class_order_and_version_of_a_program)
{
	Elf32_Ehdr *h = (Elf32_Ehdr *)(void *)copy;
	char *words[] = {"name", NULL};
	unsigned size = copy_me();

	memset(h->e_ident + SELFMAG, 0xFF, EI_NIDENT - SELFMAG);
	h->e_version = 77;
	h->e_machine = 6; /* EM_486 */
	EXPECT_EQ(shown(file(copy, size, 0755), words, "args"), 0);
	EXPECT(!strcmp(output, "name|"));
}

FACT(a_stack_is_executable_for_who_asks_for_it)
{
	char *words[] = {"name", NULL};

	EXPECT_EQ(shown(copy_with_stack(PF_R | PF_W | PF_X), words, "stack"), 0);
	EXPECT(!strcmp(output, "rwxp"));
	EXPECT_EQ(shown(copy_with_stack(PF_R | PF_W), words, "stack"), 0);
	EXPECT(!strcmp(output, "rw-p"));
}

FACT(a_failed_exec_leaves_everything)
{
	char *p = pages(2);

	p[PAGE] = 5;
	EXPECT_EQ(error_of("/tmp/no/such"), ENOENT);
	EXPECT_EQ(p[PAGE], 5);
}

FACT(the_auxiliary_vector_is_whole)
{
	EXPECT_EQ(getauxval(AT_PAGESZ), PAGE);
	EXPECT_EQ(getauxval(AT_PHENT), sizeof(Elf32_Phdr));
	EXPECT(getauxval(AT_PHNUM) > 0);
	EXPECT(getauxval(AT_ENTRY) > 0);
	EXPECT_EQ(getauxval(AT_UID), getuid());
	EXPECT_EQ(getauxval(AT_EGID), getegid());
	EXPECT_EQ(getauxval(AT_SECURE), 0);
	EXPECT(getauxval(AT_CLKTCK) == 100);
	EXPECT(!strcmp((char *)(uintptr_t)getauxval(AT_PLATFORM) + 2, "86"));
}

/* Starts this program as these users and groups: real, effective, saved. */
static void expect_started_as(const uid_t user[3], const gid_t group[3], const char *want)
{
	char *words[] = {"name", NULL}, *environment[] = {"SHOW=ids", NULL};
	int ends[2], n;

	REQUIRE(pipe(ends) == 0);
	if (!fork()) {
		syscall(SYS_setresgid32, group[0], group[1], group[2]);
		syscall(SYS_setresuid32, user[0], user[1], user[2]);
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		dup2(ends[1], 1);
		execve(me, words, environment);
		_exit(1);
	}
	close(ends[1]);
	n = (int)read(ends[0], output, sizeof(output) - 1);
	output[n < 0 ? 0 : n] = 0;
	EXPECT(!strcmp(output, want));
	wait(NULL);
}

FACT(a_program_is_who_it_acts_for_and_is_told_if_that_is_another)
{
	const uid_t user[3] = {4, 5, 6}, one_user[3] = {4, 4, 6};
	const gid_t group[3] = {7, 8, 9}, one_group[3] = {7, 7, 9};

	expect_started_as(user, group, "4 5 5 5 7 8 8 8 4 5 7 8 1 0 0");
	expect_started_as(one_user, group, "4 4 4 4 7 8 8 8 4 4 7 8 1 0 0");
	expect_started_as(user, one_group, "4 5 5 5 7 7 7 7 4 5 7 7 1 0 0");
	expect_started_as(one_user, one_group, "4 4 4 4 7 7 7 7 4 4 7 7 0 1 10");
}

FACT(a_process_has_the_first_15_bytes_of_its_program_s_name)
{
	char *words[] = {"other", NULL};

	EXPECT_EQ(symlink(me, "/tmp/sixteen-letters-and-more"), 0);
	EXPECT_EQ(shown("/tmp/sixteen-letters-and-more", words, "name"), 0);
	EXPECT(!strcmp(output, "sixteen-letters"));
	unlink("/tmp/sixteen-letters-and-more");
	EXPECT_EQ(shown(me, words, "name"), 0);
	EXPECT(!strncmp(output, strrchr(me, '/') + 1, 15));
}

FACT(the_program_headers_are_where_the_vector_says)
{
	const Elf32_Phdr *p = (const Elf32_Phdr *)(uintptr_t)getauxval(AT_PHDR);
	bool code = false;

	for (unsigned i = 0; i < getauxval(AT_PHNUM); i++)
		code |= p[i].p_type == PT_LOAD && p[i].p_flags & PF_X;
	EXPECT(code);
}
