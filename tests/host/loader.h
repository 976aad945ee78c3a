/* tests/host/loader.h - what a loader left in physical memory, for boot_window to find. */
#ifndef TESTS_LOADER_H
#define TESTS_LOADER_H

#include <lib/types.h>

/* Puts bytes at a physical address; they stay the caller's. No more than LOADER_PLACES. */
#define LOADER_PLACES 8
void loader_place(uint64_t physical, const void *bytes, uint32_t length);

/* Takes all of them away. */
void loader_clear(void);

/* Returns how often boot_window was asked since then. */
uint32_t loader_asked(void);

#endif
