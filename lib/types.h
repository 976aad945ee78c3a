/* lib/types.h - the types that carry units, and nothing else. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <asm-generic/errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t vaddr_t; /* byte address in the managed machine's address space */
typedef uint32_t vpn_t;   /* page number: vaddr >> 12; an end of 2^20 fits */
typedef uint32_t prot_t;  /* PROT_ bits of arch/pte.h */
typedef struct {
	uint32_t n;
} pfn_t; /* frame number: physical address >> 12; 0 is "no frame" */
typedef struct {
	uint64_t a;
} paddr_t; /* physical byte address: boot map and devices */

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096u

/* A run of pages. The end of the address space is no special case: first + count may be 2^20. */
struct pages {
	vpn_t first;
	uint32_t count;
};
#define PAGES(first, count) ((struct pages){(first), (count)})
#define PFN(n)              ((pfn_t){(n)})
#define PADDR(a)            ((paddr_t){(a)})
#define NO_FRAME            PFN(0)

/* For the compiler, which puts the other way first and this one aside. */
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*@ assigns \nothing;
  @ ensures \result * PAGE_SIZE <= va < (\result + 1) * PAGE_SIZE; */
static inline vpn_t vpn_of(vaddr_t va)
{
	return va >> PAGE_SHIFT;
}

/*@ requires v < 0x100000;
  @ assigns \nothing;
  @ ensures \result == v * PAGE_SIZE; */
static inline vaddr_t vaddr_of(vpn_t v)
{
	return v << PAGE_SHIFT;
}

/*@ assigns \nothing;
  @ ensures \result.a == f.n * PAGE_SIZE; */
static inline paddr_t paddr_of(pfn_t f)
{
	return PADDR((uint64_t)f.n << PAGE_SHIFT);
}

/* Returns how many pages hold `size` bytes that begin at an offset into the first. */
/*@ requires offset < PAGE_SIZE && size > 0;
  @ assigns \nothing;
  @ ensures (\result - 1) * PAGE_SIZE < offset + size <= \result * PAGE_SIZE; */
static inline uint32_t pages_for(uint32_t offset, uint32_t size)
{
	return (uint32_t)(((uint64_t)offset + size + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

#endif
