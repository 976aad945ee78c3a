/*
 * arch/x86/boot/multiboot2.c - reads the Multiboot2 boot information. Owns nothing. Each tag is looked at only
 * after its size was found to lie within what is left, and each field only within its tag:
 *
 *	total_size  reserved | type size ... pad to 8 | type size ... | ... | 0 8
 *	8 bytes              | a tag                                  |     | the end tag
 */
#include "multiboot2.h"
#include "boot.h"
#include <lib/string.h>

#define HEADER   8u
#define TAG_HEAD 8u

enum tag_type {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_LOADER = 2,
	TAG_MODULE = 3,
	TAG_MEMINFO = 4,
	TAG_MMAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_RSDP_OLD = 14,
	TAG_RSDP_NEW = 15,
	TAG_TYPES
};

/* The bytes that a tag of each type has at least. */
static const uint8_t tag_least[TAG_TYPES] = {
	[TAG_CMDLINE] = 9, [TAG_LOADER] = 9,       [TAG_MODULE] = 17,   [TAG_MEMINFO] = 16,
	[TAG_MMAP] = 16,   [TAG_FRAMEBUFFER] = 32, [TAG_RSDP_OLD] = 28, [TAG_RSDP_NEW] = 44,
};

/* One tag, whole and within the information. */
struct tag {
	const uint8_t *bytes;
	uint32_t type, size;
};

/* What is needed beyond the tags themselves. */
struct parse {
	struct boot_info *out;
	const char *why;
	uint32_t map_entries;
	bool has_meminfo;
	uint32_t lower_kib, upper_kib;
};

/* Fields may stand at any address: the information comes from outside. */
BOOT_CODE static uint32_t read32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

BOOT_CODE static uint64_t read64(const uint8_t *p)
{
	return read32(p) | (uint64_t)read32(p + 4) << 32;
}

/* The text that a tag ends with. */
BOOT_CODE static struct boot_text tag_text(const struct tag *t, uint32_t offset)
{
	return (struct boot_text){(const char *)t->bytes + offset, t->size - offset};
}

BOOT_CODE static int refuse(struct parse *p, const char *why)
{
	p->why = why;
	return -EINVAL;
}

BOOT_CODE static int parse_module(struct parse *p, const struct tag *t)
{
	uint32_t start = read32(t->bytes + 8);
	uint32_t end = read32(t->bytes + 12);

	if (end < start)
		return refuse(p, "a boot module ends before it begins");
	boot_info_add_module(p->out, start, end - start, tag_text(t, 16));
	return 0;
}

BOOT_CODE static int parse_mmap(struct parse *p, const struct tag *t)
{
	uint32_t stride = read32(t->bytes + 8);
	uint32_t bytes = t->size - 16;

	if (stride < 24 || stride % 8)
		return refuse(p, "the memory map's entries have a size that cannot be");
	if (bytes % stride)
		return refuse(p, "the memory map ends in the middle of an entry");
	for (uint32_t at = 16; at < t->size; at += stride, p->map_entries++)
		boot_info_add_range(p->out, read64(t->bytes + at), read64(t->bytes + at + 8),
				    read32(t->bytes + at + 16));
	return 0;
}

BOOT_CODE static void parse_framebuffer(struct parse *p, const struct tag *t)
{
	struct boot_framebuffer *f = &p->out->framebuffer;
	const uint8_t *b = t->bytes;

	f->base = PADDR(read64(b + 8));
	f->pitch = read32(b + 16);
	f->width = read32(b + 20);
	f->height = read32(b + 24);
	f->bpp = b[28];
	f->type = b[29];
	if (f->type == 1 && t->size >= 38) {
		f->red.position = b[32];
		f->red.size = b[33];
		f->green.position = b[34];
		f->green.size = b[35];
		f->blue.position = b[36];
		f->blue.size = b[37];
	}
	p->out->has_framebuffer = true;
}

/* The longer RSDP of ACPI 2.0 wins over the old one, whichever comes first. */
BOOT_CODE static void parse_rsdp(struct parse *p, const struct tag *t)
{
	uint32_t length = t->type == TAG_RSDP_OLD ? 20 : 36;

	if (length < p->out->rsdp_length)
		return;
	memcpy(p->out->rsdp, t->bytes + 8, length);
	p->out->rsdp_length = length;
}

BOOT_CODE static void parse_cmdline(struct parse *p, const struct tag *t)
{
	struct boot_text text = tag_text(t, 8);

	p->out->cmdline_cut = !string_copy(p->out->cmdline, sizeof(p->out->cmdline), text.text, text.length);
}

BOOT_CODE static void parse_loader(struct parse *p, const struct tag *t)
{
	struct boot_text text = tag_text(t, 8);

	string_copy(p->out->loader, sizeof(p->out->loader), text.text, text.length);
}

BOOT_CODE static void parse_meminfo(struct parse *p, const struct tag *t)
{
	p->has_meminfo = true;
	p->lower_kib = read32(t->bytes + 8);
	p->upper_kib = read32(t->bytes + 12);
}

BOOT_CODE static int parse_tag(struct parse *p, const struct tag *t)
{
	if (t->type < TAG_TYPES && t->size < tag_least[t->type])
		return refuse(p, "a tag is too short for its type");
	switch (t->type) {
	case TAG_MODULE:
		return parse_module(p, t);
	case TAG_MMAP:
		return parse_mmap(p, t);
	case TAG_CMDLINE:
		parse_cmdline(p, t);
		break;
	case TAG_LOADER:
		parse_loader(p, t);
		break;
	case TAG_MEMINFO:
		parse_meminfo(p, t);
		break;
	case TAG_FRAMEBUFFER:
		parse_framebuffer(p, t);
		break;
	case TAG_RSDP_OLD:
	case TAG_RSDP_NEW:
		parse_rsdp(p, t);
		break;
	default:
		break;
	}
	return 0;
}

/* Parses every tag up to the end tag, which must be there: without it something was cut off. */
BOOT_CODE static int parse_tags(struct parse *p, const uint8_t *info, uint32_t size)
{
	uint32_t at = HEADER;

	while (size - at >= TAG_HEAD) {
		struct tag t = {info + at, read32(info + at), read32(info + at + 4)};
		int err;

		if (t.size < TAG_HEAD || t.size > size - at)
			return refuse(p, "a tag's size leads out of the boot information, or nowhere");
		if (t.type == TAG_END)
			return 0;
		err = parse_tag(p, &t);
		if (err)
			return err;
		/* t.size is at most size - at, and that at most MULTIBOOT2_MOST: the sum cannot wrap. */
		at += (t.size + 7) & ~7u;
		if (at > size)
			break;
	}
	return refuse(p, "the boot information has no end tag");
}

/* Without a memory map: the two counts that every loader can give. */
BOOT_CODE static int use_meminfo(struct parse *p)
{
	if (p->map_entries)
		return 0;
	if (!p->has_meminfo || !p->upper_kib) {
		p->why = "the loader gave no memory map, and no amount of memory either";
		return -ENODATA;
	}
	boot_info_add_range(p->out, 0, (uint64_t)p->lower_kib * 1024, 1);
	boot_info_add_range(p->out, 0x100000, (uint64_t)p->upper_kib * 1024, 1);
	return 0;
}

BOOT_CODE uint32_t multiboot2_size(const void *info)
{
	return read32(info);
}

BOOT_CODE int multiboot2_parse(const void *info, uint32_t bytes_readable, struct boot_info *out,
			       const char **why)
{
	struct parse p = {.out = out, .why = ""};
	uint32_t size = multiboot2_size(info);
	int err;

	memset(out, 0, sizeof(*out));
	memmap_init(&out->map);
	string_copy(out->protocol, sizeof(out->protocol), "Multiboot2", 10);
	if (size < MULTIBOOT2_LEAST || size > MULTIBOOT2_MOST || size > bytes_readable)
		err = refuse(&p, "the boot information's own size cannot be");
	else
		err = parse_tags(&p, info, size);
	if (!err)
		err = use_meminfo(&p);
	*why = p.why;
	return err;
}
