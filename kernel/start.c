/* kernel/start.c - from the kernel's boot to the first program, and its end. Lock: none. */
#include <arch/irq.h>
#include <arch/timer.h>
#include <arch/user.h>
#include <asm/fcntl.h>
#include <drivers/serial/serial.h>
#include <fs/file.h>
#include <fs/fs.h>
#include <fs/tty.h>
#include <kernel/cmdline.h>
#include <kernel/exec.h>
#include <kernel/panic.h>
#include <kernel/printk.h>
#include <kernel/proc.h>
#include <kernel/random.h>
#include <kernel/signal_frame.h>
#include <kernel/start.h>
#include <kernel/syscall.h>
#include <kernel/user_trap.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/boot_info.h>

#define KERNEL_PART 8u /* of the free frames one in so many is for the kernel's own structures */

bool start_is_wanted(void)
{
	return kernel_options.init[0] ? strcmp(kernel_options.init, "off") : boot_info.module_count;
}

#define SIGNALLED 128 /* as shells tell that a signal ended a program */

/* All that is free but for the kernel's part, for programs and files together. */
static uint32_t programs_quota(void)
{
	struct zone_stats low, high;
	uint32_t free;

	frame_stats(ZONE_LOW, &low);
	frame_stats(ZONE_HIGH, &high);
	free = low.free + high.free;
	free -= free / KERNEL_PART;
	return kernel_options.quota && kernel_options.quota < free ? kernel_options.quota : free;
}

/* Descriptors 0, 1 and 2. Without them it runs too. */
static void open_console(void)
{
	struct file *console;

	if (fs_open_kernel(&current->fs, "/dev/console", O_RDWR, &console))
		return;
	for (uint32_t fd = 0; fd < 3; fd++) {
		file_get(console);
		if (files_install(current->files, console, fd, false) < 0)
			file_put(console);
	}
	file_put(console);
}

static bool is_there(const char *path)
{
	struct file *f;

	if (fs_open_kernel(&current->fs, path, O_PATH, &f))
		return false;
	file_put(f);
	return true;
}

/* What is not there may be what runs it: of a script, or of a program that is linked dynamically. */
static void tell_why(const char *path, int err)
{
	if (err == -ENOENT && !is_there(path)) {
		printk("The first program, %s, is not there.\n", path);
		return;
	}
	printk("The first program, %s, cannot be run: ", path);
	switch (err) {
	case -ENOENT:
		printk("its interpreter is not there, or it is linked dynamically.\n");
		break;
	case -ENOEXEC:
		printk("it is no program for this machine.\n");
		break;
	case -EACCES:
		printk("it is not executable.\n");
		break;
	case -ENOMEM:
		printk("there is too little memory.\n");
		break;
	default:
		printk("error %d.\n", -err);
	}
}

/* In the first process, on its kernel stack. */
static void begin(void)
{
	static const char *const environment[] = {"HOME=/", "PATH=/bin", "TERM=linux", NULL};
	const char *argv[CMDLINE_ARGUMENTS + 2] = {kernel_options.init[0] ? kernel_options.init : "/init"};
	int err;

	arch_irq_enable();
	for (uint32_t i = 0; i < kernel_options.argument_count; i++)
		argv[1 + i] = kernel_options.argument[i];
	open_console();
	err = proc_exec_kernel(arch_user_frame(current->stack), argv[0], argv, environment);
	if (err) {
		tell_why(argv[0], err);
		init_ended(127 << 8);
	}
	arch_user_return(current->stack);
}

/* What is in a module is in memory twice then: its own is given back. */
static void unpack(const struct boot_module *m)
{
	fs_unpack(m); /* says itself what it could not do */
	free_range(m->start, PADDR(m->start.a + m->length));
}

_Noreturn void start_first_program(void)
{
	struct tenant *t;
	int err;

	arch_user_hooks(&kernel_hooks);
	random_init(kernel_options.seed);
	syscall_log = kernel_options.log_calls;
	overcommit = kernel_options.overcommit;
	if (!timer_start(TICKS_A_SEC))
		printk("No timer counts: programs share the processor by their own will.\n");
	err = signal_page_init();
	if (!err)
		err = tenant_create(CONTAINER_ROOT, programs_quota(), &t);
	if (!err) {
		fs_container = t->owner;
		err = fs_init();
	}
	serial_listen(tty_input);
	for (uint32_t i = 0; i < boot_info.module_count && !err; i++)
		unpack(&boot_info.module[i]);
	if (!err)
		err = proc_start_init(t, begin);
	if (err)
		panic("no memory for the first process (%d)", err);
	sched_start();
}

_Noreturn void init_ended(int status)
{
	int sig = status & 0x7F;

	if (sig)
		printk("The first program was ended by signal %d.\n", sig);
	else
		printk("The first program ended with status %d.\n", status >> 8 & 0xFF);
	machine_exit_status((uint8_t)(sig ? SIGNALLED + sig : status >> 8));
}
