/* tests/ktest/random_test.c - the generator of random numbers. Lock: none. */
#include <kernel/ktest.h>
#include <kernel/random.h>
#include <lib/string.h>

/* RFC 8439, 2.3.2. */
KTEST(random, a_block_is_as_in_the_rfc)
{
	static const uint32_t key[8] = {0x03020100, 0x07060504, 0x0B0A0908, 0x0F0E0D0C,
					0x13121110, 0x17161514, 0x1B1A1918, 0x1F1E1D1C};
	static const uint32_t nonce[3] = {0x09000000, 0x4A000000, 0};
	static const uint32_t expected[16] = {0xE4E7F110, 0x15593BD1, 0x1FDD0F50, 0xC47120A3,
					      0xC7F4D1C7, 0x0368C033, 0x9AAA2204, 0x4E6CD4C3,
					      0x466482D2, 0x09AA9F07, 0x05D7C214, 0xA2028BD9,
					      0xD19C12B5, 0xB94E16DE, 0xE883D0CB, 0x4E3C50A2};
	uint32_t out[16];

	chacha20_block(key, 1, nonce, out);
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(out[i], expected[i]);
}

KTEST(random, a_seed_repeats)
{
	uint8_t a[100], b[100];

	random_init(7);
	random_bytes(a, sizeof(a));
	random_init(7);
	random_bytes(b, sizeof(b));
	EXPECT(!memcmp(a, b, sizeof(a)));
	random_bytes(b, sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)));
	random_init(8);
	random_bytes(b, sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)));
}

KTEST(random, what_is_given_out_does_not_come_again)
{
	uint32_t word[64];

	random_init(1);
	random_bytes(word, sizeof(word));
	for (unsigned i = 0; i < 64; i++)
		for (unsigned j = 0; j < i; j++)
			EXPECT_NE(word[i], word[j]);
}

/* Many small requests get what one large one does: nothing is left out, nothing given twice. */
KTEST(random, the_size_of_requests_does_not_matter)
{
	uint8_t whole[200], parts[200];

	random_init(3);
	random_bytes(whole, sizeof(whole));
	random_init(3);
	for (uint32_t at = 0, n = 1; at < sizeof(parts); at += n, n = n % 37 + 1) {
		n = n < sizeof(parts) - at ? n : (uint32_t)sizeof(parts) - at;
		random_bytes(parts + at, n);
	}
	EXPECT(!memcmp(whole, parts, sizeof(whole)));
}

KTEST(random, bytes_behind_what_was_asked_for_stay)
{
	uint8_t bytes[80];

	memset(bytes, 0x5A, sizeof(bytes));
	random_bytes(bytes, 65);
	for (unsigned i = 65; i < sizeof(bytes); i++)
		EXPECT_EQ(bytes[i], 0x5A);
}

/* Without a seed two starts have nothing in common: the counters went on. */
KTEST(random, no_seed_is_never_the_same)
{
	uint8_t a[32], b[32];

	random_init(0);
	random_bytes(a, sizeof(a));
	random_init(0);
	random_bytes(b, sizeof(b));
	EXPECT(memcmp(a, b, sizeof(a)));
}
