/*
 * tests/ktest/proc_machine.h - a case as the first process: it makes system calls, its children are programs. For the
 * suites of kernel/, which run before there are processes.
 *
 *	PROC_CODE   a page of its own: programs       PROC_STACK  the end of one for their stacks
 *	PROC_DATA   pages that all of them share
 */
#ifndef TESTS_PROC_MACHINE_H
#define TESTS_PROC_MACHINE_H

#include <asm/unistd_32.h>
#include <kernel/proc.h>
#include <tests/ktest/user_machine.h>

#define PROC_CODE       0x10000000u
#define PROC_STACK      0x10003000u
#define PROC_DATA       0x10004000u
#define PROC_DATA_PAGES 4u
#define PROC_PAGES      120u /* that its tenant may have */

/*
 * Runs a function as the first process, with a tree of files of its own, then ends its children and takes all away.
 * KTEST_PROC is a case whose body runs so.
 */
void proc_run(void (*body)(void));

#define KTEST_PROC(suite, name)                                                                              \
	static void proc_##suite##_##name(void);                                                             \
	KTEST(suite, name)                                                                                   \
	{                                                                                                    \
		proc_run(proc_##suite##_##name);                                                             \
	}                                                                                                    \
	static void proc_##suite##_##name(void)

/* Fills the registers of a program at PROC_CODE that makes a call. */
void proc_frame(struct trap_frame *f, uint32_t number, const uint32_t argument[6]);

/* Makes a system call as a program does: number, then arguments. Returns eax. */
int32_t proc_call_with(uint32_t number, const uint32_t argument[6]);
#define PROC_CALL(number, ...) proc_call_with(number, (const uint32_t[6]){__VA_ARGS__})

/* Puts the program of a USER_PROGRAM at PROC_CODE; and starts it as a child with ebx: returns its number. */
#define PROC_LOAD(name)       proc_load(user_##name, (uint32_t)(user_##name##_end - user_##name))
#define PROC_START(name, ebx) proc_start(user_##name, (uint32_t)(user_##name##_end - user_##name), ebx)
void proc_load(const uint8_t *code, uint32_t size);
int32_t proc_start(const uint8_t *code, uint32_t size, uint32_t ebx);

/* A word of memory that the programs share. */
uint32_t proc_word(uint32_t number);
void proc_set_word(uint32_t number, uint32_t value);

/* Puts a string at a page of PROC_DATA, and says where. */
vaddr_t proc_text(uint32_t page, const char *text);

/* Waits for a child's end; its status, or -ECHILD. */
int32_t proc_wait_for(int32_t pid);

#endif
