/*
 * tests/fuzz/main.c - libFuzzer's side of the targets. --target=NAME chooses one, --machine=NAME one of the machines
 * of tests/host/configs.c instead of the one below.
 *
 * A machine boots once and serves every string: each takes back what it took, and this file demands it. What is
 * left is the order of free lists, so a string may, rarely, fail only behind others.
 */
#include "fuzz.h"

#include <kernel/ktest.h>
#include <lib/panic.h>
#include <mm/container.h>
#include <mm/kmap.h>
#include <mm/slab.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tests/host/sim.h>
#include <tests/ktest/machine.h>

/* Small, so that its memory runs out, and with low and high memory in pieces that do not match. */
static const struct sim_config small_machine = {
	.name = "fuzz",
	.what = "12 MiB of low memory, 6 MiB of high memory",
	.modes = SIM_BOTH,
	.ram = {{0x0, 0x9f}, {0x100, 0xb00}, {SIM_DIRECT_FRAMES, 0x203}, {SIM_DIRECT_FRAMES + 0x3fd, 0x405}},
};

static const struct fuzz_target *const targets[] = {
	&fuzz_container,  &fuzz_cpio,    &fuzz_elf, &fuzz_frame, &fuzz_memmap,
	&fuzz_multiboot2, &fuzz_pgtable, &fuzz_pvh, &fuzz_space,
};

static struct {
	const struct fuzz_target *target;
	uint32_t frames_used;
} my;

/* Names that the two runtimes look for. */
const char *__asan_default_options(void);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

uint8_t fuzz_take8(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->bytes++;
}

uint32_t fuzz_take16(struct fuzz_input *in)
{
	uint32_t low = fuzz_take8(in);

	return low | (uint32_t)fuzz_take8(in) << 8;
}

uint32_t fuzz_take32(struct fuzz_input *in)
{
	uint32_t low = fuzz_take16(in);

	return low | fuzz_take16(in) << 16;
}

uint64_t fuzz_take64(struct fuzz_input *in)
{
	uint64_t low = fuzz_take32(in);

	return low | (uint64_t)fuzz_take32(in) << 32;
}

uint32_t fuzz_take_below(struct fuzz_input *in, uint32_t limit)
{
	return (limit <= 256 ? fuzz_take8(in) : fuzz_take16(in)) % limit;
}

void fuzz_check(int64_t got, int64_t want, const char *what, const char *file, int line)
{
	if (got != want)
		panic("%s:%d: %s: got %lld (0x%llx), want %lld (0x%llx)", file, line, what, (long long)got,
		      (unsigned long long)got, (long long)want, (unsigned long long)want);
}

void fuzz_check_vm(const void *pdir, bool sound)
{
	unsigned faults;

	printk_quiet = !sound;
	faults = check_vm(pdir);
	printk_quiet = false;
	FUZZ_EQ(!faults, sound);
}

/* The simulated machine's panic asks whether a case wanted it. */
bool ktest_panicking(const char *message)
{
	(void)message;
	return false;
}

/* Returns what follows --name= among the arguments; null where it is not there. */
static const char *argument(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], name, strlen(name)))
			return argv[i] + strlen(name);
	return NULL;
}

static const struct sim_config *find_machine(const char *name)
{
	for (unsigned i = 0; name && sim_config(i); i++)
		if (!strcmp(sim_config(i)->name, name))
			return sim_config(i);
	return name ? NULL : &small_machine;
}

static const struct fuzz_target *find_target(const char *name)
{
	for (unsigned i = 0; name && i < ARRAY_SIZE(targets); i++)
		if (!strcmp(targets[i]->name, name))
			return targets[i];
	return NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct sim_config *machine = find_machine(argument(*argc, *argv, "--machine="));

	my.target = find_target(argument(*argc, *argv, "--target="));
	if (!my.target || !machine) {
		fprintf(stderr,
			"usage: --target=NAME [--machine=NAME] and libFuzzer's arguments. Targets:\n");
		for (unsigned i = 0; i < ARRAY_SIZE(targets); i++)
			fprintf(stderr, "  %s\n", targets[i]->name);
		exit(2);
	}
	if (!my.target->on_machine)
		return 0;
	sim_boot(machine);
	if (my.target->begin)
		my.target->begin();
	frame_drain();
	my.frames_used = machine_frames_used();
	FUZZ_EQ(sim_violations(), 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input in = {bytes, length};

	my.target->run(&in);
	if (!my.target->on_machine)
		return 0;
	machine_fail_after(-1);
	FUZZ_EQ(machine_frames_used(), my.frames_used);
	FUZZ_EQ(container_count(), 1);
	FUZZ_EQ(kmalloc_used(), 0);
	FUZZ_EQ(check_free_list(), 0);
	FUZZ_EQ(check_containers(), 0);
	FUZZ_EQ(sim_violations(), 0);
	return 0;
}
