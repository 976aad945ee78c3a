/* arch/x86/stack.S - void arch_stack_switch(vaddr_t top, void (*next)(void)): on to another stack, for good. */
	.text
	.globl arch_stack_switch
	.type arch_stack_switch, @function
arch_stack_switch:
	movl 4(%esp), %eax
	movl 8(%esp), %ecx
	movl %eax, %esp
	xorl %ebp, %ebp                         /* where backtraces end */
	pushl %ebp
	jmp *%ecx
	.size arch_stack_switch, . - arch_stack_switch

	.section .note.GNU-stack, "", @progbits
