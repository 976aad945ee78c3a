/*
 * arch/gdt.h - segments and tasks. All segments are flat but the three that a program may choose; of the two tasks one
 * is whatever runs, the other handles double faults. The programs' selectors have the numbers that Linux gives them.
 */
#ifndef ARCH_GDT_H
#define ARCH_GDT_H

#define GDT_TLS_FIRST    6 /* the number, not the selector, of the first of a program's own segments */
#define GDT_TLS_COUNT    3
#define GDT_KERNEL_CODE  0x60
#define GDT_KERNEL_DATA  0x68
#define GDT_USER_CODE    0x73 /* with the privilege level of who loads it */
#define GDT_USER_DATA    0x7B
#define GDT_TASK         0x80
#define GDT_DOUBLE_FAULT 0x88

#ifndef __ASSEMBLER__

#include <lib/types.h>

/* A task's saved state, SDM 3A 8.2.1. */
struct tss {
	uint32_t link;
	uint32_t esp0, ss0, esp1, ss1, esp2, ss2;
	uint32_t cr3;
	uint32_t eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs;
	uint32_t ldt;
	uint32_t trap_and_io_map;
};
_Static_assert(sizeof(struct tss) == 104, "the CPU's layout");

/* Loads the descriptor table, all segment registers and the task register. */
void gdt_init(void);

/* Sets the stack on which traps from user mode begin. */
void gdt_set_kernel_stack(vaddr_t top);

/* Sets the program's own segments. Their descriptors are arch_tls_set's: of level 3, data. */
void gdt_set_tls(const uint64_t descriptor[GDT_TLS_COUNT]);

/* Sets the directory that the double-fault task loads: one that has the kernel's half. */
void gdt_set_double_fault_root(pfn_t root);

/* Returns the registers of the running task as the switch to the double-fault task saved them. */
const struct tss *gdt_interrupted_task(void);

#endif
#endif
