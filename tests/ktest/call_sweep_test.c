/*
 * tests/ktest/call_sweep_test.c - system calls of a process, with each allocation that they make failing in turn: they
 * must say so, change nothing and leak nothing, and succeed when none fails.
 */
#include <arch/frame_access.h>
#include <asm/signal.h>
#include <fs/file.h>
#include <fs/fs.h>
#include <fs/inode.h>
#include <lib/string.h>
#include <linux/elf.h>
#include <linux/falloc.h>
#include <linux/sched.h>
#include <mm/mmap.h>
#include <mm/slab.h>
#include <mm/usercopy.h>
#include <tests/ktest/machine.h>
#include <tests/ktest/proc_machine.h>

#define ALLOCATIONS_MOST 60
#define MEMORY           0x20000000u /* pages of the process's own */
#define FAR              0x30000000u
#define PATH1            (PROC_DATA + PAGE_SIZE)
#define PATH2            (PROC_DATA + 2 * PAGE_SIZE)
#define WORDS            (PROC_DATA + 3 * PAGE_SIZE) /* arrays that calls take, and room for what they write */
#define ANON             (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#define RW               (PROT_READ | PROT_WRITE)
#define QUEUED           40 /* a signal, blocked */

/* The processes that a sweep's calls make end at once. */
USER_PROGRAM(ends_at_once, "	movl $1, %eax\n"
			   "	int $0x80");

/* Descriptors: 0 a file of 2 pages with a hole behind, 1 and 2 a pipe with bytes in it, 3 /proc/self/maps. */
static const struct swept {
	const char *name;
	uint32_t number;
	const char *path[2]; /* the first arguments; what stands behind them is as it is */
	uint32_t argument[6];
	int32_t other; /* what it may say besides -ENOMEM */
} swept[] = {
	{"mmap2", __NR_mmap2, {NULL}, {FAR, PAGE_SIZE, RW, ANON}, 0},
	{"mmap2, shared", __NR_mmap2, {NULL}, {FAR, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS}, 0},
	{"mmap2, a file", __NR_mmap2, {NULL}, {FAR, PAGE_SIZE, PROT_READ, MAP_PRIVATE, 0, 0}, 0},
	{"mmap2, over an area", __NR_mmap2, {NULL}, {MEMORY + PAGE_SIZE, PAGE_SIZE, PROT_READ, ANON}, 0},
	{"munmap", __NR_munmap, {NULL}, {MEMORY + PAGE_SIZE, PAGE_SIZE}, 0},
	{"mprotect", __NR_mprotect, {NULL}, {MEMORY + PAGE_SIZE, PAGE_SIZE, PROT_READ}, 0},
	{"mremap",
	 __NR_mremap,
	 {NULL},
	 {MEMORY, 2 * PAGE_SIZE, 3 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, FAR},
	 0},
	{"madvise", __NR_madvise, {NULL}, {MEMORY + PAGE_SIZE, PAGE_SIZE, MADV_DONTFORK}, 0},
	{"mlock", __NR_mlock, {NULL}, {MEMORY + PAGE_SIZE, PAGE_SIZE}, 0},
	{"mlockall", __NR_mlockall, {NULL}, {MCL_CURRENT}, 0},
	{"mincore", __NR_mincore, {NULL}, {MEMORY, 4 * PAGE_SIZE, WORDS}, 0},
	{"brk", __NR_brk, {NULL}, {MEMORY + 0x1003000}, 0},
	{"fork", __NR_fork, {NULL}, {0}, 0},
	{"vfork", __NR_vfork, {NULL}, {0}, 0},
	{"clone", __NR_clone, {NULL}, {CLONE_CHILD_SETTID | SIGCHLD, 0, 0, 0, WORDS}, 0},
	{"clone, as posix_spawn", __NR_clone, {NULL}, {CLONE_VM | CLONE_VFORK | SIGCHLD, PROC_STACK}, 0},
	{"execve", __NR_execve, {"/program"}, {0, WORDS, WORDS}, 0},
	{"execve of a script", __NR_execve, {"/script"}, {0, WORDS, WORDS}, 0},
	{"open", __NR_open, {"/file"}, {0, O_RDWR}, 0},
	{"openat", __NR_openat, {NULL, "/new"}, {(uint32_t)AT_FDCWD, 0, O_CREAT | O_RDWR, 0644}, 0},
	{"creat", __NR_creat, {"/tmp/new"}, {0, 0644}, 0},
	{"mkdir", __NR_mkdir, {"/tmp/new"}, {0, 0755}, 0},
	{"mknod", __NR_mknod, {"/tmp/new"}, {0, S_IFIFO | 0600}, 0},
	{"link", __NR_link, {"/file", "/tmp/a_name_that_is_too_long_for_what_it_had_before"}, {0}, 0},
	{"symlink", __NR_symlink, {"where/it/leads", "/tmp/new"}, {0}, 0},
	{"readlink", __NR_readlink, {"/proc/self"}, {0, WORDS, 20}, 0},
	{"rename", __NR_rename, {"/file", "/tmp/a_name_that_is_too_long_for_what_it_had_before"}, {0}, 0},
	{"unlink", __NR_unlink, {"/file"}, {0}, 0},
	{"rmdir", __NR_rmdir, {"/dir"}, {0}, 0},
	{"chdir", __NR_chdir, {"/dir"}, {0}, 0},
	{"getcwd", __NR_getcwd, {NULL}, {WORDS, 100}, 0},
	{"stat64", __NR_stat64, {"/file"}, {0, WORDS}, 0},
	{"pipe", __NR_pipe, {NULL}, {WORDS}, 0},
	{"dup", __NR_dup, {NULL}, {0}, 0},
	{"dup2", __NR_dup2, {NULL}, {0, 900}, 0},
	{"fcntl64", __NR_fcntl64, {NULL}, {0, F_DUPFD, 40}, 0},
	{"read", __NR_read, {NULL}, {0, WORDS, 100}, 0},
	{"read of /proc/self/maps", __NR_read, {NULL}, {3, WORDS, 100}, 0},
	{"write that makes a file longer", __NR_pwrite64, {NULL}, {0, WORDS, 100, 9 * PAGE_SIZE}, -ENOSPC},
	{"write to a full page of a pipe", __NR_write, {NULL}, {2, WORDS, PAGE_SIZE}, 0},
	{"writev", __NR_writev, {NULL}, {2, WORDS + 512, 9}, 0},
	{"ftruncate64, longer", __NR_ftruncate64, {NULL}, {0, 90 * PAGE_SIZE}, 0},
	{"ftruncate64, shorter", __NR_ftruncate64, {NULL}, {0, 100}, 0},
	{"fallocate", __NR_fallocate, {NULL}, {0, 0, 9 * PAGE_SIZE, 0, PAGE_SIZE, 0}, -ENOSPC},
	{"poll", __NR_poll, {NULL}, {WORDS + 1024, 200, 0}, 0},
	{"sigaltstack", __NR_sigaltstack, {NULL}, {WORDS + 256, 0}, 0},
	{"set_thread_area", __NR_set_thread_area, {NULL}, {WORDS + 384}, 0},
	{"a queued signal", __NR_rt_sigqueueinfo, {NULL}, {FIRST_PID, QUEUED, WORDS + 1024}, -EAGAIN},
};

static const struct swept *call; /* the one that is swept */

/* Objects of every cache, so that the next one of each kind takes a frame. */
struct hoard {
	void *objects; /* of kmalloc, each with the next one's address */
	uint32_t inodes, files;
	struct inode *inode[64];
	struct file *file[128];
};

static void hoard_objects(struct hoard *h)
{
	for (uint32_t size = 16; size <= CACHE_SIZE_MAX; size += 16) {
		void **object;

		while ((object = kmalloc(size))) {
			*object = h->objects;
			h->objects = object;
		}
	}
}

static struct hoard *hoard(void)
{
	struct hoard *h = kmalloc(sizeof(*h));
	uint32_t areas = 0;

	memset(h, 0, sizeof(*h));
	machine_fail_after(0);
	hoard_objects(h);
	while (h->inodes < ARRAY_SIZE(h->inode) && (h->inode[h->inodes] = inode_create(S_IFREG, 0)))
		h->inodes++;
	while (h->files < ARRAY_SIZE(h->file) && !file_create(fs_root, O_PATH, &h->file[h->files]))
		h->files++;
	while (PROC_CALL(__NR_mmap2, FAR + 0x1000000 + 2 * areas * PAGE_SIZE, PAGE_SIZE, PROT_READ, ANON) > 0)
		areas++;
	machine_fail_after(-1);
	EXPECT(h->inodes < ARRAY_SIZE(h->inode) && h->files < ARRAY_SIZE(h->file));
	return h;
}

static void give_back(struct hoard *h)
{
	void **object;

	while ((object = h->objects)) {
		h->objects = *object;
		kmfree(object);
	}
	while (h->inodes)
		inode_put(h->inode[--h->inodes]);
	while (h->files)
		file_put(h->file[--h->files]);
	kmfree(h);
}

/* Everything that a failed call could have changed. */
struct state {
	uint32_t frames, objects, inodes, files, processes, committed, charged;
	uint32_t areas, pages, area_hash, descriptors, brk;
	struct inode *cwd;
	struct signal_stack stack;
	struct arch_tls tls;
	uint64_t pending, size;
};

static int count(struct proc *p, void *sum)
{
	(void)p;
	++*(uint32_t *)sum;
	return 0;
}

/* Tables of a space, empty ones among them: a call that failed may leave these. */
static uint32_t tables(const struct space *s)
{
	uint32_t n = 0;

	for (vpn_t v = 0; v < ARCH_KERNEL_VPN; v += 1u << ARCH_PT_SPAN_BITS(1))
		n += arch_pte_kind(1, get_pdir_entry_by_va(&s->pd, vaddr_of(v))) == PTE_TABLE;
	return n;
}

static struct state take_state(void)
{
	struct space *s = current_space();
	struct state now;

	memset(&now, 0, sizeof(now));
	/* Nodes that are kept for the next areas have a slab of their own: all others are full. */
	now.frames = machine_frames_used() - tables(s) - (s->node[0] || s->node[1]);
	now.objects = kmalloc_used();
	now.inodes = inode_count();
	now.files = file_count();
	now.committed = s->tenant->committed;
	container_get_usage(s->tenant->owner, &now.charged);
	now.charged -= tables(s);
	now.areas = s->areas.count;
	now.pages = s->pages;
	now.brk = s->brk;
	now.cwd = current->fs.cwd;
	now.stack = current->signals.stack;
	now.tls = current->tls;
	now.pending = current->signals.pending;
	proc_each(count, &now.processes);
	for (uint32_t fd = 0; fd < 32; fd++)
		now.descriptors |= (files_file(current->files, fd) != NULL) << fd;
	now.size = file_mapping(files_file(current->files, 0))->size;
	for (struct area *a = area_first(&s->areas); a; a = area_next(a))
		now.area_hash = now.area_hash * 33 + a->first + 3 * a->end + 5 * a->prot + 7 * a->flags;
	return now;
}

/* A file of one page, the beginning of which is given. */
static void make_file(const char *path, const void *begin, uint32_t n)
{
	struct file *f;

	EXPECT_EQ(fs_open_kernel(&current->fs, path, O_CREAT | O_RDWR, &f), 0);
	EXPECT_EQ(mapping_write(file_mapping(f), 0, begin, n), (int32_t)n);
	EXPECT_EQ(regular_truncate(f->inode, PAGE_SIZE), 0);
	f->inode->mode |= 0111;
	file_put(f);
}

static void make_files(void)
{
	static const struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
	} program = {
		{.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		 .e_type = ET_EXEC,
		 .e_machine = EM_386,
		 .e_phoff = sizeof(Elf32_Ehdr),
		 .e_phentsize = sizeof(Elf32_Phdr),
		 .e_phnum = 1},
		{PT_LOAD, 0, FAR, FAR, 100, 3 * PAGE_SIZE, PF_R | PF_W, PAGE_SIZE},
	};
	static const char script[] = "#!/program with an argument\n";

	make_file("/program", &program, sizeof(program));
	make_file("/script", script, sizeof(script) - 1);
	make_file("/file", "text", 4);
	EXPECT_EQ(PROC_CALL(__NR_mkdir, proc_text(1, "/dir"), 0755), 0);
	EXPECT_EQ(PROC_CALL(__NR_open, proc_text(1, "/file"), O_RDWR), 0);
	EXPECT_EQ(PROC_CALL(__NR_pipe, WORDS), 0);
	EXPECT_EQ(PROC_CALL(__NR_write, 2, WORDS, PAGE_SIZE), PAGE_SIZE);
	EXPECT_EQ(PROC_CALL(__NR_open, proc_text(1, "/proc/self/maps"), O_RDONLY), 3);
}

static void put_word(uint32_t offset, uint32_t word)
{
	EXPECT_EQ(copy_to_user(WORDS + offset, &word, sizeof(word)), 0);
}

/* Arrays and structures: a stack of 64 KiB, a segment, 9 times 100 bytes, 200 descriptors that are none. */
static void make_words(void)
{
	PROC_LOAD(ends_at_once);
	for (uint32_t offset = 0; offset < PAGE_SIZE; offset += 4)
		put_word(offset, 0);
	put_word(256, FAR);
	put_word(264, 0x10000);
	put_word(384, ~0u);
	put_word(392, 0xFFFFF);
	put_word(396, 0x51);
	for (uint32_t i = 0; i < 9; i++) {
		put_word(512 + 8 * i, WORDS);
		put_word(516 + 8 * i, 100);
	}
	for (uint32_t i = 0; i < 200; i++)
		put_word(1024 + 8 * i, ~0u);
}

static void make_process(void)
{
	EXPECT_EQ(PROC_CALL(__NR_mmap2, MEMORY, 4 * PAGE_SIZE, RW, ANON | MAP_POPULATE), (int32_t)MEMORY);
	EXPECT_EQ(space_set_brk(current_space(), MEMORY + 0x1000000), 0);
	make_files();
	make_words();
	current->signals.blocked = signal_bit(QUEUED);
	current->signals.action[QUEUED - 1].handler = PROC_CODE;
}

/* Returns the call's result, as an error where it is one. */
static int32_t make_call(void)
{
	uint32_t argument[6];
	int32_t result;

	memcpy(argument, call->argument, sizeof(argument));
	for (uint32_t i = 0; i < 2; i++)
		if (call->path[i])
			argument[i] = proc_text(1 + i, call->path[i]);
	result = proc_call_with(call->number, argument);
	return call->number == __NR_brk && (uint32_t)result != argument[0] ? -ENOMEM : result;
}

static void sweep(void)
{
	int32_t result = -ENOMEM, left;
	struct hoard *h;

	make_process();
	h = hoard();
	for (left = 0; left < ALLOCATIONS_MOST; left++) {
		struct state before = take_state(), after;

		machine_fail_after(left);
		result = make_call();
		machine_fail_after(-1);
		if (result >= 0)
			break;
		after = take_state();
		if (result != -ENOMEM && result != call->other)
			ktest_fail("%s without allocation %d: %d", call->name, left, result);
		if (memcmp(&before, &after, sizeof(before)) != 0)
			ktest_fail(
				"%s without allocation %d changed something: frames %u, %u, objects %u, %u",
				call->name, left, before.frames, after.frames, before.objects, after.objects);
	}
	if (result < 0)
		ktest_fail("%s never succeeds: %d", call->name, result);
	give_back(h);
}

KTEST(call_sweep, failed_calls_change_nothing)
{
	for (call = swept; call < swept + ARRAY_SIZE(swept); call++)
		proc_run(sweep);
}

/* A tenant's pages, all of them. Linked through their own words. */
static pfn_t use_up_quota(struct container_id c)
{
	pfn_t first = NO_FRAME, f;

	while (!container_alloc(c, ALLOC_KERNEL, &f)) {
		arch_frame_write(f, 0, &first, sizeof(first));
		first = f;
	}
	return first;
}

static void give_quota_back(struct container_id c, pfn_t first)
{
	while (first.n) {
		pfn_t f = first;

		arch_frame_read(f, 0, &first, sizeof(first));
		EXPECT_EQ(container_free(c, f), 0);
	}
}

static void call_without_quota(void)
{
	struct container_id owner = current_space()->tenant->owner;
	struct state before, after;
	int32_t result;
	struct hoard *h;
	pfn_t used;

	make_process();
	h = hoard();
	used = use_up_quota(owner);
	before = take_state();
	result = make_call();
	after = take_state();
	if (result < 0 && result != -ENOMEM && result != call->other)
		ktest_fail("%s without quota: %d", call->name, result);
	if (result < 0 && memcmp(&before, &after, sizeof(before)) != 0)
		ktest_fail("%s without quota changed something: frames %u, %u, objects %u, %u", call->name,
			   before.frames, after.frames, before.objects, after.objects);
	give_quota_back(owner, used);
	give_back(h);
}

/* What a quota forbids is to a program what is not there. */
KTEST(call_sweep, a_quota_used_up_is_no_memory)
{
	for (call = swept; call < swept + ARRAY_SIZE(swept); call++)
		proc_run(call_without_quota);
}
