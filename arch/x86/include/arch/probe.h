/*
 * arch/probe.h - tries an access and tells whether it faulted. The supervisor's rights on the loaded directory
 * are what counts: with SMAP on, a USER page can be read and written while arch/user_access.h has the way open; with
 * SMEP on, it cannot be executed. Works from trap_init on, in panics too.
 */
#ifndef ARCH_PROBE_H
#define ARCH_PROBE_H

#include <lib/types.h>

/* True when the byte can be read; when it can be written (it is written back as it is, in one locked access). */
bool arch_probe_read(vaddr_t va);
bool arch_probe_write(vaddr_t va);

/* True when the instruction at va can be fetched. The caller has seen to it that it is a RET, byte 0xC3. */
bool arch_probe_execute(vaddr_t va);
#define ARCH_RET 0xC3u

/* Stores a byte in a page that can be read, even where it is read-only, and returns the byte before. */
uint8_t arch_probe_swap(vaddr_t va, uint8_t value);

#endif
