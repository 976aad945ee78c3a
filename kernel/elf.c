/*
 * kernel/elf.c - maps the segments of an ELF file. The file is hostile: every number in it is checked against the file
 * and the user part before it is used. Lock: none, the space is nobody's yet.
 */
#include <kernel/elf.h>
#include <kernel/random.h>
#include <lib/string.h>
#include <linux/elf.h>
#include <mm/fault.h>
#include <mm/mmap.h>
#include <mm/slab.h>

#define HEADERS_MOST 64u
#define PIE_BASE     0x56555000u /* of programs that run anywhere, before a random part */
#define PIE_PAGES    0x1000u
#define USER_END     (ARCH_KERNEL_VPN << PAGE_SHIFT)

struct image {
	struct file *file;
	Elf32_Ehdr header;
	Elf32_Phdr segment[HEADERS_MOST];
	vaddr_t bias;
};

bool elf_matches(const uint8_t *begin, uint32_t length)
{
	return length >= SELFMAG && memcmp(begin, ELFMAG, SELFMAG) == 0;
}

static int read_exact(struct file *file, void *to, uint32_t n, uint32_t at)
{
	int32_t got = file_pread_kernel(file, to, n, at);

	return got < 0 ? got : (uint32_t)got == n ? 0 : -ENOEXEC;
}

static int read_headers(struct image *i)
{
	const Elf32_Ehdr *h = &i->header;
	int err = read_exact(i->file, &i->header, sizeof(i->header), 0);

	if (err)
		return err;
	if (!elf_matches(h->e_ident, SELFMAG) || (h->e_machine != EM_386 && h->e_machine != EM_486) ||
	    (h->e_type != ET_EXEC && h->e_type != ET_DYN) || h->e_phentsize != sizeof(Elf32_Phdr) ||
	    !h->e_phnum || h->e_phnum > HEADERS_MOST)
		return -ENOEXEC;
	return read_exact(i->file, i->segment, h->e_phnum * sizeof(Elf32_Phdr), h->e_phoff);
}

static uint32_t page_up(uint32_t n)
{
	return (n + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* True when a segment lies in the user part, where it says, with room for its rounding. */
static bool is_sound(const Elf32_Phdr *p)
{
	return p->p_filesz <= p->p_memsz && p->p_vaddr % PAGE_SIZE == p->p_offset % PAGE_SIZE &&
	       p->p_memsz <= USER_END - PAGE_SIZE && p->p_vaddr < USER_END - PAGE_SIZE - p->p_memsz &&
	       p->p_offset <= INT32_MAX;
}

/* Stores where the segments begin and end, unbiased. */
static int extent(const struct image *i, vaddr_t *low, vaddr_t *high)
{
	*low = USER_END;
	*high = 0;
	for (uint32_t k = 0; k < i->header.e_phnum; k++) {
		const Elf32_Phdr *p = &i->segment[k];

		if (p->p_type != PT_LOAD || !p->p_memsz)
			continue;
		if (!is_sound(p))
			return -ENOEXEC;
		if (p->p_vaddr < *low)
			*low = p->p_vaddr & ~(PAGE_SIZE - 1);
		if (p->p_vaddr + p->p_memsz > *high)
			*high = p->p_vaddr + p->p_memsz;
	}
	return *high ? 0 : -ENOEXEC;
}

static uint32_t protection(const Elf32_Phdr *p)
{
	return (p->p_flags & PF_R ? PROT_READ : 0u) | (p->p_flags & PF_W ? PROT_WRITE : 0u) |
	       (p->p_flags & PF_X ? PROT_EXEC : 0u);
}

/* Maps what a request says, privately and where it says, over nothing. */
static int map(struct space *s, struct mmap_request *r)
{
	int32_t got;

	r->flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE | (r->file ? 0u : MAP_ANONYMOUS);
	r->may_read = true;
	got = space_mmap(s, r);

	/* Two segments in one page, or one in page 0: no linker makes them. */
	return (uint32_t)got == r->hint ? 0 : got == -ENOMEM ? -ENOMEM : -ENOEXEC;
}

/* Zeroes what a page of the file has behind a segment's bytes; a file that ends before them is none. */
static int clear(struct space *s, vaddr_t from, vaddr_t to)
{
	static const uint8_t zeros[PAGE_SIZE];
	int err = space_write(s, from, zeros, to - from);

	return err == -ENXIO ? -ENOEXEC : err;
}

/* Maps a segment: what the file has, then zeroes. */
static int map_segment(struct space *s, const struct image *i, const Elf32_Phdr *p)
{
	vaddr_t begin = i->bias + p->p_vaddr, file_end = begin + p->p_filesz, end = begin + p->p_memsz;
	vaddr_t first = begin & ~(PAGE_SIZE - 1), zero = page_up(file_end);
	int err = 0;

	if (p->p_filesz)
		err = map(s, &(struct mmap_request){.hint = first,
						    .length = zero - first,
						    .prot = protection(p),
						    .file = file_mapping(i->file),
						    .offset = p->p_offset / PAGE_SIZE});
	else
		zero = first;
	if (!err && page_up(end) > zero)
		err = map(s, &(struct mmap_request){
				     .hint = zero, .length = page_up(end) - zero, .prot = protection(p)});
	if (!err && p->p_filesz && p->p_flags & PF_W)
		err = clear(s, file_end, end < zero ? end : zero);
	return err;
}

/* Chooses where a program that can run anywhere goes. */
static int choose_bias(struct image *i, vaddr_t low, vaddr_t high)
{
	i->bias = 0;
	if (i->header.e_type == ET_EXEC)
		return 0;
	i->bias = PIE_BASE + (random_word() % PIE_PAGES << PAGE_SHIFT) - low;
	return high - low < USER_END - PIE_BASE - (PIE_PAGES << PAGE_SHIFT) ? 0 : -ENOMEM;
}

static int map_image(struct space *s, struct image *i, struct elf_program *out)
{
	vaddr_t low, high;
	int err = read_headers(i);

	if (!err)
		err = extent(i, &low, &high);
	if (!err)
		err = choose_bias(i, low, high);
	for (uint32_t k = 0; !err && k < i->header.e_phnum; k++)
		if (i->segment[k].p_type == PT_LOAD && i->segment[k].p_memsz)
			err = map_segment(s, i, &i->segment[k]);
	if (!err)
		out->end = page_up(i->bias + high);
	return err;
}

/* The headers in memory: the segment that holds their place in the file has them. */
static vaddr_t headers_in_memory(const struct image *i)
{
	uint32_t at = i->header.e_phoff, size = i->header.e_phnum * (uint32_t)sizeof(Elf32_Phdr);

	for (uint32_t k = 0; k < i->header.e_phnum; k++) {
		const Elf32_Phdr *p = &i->segment[k];

		if (p->p_type == PT_LOAD && at >= p->p_offset && p->p_filesz >= size &&
		    at - p->p_offset <= p->p_filesz - size)
			return i->bias + p->p_vaddr + (at - p->p_offset);
	}
	return 0;
}

int elf_map(struct space *s, struct file *file, struct elf_program *out)
{
	struct image *i = kmalloc(sizeof(*i));
	int err;

	if (!i)
		return -ENOMEM;
	*out = (struct elf_program){0};
	i->file = file;
	err = map_image(s, i, out);
	if (!err) {
		out->entry = i->bias + i->header.e_entry;
		out->headers = headers_in_memory(i);
		out->header_count = i->header.e_phnum;
	}
	for (uint32_t k = 0; !err && k < i->header.e_phnum; k++) {
		if (i->segment[k].p_type == PT_INTERP)
			err = -ENOENT; /* the loader that it names is not there: programs are static */
		if (i->segment[k].p_type == PT_GNU_STACK)
			out->executable_stack = i->segment[k].p_flags & PF_X;
	}
	kmfree(i);
	return err;
}
