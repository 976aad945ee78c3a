/*
 * tests/ktest/user_machine.h - a program of a few instructions in an address space of its own, and how it ends. For the
 * suites of user mode, which know no processes.
 *
 *	USER_CODE  the program, read and execute       USER_DATA  a page of data, with the stack at its end
 */
#ifndef TESTS_USER_MACHINE_H
#define TESTS_USER_MACHINE_H

#include <arch/user.h>
#include <kernel/ktest.h>
#include <mm/kmap.h>

#define USER_CODE  0x08048000u
#define USER_DATA  0x08050000u
#define USER_STACK (USER_DATA + PAGE_SIZE)
#define USER_EXIT  0xE817u /* the call that ends a program */

/* A program: machine code between two labels. It stands in read-only data, for the kernel never runs it. */
#define USER_PROGRAM(name, text)                                                                             \
	extern const uint8_t user_##name[], user_##name##_end[];                                             \
	__asm__(".pushsection .rodata\n"                                                                     \
		"user_" #name ":\n" text "\n"                                                                \
		"user_" #name "_end:\n"                                                                      \
		".popsection")

/* The end of every program that lives so long. */
#define USER_ENDS "\n\tmovl $0xE817, %eax\n\tint $0x80\n"

/* A thread that can enter user mode. */
struct user_thread {
	struct arch_context context;
	vaddr_t stack;
	struct trap_frame *frame; /* the program's registers */
	bool ended;               /* by USER_EXIT; else by a trap */
	struct trap_frame last;   /* as they were at the end */
};

/* The address space of all programs of a case. */
extern struct pdir user_pdir;

/* What a case may take over: called for system calls but USER_EXIT, and for traps; a trap without taker ends. */
extern struct user_hooks user_case;

/* Make and free the address space, take the hooks and give them back. False, with the case skipped, without memory. */
bool user_machine_begin(void);
void user_machine_end(void);

/* Puts a program at USER_CODE. */
#define USER_LOAD(name) user_load(user_##name, (uint32_t)(user_##name##_end - user_##name))
void user_load(const uint8_t *code, uint32_t size);

/* Makes a thread that will start at USER_CODE; frees it. */
bool user_thread_begin(struct user_thread *t);
void user_thread_end(struct user_thread *t);

/* Runs a thread until it ends or calls user_pause. */
void user_run(struct user_thread *t);

/* From a hook: back to who called user_run, which may go on with the thread later. */
void user_pause(void);

/* All of it, for a single program: loads and runs it, and returns how it ended. */
#define USER_RUN(name) user_run_alone(user_##name, (uint32_t)(user_##name##_end - user_##name), NULL)
struct user_thread user_run_alone(const uint8_t *code, uint32_t size, void (*prepare)(struct trap_frame *f));

#endif
