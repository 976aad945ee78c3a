/* arch/x86/context.c - the registers with which threads and programs begin. Owns nothing: all of it is the caller's. */
#include <arch/gdt.h>
#include <arch/user.h>

#define EFLAGS_FIXED 0x2u /* bit 1 is always set */
#define EFLAGS_TF    0x100u
#define EFLAGS_IF    0x200u /* interrupts on */
#define EFLAGS_DF    0x400u
#define EFLAGS_RF    0x10000u

/* CF, PF, AF, ZF, SF, TF, DF, OF; RF, AC, ID: a program changes these as it likes. */
#define EFLAGS_OF_PROGRAMS 0x250DD5u
#define LEVEL_USER         3u

/* What arch_context_switch pops, and the return address that start will find. */
struct first_switch {
	uint32_t edi, esi, ebx, ebp;
	void (*eip)(void);
	uint32_t nowhere; /* where backtraces end */
};

void arch_context_init(struct arch_context *c, vaddr_t stack_top, void (*start)(void))
{
	struct first_switch *s = (struct first_switch *)arch_user_frame(stack_top) - 1;

	*s = (struct first_switch){.eip = start};
	c->esp = (uint32_t)s;
}

void arch_user_start(struct trap_frame *f, vaddr_t eip, vaddr_t esp)
{
	*f = (struct trap_frame){
		.gs = 0,
		.fs = 0,
		.es = GDT_USER_DATA,
		.ds = GDT_USER_DATA,
		.eip = eip,
		.cs = GDT_USER_CODE,
		.eflags = EFLAGS_IF | EFLAGS_FIXED,
		.esp = esp,
		.ss = GDT_USER_DATA,
	};
}

void arch_user_sanitise(struct trap_frame *f)
{
	f->cs = (f->cs & 0xFFFF) | LEVEL_USER;
	f->ss = (f->ss & 0xFFFF) | LEVEL_USER;
	f->eflags = (f->eflags & EFLAGS_OF_PROGRAMS) | EFLAGS_IF | EFLAGS_FIXED;
}

void arch_user_handler(struct trap_frame *f)
{
	f->eflags &= ~(EFLAGS_TF | EFLAGS_DF | EFLAGS_RF);
	f->cs = GDT_USER_CODE;
	f->ss = f->ds = f->es = GDT_USER_DATA;
}

void arch_set_kernel_stack(vaddr_t stack_top)
{
	gdt_set_kernel_stack(stack_top);
}
