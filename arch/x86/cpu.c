/* arch/x86/cpu.c - what CPUID tells. Owns cpu_info. SDM 2A, CPUID. */
#include <arch/cpu.h>
#include <lib/string.h>

#define EFLAGS_ID (1u << 21)

struct cpu_info cpu_info;

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
	return r;
}

/* The instruction is there where EFLAGS.ID can be changed: SDM 1, 20.1.2. */
static bool has_cpuid(void)
{
	uint32_t before, after;

	__asm__ volatile("pushfl\n\t"
			 "pushfl\n\t"
			 "popl %0\n\t"
			 "movl %0, %1\n\t"
			 "xorl %2, %1\n\t"
			 "pushl %1\n\t"
			 "popfl\n\t"
			 "pushfl\n\t"
			 "popl %1\n\t"
			 "popfl"
			 : "=&r"(before), "=&r"(after)
			 : "i"(EFLAGS_ID)
			 : "cc");
	return (before ^ after) & EFLAGS_ID;
}

/*
 * Leaf 0x80000008, where there is one. Else PAE means 36 by the manual (SDM 3A 4.1.4), but there are CPUs, emulated
 * ones at least, that have PAE and 32: what these lack as well is PSE-36.
 */
static uint8_t physical_bits(void)
{
	uint32_t last = cpuid(0x80000000).eax;

	if (last >= 0x80000008 && (uint8_t)cpuid(0x80000008).eax >= 32 &&
	    (uint8_t)cpuid(0x80000008).eax <= 52)
		return (uint8_t)cpuid(0x80000008).eax;
	return cpu_info.features & CPUID_PSE36 ? 36 : 32;
}

/* Ten tries are what the manual advises: SDM 1, 7.3.17.1. Written as bytes, for compilers that make an i486's code. */
bool arch_random_word(uint32_t *word)
{
	bool seeds = cpu_info.protections & CPUID_RDSEED;
	bool got = false;

	if (!seeds && !(cpu_info.more_features & CPUID_RDRAND))
		return false;
	for (unsigned i = 0; i < 10 && !got; i++) {
		if (seeds)
			__asm__ volatile(".byte 0x0F, 0xC7, 0xF8; setc %1"
					 : "=a"(*word), "=qm"(got)
					 :
					 : "cc");
		else
			__asm__ volatile(".byte 0x0F, 0xC7, 0xF0; setc %1"
					 : "=a"(*word), "=qm"(got)
					 :
					 : "cc");
	}
	return got;
}

void arch_cpu_identify(bool as_486)
{
	struct cpuid r;
	uint32_t last;

	cpu_info = (struct cpu_info){.has_cpuid = !as_486 && has_cpuid(), .physical_bits = 32};
	if (!cpu_info.has_cpuid)
		return;
	r = cpuid(0);
	last = r.eax;
	memcpy(cpu_info.vendor, &r.ebx, 4);
	memcpy(cpu_info.vendor + 4, &r.edx, 4);
	memcpy(cpu_info.vendor + 8, &r.ecx, 4);
	r = cpuid(1);
	cpu_info.stepping = r.eax & 15;
	cpu_info.model = (uint8_t)((r.eax >> 4 & 15) | (r.eax >> 12 & 0xF0));
	cpu_info.family = (uint8_t)((r.eax >> 8 & 15) + (r.eax >> 20 & 0xFF));
	cpu_info.features = r.edx;
	cpu_info.more_features = r.ecx;
	if (last >= 7) {
		r = cpuid(7);
		cpu_info.protections = r.ebx;
		cpu_info.more_protections = r.ecx;
	}
	if (cpuid(0x80000000).eax >= 0x80000001 && cpuid(0x80000000).eax >> 31)
		cpu_info.extended_features = cpuid(0x80000001).edx;
	cpu_info.physical_bits = physical_bits();
}
