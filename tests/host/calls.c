/* tests/host/calls.c - makes system calls of fs/. Owns the user pages. */
#include "calls.h"

#include <arch/irq.h>
#include <mm/pgtable.h>

#define PLACES 4u
#define TEXT   0x1000u

static struct pdir pd;
static uint32_t turn;

static void make_memory(void)
{
	EXPECT_EQ(pdir_init(&pd, CONTAINER_ROOT), 0);
	for (uint32_t i = 0; i < U_PAGES; i++)
		EXPECT_EQ(alloc_page(&pd, vpn_of(U) + i, PROT_R | PROT_W | PROT_USER), 0);
	set_pdir_base(&pd);
}

void calls_begin(void)
{
	up_reset();
	make_memory();
	EXPECT_EQ(fs_init(), 0);
	EXPECT_EQ(files_create(&up_files), 0);
	EXPECT_EQ(fs_context_init(&up_fs), 0);
}

void calls_end(void)
{
	files_put(up_files);
	EXPECT_EQ(file_count(), 0);
	fs_context_put(&up_fs);
	fs_exit();
	EXPECT_EQ(inode_count(), 0);
	EXPECT_EQ(inode_check(), 0);
	set_pdir_base(&kernel_pdir);
	vm_free(&pd);
	EXPECT(arch_irq_enabled());
	arch_irq_enable();
}

int32_t call_with(syscall_fn *fn, const uint32_t argument[6])
{
	struct trap_frame f = {.ebx = argument[0],
			       .ecx = argument[1],
			       .edx = argument[2],
			       .esi = argument[3],
			       .edi = argument[4],
			       .ebp = argument[5]};

	return fn(&f);
}

void uput(vaddr_t to, const void *from, uint32_t n)
{
	EXPECT_EQ(copy_to_user(to, from, n), 0);
}

void uget(void *to, vaddr_t from, uint32_t n)
{
	EXPECT_EQ(copy_from_user(to, from, n), 0);
}

uint32_t uword(vaddr_t from)
{
	uint32_t word = 0;

	uget(&word, from, sizeof(word));
	return word;
}

vaddr_t ustr(const char *s)
{
	vaddr_t to = U_TEXT + turn++ % PLACES * TEXT;
	uint32_t n = (uint32_t)strlen(s) + 1;

	uput(to, s, n < TEXT ? n : TEXT);
	return to;
}

bool ueq(vaddr_t at, const char *s)
{
	char got[TEXT];
	uint32_t n = (uint32_t)strlen(s);

	uget(got, at, n);
	return !memcmp(got, s, n);
}

int32_t uopen(const char *path, uint32_t flags)
{
	return CALL(sys_open, ustr(path), flags, 0644);
}

int32_t uwrite(int32_t fd, const char *text)
{
	uint32_t n = (uint32_t)strlen(text);

	uput(U, text, n);
	return CALL(sys_write, (uint32_t)fd, U, n);
}

int32_t umake(const char *path, const char *text)
{
	int32_t fd = uopen(path, O_CREAT | O_WRONLY | O_TRUNC);

	if (fd < 0)
		return fd;
	EXPECT_EQ(uwrite(fd, text), strlen(text));
	return CALL(sys_close, (uint32_t)fd);
}

bool uholds(const char *path, const char *text)
{
	uint32_t n = (uint32_t)strlen(text);
	int32_t fd = uopen(path, O_RDONLY), got;

	if (fd < 0)
		return false;
	got = CALL(sys_read, (uint32_t)fd, U, n + 1);
	CALL(sys_close, (uint32_t)fd);
	return got == (int32_t)n && ueq(U, text);
}

struct stat64 stat_of(const char *path)
{
	struct stat64 s;

	memset(&s, 0xEE, sizeof(s));
	EXPECT_EQ(CALL(sys_lstat64, ustr(path), U), 0);
	uget(&s, U, sizeof(s));
	return s;
}
