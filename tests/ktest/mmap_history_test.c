/*
 * tests/ktest/mmap_history_test.c - random calls on a space and its child against a model that shares no code with
 * mm/: an array of pages for each, with what each may do, what it is and what it holds.
 */
#include <tests/ktest/space_fixture.h>

#define WINDOW     32u
#define BASE       (AT + 0x400000u - 16 * PAGE) /* over the end of a table */
#define FILE_PAGES 12u

enum kind { NOTHING, ANONYMOUS, PRIVATE, SHARED };

struct model_page {
	enum kind kind;
	uint32_t prot;
	uint32_t index; /* of the file */
	bool own;       /* a private page that was written */
	uint32_t word;  /* what it holds then */
};

static struct space_fixture x;
static struct space child;
static struct mapping *file;
static struct {
	struct model_page page[2][WINDOW];
	uint32_t file[FILE_PAGES];
	uint32_t file_pages;
	bool has_child;
} model;

KTEST_SETUP(mmap_history)
{
	fixture_begin(&x);
	memset(&model, 0, sizeof(model));
	overcommit = OVERCOMMIT_ALWAYS;
	file = mapping_create(x.tenant->owner, 0);
	EXPECT_EQ(mapping_truncate(file, FILE_PAGES * PAGE), 0);
	model.file_pages = FILE_PAGES;
}

static void end_child(void)
{
	space_load(&x.s);
	if (model.has_child)
		space_destroy(&child);
	model.has_child = false;
}

KTEST_TEARDOWN(mmap_history)
{
	end_child();
	mapping_put(file);
	fixture_end(&x);
}

static struct space *space_of(unsigned who)
{
	return who ? &child : &x.s;
}

static vaddr_t address_of(uint32_t i)
{
	return BASE + i * PAGE;
}

static bool is_beyond(const struct model_page *p)
{
	return p->kind >= PRIVATE && !p->own && p->index >= model.file_pages;
}

/* What a read of a page's first word must give. */
static uint32_t expected(const struct model_page *p)
{
	if (p->kind == NOTHING)
		return FAILED(EFAULT);
	if (!p->prot)
		return FAILED(EACCES);
	if (is_beyond(p))
		return FAILED(ENXIO);
	if (p->kind == ANONYMOUS || p->own)
		return p->own ? p->word : 0;
	return model.file[p->index];
}

static int expected_of_write(const struct model_page *p)
{
	if (p->kind == NOTHING)
		return -EFAULT;
	if (!(p->prot & PROT_WRITE))
		return -EACCES;
	return is_beyond(p) ? -ENXIO : 0;
}

static bool read_is_right(unsigned who, uint32_t i)
{
	const struct model_page *p = &model.page[who][i];

	space_load(space_of(who));
	return EXPECT_EQ(load(space_of(who), address_of(i)), expected(p));
}

static void write_page(unsigned who, uint32_t i)
{
	struct model_page *p = &model.page[who][i];
	uint32_t word = ktest_random() | 1;
	int err = expected_of_write(p);

	space_load(space_of(who));
	EXPECT_EQ(store(space_of(who), address_of(i), word), err);
	if (err)
		return;
	if (p->kind == SHARED) {
		model.file[p->index] = word;
	} else {
		p->own = true;
		p->word = word;
	}
}

static uint32_t random_prot(void)
{
	static const uint32_t prots[] = {RW, RW, RW, PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC};

	return prots[ktest_random_below(ARRAY_SIZE(prots))];
}

static void do_mmap(unsigned who, uint32_t first, uint32_t count)
{
	enum kind kind = ANONYMOUS + ktest_random_below(3);
	uint32_t offset = ktest_random_below(FILE_PAGES), prot = random_prot();
	const struct mmap_request r = {address_of(first),
				       count * PAGE,
				       prot,
				       MAP_FIXED | (kind == SHARED ? MAP_SHARED : MAP_PRIVATE) |
					       (kind == ANONYMOUS ? MAP_ANONYMOUS : 0),
				       file,
				       true,
				       true,
				       offset};

	EXPECT_EQ(space_mmap(space_of(who), &r), (int32_t)r.hint);
	for (uint32_t i = 0; i < count; i++)
		model.page[who][first + i] = (struct model_page){kind, prot, offset + i, false, 0};
}

static void do_munmap(unsigned who, uint32_t first, uint32_t count)
{
	EXPECT_EQ(space_munmap(space_of(who), address_of(first), count * PAGE), 0);
	memset(&model.page[who][first], 0, count * sizeof(struct model_page));
}

static void do_mprotect(unsigned who, uint32_t first, uint32_t count)
{
	uint32_t prot = random_prot(), i = first;

	for (; i < first + count && model.page[who][i].kind; i++)
		model.page[who][i].prot = prot;
	EXPECT_EQ(space_mprotect(space_of(who), address_of(first), count * PAGE, prot),
		  i < first + count ? -ENOMEM : 0);
}

static void do_dontneed(unsigned who, uint32_t first, uint32_t count)
{
	bool hole = false;

	for (uint32_t i = first; i < first + count; i++) {
		model.page[who][i].own = false;
		hole |= !model.page[who][i].kind;
	}
	EXPECT_EQ(space_madvise(space_of(who), address_of(first), count * PAGE, MADV_DONTNEED),
		  hole ? -ENOMEM : 0);
}

/* The model knows pages, not areas: where the pages are of two areas, nothing may change. */
static void do_mremap(unsigned who, uint32_t first, uint32_t count)
{
	uint32_t to = ktest_random_below(WINDOW - count + 1);
	const struct mremap_request r = {address_of(first), count * PAGE, count * PAGE,
					 MREMAP_FIXED | MREMAP_MAYMOVE, address_of(to)};
	struct model_page moved[WINDOW];
	int32_t got;

	got = space_mremap(space_of(who), &r);
	if (got < 0) {
		EXPECT(got == -EFAULT || (got == -EINVAL && to < first + count && first < to + count));
		return;
	}
	memcpy(moved, &model.page[who][first], count * sizeof(*moved));
	memset(&model.page[who][first], 0, count * sizeof(*moved));
	memcpy(&model.page[who][to], moved, count * sizeof(*moved));
	for (uint32_t i = 0; i < count; i++)
		EXPECT(moved[i].kind && moved[i].prot == moved[0].prot);
}

static void do_truncate(void)
{
	uint32_t pages = ktest_random_below(FILE_PAGES + 1);

	EXPECT_EQ(mapping_truncate(file, pages * PAGE), 0);
	model.file_pages = pages;
	for (uint32_t i = pages; i < FILE_PAGES; i++)
		model.file[i] = 0;
	for (unsigned who = 0; who < 2; who++)
		for (uint32_t i = 0; i < WINDOW; i++)
			if (model.page[who][i].kind == PRIVATE && model.page[who][i].index >= pages)
				model.page[who][i].own = false;
}

static void do_file_write(void)
{
	uint32_t i = ktest_random_below(FILE_PAGES), word = ktest_random();

	EXPECT_EQ(mapping_write(file, i * PAGE, &word, 4), 4);
	model.file[i] = word;
	/* A file that ended in a page before ends in this one now, after four bytes. */
	if (i >= model.file_pages)
		model.file_pages = i + 1;
}

static void do_fork_or_end(void)
{
	if (model.has_child) {
		end_child();
		return;
	}
	space_load(&x.s);
	EXPECT_EQ(space_fork(&child, &x.s), 0);
	memcpy(model.page[1], model.page[0], sizeof(model.page[0]));
	model.has_child = true;
}

typedef void range_step_t(unsigned who, uint32_t first, uint32_t count);

/* The steps that change a range, the frequent ones more than once. */
static range_step_t *const range_steps[] = {do_mmap,     do_mmap,     do_mmap,   do_munmap, do_mprotect,
					    do_mprotect, do_dontneed, do_mremap, do_mremap};

static void random_step(void)
{
	unsigned who = model.has_child ? ktest_random_below(2) : 0;
	uint32_t first = ktest_random_below(WINDOW), count = 1 + ktest_random_below(WINDOW - first);
	uint32_t what = ktest_random_below(24);

	count = ktest_random() % 2 && count > 4 ? 4 : count;
	if (what < ARRAY_SIZE(range_steps))
		range_steps[what](who, first, count);
	else if (what == 9)
		do_truncate();
	else if (what == 10)
		do_file_write();
	else if (what == 11)
		do_fork_or_end();
	else if (what < 15)
		read_is_right(who, first);
	else
		write_page(who, first);
}

static bool all_right(void)
{
	for (unsigned who = 0; who < 1u + model.has_child; who++) {
		if (check_space(space_of(who)))
			return false;
		for (uint32_t i = 0; i < WINDOW; i++)
			if (!read_is_right(who, i))
				return false;
	}
	return true;
}

KTEST(mmap_history, random_history_against_a_model)
{
	for (unsigned step = 0; step < 4000; step++) {
		random_step();
		if (step % 16 == 0)
			ASSERT(all_right());
	}
}
