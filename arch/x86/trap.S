/*
 * arch/x86/trap.S - the ways into trap.c and panic.c, each with a struct trap_frame on the stack; the way out to
 * programs; and the probes.
 */
#include "fix_up.inc"
#include <arch/gdt.h>
#include <arch/trap.h>

#define STUB_SIZE 16
#define TRAP_NONE -1
#define CR0_WP    0x10000

/* Nothing but the bit that is always set: AC, which opens the way to USER pages, DF, NT and IF are off. */
#define EFLAGS_NONE 2
#define EFLAGS_IF   0x202

/* Offsets in struct trap_frame and struct user_hooks; trap.c holds them to it. */
#define FRAME_GS         4
#define FRAME_FS         8
#define FRAME_ES         12
#define FRAME_DS         16
#define FRAME_REGISTERS  20
#define FRAME_VECTOR     52
#define FRAME_ERROR      56
#define FRAME_CS         64
#define FRAME_SIZE       80
#define HOOK_SYSCALL     0
#define HOOK_TRAP        4
#define HOOK_RETURN_WORK 8

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
	.endm

	.macro LOAD_KERNEL_SEGMENTS
	movl $GDT_KERNEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	.endm

/* ebp stays the interrupted code's, so that a backtrace goes on into it. */
	.type trap_common, @function
trap_common:
	PUSH_REGISTERS
	movl %cr2, %eax
	pushl %eax
frame_stands:
	pushl $EFLAGS_NONE /* not CLAC, which the i486 lacks; iret brings back what was interrupted */
	popfl
	LOAD_KERNEL_SEGMENTS
handle:
	pushl %esp
	call trap_dispatch
	addl $4, %esp
	testb $3, FRAME_CS(%esp)
	jnz return_to_user
	addl $4, %esp /* cr2 */
	popl %gs
	popl %fs
	popl %es
	popl %ds
	popal
	addl $8, %esp /* vector and error code */
	iretl
	.size trap_common, . - trap_common

/* A program's page fault goes to the hook as trap_dispatch would do it: there are more of them than of all others. */
	.globl trap_page_fault_entry
	.type trap_page_fault_entry, @function
trap_page_fault_entry:
	pushl $TRAP_PAGE_FAULT
	PUSH_REGISTERS
	movl %cr2, %eax
	pushl %eax
	testb $3, FRAME_CS(%esp)
	jz frame_stands
	pushl $EFLAGS_IF
	popfl
	LOAD_KERNEL_SEGMENTS
	pushl %esp
	call *trap_hooks + HOOK_TRAP
	addl $4, %esp
	jmp return_to_user
	.size trap_page_fault_entry, . - trap_page_fault_entry

/* INT 0x80, interrupts off; the program's registers are trusted in nothing. In the place of cr2 stands any word. */
	.globl trap_syscall_entry
	.type trap_syscall_entry, @function
trap_syscall_entry:
	pushl %eax /* in the place of the error code */
	pushl $TRAP_SYSCALL
	PUSH_REGISTERS
	pushl %eax
	pushl $EFLAGS_IF
	popfl
	LOAD_KERNEL_SEGMENTS
	pushl %esp
	call *trap_hooks + HOOK_SYSCALL
	addl $4, %esp

/*
 * The way out to a program, with its frame at esp. Interrupts are off from the look at arch_return_work to the end, so
 * that no work comes in between. The program chose what is loaded here: each load may fault.
 */
	.type return_to_user, @function
return_to_user:
	cli
	cmpl $0, arch_return_work
	jne 6f
1:	movw FRAME_GS(%esp), %gs
2:	movw FRAME_FS(%esp), %fs
3:	movw FRAME_ES(%esp), %es
4:	movw FRAME_DS(%esp), %ds
	addl $FRAME_REGISTERS, %esp
	popal
	addl $8, %esp /* vector and error code */
5:	iretl
6:	sti
	pushl %esp
	call *trap_hooks + HOOK_RETURN_WORK
	addl $4, %esp
	jmp return_to_user
	.size return_to_user, . - return_to_user
	.size trap_syscall_entry, . - trap_syscall_entry
	FIX_UP 1b, bad_segment
	FIX_UP 2b, bad_segment
	FIX_UP 3b, bad_segment
	FIX_UP 4b, bad_segment
	FIX_UP 5b, bad_iret

/* Nothing is popped yet: an exception would write over what was. */
	.type bad_segment, @function
bad_segment:
	LOAD_KERNEL_SEGMENTS
	movl $TRAP_PROTECTION, FRAME_VECTOR(%esp)
	movl $0, FRAME_ERROR(%esp)
	jmp handle
	.size bad_segment, . - bad_segment

/* A failed IRET leaves its five words, and the program's registers: as if the program itself had trapped. */
	.type bad_iret, @function
bad_iret:
	pushl $0
	pushl $TRAP_IRET
	jmp trap_common
	.size bad_iret, . - bad_iret

/* _Noreturn void arch_user_return(vaddr_t stack_top) */
	.globl arch_user_return
	.type arch_user_return, @function
arch_user_return:
	movl 4(%esp), %esp
	subl $FRAME_SIZE, %esp
	jmp return_to_user
	.size arch_user_return, . - arch_user_return

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
	movl %cr2, %eax
	pushl %eax
	movl %esp, %eax
	leal 80(%esp), %edx /* behind the frame (72), the return address and the format: the arguments */
	pushl %edx
	pushl 76+4(%esp) /* the format, one word further off by now */
	pushl %eax
	call panic_report
	ud2
	.size panic, . - panic

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
