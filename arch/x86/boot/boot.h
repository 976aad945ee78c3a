/*
 * arch/x86/boot/boot.h - from the loader's hand-over to struct boot_info. What is marked BOOT_CODE is given back
 * after boot: it runs on the entry page tables only.
 */
#ifndef ARCH_X86_BOOT_H
#define ARCH_X86_BOOT_H

#include <mm/boot_info.h>

#define BOOT_CODE __attribute__((section(".boot.text")))

/*
 * Returns where `bytes` of physical memory can be read until the kernel's map is loaded; null when they do not lie
 * below 4 GiB or the window is full. What is there is the loader's: hostile. Two implementations:
 * arch/x86/boot/window.c and the host tests'.
 */
const void *boot_window(uint64_t physical, uint32_t bytes);

/* Marks a raw range in the map by its ACPI type (ACPI 6.4, 15.1) and keeps it for the report. */
void boot_info_add_range(struct boot_info *out, uint64_t base, uint64_t length, uint32_t type);

/* Text of the loader's, not terminated. */
struct boot_text {
	const char *text;
	uint32_t length;
};

/* Notes a module and keeps its memory from being handed out. */
void boot_info_add_module(struct boot_info *out, uint64_t start, uint32_t length, struct boot_text cmdline);

#endif
