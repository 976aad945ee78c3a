/*
 * fs/procfs.h - /proc: meminfo and the like, self, and a directory for each process. It knows names and files; what
 * stands in them is the kernel's.
 */
#ifndef FS_PROCFS_H
#define FS_PROCFS_H

#include <lib/types.h>

struct inode;

/* The files. Those before PROC_TEXTS_OF_ALL stand in a process's directory. */
enum proc_text {
	PROC_MAPS,
	PROC_STATUS,
	PROC_STAT,
	PROC_STATM,
	PROC_CMDLINE,
	PROC_COMM,
	PROC_TABLES, /* its page tables, as a text */
	PROC_TEXTS_OF_ALL,
	PROC_MEMINFO = PROC_TEXTS_OF_ALL,
	PROC_UPTIME,
	PROC_VERSION,
	PROC_TEXTS
};

/* Makes the directory, with one reference; null when there is no memory. */
struct inode *procfs_create(void);

/*
 * Up calls, which kernel/ defines. proc_print writes as much of a text as fits into to[0..size) and returns the
 * length of all of it, or -ESRCH when the process is gone; no 0 at its end.
 */
int32_t proc_print(enum proc_text what, int32_t pid, char *to, uint32_t size);
int32_t proc_self(void);
/* Returns the lowest number of a process above this one, 0 when there is none. */
int32_t proc_next(int32_t pid);

#endif
