/*
 * arch/trap.h - exceptions and interrupts, and the registers that they and panics found.
 *
 * Every vector enters through a small stub that pushes a struct trap_frame, system calls and page faults through
 * ones written for speed (the first leaves out cr2); a double fault enters through a task
 * gate, on a stack of its own, because the usual stack may be what failed.
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#define TRAP_PROTECTION 13
#define TRAP_PAGE_FAULT 14
#define TRAP_IRET       31 /* the return to a program failed: a number that the CPU does not use */
#define TRAP_SYSCALL    0x80

#ifndef __ASSEMBLER__

#include <lib/types.h>

#define TRAP_DIVIDE         0u
#define TRAP_DEBUG          1u
#define TRAP_NMI            2u
#define TRAP_BREAKPOINT     3u
#define TRAP_OVERFLOW       4u
#define TRAP_INVALID_OPCODE 6u
#define TRAP_NO_FPU         7u
#define TRAP_DOUBLE_FAULT   8u
#define TRAP_INVALID_TSS    10u
#define TRAP_FPU_ERROR      16u
#define TRAP_ALIGNMENT      17u
#define TRAP_MACHINE_CHECK  18u
#define TRAP_SIMD_ERROR     19u
#define TRAP_CPU_VECTORS    32u
#define TRAP_IRQ_FIRST      32u   /* the interrupt controllers' 16 lines: arch/pic.h */
#define TRAP_APIC_TIMER     0xEFu /* the local APIC's: arch/x86/apic.c */
#define TRAP_APIC_SPURIOUS  0xFFu
#define TRAP_VECTORS        256u
#define TRAP_NONE           0xFFFFFFFFu /* no trap: the frame of a call of panic */

/* Bits of a page fault's error code, SDM 3A 4.7. */
#define TRAP_PF_PRESENT  0x01u
#define TRAP_PF_WRITE    0x02u
#define TRAP_PF_USER     0x04u
#define TRAP_PF_RESERVED 0x08u
#define TRAP_PF_FETCH    0x10u

/* As the stubs of trap.S push it, last word first. esp and ss stand on the stack only when they changed. */
struct trap_frame {
	uint32_t cr2;
	uint32_t gs, fs, es, ds;
	uint32_t edi, esi, ebp, unused_esp, ebx, edx, ecx, eax;
	uint32_t vector, error; /* a system call's: TRAP_SYSCALL, and eax as it came */
	uint32_t eip, cs, eflags;
	uint32_t esp, ss; /* from user mode only: read them with trap_esp and trap_ss */
};

/* Control registers at the time of the call; cr4 is 0 where the CPU has none. */
struct trap_control {
	uint32_t cr0, cr2, cr3, cr4;
};

/*
 * Loads descriptor tables, task register and interrupt table, and masks the interrupt controllers. Call it first
 * of all: until then any fault resets the machine.
 */
void trap_init(void);

/* True from trap_init on: faults are caught, and probes work. */
bool trap_ready(void);

/* Names the directory on which double faults are handled; after each load of another kernel map. */
void trap_set_root(pfn_t root);

/* Returns the vector's name in the SDM's words. */
const char *trap_name(uint32_t vector);

/* True when the frame came from user mode. */
static inline bool trap_from_user(const struct trap_frame *f)
{
	return f->cs & 3;
}

/* True when the instruction itself could not be fetched; what called it has then left its address at trap_esp. */
static inline bool trap_fetch_failed(const struct trap_frame *f)
{
	return f->vector == TRAP_PAGE_FAULT && f->cr2 == f->eip;
}

/* The stack pointer and segment at the moment of the trap. */
uint32_t trap_esp(const struct trap_frame *f);
uint32_t trap_ss(const struct trap_frame *f);

/* Reads the control registers. */
struct trap_control trap_control(void);

#endif
#endif
