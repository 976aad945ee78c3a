/* lib/compat/bsd/sys/cdefs.h - all that <bsd/sys/queue.h> and <bsd/sys/tree.h> want; the real one wants a libc. */
#define __unused               __attribute__((unused))
#define __DECONST(type, value) ((type)(uintptr_t)(const void *)(value))
