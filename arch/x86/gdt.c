/* arch/x86/gdt.c - owns the segment descriptors and both task states. Lock: none, they are this processor's. */
#include <arch/cpu.h>
#include <arch/gdt.h>

#define ACCESS_CODE 0x9Au /* present, readable code */
#define ACCESS_DATA 0x92u /* present, writable data */
#define ACCESS_TASK 0x89u /* present, a 32-bit TSS that is not busy */
#define ACCESS_USER 0x60u /* privilege level 3 */
#define FLAGS_FLAT  0xCu  /* 32-bit, limit counts pages */
#define FLAGS_BYTES 0x0u
#define EFLAGS_NONE 0x2u /* interrupts off; bit 1 is always set */

#define FAULT_STACK_SIZE 8192u

void trap_double_fault_entry(void); /* trap.S */

static struct {
	uint64_t descriptor[GDT_DOUBLE_FAULT / 8 + 1];
	struct tss running;
	struct tss double_fault;
} gdt;

static uint8_t double_fault_stack[FAULT_STACK_SIZE] __attribute__((aligned(16)));

/* SDM 3A 3.4.5: base and limit are scattered over the eight bytes. */
static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t access, uint32_t flags)
{
	uint32_t low = (base << 16) | (limit & 0xFFFF);
	uint32_t high =
		(base & 0xFF000000) | (flags << 20) | (limit & 0xF0000) | (access << 8) | (base >> 16 & 0xFF);

	return (uint64_t)high << 32 | low;
}

static uint64_t task_descriptor(const struct tss *t)
{
	return descriptor((uint32_t)t, sizeof(*t) - 1, ACCESS_TASK, FLAGS_BYTES);
}

/* LLDT of 0: a reset leaves a local table of 64 KiB at address 0 (SDM 3A table 9-1), where programs may map pages. */
static void load(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdtr = {sizeof(gdt.descriptor) - 1, (uint32_t)gdt.descriptor};

	__asm__ volatile("lgdt %0\n\t"
			 "ljmp %1, $1f\n"
			 "1:\n\t"
			 "movl %2, %%ds\n\t"
			 "movl %2, %%es\n\t"
			 "movl %2, %%fs\n\t"
			 "movl %2, %%gs\n\t"
			 "movl %2, %%ss\n\t"
			 "lldt %w4\n\t"
			 "ltr %w3"
			 :
			 : "m"(gdtr), "i"(GDT_KERNEL_CODE), "r"(GDT_KERNEL_DATA), "r"(GDT_TASK), "r"(0)
			 : "memory");
}

static void set_up_double_fault(void)
{
	gdt.double_fault = (struct tss){
		.cr3 = arch_read_cr3(),
		.eip = (uint32_t)trap_double_fault_entry,
		.eflags = EFLAGS_NONE,
		.esp = (uint32_t)double_fault_stack + FAULT_STACK_SIZE,
		.cs = GDT_KERNEL_CODE,
		.ss = GDT_KERNEL_DATA,
		.ds = GDT_KERNEL_DATA,
		.es = GDT_KERNEL_DATA,
		.fs = GDT_KERNEL_DATA,
		.gs = GDT_KERNEL_DATA,
		.trap_and_io_map = sizeof(struct tss) << 16,
	};
}

void gdt_init(void)
{
	gdt.running = (struct tss){.ss0 = GDT_KERNEL_DATA, .trap_and_io_map = sizeof(struct tss) << 16};
	set_up_double_fault();
	gdt.descriptor[GDT_KERNEL_CODE / 8] = descriptor(0, 0xFFFFF, ACCESS_CODE, FLAGS_FLAT);
	gdt.descriptor[GDT_KERNEL_DATA / 8] = descriptor(0, 0xFFFFF, ACCESS_DATA, FLAGS_FLAT);
	gdt.descriptor[GDT_USER_CODE / 8] = descriptor(0, 0xFFFFF, ACCESS_CODE | ACCESS_USER, FLAGS_FLAT);
	gdt.descriptor[GDT_USER_DATA / 8] = descriptor(0, 0xFFFFF, ACCESS_DATA | ACCESS_USER, FLAGS_FLAT);
	gdt.descriptor[GDT_TASK / 8] = task_descriptor(&gdt.running);
	gdt.descriptor[GDT_DOUBLE_FAULT / 8] = task_descriptor(&gdt.double_fault);
	load();
}

void gdt_set_kernel_stack(vaddr_t top)
{
	gdt.running.esp0 = top;
}

void gdt_set_tls(const uint64_t descriptor[GDT_TLS_COUNT])
{
	for (uint32_t i = 0; i < GDT_TLS_COUNT; i++)
		gdt.descriptor[GDT_TLS_FIRST + i] = descriptor[i];
}

void gdt_set_double_fault_root(pfn_t root)
{
	gdt.double_fault.cr3 = root.n << PAGE_SHIFT;
}

const struct tss *gdt_interrupted_task(void)
{
	return &gdt.running;
}
