/* mm/fault.h - what a page fault of a program leads to. */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include <mm/space.h>

#define FAULT_AROUND                                                                                         \
	16u /* pages: a read fault of a file page maps those around it that are in the page cache */

struct vm_fault {
	vaddr_t va;
	bool write, fetch;
};

/*
 * Makes the page accessible, or says why it is not to be: 0; -EFAULT (no area: SIGSEGV, SEGV_MAPERR), -EACCES (the
 * area does not allow it: SEGV_ACCERR), -ENXIO (beyond the end of the file: SIGBUS, BUS_ADRERR), -ENOMEM (no frame
 * or table, no quota). On failure nothing has changed, but that an area may have grown, or have an empty table more.
 */
int vm_fault(struct space *s, const struct vm_fault *f);

/* Makes a range of pages, all in areas, present; stops at the first that cannot be: -ENOMEM, -ENXIO, -EACCES. */
int fault_populate(struct space *s, struct pages range, bool write);

/*
 * Gives every page of a range memory as a write does: 0, or as fault_populate with every page that this call brought
 * in given back. deallocuvm takes the pages of a range out again; their areas stay.
 */
int allocuvm(struct space *s, struct pages range);
void deallocuvm(struct space *s, struct pages range);

/* Copy to and from a space, loaded or not, as its program would, faults and all. 0, or as vm_fault. */
int space_read(struct space *s, vaddr_t from, void *to, uint32_t n);
int space_write(struct space *s, vaddr_t to, const void *from, uint32_t n);

#endif
