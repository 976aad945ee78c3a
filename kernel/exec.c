/*
 * kernel/exec.c - a program takes the place of another. The new space is built aside, with its stack; the old one is
 * given up when nothing can fail any more. Lock: one processor, no preemption.
 */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <asm/resource.h>
#include <asm/signal.h>
#include <fs/file.h>
#include <kernel/elf.h>
#include <kernel/exec.h>
#include <kernel/proc.h>
#include <kernel/random.h>
#include <kernel/signal_frame.h>
#include <lib/string.h>
#include <linux/auxvec.h>
#include <mm/fault.h>
#include <mm/mmap.h>
#include <mm/slab.h>
#include <mm/usercopy.h>

#define STRINGS_MOST  (2u << 20) /* of arguments, environment and their places, as Linux's quarter of 8 MiB */
#define STRINGS_FIRST PAGE_SIZE
#define ONE_MOST      (32u * PAGE_SIZE) /* of one string: MAX_ARG_STRLEN */
#define SCRIPTS_MOST  5u
#define BEGIN_LENGTH  256u /* of a file, to know its kind: BINPRM_BUF_SIZE */
#define RANDOM_BYTES  16u
#define STACK_RANDOM  0x800u /* pages */
#define BRK_RANDOM    0x2000u
#define STACK_ALIGN   16u
#define AUX_MOST      20u

/* Arguments, then the environment, one string behind the other. */
struct strings {
	char *text;
	uint32_t size, used;
	uint32_t arguments, environment; /* how many of each */
};

static int make_room(struct strings *s, uint32_t n)
{
	uint32_t size = s->size ? s->size : STRINGS_FIRST;
	char *text;

	while (size - s->used < n) {
		if (size >= STRINGS_MOST)
			return -E2BIG;
		size *= 2;
	}
	if (size == s->size)
		return 0;
	text = kmalloc(size);
	if (!text)
		return -ENOMEM;
	if (s->used)
		memcpy(text, s->text, s->used);
	kmfree(s->text);
	s->text = text;
	s->size = size;
	return 0;
}

static int add_kernel_string(struct strings *s, const char *text)
{
	uint32_t n = (uint32_t)strlen(text) + 1;
	int err = make_room(s, n);

	if (err)
		return err;
	memcpy(s->text + s->used, text, n);
	s->used += n;
	return 0;
}

static int add_user_string(struct strings *s, vaddr_t from)
{
	int32_t length;
	int err;

	/* First as much as there is room for: few are longer. */
	for (uint32_t room = 256; true; room *= 2) {
		err = make_room(s, room);
		if (err)
			return err;
		length = string_from_user(s->text + s->used, from, s->size - s->used);
		if (length != -ENAMETOOLONG)
			break;
		if (s->size - s->used > ONE_MOST)
			return -E2BIG;
		room = s->size - s->used;
	}
	if (length < 0)
		return length;
	if ((uint32_t)length >= ONE_MOST)
		return -E2BIG;
	s->used += (uint32_t)length + 1;
	return 0;
}

/* A null array is an empty one. */
static int add_user_array(struct strings *s, vaddr_t array, uint32_t *count)
{
	for (*count = 0; array; (*count)++, array += sizeof(uint32_t)) {
		uint32_t string;
		int err = copy_from_user(&string, array, sizeof(string));

		if (err || !string)
			return err;
		err = add_user_string(s, string);
		if (err)
			return err;
		if (s->used + 4 * (s->arguments + s->environment + 1) > STRINGS_MOST)
			return -E2BIG;
	}
	return 0;
}

/* Puts the interpreter, its argument and the script's path in the place of the first argument. */
static int add_script(struct strings *s, const char *interpreter, const char *argument, const char *path)
{
	struct strings with = {0};
	uint32_t first = (uint32_t)strlen(s->text) + 1;
	int err = add_kernel_string(&with, interpreter);

	if (!err && argument)
		err = add_kernel_string(&with, argument);
	if (!err)
		err = add_kernel_string(&with, path);
	if (!err)
		err = make_room(&with, s->used - first + 1);
	if (err) {
		kmfree(with.text);
		return err;
	}
	if (s->used > first)
		memcpy(with.text + with.used, s->text + first, s->used - first);
	with.used += s->used - first;
	with.arguments = s->arguments + 1 + (argument ? 1 : 0);
	with.environment = s->environment;
	kmfree(s->text);
	*s = with;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Cuts "#! interpreter argument" in two, in place; the argument may hold blanks. Null: no sound line. Of one that is
 * longer than what was read the argument is cut off, which the interpreter can read again; a name never is.
 */
static char *cut_script_line(char *line, char **argument)
{
	char *interpreter = line + 2, *end = line, *rest;

	while (*end && *end != '\n')
		end++;
	while (is_blank(*interpreter))
		interpreter++;
	rest = interpreter;
	while (rest < end && !is_blank(*rest))
		rest++;
	if (end == line + BEGIN_LENGTH) {
		if (rest == end)
			return NULL;
		end--;
	}
	while (end > rest && is_blank(end[-1]))
		end--;
	*end = '\0';
	while (is_blank(*rest))
		*rest++ = '\0';
	*argument = *rest ? rest : NULL;
	return *interpreter ? interpreter : NULL;
}

/* What is being executed: changes with each script on the way to a program. */
struct program {
	struct strings strings;
	struct file *file;
	char name[PROC_NAME];
	struct shared_space *shared;
	struct elf_program elf;
	vaddr_t stack; /* where esp begins */
};

static void set_name(struct program *p, const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	memset(p->name, 0, sizeof(p->name));
	for (uint32_t i = 0; i < PROC_NAME - 1 && name[i]; i++)
		p->name[i] = name[i];
}

/* Opens the program, through at most so many scripts. */
static int open_program(struct program *p, const char *path)
{
	char begin[BEGIN_LENGTH + 1];
	const char *next = path;

	for (uint32_t depth = 0; depth <= SCRIPTS_MOST; depth++) {
		char *interpreter, *argument;
		int32_t got;
		int err = file_open_program(&current->fs, next, &p->file);

		if (err)
			return err;
		got = file_pread_kernel(p->file, begin, BEGIN_LENGTH, 0);
		if (got >= 2 && begin[0] == '#' && begin[1] == '!') {
			begin[got] = '\0';
			file_put(p->file);
			p->file = NULL;
			interpreter = cut_script_line(begin, &argument);
			if (!interpreter)
				return -ENOEXEC;
			err = add_script(&p->strings, interpreter, argument, depth ? p->strings.text : path);
			if (err)
				return err;
			next = p->strings.text;
			continue;
		}
		return got < 0 ? got : elf_matches((uint8_t *)begin, (uint32_t)got) ? 0 : -ENOEXEC;
	}
	return -ELOOP;
}

static int map_program(struct program *p)
{
	struct space *s = &p->shared->space;
	vaddr_t top = (ARCH_KERNEL_VPN - 1 - random_word() % STACK_RANDOM) << PAGE_SHIFT;
	int err = elf_map(s, p->file, &p->elf);

	if (!err)
		err = space_map_stack(s, top, current->limit[RLIMIT_STACK].soft,
				      PROT_READ | PROT_WRITE | (p->elf.executable_stack ? PROT_EXEC : 0));
	if (!err)
		err = space_set_brk(s, p->elf.end + (random_word() % BRK_RANDOM << PAGE_SHIFT));
	if (!err)
		err = signal_page_map(s);
	p->stack = top;
	return err;
}

/* True for who acts for another: what it was started with is not to be trusted. */
static bool is_secure(const struct proc *p)
{
	return p->uid[0] != p->uid[1] || p->gid[0] != p->gid[1];
}

static uint32_t fill_auxiliary(const struct program *p, uint32_t *aux, vaddr_t random, vaddr_t platform,
			       vaddr_t path)
{
	const uint32_t pairs[][2] = {
		{AT_HWCAP, cpu_info.features},
		{AT_PAGESZ, PAGE_SIZE},
		{AT_CLKTCK, TICKS_A_SEC},
		{AT_PHDR, p->elf.headers},
		{AT_PHENT, 32},
		{AT_PHNUM, p->elf.header_count},
		{AT_BASE, 0},
		{AT_FLAGS, 0},
		{AT_ENTRY, p->elf.entry},
		{AT_UID, current->uid[0]},
		{AT_EUID, current->uid[1]},
		{AT_GID, current->gid[0]},
		{AT_EGID, current->gid[1]},
		{AT_SECURE, is_secure(current)},
		{AT_RANDOM, random},
		{AT_EXECFN, path},
		{AT_PLATFORM, platform},
		{AT_NULL, 0},
	};

	_Static_assert(sizeof(pairs) <= AUX_MOST * 8, "room");
	memcpy(aux, pairs, sizeof(pairs));
	return sizeof(pairs) / 4;
}

/* Stores the places of count strings from `at` on, and a null; returns the place behind the last one. */
static int store_places(struct program *p, vaddr_t *to, vaddr_t base, uint32_t *at, uint32_t count)
{
	uint32_t place;
	int err = 0;

	for (; count && !err; count--, *to += 4) {
		place = base + *at;
		err = space_write(&p->shared->space, *to, &place, sizeof(place));
		*at += (uint32_t)strlen(p->strings.text + *at) + 1;
	}
	place = 0;
	if (!err)
		err = space_write(&p->shared->space, *to, &place, sizeof(place));
	*to += 4;
	return err;
}

/*
 * Fills the stack of the new space, from its top: path, platform, random bytes, strings; below them, aligned, the
 * count of arguments, the arrays, and what the kernel tells (System V ABI, i386 supplement, 3-30).
 */
static int fill_stack(struct program *p, const char *path)
{
	static const char platform[] = "i486";
	uint32_t aux[2 * AUX_MOST], words, at = 0;
	uint8_t bytes[RANDOM_BYTES];
	struct space *s = &p->shared->space;
	vaddr_t path_at = p->stack - 4 - ((uint32_t)strlen(path) + 1),
		platform_at = path_at - sizeof(platform);
	vaddr_t random_at = platform_at - RANDOM_BYTES, strings_at = random_at - p->strings.used, to;
	int err;

	random_bytes(bytes, sizeof(bytes));
	words = fill_auxiliary(p, aux, random_at, platform_at, path_at);
	p->stack = strings_at - 4 * (words + 3 + p->strings.arguments + p->strings.environment);
	p->stack &= ~(STACK_ALIGN - 1);
	to = p->stack;
	err = space_write(s, path_at, path, (uint32_t)strlen(path) + 1);
	if (!err)
		err = space_write(s, platform_at, platform, sizeof(platform));
	if (!err)
		err = space_write(s, random_at, bytes, sizeof(bytes));
	if (!err)
		err = space_write(s, strings_at, p->strings.text, p->strings.used);
	if (!err)
		err = space_write(s, to, &p->strings.arguments, 4);
	to += 4;
	if (!err)
		err = store_places(p, &to, strings_at, &at, p->strings.arguments);
	if (!err)
		err = store_places(p, &to, strings_at, &at, p->strings.environment);
	if (!err)
		err = space_write(s, to, aux, words * 4);
	return err == -EFAULT ? -E2BIG : err; /* the stack's limit is smaller */
}

static void become(struct trap_frame *f, struct program *p)
{
	p->shared->program = p->file;
	p->file = NULL;
	proc_enter_space(p->shared);
	files_close_on_exec(current->files);
	signals_reset(&current->signals);
	memset(&current->tls, 0, sizeof(current->tls));
	arch_tls_load(&current->tls);
	arch_fpu_init(&current->fpu);
	arch_fpu_load(&current->fpu);
	memcpy(current->name, p->name, sizeof(current->name));
	current->has_execed = true;
	current->exit_signal = SIGCHLD;
	current->dumpable = !is_secure(current);
	if (is_secure(current))
		current->parent_death_signal = 0;
	current->uid[2] = current->uid[3] = current->uid[1];
	current->gid[2] = current->gid[3] = current->gid[1];
	current->keep_caps = 0;
	current->robust_list = 0;
	arch_user_start(f, p->elf.entry, p->stack);
}

static int run(struct trap_frame *f, struct program *p, const char *path)
{
	int err;

	set_name(p, path);
	err = open_program(p, path);
	if (!err)
		err = shared_space_create(current_space()->tenant, current, &p->shared);
	if (err)
		goto out;
	err = map_program(p);
	if (!err)
		err = fill_stack(p, path);
	if (err)
		shared_space_put(p->shared);
	else
		become(f, p);
out:
	if (p->file)
		file_put(p->file);
	kmfree(p->strings.text);
	return err == -EDQUOT ? -ENOMEM : err;
}

int proc_exec_kernel(struct trap_frame *f, const char *path, const char *const *argv, const char *const *envp)
{
	struct program p = {0};
	int err = 0;

	for (; !err && *argv; argv++, p.strings.arguments++)
		err = add_kernel_string(&p.strings, *argv);
	for (; !err && *envp; envp++, p.strings.environment++)
		err = add_kernel_string(&p.strings, *envp);
	if (!err)
		return run(f, &p, path);
	kmfree(p.strings.text);
	return err;
}

int proc_exec(struct trap_frame *f, const char *path, vaddr_t argv, vaddr_t envp)
{
	struct program p = {0};
	int err = add_user_array(&p.strings, argv, &p.strings.arguments);

	if (!err && !p.strings.arguments) {
		/* Programs that take the first one for granted would read the environment for it. */
		err = add_kernel_string(&p.strings, "");
		p.strings.arguments = 1;
	}
	if (!err)
		err = add_user_array(&p.strings, envp, &p.strings.environment);
	if (!err)
		return run(f, &p, path);
	kmfree(p.strings.text);
	return err;
}
