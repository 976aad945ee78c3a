/*
 * arch/x86/trap.c - decides what becomes of a trap: a program's goes to the hooks, an interrupt to its handler, a fault
 * of the kernel's to a fix-up, or it is a panic that says what happened. Owns trap_hooks; descriptor tables are gdt.c's
 * and idt.c's, the interrupt controllers pic.c's and apic.c's.
 */
#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/gdt.h>
#include <arch/idt.h>
#include <arch/irq.h>
#include <arch/pic.h>
#include <arch/user.h>
#include <arch/user_access.h>
#include <kernel/panic.h>
#include <mm/kmap.h>

/* Exceptions of a program that are not its own doing. */
#define OF_THE_MACHINE (1u << TRAP_NMI | 1u << TRAP_DOUBLE_FAULT | 1u << TRAP_MACHINE_CHECK)

/* Where an exception of the kernel can be expected: a page, an instruction, a segment that is not as one would like. */
#define CAN_BE_FIXED_UP (1u << TRAP_INVALID_OPCODE | 0xFu << TRAP_INVALID_TSS | 1u << TRAP_PAGE_FAULT)

struct fix_up {
	uint32_t at, resume;
};
extern const struct fix_up ex_table_start[], ex_table_end[]; /* linker.ld */

void trap_dispatch(struct trap_frame *f); /* from trap.S */
_Noreturn void trap_double_fault(void);   /* from trap.S */
uint32_t trap_read_cr4(void);             /* in trap.S */

/* usercopy.S: where the copy functions are. */
extern const uint8_t user_copy_first[], user_copy_end[];

#define EFLAGS_IF 0x200u

struct user_hooks trap_hooks;
uint32_t arch_return_work;

/* As trap.S has them. */
_Static_assert(offsetof(struct trap_frame, gs) == 4 && offsetof(struct trap_frame, ds) == 16 &&
		       offsetof(struct trap_frame, edi) == 20 && offsetof(struct trap_frame, vector) == 52 &&
		       offsetof(struct trap_frame, error) == 56 && offsetof(struct trap_frame, cs) == 64 &&
		       sizeof(struct trap_frame) == 80,
	       "the frame");
_Static_assert(offsetof(struct user_hooks, syscall) == 0 && offsetof(struct user_hooks, return_work) == 8,
	       "the hooks");

static bool ready;

static const char *const names[TRAP_CPU_VECTORS] = {
	"divide error",
	"debug exception",
	"non-maskable interrupt",
	"breakpoint",
	"overflow",
	"bound range exceeded",
	"invalid opcode",
	"device not available",
	"double fault",
	"coprocessor segment overrun",
	"invalid TSS",
	"segment not present",
	"stack-segment fault",
	"general protection",
	"page fault",
	"reserved exception 15",
	"x87 floating-point error",
	"alignment check",
	"machine check",
	"SIMD floating-point exception",
	"virtualization exception",
	"control protection exception",
	"reserved exception 22",
	"reserved exception 23",
	"reserved exception 24",
	"reserved exception 25",
	"reserved exception 26",
	"reserved exception 27",
	"hypervisor injection exception",
	"VMM communication exception",
	"security exception",
	"reserved exception 31",
};

const char *trap_name(uint32_t vector)
{
	return vector < TRAP_CPU_VECTORS ? names[vector] : "interrupt";
}

/* A double fault's frame is filled from the interrupted task; only there a kernel frame holds esp and ss. */
static bool holds_stack(const struct trap_frame *f)
{
	return trap_from_user(f) || f->vector == TRAP_DOUBLE_FAULT;
}

uint32_t trap_esp(const struct trap_frame *f)
{
	return holds_stack(f) ? f->esp : (uint32_t)&f->esp;
}

uint32_t trap_ss(const struct trap_frame *f)
{
	return holds_stack(f) ? f->ss & 0xFFFF : GDT_KERNEL_DATA;
}

struct trap_control trap_control(void)
{
	return (struct trap_control){arch_read_cr0(), arch_read_cr2(), arch_read_cr3(), trap_read_cr4()};
}

void trap_init(void)
{
	gdt_init();
	idt_init();
	pic_init();
	ready = true;
}

bool trap_ready(void)
{
	return ready;
}

void trap_set_root(pfn_t root)
{
	gdt_set_double_fault_root(root);
}

struct user_hooks arch_user_hooks(const struct user_hooks *hooks)
{
	struct user_hooks before = trap_hooks;

	trap_hooks = *hooks;
	return before;
}

static const struct fix_up *find_fix_up(uint32_t at)
{
	for (const struct fix_up *u = ex_table_start; u < ex_table_end; u++) {
		if (u->at == at)
			return u;
	}
	return NULL;
}

static bool fixed_up(struct trap_frame *f)
{
	const struct fix_up *u;

	if (!(1u << f->vector & CAN_BE_FIXED_UP))
		return false;
	/* What cannot be fetched was called from somewhere: the return address says from where. */
	u = find_fix_up(trap_fetch_failed(f) ? *(const uint32_t *)trap_esp(f) : f->eip);
	if (!u)
		return false;
	f->eip = u->resume;
	return true;
}

static const char *fault_access(const struct trap_frame *f)
{
	if (trap_fetch_failed(f) || (f->error & TRAP_PF_FETCH))
		return "fetch from";
	return f->error & TRAP_PF_WRITE ? "write to" : "read of";
}

static const char *fault_reason(const struct trap_frame *f)
{
	if (f->error & TRAP_PF_RESERVED)
		return "a reserved bit is set in its entry";
	if (f->error & TRAP_PF_PRESENT)
		return "its protection forbids it";
	return kstack_guard(f->cr2) ? "the guard page of a kernel stack" : "nothing is mapped there";
}

static _Noreturn void panic_trap(const struct trap_frame *f)
{
	const char *where = trap_from_user(f) ? " in user mode" : "";

	if (f->vector == TRAP_PAGE_FAULT)
		panic_at(f, "page fault%s: %s 0x%08x, %s", where, fault_access(f), f->cr2, fault_reason(f));
	if (f->vector >= TRAP_CPU_VECTORS)
		panic_at(f, "interrupt %u%s, which nothing asked for", f->vector, where);
	panic_at(f, "%s%s, error code 0x%x", trap_name(f->vector), where, f->error);
}

static bool in_copy_functions(const struct trap_frame *f)
{
	return f->vector == TRAP_PAGE_FAULT &&
	       f->eip - (uint32_t)user_copy_first < (uint32_t)(user_copy_end - user_copy_first);
}

/*
 * A page that the copy functions miss may be one that the program has not touched yet. The kernel's own side must be
 * there: if not, that is a mistake like any other.
 */
static bool copy_goes_on(struct trap_frame *f)
{
	if (vpn_of(f->cr2) >= ARCH_KERNEL_VPN)
		panic_trap(f);
	arch_irq_restore(f->eflags & EFLAGS_IF);
	return (trap_hooks.fault && trap_hooks.fault(f->cr2, f->error)) || fixed_up(f);
}

static void dispatch_from_kernel(struct trap_frame *f)
{
	bool mended = in_copy_functions(f) ? copy_goes_on(f) : fixed_up(f);

	if (!mended)
		panic_trap(f);
}

static void dispatch_from_user(struct trap_frame *f)
{
	if (!trap_hooks.trap || (1u << f->vector & OF_THE_MACHINE))
		panic_trap(f);
	arch_irq_enable();
	trap_hooks.trap(f);
}

void trap_dispatch(struct trap_frame *f)
{
	/* The interrupted code's way to USER pages, open or not, is not the handler's. */
	INVARIANT(!(arch_read_eflags() & EFLAGS_AC));
	if (f->vector >= TRAP_CPU_VECTORS) {
		if (!pic_interrupt(f) && !apic_interrupt(f))
			panic_trap(f);
	} else if (trap_from_user(f)) {
		dispatch_from_user(f);
	} else {
		dispatch_from_kernel(f);
	}
}

static void frame_of_task(struct trap_frame *f, const struct tss *t)
{
	*f = (struct trap_frame){
		.cr2 = arch_read_cr2(),
		.gs = t->gs,
		.fs = t->fs,
		.es = t->es,
		.ds = t->ds,
		.edi = t->edi,
		.esi = t->esi,
		.ebp = t->ebp,
		.ebx = t->ebx,
		.edx = t->edx,
		.ecx = t->ecx,
		.eax = t->eax,
		.vector = TRAP_DOUBLE_FAULT,
		.eip = t->eip,
		.cs = t->cs,
		.eflags = t->eflags,
		.esp = t->esp,
		.ss = t->ss,
	};
}

_Noreturn void trap_double_fault(void)
{
	struct trap_frame f;

	frame_of_task(&f, gdt_interrupted_task());
	/* CR2 may be an old one: it counts where ESP is at the stack above that guard page. */
	if (kstack_guard(f.esp - 1) ||
	    (kstack_guard(f.cr2) && f.esp - f.cr2 < (KSTACK_PAGES + 1) * PAGE_SIZE))
		panic_at(&f, "kernel stack overflow: esp 0x%08x, fault at 0x%08x", f.esp, f.cr2);
	panic_at(&f, "double fault, the last page fault was at 0x%08x", f.cr2);
}
