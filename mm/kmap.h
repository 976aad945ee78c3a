/*
 * mm/kmap.h - the kernel's map: one table of regions, from which the kernel's half is built and against which it
 * is proved. Also the identity map, kernel stacks and device windows. Lock: kmap_lock, taken in here.
 */
#ifndef MM_KMAP_H
#define MM_KMAP_H

#include <mm/boot_info.h>
#include <mm/pgtable.h>

#define KMAP_STACK_VPN    ARCH_STACK_VPN
#define KMAP_STACK_PAGES  0x1000u /* 16 MiB */
#define KMAP_DEVICE_VPN   (KMAP_STACK_VPN + KMAP_STACK_PAGES)
#define KMAP_DEVICE_PAGES 0x3000u /* 48 MiB: a screen of 4096 by 2160 and more */
#define KMAP_WINDOW_VPN   (ARCH_VPN_END - ARCH_LARGE_PAGES)
#define KMAP_DEVICES      8u
#define KSTACK_PAGES      2u /* 8 KiB, with one guard page below */

/* A page holds the descriptors of so many frames. */
#define DESC_IN_PAGE ((uint32_t)(PAGE_SIZE / sizeof(struct frame)))

extern struct lock kmap_lock;

/* One region of the kernel's half: contiguous frames with one protection. */
struct kregion {
	const char *name;
	struct pages range;
	pfn_t first; /* frame of the first page; NO_FRAME where they are not contiguous */
	prot_t prot;
};

/*
 * Stores the first region that ends behind page v, in the order of addresses: parts of the image, runs of RAM in
 * the direct map, frame descriptors, kernel stacks in use, devices. Returns false when there is none.
 */
bool kmap_region(vpn_t v, struct kregion *out);

/*
 * Makes the kernel's map: text read and execute, read-only data, data, the direct map of RAM, and tables for
 * stacks, devices and windows. pd becomes a directory with an empty user part. Returns 0 or -ENOMEM;
 * on failure every table built so far is given back. Before alloc_init the tables come from the boot allocator.
 */
int kvm_init(struct pdir *pd);

/*
 * Makes the frame descriptors, for alloc_init: zeroed frames for those of RAM, mapped side by side in pd, and one
 * frame, read-only, for all those of what is no RAM. Phase one, when pd is loaded as the kernel's. Returns 0, or
 * -ENOMEM with nothing changed but for empty page tables.
 */
int kmap_descriptors(struct pdir *pd);

/*
 * Builds the page tables of the identity map, once: only for spans that one large page cannot map. Every directory
 * that uses them shares them by reference. Returns 0 or -ENOMEM, with nothing changed.
 */
int idptbl_init(void);

/* Returns how many tables that takes on a machine with this memory. */
uint32_t idptbl_frames(const struct memmap *m);

/*
 * Points the level-1 entry for an address in pd's user part at the identity map. The entries are supervisor's
 * and not global. 0, -EPERM (kernel half), -EBUSY (a table with entries is there).
 */
int set_pdir_entry_identity(struct pdir *pd, vaddr_t va, struct tlb_batch *b);

/*
 * Makes directory 0: pdir_init, then its whole user part the identity map. Returns 0, -ENOMEM, or -EAGAIN when a
 * table's references are all taken; on failure nothing has changed.
 */
int pdir_init_kern(struct pdir *pd);
extern struct pdir identity_pdir;

/*
 * Before phase one: marks the image as the kernel's in the map of memory. Without the suites, the ranges that hold them
 * stay what the loader says they are, and the kernel's map has them as data.
 */
void kmap_claim_image(struct memmap *m, bool suites);

/* Gives the image's boot-only part, which the kernel's map has as data, to the allocator. Returns how many frames. */
uint32_t kmap_release_boot(void);

/*
 * Returns the top of a new kernel stack of KSTACK_PAGES with an unmapped page below it, or 0 when frames or
 * places ran out. kstack_free takes the top; the stack must not be in use.
 */
vaddr_t kstack_alloc(void);
void kstack_free(vaddr_t top);

/* True when an address lies in the guard page of a stack in use: an overflow. */
bool kstack_guard(vaddr_t va);

/*
 * Maps length bytes of a device, uncached, for good, and returns where; null when the windows are used up or
 * tables cannot be had. The range must hold no RAM of ours.
 */
void *kmap_device(paddr_t base, uint32_t length);

/*
 * Walks a directory and proves it: the kernel half maps what the regions say and nothing else; no kernel text,
 * read-only data or page table is writable but at its place in the kernel's map (a table: or in the identity map's); no
 * kernel frame has a user mapping; no two pages own a frame with one reference; nothing is writable and executable
 * where there is NX. Prints each fault and returns how many there are.
 */
unsigned check_vm(const struct pdir *pd);

/* Returns the identity map's protection for a frame: the image's parts as in the kernel's map, all else writable. */
prot_t kmap_identity_prot(pfn_t f);

#endif
