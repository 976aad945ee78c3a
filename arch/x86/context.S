/* arch/x86/context.S - from one kernel thread to another: what C expects a call to keep, and the stack. */
	.text

/* void arch_context_switch(struct arch_context *from, struct arch_context *to) */
	.globl arch_context_switch
	.type arch_context_switch, @function
arch_context_switch:
	movl 4(%esp), %eax
	movl 8(%esp), %edx
	pushl %ebp
	pushl %ebx
	pushl %esi
	pushl %edi
	movl %esp, (%eax)
	movl (%edx), %esp
	popl %edi
	popl %esi
	popl %ebx
	popl %ebp
	ret
	.size arch_context_switch, . - arch_context_switch

	.section .note.GNU-stack, "", @progbits
