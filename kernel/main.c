/*
 * kernel/main.c - the order of initialisation, as a table. Owns boot_record. Runs on one processor with
 * interrupts off; no lock.
 */
#include <arch/boot.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/stack_guard.h>
#include <arch/trap.h>
#include <arch/user.h>
#include <kernel/boot.h>
#include <kernel/cmdline.h>
#include <kernel/panic.h>
#include <kernel/printk.h>
#include <kernel/start.h>
#include <kernel/symbols.h>
#include <kernel/sys.h>
#include <lib/printf.h>
#include <mm/boot_alloc.h>
#include <mm/boot_need.h>
#include <mm/container.h>
#include <mm/kmap.h>
#include <mm/slab.h>
#include <mm/space.h>
#include <tests/bench/bench.h>

#define DIRECT_MIB   (ARCH_DIRECT_PAGES / (1u << (20 - PAGE_SHIFT)))
#define KIB_OF_FRAME (PAGE_SIZE / 1024)

_Noreturn void kernel_main(uint32_t magic, uint32_t info);

struct boot_record boot_record;

/* What the entry code hands over: the loader's magic and the physical address of its information. */
static struct {
	uint32_t magic, info;
} handed_over;

/* Returns the KiB of one kind that the direct map can show; frame 0 serves nobody. */
static uint32_t memory_below(enum mem_kind kind)
{
	uint64_t bytes = memmap_bytes(&boot_info.map, kind, (uint64_t)ARCH_DIRECT_PAGES << PAGE_SHIFT);

	if (boot_info.map.edge[0].kind == kind)
		bytes -= PAGE_SIZE;
	return (uint32_t)(bytes / 1024);
}

/* Ends a boot that cannot go on, in the reader's words. */
static _Noreturn void boot_failed(const char *needed, const char *change)
{
	printk_last_words();
	printk("Quire cannot start.\n  needed: %s\n", needed);
	printk("  found:  %u KiB of usable memory below %u MiB and %u KiB of modules, in %u ranges, loader "
	       "\"%s\" "
	       "(%s)\n",
	       memory_below(MEM_USABLE) + memory_below(MEM_BOOT), DIRECT_MIB, memory_below(MEM_MODULE),
	       boot_info.raw_count, boot_info.loader, boot_info.protocol);
	printk("  change: %s\n", change);
	machine_exit(false);
}

static bool suites_wanted(const struct kernel_options *o)
{
	return o->test || !(o->bench || o->no_selftest);
}

static int read_boot_information(void)
{
	const char *why;
	int err = arch_boot_info(handed_over.magic, handed_over.info, &boot_info, &why);

	if (err) {
		printk("Boot information: magic 0x%08x at 0x%08x: %s (%d).\n", handed_over.magic,
		       handed_over.info, why, err);
		boot_failed("sound boot information with a memory map, by Multiboot2 or PVH",
			    "start Quire with GRUB 2 (multiboot2 /boot/quire.elf) or with qemu -kernel");
	}
	cmdline_parse(boot_info.cmdline, &kernel_options);
	symbols_of_suites = suites_wanted(&kernel_options);
	kmap_claim_image(&boot_info.map, symbols_of_suites);
	return 0;
}

static int probe_paging_unit(void)
{
	arch_mmu_probe(kernel_options.as_486);
	return 0;
}

static int start_phase_one(void)
{
	boot_alloc_init(&boot_info.map, PFN(ARCH_NO_LARGE_END), arch_boot_spare());
	return 0;
}

static int build_kernel_map(void)
{
	return kvm_init(&kernel_pdir);
}

static int turn_paging_on(void)
{
	enable_paging(&kernel_pdir);
	trap_set_root(kernel_pdir.root);
	boot_alloc_window_all();
	return 0;
}

/*
 * Not before paging is on, for then its mapping would end; as soon as it is, so that the screen shows what may go wrong
 * from here on. It is console output, and does not count as the allocators' time.
 */
static int start_screen(void)
{
	uint64_t before = arch_clock_now();

	printk_open_screen();
	boot_record.console += arch_clock_now() - before;
	return 0;
}

static int make_descriptors(void)
{
	return kmap_descriptors(&kernel_pdir);
}

/* What the loader's own ranges call usable within reach, in whole KiB. */
static uint64_t usable_kib(void)
{
	uint64_t reach = (uint64_t)arch_mmu.pfn_end << PAGE_SHIFT, sum = 0;

	for (uint32_t i = 0; i < boot_info.raw_count; i++) {
		uint64_t length = boot_info.raw[i].length, base = boot_info.raw[i].base;

		if (boot_info.raw[i].type == BOOT_RAW_USABLE && base < reach)
			sum += (length < reach - base ? length : reach - base) / 1024;
	}
	return sum;
}

static int start_phase_two(void)
{
	struct zone_stats low, high;

	alloc_init();
	boot_record.sealed = arch_clock_now() - boot_record.started - boot_record.console;
	frame_stats(ZONE_LOW, &low);
	frame_stats(ZONE_HIGH, &high);
	boot_record.taken_kib = (uint32_t)(usable_kib() - 4ull * (low.free + high.free));
	return 0;
}

static int start_objects(void)
{
	slab_init();
	return 0;
}

static int start_containers(void)
{
	container_init();
	return 0;
}

static int build_identity_map(void)
{
	int err = idptbl_init();

	return err ? err : pdir_init_kern(&identity_pdir);
}

static int prepare_user_mode(void)
{
	arch_user_init();
	futex_init();
	return 0;
}

static int move_to_guarded_stack(void);

static int release_boot_memory(void)
{
	boot_record.boot_frames = kmap_release_boot();
	return 0;
}

/* Each needs what stands above it. */
static const struct step {
	const char *name;
	int (*run)(void);
} steps[] = {
	{"boot information", read_boot_information},
	{"paging unit", probe_paging_unit},
	{"boot allocator, phase one", start_phase_one},
	{"kernel map", build_kernel_map},
	{"paging on", turn_paging_on},
	{"screen", start_screen},
	{"frame descriptors", make_descriptors},
	{"frame allocator, phase two", start_phase_two},
	{"objects", start_objects},
	{"containers", start_containers},
	{"identity map", build_identity_map},
	{"address spaces", space_init},
	{"user mode", prepare_user_mode},
	{"guarded stack", move_to_guarded_stack},
	{"boot memory given back", release_boot_memory},
};
_Static_assert(ARRAY_SIZE(steps) <= BOOT_STEPS_MOST, "room for each step's time");

static _Noreturn void idle(void)
{
	printk("Idle.\n");
	while (true)
		arch_halt();
}

static bool all_passed(const struct ktest_result *r)
{
	return !r->failed && r->passed + r->skipped;
}

static _Noreturn void run_bench(void)
{
	machine_exit(bench_run());
}

/* True when there is room for the suites; else says how much they need. */
static bool tests_fit(void)
{
	struct zone_stats low;
	uint32_t free;

	frame_stats(ZONE_LOW, &low);
	free = low.free * KIB_OF_FRAME;
	if (free < KTEST_NEEDS_KIB)
		printk("The self-tests need %u KiB of free memory below %u MiB, and there are %u: none is "
		       "run.\n",
		       KTEST_NEEDS_KIB, DIRECT_MIB, free);
	return free >= KTEST_NEEDS_KIB;
}

static _Noreturn void run_tests(void)
{
	struct ktest_options o = {.only = kernel_options.only, .seed = kernel_options.seed, .ktap = true};
	struct ktest_result r;

	if (kernel_options.list) {
		ktest_list();
		machine_exit(true);
	}
	if (!tests_fit())
		machine_exit(false);
	r = ktest_run(&o);
	machine_exit(all_passed(&r));
}

/* Ends a boot for which there is too little memory, with how much would do. */
static _Noreturn void too_little_memory(void)
{
	struct boot_need n = boot_need(&boot_info.map);
	uint32_t need = (boot_need_low(&boot_info.map) + boot_alloc_window_tables()) * KIB_OF_FRAME;
	uint32_t found = memory_below(MEM_USABLE) + memory_below(MEM_BOOT);
	char needed[160], change[120];

	text_format(needed, sizeof(needed),
		    "%u KiB of usable memory below %u MiB: kernel map %u, descriptors %u, identity map %u, "
		    "stack %u, zero page %u",
		    need, DIRECT_MIB, n.kernel_map * KIB_OF_FRAME, n.descriptors * KIB_OF_FRAME,
		    n.identity * KIB_OF_FRAME, n.stack * KIB_OF_FRAME, n.zero_page * KIB_OF_FRAME);
	if (need > found)
		text_format(change, sizeof(change), "give the machine %u KiB more memory, or smaller modules",
			    need - found);
	else
		text_format(change, sizeof(change), "give the machine more memory");
	boot_failed(needed, change);
}

/* What comes after the last step: the tests alone, or the report for a person. */
static _Noreturn void after_boot(void)
{
	struct ktest_options o = {.seed = kernel_options.seed};
	struct ktest_result r = {0};

	if (kernel_options.test)
		run_tests();
	if (kernel_options.bench)
		run_bench();
	report_machine();
	if (!kernel_options.no_selftest) {
		printk("\nSelf-tests\n");
		if (tests_fit())
			r = ktest_run(&o);
	}
	report_summary(&r);
	if (kernel_options.exit)
		machine_exit(kernel_options.no_selftest || all_passed(&r));
	if (start_is_wanted())
		start_first_program();
	idle();
}

static void run_step(uint32_t i)
{
	boot_record.time[i].name = steps[i].name;
	boot_record.time[i].ticks = arch_clock_now();
	if (steps[i].run()) {
		printk("Step %u, %s: no memory.\n", i + 1, steps[i].name);
		too_little_memory();
	}
}

/* Debug builds prove after each step what stands by then. */
static void check_step(void)
{
	unsigned faults = 0;

	if (boot_alloc_sealed())
		faults = check_free_list() + check_containers() + check_vm(&kernel_pdir);
	if (identity_pdir.root.n)
		faults += check_vm(&identity_pdir);
	if (faults)
		panic("%u faults after step %u, %s", faults, boot_record.steps,
		      steps[boot_record.steps - 1].name);
}

/* Runs the steps that are left; once in the middle of one, on a new stack, so it ends that one first. */
static _Noreturn void end_step_and_go_on(void)
{
	while (true) {
		struct boot_step_time *t = &boot_record.time[boot_record.steps++];

		t->ticks = arch_clock_now() - t->ticks;
		if (QUIRE_DEBUG)
			check_step();
		if (boot_record.steps == ARRAY_SIZE(steps))
			after_boot();
		run_step(boot_record.steps);
	}
}

/* Does not return: the old stack is left for good. */
static int move_to_guarded_stack(void)
{
	vaddr_t top = kstack_alloc();

	if (!top)
		return -ENOMEM;
	arch_stack_switch(top, end_step_and_go_on);
}

_Noreturn void kernel_main(uint32_t magic, uint32_t info)
{
	uint64_t before;

	arch_cpu_identify(false);
	boot_record.started = arch_clock_now();
	trap_init();
	before = arch_clock_now();
	printk_init();
	report_banner();
	boot_record.console = arch_clock_now() - before;
	arch_stack_guard_init();
	handed_over.magic = magic;
	handed_over.info = info;
	run_step(0);
	end_step_and_go_on();
}
