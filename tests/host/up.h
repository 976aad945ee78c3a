/*
 * tests/host/up.h - what fs/ asks of the kernel above it, as the suites want it: one process, whose waiting, clock and
 * signals a case sets and reads.
 */
#ifndef TESTS_UP_H
#define TESTS_UP_H

#include <fs/files.h>

/* Called where the process would sleep, in the place of whoever else runs then. False: a signal comes. */
extern bool (*up_meanwhile)(void);

extern struct files *up_files;
extern struct fs_context up_fs;
extern int64_t up_now;      /* of clock_unix_ns; each question takes one nanosecond */
extern uint32_t up_pauses;  /* of current_pause: at the last of them a signal is due; 0: never */
extern uint32_t up_signals; /* sent to the process */
extern int up_last_signal;  /* to it, or to a process group */
extern uint32_t up_uid, up_gid;
extern uint32_t up_wakes, up_texts; /* queues woken, texts of /proc made */
extern uint32_t up_random;          /* of random_word */
extern char up_console[4096];       /* what was written there */
extern uint32_t up_console_length;

/* As at the start. */
void up_reset(void);

#endif
