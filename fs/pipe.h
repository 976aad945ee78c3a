/*
 * fs/pipe.h - pipes: 64 KiB between those who write and those who read. Writes of PIPE_BUF bytes or fewer are not torn.
 */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include <fs/file.h>

#define PIPE_SIZE 65536u

/* Makes a pipe and opens both ends; flags O_NONBLOCK. 0 or -ENOMEM, nothing changed. */
int pipe_create(uint32_t flags, struct file *end[2]);

/* Bytes that can be read at once: FIONREAD. */
uint32_t pipe_filled(const struct pipe *p);

/* What poll and the console sleep on: woken whenever anything may have become ready. */
extern struct wait_queue poll_queue;

#endif
