/*
 * tests/host/usercopy.c - user memory of the simulated machine, page by page through its TLB. Owns the handler of its
 * faults. A page that is not there is asked for once; what is there then is what counts.
 */
#include "sim.h"

#include <arch/frame_access.h>
#include <arch/usercopy.h>
#include <tests/ktest/machine.h>

#define ERROR_WRITE 2u /* SDM 3A 4.7 */

static bool (*on_fault)(vaddr_t va, uint32_t error);

void machine_on_user_fault(bool (*fault)(vaddr_t va, uint32_t error))
{
	on_fault = fault;
}

static bool can(vaddr_t va, unsigned wants)
{
	uint32_t error = wants & SIM_WRITE ? ERROR_WRITE : 0;

	if (sim_access(vpn_of(va), wants | SIM_USER))
		return true;
	return on_fault && on_fault(va, error) && sim_access(vpn_of(va), wants | SIM_USER);
}

static pfn_t frame_behind(vpn_t v)
{
	struct sim_walk w = {.page = v, .quiet = true};

	sim_walk(&w);
	return PFN(w.leaf.frame + (v - w.leaf.page));
}

/* Returns the bytes from an address to the end of its page, n at most. */
static uint32_t in_page(vaddr_t va, uint32_t n)
{
	uint32_t room = PAGE_SIZE - va % PAGE_SIZE;

	return n < room ? n : room;
}

uint32_t arch_user_read(void *to, vaddr_t from, uint32_t n)
{
	uint8_t *out = to;

	while (n && can(from, 0)) {
		uint32_t length = in_page(from, n);

		arch_frame_read(frame_behind(vpn_of(from)), from % PAGE_SIZE, out, length);
		from += length;
		out += length;
		n -= length;
	}
	return n;
}

uint32_t arch_user_write(vaddr_t to, const void *from, uint32_t n)
{
	const uint8_t *in = from;

	while (n && can(to, SIM_WRITE)) {
		uint32_t length = in_page(to, n);

		arch_frame_write(frame_behind(vpn_of(to)), to % PAGE_SIZE, in, length);
		to += length;
		in += length;
		n -= length;
	}
	return n;
}

uint32_t arch_user_zero(vaddr_t to, uint32_t n)
{
	static const uint8_t zero[PAGE_SIZE];
	uint32_t length = in_page(to, n);

	while (n && !arch_user_write(to, zero, length)) {
		to += length;
		n -= length;
		length = in_page(to, n);
	}
	return n;
}

int32_t arch_user_string(char *to, vaddr_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (arch_user_read(to + i, from + i, 1))
			return -EFAULT;
		if (!to[i])
			return (int32_t)i;
	}
	return (int32_t)n;
}
