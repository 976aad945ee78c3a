/*
 * tests/fuzz/elf_fuzz.c - the target elf: a string is a program file. A second reader, in 64-bit arithmetic, says
 * whether it is one, and what belongs where; an area that is there before stays as it is, and whole.
 */
#include "fuzz.h"

#include <fs/file.h>
#include <fs/fs.h>
#include <kernel/elf.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/fault.h>
#include <mm/mmap.h>
#include <tests/host/up.h>
#include <tests/ktest/machine.h>

#define FILE_PAGES  3u
#define FILE_MOST   (FILE_PAGES * PAGE_SIZE)
#define MOST        64u
#define QUOTA       160u /* pages: more than 64 segments touch */
#define FIRST       1ll  /* pages that a program can be in */
#define END         0xBFFFFll
#define ANYWHERE    0x56555ll /* with random numbers of 0 */
#define ANYWHERE_IN (END + 1 - ANYWHERE - 0x1000)

static uint8_t bytes[FILE_MOST];
static uint32_t length;

static struct {
	struct tenant *tenant;
	struct space space;
	struct file *file;
} my;

/* One part of a program, in pages: [first, end), from a page of the file or from none (-1). */
struct part {
	int64_t first, end, from;
	prot_t prot;
};

static struct {
	struct part part[2 * MOST];
	uint32_t count;
	int64_t low, high; /* in bytes, as the file says */
	int64_t bias;      /* pages */
	bool wants_loader;
} model;

static int64_t number(int64_t at, unsigned size)
{
	int64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (int64_t)bytes[at + i] << 8 * i;
	return value;
}

static int64_t count_headers(void)
{
	return number(44, 2);
}

/* Field n of program header k, by words: type, offset, vaddr, paddr, filesz, memsz, flags. */
static int64_t field(int64_t k, unsigned n)
{
	return number(number(28, 4) + 32 * k + 4 * n, 4);
}

static bool has_headers(void)
{
	static const uint8_t ident[4] = {0x7F, 'E', 'L', 'F'};
	int64_t kind, machine, n;

	if (length < 52 || memcmp(bytes, ident, sizeof(ident)) != 0)
		return false;
	kind = number(16, 2);
	machine = number(18, 2);
	n = count_headers();
	return (kind == 2 || kind == 3) && (machine == 3 || machine == 6) && number(42, 2) == 32 && n >= 1 &&
	       n <= 64 && number(28, 4) + 32 * n <= (int64_t)length;
}

static bool is_loaded(int64_t k)
{
	return field(k, 0) == 1 && field(k, 5) != 0;
}

/* Reads where the segments are; false: none, or one of them is nowhere. */
static bool read_segments(void)
{
	model.low = INT64_MAX;
	model.high = 0;
	for (int64_t k = 0; k < count_headers(); k++) {
		int64_t at = field(k, 2), end = at + field(k, 5);

		model.wants_loader |= field(k, 0) == 3;
		if (!is_loaded(k))
			continue;
		if (field(k, 4) > field(k, 5) || at % 4096 != field(k, 1) % 4096 || end >= END * 4096 ||
		    field(k, 1) > INT32_MAX)
			return false;
		model.low = at < model.low ? at : model.low;
		model.high = end > model.high ? end : model.high;
	}
	return model.high;
}

static bool add_part(int64_t first, int64_t end, int64_t from, int64_t flags)
{
	struct part p = {first + model.bias, end + model.bias, from,
			 (flags & 4 ? PROT_R : 0) | (flags & 2 ? PROT_W : 0) | (flags & 1 ? PROT_X : 0)};

	if (first == end)
		return true;
	for (uint32_t i = 0; i < model.count; i++)
		if (p.first < model.part[i].end && model.part[i].first < p.end)
			return false;
	model.part[model.count++] = p;
	return p.first >= FIRST;
}

/* Puts the parts together; false: over one another, in page 0, or zeroes where the file has no page. */
static bool make_parts(void)
{
	for (int64_t k = 0; k < count_headers(); k++) {
		int64_t at = field(k, 2), has = at + field(k, 4), end = at + field(k, 5);
		int64_t first = at / 4096, middle = field(k, 4) ? (has + 4095) / 4096 : first;
		int64_t flags = field(k, 6);

		if (!is_loaded(k))
			continue;
		if (!add_part(first, middle, field(k, 1) / 4096, flags) ||
		    !add_part(middle, (end + 4095) / 4096 > middle ? (end + 4095) / 4096 : middle, -1, flags))
			return false;
		if (field(k, 4) && flags & 2 && end > has && has % 4096 &&
		    (field(k, 1) + field(k, 4)) / 4096 >= ((int64_t)length + 4095) / 4096)
			return false;
	}
	return true;
}

static int expected(const struct area *there)
{
	model.count = 0;
	model.bias = 0;
	model.wants_loader = false;
	if (there)
		model.part[model.count++] = (struct part){there->first, there->end, -1, there->prot};
	if (!has_headers() || !read_segments())
		return -ENOEXEC;
	if (number(16, 2) == 3) {
		int64_t low = model.low / 4096;

		model.bias = ANYWHERE - low;
		if (model.high - low * 4096 >= ANYWHERE_IN * 4096)
			return -ENOMEM;
	}
	if (!make_parts())
		return -ENOEXEC;
	return model.wants_loader ? -ENOENT : 0;
}

static void check_part(const struct part *p)
{
	for (int64_t v = p->first; v < p->end;) {
		struct area *a = space_find(&my.space, (vpn_t)v);

		FUZZ_HOLDS(a && a->first <= (vpn_t)v);
		FUZZ_EQ(a->prot, p->prot);
		FUZZ_EQ(a->flags & AREA_SHARED, 0);
		FUZZ_EQ(a->file != NULL, p->from >= 0);
		if (a->file)
			FUZZ_EQ(a->offset + (v - a->first), p->from + (v - p->first));
		v = a->end;
	}
}

/* The last byte from the file, and the zeroes behind it. */
static void check_content(int64_t k)
{
	int64_t end = field(k, 1) + field(k, 4);
	vaddr_t at = (vaddr_t)(field(k, 2) + field(k, 4) + model.bias * 4096);
	uint8_t last, behind;

	if (!is_loaded(k) || !field(k, 4) || (field(k, 6) & 6) != 6 || end > (int64_t)length)
		return;
	FUZZ_EQ(space_read(&my.space, at - 1, &last, 1), 0);
	FUZZ_EQ(last, bytes[end - 1]);
	if (field(k, 5) == field(k, 4))
		return;
	FUZZ_EQ(space_read(&my.space, at, &behind, 1), 0);
	FUZZ_EQ(behind, 0);
}

static void check_program(const struct elf_program *p)
{
	uint32_t pages = 0;

	for (uint32_t i = 0; i < model.count; i++) {
		check_part(&model.part[i]);
		pages += (uint32_t)(model.part[i].end - model.part[i].first);
	}
	FUZZ_EQ(my.space.pages, pages);
	FUZZ_EQ(p->entry, (vaddr_t)(number(24, 4) + model.bias * 4096));
	FUZZ_EQ(p->header_count, count_headers());
	FUZZ_EQ(p->end, (vaddr_t)((model.high + 4095) / 4096 * 4096 + model.bias * 4096));
	for (int64_t k = 0; k < count_headers(); k++)
		check_content(k);
}

static void make_file(void)
{
	struct file *f;

	FUZZ_EQ(fs_init(), 0);
	FUZZ_EQ(fs_context_init(&up_fs), 0);
	FUZZ_EQ(fs_open_kernel(&up_fs, "/program", O_CREAT | O_RDWR, &f), 0);
	if (length)
		FUZZ_EQ(mapping_write(file_mapping(f), 0, bytes, length), length);
	FUZZ_EQ(regular_truncate(f->inode, length), 0);
	f->inode->mode |= 0111;
	file_put(f);
	FUZZ_EQ(file_open_program(&up_fs, "/program", &my.file), 0);
}

/* An area that the program may not touch, of 1 to 16 pages; null where the string wants none. */
static struct area *take_area(struct fuzz_input *in)
{
	uint32_t n = fuzz_take16(in);
	struct mmap_request r = {.hint = (0x8000 + (n & 0xFFF)) << PAGE_SHIFT,
				 .length = ((n >> 12) + 1) * PAGE_SIZE,
				 .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED};

	if (n & 0x800)
		r.hint += (vaddr_t)(ANYWHERE - 0x8800) << PAGE_SHIFT;
	if (!n)
		return NULL;
	FUZZ_EQ((vaddr_t)space_mmap(&my.space, &r), r.hint);
	return space_find(&my.space, vpn_of(r.hint));
}

/* Makes space and file; returns the area that is there before. */
static struct area *begin(struct fuzz_input *in, uint32_t pages)
{
	static const struct space_limits none = {NO_LIMIT, NO_LIMIT, NO_LIMIT};
	struct area *there;

	overcommit = OVERCOMMIT_ALWAYS;
	up_random = 0;
	FUZZ_EQ(tenant_create(CONTAINER_ROOT, QUOTA, &my.tenant), 0);
	FUZZ_EQ(space_create(&my.space, my.tenant, none), 0);
	there = take_area(in);
	memset(bytes, 0x5A, sizeof(bytes));
	length = in->left < FILE_MOST ? (uint32_t)in->left : FILE_MOST;
	memcpy(bytes, in->bytes, length);
	if (length < pages * PAGE_SIZE)
		length = pages * PAGE_SIZE;
	make_file();
	return there;
}

static void end(void)
{
	space_destroy(&my.space);
	tenant_put(my.tenant);
	file_put(my.file);
	fs_context_put(&up_fs);
	fs_exit();
	FUZZ_EQ(inode_count(), 0);
}

/* The first bytes tell how many pages the file has at least, which allocation fails, and which area is there before. */
static void run(struct fuzz_input *in)
{
	uint32_t pages = fuzz_take8(in) % (FILE_PAGES + 1), failing = fuzz_take8(in);
	struct elf_program p;
	int want, err;

	want = expected(begin(in, pages));
	machine_fail_after(failing ? (int32_t)failing - 1 : -1);
	err = elf_map(&my.space, my.file, &p);
	machine_fail_after(-1);
	if (!failing || err != -ENOMEM)
		FUZZ_EQ(err, want);
	if (!err)
		check_program(&p);
	FUZZ_EQ(check_space(&my.space), 0);
	for (struct area *a = area_first(&my.space.areas); a; a = area_next(a))
		FUZZ_HOLDS(a->first >= FIRST && a->end <= END);
	end();
}

const struct fuzz_target fuzz_elf = {.name = "elf", .run = run, .on_machine = true};
