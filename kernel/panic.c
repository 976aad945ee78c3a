/*
 * kernel/panic.c - the last report. Owns the state that keeps a panic within a panic from going round in circles.
 * Takes no lock, trusts no pointer, and reads memory only where a probe says that it can.
 */
#include <arch/cpu.h>
#include <arch/frame_access.h>
#include <arch/irq.h>
#include <arch/mmu.h>
#include <arch/probe.h>
#include <arch/pte_store.h>
#include <drivers/qemu/debug_exit.h>
#include <kernel/cmdline.h>
#include <kernel/ktest.h>
#include <kernel/panic.h>
#include <kernel/printk.h>
#include <kernel/symbols.h>
#include <lib/printf.h>

#define BACKTRACE_MOST 32

static struct {
	uint32_t depth;
	char message[256];
} state;

_Noreturn void machine_exit(bool passed)
{
	arch_irq_save();
	qemu_debug_exit(passed);
	while (true)
		arch_halt();
}

_Noreturn void machine_exit_status(uint8_t status)
{
	arch_irq_save();
	qemu_debug_exit_status(status);
	while (true)
		arch_halt();
}

static bool under_test(void)
{
	return kernel_options.test || kernel_options.exit;
}

static _Noreturn void stand_still(void)
{
	if (under_test())
		machine_exit(false);
	printk("The machine stands still. Turn it off or reset it.\n");
	while (true)
		arch_halt();
}

static void report_place(uint32_t address, bool is_return)
{
	uint32_t offset;
	/* A call that never returns may be its function's last instruction: look up the call, not what follows. */
	const char *name = symbol_find(address - is_return, &offset);

	if (name)
		printk("  0x%08x %s+0x%x\n", address, name, offset + is_return);
	else
		printk("  0x%08x\n", address);
}

/* Two words on the kernel's half that can be read: a saved frame pointer and a return address. */
static bool two_words_readable(uint32_t at)
{
	return at % sizeof(uint32_t) == 0 && vpn_of(at) >= ARCH_KERNEL_VPN &&
	       at <= UINT32_MAX - 2 * sizeof(uint32_t) && arch_probe_read(at) &&
	       arch_probe_read(at + 2 * sizeof(uint32_t) - 1);
}

/* Every saved frame pointer must lead up the stack, so the walk ends even on nonsense. */
static void report_callers(uint32_t frame)
{
	uint32_t below = 0;

	for (int i = 0; i < BACKTRACE_MOST && frame > below && two_words_readable(frame); i++) {
		const uint32_t *saved = (const uint32_t *)frame; /* the caller's frame, the return address */

		if (!saved[1]) /* the entry code calls its first function from nowhere */
			return;
		report_place(saved[1], true);
		below = frame;
		frame = saved[0];
	}
}

static void report_backtrace(const struct trap_frame *f)
{
	printk("backtrace:\n");
	report_place(f->eip, f->vector == TRAP_NONE);
	/* A call to nowhere has made no frame yet: its return address is all that names the caller. */
	if (trap_fetch_failed(f) && two_words_readable(trap_esp(f)))
		report_place(*(const uint32_t *)trap_esp(f), true);
	report_callers(f->ebp);
}

static void report_registers(const struct trap_frame *f)
{
	struct trap_control c = trap_control();

	printk("eax %08x  ebx %08x  ecx %08x  edx %08x\n", f->eax, f->ebx, f->ecx, f->edx);
	printk("esi %08x  edi %08x  ebp %08x  esp %08x\n", f->esi, f->edi, f->ebp, trap_esp(f));
	printk("eip %08x  eflags %08x  cs %04x  ss %04x  ds %04x  es %04x  fs %04x  gs %04x\n", f->eip,
	       f->eflags, f->cs & 0xFFFF, trap_ss(f), f->ds & 0xFFFF, f->es & 0xFFFF, f->fs & 0xFFFF,
	       f->gs & 0xFFFF);
	printk("cr0 %08x  cr2 %08x  cr3 %08x  cr4 %08x\n", c.cr0, f->cr2, c.cr3, c.cr4);
}

static void report_entry(unsigned level, vpn_t v, pte_t entry)
{
	enum pte_kind kind = arch_pte_kind(level, entry);
	prot_t prot = arch_pte_prot(entry);

	printk("  level %u entry %3u: %016llx ", level, arch_pt_index(level, v),
	       (unsigned long long)entry.raw);
	if (kind == PTE_NONE)
		printk("absent\n");
	else if (kind == PTE_TABLE)
		printk("table in frame 0x%x\n", arch_pte_pfn(entry).n);
	else
		printk("maps frame 0x%x r%c%c %s%s\n", arch_pte_pfn(entry).n, prot & PROT_W ? 'w' : '-',
		       prot & PROT_X ? 'x' : '-', prot & PROT_USER ? "user" : "kernel",
		       prot & PROT_GLOBAL ? " global" : "");
}

/* The tables may be what is broken: each entry is probed before it is read. */
static void report_walk(vaddr_t va)
{
	pfn_t table = arch_mmu_root();
	unsigned level = ARCH_PT_LEVELS;
	enum pte_kind kind = PTE_TABLE;

	printk("page walk for 0x%08x from the root in frame 0x%x:\n", va, table.n);
	while (kind == PTE_TABLE && level--) {
		const pte_t *slot =
			(const pte_t *)arch_frame_direct(table) + arch_pt_index(level, vpn_of(va));
		pte_t entry;

		if (!arch_frame_is_direct(table) || !arch_probe_read((vaddr_t)slot)) {
			printk("  level %u: the table in frame 0x%x cannot be read\n", level, table.n);
			return;
		}
		entry = arch_pte_read(slot);
		report_entry(level, vpn_of(va), entry);
		kind = arch_pte_kind(level, entry);
		table = arch_pte_pfn(entry);
	}
}

/* Page faults are the ones with an address; a double fault mostly has one that could not be handled. */
static bool has_fault_address(const struct trap_frame *f)
{
	return f->vector == TRAP_PAGE_FAULT || f->vector == TRAP_DOUBLE_FAULT;
}

static void report(const struct trap_frame *f)
{
	if (!trap_ready()) {
		printk("  called from 0x%08x, before faults could be caught: nothing more can be read "
		       "safely\n",
		       f->eip);
		return;
	}
	report_registers(f);
	if (has_fault_address(f))
		report_walk(f->cr2);
	report_backtrace(f);
}

/* Something in the report itself failed: one line, and no second try. */
static _Noreturn void panic_again(const char *format, va_list args)
{
	static const char prefix[] = "panic while panicking: ";
	char *message = state.message;

	if (state.depth > 2)
		stand_still();
	text_format(message, sizeof(state.message), "%s", prefix);
	text_format_va(message + sizeof(prefix) - 1, sizeof(state.message) - sizeof(prefix) + 1, format,
		       args);
	printk("\n%s\n", message);
	if (ktest_panicking(message))
		machine_exit(true);
	stand_still();
}

_Noreturn void panic_report(const struct trap_frame *f, const char *format, va_list args)
{
	arch_irq_save();
	printk_last_words();
	if (++state.depth > 1)
		panic_again(format, args);
	text_format_va(state.message, sizeof(state.message), format, args);
	if (ktest_panicking(state.message))
		machine_exit(true);
	printk("\npanic: %s\n", state.message);
	report(f);
	stand_still();
}

_Noreturn void panic_at(const struct trap_frame *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	panic_report(f, format, args);
}
