/*
 * tests/host/calls.h - system calls of fs/ as a program makes them: arguments in a trap frame, memory in user pages of
 * the simulated machine.
 */
#ifndef TESTS_CALLS_H
#define TESTS_CALLS_H

#include "up.h"

#include <asm/stat.h>
#include <fs/file.h>
#include <fs/fs.h>
#include <fs/fs_calls.h>
#include <kernel/ktest.h>
#include <lib/string.h>
#include <linux/fs.h>
#include <mm/usercopy.h>
#include <tests/ktest/machine.h>

#define U_PAGES 40u
#define U       0x10000000u /* user memory; nothing behind it */
#define U_END   (U + U_PAGES * PAGE_SIZE)
#define U_TEXT  (U + 36 * PAGE_SIZE) /* where U_STRING puts strings */
#define CWD     ((uint32_t)AT_FDCWD)

/* Make a tree, a process and its memory; give all back and prove that nothing is left. */
void calls_begin(void);
void calls_end(void);

int32_t call_with(syscall_fn *fn, const uint32_t argument[6]);
#define FD(n)         ((uint32_t)(n))
#define CALL(fn, ...) call_with(fn, (const uint32_t[6]){__VA_ARGS__})

/* Puts a string into user memory, at one of four places by turns; returns where. */
vaddr_t ustr(const char *s);

/* Move bytes between the case and user memory. */
void uput(vaddr_t to, const void *from, uint32_t n);
void uget(void *to, vaddr_t from, uint32_t n);
uint32_t uword(vaddr_t from);
bool ueq(vaddr_t at, const char *s);

/* What most cases do. */
int32_t uopen(const char *path, uint32_t flags); /* mode 0644 */
int32_t uwrite(int32_t fd, const char *text);
int32_t umake(const char *path, const char *text); /* a file with this content; 0 */
bool uholds(const char *path, const char *text);   /* it has exactly this content */

/* What lstat64 tells. */
struct stat64 stat_of(const char *path);

#endif
