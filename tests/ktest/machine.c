/*
 * tests/ktest/machine.c - the real machine: asks by doing it, and leaves no trace. What is asked for is what the
 * page tables allow, so SMAP and SMEP stand aside for as long as it takes.
 */
#include <arch/probe.h>
#include <arch/user.h>
#include <arch/user_access.h>
#include <mm/container.h>
#include <mm/fault.h>
#include <mm/frame.h>
#include <tests/ktest/machine.h>

bool machine_reads(vpn_t v)
{
	bool can;

	arch_user_open();
	can = arch_probe_read(vaddr_of(v));
	arch_user_close();
	return can;
}

bool machine_writes(vpn_t v)
{
	bool can;

	arch_user_open();
	can = arch_probe_write(vaddr_of(v));
	arch_user_close();
	return can;
}

/* Returns the offset of a RET in the page, PAGE_SIZE where there is none. */
static uint32_t find_ret(const uint8_t *page)
{
	uint32_t i = 0;

	while (i < PAGE_SIZE && page[i] != ARCH_RET)
		i++;
	return i;
}

/*
 * What may be executed is decided for whole pages, so any RET in the page will do: code has one. Else the first
 * byte becomes one for as long as it takes, past the write protection and with no other address for the frame.
 */
static bool executes(vpn_t v)
{
	vaddr_t va = vaddr_of(v);
	const volatile uint8_t *first = (const volatile uint8_t *)va;
	uint32_t ret;
	uint8_t before;
	bool can;

	if (!arch_probe_read(va))
		return false;
	ret = find_ret((const uint8_t *)va);
	if (ret < PAGE_SIZE)
		return arch_probe_execute(va + ret);
	before = arch_probe_swap(va, ARCH_RET);
	can = *first == ARCH_RET && arch_probe_execute(va);
	arch_probe_swap(va, before);
	return can;
}

bool machine_executes(vpn_t v)
{
	bool smep = cpu_info.protections & CPUID_SMEP;
	bool can;

	if (smep)
		arch_write_cr4(arch_read_cr4() & ~CR4_SMEP);
	arch_user_open();
	can = executes(v);
	arch_user_close();
	if (smep)
		arch_write_cr4(arch_read_cr4() | CR4_SMEP);
	return can;
}

static int user_access(struct space *s, vaddr_t va, bool write)
{
	const struct vm_fault fault = {va, write, false};

	if (vpn_of(va) >= ARCH_KERNEL_VPN)
		return -EFAULT;
	for (unsigned tries = 0; !(write ? machine_writes(vpn_of(va)) : machine_reads(vpn_of(va))); tries++) {
		int err = tries < 3 ? vm_fault(s, &fault) : -EIO;

		if (err)
			return err;
	}
	return 0;
}

int machine_user_read(struct space *s, vaddr_t from, void *to, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, from++) {
		int err = user_access(s, from, false);

		if (err)
			return err;
		arch_user_open();
		((char *)to)[i] = *(const volatile char *)from;
		arch_user_close();
	}
	return 0;
}

int machine_user_write(struct space *s, vaddr_t to, const void *from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, to++) {
		int err = user_access(s, to, true);

		if (err)
			return err;
		arch_user_open();
		*(volatile char *)to = ((const char *)from)[i];
		arch_user_close();
	}
	return 0;
}

uint32_t machine_frames_used(void)
{
	return frame_used() - container_table_frames();
}

uint32_t machine_violations(void)
{
	return 0;
}

void machine_fail_after(int32_t n)
{
	frame_fail_after(n);
}

/* The kernel's own come back when nobody is asked any more. */
void machine_on_user_fault(bool (*fault)(vaddr_t va, uint32_t error))
{
	static struct user_hooks kernels;
	static bool taken;
	struct user_hooks mine = {.fault = fault};

	if (fault && !taken)
		kernels = arch_user_hooks(&mine);
	else if (fault || taken)
		arch_user_hooks(fault ? &mine : &kernels);
	taken = fault;
}

bool machine_is_simulated(void)
{
	return false;
}
