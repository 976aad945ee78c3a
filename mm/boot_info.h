/*
 * mm/boot_info.h - what the loader told, copied out of its memory and checked. Written by the loader's protocol
 * in arch/x86/boot, read by everybody. No pointer in it leads into the loader's memory.
 */
#ifndef MM_BOOT_INFO_H
#define MM_BOOT_INFO_H

#include <mm/memmap.h>

#define BOOT_RAW_RANGES 64
#define BOOT_MODULES    8
#define BOOT_RAW_USABLE 1 /* type of a raw range: Multiboot2 3.6.8, and the BIOS before it */

struct boot_module {
	paddr_t start;
	uint32_t length;
	char cmdline[64];
};

struct boot_framebuffer {
	paddr_t base;
	uint32_t pitch, width, height; /* bytes, pixels, pixels; characters in text mode */
	uint8_t bpp;
	uint8_t type; /* Multiboot2 3.6.12: 0 indexed, 1 RGB, 2 EGA text */
	struct {
		uint8_t position, size;
	} red, green, blue;
};

struct boot_info {
	char protocol[16]; /* "Multiboot2" or "PVH" */
	char loader[64];
	char cmdline[512];
	bool cmdline_cut; /* it was longer */

	struct memmap map;
	uint32_t raw_count;    /* ranges as the loader gave them */
	uint32_t raw_left_out; /* beyond BOOT_RAW_RANGES: these are in the map only */
	struct {
		uint64_t base, length;
		uint32_t type;
	} raw[BOOT_RAW_RANGES];

	uint32_t module_count;
	uint32_t modules_left_out; /* beyond BOOT_MODULES: their memory is kept, nobody can find them */
	struct boot_module module[BOOT_MODULES];

	bool has_framebuffer;
	struct boot_framebuffer framebuffer;

	uint32_t rsdp_length; /* 0: none */
	uint8_t rsdp[36];
};

/* The one copy; filled before the boot allocator starts. */
extern struct boot_info boot_info;

#endif
