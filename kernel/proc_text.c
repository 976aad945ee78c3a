/* kernel/proc_text.c - what the files of /proc say: up calls of fs/procfs.h. Lock: one processor, no preemption. */
#include <arch/timer.h>
#include <fs/path.h>
#include <fs/procfs.h>
#include <fs/up.h>
#include <kernel/proc.h>
#include <kernel/time.h>
#include <lib/printf.h>
#include <lib/string.h>

#define MAPS_NAME_AT 49u /* as on Linux for 32 bits; further behind a long number of an inode */

/* A text that may be longer than the room for it. */
struct text {
	struct text_sink sink;
	char *to;
	uint32_t size, length;
};

static void put(struct text_sink *sink, char c)
{
	struct text *t = (struct text *)sink;

	if (t->length < t->size)
		t->to[t->length] = c;
	t->length++;
}

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_format_to(&t->sink, format, arguments);
	va_end(arguments);
}

static void name_of(const struct space *s, const struct area *a, char out[static PATH_SHOWN])
{
	const char *name = "";

	if (a->end == vpn_of(s->stack_top))
		name = "[stack]";
	else if (a->first < vpn_of(s->brk + PAGE_SIZE - 1) && a->end > vpn_of(s->brk_start))
		name = "[heap]";
	if (a->file)
		path_of_mapping(a->file, out);
	else
		memcpy(out, name, strlen(name) + 1);
}

static void add_maps(struct text *t, struct space *s)
{
	char name[PATH_SHOWN];

	for (struct area *a = space_next_area(s, 0); a; a = area_next(a)) {
		uint32_t line = t->length;

		add(t, "%08x-%08x %c%c%c%c %08x %02x:%02x %u ", a->first << PAGE_SHIFT, a->end << PAGE_SHIFT,
		    a->prot & PROT_R ? 'r' : '-', a->prot & PROT_W ? 'w' : '-', a->prot & PROT_X ? 'x' : '-',
		    a->flags & AREA_SHARED ? 's' : 'p', a->file ? a->offset << PAGE_SHIFT : 0,
		    a->file ? (uint32_t)a->file->id[0] >> 8 : 0,
		    a->file ? (uint32_t)a->file->id[0] & 0xFF : 0, a->file ? (uint32_t)a->file->id[1] : 0);
		name_of(s, a, name);
		while (*name && t->length - line < MAPS_NAME_AT - 1)
			add(t, " ");
		add(t, "%s%s\n", *name ? " " : "", name);
	}
}

static int add_table(const struct pt_leaf *leaf, void *text)
{
	pte_t e = leaf->entry;
	prot_t prot = arch_pte_prot(e);
	pfn_t f = arch_pte_pfn(e);

	add(text, "%08x frame %06x %c%c%c%c%c refs %u%s\n", leaf->v << PAGE_SHIFT, f.n, 'r',
	    prot & PROT_W ? 'w' : '-', prot & PROT_X ? 'x' : '-', arch_pte_accessed(e) ? 'a' : '-',
	    arch_pte_dirty(e) ? 'd' : '-', prot & PROT_OWNED ? frame_refs(f) : 0,
	    f.n == zero_frame.n ? " zero" : "");
	return 0;
}

static const char *state_of(const struct proc *p)
{
	static const char *const names[] = {
		[PROC_READY] = "R (running)",
		[PROC_WAITING] = "S (sleeping)",
		[PROC_STOPPED] = "T (stopped)",
		[PROC_ZOMBIE] = "Z (zombie)",
	};

	return names[p->state];
}

static int32_t parent_of(const struct proc *p)
{
	return p->parent ? p->parent->pid : 0;
}

static void add_status(struct text *t, const struct proc *p)
{
	struct space *s = p->shared ? &p->shared->space : NULL;

	add(t, "Name:\t%s\nUmask:\t0%u%u%u\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n", p->name,
	    p->fs.umask >> 6, p->fs.umask >> 3 & 7, p->fs.umask & 7, state_of(p), p->pid, p->pid,
	    parent_of(p));
	add(t, "Uid:\t%u\t%u\t%u\t%u\n", p->uid[0], p->uid[1], p->uid[2], p->uid[3]);
	add(t, "Gid:\t%u\t%u\t%u\t%u\n", p->gid[0], p->gid[1], p->gid[2], p->gid[3]);
	if (s)
		add(t, "VmSize:\t%8u kB\nVmLck:\t%8u kB\nVmRSS:\t%8u kB\n", s->pages * 4, s->locked * 4,
		    space_resident(s) * 4);
	add(t, "Threads:\t1\nSigPnd:\t%016llx\nSigBlk:\t%016llx\n", (unsigned long long)p->signals.pending,
	    (unsigned long long)p->signals.blocked);
}

static void add_stat(struct text *t, const struct proc *p)
{
	struct space *s = p->shared ? &p->shared->space : NULL;

	add(t, "%d (%s) %c %d %d %d 0 -1 0 %u 0 0 0 ", p->pid, p->name, *state_of(p), parent_of(p), p->group,
	    p->session, p->usage.minor_faults);
	add(t, "%u %u %u %u 20 0 1 0 %u %u %u\n", p->usage.user_ticks, p->usage.kernel_ticks,
	    p->children_usage.user_ticks, p->children_usage.kernel_ticks,
	    (uint32_t)(p->started / (NS_PER_S / TICKS_A_SEC)), s ? s->pages << PAGE_SHIFT : 0,
	    s ? space_resident(s) : 0);
}

static void add_memory(struct text *t)
{
	struct zone_stats low, high;

	frame_stats(ZONE_LOW, &low);
	frame_stats(ZONE_HIGH, &high);
	add(t, "MemTotal:       %8u kB\nMemFree:        %8u kB\nMemAvailable:   %8u kB\n",
	    (low.total + high.total) * 4, (low.free + high.free) * 4, (low.free + high.free) * 4);
	add(t,
	    "HighTotal:      %8u kB\nHighFree:       %8u kB\nLowTotal:       %8u kB\nLowFree:        %8u "
	    "kB\n",
	    high.total * 4, high.free * 4, low.total * 4, low.free * 4);
}

static int32_t print_of_process(struct text *t, enum proc_text what, const struct proc *p)
{
	struct space *s = p->shared ? &p->shared->space : NULL;

	switch (what) {
	case PROC_MAPS:
		if (s)
			add_maps(t, s);
		break;
	case PROC_TABLES:
		if (s)
			pdir_each_leaf(&s->pd, PAGES(0, ARCH_KERNEL_VPN), add_table, t);
		break;
	case PROC_STATUS:
		add_status(t, p);
		break;
	case PROC_STAT:
		add_stat(t, p);
		break;
	case PROC_STATM:
		add(t, "%u %u 0 0 0 0 0\n", s ? s->pages : 0, s ? space_resident(s) : 0);
		break;
	default:
		add(t, "%s\n", p->name);
	}
	return (int32_t)t->length;
}

int32_t proc_print(enum proc_text what, int32_t pid, char *to, uint32_t size)
{
	struct text t = {{put}, to, size, 0};
	struct proc *p;

	switch (what) {
	case PROC_MEMINFO:
		add_memory(&t);
		return (int32_t)t.length;
	case PROC_UPTIME:
		add(&t, "%u.%02u 0.00\n", (uint32_t)(clock_ns() / NS_PER_S),
		    (uint32_t)(clock_ns() % NS_PER_S / (NS_PER_S / 100)));
		return (int32_t)t.length;
	case PROC_VERSION:
		add(&t, "Quire version " QUIRE_VERSION "\n");
		return (int32_t)t.length;
	default:
		p = proc_find(pid);
		return p ? print_of_process(&t, what, p) : -ESRCH;
	}
}

int32_t proc_self(void)
{
	return current->pid;
}

/* The lowest above a number. */
static int look_above(struct proc *p, void *arg)
{
	int32_t *range = arg; /* above this one; the best by now, or 0 */

	if (p->pid > range[0] && (!range[1] || p->pid < range[1]))
		range[1] = p->pid;
	return 0;
}

int32_t proc_next(int32_t pid)
{
	int32_t range[2] = {pid, 0};

	proc_each(look_above, range);
	return range[1];
}

int64_t clock_unix_ns(void)
{
	return (int64_t)time_unix();
}

int32_t current_group(void)
{
	return current->group;
}
