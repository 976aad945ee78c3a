/* arch/boot.h - what the entry code and the loader hand over. */
#ifndef ARCH_BOOT_H
#define ARCH_BOOT_H

#include <mm/boot_info.h>

/*
 * Reads what the loader left, by the protocol that the magic names, and puts the kernel's image into the map.
 * Returns 0, or -EPROTO (no known magic), -EINVAL (broken information), -ENODATA (no memory map), -EFAULT (out
 * of reach) with the reason for a person in *why; out is then not to be used. On the entry page tables only.
 */
int arch_boot_info(uint32_t magic, uint32_t info, struct boot_info *out, const char **why);

/*
 * Returns where bytes of a device can be written until the kernel's map is loaded; null when they do not lie below
 * 4 GiB or there is no room. On the entry page tables only.
 */
void *arch_boot_device(paddr_t base, uint32_t bytes);

/* Returns the page, mapped and otherwise unused, that phase one gets as its first spare. */
pfn_t arch_boot_spare(void);

#endif
