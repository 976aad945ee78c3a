/* tests/ktest/space_fixture.h - a space with a tenant of its own, for the suites of address spaces. */
#ifndef TESTS_SPACE_FIXTURE_H
#define TESTS_SPACE_FIXTURE_H

#include <kernel/ktest.h>
#include <lib/string.h>
#include <mm/fault.h>
#include <mm/fork.h>
#include <mm/kmap.h>
#include <mm/mmap.h>
#include <mm/slab.h>
#include <tests/ktest/machine.h>

#define PAGE         PAGE_SIZE
#define RW           (PROT_READ | PROT_WRITE)
#define ANON         (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT           0x20000000u /* an address without anything near it */
#define FIXED        MAP_FIXED
#define TENANT_PAGES 120u

static const struct space_limits no_limits = {NO_LIMIT, NO_LIMIT, NO_LIMIT};

struct space_fixture {
	struct tenant *tenant;
	struct space s;
	uint32_t violations;
};

/* Makes a loaded space. */
static inline void fixture_begin(struct space_fixture *x)
{
	machine_violations();
	EXPECT_EQ(tenant_create(CONTAINER_ROOT, TENANT_PAGES, &x->tenant), 0);
	EXPECT_EQ(space_create(&x->s, x->tenant, no_limits), 0);
	space_load(&x->s);
}

/* Proves it, and gives back all. */
static inline void fixture_end(struct space_fixture *x)
{
	machine_fail_after(-1);
	overcommit = OVERCOMMIT_GUESS;
	EXPECT_EQ(check_space(&x->s), 0);
	EXPECT_EQ(check_vm(&x->s.pd), 0);
	set_pdir_base(&kernel_pdir);
	space_destroy(&x->s);
	EXPECT_EQ(x->tenant->committed, 0);
	EXPECT_EQ(x->tenant->refs, 1);
	tenant_put(x->tenant);
	EXPECT_EQ(machine_violations(), 0);
}

/* Maps anonymous memory at an address. */
static inline int32_t map_at(struct space *s, vaddr_t at, uint32_t pages, uint32_t prot, uint32_t flags)
{
	const struct mmap_request r = {at, pages * PAGE, prot, flags | MAP_FIXED, NULL, true, true, 0};

	return space_mmap(s, &r);
}

/* Map a file from its beginning. */
static inline int32_t map_shared(struct space *s, vaddr_t at, uint32_t pages, uint32_t prot,
				 struct mapping *file)
{
	const struct mmap_request r = {at, pages * PAGE, prot, MAP_SHARED | MAP_FIXED, file, true, true, 0};

	return space_mmap(s, &r);
}

static inline int32_t map_private(struct space *s, vaddr_t at, uint32_t pages, uint32_t prot,
				  struct mapping *file)
{
	const struct mmap_request r = {at, pages * PAGE, prot, MAP_PRIVATE | MAP_FIXED, file, true, false, 0};

	return space_mmap(s, &r);
}

static inline int store(struct space *s, vaddr_t to, uint32_t word)
{
	return machine_user_write(s, to, &word, sizeof(word));
}

/* Returns the word at an address, 0xDEAD0000 with the error where that cannot be read. */
static inline uint32_t load(struct space *s, vaddr_t from)
{
	uint32_t word = 0;
	int err = machine_user_read(s, from, &word, sizeof(word));

	return err ? 0xDEAD0000u + (uint32_t)-err : word;
}

#define FAILED(err) (0xDEAD0000u + (uint32_t)(err)) /* what load returns for it */

static inline uint32_t charged_to(const struct tenant *t)
{
	uint32_t n = 0;

	container_get_usage(t->owner, &n);
	return n;
}

static inline uint32_t area_count(const struct space *s)
{
	return s->areas.count;
}

#endif
