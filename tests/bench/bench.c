/*
 * tests/bench/bench.c - one row for each operation that performance.md lists. Owns a directory and a container
 * while it runs. The cost of reading the counter is measured first and taken off.
 */
#include <arch/cpu.h>
#include <arch/frame_access.h>
#include <arch/mmu.h>
#include <kernel/boot.h>
#include <lib/panic.h>
#include <mm/kmap.h>
#include <mm/slab.h>
#include <tests/bench/bench.h>

#define ROUNDS         1000u
#define V              0x40000u /* a page in the middle of the user part, at the beginning of a table */
#define URW            (PROT_R | PROT_W | PROT_USER)
#define HISTORY        1000000u
#define HISTORY_ORDERS 6u
#define SLOTS          4096u

static struct {
	struct container_id owner;
	struct pdir pd;
	uint64_t overhead; /* of two reads of the counter */
	uint64_t begun;
	uint32_t seed;
	pfn_t slot[SLOTS];
	uint32_t shuffled[ROUNDS];
} bench;

/* The counter itself: every CPU that gets here has one. */
static inline uint64_t now(void)
{
	return arch_read_tsc();
}

/* The measured stretch of code is that between these two; the compiler moves nothing across them. */
static void begin(void)
{
	bench.begun = now();
}

static uint32_t end(void)
{
	return (uint32_t)(now() - bench.begun - bench.overhead);
}

static void row(const char *name, uint32_t total, uint32_t operations)
{
	printk("bench: %s %u\n", name, (total + operations / 2) / operations);
}

/* Marsaglia's xorshift: repeatable, and cheap enough to stay out of the way. */
static uint32_t random_below(uint32_t limit)
{
	bench.seed ^= bench.seed << 13;
	bench.seed ^= bench.seed >> 17;
	bench.seed ^= bench.seed << 5;
	return bench.seed % limit;
}

static void measure_overhead(void)
{
	bench.overhead = 0;
	begin();
	bench.overhead = end();
}

static bool frame_and_back(void)
{
	kfree(kalloc()); /* the first one splits a block */
	begin();
	for (uint32_t i = 0; i < ROUNDS; i++) {
		void *page = kalloc();

		if (!page)
			return false;
		kfree(page);
	}
	row("frame", end(), ROUNDS);
	return true;
}

static void shuffle(void)
{
	for (uint32_t i = 0; i < ROUNDS; i++)
		bench.shuffled[i] = i;
	for (uint32_t i = ROUNDS; i > 1; i--) {
		uint32_t j = random_below(i), kept = bench.shuffled[i - 1];

		bench.shuffled[i - 1] = bench.shuffled[j];
		bench.shuffled[j] = kept;
	}
}

static bool many_frames_and_back(void)
{
	static void *page[ROUNDS];
	uint32_t sum;

	shuffle();
	begin();
	for (uint32_t i = 0; i < ROUNDS; i++)
		if (!(page[i] = kalloc()))
			return false;
	sum = end();
	begin();
	for (uint32_t i = 0; i < ROUNDS; i++)
		kfree(page[bench.shuffled[i]]);
	row("frames_random", sum + end(), ROUNDS);
	return true;
}

static bool container_frame_and_back(void)
{
	pfn_t f;

	begin();
	for (uint32_t i = 0; i < ROUNDS; i++)
		if (container_alloc(bench.owner, ALLOC_KERNEL, &f) || container_free(bench.owner, f))
			return false;
	row("container_frame", end(), ROUNDS);
	return true;
}

/* Pages of one table, which is there. */
static bool pages_in_and_out(void)
{
	struct tlb_batch b;
	uint32_t count = ARCH_PT_SPAN(1) / 2, sum = 0;
	int err = alloc_ptbl(&bench.pd, vaddr_of(V));

	set_pdir_base(&bench.pd);
	begin();
	for (uint32_t i = 0; i < count && !err; i++)
		err = alloc_page(&bench.pd, V + i, URW);
	row("alloc_page", end(), count);
	for (uint32_t i = 0; i < count && !err; i++) {
		begin();
		tlb_begin(&b, bench.pd.root);
		err = unmap_page(&bench.pd, V + i, &b);
		tlb_finish(&b);
		sum += end();
	}
	row("unmap_page", sum, count);
	set_pdir_base(&kernel_pdir);
	return !err;
}

/* 4 MiB of a device's pages, into tables that are there. */
static bool region(void)
{
	struct tlb_batch b;
	uint32_t count = 1024, sum;
	pfn_t f = PFN(arch_mmu.pfn_end - count);
	int err = map_region(&bench.pd, PAGES(V, count), f, PROT_R);

	tlb_begin(&b, bench.pd.root);
	err = err ? err : unmap_region(&bench.pd, PAGES(V, count), &b);
	begin();
	err = err ? err : map_region(&bench.pd, PAGES(V, count), f, PROT_R);
	sum = end();
	row("map_region", sum, count);
	unmap_region(&bench.pd, PAGES(V, count), &b);
	tlb_finish(&b);
	return !err;
}

static bool directory_and_back(void)
{
	struct pdir pd;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 10; i++) {
		begin();
		if (pdir_init(&pd, bench.owner))
			return false;
		vm_free(&pd);
		sum += end();
	}
	row("directory", sum, 10);
	return true;
}

static uint32_t worst, worst_order;

static void one_step(uint32_t i, unsigned order)
{
	uint32_t cost;

	begin();
	if (bench.slot[i].n) {
		frame_put(bench.slot[i]);
		cost = end();
		bench.slot[i] = NO_FRAME;
	} else {
		int err = frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(order), &bench.slot[i]);

		cost = end();
		if (err)
			bench.slot[i] = NO_FRAME;
	}
	if (cost > worst) {
		worst = cost;
		worst_order = order;
	}
}

static void release_slots(void)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		if (bench.slot[i].n)
			frame_put(bench.slot[i]);
		bench.slot[i] = NO_FRAME;
	}
}

static bool latency(void)
{
	worst = 0;
	for (uint32_t n = 0; n < HISTORY; n++)
		one_step(random_below(SLOTS), random_below(4) ? 0 : random_below(HISTORY_ORDERS));
	release_slots();
	row("latency", worst, 1);
	row("latency_order", worst_order, 1);
	return true;
}

/*
 * Fragmentation: until 70 % of low memory is in use, half of the blocks are single frames, and for every three that
 * come a random one goes. Those that stay are linked through their first words.
 */
static bool largest_block(void)
{
	struct zone_stats s;
	uint32_t first = 0, in_use = 0;
	pfn_t f;

	frame_stats(ZONE_LOW, &s);
	while (in_use < s.free / 10 * 7) {
		unsigned order = random_below(2) ? 0 : random_below(HISTORY_ORDERS);
		uint32_t i = random_below(SLOTS);

		if (frame_alloc(ALLOC_KERNEL | ALLOC_ORDER(order), &f))
			break;
		in_use += 1u << order;
		if (bench.slot[i].n) {
			/* What stood there joins the chain, and stays. */
			*(uint32_t *)arch_frame_direct(bench.slot[i]) = first;
			first = bench.slot[i].n;
		}
		bench.slot[i] = f;
		i = random_below(SLOTS);
		if (random_below(3) == 0 && bench.slot[i].n) {
			in_use -= 1u << frame_tag_order(frame_desc(bench.slot[i].n)->tag);
			frame_put(bench.slot[i]);
			bench.slot[i] = NO_FRAME;
		}
	}
	frame_drain();
	frame_stats(ZONE_LOW, &s);
	row("largest_block_kib", 4u << s.largest, 1);
	row("largest_block_free_kib", 4 * s.free, 1);
	release_slots();
	while (first) {
		f = PFN(first);
		first = *(uint32_t *)arch_frame_direct(f);
		frame_put(f);
	}
	return true;
}

/* From the first statement in C to the seal, and what the kernel had taken by then. */
static bool boot(void)
{
	row("boot", (uint32_t)boot_record.sealed, 1);
	row("boot_console", (uint32_t)boot_record.console, 1);
	row("taken_kib", boot_record.taken_kib, 1);
	return true;
}

static bool (*const rows[])(void) = {
	boot,
	frame_and_back,
	many_frames_and_back,
	container_frame_and_back,
	pages_in_and_out,
	region,
	directory_and_back,
	latency,
	largest_block,
};

bool bench_run(void)
{
	bool good = cpu_info.features & CPUID_TSC;

	if (!good)
		printk("bench: this CPU has no time-stamp counter\n");
	bench.seed = 2463534242u;
	measure_overhead();
	if (!good || container_split(CONTAINER_ROOT, 1000, &bench.owner))
		return false;
	good = !pdir_init(&bench.pd, bench.owner);
	for (unsigned i = 0; i < ARRAY_SIZE(rows) && good; i++)
		good = rows[i]();
	set_pdir_base(&kernel_pdir);
	if (bench.pd.root.n)
		vm_free(&bench.pd);
	container_destroy(bench.owner);
	printk("bench: %s\n", good ? "done" : "failed");
	return good;
}
