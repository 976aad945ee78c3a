/* tests/ktest/user_test.c - the ways between a program and the kernel, with programs of a few instructions. */
#include <arch/cpu.h>
#include <arch/gdt.h>
#include <arch/irq.h>
#include <arch/pic.h>
#include <arch/probe.h>
#include <arch/user_access.h>
#include <mm/usercopy.h>
#include <tests/ktest/user_machine.h>

#define EFLAGS_DF   0x400u
#define EFLAGS_IF   0x200u
#define EFLAGS_IOPL 0x3000u
#define EFLAGS_NT   0x4000u
#define EFLAGS_VM   0x20000u
#define EFLAGS_ID   0x200000u

static struct {
	uint32_t calls;
	struct trap_frame frame; /* of the last call */
	uint32_t eflags;
	uint16_t segment[6];
} seen;

KTEST_SETUP(user)
{
	seen.calls = 0;
	if (!user_machine_begin())
		ktest_fail("no memory for an address space");
}

KTEST_TEARDOWN(user)
{
	EXPECT_EQ(check_vm(&user_pdir), 0);
	user_machine_end();
}

static void note_call(struct trap_frame *f)
{
	uint16_t *s = seen.segment;

	seen.calls++;
	seen.frame = *f;
	seen.eflags = arch_read_eflags();
	__asm__ volatile(
		"movw %%cs, %0\n\tmovw %%ss, %1\n\tmovw %%ds, %2\n\tmovw %%es, %3\n\tmovw %%fs, %4\n\t"
		"movw %%gs, %5"
		: "=m"(s[0]), "=m"(s[1]), "=m"(s[2]), "=m"(s[3]), "=m"(s[4]), "=m"(s[5]));
	f->eax = 0x600D;
}

/* Sets every register and DF, calls, and says in ebx whether all came back but eax. */
USER_PROGRAM(all_registers, "	movl $1, %ebx\n"
			    "	movl $2, %ecx\n"
			    "	movl $3, %edx\n"
			    "	movl $4, %esi\n"
			    "	movl $5, %edi\n"
			    "	movl $6, %ebp\n"
			    "	pushl $0x40602\n"
			    "	popfl\n" /* AC, DF */
			    "	movl $20, %eax\n"
			    "	int $0x80\n"
			    "	pushfl\n"
			    "	cld" USER_ENDS);

KTEST(user, a_system_call_has_the_programs_registers)
{
	struct user_thread t;

	user_case.syscall = note_call;
	t = USER_RUN(all_registers);
	EXPECT(t.ended);
	EXPECT_EQ(seen.calls, 1);
	EXPECT_EQ(seen.frame.eax, 20);
	EXPECT_EQ(seen.frame.error, 20);
	EXPECT_EQ(seen.frame.vector, TRAP_SYSCALL);
	EXPECT_EQ(seen.frame.ebx, 1);
	EXPECT_EQ(seen.frame.ecx, 2);
	EXPECT_EQ(seen.frame.edx, 3);
	EXPECT_EQ(seen.frame.esi, 4);
	EXPECT_EQ(seen.frame.edi, 5);
	EXPECT_EQ(seen.frame.ebp, 6);
	EXPECT_EQ(seen.frame.esp, USER_STACK);
	EXPECT_EQ(seen.frame.cs & 0xFFFF, 0x73);
	EXPECT_EQ(seen.frame.ss & 0xFFFF, 0x7B);
	EXPECT_EQ(seen.frame.ds & 0xFFFF, 0x7B);
}

KTEST(user, a_system_call_gives_back_what_it_found_but_eax)
{
	struct user_thread t;
	uint32_t eflags = 0;

	user_case.syscall = note_call;
	t = USER_RUN(all_registers);
	EXPECT(t.ended);
	EXPECT_EQ(t.last.ebx, 1);
	EXPECT_EQ(t.last.ecx, 2);
	EXPECT_EQ(t.last.edx, 3);
	EXPECT_EQ(t.last.esi, 4);
	EXPECT_EQ(t.last.edi, 5);
	EXPECT_EQ(t.last.ebp, 6);
	EXPECT_EQ(t.last.esp, USER_STACK - 4);
	EXPECT_EQ(copy_from_user(&eflags, t.last.esp, 4), 0);
	EXPECT_EQ(eflags & (EFLAGS_DF | EFLAGS_AC | EFLAGS_IF), EFLAGS_DF | EFLAGS_AC | EFLAGS_IF);
}

USER_PROGRAM(result, "	movl $20, %eax\n"
		     "	int $0x80\n"
		     "	movl %eax, %ebx" USER_ENDS);

KTEST(user, a_system_call_returns_in_eax)
{
	struct user_thread t;

	user_case.syscall = note_call;
	t = USER_RUN(result);
	EXPECT(t.ended);
	EXPECT_EQ(t.last.ebx, 0x600D);
}

KTEST(user, the_kernel_starts_with_flags_and_segments_of_its_own)
{
	user_case.syscall = note_call;
	USER_RUN(all_registers);
	EXPECT_EQ(seen.eflags & (EFLAGS_DF | EFLAGS_AC), 0);
	EXPECT_EQ(seen.eflags & EFLAGS_IF, EFLAGS_IF);
	EXPECT_EQ(seen.segment[0], GDT_KERNEL_CODE);
	for (uint32_t i = 1; i < ARRAY_SIZE(seen.segment); i++)
		EXPECT_EQ(seen.segment[i], GDT_KERNEL_DATA);
}

/* Selectors that a program starts with are Linux's; those that it has no use for are null. */
USER_PROGRAM(segments, "	movw %cs, %ax\n"
		       "	movw %ss, %bx\n"
		       "	movw %ds, %cx\n"
		       "	movw %es, %dx\n"
		       "	movw %fs, %si\n"
		       "	movw %gs, %di\n"
		       "	shll $16, %ebx\n"
		       "	movw %ax, %bx" USER_ENDS);

KTEST(user, a_program_begins_with_flat_segments_and_zeroes)
{
	struct user_thread t = USER_RUN(segments);

	EXPECT(t.ended);
	EXPECT_EQ(t.last.ebx, 0x007B0073);
	EXPECT_EQ(t.last.ecx, 0x7B);
	EXPECT_EQ(t.last.edx, 0x7B);
	EXPECT_EQ(t.last.esi, 0);
	EXPECT_EQ(t.last.edi, 0);
	EXPECT_EQ(t.last.ebp, 0);
}

/* Exceptions of a program. */

USER_PROGRAM(divide, "	xorl %ecx, %ecx\n	divl %ecx");
USER_PROGRAM(breakpoint, "	int3");
USER_PROGRAM(overflow, "	movb $0x7F, %al\n	addb $1, %al\n	into");
USER_PROGRAM(bound, "	pushl $1\n	pushl $0\n	movl $2, %eax\n	.byte 0x62, 0x04, 0x24");
USER_PROGRAM(invalid, "	ud2");
USER_PROGRAM(halt, "	hlt");
USER_PROGRAM(interrupts_off, "	cli");
USER_PROGRAM(port, "	inb $0x60, %al");
USER_PROGRAM(interrupt_of_the_timer, "	int $0x20");
USER_PROGRAM(interrupt_of_a_page_fault, "	int $14");
USER_PROGRAM(kernel_selector, "	movw $0x68, %ax\n	movw %ax, %ds");
USER_PROGRAM(kernel_call, "	lcall $0x60, $0");
USER_PROGRAM(task, "	lcall $0x80, $0");
USER_PROGRAM(kernel_read, "	movl 0xC0100000, %eax");
USER_PROGRAM(null_write, "	movl %eax, 4");
USER_PROGRAM(kernel_jump, "	movl $0xC0100000, %eax\n	jmp *%eax");
USER_PROGRAM(single_step, "	pushl $0x302\n	popfl\n	nop");

#define BAD_AREA(bits) (TRAP_PF_USER | (bits))

static const struct exception {
	const uint8_t *code, *end;
	uint32_t vector, error, address;
} exceptions[] = {
	{user_divide, user_divide_end, TRAP_DIVIDE, 0, 0},
	{user_breakpoint, user_breakpoint_end, TRAP_BREAKPOINT, 0, 0},
	{user_overflow, user_overflow_end, TRAP_OVERFLOW, 0, 0},
	{user_bound, user_bound_end, 5, 0, 0},
	{user_invalid, user_invalid_end, TRAP_INVALID_OPCODE, 0, 0},
	{user_halt, user_halt_end, TRAP_PROTECTION, 0, 0},
	{user_interrupts_off, user_interrupts_off_end, TRAP_PROTECTION, 0, 0},
	{user_port, user_port_end, TRAP_PROTECTION, 0, 0},
	{user_interrupt_of_the_timer, user_interrupt_of_the_timer_end, TRAP_PROTECTION, 0x20 * 8 + 2, 0},
	{user_interrupt_of_a_page_fault, user_interrupt_of_a_page_fault_end, TRAP_PROTECTION, 14 * 8 + 2, 0},
	{user_kernel_selector, user_kernel_selector_end, TRAP_PROTECTION, 0x68, 0},
	{user_kernel_call, user_kernel_call_end, TRAP_PROTECTION, 0x60, 0},
	{user_task, user_task_end, TRAP_PROTECTION, 0x80, 0},
	{user_kernel_read, user_kernel_read_end, TRAP_PAGE_FAULT, BAD_AREA(TRAP_PF_PRESENT), 0xC0100000},
	{user_null_write, user_null_write_end, TRAP_PAGE_FAULT, BAD_AREA(TRAP_PF_WRITE), 4},
	{user_kernel_jump, user_kernel_jump_end, TRAP_PAGE_FAULT, BAD_AREA(TRAP_PF_PRESENT), 0xC0100000},
	{user_single_step, user_single_step_end, 1, 0, 0},
};

static void run_exception(const struct exception *e)
{
	struct user_thread t = user_run_alone(e->code, (uint32_t)(e->end - e->code), NULL);

	EXPECT(!t.ended);
	EXPECT_EQ(t.last.vector, e->vector);
	if (e->vector == TRAP_PAGE_FAULT) {
		EXPECT_EQ(t.last.cr2, e->address);
		EXPECT_EQ(t.last.error & ~TRAP_PF_FETCH, e->error);
	} else {
		EXPECT_EQ(t.last.error, e->error);
	}
	EXPECT_EQ(t.last.cs & 0xFFFF, GDT_USER_CODE);
}

KTEST(user, exceptions_of_a_program_are_told_with_vector_and_error)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(exceptions); i++)
		run_exception(&exceptions[i]);
}

USER_PROGRAM(asks_for_tables, "	movl $0x08050000, %ebx\n"
			      "	sgdt (%ebx)\n"
			      "	movl 2(%ebx), %ecx" USER_ENDS);

KTEST(user, umip_hides_where_the_kernel_s_tables_are)
{
	struct user_thread t = USER_RUN(asks_for_tables);

	if (!(cpu_info.more_protections & CPUID_UMIP)) {
		EXPECT(t.ended && t.last.ecx >= 0xC0000000);
		SKIP("the CPU has no UMIP");
	}
	EXPECT(!t.ended);
	EXPECT_EQ(t.last.vector, TRAP_PROTECTION);
}

USER_PROGRAM(misaligned, "	pushl $0x40202\n"
			 "	popfl\n" /* AC */
			 "	movl -7(%esp), %eax" USER_ENDS);

/* QEMU does not check it, Bochs does. */
KTEST(user, a_program_may_have_alignment_checked)
{
	struct user_thread t = USER_RUN(misaligned);

	EXPECT(arch_read_cr0() & CR0_AM);
	if (t.ended)
		SKIP("this CPU does not check alignment");
	EXPECT_EQ(t.last.vector, TRAP_ALIGNMENT);
	EXPECT_EQ(t.last.error, 0);
}

static void note_trap(struct trap_frame *f)
{
	note_call(f);
	f->eip += 2; /* over the UD2 */
}

USER_PROGRAM(goes_on, "	movl $7, %ecx\n"
		      "	pushl $0x40602\n"
		      "	popfl\n" /* AC, DF */
		      "	ud2\n"
		      "	cld\n"
		      "	movl %eax, %ebx" USER_ENDS);

KTEST(user, an_exception_runs_as_a_call_does_and_can_go_on)
{
	struct user_thread t;

	user_case.trap = note_trap;
	t = USER_RUN(goes_on);
	EXPECT(t.ended);
	EXPECT_EQ(t.last.ebx, 0x600D);
	EXPECT_EQ(t.last.ecx, 7);
	EXPECT_EQ(seen.eflags & (EFLAGS_DF | EFLAGS_AC), 0);
	EXPECT_EQ(seen.eflags & EFLAGS_IF, EFLAGS_IF);
	for (uint32_t i = 1; i < ARRAY_SIZE(seen.segment); i++)
		EXPECT_EQ(seen.segment[i], GDT_KERNEL_DATA);
}

static void bring_page(struct trap_frame *f)
{
	seen.calls++;
	if (f->vector != TRAP_PAGE_FAULT || seen.calls > 1 ||
	    alloc_page(&user_pdir, vpn_of(f->cr2), PROT_R | PROT_W | PROT_USER))
		user_pause();
}

USER_PROGRAM(touch, "	movl $0x12345, 0x08060000\n"
		    "	movl 0x08060000, %ebx" USER_ENDS);

KTEST(user, a_page_fault_that_is_resolved_is_tried_again)
{
	struct user_thread t;

	user_case.trap = bring_page;
	t = USER_RUN(touch);
	EXPECT(t.ended);
	EXPECT_EQ(seen.calls, 1);
	EXPECT_EQ(t.last.ebx, 0x12345);
}

/* Returns that fail. */

struct bad_return {
	const char *what;
	uint32_t cs, ss, ds, es, fs, gs;
};
static const struct bad_return bad_returns[] = {
	{"cs beyond the table", 0xFFFB, 0x7B, 0x7B, 0x7B, 0, 0},
	{"cs null", 0, 0x7B, 0x7B, 0x7B, 0, 0},
	{"cs the kernel's", 0x60, 0x7B, 0x7B, 0x7B, 0, 0},
	{"cs data", 0x7B, 0x7B, 0x7B, 0x7B, 0, 0},
	{"cs of the absent local table", 0x77, 0x7B, 0x7B, 0x7B, 0, 0},
	{"ss null", 0x73, 0, 0x7B, 0x7B, 0, 0},
	{"ss code", 0x73, 0x73, 0x7B, 0x7B, 0, 0},
	{"ss the kernel's", 0x73, 0x68, 0x7B, 0x7B, 0, 0},
	{"ss empty", 0x73, 0x33, 0x7B, 0x7B, 0, 0},
	{"ds the kernel's code", 0x73, 0x7B, 0x60 | 3, 0x7B, 0, 0},
	{"ds a task", 0x73, 0x7B, 0x80, 0x7B, 0, 0},
	{"es beyond the table", 0x73, 0x7B, 0x7B, 0xFFF8, 0, 0},
	{"fs empty", 0x73, 0x7B, 0x7B, 0x7B, 0x3B, 0},
	{"gs empty", 0x73, 0x7B, 0x7B, 0x7B, 0, 0x33},
	{"gs the double fault's", 0x73, 0x7B, 0x7B, 0x7B, 0, 0x8B},
};

static const struct bad_return *bad;

static void make_bad(struct trap_frame *f)
{
	f->cs = bad->cs;
	f->ss = bad->ss;
	f->ds = bad->ds;
	f->es = bad->es;
	f->fs = bad->fs;
	f->gs = bad->gs;
	f->error = 77; /* of the trap before */
	f->eax = 1;
	f->ecx = 2;
	f->edi = 3;
	f->ebp = 4;
	arch_user_sanitise(f);
}

KTEST(user, a_return_with_bad_selectors_is_a_trap_of_the_program)
{
	for (bad = bad_returns; bad < bad_returns + ARRAY_SIZE(bad_returns); bad++) {
		struct user_thread t = user_run_alone(user_result, 0, make_bad);
		bool data = bad->cs == 0x73 && bad->ss == 0x7B; /* code and stack are IRET's */

		EXPECT(!t.ended);
		EXPECT_EQ(t.last.vector, data ? TRAP_PROTECTION : TRAP_IRET);
		EXPECT_EQ(t.last.error, 0);
		EXPECT_EQ(t.last.eip, USER_CODE);
		EXPECT_EQ(t.last.esp, USER_STACK);
		EXPECT_EQ(t.last.cs & 0xFFFF, bad->cs | 3);
		EXPECT_EQ(t.last.ss & 0xFFFF, bad->ss | 3);
		EXPECT_EQ(t.last.ds & 0xFFFF, bad->ds);
		EXPECT_EQ(t.last.es & 0xFFFF, bad->es);
		EXPECT_EQ(t.last.fs & 0xFFFF, bad->fs);
		EXPECT_EQ(t.last.gs & 0xFFFF, bad->gs);
		EXPECT_EQ(t.last.eax, 1);
		EXPECT_EQ(t.last.ecx, 2);
		EXPECT_EQ(t.last.edi, 3);
		EXPECT_EQ(t.last.ebp, 4);
	}
}

static void mend(struct trap_frame *f)
{
	seen.calls++;
	arch_user_start(f, USER_CODE, USER_STACK);
}

KTEST(user, a_return_that_failed_can_be_mended)
{
	for (bad = bad_returns; bad < bad_returns + ARRAY_SIZE(bad_returns); bad++) {
		struct user_thread t;

		seen.calls = 0;
		user_case.trap = mend;
		t = user_run_alone(user_segments, (uint32_t)(user_segments_end - user_segments), make_bad);
		EXPECT(t.ended);
		EXPECT_EQ(seen.calls, 1);
		EXPECT_EQ(t.last.ebx, 0x007B0073);
	}
}

static void take_kernel_data(struct trap_frame *f)
{
	f->es = f->fs = f->gs = GDT_KERNEL_DATA;
	arch_user_sanitise(f);
}

/* The load itself does not fail, at the kernel's level; IRET takes such a segment away. */
KTEST(user, no_segment_of_the_kernels_reaches_a_program)
{
	struct user_thread t = user_run_alone(user_segments, (uint32_t)(user_segments_end - user_segments),
					      take_kernel_data);

	EXPECT(t.ended);
	EXPECT_EQ(t.last.edx, 0);
	EXPECT_EQ(t.last.esi, 0);
	EXPECT_EQ(t.last.edi, 0);
}

static void all_flags(struct trap_frame *f)
{
	f->eflags = UINT32_MAX & ~0x100u; /* not TF, which would trap */
	f->cs &= ~3u;
	f->ss = 0xABCD0078;
	arch_user_sanitise(f);
}

USER_PROGRAM(flags, "	pushfl\n"
		    "	popl %ebx\n"
		    "	cld" USER_ENDS);

KTEST(user, registers_are_made_fit_to_return_to)
{
	struct user_thread t = user_run_alone(user_flags, (uint32_t)(user_flags_end - user_flags), all_flags);

	EXPECT(t.ended);
	EXPECT_EQ(t.last.ebx & (EFLAGS_IOPL | EFLAGS_NT | EFLAGS_VM), 0);
	EXPECT_EQ(t.last.ebx & EFLAGS_IF, EFLAGS_IF);
	EXPECT_EQ(t.last.ebx & 0xCD5, 0xCD5 & ~0u);
	EXPECT_EQ(t.last.cs & 0xFFFF, GDT_USER_CODE);
	EXPECT_EQ(t.last.ss & 0xFFFF, GDT_USER_DATA);
}

static void no_interrupts(struct trap_frame *f)
{
	f->eflags = EFLAGS_IOPL;
	arch_user_sanitise(f);
}

KTEST(user, a_program_cannot_return_to_interrupts_off)
{
	struct user_thread t;

	t = user_run_alone(user_flags, (uint32_t)(user_flags_end - user_flags), no_interrupts);
	EXPECT(t.ended);
	EXPECT_EQ(t.last.ebx & (EFLAGS_IF | EFLAGS_IOPL), EFLAGS_IF);
	t = user_run_alone(user_interrupts_off, (uint32_t)(user_interrupts_off_end - user_interrupts_off),
			   no_interrupts);
	EXPECT_EQ(t.last.vector, TRAP_PROTECTION);
}

/* Work on the way out, and threads. */

static void work_twice(struct trap_frame *f)
{
	seen.eflags = arch_read_eflags();
	f->esi++;
	if (++seen.calls < 3)
		arch_return_work = 1;
}

static void ask_for_work(struct trap_frame *f)
{
	(void)f;
	arch_return_work = 1;
}

KTEST(user, work_is_done_before_user_mode_until_there_is_none)
{
	struct user_thread t;

	user_case.syscall = ask_for_work;
	user_case.return_work = work_twice;
	t = USER_RUN(result);
	EXPECT(t.ended);
	EXPECT_EQ(seen.calls, 3);
	EXPECT_EQ(t.last.esi, 3);
	EXPECT_EQ(seen.eflags & EFLAGS_IF, EFLAGS_IF);
	EXPECT_EQ(arch_return_work, 0);
}

KTEST(user, there_is_no_work_where_none_is_asked_for)
{
	user_case.return_work = work_twice;
	EXPECT(USER_RUN(result).ended);
	EXPECT_EQ(seen.calls, 0);
}

static void pause_in_call(struct trap_frame *f)
{
	seen.calls++;
	user_pause();
	f->eax = seen.calls;
}

USER_PROGRAM(two_calls, "	movl $20, %eax\n"
			"	int $0x80\n"
			"	addl %eax, %edi\n"
			"	movl $20, %eax\n"
			"	int $0x80\n"
			"	addl %eax, %edi" USER_ENDS);

KTEST(user, threads_keep_their_places_and_registers)
{
	struct user_thread a, b;

	user_case.syscall = pause_in_call;
	USER_LOAD(two_calls);
	if (!user_thread_begin(&a) || !user_thread_begin(&b))
		ktest_fail("no stacks");
	a.frame->edi = 100;
	b.frame->edi = 1000;
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT(!a.ended && !b.ended);
		user_run(&a);
		user_run(&b);
	}
	EXPECT(a.ended && b.ended);
	EXPECT_EQ(seen.calls, 4);
	EXPECT_EQ(a.last.edi, 100 + 2 + 4);
	EXPECT_EQ(b.last.edi, 1000 + 3 + 4);
	user_thread_end(&a);
	user_thread_end(&b);
}

static struct arch_context here, there;

/* Goes back to the case with every register that a call keeps changed. */
static void changes_registers(void)
{
	while (true) {
		struct arch_context *from = &there, *to = &here;

		__asm__ volatile("pushl %%ebp\n\t"
				 "pushl %1\n\t"
				 "pushl %0\n\t"
				 "xorl %%ebp, %%ebp\n\t"
				 "xorl %%ebx, %%ebx\n\t"
				 "xorl %%esi, %%esi\n\t"
				 "xorl %%edi, %%edi\n\t"
				 "call arch_context_switch\n\t"
				 "addl $8, %%esp\n\t"
				 "popl %%ebp"
				 : "+a"(from), "+c"(to)
				 :
				 : "edx", "ebx", "esi", "edi", "memory", "cc");
		seen.calls++;
	}
}

KTEST(user, a_switch_keeps_what_a_call_keeps)
{
	vaddr_t stack = kstack_alloc();
	uint32_t ebx, esi, edi;
	struct arch_context *from = &here, *to = &there;

	ASSERT(stack);
	arch_context_init(&there, stack, changes_registers);
	for (uint32_t i = 0; i < 3; i++) {
		__asm__ volatile("pushl %4\n\t"
				 "pushl %3\n\t"
				 "movl $11, %%ebx\n\t"
				 "movl $22, %%esi\n\t"
				 "movl $33, %%edi\n\t"
				 "call arch_context_switch\n\t"
				 "addl $8, %%esp"
				 : "=&b"(ebx), "=&S"(esi), "=&D"(edi), "+a"(from), "+c"(to)
				 :
				 : "edx", "memory", "cc");
		from = &here;
		to = &there;
		EXPECT_EQ(ebx, 11);
		EXPECT_EQ(esi, 22);
		EXPECT_EQ(edi, 33);
	}
	EXPECT_EQ(seen.calls, 2);
	kstack_free(stack);
}

static uint32_t frame_cs;

static void note_interrupt(void)
{
	seen.calls++;
	seen.eflags = arch_read_eflags();
	frame_cs = irq_frame()->cs;
}

KTEST(user, a_line_calls_its_handler_with_interrupts_off)
{
	irq_handler(5, note_interrupt);
	arch_irq_enable();
	__asm__ volatile("int %0" : : "i"(TRAP_IRQ_FIRST + 5));
	arch_irq_save();
	irq_handler(5, NULL);
	EXPECT_EQ(seen.calls, 1);
	EXPECT_EQ(seen.eflags & EFLAGS_IF, 0);
	EXPECT_EQ(frame_cs & 3, 0);
	EXPECT(!irq_frame());
}

/* Memory of the program: the way to it is open in the copy functions only. Here, for it is the real machine's. */

static bool way_is_open(void)
{
	bool smap = cpu_info.protections & CPUID_SMAP;

	return arch_read_eflags() & EFLAGS_AC || (smap && arch_probe_read(USER_DATA));
}

static bool look_at_the_way(vaddr_t va, uint32_t error)
{
	(void)va;
	(void)error;
	seen.calls += 1 + way_is_open();
	return false;
}

KTEST(user, the_way_to_user_pages_is_open_in_the_copy_functions_only)
{
	char text[8];

	user_case.fault = look_at_the_way;
	EXPECT_EQ(zero_user(USER_DATA, 8), 0);
	EXPECT(!way_is_open());
	EXPECT_EQ(copy_to_user(USER_DATA, text, 8), 0);
	EXPECT(!way_is_open());
	EXPECT_EQ(copy_from_user(text, USER_DATA, 8), 0);
	EXPECT(!way_is_open());
	EXPECT_EQ(zero_user(USER_DATA, 8), 0);
	EXPECT_EQ(string_from_user(text, USER_DATA, 8), 0);
	EXPECT(!way_is_open());
	EXPECT_EQ(copy_from_user(text, USER_STACK - 1, 2), -EFAULT);
	EXPECT(!way_is_open());
	EXPECT_EQ(string_from_user(text, USER_STACK, 2), -EFAULT);
	EXPECT(!way_is_open());
	EXPECT_EQ(seen.calls, 2); /* the second byte, the string */
}

KTEST_PANICS(user, a_copy_that_misses_the_kernels_own_side_panics, "the guard page of a kernel stack")
{
	static const uint32_t word = 0;
	vaddr_t stack = kstack_alloc();

	ASSERT(stack);
	EXPECT_EQ(copy_to_user(USER_DATA, &word, 4), 0);
	copy_from_user((void *)(stack - KSTACK_PAGES * PAGE_SIZE - 4), USER_DATA, 4);
}
