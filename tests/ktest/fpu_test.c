/*
 * tests/ktest/fpu_test.c - a program's floating-point registers in both formats: kept over switches, in signal frames,
 * and made fit to load. A CPU with FXSAVE passes for one without by cpu_info.
 */
#include <arch/cpu.h>
#include <lib/string.h>
#include <mm/usercopy.h>
#include <tests/ktest/user_machine.h>

enum { BEST, NO_FXSAVE, LEAKS, NO_UNIT };
static const uint32_t formats[] = {BEST, NO_FXSAVE, LEAKS};

static uint32_t features;
static char vendor[sizeof(cpu_info.vendor)];
static struct arch_fpu state[2];
static struct _fpstate frame;

/* Takes the CPU for one without what a format leaves out, or for one whose FXRSTOR leaves addresses. */
static void take_cpu_for(uint32_t format)
{
	cpu_info.features = features;
	if (format == LEAKS)
		string_copy(cpu_info.vendor, sizeof(cpu_info.vendor), "AuthenticAMD", 12);
	if (format == NO_FXSAVE)
		cpu_info.features &= ~(CPUID_FXSR | CPUID_SSE);
	if (format == NO_UNIT)
		cpu_info.features &= ~(CPUID_FPU | CPUID_FXSR | CPUID_SSE);
	arch_user_init();
}

KTEST_SETUP(fpu)
{
	features = cpu_info.features;
	memcpy(vendor, cpu_info.vendor, sizeof(vendor));
	if (!user_machine_begin())
		ktest_fail("no memory for an address space");
}

KTEST_TEARDOWN(fpu)
{
	user_machine_end();
	cpu_info.features = features;
	memcpy(cpu_info.vendor, vendor, sizeof(vendor));
	arch_user_init();
	arch_fpu_init(&state[0]);
	arch_fpu_load(&state[0]);
}

/* st = edi, then a call, then ebx = st. */
USER_PROGRAM(keeps_st, "	pushl %edi\n"
		       "	fninit\n"
		       "	fildl (%esp)\n"
		       "	movl $20, %eax\n"
		       "	int $0x80\n"
		       "	fistpl (%esp)\n"
		       "	popl %ebx" USER_ENDS);
USER_PROGRAM(keeps_xmm, "	movups (%esi), %xmm7\n"
			"	movl $20, %eax\n"
			"	int $0x80\n"
			"	movups %xmm7, (%esi)" USER_ENDS);

static void pause_in_call(struct trap_frame *f)
{
	(void)f;
	user_pause();
}

/* Runs two threads by turns, as a scheduler does. */
static void take_turns(struct user_thread *t)
{
	user_case.syscall = pause_in_call;
	for (uint32_t i = 0; i < 4; i++) {
		arch_fpu_load(&state[i % 2]);
		user_run(&t[i % 2]);
		arch_fpu_save(&state[i % 2]);
	}
}

static bool begin_two(struct user_thread *t)
{
	for (uint32_t i = 0; i < 2; i++) {
		arch_fpu_init(&state[i]);
		if (!user_thread_begin(&t[i]))
			ktest_fail("no stack");
	}
	return t[0].stack && t[1].stack;
}

KTEST_EACH(fpu, registers_are_kept_over_switches, formats)
{
	struct user_thread t[2];

	take_cpu_for(param);
	if (!arch_fpu_frame_size())
		SKIP("the CPU has no floating-point unit");
	USER_LOAD(keeps_st);
	ASSERT(begin_two(t));
	t[0].frame->edi = 1234567;
	t[1].frame->edi = (uint32_t)-89;
	t[1].frame->esp -= 64;
	take_turns(t);
	EXPECT(t[0].ended && t[1].ended);
	EXPECT_EQ(t[0].last.ebx, 1234567);
	EXPECT_EQ(t[1].last.ebx, (uint32_t)-89);
	user_thread_end(&t[0]);
	user_thread_end(&t[1]);
}

KTEST(fpu, sse_registers_are_kept_over_switches)
{
	static const uint32_t in[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
	struct user_thread t[2];
	uint32_t out[4];

	if (!(features & CPUID_SSE))
		SKIP("the CPU has no SSE");
	USER_LOAD(keeps_xmm);
	ASSERT(begin_two(t));
	for (uint32_t i = 0; i < 2; i++) {
		t[i].frame->esi = USER_DATA + i * 16;
		EXPECT_EQ(copy_to_user(USER_DATA + i * 16, in[i], sizeof(in[i])), 0);
	}
	take_turns(t);
	for (uint32_t i = 0; i < 2; i++) {
		EXPECT(t[i].ended);
		EXPECT_EQ(copy_from_user(out, USER_DATA + i * 16, sizeof(out)), 0);
		EXPECT_EQ(memcmp(out, in[i], sizeof(out)), 0);
		user_thread_end(&t[i]);
	}
}

/* Zero, one, an infinity, a denormal number, an empty place, and an exception that waits. */
USER_PROGRAM(mixed, "	fninit\n"
		    "	fldz\n"
		    "	fld1\n"
		    "	fldz\n"
		    "	fdivrp\n" /* 1 / 0: infinity, an exception that is masked */
		    "	fld1\n"
		    "	fldpi\n"
		    "	pushl $0\n"
		    "	pushl $1\n"
		    "	fldl (%esp)\n" /* the least double, normal in the register */
		    "	pushl $0\n"
		    "	pushl $0\n"
		    "	pushl $5\n"
		    "	fldt (%esp)\n" /* denormal there too */
		    "	fincstp\n"
		    "	ffree %st(2)" USER_ENDS);

static bool run_mixed(void)
{
	struct user_thread t;

	arch_fpu_init(&state[0]);
	arch_fpu_load(&state[0]);
	t = USER_RUN(mixed);
	arch_fpu_save(&state[0]);
	return EXPECT(t.ended);
}

/* The CPU itself is the judge: it stores the same registers in both formats. */
KTEST(fpu, a_frame_from_fxsave_is_what_fnsave_stores)
{
	static const uint32_t words[] = {0, 1, 2};
	static struct _fpstate judge;

	if (!(features & CPUID_FXSR))
		SKIP("the CPU has no FXSAVE");
	ASSERT(run_mixed());
	arch_fpu_to_frame(&state[0], &frame);
	take_cpu_for(NO_FXSAVE);
	ASSERT(run_mixed());
	arch_fpu_to_frame(&state[0], &judge);
	for (uint32_t i = 0; i < ARRAY_SIZE(words); i++)
		EXPECT_EQ(((uint32_t *)&frame)[i] & 0xFFFF, ((uint32_t *)&judge)[i] & 0xFFFF);
	EXPECT_EQ(frame.status, judge.status);
	EXPECT_EQ(memcmp(frame._st, judge._st, sizeof(frame._st)), 0);
	EXPECT_EQ(frame.magic, X86_FXSR_MAGIC);
	EXPECT_EQ(judge.magic, 0xFFFF);
}

USER_PROGRAM(last, "	fldz" USER_ENDS);
USER_PROGRAM(looks, "	subl $28, %esp\n"
		    "	fnstenv (%esp)\n"
		    "	movl 12(%esp), %ebx" USER_ENDS);

/* QEMU's FXRSTOR leaves it too, so this shows what else would be seen. */
KTEST(fpu, another_programs_last_address_does_not_show)
{
	struct user_thread t;

	if (!(features & CPUID_FXSR))
		SKIP("the CPU has no FXRSTOR");
	take_cpu_for(LEAKS);
	EXPECT(USER_RUN(last).ended);
	arch_fpu_init(&state[0]);
	arch_fpu_load(&state[0]);
	t = USER_RUN(looks);
	EXPECT(t.ended);
	EXPECT_NE(t.last.ebx, USER_CODE);
}

KTEST_EACH(fpu, saving_leaves_the_registers, formats)
{
	take_cpu_for(param);
	if (!arch_fpu_frame_size())
		SKIP("the CPU has no floating-point unit");
	ASSERT(run_mixed());
	arch_fpu_init(&state[1]); /* FXSAVE leaves holes as they are */
	arch_fpu_save(&state[1]);
	EXPECT_EQ(memcmp(&state[0], &state[1], 6), 0);
	EXPECT_EQ(memcmp(&state[0].image[32], &state[1].image[32], 76), 0);
	EXPECT_NE(state[1].image[2] | state[1].image[3] | state[1].image[4] | state[1].image[5], 0);
}

/* Control, status and tag words, then the registers. Where the last instruction was, QEMU forgets. */
KTEST_EACH(fpu, a_frame_brings_back_the_registers, formats)
{
	bool fxsave = param == BEST && (features & CPUID_FXSR);

	take_cpu_for(param);
	if (!arch_fpu_frame_size())
		SKIP("the CPU has no floating-point unit");
	ASSERT(run_mixed());
	arch_fpu_to_frame(&state[0], &frame);
	arch_fpu_init(&state[1]);
	arch_fpu_load(&state[1]);
	arch_fpu_from_frame(&state[1], &frame);
	arch_fpu_load(&state[1]);
	arch_fpu_save(&state[1]);
	EXPECT_EQ(memcmp(&state[0], &state[1], fxsave ? 6 : 12), 0);
	if (fxsave)
		EXPECT_EQ(memcmp(&state[0].image[24], &state[1].image[24], 288 - 24), 0);
	else
		EXPECT_EQ(memcmp(&state[0].image[28], &state[1].image[28], 80), 0);
}

static uint32_t mxcsr_now(void)
{
	uint32_t mxcsr;

	arch_fpu_save(&state[1]);
	memcpy(&mxcsr, &state[1].image[24], sizeof(mxcsr));
	return mxcsr;
}

/* Anything at all can stand in the frame: the load must not fault. */
KTEST_EACH(fpu, any_frame_can_be_loaded, formats)
{
	take_cpu_for(param);
	if (!arch_fpu_frame_size())
		SKIP("the CPU has no floating-point unit");
	memset(&frame, 0xFF, sizeof(frame));
	frame.magic = X86_FXSR_MAGIC;
	arch_fpu_from_frame(&state[0], &frame);
	/* No CPU knows these bits; QEMU does not mind them. */
	if (param == BEST && (features & CPUID_SSE))
		EXPECT_EQ(state[0].image[26] | state[0].image[27], 0);
	arch_fpu_load(&state[0]);
	if (param == BEST && (features & CPUID_SSE))
		EXPECT_EQ(mxcsr_now() & 0xFFBF, 0xFFBF);
	for (uint32_t i = 0; i < 100; i++) {
		for (uint32_t j = 0; j < sizeof(frame) / 4; j++)
			((uint32_t *)&frame)[j] = ktest_random();
		arch_fpu_from_frame(&state[0], &frame);
		arch_fpu_load(&state[0]);
	}
}

KTEST(fpu, a_frame_without_sse_leaves_it_as_at_the_beginning)
{
	if (!(features & CPUID_SSE))
		SKIP("the CPU has no SSE");
	memset(&frame, 0xFF, sizeof(frame));
	arch_fpu_from_frame(&state[0], &frame);
	arch_fpu_load(&state[0]);
	EXPECT_EQ(mxcsr_now(), 0x1F80);
	for (uint32_t i = 160; i < 288; i++)
		EXPECT_EQ(state[1].image[i], 0);
}

/* An unmasked exception waits in the registers when others are loaded. */
USER_PROGRAM(pending, "	fninit\n"
		      "	pushl $0x0340\n" /* nothing masked */
		      "	fldcw (%esp)\n"
		      "	fldz\n"
		      "	fld1\n"
		      "	fdivp" USER_ENDS);
USER_PROGRAM(raise_pending, "	fwait");

KTEST_EACH(fpu, a_waiting_exception_stays_its_programs, formats)
{
	struct user_thread t;

	take_cpu_for(param);
	if (!arch_fpu_frame_size())
		SKIP("the CPU has no floating-point unit");
	arch_fpu_init(&state[0]);
	arch_fpu_load(&state[0]);
	t = USER_RUN(pending);
	EXPECT(t.ended);
	arch_fpu_save(&state[0]);
	arch_fpu_init(&state[1]);
	arch_fpu_load(&state[1]);
	EXPECT_EQ(USER_RUN(keeps_st).ended, true);
	arch_fpu_load(&state[0]);
	t = USER_RUN(raise_pending);
	EXPECT(!t.ended);
	EXPECT_EQ(t.last.vector, 16);
}

KTEST(fpu, without_a_unit_its_instructions_are_traps)
{
	struct user_thread t;

	if (!cpu_info.has_cpuid && arch_fpu_frame_size())
		SKIP("a CPU without CPUID cannot be taken for one without its unit");
	take_cpu_for(NO_UNIT);
	EXPECT_EQ(arch_fpu_frame_size(), 0);
	arch_fpu_init(&state[0]);
	arch_fpu_load(&state[0]);
	arch_fpu_save(&state[0]);
	arch_fpu_to_frame(&state[0], &frame);
	arch_fpu_from_frame(&state[0], &frame);
	t = USER_RUN(mixed);
	EXPECT(!t.ended);
	EXPECT_EQ(t.last.vector, TRAP_NO_FPU);
}

KTEST(fpu, the_frame_has_the_size_of_its_format)
{
	take_cpu_for(NO_FXSAVE);
	if (!arch_fpu_frame_size())
		SKIP("the CPU has no floating-point unit");
	EXPECT_EQ(arch_fpu_frame_size(), 112);
	if (features & CPUID_FXSR) {
		take_cpu_for(BEST);
		EXPECT_EQ(arch_fpu_frame_size(), sizeof(frame));
		EXPECT_EQ(sizeof(frame), 624);
	}
}
