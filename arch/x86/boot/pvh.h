/*
 * arch/x86/boot/pvh.h - the start information of Xen's PVH protocol, which QEMU's -kernel speaks
 * (xen/include/public/arch-x86/hvm/start_info.h), taken as hostile. Pure but for boot_window.
 */
#ifndef ARCH_X86_PVH_H
#define ARCH_X86_PVH_H

#define PVH_MAGIC 0x336EC578 /* first word of the information; the entry code puts it in EAX */

#ifndef __ASSEMBLER__
#include <mm/boot_info.h>

/*
 * Reads the information at this physical address into *out, the memory map and the modules into out->map. All
 * memory is looked at through boot_window (arch/x86/boot/boot.h). Returns 0; -EINVAL for information that breaks
 * the rules; -ENODATA where it tells of no memory; -EFAULT where it lies out of reach. *why is then a sentence
 * for a person.
 */
int pvh_parse(uint64_t info, struct boot_info *out, const char **why);
#endif

#endif
