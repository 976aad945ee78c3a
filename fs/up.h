/* fs/up.h - what files ask of the kernel above them, besides kernel/wait.h, kernel/signal.h and kernel/random.h. */
#ifndef FS_UP_H
#define FS_UP_H

#include <lib/types.h>

/* Nanoseconds from 1970 on. */
int64_t clock_unix_ns(void);

/* How large the running process may make a file, RLIMIT_FSIZE; UINT64_MAX where there is no limit. */
uint64_t current_size_limit(void);

/* Sends a signal to a process group; the terminal's characters do. */
void signal_group(int32_t group, int signo);

/*
 * For what takes long: lets others run when the running process's slice is over. True when a signal is due, and what
 * was done so far is to be the result.
 */
bool current_pause(void);

/*
 * What a call with a deadline returns when a signal broke it. Where no handler runs, again takes its place, with the
 * registers that it had.
 */
struct trap_frame;
int32_t current_again(uint64_t deadline, int32_t (*again)(struct trap_frame *f, uint64_t deadline));

/* Stores whose new files are: the running process's user and group for files; 0 and 0 where none runs. */
void current_owner(uint32_t *uid, uint32_t *gid);

/* The running process's group and session leader's; terminals ask. */
int32_t current_group(void);

#endif
