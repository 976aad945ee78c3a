/* arch/cpu.h - control registers, CPUID and model-specific registers; what this CPU is. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <lib/types.h>

#define CR0_MP                                                                                               \
	0x00000002u /* with EM and NE: what an instruction of the floating-point unit does, SDM 3A 9.2.1 */
#define CR0_EM 0x00000004u
#define CR0_TS 0x00000008u
#define CR0_NE 0x00000020u
#define CR0_WP 0x00010000u
#define CR0_AM 0x00040000u /* a program may have its accesses checked for alignment, by AC */
#define CR0_PG 0x80000000u

#define CR4_PSE        0x000010u
#define CR4_PAE        0x000020u
#define CR4_PGE        0x000080u
#define CR4_OSFXSR     0x000200u /* programs may use SSE, and FXSAVE saves it */
#define CR4_OSXMMEXCPT 0x000400u
#define CR4_UMIP       0x000800u
#define CR4_SMEP       0x100000u
#define CR4_SMAP       0x200000u

#define MSR_APIC_BASE 0x1Bu
#define MSR_EFER      0xC0000080u
#define EFER_NXE      0x800u

/* CPUID leaf 1, EDX; leaf 0x80000001, EDX. */
#define CPUID_FPU   (1u << 0)
#define CPUID_PSE   (1u << 3)
#define CPUID_TSC   (1u << 4)
#define CPUID_PAE   (1u << 6)
#define CPUID_APIC  (1u << 9)
#define CPUID_PGE   (1u << 13)
#define CPUID_PSE36 (1u << 17)
#define CPUID_NX    (1u << 20)
#define CPUID_FXSR  (1u << 24)
#define CPUID_SSE   (1u << 25)

/* Random numbers: leaf 1, ECX; leaf 7, EBX. */
#define CPUID_RDRAND (1u << 30)
#define CPUID_RDSEED (1u << 18)

/* Leaf 7, EBX and, for UMIP, ECX: what a CPU has against a supervisor led astray and a program that looks around. */
#define CPUID_SMEP (1u << 7)
#define CPUID_SMAP (1u << 20)
#define CPUID_UMIP (1u << 2)

/* What CPUID tells. All zero on a CPU without it, but for physical_bits. */
struct cpu_info {
	bool has_cpuid;
	char vendor[13];
	uint8_t family, model, stepping;
	uint32_t features;          /* leaf 1, EDX */
	uint32_t more_features;     /* leaf 1, ECX */
	uint32_t extended_features; /* leaf 0x80000001, EDX */
	uint32_t protections;       /* leaf 7, EBX */
	uint32_t more_protections;  /* leaf 7, ECX */
	uint8_t physical_bits;      /* of an address; entries that name more of them fault */
};
extern struct cpu_info cpu_info;

/* Stores a random word of the CPU's own source; false where it has none, or none to give. */
bool arch_random_word(uint32_t *word);

/* Fills cpu_info. as_486: take the CPU for one without CPUID. */
void arch_cpu_identify(bool as_486);

#define CPU_REGISTER(name)                                                                                   \
	static inline uint32_t arch_read_##name(void)                                                        \
	{                                                                                                    \
		uint32_t value;                                                                              \
                                                                                                             \
		__asm__ volatile("movl %%" #name ", %0" : "=r"(value) : : "memory");                         \
		return value;                                                                                \
	}                                                                                                    \
	static inline void arch_write_##name(uint32_t value)                                                 \
	{                                                                                                    \
		__asm__ volatile("movl %0, %%" #name : : "r"(value) : "memory");                             \
	}
CPU_REGISTER(cr0)
CPU_REGISTER(cr2)
CPU_REGISTER(cr3)
CPU_REGISTER(cr4) /* exists where CPUID does */

static inline uint32_t arch_read_eflags(void)
{
	uint32_t value;

	__asm__ volatile("pushfl\n\tpopl %0" : "=r"(value) : : "memory");
	return value;
}

static inline uint64_t arch_read_msr(uint32_t msr)
{
	uint64_t value;

	__asm__ volatile("rdmsr" : "=A"(value) : "c"(msr) : "memory");
	return value;
}

static inline void arch_write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "A"(value) : "memory");
}

/* Returns the time-stamp counter; the CPU must have one (CPUID_TSC). */
static inline uint64_t arch_read_tsc(void)
{
	uint64_t value;

	__asm__ volatile("rdtsc" : "=A"(value) : : "memory");
	return value;
}

/* Waits for an interrupt. */
static inline void arch_halt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* Continues on another stack, whose top is given; what the old one holds is lost. */
_Noreturn void arch_stack_switch(vaddr_t top, void (*next)(void));

#endif
