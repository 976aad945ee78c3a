/*
 * tests/host/main.c - runs the suites on simulated machines, each machine in a process of its own, so that
 * nothing is left over between them and a crash takes one of them only. A case that must panic gets a process
 * too. What the processes print stands between two lines:
 *
 *	# machine plain
 *	(a KTAP report)
 *	# ended 0            the exit status; or "signal 6", or "skipped REASON"
 *
 * tests/host/run.py makes one flat report of it.
 */
#include "sim.h"

#include <kernel/ktest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <tests/ktest/machine.h>
#include <unistd.h>

#define LIMIT_SECONDS 600

extern const struct ktest_case *__start_ktest_cases[], *__stop_ktest_cases[];

/* Reports of the sanitisers end the process with a status of their own. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "exitcode=99:detect_leaks=0";
}

struct request {
	const struct sim_config *machine;
	struct ktest_options options;
};

/* If s begins with the word, returns what follows it: the end, or what stands behind a dot; else null. */
static const char *after_word(const char *s, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(s, word, length) || (s[length] && s[length] != '.'))
		return NULL;
	return s + length + (s[length] == '.');
}

/* True when `only` means the case: all, its suite, itself, or itself with a parameter. */
static bool means(const char *only, const struct ktest_case *c)
{
	const char *rest = *only ? after_word(only, c->suite) : only;

	return rest && (!*rest || after_word(rest, c->name));
}

/* True when a case that the options mean runs in this way. */
static bool any_case(const char *only, enum ktest_how how)
{
	for (const struct ktest_case **c = __start_ktest_cases; c < __stop_ktest_cases; c++)
		if ((*c)->how == how && means(only, *c))
			return true;
	return false;
}

/* Runs in the machine's process; returns its status. */
static int run(const struct request *r)
{
	struct ktest_result result;
	uint32_t left;

	alarm(LIMIT_SECONDS);
	sim_boot(r->machine);
	left = sim_violations();
	result = ktest_run(&r->options);
	left += sim_violations();
	if (left)
		printf("# sim: %u violations that no case asked for\n", left);
	return result.failed || left;
}

/* Gives the machine its process and waits for it; true when it passed. */
static bool run_apart(const struct request *r, const char *panic_case)
{
	int status = -1;
	pid_t child;

	printf("# machine %s%s%s\n", r->machine->name, panic_case ? " " : "", panic_case ? panic_case : "");
	fflush(stdout);
	child = fork();
	if (child == 0)
		exit(run(r));
	if (child < 0 || waitpid(child, &status, 0) != child)
		printf("# ended without a process\n");
	else if (WIFSIGNALED(status))
		printf("# ended signal %d\n", WTERMSIG(status));
	else
		printf("# ended %d\n", WEXITSTATUS(status));
	fflush(stdout);
	return status == 0;
}

static bool run_panic_cases(const struct request *r)
{
	bool passed = true;

	for (const struct ktest_case **c = __start_ktest_cases; c < __stop_ktest_cases; c++) {
		struct request one = *r;
		char name[128];

		if ((*c)->how != KTEST_PANIC || !means(r->options.only, *c))
			continue;
		snprintf(name, sizeof(name), "%s.%s", (*c)->suite, (*c)->name);
		one.options.only = name;
		passed &= run_apart(&one, name);
	}
	return passed;
}

/* Returns why a machine cannot be simulated here; null when it can. */
static const char *obstacle(const struct sim_config *c)
{
	if (!(c->modes & (QUIRE_PAE ? SIM_PAE : SIM_TWO_LEVEL)))
		return "not a machine for this paging mode";
	if (c->host64 && sizeof(void *) < 8)
		return "needs a 64-bit host";
	return NULL;
}

static bool run_machine(const struct request *r)
{
	const char *reason = obstacle(r->machine);
	const char *only = r->options.only;
	bool passed = true;

	if (reason) {
		printf("# machine %s\n# ended skipped %s\n", r->machine->name, reason);
		return true;
	}
	if (any_case(only, KTEST_NORMAL) || !any_case(only, KTEST_PANIC))
		passed = run_apart(r, NULL);
	if (!r->machine->slow_to_boot || *only)
		passed &= run_panic_cases(r);
	return passed;
}

static int usage(void)
{
	fprintf(stderr, "usage: [all|MACHINE] [SUITE|SUITE.CASE] [SEED], or list. Machines:\n");
	for (unsigned i = 0; sim_config(i); i++)
		fprintf(stderr, "  %-8s %s\n", sim_config(i)->name, sim_config(i)->what);
	return 2;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "all";
	struct request r = {.options = {.only = argc > 2 ? argv[2] : "", .ktap = true}};
	bool passed = true, found = false;

	if (argc > 4)
		return usage();
	if (!strcmp(name, "list")) {
		ktest_list();
		return 0;
	}
	r.options.seed = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 0;
	for (unsigned i = 0; sim_config(i); i++) {
		r.machine = sim_config(i);
		if (strcmp(name, "all") && strcmp(name, r.machine->name))
			continue;
		found = true;
		passed &= run_machine(&r);
	}
	return !found ? usage() : !passed;
}
