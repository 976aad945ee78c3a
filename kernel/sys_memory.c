/* kernel/sys_memory.c - system calls of memory: arguments to mm/mmap.h's functions. Lock: none of its own. */
#include <fs/file.h>
#include <fs/files.h>
#include <kernel/proc.h>
#include <kernel/sys.h>
#include <mm/mmap.h>
#include <mm/usercopy.h>

#define MINCORE_AT_ONCE 256u
#define LARGE           (4u << 20)

int32_t sys_brk(struct trap_frame *f)
{
	return (int32_t)space_brk(current_space(), ARG1(f));
}

/* With the file behind a descriptor. */
static __attribute__((noinline)) int32_t map_file(struct mmap_request *r, uint32_t fd)
{
	struct file *file = files_file(current->files, fd);

	if (!file)
		return -EBADF;
	if (r->flags & MAP_HUGETLB)
		return -EINVAL;
	r->file = file_mapping(file);
	if (!r->file && !file_is_zero(file))
		return file_can_read(file) ? -ENODEV : -EACCES;
	r->may_read = file_can_read(file);
	r->may_write = file_can_write(file);
	return space_mmap(current_space(), r);
}

static inline int32_t map(struct mmap_request *r, uint32_t fd)
{
	if (!(r->flags & MAP_ANONYMOUS))
		return map_file(r, fd);
	/* No pages are set aside for huge ones. */
	return r->flags & MAP_HUGETLB && r->length ? -ENOMEM : space_mmap(current_space(), r);
}

int32_t sys_mmap2(struct trap_frame *f)
{
	struct mmap_request r;

	r.hint = ARG1(f);
	r.length = ARG2(f);
	r.prot = ARG3(f);
	r.flags = ARG4(f);
	r.offset = ARG6(f);
	r.file = NULL;
	return map(&r, ARG5(f));
}

/* The first form: all arguments in memory, the offset in bytes. */
int32_t sys_mmap(struct trap_frame *f)
{
	struct mmap_request r;
	uint32_t a[6];

	if (copy_from_user(a, ARG1(f), sizeof(a)))
		return -EFAULT;
	if (a[5] % PAGE_SIZE)
		return -EINVAL;
	r = (struct mmap_request){
		.hint = a[0], .length = a[1], .prot = a[2], .flags = a[3], .offset = a[5] / PAGE_SIZE};
	return map(&r, a[4]);
}

int32_t sys_munmap(struct trap_frame *f)
{
	/* Looked at when that costs little beside what is to be done. */
	if (ARG2(f) >= LARGE && ARG2(f) / PAGE_SIZE >= current_space()->pages / 8)
		proc_note_peak();
	return space_munmap(current_space(), ARG1(f), ARG2(f));
}

int32_t sys_mprotect(struct trap_frame *f)
{
	return space_mprotect(current_space(), ARG1(f), ARG2(f), ARG3(f));
}

int32_t sys_mremap(struct trap_frame *f)
{
	struct mremap_request r = {
		.old = ARG1(f), .old_length = ARG2(f), .length = ARG3(f), .flags = ARG4(f), .fixed = ARG5(f)};

	return space_mremap(current_space(), &r);
}

int32_t sys_madvise(struct trap_frame *f)
{
	return space_madvise(current_space(), ARG1(f), ARG2(f), (int)ARG3(f));
}

int32_t sys_msync(struct trap_frame *f)
{
	return space_msync(current_space(), ARG1(f), ARG2(f), (int)ARG3(f));
}

int32_t sys_mincore(struct trap_frame *f)
{
	uint32_t addr = ARG1(f), pages = ARG2(f) / PAGE_SIZE + (ARG2(f) % PAGE_SIZE != 0);
	vaddr_t to = ARG3(f);
	uint8_t vec[MINCORE_AT_ONCE];

	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (ARG2(f) > (ARCH_KERNEL_VPN << PAGE_SHIFT) - addr || addr > ARCH_KERNEL_VPN << PAGE_SHIFT)
		return -ENOMEM;
	while (pages) {
		uint32_t part = pages < MINCORE_AT_ONCE ? pages : MINCORE_AT_ONCE;
		int err = space_mincore(current_space(), addr, part, vec);

		if (!err)
			err = copy_to_user(to, vec, part);
		if (err)
			return err;
		pages -= part;
		addr += part << PAGE_SHIFT;
		to += part;
	}
	return 0;
}

int32_t sys_mlock(struct trap_frame *f)
{
	return space_mlock(current_space(), ARG1(f), ARG2(f), 0);
}

int32_t sys_mlock2(struct trap_frame *f)
{
	return space_mlock(current_space(), ARG1(f), ARG2(f), (int)ARG3(f));
}

int32_t sys_munlock(struct trap_frame *f)
{
	return space_munlock(current_space(), ARG1(f), ARG2(f));
}

int32_t sys_mlockall(struct trap_frame *f)
{
	return space_mlockall(current_space(), (int)ARG1(f));
}

int32_t sys_munlockall(struct trap_frame *f)
{
	(void)f;
	return space_munlockall(current_space());
}
