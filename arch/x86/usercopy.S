/*
 * arch/x86/usercopy.S - the few instructions that touch user memory, all of them between user_copy_first and
 * user_copy_end: trap.c asks there whether the page can be had before it takes the fix-up.
 *
 * Words first. Where a word cannot be had, its bytes are tried: the page may end in the middle of it.
 */
#include "fix_up.inc"
#include <asm-generic/errno.h>

	.text
	.globl user_copy_first, user_copy_end
user_copy_first:

/* uint32_t user_copy(void *to, const void *from, uint32_t n) */
	.globl user_copy
	.type user_copy, @function
user_copy:
	pushl %edi
	pushl %esi
	movl 12(%esp), %edi
	movl 16(%esp), %esi
	movl 20(%esp), %edx
	movl %edx, %ecx
	andl $3, %edx
	shrl $2, %ecx
1:	rep movsl
	movl %edx, %ecx
2:	rep movsb
3:	movl %ecx, %eax
	popl %esi
	popl %edi
	ret
4:	leal (%edx,%ecx,4), %ecx
	jmp 2b
	FIX_UP 1b, 4b
	FIX_UP 2b, 3b
	.size user_copy, . - user_copy

/* uint32_t user_zero(void *to, uint32_t n) */
	.globl user_zero
	.type user_zero, @function
user_zero:
	pushl %edi
	movl 8(%esp), %edi
	movl 12(%esp), %edx
	movl %edx, %ecx
	andl $3, %edx
	shrl $2, %ecx
	xorl %eax, %eax
1:	rep stosl
	movl %edx, %ecx
2:	rep stosb
3:	movl %ecx, %eax
	popl %edi
	ret
4:	leal (%edx,%ecx,4), %ecx
	jmp 2b
	FIX_UP 1b, 4b
	FIX_UP 2b, 3b
	.size user_zero, . - user_zero

/* int32_t user_string(char *to, const char *from, uint32_t n) */
	.globl user_string
	.type user_string, @function
user_string:
	pushl %edi
	pushl %esi
	movl 12(%esp), %edi
	movl 16(%esp), %esi
	movl 20(%esp), %ecx
1:	lodsb
	stosb
	testb %al, %al
	loopne 1b
	sete %al
	movzbl %al, %edx
	movl 20(%esp), %eax
	subl %ecx, %eax
	subl %edx, %eax /* the 0 is not counted */
2:	popl %esi
	popl %edi
	ret
3:	movl $-EFAULT, %eax
	jmp 2b
	FIX_UP 1b, 3b
	.size user_string, . - user_string

user_copy_end:
	.section .note.GNU-stack, "", @progbits
