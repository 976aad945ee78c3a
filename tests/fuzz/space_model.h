/*
 * tests/fuzz/space_model.h - what two address spaces of one tenant should be: an array of pages for each, in three
 * windows; what their private pages and their files hold. Knows no tree, no directory and no frame; what a call must
 * answer is worked out here from what Linux's manual says, and then the pages are changed as it says.
 *
 *	break      28 pages, over the end of a page table, from where the break begins
 *	middle     48 pages below where new areas are put, over the end of a page table
 *	stack      the first stack and where it may grow
 *
 * An area is a run of pages that are alike.
 */
#ifndef TESTS_SPACE_MODEL_H
#define TESTS_SPACE_MODEL_H

#include <mm/mmap.h>

#define BREAK_FIRST  (64u * 1024 - 6)
#define BREAK_PAGES  28u
#define MIDDLE_PAGES 48u
#define MIDDLE_END   (764u * 1024 + 20)
#define MIDDLE_FIRST (MIDDLE_END - MIDDLE_PAGES)
#define STACK_LIMIT  48u /* pages */
#define STACK_END    (MIDDLE_END + GUARD_GAP + STACK_LIMIT)
#define STACK_WINDOW (STACK_LIMIT + 2)
#define STACK_FIRST  (STACK_END - STACK_WINDOW)
#define SLOTS        (BREAK_PAGES + MIDDLE_PAGES + STACK_WINDOW)
#define NO_SLOT      SLOTS

#define MODEL_QUOTA  220u /* frames */
#define MODEL_FILES  40u  /* the first is a file with a name, the others are shared memory */
#define FILE_PAGES   12u
#define MODEL_COPIES (2 * SLOTS + 1)
#define NO_FILE      MODEL_FILES

struct model_page {
	bool mapped;
	uint32_t prot;  /* PROT_READ and so on */
	uint32_t flags; /* as struct area names them */
	uint32_t file, index;
	uint32_t own; /* its private page, shared with who else has this number; 0: none */
};

struct model_space {
	bool lives;
	struct model_page page[SLOTS];
	vaddr_t brk_start, brk;
	uint32_t future; /* flags of new areas */
};

struct model_file {
	struct mapping *mapping; /* the one that stands for it */
	uint32_t pages;
	uint32_t users; /* pages that map it */
	uint32_t promised;
	bool in_cache[FILE_PAGES];
	uint32_t word[FILE_PAGES];
};

struct space_model {
	struct model_space space[2];
	struct model_file file[MODEL_FILES];
	struct {
		uint32_t users, word;
	} copy[MODEL_COPIES];
	uint32_t most; /* pages of one space; NO_LIMIT: any number */
	unsigned overcommit;
};
extern struct space_model model;

#define MODEL_WINDOWS 3u
extern const struct pages model_window[MODEL_WINDOWS];

vpn_t slot_page(uint32_t slot);
uint32_t page_slot(vpn_t v); /* NO_SLOT: in no window */

/* Begins with the first space: a stack, a break, and a file of so many pages. */
void model_begin(uint32_t file_pages);

/* The child that fork makes, and its end. */
int model_fork(void);
void model_end_child(void);

/* Pages that there are, and such as have a flag. */
uint32_t model_flagged(const struct model_space *s, uint32_t flag);
uint32_t model_total(const struct model_space *s);
uint32_t model_areas(const struct model_space *s);
uint32_t model_committed(void);

/* Frames that hold private pages and files. */
uint32_t model_frames(void);

/* True where two slots lie in one area. */
bool model_same_area(const struct model_space *s, uint32_t a, uint32_t b);

/* Touch a page as its program does: 0 or the error of vm_fault. In `word`: what it holds, or what to store. */
int model_access(struct model_space *s, vpn_t v, uint32_t prot, uint32_t *word);

/* The same for a range that is populated, as far as it goes; stops at the first error. */
int model_populate(struct model_space *s, struct pages range, bool write);
void model_populate_areas(struct model_space *s, struct pages range);

/* What calls answer. `changes`: and does it. */
int32_t model_mmap(struct model_space *s, const struct mmap_request *r, uint32_t file, bool changes);
int model_munmap(struct model_space *s, vaddr_t addr, uint32_t length, bool changes);
int model_mprotect(struct model_space *s, vaddr_t addr, uint32_t length, uint32_t prot, bool changes);
int32_t model_mremap(struct model_space *s, const struct mremap_request *r, bool changes);
vaddr_t model_brk(struct model_space *s, vaddr_t addr, bool changes);

/* These change what comes before an error, too. */
int model_madvise(struct model_space *s, struct pages range, int advice);
int model_lock(struct model_space *s, struct pages range, uint32_t flags);
int model_lockall(struct model_space *s, uint32_t flags);
int model_msync(const struct model_space *s, struct pages range, int flags);

void model_truncate(uint32_t pages);

/* For space_calls.c. */

/* The page that is mapped at v, or null; the ends of its area. */
struct model_page *model_at(struct model_space *s, vpn_t v);
vpn_t model_run_first(const struct model_space *s, vpn_t v);
vpn_t model_run_end(const struct model_space *s, vpn_t v);

/* Maps a page at v in the place of what is there; takes one away; gives one a private page, or with 0 none. */
void model_put(struct model_space *s, vpn_t v, struct model_page page);
void model_forget(struct model_page *p);
void model_own(struct model_page *p, uint32_t copy);

/* Touches a page that allows it. */
int model_touch(struct model_page *p, bool write, uint32_t *word);

/* What the tenant, and the space, may still have. */
bool model_may_commit(uint32_t pages);
bool model_has_room(const struct model_space *s, uint32_t pages);

#endif
