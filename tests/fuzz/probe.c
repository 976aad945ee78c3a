/* tests/fuzz/probe.c - the least that libFuzzer links with: shows whether it is here. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	return 0;
}
