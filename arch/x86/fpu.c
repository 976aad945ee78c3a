/*
 * arch/x86/fpu.c - the floating-point unit and SSE: a program's registers in memory, in its own signal frames, in the
 * processor. Owns what is known of the unit. Lock: none, it is found out once.
 *
 *	FXSAVE's image (SDM 1, 10.5.1)          the frame of a signal, struct _fpstate
 *	  0 cw sw tags op ip cs dp ds            0 FNSAVE's image: the environment, then eight registers of 10 bytes
 *	 24 MXCSR, its mask                    108 status word, magic
 *	 32 eight registers, 16 bytes each     112 FXSAVE's image, of which only MXCSR and SSE count on the way back
 *	160 eight registers of SSE
 */
#include <arch/cpu.h>
#include <arch/user.h>
#include <lib/string.h>
#include <linux/signal.h>

#define CONTROL_WORD      0x037Fu /* as FNINIT leaves it */
#define MXCSR_DEFAULT     0x1F80u
#define MXCSR_MASK_OLD    0xFFBFu /* of CPUs that store 0 as the mask */
#define MAGIC_X87_ONLY    0xFFFFu
#define STACK_TOP_SHIFT   11
#define MXCSR_MASKS_SHIFT 7
#define HIGH_HALF_SET     0xFFFF0000u
#define REGISTERS         8u
#define X87_BYTES         offsetof(struct _fpstate, _fxsr_env)
#define FXSR_USED         416u /* bytes of FXSAVE's image that mean something outside of 64-bit mode */

/* What FNSAVE stores, SDM 1 8.1.10; the same as the frame's beginning. */
struct x87_image {
	uint32_t cw, sw, tags, ip, cs_op, dp, ds;
	struct _fpreg st[REGISTERS];
};
_Static_assert(sizeof(struct x87_image) == 108, "the CPU's layout");

struct fxsr_image {
	uint16_t cw, sw, tags, op;
	uint32_t ip, cs, dp, ds;
	uint32_t mxcsr, mxcsr_mask;
	struct _fpxreg st[REGISTERS];
	struct _xmmreg xmm[REGISTERS];
	uint8_t unused[224];
};
_Static_assert(sizeof(struct fxsr_image) == sizeof(struct arch_fpu), "the CPU's layout");

enum tag { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

static struct {
	bool present, fxsr, sse;
	bool leaks; /* FXRSTOR leaves the last instruction's address, where no exception waits */
	uint32_t mxcsr_mask;
	struct arch_fpu found; /* the registers at the beginning */
} unit;

/* SDM 3A 9.2.1: without a unit these do nothing, and what was in memory stays. */
static bool answers(void)
{
	uint16_t status = 0x5A5A, control = 0x5A5A;

	__asm__ volatile("fninit\n\tfnstsw %0\n\tfnstcw %1" : "+m"(status), "+m"(control));
	return status == 0 && (control & 0x103F) == 0x003F;
}

static void fxsave(struct arch_fpu *fpu)
{
	__asm__ volatile("fxsave %0" : "=m"(*fpu));
}

static void fnsave(struct arch_fpu *fpu)
{
	__asm__ volatile("fnsave %0\n\tfrstor %0" : "=m"(*fpu));
}

void arch_user_init(void)
{
	uint32_t cr0 = (arch_read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_AM;

	arch_write_cr0(cr0);
	unit.present = (!cpu_info.has_cpuid || (cpu_info.features & CPUID_FPU)) && answers();
	arch_write_cr0(unit.present ? cr0 | CR0_MP | CR0_NE : (cr0 & ~CR0_MP) | CR0_EM);
	unit.fxsr = unit.present && (cpu_info.features & CPUID_FXSR);
	unit.sse = unit.fxsr && (cpu_info.features & CPUID_SSE);
	unit.leaks = unit.fxsr && !strcmp(cpu_info.vendor, "AuthenticAMD");
	if (!unit.fxsr)
		return;
	arch_write_cr4(arch_read_cr4() | CR4_OSFXSR | (unit.sse ? CR4_OSXMMEXCPT : 0));
	fxsave(&unit.found);
	unit.mxcsr_mask = ((struct fxsr_image *)&unit.found)->mxcsr_mask;
	if (!unit.mxcsr_mask)
		unit.mxcsr_mask = MXCSR_MASK_OLD;
}

void arch_fpu_init(struct arch_fpu *fpu)
{
	struct x87_image *x87 = (struct x87_image *)fpu;
	struct fxsr_image *fxsr = (struct fxsr_image *)fpu;

	memset(fpu, 0, sizeof(*fpu));
	if (unit.fxsr) {
		fxsr->cw = CONTROL_WORD;
		fxsr->mxcsr = MXCSR_DEFAULT;
	} else {
		x87->cw = HIGH_HALF_SET | CONTROL_WORD;
		x87->sw = HIGH_HALF_SET;
		x87->tags = UINT32_MAX;
		x87->ds = HIGH_HALF_SET;
	}
}

void arch_fpu_save(struct arch_fpu *fpu)
{
	if (unit.fxsr)
		fxsave(fpu);
	else if (unit.present)
		fnsave(fpu);
}

/*
 * An exception that waits in the registers that are left would be raised by the load of others. Where the load leaves
 * addresses of another program's (AMD64 manual 2, 11.4.4), these are of an instruction in here.
 */
void arch_fpu_load(const struct arch_fpu *fpu)
{
	if (unit.leaks)
		__asm__ volatile("fninit\n\tfildl %0" : : "m"(unit.mxcsr_mask));
	if (unit.fxsr)
		__asm__ volatile("fnclex\n\tfxrstor %0" : : "m"(*fpu));
	else if (unit.present)
		__asm__ volatile("fnclex\n\tfrstor %0" : : "m"(*fpu));
}

/* The first of the exceptions in the order of the flags that no mask holds back; SDM 1, 8.5 and 11.5. */
int arch_fpu_error(bool simd)
{
	static const int codes[] = {FPE_FLTINV, FPE_FLTUND, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES};
	struct arch_fpu now;
	const struct fxsr_image *fxsr = (const struct fxsr_image *)&now;
	const struct x87_image *x87 = (const struct x87_image *)&now;
	uint32_t raised;

	arch_fpu_save(&now);
	if (simd)
		raised = fxsr->mxcsr & ~(fxsr->mxcsr >> MXCSR_MASKS_SHIFT);
	else
		raised = unit.fxsr ? fxsr->sw & ~(uint32_t)fxsr->cw : x87->sw & ~x87->cw;
	for (uint32_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (raised >> i & 1)
			return codes[i];
	return FPE_FLTINV;
}

uint32_t arch_fpu_frame_size(void)
{
	if (!unit.present)
		return 0;
	return unit.fxsr ? sizeof(struct _fpstate) : X87_BYTES;
}

/* FNSAVE tells more of a register than FXSAVE: not only whether it is empty, but what is in it. */
static enum tag tag_of(const struct _fpxreg *r)
{
	uint32_t exponent = r->exponent & 0x7FFF;

	if (exponent == 0x7FFF)
		return TAG_SPECIAL;
	if (exponent)
		return r->significand[3] & 0x8000 ? TAG_VALID : TAG_SPECIAL;
	return r->significand[0] | r->significand[1] | r->significand[2] | r->significand[3] ? TAG_SPECIAL
											     : TAG_ZERO;
}

/* The bits go by the register's number, what is stored by its place in the stack. */
static uint32_t tags_to_x87(const struct fxsr_image *from)
{
	uint32_t top = from->sw >> STACK_TOP_SHIFT, tags = 0;

	for (uint32_t i = 0; i < REGISTERS; i++) {
		enum tag tag = from->tags >> i & 1 ? tag_of(&from->st[(i - top) % REGISTERS]) : TAG_EMPTY;

		tags |= (uint32_t)tag << 2 * i;
	}
	return tags;
}

static uint16_t tags_from_x87(uint32_t tags)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < REGISTERS; i++)
		used |= (uint32_t)((tags >> 2 * i & 3) != TAG_EMPTY) << i;
	return (uint16_t)used;
}

static void x87_from_fxsr(struct x87_image *to, const struct fxsr_image *from)
{
	*to = (struct x87_image){
		.cw = HIGH_HALF_SET | from->cw,
		.sw = HIGH_HALF_SET | from->sw,
		.tags = HIGH_HALF_SET | tags_to_x87(from),
		.ip = from->ip,
		.cs_op = (from->cs & 0xFFFF) | (uint32_t)from->op << 16,
		.dp = from->dp,
		.ds = HIGH_HALF_SET | from->ds,
	};
	for (uint32_t i = 0; i < REGISTERS; i++)
		memcpy(&to->st[i], &from->st[i], sizeof(to->st[i]));
}

static void fxsr_from_x87(struct fxsr_image *to, const struct x87_image *from)
{
	to->cw = (uint16_t)from->cw;
	to->sw = (uint16_t)from->sw;
	to->tags = tags_from_x87(from->tags);
	to->op = (uint16_t)(from->cs_op >> 16);
	to->ip = from->ip;
	to->cs = from->cs_op & 0xFFFF;
	to->dp = from->dp;
	to->ds = from->ds & 0xFFFF;
	for (uint32_t i = 0; i < REGISTERS; i++)
		memcpy(&to->st[i], &from->st[i], sizeof(from->st[i]));
}

void arch_fpu_to_frame(const struct arch_fpu *fpu, struct _fpstate *frame)
{
	memset(frame, 0, arch_fpu_frame_size());
	if (!unit.present)
		return;
	if (unit.fxsr) {
		x87_from_fxsr((struct x87_image *)frame, (const struct fxsr_image *)fpu);
		memcpy(frame->_fxsr_env, fpu, FXSR_USED);
		frame->magic = X86_FXSR_MAGIC;
	} else {
		memcpy(frame, fpu, sizeof(struct x87_image));
		frame->magic = MAGIC_X87_ONLY;
	}
	frame->status = (uint16_t)frame->sw;
}

void arch_fpu_from_frame(struct arch_fpu *fpu, const struct _fpstate *frame)
{
	struct fxsr_image *fxsr = (struct fxsr_image *)fpu;

	arch_fpu_init(fpu);
	if (!unit.fxsr) {
		memcpy(fpu, frame, sizeof(struct x87_image));
		return;
	}
	fxsr_from_x87(fxsr, (const struct x87_image *)frame);
	if (!unit.sse || frame->magic != X86_FXSR_MAGIC)
		return;
	/* A bit that the CPU does not know would be a general protection fault of the load. */
	fxsr->mxcsr = frame->mxcsr & unit.mxcsr_mask;
	memcpy(fxsr->xmm, frame->_xmm, sizeof(fxsr->xmm));
}
