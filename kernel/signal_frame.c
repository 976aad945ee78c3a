/*
 * kernel/signal_frame.c - what a handler finds on its stack, and what comes back from it. The layout is Linux's for
 * i386, in both forms (<asm/sigcontext.h>, <asm/ucontext.h>). What comes back is hostile. Lock: none.
 */
#include <asm/sigcontext.h>
#include <asm/unistd_32.h>
#include <kernel/proc.h>
#include <kernel/signal_frame.h>
#include <lib/string.h>
#include <linux/signal.h>
#include <mm/mmap.h>
#include <mm/usercopy.h>

#define CALL_INT    0x80CDu                               /* int $0x80 */
#define PAGE_AT     ((ARCH_KERNEL_VPN - 1) << PAGE_SHIFT) /* above all stacks */
#define OLD_CODE    0u
#define NEW_CODE    16u
#define IRET_NUMBER 32u /* by which programs know TRAP_IRET */

/* struct sigaction has no room for it in the header of 32 signals. */
struct context {
	uint32_t flags, link;
	struct signal_stack stack;
	struct sigcontext registers;
	uint64_t mask;
};

struct return_code {
	uint8_t pop_eax, mov_eax;
	uint32_t number;
	uint16_t call;
} __attribute__((packed));

struct old_frame {
	uint32_t return_to, signo;
	struct sigcontext registers;
	struct _fpstate_32 unused; /* stood here before there was more to keep */
	uint32_t mask_high;
	struct return_code code;
};

struct new_frame {
	uint32_t return_to, signo, info_at, context_at;
	uint8_t info[SI_MAX_SIZE];
	struct context context;
	struct return_code code;
};

static bool is_on_stack(const struct signal_stack *s, vaddr_t sp)
{
	return sp > s->sp && sp - s->sp <= s->size;
}

uint32_t signal_stack_flags(const struct signal_stack *s, vaddr_t sp)
{
	/* One that is disarmed by its use is another's afterwards: who stands on it does not matter. */
	bool used = !(s->flags & SS_AUTODISARM) && is_on_stack(s, sp);

	return !s->size ? SS_DISABLE : used ? SS_ONSTACK : 0;
}

/* Where the frame's stack begins. */
static vaddr_t stack_of(const struct trap_frame *f, const struct signal_action *a)
{
	const struct signal_stack *s = &current->signals.stack;

	if (a->flags & SA_ONSTACK && signal_stack_flags(s, f->esp) == 0)
		return s->sp + s->size;
	return f->esp;
}

static void registers_of(const struct trap_frame *f, uint64_t mask, vaddr_t fpu_at, struct sigcontext *r)
{
	bool trap = f->vector < TRAP_CPU_VECTORS;

	*r = (struct sigcontext){
		.gs = (uint16_t)f->gs,
		.fs = (uint16_t)f->fs,
		.es = (uint16_t)f->es,
		.ds = (uint16_t)f->ds,
		.edi = f->edi,
		.esi = f->esi,
		.ebp = f->ebp,
		.esp = f->esp,
		.ebx = f->ebx,
		.edx = f->edx,
		.ecx = f->ecx,
		.eax = f->eax,
		.trapno = f->vector == TRAP_IRET ? IRET_NUMBER
			  : trap                 ? f->vector
						 : 0,
		.err = trap ? f->error : 0,
		.eip = f->eip,
		.cs = (uint16_t)f->cs,
		.eflags = f->eflags,
		.esp_at_signal = f->esp,
		.ss = (uint16_t)f->ss,
		.fpstate = (struct _fpstate *)fpu_at,
		.oldmask = (uint32_t)mask,
		.cr2 = trap ? f->cr2 : 0,
	};
}

/* Puts the FPU's state on the stack, where there is an FPU, and moves *sp below it; *at is where it is, or 0. */
static int push_fpu(vaddr_t *sp, vaddr_t *at)
{
	struct _fpstate state;
	uint32_t size = arch_fpu_frame_size();

	*at = 0;
	if (!size)
		return 0;
	memset(&state, 0, sizeof(state));
	arch_fpu_save(&current->fpu);
	arch_fpu_to_frame(&current->fpu, &state);
	*sp = *at = (*sp - size) & ~63u;
	return copy_to_user(*at, &state, size);
}

/* The place of a frame of n bytes: as behind a call, so that 4 bytes above it are aligned to 16. */
static vaddr_t place(vaddr_t sp, uint32_t n)
{
	return ((sp - n + 4) & ~15u) - 4;
}

static void info_of(uint8_t to[SI_MAX_SIZE], const struct signal_info *info)
{
	memset(to, 0, SI_MAX_SIZE);
	memcpy(to, info, sizeof(*info));
}

int signal_info_to_user(vaddr_t to, const struct signal_info *info)
{
	uint8_t bytes[SI_MAX_SIZE];

	info_of(bytes, info);
	return copy_to_user(to, bytes, sizeof(bytes));
}

static struct return_code code_for(uint32_t call, bool pop)
{
	/* Without the pop, a nop: the newer call finds its frame where the older one has popped a word. */
	return (struct return_code){pop ? 0x58 : 0x90, 0xB8, call, CALL_INT};
}

static struct mapping *signal_page;

int signal_page_init(void)
{
	struct return_code old = code_for(__NR_sigreturn, true), new = code_for(__NR_rt_sigreturn, false);

	signal_page = mapping_create(CONTAINER_ROOT, PAGE_SIZE);
	if (!signal_page || mapping_write(signal_page, OLD_CODE, &old, sizeof(old)) != sizeof(old) ||
	    mapping_write(signal_page, NEW_CODE, &new, sizeof(new)) != sizeof(new))
		return -ENOMEM;
	signal_page->name = "[sigpage]";
	return 0;
}

int signal_page_map(struct space *s)
{
	struct mmap_request r = {
		.hint = PAGE_AT,
		.length = PAGE_SIZE,
		.prot = PROT_READ | PROT_EXEC,
		.flags = MAP_SHARED | MAP_FIXED_NOREPLACE,
		.file = signal_page,
		.may_read = true,
	};

	return (vaddr_t)space_mmap(s, &r) == PAGE_AT ? 0 : -ENOMEM;
}

/* What goes to a handler, and where. */
struct delivery {
	const struct signal_action *action;
	const struct signal_info *info;
	uint64_t mask;
	vaddr_t at, fpu_at;
};

static vaddr_t return_place(const struct delivery *d, uint32_t code)
{
	return d->action->flags & SA_RESTORER ? d->action->restorer : PAGE_AT + code;
}

static int push_old(const struct trap_frame *f, const struct delivery *d)
{
	struct old_frame frame;

	memset(&frame, 0, sizeof(frame));
	frame.return_to = return_place(d, OLD_CODE);
	frame.signo = (uint32_t)d->info->signo;
	registers_of(f, d->mask, d->fpu_at, &frame.registers);
	frame.mask_high = (uint32_t)(d->mask >> 32);
	frame.code = code_for(__NR_sigreturn, true);
	return copy_to_user(d->at, &frame, sizeof(frame));
}

static int push_new(const struct trap_frame *f, const struct delivery *d)
{
	struct new_frame frame;

	memset(&frame, 0, sizeof(frame));
	frame.return_to = return_place(d, NEW_CODE);
	frame.signo = (uint32_t)d->info->signo;
	frame.info_at = d->at + (uint32_t)offsetof(struct new_frame, info);
	frame.context_at = d->at + (uint32_t)offsetof(struct new_frame, context);
	info_of(frame.info, d->info);
	frame.context.stack = current->signals.stack;
	registers_of(f, d->mask, d->fpu_at, &frame.context.registers);
	frame.context.mask = d->mask;
	frame.code = code_for(__NR_rt_sigreturn, false);
	return copy_to_user(d->at, &frame, sizeof(frame));
}

int signal_enter_handler(struct trap_frame *f, const struct signal_action *a, const struct signal_info *info,
			 uint64_t mask)
{
	struct delivery d = {.action = a, .info = info, .mask = mask};
	bool with_info = a->flags & SA_SIGINFO;
	vaddr_t sp = stack_of(f, a);
	int err = push_fpu(&sp, &d.fpu_at);

	if (err)
		return err;
	d.at = place(sp, with_info ? sizeof(struct new_frame) : sizeof(struct old_frame));
	err = with_info ? push_new(f, &d) : push_old(f, &d);
	if (err)
		return err;
	f->eax = (uint32_t)info->signo;
	f->edx = with_info ? d.at + (uint32_t)offsetof(struct new_frame, info) : 0;
	f->ecx = with_info ? d.at + (uint32_t)offsetof(struct new_frame, context) : 0;
	f->esp = d.at;
	f->eip = a->handler;
	if (current->signals.stack.flags & SS_AUTODISARM)
		current->signals.stack = (struct signal_stack){.flags = SS_DISABLE};
	arch_user_handler(f);
	return 0;
}

static int take_back(struct trap_frame *f, const struct sigcontext *r, uint64_t mask)
{
	struct _fpstate state;
	uint32_t size = arch_fpu_frame_size();

	if (r->fpstate && size) {
		memset(&state, 0, sizeof(state));
		if (copy_from_user(&state, (vaddr_t)r->fpstate, size))
			return -EFAULT;
		arch_fpu_from_frame(&current->fpu, &state);
		arch_fpu_load(&current->fpu);
	}
	f->gs = r->gs;
	f->fs = r->fs;
	f->es = r->es;
	f->ds = r->ds;
	f->edi = r->edi;
	f->esi = r->esi;
	f->ebp = r->ebp;
	f->esp = r->esp;
	f->ebx = r->ebx;
	f->edx = r->edx;
	f->ecx = r->ecx;
	f->eax = r->eax;
	f->eip = r->eip;
	f->cs = r->cs;
	f->ss = r->ss;
	f->eflags = r->eflags;
	arch_user_sanitise(f);
	f->error = ~0u; /* no call to begin again, whatever eax holds */
	signal_set_mask(mask);
	return 0;
}

/* The program's own registers are what the call leaves; a bad frame is its end. */
static int32_t left(struct trap_frame *f, int err)
{
	if (err)
		signal_fault(SIGSEGV, SEGV_MAPERR, f->esp);
	return (int32_t)f->eax;
}

int32_t sys_sigreturn(struct trap_frame *f)
{
	/* The return address was popped by the return, the number by the code behind it. */
	vaddr_t at = f->esp - 8;
	struct sigcontext r;
	uint32_t high;
	int err = copy_from_user(&r, at + (uint32_t)offsetof(struct old_frame, registers), sizeof(r));

	if (!err)
		err = copy_from_user(&high, at + (uint32_t)offsetof(struct old_frame, mask_high),
				     sizeof(high));
	return left(f, err ? err : take_back(f, &r, (uint64_t)high << 32 | r.oldmask));
}

int32_t sys_rt_sigreturn(struct trap_frame *f)
{
	vaddr_t at = f->esp - 4;
	struct context c;
	int err = copy_from_user(&c, at + (uint32_t)offsetof(struct new_frame, context), sizeof(c));

	if (!err)
		err = take_back(f, &c.registers, c.mask);
	if (!err)
		signal_set_stack(&c.stack, f->esp); /* what it refuses stays as it was, as on Linux */
	return left(f, err);
}
