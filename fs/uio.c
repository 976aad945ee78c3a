/* fs/uio.c - copies between the kernel and runs of user memory. */
#include <arch/pt_format.h>
#include <fs/uio.h>
#include <lib/string.h>
#include <mm/usercopy.h>

#define USER_END ((uint32_t)ARCH_KERNEL_VPN << PAGE_SHIFT)

bool user_range_ok(vaddr_t va, uint32_t n)
{
	return va <= USER_END && n <= USER_END - va;
}

/* Finds what is left of the first run that has something left; returns how much of n that is. */
static uint32_t next_piece(struct uio *u, uint32_t n, vaddr_t *va)
{
	uint32_t left;

	while (u->done == u->run->length) {
		u->run++;
		u->done = 0;
	}
	left = u->run->length - u->done;
	*va = u->run->base + u->done;
	return n < left ? n : left;
}

static void advance(struct uio *u, uint32_t n)
{
	u->done += n;
	u->left -= n;
}

/* One in the kernel's memory goes on by n bytes; returns where they begin. */
static char *take_kernel(struct uio *u, uint32_t n)
{
	char *at = u->kernel;

	u->kernel += n;
	u->left -= n;
	return at;
}

uint32_t uio_to_user(struct uio *u, const void *from, uint32_t n)
{
	uint32_t done = 0;

	if (u->kernel) {
		memcpy(take_kernel(u, n), from, n);
		return n;
	}
	while (done < n) {
		vaddr_t va;
		uint32_t piece = next_piece(u, n - done, &va);
		uint32_t copied = copy_to_user_some(va, (const char *)from + done, piece);

		advance(u, copied);
		done += copied;
		if (copied < piece)
			break;
	}
	return done;
}

uint32_t uio_from_user(struct uio *u, void *to, uint32_t n)
{
	uint32_t done = 0;

	if (u->kernel) {
		memcpy(to, take_kernel(u, n), n);
		return n;
	}
	while (done < n) {
		vaddr_t va;
		uint32_t piece = next_piece(u, n - done, &va);
		uint32_t copied = copy_from_user_some((char *)to + done, va, piece);

		advance(u, copied);
		done += copied;
		if (copied < piece)
			break;
	}
	return done;
}

uint32_t uio_zero(struct uio *u, uint32_t n)
{
	static const uint8_t zeros[512];
	uint32_t done = 0;

	while (done < n) {
		uint32_t piece = n - done < sizeof(zeros) ? n - done : (uint32_t)sizeof(zeros);
		uint32_t copied = uio_to_user(u, zeros, piece);

		done += copied;
		if (copied < piece)
			break;
	}
	return done;
}
