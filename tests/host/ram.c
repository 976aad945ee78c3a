/*
 * tests/host/ram.c - the simulated machine's RAM. Owns its backing and what may be touched of it: frames that the
 * allocator has not got yet and used ones; free ones may not, and AddressSanitizer knows.
 *
 *	sim_direct                                   the direct map's end
 *	|  RAM  | no access |  RAM  |  no access     |        RAM above: a mapping for each extent
 *
 * No page is touched before its first use, so that a machine of 64 GiB costs what its kernel writes.
 */
#include "sim.h"

#include <arch/frame_access.h>
#include <arch/pte_store.h>
#include <lib/panic.h>
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/mman.h>

enum use { NO_RAM, BOOT, FREE, USED };

unsigned char *sim_direct;
unsigned char *sim_descriptors;

static struct {
	uint8_t *use; /* of each frame number */
	struct {
		uint32_t first, count;
		unsigned char *bytes;
	} high[SIM_EXTENTS];
	unsigned high_count;
} ram;

static void *reserve(uint64_t bytes, int access)
{
	void *p = MAP_FAILED;

	if (bytes <= SIZE_MAX)
		p = mmap(NULL, (size_t)bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

static bool make_high(uint32_t first, uint32_t count)
{
	unsigned i = ram.high_count++;

	ram.high[i].first = first;
	ram.high[i].count = count;
	ram.high[i].bytes = reserve((uint64_t)count << PAGE_SHIFT, PROT_READ | PROT_WRITE);
	return ram.high[i].bytes;
}

static bool make_extent(struct sim_extent e)
{
	uint32_t low = e.first >= SIM_DIRECT_FRAMES ? 0 : SIM_DIRECT_FRAMES - e.first;

	memset(ram.use + e.first, BOOT, e.count);
	if (low > e.count)
		low = e.count;
	if (low && mprotect(sim_direct + ((size_t)e.first << PAGE_SHIFT), (size_t)low << PAGE_SHIFT,
			    PROT_READ | PROT_WRITE))
		return false;
	return low == e.count || make_high(e.first + low, e.count - low);
}

bool sim_ram_make(const struct sim_config *c)
{
	ram.use = reserve(SIM_FRAME_LIMIT, PROT_READ | PROT_WRITE);
	sim_direct = reserve((uint64_t)SIM_DIRECT_FRAMES << PAGE_SHIFT, PROT_NONE);
	/* Beside the machine's RAM: which frames would hold them is seen in the page tables alone. */
	sim_descriptors = reserve((uint64_t)SIM_FRAME_LIMIT * 16, PROT_READ | PROT_WRITE);
	if (!ram.use || !sim_direct || !sim_descriptors)
		return false;
	for (unsigned i = 0; i < SIM_EXTENTS && c->ram[i].count; i++)
		if (!make_extent(c->ram[i]))
			return false;
	return true;
}

bool sim_ram_is(uint32_t frame)
{
	return frame < SIM_FRAME_LIMIT && ram.use[frame] != NO_RAM;
}

bool sim_ram_is_free(uint32_t frame)
{
	return frame < SIM_FRAME_LIMIT && ram.use[frame] == FREE;
}

static unsigned char *bytes_of(uint32_t frame)
{
	if (!sim_ram_is(frame))
		panic("sim: frame 0x%x is no RAM", frame);
	if (frame < SIM_DIRECT_FRAMES)
		return sim_direct + ((size_t)frame << PAGE_SHIFT);
	for (unsigned i = 0;; i++)
		if (frame - ram.high[i].first < ram.high[i].count)
			return ram.high[i].bytes + ((size_t)(frame - ram.high[i].first) << PAGE_SHIFT);
}

/* The machine's own look into a frame, whatever state it is in, between open and close. */
static unsigned char *open_frame(uint32_t frame)
{
	unsigned char *p = bytes_of(frame);

	if (sim_ram_is_free(frame))
		ASAN_UNPOISON_MEMORY_REGION(p, PAGE_SIZE);
	return p;
}

static void close_frame(uint32_t frame)
{
	if (sim_ram_is_free(frame) && frame < SIM_DIRECT_FRAMES)
		ASAN_POISON_MEMORY_REGION(bytes_of(frame), PAGE_SIZE);
}

uint64_t sim_ram_entry(uint32_t frame, uint32_t index)
{
	uint64_t entry = 0;

	memcpy(&entry, open_frame(frame) + index * SIM_ENTRY_BYTES, SIM_ENTRY_BYTES);
	close_frame(frame);
	return entry;
}

uint32_t sim_ram_find_entry(uint32_t frame, uint32_t from, uint32_t named)
{
	const unsigned char *p = open_frame(frame);
	uint64_t entry = 0;

	for (; from < SIM_TABLE_PAGES; from++) {
		memcpy(&entry, p + from * SIM_ENTRY_BYTES, SIM_ENTRY_BYTES);
		if (sim_walk_frame(entry) == named)
			break;
	}
	close_frame(frame);
	return from;
}

void sim_ram_set_bits(uint32_t frame, uint32_t index, uint32_t bits)
{
	unsigned char *p = open_frame(frame) + index * SIM_ENTRY_BYTES;
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	word |= bits;
	memcpy(p, &word, sizeof(word));
	close_frame(frame);
}

void sim_ram_fill(uint32_t frame, uint32_t word)
{
	unsigned char *p = open_frame(frame);

	memcpy(p, &word, sizeof(word));
	for (uint32_t done = sizeof(word); done < PAGE_SIZE; done *= 2)
		memcpy(p + done, p, done);
	close_frame(frame);
}

bool sim_ram_is_uncleared(uint32_t frame)
{
	unsigned char *p = open_frame(frame);
	const unsigned char *second = p + 4;
	bool alike = !memcmp(second, second + 4, PAGE_SIZE - 8) && memcmp(second, "\0\0\0", 4);

	close_frame(frame);
	return alike;
}

void *arch_frame_direct(pfn_t f)
{
	if (!arch_frame_is_direct(f))
		panic("sim: frame 0x%x is beyond the direct map", f.n);
	if (!sim_direct_shows(f.n))
		sim_violation("frame 0x%x is not mapped where the kernel wants to see it", f.n);
	return sim_direct + ((size_t)f.n << PAGE_SHIFT);
}

/* Opens a frame to the kernel, which needs a mapping to reach it. */
static unsigned char *kernel_frame(pfn_t f)
{
	if (!arch_frame_is_direct(f) && !sim_windows_ready())
		sim_violation("frame 0x%x is accessed before the windows are there", f.n);
	if (arch_frame_is_direct(f) && !sim_direct_shows(f.n))
		sim_violation("frame 0x%x is not mapped where the kernel wants to see it", f.n);
	return open_frame(f.n);
}

static unsigned char *used_frame(pfn_t f, const char *what)
{
	if (sim_ram_is_free(f.n))
		sim_violation("frame 0x%x is %s while it is free", f.n, what);
	return kernel_frame(f);
}

void arch_frame_fill(pfn_t f, uint32_t word)
{
	used_frame(f, "filled");
	close_frame(f.n);
	sim_ram_fill(f.n, word);
}

void arch_frame_copy(pfn_t to, pfn_t from)
{
	unsigned char *in = used_frame(from, "read");
	unsigned char *out = used_frame(to, "written");

	memmove(out, in, PAGE_SIZE);
	close_frame(to.n);
	close_frame(from.n);
}

static void check_part(pfn_t f, uint32_t offset, uint32_t length)
{
	if (offset > PAGE_SIZE || length > PAGE_SIZE - offset)
		panic("sim: access to 0x%x bytes at 0x%x of frame 0x%x", length, offset, f.n);
}

void arch_frame_read(pfn_t f, uint32_t offset, void *out, uint32_t length)
{
	check_part(f, offset, length);
	memcpy(out, used_frame(f, "read") + offset, length);
	close_frame(f.n);
}

void arch_frame_write(pfn_t f, uint32_t offset, const void *in, uint32_t length)
{
	check_part(f, offset, length);
	memcpy(used_frame(f, "written") + offset, in, length);
	close_frame(f.n);
}

bool arch_frame_is_filled(pfn_t f, uint32_t word)
{
	unsigned char *p = kernel_frame(f);
	bool filled =
		!memcmp(p, &word, sizeof(word)) && !memcmp(p, p + sizeof(word), PAGE_SIZE - sizeof(word));

	close_frame(f.n);
	return filled;
}

/* Changes the state of each frame of a block, all of which are RAM and not in that state already. */
static void change_use(pfn_t f, unsigned order, enum use use, const char *what)
{
	uint32_t count = 1u << order;

	for (uint32_t n = f.n; n < f.n + count; n++) {
		if (!sim_ram_is(n))
			panic("sim: frame 0x%x is %s and is no RAM", n, what);
		if (ram.use[n] == use)
			sim_violation("frame 0x%x is %s twice", n, what);
		ram.use[n] = (uint8_t)use;
	}
}

void arch_frame_note_used(pfn_t f, unsigned order)
{
	change_use(f, order, USED, "handed out");
	if (arch_frame_is_direct(f))
		ASAN_UNPOISON_MEMORY_REGION(bytes_of(f.n), (size_t)PAGE_SIZE << order);
}

void arch_frame_note_free(pfn_t f, unsigned order)
{
	sim_check_unreached(f.n, 1u << order);
	change_use(f, order, FREE, "freed");
	if (arch_frame_is_direct(f))
		ASAN_POISON_MEMORY_REGION(bytes_of(f.n), (size_t)PAGE_SIZE << order);
}

/* Returns the frame that a slot lies in, which must be RAM in use. */
static uint32_t frame_of_slot(const pte_t *slot)
{
	pfn_t f = arch_frame_of_direct(slot);

	if (!f.n || !sim_ram_is(f.n))
		panic("sim: an entry is stored at %p, which is no RAM", (const void *)slot);
	if (sim_ram_is_free(f.n))
		sim_violation("an entry is stored in frame 0x%x, which is free", f.n);
	return f.n;
}

static uint32_t index_of_slot(const pte_t *slot)
{
	return (uint32_t)((uintptr_t)slot % PAGE_SIZE / sizeof(*slot));
}

pte_t arch_pte_exchange(pte_t *slot, pte_t value)
{
	uint32_t frame = frame_of_slot(slot);
	pte_t old;

	sim_entry_changes(frame, index_of_slot(slot), value.raw);
	open_frame(frame);
	old = *slot;
	*slot = value;
	close_frame(frame);
	return old;
}

void arch_pte_write(pte_t *slot, pte_t value)
{
	arch_pte_exchange(slot, value);
}
