/* kernel/report.c - tells a person what the machine is and what boot made of it. Owns nothing. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/frame_access.h>
#include <kernel/boot.h>
#include <kernel/cmdline.h>
#include <lib/panic.h>
#include <lib/printf.h>
#include <mm/boot_alloc.h>
#include <mm/boot_info.h>
#include <mm/frame.h>
#include <mm/kmap.h>

#define MODE (QUIRE_PAE ? "PAE paging" : "two-level paging")

static unsigned long long kib(uint64_t bytes)
{
	return bytes / 1024;
}

static unsigned long long kib_of_frames(uint32_t frames)
{
	return (uint64_t)frames * (PAGE_SIZE / 1024);
}

void report_banner(void)
{
	printk("\nQuire, %s%s\n", MODE, QUIRE_DEBUG ? ", debug checks on" : "");
}

static void report_loader(void)
{
	printk("Loaded by %s through %s, command line \"%s\"%s\n",
	       boot_info.loader[0] ? boot_info.loader : "?", boot_info.protocol, boot_info.cmdline,
	       boot_info.cmdline_cut ? " (cut)" : "");
	if (kernel_options.not_known)
		printk("  %u words of it mean nothing to Quire\n", kernel_options.not_known);
	for (uint32_t i = 0; i < boot_info.module_count; i++)
		printk("  module %u: %u bytes at 0x%llx, \"%s\"\n", i, boot_info.module[i].length,
		       (unsigned long long)boot_info.module[i].start.a, boot_info.module[i].cmdline);
	if (boot_info.modules_left_out)
		printk("  %u modules more, for which there was no room\n", boot_info.modules_left_out);
}

static void report_cpu(void)
{
	if (!cpu_info.has_cpuid) {
		printk("CPU without CPUID%s\n", kernel_options.as_486 ? " (cpu=486)" : "");
		return;
	}
	printk("CPU %s family %u model %u stepping %u:%s%s%s%s%s%s%s%s\n", cpu_info.vendor, cpu_info.family,
	       cpu_info.model, cpu_info.stepping, cpu_info.features & CPUID_TSC ? " tsc" : "",
	       cpu_info.features & CPUID_PSE ? " pse" : "", cpu_info.features & CPUID_PGE ? " pge" : "",
	       cpu_info.features & CPUID_PAE ? " pae" : "",
	       cpu_info.extended_features & CPUID_NX ? " nx" : "",
	       cpu_info.protections & CPUID_SMEP ? " smep" : "",
	       cpu_info.protections & CPUID_SMAP ? " smap" : "",
	       cpu_info.more_protections & CPUID_UMIP ? " umip" : "");
}

static void report_framebuffer(void)
{
	const struct boot_framebuffer *f = &boot_info.framebuffer;

	if (boot_info.has_framebuffer)
		printk("Screen %ux%u, %u bits, %s, at 0x%llx\n", f->width, f->height, f->bpp,
		       f->type == 2 ? "text" : "graphics", (unsigned long long)f->base.a);
}

/* One line of the loader's map; false past the last. */
static bool raw_line(uint32_t i, char *line, size_t size)
{
	static const char *const types[] = {"type 0", "usable", "reserved", "ACPI", "ACPI NVS", "bad"};
	uint64_t base, length;
	uint32_t type;

	line[0] = '\0';
	if (i >= boot_info.raw_count)
		return false;
	base = boot_info.raw[i].base;
	length = boot_info.raw[i].length;
	type = boot_info.raw[i].type;
	text_format(line, size, "%09llx-%09llx %s", (unsigned long long)base,
		    (unsigned long long)(base + length - 1),
		    type < ARRAY_SIZE(types) ? types[type] : "other");
	return true;
}

/* One line of Quire's map, for the next range from *i on that is something; false when there is none. */
static bool map_line(uint32_t *i, char *line, size_t size)
{
	const struct memmap *m = boot_memmap();
	struct mem_range r = {0, 0, MEM_NONE};

	line[0] = '\0';
	while (*i < m->count && r.kind == MEM_NONE)
		r = memmap_range(m, (*i)++);
	if (r.kind == MEM_NONE)
		return false;
	text_format(line, size, "%09llx-%09llx %s", (unsigned long long)r.start,
		    (unsigned long long)(r.end - 1), mem_kind_name(r.kind));
	return true;
}

static void report_memory_map(void)
{
	char left[48], right[48];
	uint32_t next = 0;

	printk("\nMemory map\n  %-36s%s\n", "the loader's", "Quire's");
	for (uint32_t i = 0;; i++) {
		bool more = raw_line(i, left, sizeof(left));

		if (!map_line(&next, right, sizeof(right)) && !more)
			break;
		printk("  %-36s%s\n", left, right);
	}
	if (boot_info.raw_left_out)
		printk("  and %u more of the loader's ranges\n", boot_info.raw_left_out);
	if (boot_info.map.lost)
		printk("  %llu KiB were given up: too many ranges\n", kib(boot_info.map.lost));
}

static void report_steps(void)
{
	uint32_t per_ms = arch_clock_calibrate();

	printk("\nPhases\n");
	for (uint32_t i = 0; i < boot_record.steps; i++) {
		const struct boot_step_time *t = &boot_record.time[i];

		printk("  %2u %-28s", i + 1, t->name);
		if (per_ms)
			printk("%8llu us", (unsigned long long)(t->ticks * 1000 / per_ms));
		printk("\n");
	}
	if (!per_ms)
		printk("  (no time-stamp counter: what they took is not known)\n");
}

static void report_zones(void)
{
	static const char *const names[ZONES] = {[ZONE_LOW] = "low (direct-mapped)", [ZONE_HIGH] = "high"};
	struct zone_stats s;

	printk("\nZones, KiB\n  %-22s%10s%10s%10s%10s%14s\n", "", "total", "free", "listed", "reserve",
	       "largest block");
	for (unsigned z = 0; z < ZONES; z++) {
		frame_stats((enum zone_id)z, &s);
		printk("  %-22s%10llu%10llu%10llu%10llu%14llu\n", names[z], kib_of_frames(s.total),
		       kib_of_frames(s.free), kib_of_frames(s.cached), kib_of_frames(s.reserve),
		       s.free ? kib_of_frames(1u << s.largest) : 0);
	}
}

static void report_kernel_map(void)
{
	struct kregion r;

	printk("\nKernel map\n");
	for (vpn_t v = ARCH_KERNEL_VPN; kmap_region(v, &r); v = r.range.first + r.range.count) {
		prot_t p = arch_prot_effective(r.prot);
		uint32_t last = vaddr_of(r.range.first) + r.range.count * PAGE_SIZE - 1;

		printk("  %08x-%08x r%c%c%c %-26s", vaddr_of(r.range.first), last, p & PROT_W ? 'w' : '-',
		       p & PROT_X ? 'x' : '-', p & PROT_GLOBAL ? 'g' : '-', r.name);
		if (r.first.n)
			printk(" from 0x%llx", (unsigned long long)paddr_of(r.first).a);
		printk("\n");
	}
}

void report_machine(void)
{
	report_loader();
	report_cpu();
	report_framebuffer();
	report_memory_map();
	report_steps();
	report_zones();
	report_kernel_map();
}

/* Returns the bytes of the loader's map that are memory of any use, now or later; beyond the mode's reach too. */
static uint64_t ram_found(void)
{
	const struct memmap *m = &boot_info.map;

	return memmap_bytes(m, MEM_USABLE, 0) + memmap_bytes(m, MEM_BOOT, 0) +
	       memmap_bytes(m, MEM_MODULE, 0) + memmap_bytes(m, MEM_KERNEL, 0);
}

static void report_tests(const struct ktest_result *r)
{
	struct arch_image i = arch_image();

	if (kernel_options.no_selftest)
		printk("  tests   not run (selftest=off), so their %llu KiB are free\n",
		       kib_of_frames(i.text.n - i.suite_text.n + i.end.n - i.suite_rodata.n));
	else
		printk("  tests   %u passed, %u failed, %u skipped\n", r->passed, r->failed, r->skipped);
}

void report_summary(const struct ktest_result *tests)
{
	uint64_t reach = (uint64_t)arch_mmu.pfn_end << PAGE_SHIFT;
	uint64_t beyond =
		memmap_bytes(&boot_info.map, MEM_USABLE, 0) - memmap_bytes(&boot_info.map, MEM_USABLE, reach);
	uint64_t found = ram_found();
	struct zone_stats low, high;

	frame_stats(ZONE_LOW, &low);
	frame_stats(ZONE_HIGH, &high);
	printk("\nSummary\n");
	printk("  memory  %llu KiB found, %llu KiB under management, %llu KiB free now\n", kib(found),
	       kib_of_frames(low.total + high.total), kib_of_frames(low.free + high.free));
	printk("          %llu KiB the kernel's (image, tables, descriptors)\n",
	       kib(found - beyond) - kib_of_frames(low.free + high.free));
	if (beyond)
		printk("          %llu KiB unused: beyond the reach of %s, with the %u address bits of this "
		       "CPU\n",
		       kib(beyond), MODE, cpu_info.physical_bits);
	printk("  paging  %s%s%s%s\n", MODE, arch_mmu.large ? ", large pages" : "",
	       arch_mmu.global ? ", global pages" : "", arch_mmu.nx ? ", no-execute" : "");
	report_tests(tests);
}
