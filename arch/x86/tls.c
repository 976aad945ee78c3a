/* arch/x86/tls.c - a program's own segments, by the rules of Linux's set_thread_area. Owns nothing. */
#include <arch/gdt.h>
#include <arch/user.h>
#include <lib/string.h>

#define TYPE_ACCESSED 0x1u /* set, so that no load writes into the table */
#define TYPE_WRITABLE 0x2u
#define ACCESS_USER   0xF0u /* present, level 3, neither system segment nor gate */

static bool is_zero(const struct user_desc *d)
{
	return !d->base_addr && !d->limit && !d->contents && !d->seg_32bit && !d->limit_in_pages &&
	       !d->useable;
}

/* Two ways to say that there shall be no segment: not present and not writable, or zero altogether. */
static bool is_empty(const struct user_desc *d)
{
	return is_zero(d) && d->read_exec_only == d->seg_not_present;
}

/* Data only; of 16 bits none, because a return to a 16-bit stack leaves half of the kernel's ESP to be seen. */
static bool is_allowed(const struct user_desc *d)
{
	return is_empty(d) ||
	       (d->seg_32bit && d->contents <= MODIFY_LDT_CONTENTS_STACK && !d->seg_not_present);
}

/* SDM 3A 3.4.5 */
static uint64_t encode(const struct user_desc *d)
{
	uint32_t type = (uint32_t)d->contents << 2 | (d->read_exec_only ? 0 : TYPE_WRITABLE) | TYPE_ACCESSED;
	uint32_t flags = (uint32_t)d->limit_in_pages << 3 | (uint32_t)d->seg_32bit << 2 | d->useable;
	uint32_t high = (d->base_addr & 0xFF000000) | flags << 20 | (d->limit & 0xF0000) |
			(ACCESS_USER | type) << 8 | (d->base_addr >> 16 & 0xFF);

	if (is_empty(d))
		return 0;
	return (uint64_t)high << 32 | d->base_addr << 16 | (d->limit & 0xFFFF);
}

/* Cleared first: what lies behind the last field goes to the program with it. */
static void decode(uint64_t descriptor, struct user_desc *d)
{
	uint32_t low = (uint32_t)descriptor, high = (uint32_t)(descriptor >> 32), number = d->entry_number;

	memset(d, 0, sizeof(*d));
	d->entry_number = number;
	d->base_addr = low >> 16 | (high & 0xFF) << 16 | (high & 0xFF000000);
	d->limit = (low & 0xFFFF) | (high & 0xF0000);
	d->seg_32bit = high >> 22 & 1;
	d->contents = high >> 10 & 3;
	d->read_exec_only = !(high >> 8 & TYPE_WRITABLE);
	d->limit_in_pages = high >> 23 & 1;
	d->seg_not_present = !(high >> 15 & 1);
	d->useable = high >> 20 & 1;
}

static int choose(const struct arch_tls *tls, struct user_desc *d)
{
	for (uint32_t i = 0; i < GDT_TLS_COUNT; i++) {
		if (!tls->descriptor[i]) {
			d->entry_number = GDT_TLS_FIRST + i;
			return 0;
		}
	}
	return -ESRCH;
}

static bool in_range(const struct user_desc *d)
{
	return d->entry_number - GDT_TLS_FIRST < GDT_TLS_COUNT;
}

int arch_tls_set(struct arch_tls *tls, struct user_desc *d)
{
	int err = 0;

	if (!is_allowed(d))
		return -EINVAL;
	if (d->entry_number == UINT32_MAX)
		err = choose(tls, d);
	if (err)
		return err;
	if (!in_range(d))
		return -EINVAL;
	tls->descriptor[d->entry_number - GDT_TLS_FIRST] = encode(d);
	return 0;
}

int arch_tls_get(const struct arch_tls *tls, struct user_desc *d)
{
	if (!in_range(d))
		return -EINVAL;
	decode(tls->descriptor[d->entry_number - GDT_TLS_FIRST], d);
	return 0;
}

void arch_tls_load(const struct arch_tls *tls)
{
	gdt_set_tls(tls->descriptor);
}
