/*
 * tests/ktest/usercopy_test.c - the only ways to a program's memory: which addresses they take, where exactly they
 * stop, and what a fault on the way may do.
 *
 *	FIRST      | page | page | absent | read-only |           LAST is the last page of the user part
 */
#include <kernel/ktest.h>
#include <lib/string.h>
#include <mm/kmap.h>
#include <mm/usercopy.h>
#include <tests/ktest/machine.h>

#define FIRST    0x2345u
#define ABSENT   (FIRST + 2)
#define READONLY (FIRST + 3)
#define LAST     (ARCH_KERNEL_VPN - 1)
#define END      vaddr_of(ABSENT)          /* the first byte that cannot be reached */
#define USER_END vaddr_of(ARCH_KERNEL_VPN) /* the kernel's first */
#define URW      (PROT_R | PROT_W | PROT_USER)
#define MOST     24u

static struct pdir pd;
static uint8_t buffer[MOST + 8], pattern[MOST + 8];
static struct {
	uint32_t calls;
	vaddr_t va;
	uint32_t error;
} fault;

static bool note_fault(vaddr_t va, uint32_t error)
{
	fault.calls++;
	fault.va = va;
	fault.error = error;
	return false;
}

static bool bring_page(vaddr_t va, uint32_t error)
{
	note_fault(va, error);
	return !alloc_page(&pd, vpn_of(va), URW);
}

KTEST_SETUP(usercopy)
{
	bool made = !pdir_init(&pd, CONTAINER_ROOT) && !alloc_page(&pd, FIRST, URW) &&
		    !alloc_page(&pd, FIRST + 1, URW) && !alloc_page(&pd, READONLY, PROT_R | PROT_USER) &&
		    !alloc_page(&pd, LAST, URW);

	if (!made)
		ktest_fail("no memory for an address space");
	else
		set_pdir_base(&pd);
	memset(&fault, 0, sizeof(fault));
	for (uint32_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i + 1);
	machine_on_user_fault(note_fault);
}

KTEST_TEARDOWN(usercopy)
{
	machine_on_user_fault(NULL);
	set_pdir_base(&kernel_pdir);
	if (pd.root.n)
		vm_free(&pd);
	pd.root = NO_FRAME;
}

KTEST(usercopy, what_is_written_is_read)
{
	EXPECT_EQ(copy_to_user(END - 5000, pattern, MOST), 0);
	EXPECT_EQ(copy_from_user(buffer, END - 5000, MOST), 0);
	EXPECT_EQ(memcmp(buffer, pattern, MOST), 0);
	EXPECT_EQ(fault.calls, 0);
}

/* From each place around the edge of two pages, each length: the bytes, and none beside them. */
KTEST(usercopy, copies_cross_pages_at_any_alignment)
{
	for (uint32_t at = 0; at < 16; at++) {
		for (uint32_t n = 0; n <= 16; n++) {
			vaddr_t va = vaddr_of(FIRST + 1) - 8 + at - 4;

			EXPECT_EQ(zero_user(vaddr_of(FIRST + 1) - 32, 64), 0);
			EXPECT_EQ(copy_to_user(va, pattern + at % 4, n), 0);
			memset(buffer, 0xEE, sizeof(buffer));
			EXPECT_EQ(copy_from_user(buffer, va - 1, n + 2), 0);
			EXPECT_EQ(buffer[0], 0);
			EXPECT_EQ(memcmp(buffer + 1, pattern + at % 4, n), 0);
			EXPECT_EQ(buffer[n + 1], 0);
			EXPECT_EQ(buffer[n + 2], 0xEE);
		}
	}
}

/* `back` bytes are there, n are asked for; the kernel's side at each alignment. */
static void read_some(uint32_t back, uint32_t n, uint32_t offset)
{
	uint32_t want = n < back ? n : back;

	memset(buffer, 0xEE, sizeof(buffer));
	EXPECT_EQ(copy_to_user(END - back, pattern, back), 0);
	EXPECT_EQ(copy_from_user_some(buffer + offset, END - back, n), want);
	EXPECT_EQ(memcmp(buffer + offset, pattern, want), 0);
	EXPECT_EQ(buffer[offset + want], 0xEE);
	EXPECT_EQ(copy_from_user(buffer, END - back, n), n <= back ? 0 : -EFAULT);
}

static void write_some(uint32_t back, uint32_t n, uint32_t offset)
{
	uint32_t want = n < back ? n : back;

	EXPECT_EQ(zero_user(END - MOST, MOST), 0);
	EXPECT_EQ(copy_to_user_some(END - back, pattern + offset, n), want);
	EXPECT_EQ(copy_from_user(buffer, END - back, back), 0);
	EXPECT_EQ(memcmp(buffer, pattern + offset, want), 0);
	EXPECT_EQ(copy_to_user(END - back, pattern, n), n <= back ? 0 : -EFAULT);
}

KTEST(usercopy, a_copy_stops_at_the_very_byte)
{
	for (uint32_t back = 0; back <= 9; back++) {
		for (uint32_t n = 0; n <= MOST; n++) {
			for (uint32_t offset = 0; offset < 4; offset++) {
				read_some(back, n, offset);
				write_some(back, n, offset);
			}
		}
	}
}

KTEST(usercopy, zeroing_stops_at_the_very_byte)
{
	for (uint32_t back = 0; back <= 9; back++) {
		for (uint32_t n = 0; n <= MOST; n++) {
			uint32_t want = n < back ? n : back;

			EXPECT_EQ(copy_to_user(END - MOST, pattern, MOST), 0);
			EXPECT_EQ(zero_user(END - back, n), n <= back ? 0 : -EFAULT);
			EXPECT_EQ(copy_from_user(buffer, END - MOST, MOST), 0);
			for (uint32_t i = 0; i < MOST; i++) {
				bool zeroed = i >= MOST - back && i < MOST - back + want;

				EXPECT_EQ(buffer[i], zeroed ? 0 : pattern[i]);
			}
		}
	}
}

KTEST(usercopy, the_kernels_half_is_nobodys)
{
	const vaddr_t at[] = {USER_END, USER_END + 0x100000, UINT32_MAX};

	for (uint32_t i = 0; i < ARRAY_SIZE(at); i++) {
		EXPECT_EQ(copy_from_user(buffer, at[i], 1), -EFAULT);
		EXPECT_EQ(copy_to_user(at[i], pattern, 1), -EFAULT);
		EXPECT_EQ(copy_from_user_some(buffer, at[i], 8), 0);
		EXPECT_EQ(copy_to_user_some(at[i], pattern, 8), 0);
		EXPECT_EQ(zero_user(at[i], 1), -EFAULT);
		EXPECT_EQ(string_from_user((char *)buffer, at[i], 8), -EFAULT);
	}
	EXPECT_EQ(fault.calls, 0);
}

KTEST(usercopy, a_range_that_reaches_into_the_kernels_half_ends_before_it)
{
	EXPECT_EQ(copy_to_user(USER_END - 4, pattern, 5), -EFAULT);
	EXPECT_EQ(copy_from_user(buffer, USER_END - 4, UINT32_MAX), -EFAULT);
	EXPECT_EQ(zero_user(USER_END - 4, 5), -EFAULT);
	EXPECT_EQ(copy_to_user(USER_END - 4, pattern, 4), 0);
	EXPECT_EQ(copy_to_user_some(USER_END - 4, pattern, 8), 4);
	EXPECT_EQ(copy_from_user_some(buffer, USER_END - 4, 8), 4);
	EXPECT_EQ(string_from_user((char *)buffer, USER_END - 4, 8), -EFAULT);
	EXPECT_EQ(string_from_user((char *)buffer, USER_END - 4, 4), -ENAMETOOLONG);
	EXPECT_EQ(copy_from_user_some(buffer, USER_END - 1, UINT32_MAX), 1);
	EXPECT_EQ(fault.calls, 0);
}

KTEST(usercopy, what_is_read_only_is_not_written)
{
	EXPECT_EQ(copy_from_user(buffer, vaddr_of(READONLY), 4), 0);
	EXPECT_EQ(copy_to_user(vaddr_of(READONLY), pattern, 4), -EFAULT);
	EXPECT_EQ(zero_user(vaddr_of(READONLY), 4), -EFAULT);
	EXPECT_NE(fault.calls, 0);
	EXPECT_EQ(copy_from_user(buffer, vaddr_of(READONLY), 4), 0);
	EXPECT_EQ(buffer[0] | buffer[1] | buffer[2] | buffer[3], 0);
}

KTEST(usercopy, a_missing_page_is_asked_for)
{
	EXPECT_EQ(copy_from_user(buffer, END - 2, 4), -EFAULT);
	EXPECT_EQ(fault.va, END);
	EXPECT_EQ(fault.error & 2, 0);
	EXPECT_EQ(copy_to_user(END + 8, pattern, 1), -EFAULT);
	EXPECT_EQ(fault.va, END + 8);
	EXPECT_EQ(fault.error & 2, 2);
}

KTEST(usercopy, a_page_that_comes_is_used)
{
	machine_on_user_fault(bring_page);
	EXPECT_EQ(copy_to_user(END - 5, pattern, MOST), 0);
	EXPECT_EQ(fault.calls, 1);
	EXPECT_EQ(copy_from_user(buffer, END - 5, MOST), 0);
	EXPECT_EQ(memcmp(buffer, pattern, MOST), 0);
	EXPECT_EQ(fault.calls, 1);
}

KTEST(usercopy, a_string_is_copied_with_its_end)
{
	static const char letters[] = "abcdefg";
	char text[8];

	for (uint32_t at = 1; at < 8; at++) {
		EXPECT_EQ(copy_to_user(END - at, &letters[8 - at], at), 0);
		memset(text, '?', sizeof(text));
		EXPECT_EQ(string_from_user(text, END - at, sizeof(text)), at - 1);
		EXPECT(!strcmp(text, &letters[8 - at]));
		if (at < 8)
			EXPECT_EQ(text[at], '?');
	}
	EXPECT_EQ(fault.calls, 0);
}

KTEST(usercopy, a_string_without_an_end_is_refused)
{
	char text[16];

	EXPECT_EQ(copy_to_user(END - 4, "abcd", 4), 0);
	EXPECT_EQ(string_from_user(text, END - 4, 4), -ENAMETOOLONG);
	EXPECT_EQ(string_from_user(text, END - 4, 1), -ENAMETOOLONG);
	EXPECT_EQ(string_from_user(text, END - 4, 0), -ENAMETOOLONG);
	EXPECT_EQ(fault.calls, 0);
	EXPECT_EQ(string_from_user(text, END - 4, 5), -EFAULT);
	EXPECT_EQ(fault.va, END);
	EXPECT_EQ(string_from_user(text, vaddr_of(ABSENT), 1), -EFAULT);
}
