/*
 * tests/ktest/proc_machine.c - the first process of a case. The case's own thread stops meanwhile, as a process without
 * a space: the scheduler knows no other threads. Owns nothing between cases.
 */
#include <arch/frame_access.h>
#include <arch/gdt.h>
#include <asm/signal.h>
#include <fs/file.h>
#include <fs/fs.h>
#include <kernel/syscall.h>
#include <kernel/user_trap.h>
#include <lib/string.h>
#include <linux/wait.h>
#include <mm/mmap.h>
#include <mm/usercopy.h>
#include <tests/ktest/machine.h>
#include <tests/ktest/proc_machine.h>

static struct {
	struct proc *host; /* the case's thread */
	void (*body)(void);
} machine;

static bool map(vaddr_t at, vaddr_t end, uint32_t prot, uint32_t kind)
{
	const struct mmap_request r = {.hint = at,
				       .length = end - at,
				       .prot = prot,
				       .flags = kind | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE};

	return (vaddr_t)space_mmap(current_space(), &r) == at;
}

static bool map_memory(void)
{
	return map(PROC_CODE, PROC_CODE + PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE) &&
	       map(PROC_STACK - PAGE_SIZE, PROC_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE) &&
	       map(PROC_DATA, PROC_DATA + PROC_DATA_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static int kill(struct proc *p, void *unused)
{
	(void)unused;
	if (p != current)
		signal_send(p, SIGKILL, NULL);
	return 0;
}

static void end_children(void)
{
	struct proc_waited w;

	current->signals.blocked = ~0ull;
	proc_each(kill, NULL);
	while (proc_wait(PROC_ANY, WEXITED | __WALL, &w) > 0)
		;
	EXPECT(LIST_EMPTY(&current->children));
}

/* In the first process, on its kernel stack. What it has goes as in proc_exit, which would end the machine. */
static void begin(void)
{
	if (map_memory())
		machine.body();
	else
		ktest_fail("no memory for a program");
	machine_fail_after(-1);
	end_children();
	sched_set_alarm(current, 0, 0);
	files_put(current->files);
	fs_context_put(&current->fs);
	EXPECT_EQ(check_space(current_space()), 0);
	proc_enter_space(NULL);
	signals_drop(&current->signals);
	LIST_REMOVE(current, hashed);
	LIST_REMOVE(current, listed);
	current->state = PROC_ZOMBIE;
	sched_ready(machine.host);
	sched_leave(true);
}

/* Makes the process and stops until it has ended. */
static void run(struct tenant *t)
{
	EXPECT_EQ(fs_init(), 0);
	EXPECT_EQ(proc_start_init(t, begin), 0);
	current = machine.host;
	sched_stop();
	current = NULL;
	EXPECT_EQ(file_count(), 0);
	fs_exit();
	EXPECT_EQ(inode_count(), 0);
	EXPECT_EQ(t->refs, 1);
	EXPECT_EQ(t->committed, 0);
}

void proc_run(void (*body)(void))
{
	struct user_hooks before = arch_user_hooks(&kernel_hooks);
	vaddr_t kernel_stack = gdt_interrupted_task()->esp0;
	pfn_t root = arch_mmu_root();
	struct tenant *t;

	machine.body = body;
	machine.host = kalloc();
	ASSERT(machine.host);
	memset(machine.host, 0, sizeof(*machine.host));
	machine.host->deadline = WAIT_FOREVER;
	if (!tenant_create(CONTAINER_ROOT, PROC_PAGES, &t)) {
		run(t);
		tenant_put(t);
	} else {
		ktest_fail("no %u pages for a tenant", PROC_PAGES);
	}
	kfree(machine.host);
	arch_mmu_load(root);
	arch_set_kernel_stack(kernel_stack);
	arch_return_work = 0;
	arch_user_hooks(&before);
}

void proc_frame(struct trap_frame *f, uint32_t number, const uint32_t argument[6])
{
	arch_user_start(f, PROC_CODE, PROC_STACK);
	f->vector = TRAP_SYSCALL;
	f->eax = f->error = number;
	f->ebx = argument[0];
	f->ecx = argument[1];
	f->edx = argument[2];
	f->esi = argument[3];
	f->edi = argument[4];
	f->ebp = argument[5];
}

int32_t proc_call_with(uint32_t number, const uint32_t argument[6])
{
	struct trap_frame f;

	proc_frame(&f, number, argument);
	user_syscall(&f);
	return (int32_t)f.eax;
}

/* No page is ever written to and executed. */
void proc_load(const uint8_t *code, uint32_t size)
{
	EXPECT_EQ(space_mprotect(current_space(), PROC_CODE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	EXPECT_EQ(copy_to_user(PROC_CODE, code, size), 0);
	EXPECT_EQ(space_mprotect(current_space(), PROC_CODE, PAGE_SIZE, PROT_READ | PROT_EXEC), 0);
}

int32_t proc_start(const uint8_t *code, uint32_t size, uint32_t ebx)
{
	proc_load(code, size);
	return PROC_CALL(__NR_fork, ebx);
}

uint32_t proc_word(uint32_t number)
{
	uint32_t word = 0;

	EXPECT_EQ(copy_from_user(&word, PROC_DATA + 4 * number, sizeof(word)), 0);
	return word;
}

void proc_set_word(uint32_t number, uint32_t value)
{
	EXPECT_EQ(copy_to_user(PROC_DATA + 4 * number, &value, sizeof(value)), 0);
}

vaddr_t proc_text(uint32_t page, const char *text)
{
	vaddr_t to = PROC_DATA + page * PAGE_SIZE;

	EXPECT_EQ(copy_to_user(to, text, (uint32_t)strlen(text) + 1), 0);
	return to;
}

int32_t proc_wait_for(int32_t pid)
{
	struct proc_waited w;
	int32_t got = proc_wait(pid, WEXITED | __WALL, &w);

	return got == pid ? w.status : got;
}
