/* user/tests/fault.c - facts of what a wrong instruction or address brings: signal, si_code, si_addr, context. */
#include "fact.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile greg_t trap_number, error_code, fault_address, at_eip;
static volatile int signo, code;

static void keep(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	greg_t *regs = u->uc_mcontext.gregs;

	signo = sig;
	code = info->si_code;
	trap_number = regs[REG_TRAPNO];
	error_code = regs[REG_ERR];
	at_eip = regs[REG_EIP];
	fault_address = (greg_t)(uintptr_t)info->si_addr;
	siglongjmp(back, 1);
}

/* Runs f, and keeps what its signal told. */
static void watch(void (*f)(void))
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
	struct sigaction a = {.sa_sigaction = keep, .sa_flags = SA_SIGINFO | SA_NODEFER};

	signo = code = 0;
	for (int i = 0; i < 5; i++)
		sigaction(signals[i], &a, NULL);
	if (!sigsetjmp(back, 1))
		f();
}

static void divide(void)
{
	__asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" : : : "eax", "ecx", "edx");
}

static void undefined(void)
{
	__asm__ volatile("ud2");
}

static void privileged(void)
{
	__asm__ volatile("hlt");
}

static void disable_interrupts(void)
{
	__asm__ volatile("cli");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void other_interrupt(void)
{
	__asm__ volatile("int $0x42");
}

static void bad_selector(void)
{
	__asm__ volatile("movw %w0, %%fs" : : "r"(0x68));
}

#define LOCAL 0x1237 /* a selector: level 3, of the local table, at 0x1230 in it */

static void local_selector(void)
{
	__asm__ volatile("movw %w0, %%gs" : : "r"(LOCAL));
}

static void kernel_address(void)
{
	(void)*(volatile char *)0xc0100000;
}

static void jump_to_data(void)
{
	((void (*)(void))0x10)();
}

static void use_stack(unsigned pages_deep)
{
	volatile char frame[4096];

	frame[0] = 1;
	if (pages_deep)
		use_stack(pages_deep - 1);
	frame[1] = 1;
}

static void overflow_stack(void)
{
	use_stack(~0u);
}

FACT(division_by_zero_is_SIGFPE_INTDIV)
{
	watch(divide);
	EXPECT_EQ(signo, SIGFPE);
	EXPECT_EQ(code, FPE_INTDIV);
	EXPECT_EQ(fault_address, at_eip);
	EXPECT_EQ(trap_number, 0);
}

FACT(an_undefined_instruction_is_SIGILL_ILLOPN)
{
	watch(undefined);
	EXPECT_EQ(signo, SIGILL);
	EXPECT_EQ(code, ILL_ILLOPN);
	EXPECT_EQ(fault_address, at_eip);
	EXPECT_EQ(trap_number, 6);
}

FACT(a_privileged_instruction_is_SIGSEGV_from_the_kernel)
{
	watch(privileged);
	EXPECT_EQ(signo, SIGSEGV);
	EXPECT_EQ(code, SI_KERNEL);
	EXPECT_EQ(trap_number, 13);
	watch(disable_interrupts);
	EXPECT_EQ(signo, SIGSEGV);
}

FACT(int3_is_SIGTRAP)
{
	watch(breakpoint);
	EXPECT_EQ(signo, SIGTRAP);
	EXPECT_EQ(code, SI_KERNEL);
	EXPECT_EQ(fault_address, 0);
	EXPECT_EQ(trap_number, 3);
}

FACT(an_interrupt_that_is_not_for_programs_is_SIGSEGV)
{
	watch(other_interrupt);
	EXPECT_EQ(signo, SIGSEGV);
	EXPECT_EQ(error_code, 0x42 * 8 + 2);
}

FACT(a_kernel_s_selector_is_SIGSEGV)
{
	watch(bad_selector);
	EXPECT_EQ(signo, SIGSEGV);
	EXPECT_EQ(error_code, 0x68);
}

/* A reset leaves a local table at address 0: what a program put there was taken for one, gates to ring 0 too. */
FACT(memory_is_no_local_table)
{
	static const uint64_t data_of_level_3 = 0x00cff2000000ffff;
	char *p = mmap((void *)0x1000, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		       -1, 0);

	REQUIRE(p == (char *)0x1000);
	memcpy(p + 0x230, &data_of_level_3, sizeof(data_of_level_3));
	watch(local_selector);
	EXPECT_EQ(signo, SIGSEGV);
	EXPECT_EQ(code, SI_KERNEL);
	EXPECT_EQ(error_code, LOCAL & ~3);
}

FACT(a_kernel_s_address_faults_in_a_program)
{
	watch(kernel_address);
	EXPECT_EQ(signo, SIGSEGV);
	EXPECT_EQ(code, SEGV_MAPERR);
	EXPECT_EQ((unsigned)fault_address, 0xc0100000u);
	EXPECT_EQ(trap_number, 14);
	EXPECT_EQ(error_code & 4, 4);
}

FACT(a_jump_into_nothing_faults_there)
{
	watch(jump_to_data);
	EXPECT_EQ(signo, SIGSEGV);
	EXPECT_EQ(fault_address, 0x10);
	EXPECT_EQ(at_eip, 0x10);
}

static void run_over(void)
{
	signal(SIGSEGV, SIG_DFL);
	overflow_stack();
}

FACT(a_stack_that_runs_over_ends_its_program)
{
	struct rlimit limit = {1 << 20, 1 << 20};
	int status;

	REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0);
	status = in_child(run_over);
	EXPECT(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGSEGV);
}

FACT(on_an_alternate_stack_it_can_be_caught)
{
	struct rlimit limit = {1 << 20, RLIM_INFINITY};
	stack_t other = {.ss_sp = pages(8), .ss_size = 8 * PAGE};
	struct sigaction a = {.sa_sigaction = keep, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	REQUIRE(setrlimit(RLIMIT_STACK, &limit) == 0 && sigaltstack(&other, NULL) == 0);
	sigaction(SIGSEGV, &a, NULL);
	signo = 0;
	if (!sigsetjmp(back, 1))
		overflow_stack();
	EXPECT_EQ(signo, SIGSEGV);
	EXPECT(code == SEGV_MAPERR || code == SEGV_ACCERR);
}

FACT(the_stack_grows_to_megabytes)
{
	use_stack(1500);
}

FACT(the_stack_may_be_touched_far_below_its_pointer)
{
	volatile char *here = (volatile char *)__builtin_frame_address(0);

	here[-900000] = 1;
	EXPECT_EQ(here[-900000], 1);
	EXPECT_EQ(here[-500000], 0);
}

static void write_code(void)
{
	*(volatile char *)(uintptr_t)write_code = 0;
}

FACT(a_program_s_code_is_not_writable)
{
	watch(write_code);
	EXPECT_EQ(signo, SIGSEGV);
	EXPECT_EQ(code, SEGV_ACCERR);
	EXPECT_EQ(error_code & 7, 7);
}

static const int constant = 5;

FACT(a_program_s_constants_are_not_writable)
{
	EXPECT_EQ(try_write((void *)(uintptr_t)&constant).code, SEGV_ACCERR);
}

static char zeroes[100 * PAGE];

static void divide_by_nothing(void)
{
	unsigned short control = 0x37b; /* division by zero is not masked */

	__asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" : : "m"(control));
}

FACT(an_exception_of_the_fpu_is_SIGFPE_with_its_reason)
{
	watch(divide_by_nothing);
	__asm__ volatile("fninit");
	EXPECT_EQ(signo, SIGFPE);
	EXPECT_EQ(code, FPE_FLTDIV);
}

static volatile int traced, trace_code;

static void note_trace(int sig, siginfo_t *info, void *context)
{
	(void)context;
	traced += sig == SIGTRAP;
	trace_code = info->si_code;
}

FACT(each_step_of_a_traced_program_is_SIGTRAP)
{
	struct sigaction a = {.sa_sigaction = note_trace, .sa_flags = SA_SIGINFO};

	sigaction(SIGTRAP, &a, NULL);
	__asm__ volatile("pushfl\n\torl $0x100, (%%esp)\n\tpopfl\n\tnop\n\tnop\n\t"
			 "pushfl\n\tandl $~0x100, (%%esp)\n\tpopfl"
			 :
			 :
			 : "memory", "cc");
	EXPECT(traced >= 4 && traced <= 5);
	EXPECT_EQ(trace_code, TRAP_TRACE);
}

FACT(faults_are_counted)
{
	struct rusage before, after;
	char *p = pages(50);

	getrusage(RUSAGE_SELF, &before);
	for (unsigned i = 0; i < 50; i++)
		p[i * PAGE] = 1;
	getrusage(RUSAGE_SELF, &after);
	EXPECT(after.ru_minflt - before.ru_minflt >= 50);
}

static void segv_without_stack(void)
{
	struct sigaction a = {.sa_sigaction = note_trace, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &a, NULL);
	__asm__ volatile("movl $16, %esp\n\tpushl $0");
}

FACT(a_handler_that_has_no_stack_is_not_tried_for_ever)
{
	EXPECT_EQ(WTERMSIG(in_child(segv_without_stack)), SIGSEGV);
}

FACT(bss_is_zero)
{
	for (unsigned i = 0; i < sizeof(zeroes); i += 100)
		REQUIRE(zeroes[i] == 0);
}

static void ignore_and_fault(void)
{
	signal(SIGSEGV, SIG_IGN);
	kernel_address();
}

static void block_and_fault(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	kernel_address();
}

FACT(an_ignored_or_blocked_fault_ends_the_program)
{
	EXPECT_EQ(WTERMSIG(in_child(ignore_and_fault)), SIGSEGV);
	EXPECT_EQ(WTERMSIG(in_child(block_and_fault)), SIGSEGV);
}
