/*
 * mm/usercopy.c - which addresses a program may name; the copying is the arch layer's. Owns nothing. Lock: none.
 */
#include <arch/pt_format.h>
#include <arch/usercopy.h>
#include <mm/usercopy.h>

/* Returns how many of n bytes from an address on lie in the user part. */
static uint32_t bytes_of_user(vaddr_t va, uint32_t n)
{
	uint32_t end = vaddr_of(ARCH_KERNEL_VPN);
	uint32_t room = va < end ? end - va : 0;

	return n < room ? n : room;
}

uint32_t copy_from_user_some(void *to, vaddr_t from, uint32_t n)
{
	uint32_t within = bytes_of_user(from, n);

	return within - arch_user_read(to, from, within);
}

uint32_t copy_to_user_some(vaddr_t to, const void *from, uint32_t n)
{
	uint32_t within = bytes_of_user(to, n);

	return within - arch_user_write(to, from, within);
}

int copy_from_user(void *to, vaddr_t from, uint32_t n)
{
	if (bytes_of_user(from, n) < n || arch_user_read(to, from, n))
		return -EFAULT;
	return 0;
}

int copy_to_user(vaddr_t to, const void *from, uint32_t n)
{
	if (bytes_of_user(to, n) < n || arch_user_write(to, from, n))
		return -EFAULT;
	return 0;
}

int zero_user(vaddr_t to, uint32_t n)
{
	if (bytes_of_user(to, n) < n || arch_user_zero(to, n))
		return -EFAULT;
	return 0;
}

int32_t string_from_user(char *to, vaddr_t from, uint32_t size)
{
	uint32_t within = bytes_of_user(from, size);
	int32_t length;

	if (!within)
		return size ? -EFAULT : -ENAMETOOLONG;
	length = arch_user_string(to, from, within);
	if ((uint32_t)length < within || length < 0)
		return length;
	return within < size ? -EFAULT : -ENAMETOOLONG;
}
