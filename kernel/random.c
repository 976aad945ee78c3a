/*
 * kernel/random.c - owns the key, and bytes that the one before has made. What it gave out cannot be found from what it
 * holds now. Lock: interrupts off.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <kernel/random.h>
#include <lib/string.h>

#define KEY_WORDS   8u
#define BLOCK_WORDS 16u
#define SPARE_BYTES ((BLOCK_WORDS - KEY_WORDS) * 4u) /* what is left of a block that makes a key */
#define JITTER      256u                             /* readings of the counters */

static struct {
	uint32_t key[KEY_WORDS];
	uint8_t ready[SPARE_BYTES]; /* the last `left` of them have not been given out */
	uint32_t left;
} random;

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

static void double_round(uint32_t x[BLOCK_WORDS])
{
	for (unsigned i = 0; i < 4; i++)
		quarter_round(&x[i], &x[4 + i], &x[8 + i], &x[12 + i]);
	for (unsigned i = 0; i < 4; i++)
		quarter_round(&x[i], &x[4 + (i + 1) % 4], &x[8 + (i + 2) % 4], &x[12 + (i + 3) % 4]);
}

void chacha20_block(const uint32_t k[KEY_WORDS], uint32_t counter, const uint32_t nonce[3],
		    uint32_t out[BLOCK_WORDS])
{
	/* "expand 32-byte k" */
	uint32_t begin[BLOCK_WORDS] = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};

	memcpy(&begin[4], k, KEY_WORDS * sizeof(*k));
	begin[12] = counter;
	memcpy(&begin[13], nonce, 3 * sizeof(*nonce));
	memcpy(out, begin, sizeof(begin));
	for (unsigned i = 0; i < 10; i++)
		double_round(out);
	for (unsigned i = 0; i < BLOCK_WORDS; i++)
		out[i] += begin[i];
}

/* Makes the next key; the rest of its block is ready to be given out. */
static void next_key(void)
{
	static const uint32_t nonce[3];
	uint32_t block[BLOCK_WORDS];

	chacha20_block(random.key, 0, nonce, block);
	memcpy(random.key, block, sizeof(random.key));
	memcpy(random.ready, &block[KEY_WORDS], SPARE_BYTES);
	memset(block, 0, sizeof(block));
	random.left = SPARE_BYTES;
}

/* Gives out bytes that are ready, and forgets them. */
static void give_ready(uint8_t *to, uint32_t n)
{
	uint8_t *from = random.ready + SPARE_BYTES - random.left;

	memcpy(to, from, n);
	memset(from, 0, n);
	random.left -= n;
}

void random_bytes(void *to, uint32_t n)
{
	uint32_t state = arch_irq_save();
	uint8_t *at = to;

	while (n) {
		uint32_t part = n < random.left ? n : random.left;

		give_ready(at, part);
		at += part;
		n -= part;
		if (n)
			next_key();
	}
	arch_irq_restore(state);
}

uint32_t random_word(void)
{
	uint32_t word;

	random_bytes(&word, sizeof(word));
	return word;
}

/* Stirs a word into the key. */
static void stir(uint32_t word)
{
	static const uint32_t nonce[3] = {1};
	uint32_t block[BLOCK_WORDS];

	random.key[0] ^= word;
	chacha20_block(random.key, 0, nonce, block);
	memcpy(random.key, block, sizeof(random.key));
}

void random_init(uint32_t seed)
{
	random.left = 0;
	memset(random.key, 0, sizeof(random.key));
	stir(seed);
	if (seed)
		return;
	for (uint32_t i = 0; i < KEY_WORDS; i++) {
		uint32_t word = 0;

		if (arch_random_word(&word))
			stir(word);
	}
	for (uint32_t i = 0; i < JITTER; i++)
		stir(i % 16 ? (uint32_t)arch_clock_now() : arch_clock_noise());
}
