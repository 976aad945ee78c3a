/*
 * arch/x86/boot/multiboot2.h - the Multiboot2 boot information (Multiboot2 specification 2.0, chapter 3.6), taken
 * as hostile. Pure: runs on a host as well.
 */
#ifndef ARCH_X86_MULTIBOOT2_H
#define ARCH_X86_MULTIBOOT2_H

#define MULTIBOOT2_HEADER_MAGIC 0xE85250D6
#define MULTIBOOT2_MAGIC        0x36D76289 /* in EAX at the entry */

#ifndef __ASSEMBLER__
#include <mm/boot_info.h>

#define MULTIBOOT2_LEAST 16u        /* bytes: the fixed part and the end tag */
#define MULTIBOOT2_MOST  (1u << 20) /* more than this is not believed */

/* Returns the size that the first eight bytes of the information declare. */
uint32_t multiboot2_size(const void *info);

/*
 * Reads the information into *out, the memory map and the modules into out->map. Looks at no more than
 * bytes_readable bytes, of which there are eight at least. Returns 0; -EINVAL for information that breaks the
 * specification's rules; -ENODATA where it tells of no memory. *why is then a sentence for a person.
 */
int multiboot2_parse(const void *info, uint32_t bytes_readable, struct boot_info *out, const char **why);
#endif

#endif
