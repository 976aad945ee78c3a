/*
 * arch/x86/boot/pvh.c - reads the PVH start information. Owns nothing. All structures are the protocol's, made of
 * naturally aligned fields; they are copied out before they are looked at.
 */
#include "pvh.h"
#include "boot.h"
#include <lib/string.h>

#define MOST_RANGES  4096u /* more than this is not believed */
#define MOST_MODULES 256u
#define MOST_TEXT    1024u

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp;
	uint64_t memmap; /* from version 1 on, as the rest */
	uint32_t memmap_count, reserved;
};
#define START_INFO_V0 40u /* bytes without what version 1 added */

struct module_entry {
	uint64_t start, length, cmdline, reserved;
};

struct memmap_entry {
	uint64_t base, length;
	uint32_t type, reserved;
};

BOOT_CODE static int refuse(const char **why, int err, const char *reason)
{
	*why = reason;
	return err;
}

BOOT_CODE static int read_start_info(uint64_t at, struct start_info *s, const char **why)
{
	const void *p = boot_window(at, START_INFO_V0);

	memset(s, 0, sizeof(*s));
	if (!p)
		return refuse(why, -EFAULT, "the start information is out of reach");
	memcpy(s, p, START_INFO_V0);
	if (s->magic != PVH_MAGIC)
		return refuse(why, -EINVAL, "the start information does not begin with its magic");
	if (!s->version)
		return refuse(why, -ENODATA,
			      "the start information is of version 0, which has no memory map");
	p = boot_window(at, sizeof(*s));
	if (!p)
		return refuse(why, -EFAULT, "the start information is out of reach");
	memcpy(s, p, sizeof(*s));
	return 0;
}

BOOT_CODE static int read_memmap(const struct start_info *s, struct boot_info *out, const char **why)
{
	const char *p;

	if (!s->memmap || !s->memmap_count)
		return refuse(why, -ENODATA, "the loader gave no memory map");
	if (s->memmap_count > MOST_RANGES)
		return refuse(why, -EINVAL, "the memory map claims more ranges than can be");
	p = boot_window(s->memmap, s->memmap_count * (uint32_t)sizeof(struct memmap_entry));
	if (!p)
		return refuse(why, -EFAULT, "the memory map is out of reach");
	for (uint32_t i = 0; i < s->memmap_count; i++) {
		struct memmap_entry e;

		memcpy(&e, p + i * sizeof(e), sizeof(e));
		boot_info_add_range(out, e.base, e.length, e.type);
	}
	return 0;
}

/* Returns the text at an address; an empty one where there is none, or where it cannot be reached. */
BOOT_CODE static struct boot_text text_at(uint64_t at)
{
	const char *p = at ? boot_window(at, MOST_TEXT) : NULL;

	return p ? (struct boot_text){p, MOST_TEXT} : (struct boot_text){"", 0};
}

BOOT_CODE static int read_modules(const struct start_info *s, struct boot_info *out, const char **why)
{
	const char *p;

	if (!s->module_count)
		return 0;
	if (s->module_count > MOST_MODULES)
		return refuse(why, -EINVAL, "the loader claims more modules than can be");
	p = boot_window(s->modules, s->module_count * (uint32_t)sizeof(struct module_entry));
	if (!p)
		return refuse(why, -EFAULT, "the list of modules is out of reach");
	for (uint32_t i = 0; i < s->module_count; i++) {
		struct module_entry e;

		memcpy(&e, p + i * sizeof(e), sizeof(e));
		if (e.length > UINT32_MAX || e.start > UINT64_MAX - e.length)
			return refuse(why, -EINVAL, "a boot module is larger than can be");
		/* Places in the window are few: those modules that are only counted get none for their text. */
		boot_info_add_module(out, e.start, (uint32_t)e.length,
				     text_at(i < BOOT_MODULES ? e.cmdline : 0));
	}
	return 0;
}

/* The length of the structure follows from its revision: ACPI 6.4, 5.2.5.3. */
BOOT_CODE static void read_rsdp(const struct start_info *s, struct boot_info *out)
{
	const uint8_t *p = s->rsdp ? boot_window(s->rsdp, sizeof(out->rsdp)) : NULL;

	if (!p || memcmp(p, "RSD PTR ", 8))
		return;
	out->rsdp_length = p[15] ? 36 : 20;
	memcpy(out->rsdp, p, out->rsdp_length);
}

BOOT_CODE int pvh_parse(uint64_t info, struct boot_info *out, const char **why)
{
	struct start_info s;
	struct boot_text cmdline;
	int err;

	memset(out, 0, sizeof(*out));
	memmap_init(&out->map);
	string_copy(out->protocol, sizeof(out->protocol), "PVH", 3);
	*why = "";
	err = read_start_info(info, &s, why);
	if (!err)
		err = read_memmap(&s, out, why);
	if (err)
		return err;
	cmdline = text_at(s.cmdline);
	out->cmdline_cut = !string_copy(out->cmdline, sizeof(out->cmdline), cmdline.text, cmdline.length);
	read_rsdp(&s, out);
	return read_modules(&s, out, why);
}
