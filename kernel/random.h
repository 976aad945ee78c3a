/*
 * kernel/random.h - random numbers for programs and for where things are put: ChaCha20 (RFC 8439) with a key that each
 * block replaces, half of it (fast key erasure, Bernstein 2017). Lock: interrupts off, in here.
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <lib/types.h>

/* Seeds from RDSEED or RDRAND, the counters' jitter and the clock; from the seed alone where it is not 0. */
void random_init(uint32_t seed);

void random_bytes(void *to, uint32_t n);
uint32_t random_word(void);

/* One block: 64 bytes from a key of 8 words and a counter, with a nonce of 0. For its test against the RFC. */
void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3], uint32_t out[16]);

#endif
