/*
 * arch/x86/boot/entry.S - from the loader to C. Owns the entry page tables and the boot stack.
 *
 * Both loaders start us in 32-bit protected mode, paging and interrupts off, flat segments whose descriptors may
 * no longer exist: no segment register is loaded before there is a GDT of our own. The code runs at physical
 * addresses until the jump, so each symbol goes through PHYS().
 *
 *	entry page tables    0x00000000 - 0x003FFFFF -> the same, until the jump only
 *	                     0xC0000000 - 0xC03FFFFF -> 0x00000000
 *	                     the last span           -> boot_window
 */
#include "multiboot2.h"
#include "pvh.h"

#define KERNEL_BASE 0xC0000000
#define PHYS(x)     ((x) - KERNEL_BASE)
#define STACK_SIZE  8192

#define PRESENT_WRITE 3
#define CR0_PG        0x80000000
#define CR4_PAE       0x20
#define EFLAGS_ID     0x200000
#define CPUID_PAE     0x40

/* ---- what the loaders look for ---- */

	.section .boot.header, "a"
	.balign 8
header:
	.long MULTIBOOT2_HEADER_MAGIC
	.long 0                                 /* i386, protected mode */
	.long header_end - header
	.long -(MULTIBOOT2_HEADER_MAGIC + (header_end - header))

	.balign 8                               /* what we can use, none of it required */
	.short 1, 1
	.long 8 + 4 * 8
	.long 1, 2, 3, 4, 6, 8, 14, 15

	.balign 8                               /* entry address: physical, the ELF header's is virtual */
	.short 3, 0
	.long 12
	.long PHYS(multiboot2_entry)

	.balign 8                               /* a text console will do */
	.short 4, 1
	.long 12
	.long 2

	.balign 8                               /* a framebuffer of any size will do as well */
	.short 5, 1
	.long 20
	.long 0, 0, 0

	.balign 8                               /* where 1 MiB is taken, the lowest place above will do */
	.short 10, 1
	.long 24
	.long 0x100000, 0xFFFFFFFF, 4096, 1

	.balign 8                               /* modules on page boundaries */
	.short 6, 0
	.long 8

	.balign 8
	.short 0, 0
	.long 8
header_end:

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18                          /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long PHYS(pvh_entry)

/* ---- the entries: EAX the protocol's magic, EBX the information's physical address ---- */

	.section .boot.text, "ax"
	.globl multiboot2_entry, pvh_entry
pvh_entry:
	movl $PVH_MAGIC, %eax
multiboot2_entry:
	cli
	cld
	cmpl $MULTIBOOT2_MAGIC, %eax            /* other loaders know one place only */
	jne at_home
	movl 4(%ebx), %ecx                      /* a reserved word of the information is stack for one call */
	leal 8(%ebx), %esp
	call where
where:
	popl %edx
	movl %ecx, 4(%ebx)
	subl $PHYS(where), %edx
	jnz elsewhere
at_home:
	movl PHYS(image_end) - 4, %ecx          /* -kernel loads an image into memory that is not there */
	notl %ecx
	movl %ecx, PHYS(image_end) - 4
	cmpl %ecx, PHYS(image_end) - 4
	jne no_memory
	notl PHYS(image_end) - 4
	movl $PHYS(boot_stack_top), %esp
	movl %eax, %ebp                         /* the magic, over CPUID */
	pushl $0
	popfl

#if QUIRE_PAE
	movl %ebx, %edi
	pushfl                                  /* there is CPUID where EFLAGS.ID can be changed: SDM 1 20.1.2 */
	popl %eax
	movl %eax, %ecx
	xorl $EFLAGS_ID, %eax
	pushl %eax
	popfl
	pushfl
	popl %eax
	xorl %ecx, %eax
	testl $EFLAGS_ID, %eax
	jz no_pae
	movl $1, %eax
	cpuid
	testl $CPUID_PAE, %edx
	jz no_pae
	movl %edi, %ebx
	movl %cr4, %eax
	orl $CR4_PAE, %eax
	movl %eax, %cr4
#endif
	movl $PHYS(entry_root), %eax
	movl %eax, %cr3
	movl %cr0, %eax
	orl $CR0_PG, %eax
	movl %eax, %cr0
	movl $high, %eax
	jmp *%eax

	/* Here for kernel addresses. The identity goes now, so that a null pointer faults from the start. */
high:
	addl $KERNEL_BASE, %esp
	movl $0, entry_identity
#if QUIRE_PAE
	movl $0, entry_identity + 8
#endif
	movl %cr3, %eax
	movl %eax, %cr3
	movl %ebp, %eax
	xorl %ebp, %ebp                         /* where backtraces end */
	pushl %ebx
	pushl %eax
	pushl %ebp                              /* kernel_main has no caller */
	jmp kernel_main

/*
 * EDX bytes behind home. Whatever lies between changes places with the image, so the code that does it runs in the
 * page behind the image, which stays where it is.
 */
elsewhere:
	movl %edx, %ebp
	leal PHYS(mover_page) + 4096(%ebp), %esp
	pushl %ebx                              /* struct image_move */
	pushl $image_size
	pushl $PHYS(image_boot)
	leal PHYS(image_boot)(%ebp), %eax
	pushl %eax
	movl %esp, %eax
	pushl %ebx
	pushl %eax
	call image_move_plan
	addl $8, %esp
	leal -KERNEL_BASE(%eax, %ebp), %esi
	testl %eax, %eax
	jnz say
	leal PHYS(mover)(%ebp), %esi
	leal PHYS(mover_page)(%ebp), %edi
	movl %edi, %eax
	movl $(mover_end - mover), %ecx
	rep movsb
	popl %ebp                               /* from */
	addl $8, %esp
	popl %ebx                               /* the information's place to be */
	leal image_size(%ebp), %edx
	jmp *%eax

/* Turns round what lies before EBP, what lies from there to EDX, and then both as one: so they change places. */
mover:
	movl $PHYS(image_boot), %esi
	movl %ebp, %edi
	call turn_round
	movl %ebp, %esi
	movl %edx, %edi
	call turn_round
	movl $PHYS(image_boot), %esi
	movl %edx, %edi
	call turn_round
	movl $MULTIBOOT2_MAGIC, %eax
	movl $PHYS(at_home), %ecx
	jmp *%ecx
turn_round:                                     /* the words of [ESI, EDI) */
	subl $4, %edi
	cmpl %edi, %esi
	jae turned
	movl (%esi), %eax
	movl (%edi), %ecx
	movl %ecx, (%esi)
	movl %eax, (%edi)
	addl $4, %esi
	jmp turn_round
turned:
	ret
mover_end:

no_memory:
	movl $PHYS(no_memory_text), %esi
	jmp say
#if QUIRE_PAE
no_pae:
	movl $PHYS(no_pae_text), %esi
#endif
/* Says what ESI points to on the first serial port and at the top of the text screen; there is nothing else yet. */
say:
	movw $0x3fb, %dx                        /* 115200 baud, 8N1 */
	movb $0x80, %al
	outb %al, %dx
	movw $0x3f8, %dx
	movb $1, %al
	outb %al, %dx
	incl %edx
	xorl %eax, %eax
	outb %al, %dx
	movw $0x3fb, %dx
	movb $3, %al
	outb %al, %dx
	movl $0xb8000, %edi
next_character:
	lodsb
	testb %al, %al
	jz halt
	cmpb $' ', %al                          /* line ends are for the serial port only */
	jb send
	movb $0x4f, %ah                         /* white on red */
	stosw
send:
	movb %al, %bl
	movl $10000, %ecx                       /* a port that is not there never becomes ready */
	movw $0x3fd, %dx
wait_for_port:
	inb %dx, %al
	testb $0x20, %al
	jnz port_ready
	loop wait_for_port
port_ready:
	movb %bl, %al
	movw $0x3f8, %dx
	outb %al, %dx
	jmp next_character
halt:
	hlt
	jmp halt

	.section .boot.rodata, "a"
no_memory_text:
	.asciz "Quire: its image does not fit into this machine's memory. It needs 3 MiB.\r\n"
#if QUIRE_PAE
no_pae_text:
	.asciz "Quire: this kernel needs a CPU with PAE, and this one has none. Start quire.elf instead.\r\n"
#endif

/* ---- the entry page tables, ready as they stand ---- */

	.section .boot.tables, "aw"
	.globl entry_root, entry_directory, entry_window_table, boot_spare_table
	.balign 4096
#if QUIRE_PAE
entry_directory:                                /* 3 GiB to 4 GiB */
	.long PHYS(entry_table) + PRESENT_WRITE, 0
	.long PHYS(entry_table) + 4096 + PRESENT_WRITE, 0
	.fill 509, 8, 0
	.long PHYS(entry_window_table) + PRESENT_WRITE, 0
entry_low_directory:                            /* 0 to 1 GiB */
entry_identity:
	.long PHYS(entry_table) + PRESENT_WRITE, 0
	.long PHYS(entry_table) + 4096 + PRESENT_WRITE, 0
	.fill 510, 8, 0
#else
entry_root:
entry_directory:
entry_identity:
	.long PHYS(entry_table) + PRESENT_WRITE
	.fill 767, 4, 0
	.long PHYS(entry_table) + PRESENT_WRITE
	.fill 254, 4, 0
	.long PHYS(entry_window_table) + PRESENT_WRITE
#endif

entry_table:
	.set frame, 0
	.rept 1024
	.long frame + PRESENT_WRITE
#if QUIRE_PAE
	.long 0
#endif
	.set frame, frame + 4096
	.endr

entry_window_table:
	.fill 4096
boot_spare_table:                               /* with which phase one's window first grows */
	.fill 4096
#if QUIRE_PAE
entry_root:                                     /* 32 bytes; R/W and U/S are reserved here */
	.long PHYS(entry_low_directory) + 1, 0
	.long 0, 0
	.long 0, 0
	.long PHYS(entry_directory) + 1, 0
#endif

/* In bss, not in the boot part: it is still in use when the kernel's map is loaded. */
	.section .bss
	.balign 16
	.fill STACK_SIZE
boot_stack_top:

	.section .mover, "aw", @nobits
mover_page:
	.fill 4096

	.section .note.GNU-stack, "", @progbits
