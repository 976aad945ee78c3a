/*
 * arch/x86/trap.c - decides what becomes of a trap: a fix-up, or a panic that says what happened. Owns the
 * interrupt controllers' masks; descriptor tables are gdt.c's and idt.c's.
 */
#include <arch/cpu.h>
#include <arch/gdt.h>
#include <arch/idt.h>
#include <arch/io.h>
#include <arch/trap.h>
#include <arch/user_access.h>
#include <kernel/panic.h>
#include <mm/kmap.h>

#define TRAP_INVALID_OPCODE 6u
#define TRAP_CPU_VECTORS    32u

#define PIC_MASTER     0x20
#define PIC_SLAVE      0xA0
#define PIC_DATA       1 /* from either of them */
#define PIC_SPURIOUS   7 /* the line that a controller names when its request went away */
#define PIC_INIT       0x11
#define PIC_SLAVE_LINE 2
#define PIC_MODE_8086  0x01
#define PIC_ALL_MASKED 0xFF
#define PIC_END        0x20
#define PORT_DELAY     0x80 /* of the power-on self-test: a write takes a microsecond, and does nothing else */
#define PIC_LINES      8u

struct fix_up {
	uint32_t at, resume;
};
extern const struct fix_up ex_table_start[], ex_table_end[]; /* linker.ld */

void trap_dispatch(struct trap_frame *f); /* from trap.S */
_Noreturn void trap_double_fault(void);   /* from trap.S */
uint32_t trap_read_cr4(void);             /* in trap.S */

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

/* The controllers of old boards are slower than their CPU. */
static void pic_write(uint16_t port, uint8_t value)
{
	arch_out8(port, value);
	arch_out8(PORT_DELAY, 0);
}

/*
 * The firmware lets the timer in on vector 8, where a double fault would be seen. Moves all lines behind the
 * CPU's own vectors and masks them.
 */
static void pic_mask_all(void)
{
	pic_write(PIC_MASTER, PIC_INIT);
	pic_write(PIC_SLAVE, PIC_INIT);
	pic_write(PIC_MASTER + PIC_DATA, TRAP_IRQ_FIRST);
	pic_write(PIC_SLAVE + PIC_DATA, TRAP_IRQ_FIRST + PIC_LINES);
	pic_write(PIC_MASTER + PIC_DATA, 1 << PIC_SLAVE_LINE);
	pic_write(PIC_SLAVE + PIC_DATA, PIC_SLAVE_LINE);
	pic_write(PIC_MASTER + PIC_DATA, PIC_MODE_8086);
	pic_write(PIC_SLAVE + PIC_DATA, PIC_MODE_8086);
	pic_write(PIC_MASTER + PIC_DATA, PIC_ALL_MASKED);
	pic_write(PIC_SLAVE + PIC_DATA, PIC_ALL_MASKED);
}

void trap_init(void)
{
	gdt_init();
	idt_init();
	pic_mask_all();
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

	if (f->vector != TRAP_PAGE_FAULT && f->vector != TRAP_INVALID_OPCODE)
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

/*
 * A controller that names no line of its own has nothing in service. But the slave's word came through the master,
 * whose line for the slave is in service until it is told of the end.
 */
static bool is_spurious(uint32_t vector)
{
	if (vector == TRAP_IRQ_FIRST + PIC_LINES + PIC_SPURIOUS)
		pic_write(PIC_MASTER, PIC_END);
	return vector == TRAP_IRQ_FIRST + PIC_SPURIOUS || vector == TRAP_IRQ_FIRST + PIC_LINES + PIC_SPURIOUS;
}

void trap_dispatch(struct trap_frame *f)
{
	/* The interrupted code's way to USER pages, open or not, is not the handler's. */
	INVARIANT(!(arch_read_eflags() & EFLAGS_AC));
	if (is_spurious(f->vector))
		return;
	if (!trap_from_user(f) && fixed_up(f))
		return;
	panic_trap(f);
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
