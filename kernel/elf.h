/* kernel/elf.h - program files of <linux/elf.h>'s 32-bit kind, mapped into an address space. */
#ifndef KERNEL_ELF_H
#define KERNEL_ELF_H

#include <fs/file.h>
#include <mm/space.h>

struct elf_program {
	vaddr_t entry;   /* where it begins */
	vaddr_t headers; /* program headers in memory; 0 where no segment holds them */
	uint32_t header_count;
	vaddr_t end; /* of the last page */
	bool executable_stack;
};

/* True when a file begins as an ELF file does. */
bool elf_matches(const uint8_t *begin, uint32_t length);

/*
 * Maps a program's segments into an empty space that need not be loaded; pages come on first touch. Returns 0,
 * -ENOEXEC, -ENOENT (it wants a loader) or -ENOMEM; on failure the space is then good for nothing but space_destroy.
 */
int elf_map(struct space *s, struct file *file, struct elf_program *out);

#endif
