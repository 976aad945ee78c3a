/*
 * arch/x86/trap.S - the ways into trap.c and panic.c, each with a struct trap_frame on the stack, and the probes.
 *
 * .ex_table holds pairs (address, where to go on): an exception in kernel mode at the address goes on there. For
 * an instruction that cannot be fetched it is the address to which the call returns.
 */
#include <arch/gdt.h>

#define STUB_SIZE 16
#define TRAP_NONE -1
#define CR0_WP    0x10000

/* Nothing but the bit that is always set: AC, which opens the way to USER pages, DF, NT and IF are off. */
#define EFLAGS_NONE 2

	.text

/* Vectors for which the CPU pushes an error code: 8, 10 to 14, 17, 21, 29, 30. The others get a 0. */
	.set HAS_ERROR, (1 << 8) | (0x1F << 10) | (1 << 17) | (1 << 21) | (1 << 29) | (1 << 30)

	.globl trap_stubs
	.type trap_stubs, @function
	.balign STUB_SIZE
trap_stubs:
	.set vector, 0
	.rept 256
	.balign STUB_SIZE
	.if (vector > 31) || (((HAS_ERROR >> (vector & 31)) & 1) == 0)
	pushl $0
	.endif
	pushl $vector
	jmp trap_common
	.set vector, vector + 1
	.endr
	.size trap_stubs, . - trap_stubs

	.macro PUSH_REGISTERS
	pushal
	pushl %ds
	pushl %es
	pushl %fs
	pushl %gs
	movl %cr2, %eax
	pushl %eax
	.endm

/* ebp stays the interrupted code's, so that a backtrace goes on into it. */
	.type trap_common, @function
trap_common:
	PUSH_REGISTERS
	pushl $EFLAGS_NONE /* not CLAC, which the i486 lacks; iret brings back what was interrupted */
	popfl
	movl $GDT_KERNEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	pushl %esp
	call trap_dispatch
	addl $8, %esp /* its argument, and cr2 */
	popl %gs
	popl %fs
	popl %es
	popl %ds
	popal
	addl $8, %esp /* vector and error code */
	iretl
	.size trap_common, . - trap_common

/*
 * A task of its own: the CPU has saved the interrupted registers in the other task's state and pushed the error
 * code, which is always 0.
 */
	.globl trap_double_fault_entry
	.type trap_double_fault_entry, @function
trap_double_fault_entry:
	xorl %ebp, %ebp
	call trap_double_fault
	ud2
	.size trap_double_fault_entry, . - trap_double_fault_entry

/* _Noreturn void panic(const char *format, ...): the caller's registers are as they were only here. */
	.globl panic
	.type panic, @function
panic:
	pushfl
	cli
	cld
	pushl %cs
	pushl 8(%esp) /* the return address, as eip */
	pushl $0
	pushl $TRAP_NONE
	PUSH_REGISTERS
	movl %esp, %eax
	leal 80(%esp), %edx /* behind the frame (72), the return address and the format: the arguments */
	pushl %edx
	pushl 76+4(%esp) /* the format, one word further off by now */
	pushl %eax
	call panic_report
	ud2
	.size panic, . - panic

	.macro FIX_UP at, resume
	.pushsection .ex_table, "a", @progbits
	.balign 4
	.long \at, \resume
	.popsection
	.endm

/* bool arch_probe_read(vaddr_t va) */
	.globl arch_probe_read
	.type arch_probe_read, @function
arch_probe_read:
	movl 4(%esp), %ecx
	movl $1, %eax
1:	movb (%ecx), %dl
	ret
	FIX_UP 1b, probe_failed
	.size arch_probe_read, . - arch_probe_read

/* bool arch_probe_write(vaddr_t va) */
	.globl arch_probe_write
	.type arch_probe_write, @function
arch_probe_write:
	movl 4(%esp), %ecx
	movl $1, %eax
1:	lock orb $0, (%ecx)
	ret
	FIX_UP 1b, probe_failed
	.size arch_probe_write, . - arch_probe_write

/* bool arch_probe_execute(vaddr_t va) */
	.globl arch_probe_execute
	.type arch_probe_execute, @function
arch_probe_execute:
	movl 4(%esp), %ecx
	movl $1, %eax
	call *%ecx
1:	ret
2:	addl $4, %esp /* the return address, which the instruction that could not be fetched left there */
	jmp probe_failed
	FIX_UP 1b, 2b
	.size arch_probe_execute, . - arch_probe_execute

	.type probe_failed, @function
probe_failed:
	xorl %eax, %eax
	ret
	.size probe_failed, . - probe_failed

/* uint8_t arch_probe_swap(vaddr_t va, uint8_t value): interrupts are off while write protection is. */
	.globl arch_probe_swap
	.type arch_probe_swap, @function
arch_probe_swap:
	movl 4(%esp), %ecx
	movzbl 8(%esp), %eax
	pushfl
	cli
	movl %cr0, %edx
	pushl %edx
	andl $~CR0_WP, %edx
	movl %edx, %cr0
	xchgb (%ecx), %al
	popl %edx
	movl %edx, %cr0
	popfl
	ret
	.size arch_probe_swap, . - arch_probe_swap

/* uint32_t trap_read_cr4(void): 0 where the CPU has no CR4 and takes the instruction for an invalid one. */
	.globl trap_read_cr4
	.type trap_read_cr4, @function
trap_read_cr4:
	xorl %eax, %eax
1:	movl %cr4, %eax
2:	ret
	FIX_UP 1b, 2b
	.size trap_read_cr4, . - trap_read_cr4

	.section .note.GNU-stack, "", @progbits
