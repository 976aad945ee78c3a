/* tests/ktest/user_machine.c - programs without processes. Owns the address space and the hooks while a case runs. */
#include <arch/frame_access.h>
#include <arch/gdt.h>
#include <arch/irq.h>
#include <tests/ktest/user_machine.h>

struct pdir user_pdir;
struct user_hooks user_case;

static struct {
	struct user_hooks kernels;
	struct arch_context host; /* of user_run */
	struct user_thread *running;
	pfn_t root; /* loaded before */
	vaddr_t kernel_stack;
} machine;

static void end(struct trap_frame *f, bool ended)
{
	machine.running->last = *f;
	machine.running->ended = ended;
	user_pause();
}

static void on_syscall(struct trap_frame *f)
{
	if (f->eax == USER_EXIT)
		end(f, true);
	else if (user_case.syscall)
		user_case.syscall(f);
}

static void on_trap(struct trap_frame *f)
{
	if (user_case.trap)
		user_case.trap(f);
	else
		end(f, false);
}

static void on_return(struct trap_frame *f)
{
	arch_return_work = 0;
	if (user_case.return_work)
		user_case.return_work(f);
}

static bool on_fault(vaddr_t va, uint32_t error)
{
	return user_case.fault && user_case.fault(va, error);
}

static void on_tick(bool from_user)
{
	if (user_case.tick)
		user_case.tick(from_user);
}

bool user_machine_begin(void)
{
	static const struct user_hooks mine = {on_syscall, on_trap, on_return, on_fault, on_tick};

	user_case = (struct user_hooks){0};
	machine.kernels = arch_user_hooks(&mine);
	machine.root = arch_mmu_root();
	machine.kernel_stack = gdt_interrupted_task()->esp0;
	if (pdir_init(&user_pdir, CONTAINER_ROOT)) {
		user_pdir.root = NO_FRAME;
		return false;
	}
	if (alloc_page(&user_pdir, vpn_of(USER_CODE), PROT_R | PROT_X | PROT_USER) ||
	    alloc_page(&user_pdir, vpn_of(USER_DATA), PROT_R | PROT_W | PROT_USER))
		return false;
	set_pdir_base(&user_pdir);
	return true;
}

void user_machine_end(void)
{
	arch_mmu_load(machine.root);
	arch_set_kernel_stack(machine.kernel_stack);
	arch_return_work = 0;
	if (user_pdir.root.n)
		vm_free(&user_pdir);
	user_pdir.root = NO_FRAME;
	arch_user_hooks(&machine.kernels);
}

void user_load(const uint8_t *code, uint32_t size)
{
	arch_frame_write(arch_pte_pfn(get_ptbl_entry_by_va(&user_pdir, USER_CODE)), 0, code, size);
}

static void enter(void)
{
	arch_user_return(machine.running->stack);
}

bool user_thread_begin(struct user_thread *t)
{
	*t = (struct user_thread){.stack = kstack_alloc()};
	if (!t->stack)
		return false;
	t->frame = arch_user_frame(t->stack);
	arch_context_init(&t->context, t->stack, enter);
	arch_user_start(t->frame, USER_CODE, USER_STACK);
	return true;
}

void user_thread_end(struct user_thread *t)
{
	if (t->stack)
		kstack_free(t->stack);
}

void user_run(struct user_thread *t)
{
	uint32_t state = arch_irq_save();

	machine.running = t;
	arch_set_kernel_stack(t->stack);
	arch_context_switch(&machine.host, &t->context);
	arch_irq_restore(state);
}

void user_pause(void)
{
	uint32_t state = arch_irq_save();

	arch_context_switch(&machine.running->context, &machine.host);
	arch_irq_restore(state);
}

struct user_thread user_run_alone(const uint8_t *code, uint32_t size, void (*prepare)(struct trap_frame *f))
{
	struct user_thread t;

	user_load(code, size);
	if (!user_thread_begin(&t)) {
		ktest_fail("no stack for a program");
		return t;
	}
	if (prepare)
		prepare(t.frame);
	user_run(&t);
	user_thread_end(&t);
	return t;
}
