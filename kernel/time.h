/* kernel/time.h - moments and lengths in nanoseconds, and their two shapes in programs: words of 32 and of 64 bits. */
#ifndef KERNEL_TIME_H
#define KERNEL_TIME_H

#include <lib/types.h>

#define NS_PER_S  1000000000u
#define NS_PER_US 1000u
#define NS_PER_MS 1000000u

/* Reads a struct timespec; 0, -EFAULT, or -EINVAL for what is negative or has too many nanoseconds. */
int time_from_user(vaddr_t from, bool wide, uint64_t *ns);

/* Writes one; 0 or -EFAULT. */
int time_to_user(vaddr_t to, bool wide, uint64_t ns);

/* The sum, or the last moment of all. */
uint64_t time_add(uint64_t a, uint64_t b);

/* Nanoseconds since 1970. */
uint64_t time_unix(void);

#endif
