/*
 * arch/pte.h - encodes and decodes one page-table entry. Pure: touches no table and no machine state but the
 * masks that arch_mmu_probe sets once. SDM 3A 4.3 tables 4-5 and 4-6, 4.4 tables 4-8 to 4-11.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <arch/pt_format.h>

#define PROT_R       0x0001u /* readable: every leaf is */
#define PROT_W       0x0002u
#define PROT_USER    0x0004u
#define PROT_NOCACHE 0x0018u
#define PROT_GLOBAL  0x0100u /* survives a CR3 load; kernel half only */
#define PROT_COW     0x0200u /* software: shared until written */
#define PROT_OWNED   0x0400u /* software: the entry holds a reference on its frame */
#define PROT_X       0x1000u /* executable; in the entry as its opposite, where the mode can tell */
#define PROT_LARGE   0x2000u /* a request to map_region: large pages where they fit; in no entry */

#define PTE_PRESENT  0x001u
#define PTE_WRITE    0x002u
#define PTE_USER     0x004u
#define PTE_ACCESSED 0x020u
#define PTE_DIRTY    0x040u
#define PTE_LARGE    0x080u /* PS, in an entry of level 1 */
#define PTE_AS_PROT  (PROT_R | PROT_W | PROT_USER | PROT_NOCACHE | PROT_GLOBAL | PROT_COW | PROT_OWNED)

enum pte_kind { PTE_NONE, PTE_LEAF, PTE_TABLE };

/* What the paging unit can do. Filled by arch_mmu_probe; tests set it by hand. */
struct arch_mmu {
	bool large;  /* PSE, or PAE's large pages */
	bool global; /* PGE */
	bool nx;     /* no-execute, and the mode has it */
	uint32_t
		pfn_end; /* no frame from here on can be reached: the mode's end, or the CPU's address lines' */
	uint32_t leaf_bits; /* those of PTE_AS_PROT that a leaf may carry here */
	uint64_t nx_bit;    /* the bit of a leaf without PROT_X: 1 << 63 or 0 */
};
extern struct arch_mmu arch_mmu;

#if QUIRE_PAE
#define ARCH_PTE_FRAME 0x000FFFFFFFFFF000ull
#else
#define ARCH_PTE_FRAME 0xFFFFF000u
#endif

#include <arch/pte_proof.h>

/* Returns an entry that maps nothing. */
/*@ assigns \nothing;
  @ ensures \result.raw == 0; */
static inline pte_t arch_pte_none(void)
{
	return (pte_t){0};
}

/* Returns the bits of a frame number in an entry. */
/*@ requires f.n < ARCH_PFN_END;
  @ assigns \nothing;
  @ ensures \result.raw == f.n * 4096; */
static inline pte_t arch_pte_of_frame(pfn_t f)
{
	pte_t p = {f.n};

	p.raw <<= PAGE_SHIFT;
	return p;
}

/* Returns what a protection becomes when it is read back: executable where the mode has no no-execute. */
/*@ requires probed;
  @ assigns \nothing;
  @ ensures \result == (prot & arch_mmu.leaf_bits) + (x_in(prot) == 1 || !arch_mmu.nx ? PROT_X : 0); */
static inline prot_t arch_prot_effective(prot_t prot)
{
	prot_t kept = prot & (arch_mmu.leaf_bits | PROT_X);

	return arch_mmu.nx ? kept : kept | PROT_X;
}

/* Returns the leaf with no-execute set where the protection asks for it and the CPU has it. */
/*@ requires probed && p.raw < 0x8000000000000000;
  @ assigns \nothing;
  @ ensures x_in(prot) == 1 ==> \result.raw == p.raw;
  @ ensures x_in(prot) == 0 && arch_mmu.nx_bit == 0 ==> \result.raw == p.raw;
  @ ensures x_in(prot) == 0 && arch_mmu.nx_bit == TOP ==> \result.raw == p.raw + TOP; */
static inline pte_t arch_pte_with_nx(pte_t p, prot_t prot)
{
#if QUIRE_PAE
	if (!(prot & PROT_X))
		p.raw |= arch_mmu.nx_bit;
#else
	(void)prot;
#endif
	return p;
}

/* Returns an entry that maps a page (level 0) or a large page (level 1, f aligned to its size). */
/*@ requires probed && level <= 1 && f.n < ARCH_PFN_END;
  @ requires level == 1 ==> f.n % ARCH_LARGE_PAGES == 0;
  @ assigns \nothing;
  @ ensures level == 0 ==> \result.raw == f.n * 4096 + ((prot & arch_mmu.leaf_bits) | 1) + nx_of(prot);
  @ ensures level == 1 ==> \result.raw == f.n * 4096 + ((prot & arch_mmu.leaf_bits) | 1) + 128 + nx_of(prot); */
static inline pte_t arch_pte_leaf(unsigned level, pfn_t f, prot_t prot)
{
	pte_t p = arch_pte_of_frame(f);

	p.raw |= (prot & arch_mmu.leaf_bits) | PTE_PRESENT | (level ? PTE_LARGE : 0);
	/*@ assert level == 0 ==> p.raw == f.n * 4096 + ((prot & arch_mmu.leaf_bits) | 1); */
	/*@ assert level == 1 ==> p.raw == f.n * 4096 + ((prot & arch_mmu.leaf_bits) | 1) + 128; */
	/*@ assert arch_mmu.nx_bit == 0 || arch_mmu.nx_bit == TOP; */
	return arch_pte_with_nx(p, prot);
}

/*
 * Returns an entry that names the table below. It allows everything, and the leaf decides. The root entries of
 * PAE have no R/W and U/S bits: those are reserved there.
 */
/*@ requires is_level(level) && level > 0 && f.n < ARCH_PFN_END;
  @ assigns \nothing;
  @ ensures \result.raw == f.n * 4096 + (level == 2 ? 1 : 7); */
static inline pte_t arch_pte_table(unsigned level, pfn_t f)
{
	pte_t p = arch_pte_of_frame(f);

	p.raw |= level == 2 ? PTE_PRESENT : PTE_PRESENT | PTE_WRITE | PTE_USER;
	return p;
}

/*
 * Returns a leaf that the paging unit takes for absent, frame and protection kept: memory that its program may not
 * touch for now. Its kind is PTE_NONE, but it is not arch_pte_none().
 */
static inline pte_t arch_pte_hide(pte_t p)
{
	p.raw &= ~(__typeof__(p.raw))PTE_PRESENT;
	return p;
}

/* True for an entry that holds nothing at all, not even hidden. */
static inline bool arch_pte_is_none(pte_t p)
{
	return !p.raw;
}

/* Returns a leaf of level 0 as it is, but not writable. */
static inline pte_t arch_pte_read_only(pte_t p)
{
	p.raw &= ~(__typeof__(p.raw))PTE_WRITE;
	return p;
}

/* Tells what an entry read from a table of this level is; exactly one of the three. */
/*@ requires is_level(level);
  @ assigns \nothing;
  @ ensures \result == PTE_NONE <==> p.raw % 2 == 0;
  @ ensures \result == PTE_LEAF <==> p.raw % 2 == 1 && (level == 0 || (level == 1 && p.raw / 128 % 2 == 1));
  @ ensures \result == PTE_NONE || \result == PTE_LEAF || \result == PTE_TABLE; */
static inline enum pte_kind arch_pte_kind(unsigned level, pte_t p)
{
	if (!(p.raw & PTE_PRESENT))
		return PTE_NONE;
	return level == 0 || (level == 1 && (p.raw & PTE_LARGE)) ? PTE_LEAF : PTE_TABLE;
}

/* Returns the same leaf of level 0 for the next frame. */
/*@ requires frame_in(p.raw) + 1 < ARCH_PFN_END;
  @ assigns \nothing;
  @ ensures frame_in(\result.raw) == frame_in(p.raw) + 1;
  @ ensures \result.raw % 4096 == p.raw % 4096 && nx_in(\result.raw) == nx_in(p.raw); */
static inline pte_t arch_pte_next(pte_t p)
{
	p.raw += PAGE_SIZE;
	return p;
}

/* Returns the frame that a leaf maps or that holds the table. */
/*@ requires frame_in(p.raw) < ARCH_PFN_END;
  @ assigns \nothing;
  @ ensures \result.n == frame_in(p.raw); */
static inline pfn_t arch_pte_pfn(pte_t p)
{
	return PFN((uint32_t)((p.raw & ARCH_PTE_FRAME) >> PAGE_SHIFT));
}

/* Returns a leaf's protection, as arch_prot_effective gives it. Accessed and dirty are not part of it. */
/*@ assigns \nothing;
  @ ensures \result == p.raw % 32 + p.raw / 256 % 8 * 256 + (nx_in(p.raw) == 0 ? PROT_X : 0); */
static inline prot_t arch_pte_prot(pte_t p)
{
	prot_t prot = (prot_t)(p.raw & PTE_AS_PROT);

#if QUIRE_PAE
	return (p.raw >> 63) ? prot : prot | PROT_X;
#else
	return prot | PROT_X;
#endif
}

/*@ assigns \nothing;
  @ ensures \result <==> p.raw / 32 % 2 == 1; */
static inline bool arch_pte_accessed(pte_t p)
{
	return p.raw & PTE_ACCESSED;
}

/*@ assigns \nothing;
  @ ensures \result <==> p.raw / 64 % 2 == 1; */
static inline bool arch_pte_dirty(pte_t p)
{
	return p.raw & PTE_DIRTY;
}

/* True where an entry of this level can map memory: pages everywhere, large pages where the CPU has them. */
/*@ assigns \nothing;
  @ ensures \result <==> level == 0 || (level == 1 && arch_mmu.large); */
static inline bool arch_pte_leaf_ok(unsigned level)
{
	return level == 0 || (level == 1 && arch_mmu.large);
}

#endif
