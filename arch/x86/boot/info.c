/* arch/x86/boot/info.c - the loader's information by whichever protocol it came. Owns boot_info. */
#include "boot.h"
#include "multiboot2.h"
#include "pvh.h"
#include <arch/boot.h>
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <lib/string.h>

struct boot_info boot_info;

/* Kinds by ACPI's address range types: 0 is none of them, 1 memory, and so on. */
BOOT_CODE static enum mem_kind kind_of_type(uint32_t type)
{
	switch (type) {
	case 1:
		return MEM_USABLE;
	case 3:
		return MEM_ACPI;
	case 4:
		return MEM_NVS;
	case 5:
		return MEM_BAD;
	default:
		return MEM_RESERVED;
	}
}

BOOT_CODE void boot_info_add_range(struct boot_info *out, uint64_t base, uint64_t length, uint32_t type)
{
	if (out->raw_count < BOOT_RAW_RANGES) {
		out->raw[out->raw_count].base = base;
		out->raw[out->raw_count].length = length;
		out->raw[out->raw_count].type = type;
		out->raw_count++;
	} else {
		out->raw_left_out++;
	}
	memmap_mark(&out->map, base, length, kind_of_type(type));
}

BOOT_CODE void boot_info_add_module(struct boot_info *out, uint64_t start, uint32_t length,
				    struct boot_text cmdline)
{
	struct boot_module *m = &out->module[out->module_count];

	memmap_mark(&out->map, start, length, MEM_MODULE);
	if (out->module_count == BOOT_MODULES) {
		out->modules_left_out++;
		return;
	}
	m->start = PADDR(start);
	m->length = length;
	string_copy(m->cmdline, sizeof(m->cmdline), cmdline.text, cmdline.length);
	out->module_count++;
}

BOOT_CODE static int read_multiboot2(uint32_t info, struct boot_info *out, const char **why)
{
	const void *start = boot_window(info, MULTIBOOT2_LEAST);
	uint32_t size = start ? multiboot2_size(start) : 0;
	const void *all;

	if (!start) {
		*why = "the boot information is out of reach";
		return -EFAULT;
	}
	if (size < MULTIBOOT2_LEAST || size > MULTIBOOT2_MOST)
		return multiboot2_parse(start, MULTIBOOT2_LEAST, out, why);
	all = boot_window(info, size);
	if (!all) {
		*why = "the boot information reaches beyond 4 GiB";
		return -EFAULT;
	}
	return multiboot2_parse(all, size, out, why);
}

BOOT_CODE int arch_boot_info(uint32_t magic, uint32_t info, struct boot_info *out, const char **why)
{
	switch (magic) {
	case MULTIBOOT2_MAGIC:
		return read_multiboot2(info, out, why);
	case PVH_MAGIC:
		return pvh_parse(info, out, why);
	default:
		*why = "the loader speaks neither Multiboot2 nor PVH";
		return -EPROTO;
	}
}

extern char boot_spare_table[];

pfn_t arch_boot_spare(void)
{
	return arch_frame_of_direct(boot_spare_table);
}
