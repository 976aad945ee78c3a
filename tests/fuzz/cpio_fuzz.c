/*
 * tests/fuzz/cpio_fuzz.c - the target cpio: a string is an archive, which becomes a tree. A second reader says whether
 * it is damaged; regular files that nothing follows must hold their data. Nothing of the tree may be left.
 */
#include "fuzz.h"

#include <arch/frame_access.h>
#include <fs/file.h>
#include <fs/fs.h>
#include <fs/path.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/frame.h>

#define PLACE_ORDER 1u
#define PLACE_SIZE  (PAGE_SIZE << PLACE_ORDER)

static uint8_t *place;

static void begin(void)
{
	place = kalloc_block(PLACE_ORDER);
	INVARIANT(place);
}

/* Returns field n of a header; -1 for what is no hexadecimal number. */
static int64_t field(const uint8_t *header, unsigned n)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	int64_t value = 0;

	for (unsigned i = 6 + 8 * n; i < 14 + 8 * n; i++) {
		int64_t digit = -1;

		for (unsigned k = 0; k < 32; k++)
			if (header[i] == (uint8_t)digits[k])
				digit = k % 16;
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* Where the member at a place ends, padding and all; 0 where it is damaged. */
static uint64_t member_end(uint64_t at, uint64_t length, bool *trailer)
{
	uint64_t name = at + 110, data;
	int64_t name_size, size;

	if (name > length || memcmp(place + at, "07070", 5) != 0 ||
	    (place[at + 5] != '1' && place[at + 5] != '2'))
		return 0;
	for (unsigned n = 0; n < 13; n++)
		if (field(place + at, n) < 0)
			return 0;
	name_size = field(place + at, 11);
	size = field(place + at, 6);
	if (name_size < 1 || name_size > 4096 || name + (uint64_t)name_size > length)
		return 0;
	for (int64_t i = 0; i < name_size; i++)
		if ((place[name + (uint64_t)i] == 0) != (i == name_size - 1))
			return 0;
	data = (name + (uint64_t)name_size + 3) / 4 * 4;
	if (data > length || data + (uint64_t)size > length)
		return 0;
	while (place[name] == '/')
		name++;
	*trailer = !strcmp((const char *)place + name, "TRAILER!!!");
	return (data + (uint64_t)size + 3) / 4 * 4;
}

/* True when an archive is whole, sums aside. */
static bool is_whole(uint64_t length)
{
	bool trailer = false;
	uint64_t at = 0;

	while (at < length) {
		uint64_t from = at;

		/* Zeros fill up what is behind a trailer. */
		while (trailer && at < length &&
		       !(place[at] | (at + 1 < length ? place[at + 1] : 0) |
			 (at + 2 < length ? place[at + 2] : 0) | (at + 3 < length ? place[at + 3] : 0)))
			at += 4;
		if (trailer && at >= length)
			return true;
		at = member_end(at, length, &trailer);
		if (!at || at <= from)
			return false;
	}
	return trailer;
}

/* Every name leads somewhere, and every directory counts what is in it. */
static void check_tree(struct inode *dir, unsigned depth)
{
	uint64_t at = DIR_FIRST_PLACE;
	uint32_t count = 0, directories = 0;
	struct listed l;

	if (dir->dir.ops || depth > 20)
		return;
	while (dir_next(dir, at, &l)) {
		struct entry *e = dir_find(dir, l.name, l.length);

		FUZZ_HOLDS(e && e->dir == dir && e->inode->links > 0 && l.next > at);
		if (inode_is(e->inode, S_IFDIR)) {
			FUZZ_HOLDS(e->inode->dir.parent == dir && e->inode->entry == e);
			directories++;
			check_tree(e->inode, depth + 1);
		}
		at = l.next;
		count++;
	}
	FUZZ_EQ(dir->dir.count, count);
	FUZZ_EQ(dir->links, 2 + directories);
}

static void run(struct fuzz_input *in)
{
	struct boot_module m = {.start = paddr_of(arch_frame_of_direct(place))};
	int err;

	m.length = in->left < PLACE_SIZE ? (uint32_t)in->left : PLACE_SIZE;
	memcpy(place, in->bytes, m.length);
	FUZZ_EQ(fs_init(), 0);
	printk_quiet = true;
	err = fs_unpack(&m);
	printk_quiet = false;
	/* A sum may be wrong besides. */
	if (err != -ENOMEM)
		FUZZ_HOLDS(is_whole(m.length) ? !err || err == -EINVAL : err == -EINVAL);
	check_tree(fs_root, 0);
	FUZZ_EQ(file_count(), 0);
	fs_exit();
	FUZZ_EQ(inode_count(), 0);
	FUZZ_EQ(inode_check(), 0);
}

const struct fuzz_target fuzz_cpio = {.name = "cpio", .run = run, .on_machine = true, .begin = begin};
