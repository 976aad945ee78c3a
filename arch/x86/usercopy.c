/*
 * arch/x86/usercopy.c - opens the way to USER pages around usercopy.S, and for no longer. Owns nothing. Lock: none.
 */
#include <arch/user_access.h>
#include <arch/usercopy.h>

/* usercopy.S: what the hooks promise, with the way open. */
uint32_t user_copy(void *to, const void *from, uint32_t n);
uint32_t user_zero(void *to, uint32_t n);
int32_t user_string(char *to, const char *from, uint32_t n);

uint32_t arch_user_read(void *to, vaddr_t from, uint32_t n)
{
	uint32_t left;

	arch_user_open();
	left = user_copy(to, (const void *)from, n);
	arch_user_close();
	return left;
}

uint32_t arch_user_write(vaddr_t to, const void *from, uint32_t n)
{
	uint32_t left;

	arch_user_open();
	left = user_copy((void *)to, from, n);
	arch_user_close();
	return left;
}

uint32_t arch_user_zero(vaddr_t to, uint32_t n)
{
	uint32_t left;

	arch_user_open();
	left = user_zero((void *)to, n);
	arch_user_close();
	return left;
}

int32_t arch_user_string(char *to, vaddr_t from, uint32_t n)
{
	int32_t length;

	arch_user_open();
	length = user_string(to, (const char *)from, n);
	arch_user_close();
	return length;
}
