/*
 * tests/host/elf_test.c - program files, sound ones and such as nobody links: what is mapped of them, and that nothing
 * is mapped outside the user part, over another segment, or left behind.
 */
#include "calls.h"

#include <kernel/elf.h>
#include <linux/elf.h>
#include <mm/fault.h>
#include <tests/ktest/space_fixture.h>

#define TEXT      0x08048000u
#define DATA      0x0804c200u
#define FILE_SIZE (3 * PAGE_SIZE)
#define LAST                                                                                                 \
	(vaddr_of(ARCH_KERNEL_VPN) - PAGE_SIZE) /* no program reaches into the page of returning handlers */
#define SEGMENTS 4u

static struct {
	Elf32_Ehdr header;
	Elf32_Phdr segment[SEGMENTS];
} image;

static struct {
	struct tenant *tenant;
	struct space space;
	struct file *file;
	struct elf_program program;
} x;

/* Two segments, as a linker makes them: text, and data with zeroes behind it. */
static void sound_image(void)
{
	image.header = (Elf32_Ehdr){
		.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_entry = TEXT + 0x200,
		.e_phoff = sizeof(Elf32_Ehdr),
		.e_ehsize = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 2,
	};
	image.segment[0] = (Elf32_Phdr){PT_LOAD, 0, TEXT, TEXT, 0x1100, 0x1100, PF_R | PF_X, PAGE_SIZE};
	image.segment[1] = (Elf32_Phdr){PT_LOAD, 0x2200, DATA, DATA, 0x300, 0x2100, PF_R | PF_W, PAGE_SIZE};
}

/* Each byte of the file is not 0, and tells its page. */
static void write_file(uint32_t length)
{
	struct file *f;

	EXPECT_EQ(fs_open_kernel(&up_fs, "/program", O_CREAT | O_RDWR | O_TRUNC, &f), 0);
	for (uint32_t page = 0; page < 3; page++) {
		char bytes[PAGE_SIZE];

		memset(bytes, (int)page + 1, PAGE_SIZE);
		if (!page)
			memcpy(bytes, &image, sizeof(image));
		EXPECT_EQ(mapping_write(file_mapping(f), page * PAGE_SIZE, bytes, PAGE_SIZE), PAGE_SIZE);
	}
	EXPECT_EQ(regular_truncate(f->inode, length), 0);
	f->inode->mode |= 0111;
	file_put(f);
	EXPECT_EQ(file_open_program(&up_fs, "/program", &x.file), 0);
}

KTEST_SETUP(elf)
{
	overcommit = OVERCOMMIT_ALWAYS;
	calls_begin();
	EXPECT_EQ(tenant_create(CONTAINER_ROOT, TENANT_PAGES, &x.tenant), 0);
	sound_image();
}

KTEST_TEARDOWN(elf)
{
	overcommit = OVERCOMMIT_GUESS;
	tenant_put(x.tenant);
	calls_end();
}

/* Maps the image; unmap takes it and its file away. */
static int map(uint32_t length)
{
	write_file(length);
	EXPECT_EQ(space_create(&x.space, x.tenant, no_limits), 0);
	return elf_map(&x.space, x.file, &x.program);
}

static void unmap(void)
{
	EXPECT_EQ(check_space(&x.space), 0);
	space_destroy(&x.space);
	file_put(x.file);
}

static int try(void)
{
	int err = map(FILE_SIZE);

	unmap();
	return err;
}

static uint32_t word(vaddr_t at)
{
	uint32_t w = 0;
	int err = space_read(&x.space, at, &w, sizeof(w));

	return err ? FAILED(-err) : w;
}

KTEST(elf, segments_are_where_they_say)
{
	struct area *a;

	EXPECT_EQ(map(FILE_SIZE), 0);
	EXPECT_EQ(x.program.entry, TEXT + 0x200);
	EXPECT_EQ(x.program.headers, TEXT + sizeof(Elf32_Ehdr));
	EXPECT_EQ(x.program.header_count, 2);
	EXPECT_EQ(x.program.end, 0x0804f000);
	EXPECT(!x.program.executable_stack);
	a = space_find(&x.space, vpn_of(TEXT));
	EXPECT_EQ(a->end - a->first, 2);
	EXPECT_EQ(a->prot, PROT_R | PROT_X);
	a = space_find(&x.space, vpn_of(DATA));
	EXPECT_EQ(a->end - a->first, 1);
	EXPECT_EQ(a->prot, PROT_R | PROT_W);
	EXPECT(a->file && !(a->flags & AREA_SHARED));
	a = space_find(&x.space, vpn_of(DATA) + 1);
	EXPECT_EQ(a->end - a->first, 2);
	EXPECT(!a->file);
	EXPECT_EQ(area_count(&x.space), 3);
	EXPECT_EQ(word(TEXT), 0x464C457F);
	EXPECT_EQ(word(TEXT + 0x10fc), 0x02020202);
	EXPECT_EQ(word(DATA + 0x2fc), 0x03030303);
	EXPECT_EQ(word(DATA + 0x300), 0);
	EXPECT_EQ(word(DATA + 0xdfc), 0);
	EXPECT_EQ(word(DATA + 0x20fc), 0);
	unmap();
}

/* Not only of the last: a linker may put what is read-only after relocation into one of its own. */
KTEST(elf, every_writable_segment_has_zeroes_behind_its_bytes)
{
	image.header.e_phnum = 3;
	image.segment[2] = image.segment[1];
	image.segment[2].p_vaddr = 0x08060200;
	EXPECT_EQ(map(FILE_SIZE), 0);
	EXPECT_EQ(word(DATA + 0x2fc), 0x03030303);
	EXPECT_EQ(word(DATA + 0x300), 0);
	EXPECT_EQ(word(0x080604fc), 0x03030303);
	EXPECT_EQ(word(0x08060500), 0);
	unmap();
	image.segment[1].p_memsz = image.segment[1].p_filesz + 8;
	EXPECT_EQ(map(FILE_SIZE), 0);
	EXPECT_EQ(word(DATA + 0x304), 0);
	EXPECT_EQ(word(DATA + 0x308), 0x03030303);
	unmap();
}

struct change {
	const char *what;
	uint32_t at, size, value;
};
#define HEADER(field, value)                                                                                 \
	{                                                                                                    \
#field, offsetof(Elf32_Ehdr, field), sizeof(image.header.field), value                       \
	}

KTEST(elf, headers_of_other_files_are_refused)
{
	static const struct change changes[] = {
		{"magic", 0, 1, 0x7E},
		{"magic", 3, 1, 'f'},
		HEADER(e_machine, EM_X86_64),
		HEADER(e_machine, EM_386 + 1),
		HEADER(e_type, ET_REL),
		HEADER(e_type, ET_CORE),
		HEADER(e_type, ET_NONE),
		HEADER(e_phentsize, 0),
		HEADER(e_phentsize, sizeof(Elf32_Phdr) - 1),
		HEADER(e_phentsize, sizeof(Elf64_Phdr)),
		HEADER(e_phnum, 0),
		HEADER(e_phnum, 65),
		HEADER(e_phnum, 0xFFFF),
		HEADER(e_phoff, FILE_SIZE - 2 * sizeof(Elf32_Phdr) + 1),
		HEADER(e_phoff, 0x7FFFFFFF),
		HEADER(e_phoff, 0xFFFFFFC0),
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const struct change *c = &changes[i];
		int err;

		sound_image();
		memcpy((char *)&image + c->at, &c->value, c->size);
		err = try();
		if (err != -ENOEXEC)
			ktest_fail("%s 0x%x: %d", c->what, c->value, err);
	}
}

KTEST(elf, what_an_i386_does_not_look_at_may_be_anything)
{
	memset(image.header.e_ident + SELFMAG, 0xFF, EI_NIDENT - SELFMAG);
	image.header.e_machine = EM_486;
	image.header.e_version = 77;
	image.header.e_flags = image.header.e_shoff = 0xFFFFFFFF;
	image.header.e_shnum = image.header.e_ehsize = 0xFFFF;
	image.header.e_entry = 0xFFFFFFFF;
	image.segment[0].p_paddr = 0xFFFFFFFF;
	image.segment[0].p_align = 0;
	EXPECT_EQ(try(), 0);
	EXPECT_EQ(x.program.entry, 0xFFFFFFFF);
}

KTEST(elf, a_file_that_ends_in_its_headers_is_refused)
{
	uint32_t whole = sizeof(Elf32_Ehdr) + 2 * sizeof(Elf32_Phdr);

	for (uint32_t length = 0; length < whole; length += 3) {
		EXPECT_EQ(map(length), -ENOEXEC);
		unmap();
	}
	/* Where the bytes behind it are to be zeroed there must be a page of the file. */
	EXPECT_EQ(map(whole), -ENOEXEC);
	unmap();
	image.header.e_phnum = 1;
	EXPECT_EQ(map(whole), 0);
	EXPECT_EQ(word(TEXT + PAGE_SIZE), FAILED(ENXIO));
	unmap();
}

/* What stands in the place of the second segment. */
struct segment {
	uint32_t vaddr, offset, filesz, memsz;
	int want;
};

static const struct segment segments[] = {
	/* Nowhere, and in page 0. */
	{0, 0, 0x100, 0x100, -ENOEXEC},
	{0xFFF, 0xFFF, 1, 1, -ENOEXEC},
	{0x1000, 0, 0x100, 0x100, 0},
	/* At the user part's end and behind it. */
	{0xBFFFE000, 0, 0x1000, 0x1000, -ENOEXEC},
	{0xBFFFD000, 0, 0x1000, 0x1000, 0},
	{0xBFFFD000, 0, 0x1000, 0x1FFF, 0},
	{0xBFFFD000, 0, 0x1000, 0x2000, -ENOEXEC},
	{0xBFFFF000, 0, 0x1000, 0x1000, -ENOEXEC},
	{0xC0000000, 0, 0x1000, 0x1000, -ENOEXEC},
	{0xC0100000, 0, 0, 0x1000, -ENOEXEC},
	{0xFFFFF000, 0, 0x1000, 0x1000, -ENOEXEC},
	{0xFFFFF000, 0, 0x1000, 0x2000, -ENOEXEC},
	/* Sizes with which an address wraps. */
	{0x10000000, 0, 0, 0xAFFFE000, 0},
	{0x10000000, 0, 0, 0xAFFFF000, -ENOEXEC},
	{0x10000000, 0, 0, 0xBFFFEFFF, -ENOEXEC},
	{0x10000000, 0, 0, 0xBFFFF001, -ENOEXEC},
	{0x10000000, 0, 0, 0xBFFFFFFF, -ENOEXEC},
	{0x10000000, 0, 0, 0xC0000000, -ENOEXEC},
	{0x10000000, 0, 0, 0xF0000000, -ENOEXEC},
	{0xB0000000, 0, 0, 0xBFFFFFF0, -ENOEXEC},
	{0xC0100000, 0, 0, 0xBFFFF800, -ENOEXEC},
	{0x10000000, 0, 0x1000, 0xFFFFFFFF, -ENOEXEC},
	/* More of the file than of memory, and places that no file has. */
	{0x10000000, 0, 0x1001, 0x1000, -ENOEXEC},
	{0x10000000, 0, 0xFFFFFFFF, 0x1000, -ENOEXEC},
	{0x10000000, 0xFFFFF000, 0x1000, 0x1000, -ENOEXEC},
	{0x10000000, 0x80000000, 0x1000, 0x1000, -ENOEXEC},
	{0x10000000, 0x7FFFF000, 0x1000, 0x1000, 0},
	{0x10000000, 0x7FFFF000, 0x1000, 0x2000, 0},
	{0x10000000, 0x7FFFF000, 0x800, 0x1000, -ENOEXEC},
	/* Place and memory that differ within the page. */
	{0x10000001, 0, 0x100, 0x100, -ENOEXEC},
	{0x10000000, 1, 0x100, 0x100, -ENOEXEC},
	{0x10000234, 0x1234, 0x100, 0x100, 0},
	{0x10000FFF, 0xFFF, 2, 2, 0},
	/* Of no size: not there, wherever it is. */
	{0xFFFFF123, 0xFFFFFFFF, 0, 0, 0},
	{0, 0, 0, 0, 0},
	/* Over the text, in its last page, and right behind it. */
	{TEXT, 0, 0x100, 0x100, -ENOEXEC},
	{TEXT + 0x1800, 0x1800, 0x100, 0x100, -ENOEXEC},
	{TEXT - 0x1000, 0, 0, 0x1001, -ENOEXEC},
	{TEXT - 0x1000, 0, 0, 0x1000, 0},
	{TEXT + 0x2000, 0, 0x1000, 0x1000, 0},
};

KTEST(elf, segments_are_in_the_user_part_and_beside_one_another)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(segments); i++) {
		const struct segment *s = &segments[i];
		int err;

		sound_image();
		image.segment[1] = (Elf32_Phdr){PT_LOAD,   s->offset, s->vaddr,    s->vaddr,
						s->filesz, s->memsz,  PF_R | PF_W, 0};
		err = map(FILE_SIZE);
		if (err != s->want)
			ktest_fail("at 0x%x, file 0x%x + 0x%x, memory 0x%x: %d", s->vaddr, s->offset,
				   s->filesz, s->memsz, err);
		for (struct area *a = area_first(&x.space.areas); a; a = area_next(a))
			EXPECT(a->first >= USER_FIRST_VPN && a->end <= vpn_of(LAST));
		unmap();
	}
}

KTEST(elf, a_segments_flags_are_its_rights)
{
	static const uint32_t flags[] = {0, PF_R, PF_W, PF_X, PF_R | PF_W, PF_W | PF_X, PF_R | PF_W | PF_X};

	for (uint32_t i = 0; i < ARRAY_SIZE(flags); i++) {
		prot_t want = (flags[i] & PF_R ? PROT_R : 0) | (flags[i] & PF_W ? PROT_W : 0) |
			      (flags[i] & PF_X ? PROT_X : 0);

		sound_image();
		image.segment[1].p_flags = flags[i];
		EXPECT_EQ(map(FILE_SIZE), 0);
		EXPECT_EQ(space_find(&x.space, vpn_of(DATA))->prot, want);
		EXPECT_EQ(space_find(&x.space, vpn_of(DATA) + 1)->prot, want);
		unmap();
	}
}

KTEST(elf, a_program_that_wants_a_loader_is_refused)
{
	image.header.e_phnum = 3;
	image.segment[2] = (Elf32_Phdr){.p_type = PT_INTERP, .p_offset = 0xFFFFFFFF, .p_filesz = 0xFFFFFFFF};
	EXPECT_EQ(try(), -ENOENT);
	image.segment[2].p_type = PT_GNU_STACK;
	image.segment[2].p_flags = PF_X;
	EXPECT_EQ(try(), 0);
	EXPECT(x.program.executable_stack);
	image.segment[0].p_type = image.segment[1].p_type = PT_NOTE;
	EXPECT_EQ(try(), -ENOEXEC);
}

/* From where it is put, to the last page that a random part leaves. */
KTEST(elf, a_program_that_runs_anywhere_is_put_somewhere)
{
	image.header.e_type = ET_DYN;
	image.segment[0].p_vaddr = 0;
	image.segment[1].p_vaddr = 0x4200;
	image.header.e_entry = 0x200;
	up_random = 0xFFFFFFFF;
	EXPECT_EQ(map(FILE_SIZE), 0);
	EXPECT_EQ(x.program.entry, 0x57554200);
	EXPECT_EQ(x.program.headers, 0x57554000 + sizeof(Elf32_Ehdr));
	EXPECT_EQ(x.program.end, 0x5755B000);
	EXPECT_EQ(word(0x57558200), 0x03030303);
	unmap();
	/* The linker's own choice counts for nothing. */
	image.segment[0].p_vaddr = 0xB0000000;
	image.segment[1].p_vaddr = 0xB0004200;
	up_random = 0;
	EXPECT_EQ(map(FILE_SIZE), 0);
	EXPECT_EQ(word(0x56555000), 0x464C457F);
	unmap();
	image.segment[0].p_vaddr = 0;
	image.segment[1].p_vaddr = 0x68AA8200;
	EXPECT_EQ(try(), 0);
	image.segment[1].p_vaddr = 0x68AAA200;
	EXPECT_EQ(try(), -ENOMEM);
}

KTEST(elf, headers_that_no_segment_holds_have_no_address)
{
	image.header.e_phoff = 0x1100 - 2 * sizeof(Elf32_Phdr);
	EXPECT_EQ(try(), -ENOEXEC); /* they are text there */
	image.header.e_phoff = sizeof(Elf32_Ehdr);
	image.segment[0].p_offset = 0x1000;
	EXPECT_EQ(try(), 0);
	EXPECT_EQ(x.program.headers, 0);
	image.segment[0].p_offset = 0;
	image.segment[0].p_filesz = sizeof(Elf32_Ehdr) + 2 * sizeof(Elf32_Phdr);
	EXPECT_EQ(try(), 0);
	EXPECT_EQ(x.program.headers, TEXT + sizeof(Elf32_Ehdr));
	image.segment[0].p_filesz--;
	EXPECT_EQ(try(), 0);
	EXPECT_EQ(x.program.headers, 0);
}

KTEST(elf, every_allocation_fails_in_turn)
{
	int err = -ENOMEM;
	int32_t n;

	write_file(FILE_SIZE);
	for (n = 0; err && n < 20; n++) {
		EXPECT_EQ(space_create(&x.space, x.tenant, no_limits), 0);
		machine_fail_after(n);
		err = elf_map(&x.space, x.file, &x.program);
		machine_fail_after(-1);
		if (err)
			EXPECT_EQ(err, -ENOMEM);
		EXPECT_EQ(check_space(&x.space), 0);
		space_destroy(&x.space);
	}
	EXPECT_EQ(err, 0);
	EXPECT(n > 3);
	file_put(x.file);
}
