/*
 * kernel/ktest.c - runs the registered cases and reports them. Owns the state of the run; the lists of cases are
 * the linker's. Everything here also runs on the host. Lock: none, one case runs at a time.
 *
 *	for each suite   plan
 *	  for each case    "# running", setup, body, teardown, leaks, result
 *	  state_is_sound   the allocator, the containers and the kernel's map prove themselves
 *	totals
 */
#include <kernel/ktest.h>
#include <lib/panic.h>
#include <lib/printf.h>
#include <lib/string.h>
#include <mm/kmap.h>
#include <mm/slab.h>
#include <tests/ktest/machine.h>

#define SOUNDNESS "state_is_sound" /* the case that ends every suite */

extern const struct ktest_case *__start_ktest_cases[], *__stop_ktest_cases[];
extern const struct ktest_fixture *__start_ktest_fixtures[], *__stop_ktest_fixtures[];

/* What a case must leave as it found it. */
struct footprint {
	uint32_t frames, objects, containers;
};

static struct {
	const struct ktest_options *options;
	const char *suite;
	const struct ktest_case *test; /* null between cases */
	char name[96];                 /* of the case, with its parameter */
	bool failed, skipped;          /* the case */
	char reason[160];              /* for the skip */
	bool seeded;
	uint32_t random;
	uint32_t number; /* of the case in its suite */
	uint32_t suite_number;
	struct ktest_result in_suite, total;
} run;

static uint32_t seed(void)
{
	return run.options->seed ? run.options->seed : 1;
}

/* Output. */

static const char *indent(void)
{
	return run.options->ktap ? "  " : "      ";
}

/* Begins a line that explains why the running case fails; the first one for people says which case that is. */
static void begin_failure(void)
{
	if (!run.options->ktap && !run.failed)
		printk("    FAILED %s.%s (seed %u)\n", run.suite, run.name, seed());
	run.failed = true;
	printk("%s# ", indent());
}

static void print_result(void)
{
	const char *verdict = run.failed ? "not ok" : "ok";

	if (!run.options->ktap)
		return;
	if (run.skipped && !run.failed)
		printk("  ok %u %s # SKIP %s\n", run.number, run.name, run.reason);
	else
		printk("  %s %u %s\n", verdict, run.number, run.name);
}

static void begin_suite(uint32_t planned)
{
	run.in_suite = (struct ktest_result){0, 0, 0};
	run.number = 0;
	run.suite_number++;
	if (run.options->ktap)
		printk("  KTAP version 1\n  # Subtest: %s\n  1..%u\n", run.suite, planned);
}

static void end_suite_for_people(void)
{
	const struct ktest_result *r = &run.in_suite;

	printk("  %-12s %u passed", run.suite, r->passed);
	if (r->failed)
		printk(", %u FAILED", r->failed);
	if (r->skipped)
		printk(", %u skipped", r->skipped);
	printk("\n");
}

static void end_suite(void)
{
	const struct ktest_result *r = &run.in_suite;

	run.total.passed += r->passed;
	run.total.failed += r->failed;
	run.total.skipped += r->skipped;
	if (!run.options->ktap) {
		end_suite_for_people();
		return;
	}
	printk("# %s: pass:%u fail:%u skip:%u\n", run.suite, r->passed, r->failed, r->skipped);
	printk("%s %u %s\n", r->failed ? "not ok" : "ok", run.suite_number, run.suite);
}

static void print_totals(void)
{
	if (run.options->ktap)
		printk("# totals: pass:%u fail:%u skip:%u\n", run.total.passed, run.total.failed,
		       run.total.skipped);
}

/* What cases call. */

static void print_value(int64_t value)
{
	/* Small numbers and errors read best in decimal, addresses and masks in hex. */
	if (value > 999 || value < -4095)
		printk("%lld (0x%llx)", (long long)value, (unsigned long long)value);
	else
		printk("%lld", (long long)value);
}

bool ktest_check(int64_t got, int64_t want, bool equal, const char *what, const char *file, int line)
{
	if ((got == want) == equal)
		return true;
	begin_failure();
	printk("EXPECT %s:%d: %s: got ", file, line, what);
	print_value(got);
	printk(equal ? ", want " : ", want anything but ");
	print_value(want);
	printk("\n");
	return false;
}

void ktest_skip(const char *format, ...)
{
	va_list args;

	run.skipped = true;
	va_start(args, format);
	text_format_va(run.reason, sizeof(run.reason), format, args);
	va_end(args);
}

void ktest_fail(const char *format, ...)
{
	char message[256];
	va_list args;

	va_start(args, format);
	text_format_va(message, sizeof(message), format, args);
	va_end(args);
	begin_failure();
	printk("%s\n", message);
}

/* Mixes a string into a hash: FNV-1a. */
static uint32_t hash(uint32_t from, const char *s)
{
	while (*s)
		from = (from ^ (uint8_t)*s++) * 16777619u;
	return from;
}

/* A case's numbers depend on the seed and its own name only, so it repeats when it runs alone. */
static void start_random(void)
{
	uint32_t state = hash(hash(2166136261u ^ seed() * 2654435769u, run.suite), run.name);

	run.random = state ? state : 1; /* 0 would stay 0 */
	run.seeded = true;
	if (run.options->ktap)
		printk("  # seed %u\n", seed());
}

/* Marsaglia, Xorshift RNGs (2003), the triple 13, 17, 5. */
uint32_t ktest_random(void)
{
	if (!run.seeded)
		start_random();
	run.random ^= run.random << 13;
	run.random ^= run.random >> 17;
	run.random ^= run.random << 5;
	return run.random;
}

uint32_t ktest_random_below(uint32_t limit)
{
	INVARIANT(limit);
	return (uint32_t)((uint64_t)ktest_random() * limit >> 32);
}

/* The order of cases. */

static bool goes_before(const struct ktest_case *a, const struct ktest_case *b)
{
	int by_suite = strcmp(a->suite, b->suite);
	int by_file = by_suite ? by_suite : strcmp(a->file, b->file);

	return by_file ? by_file < 0 : a->line < b->line;
}

/* The linker's order is that of the objects. Insertion: a few hundred cases, sorted once. */
static void sort_cases(void)
{
	const struct ktest_case **first = __start_ktest_cases;

	for (const struct ktest_case **c = first; c < __stop_ktest_cases; c++) {
		const struct ktest_case *moving = *c;
		const struct ktest_case **to = c;

		for (; to > first && goes_before(moving, to[-1]); to--)
			*to = to[-1];
		*to = moving;
	}
}

/* Which cases run. */

/* If s begins with the word, returns what follows it: the end or a dot and more; else null. */
static const char *after_word(const char *s, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(s, word, length) || (s[length] && s[length] != '.'))
		return NULL;
	return s + length;
}

static void name_of(char *out, size_t size, const struct ktest_case *c, uint32_t param)
{
	if (c->params)
		text_format(out, size, "%s.%u", c->name, param);
	else
		text_format(out, size, "%s", c->name);
}

/* "suite" names its normal cases, "suite.case" one in every value, "suite.case.value" one in one. */
static bool is_chosen(const struct ktest_case *c, uint32_t param)
{
	const char *only = run.options->only;
	char name[sizeof(run.name)];

	if (!only || !*only)
		return c->how == KTEST_NORMAL;
	only = after_word(only, c->suite);
	if (!only)
		return false;
	if (!*only)
		return c->how == KTEST_NORMAL;
	name_of(name, sizeof(name), c, param);
	return !strcmp(only + 1, c->name) || !strcmp(only + 1, name);
}

static uint32_t param_count(const struct ktest_case *c)
{
	return c->params ? c->param_count : 1;
}

static uint32_t param_of(const struct ktest_case *c, uint32_t i)
{
	return c->params ? c->params[i] : 0;
}

/* The cases of one suite, all of them: a range of the sorted list. */
struct suite {
	const struct ktest_case **first, **end;
};

static struct suite suite_from(const struct ktest_case **first)
{
	struct suite s = {first, first};

	while (s.end < __stop_ktest_cases && !strcmp((*s.end)->suite, (*first)->suite))
		s.end++;
	return s;
}

static uint32_t count_chosen(struct suite s)
{
	uint32_t count = 0;

	for (const struct ktest_case **c = s.first; c < s.end; c++) {
		for (uint32_t i = 0; i < param_count(*c); i++)
			count += is_chosen(*c, param_of(*c, i));
	}
	return count;
}

static uint32_t count_suites(void)
{
	uint32_t count = 0;

	for (const struct ktest_case **c = __start_ktest_cases; c < __stop_ktest_cases;) {
		struct suite s = suite_from(c);

		count += count_chosen(s) != 0;
		c = s.end;
	}
	return count;
}

/* A boot that ends in an expected panic cannot look at its state afterwards. */
static bool expects_panic(struct suite s)
{
	for (const struct ktest_case **c = s.first; c < s.end; c++) {
		for (uint32_t i = 0; i < param_count(*c); i++) {
			if ((*c)->panic && is_chosen(*c, param_of(*c, i)))
				return true;
		}
	}
	return false;
}

/* Running. */

static struct footprint footprint(void)
{
	return (struct footprint){machine_frames_used(), kmalloc_used(), container_count()};
}

static void check_leaks(const struct footprint *before)
{
	struct footprint now = footprint();

	if (now.frames != before->frames)
		ktest_fail("leak: %u frames used before the case, %u after it", before->frames, now.frames);
	if (now.objects != before->objects)
		ktest_fail("leak: %u objects of kmalloc before the case, %u after it", before->objects,
			   now.objects);
	if (now.containers != before->containers)
		ktest_fail("leak: %u containers before the case, %u after it", before->containers,
			   now.containers);
}

static void run_fixtures(bool teardown)
{
	for (const struct ktest_fixture **f = __start_ktest_fixtures; f < __stop_ktest_fixtures; f++) {
		if ((*f)->teardown == teardown && !strcmp((*f)->suite, run.suite))
			(*f)->run();
	}
}

static void begin_case(const char *name)
{
	text_format(run.name, sizeof(run.name), "%s", name);
	run.number++;
	run.failed = run.skipped = run.seeded = false;
	if (run.options->ktap)
		printk("  # running %s\n", run.name);
}

static void end_case(void)
{
	run.test = NULL;
	if (run.failed)
		run.in_suite.failed++;
	else if (run.skipped)
		run.in_suite.skipped++;
	else
		run.in_suite.passed++;
	print_result();
}

static void run_case(const struct ktest_case *c, uint32_t param)
{
	struct footprint before = footprint();
	char name[sizeof(run.name)];

	name_of(name, sizeof(name), c, param);
	begin_case(name);
	run.test = c;
	run_fixtures(false);
	if (!run.failed && !run.skipped)
		c->run(param);
	machine_fail_after(-1); /* a failed ASSERT may have left it on */
	run_fixtures(true);
	check_leaks(&before);
	if (machine_violations())
		ktest_fail("the machine saw broken rules, printed above");
	if (c->panic && !run.skipped)
		ktest_fail("returned, without the panic \"%s\"", c->panic);
	end_case();
}

static void check_soundness(void)
{
	begin_case(SOUNDNESS);
	EXPECT_EQ(check_free_list(), 0);
	EXPECT_EQ(check_containers(), 0);
	EXPECT_EQ(kmalloc_check(), 0);
	EXPECT_EQ(check_vm(&kernel_pdir), 0);
	if (identity_pdir.root.n)
		EXPECT_EQ(check_vm(&identity_pdir), 0);
	end_case();
}

static void run_suite(struct suite s)
{
	bool soundness = !expects_panic(s);

	run.suite = (*s.first)->suite;
	begin_suite(count_chosen(s) + soundness);
	for (const struct ktest_case **c = s.first; c < s.end; c++) {
		for (uint32_t i = 0; i < param_count(*c); i++) {
			if (is_chosen(*c, param_of(*c, i)))
				run_case(*c, param_of(*c, i));
		}
	}
	if (soundness)
		check_soundness();
	end_suite();
}

static void report_no_case(void)
{
	const char *only = run.options->only ? run.options->only : "";

	run.total.failed = 1;
	if (run.options->ktap)
		printk("# no case has this name\nnot ok 1 %s\n", *only ? only : "everything");
	else
		printk("  FAILED: no case is named %s\n", only);
}

struct ktest_result ktest_run(const struct ktest_options *o)
{
	uint32_t suites;

	memset(&run, 0, sizeof(run));
	run.options = o;
	sort_cases();
	suites = count_suites();
	if (o->ktap)
		printk("KTAP version 1\n1..%u\n", suites ? suites : 1);
	for (const struct ktest_case **c = __start_ktest_cases; c < __stop_ktest_cases;) {
		struct suite s = suite_from(c);

		if (count_chosen(s))
			run_suite(s);
		c = s.end;
	}
	if (!suites)
		report_no_case();
	print_totals();
	return run.total;
}

void ktest_list(void)
{
	static const char *const how[] = {"normal", "panic", "manual"};

	sort_cases();
	for (const struct ktest_case **c = __start_ktest_cases; c < __stop_ktest_cases; c++)
		printk("%s.%s %s\n", (*c)->suite, (*c)->name, how[(*c)->how]);
}

static bool contains(const char *text, const char *part)
{
	size_t length = strlen(part);

	for (; *text; text++) {
		if (!strncmp(text, part, length))
			return true;
	}
	return !length;
}

bool ktest_panicking(const char *message)
{
	const struct ktest_case *c = run.test;

	if (!c)
		return false;
	if (!c->panic || !contains(message, c->panic))
		ktest_fail("panic: %s", message);
	end_case();
	if (run.in_suite.failed)
		return false;
	end_suite();
	print_totals();
	return true;
}
