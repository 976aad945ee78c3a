/* tests/fuzz/boot_model.c - what readers of both protocols must do alike. */
#include "boot_model.h"
#include "fuzz.h"

#include <arch/boot.h>
#include <arch/mmu.h>
#include <string.h>

/* ACPI 6.4, 15.1; what has no number there is reserved. */
static enum mem_kind kind_of(uint32_t type)
{
	static const enum mem_kind kinds[] = {MEM_RESERVED, MEM_USABLE, MEM_RESERVED,
					      MEM_ACPI,     MEM_NVS,    MEM_BAD};

	return type < ARRAY_SIZE(kinds) ? kinds[type] : MEM_RESERVED;
}

void boot_model_range(struct boot_model *m, uint64_t base, uint64_t length, uint32_t type)
{
	claims_mark(&m->claims, base, length, kind_of(type));
	m->ranges++;
}

void boot_model_module(struct boot_model *m, uint64_t start, uint64_t length)
{
	claims_mark(&m->claims, start, length, MEM_MODULE);
	m->modules++;
}

static bool is_terminated(const char *text, size_t room)
{
	return memchr(text, 0, room);
}

static void check_texts(const struct boot_info *b)
{
	FUZZ_HOLDS(is_terminated(b->protocol, sizeof(b->protocol)));
	FUZZ_HOLDS(is_terminated(b->loader, sizeof(b->loader)));
	FUZZ_HOLDS(is_terminated(b->cmdline, sizeof(b->cmdline)));
	for (uint32_t i = 0; i < b->module_count; i++)
		FUZZ_HOLDS(is_terminated(b->module[i].cmdline, sizeof(b->module[i].cmdline)));
}

/* The command line up to its 0, or to the room that there is. */
static void check_cmdline(const struct boot_info *b, const struct boot_model *m)
{
	uint32_t length = 0;

	while (length < m->cmdline_length && m->cmdline[length])
		length++;
	FUZZ_EQ(b->cmdline_cut, length >= sizeof(b->cmdline));
	if (b->cmdline_cut)
		length = sizeof(b->cmdline) - 1;
	FUZZ_EQ(strlen(b->cmdline), length);
	FUZZ_HOLDS(!length || !memcmp(b->cmdline, m->cmdline, length));
}

static void check_counts(const struct boot_info *b, const struct boot_model *m)
{
	FUZZ_EQ(b->raw_count, m->ranges < BOOT_RAW_RANGES ? m->ranges : BOOT_RAW_RANGES);
	FUZZ_EQ(b->module_count, m->modules < BOOT_MODULES ? m->modules : BOOT_MODULES);
	FUZZ_EQ(b->module_count + b->modules_left_out, m->modules);
	FUZZ_HOLDS(b->rsdp_length == 0 || b->rsdp_length == 20 || b->rsdp_length == 36);
}

void boot_model_compare(struct boot_model *m, uint32_t magic, uint32_t physical)
{
	static struct boot_info b;
	const char *why = NULL;
	int err;

	memset(&b, 0xA7, sizeof(b));
	err = arch_boot_info(magic, physical, &b, &why);
	FUZZ_EQ(err != 0, m->refused);
	if (err) {
		FUZZ_HOLDS(why && *why);
		return;
	}
	check_texts(&b);
	check_cmdline(&b, m);
	check_counts(&b, m);
	claims_compare(&m->claims, &b.map);
}
