/*
 * kernel/sys_groups.c - the further groups of a process: data, in ascending order. A list never changes; processes
 * share one after fork. Lock: none.
 */
#include <kernel/proc.h>
#include <kernel/sys.h>
#include <kernel/syscall.h>
#include <linux/limits.h>
#include <mm/slab.h>
#include <mm/usercopy.h>

struct group_list {
	uint32_t refs, count;
	uint32_t id[];
};

void groups_get(struct group_list *g)
{
	if (g)
		g->refs++;
}

void groups_put(struct group_list *g)
{
	if (g && !--g->refs)
		kmfree(g);
}

/* Shell's sort, with Knuth's steps: there may be 65536 of them, in any order. */
static void sort(uint32_t *id, uint32_t count)
{
	uint32_t step = 1;

	while (step < count / 3)
		step = 3 * step + 1;
	for (; step; step /= 3) {
		for (uint32_t i = step; i < count; i++) {
			uint32_t moved = id[i], at = i;

			for (; at >= step && id[at - step] > moved; at -= step)
				id[at] = id[at - step];
			id[at] = moved;
		}
	}
}

int32_t sys_getgroups(struct trap_frame *f)
{
	const struct group_list *g = current->groups;
	uint32_t count = g ? g->count : 0;
	int32_t room = (int32_t)ARG1(f);
	int err;

	if (room < 0 || (room && (uint32_t)room < count))
		return -EINVAL;
	err = room && count ? copy_to_user(ARG2(f), g->id, count * (uint32_t)sizeof(*g->id)) : 0;
	return err ? err : (int32_t)count;
}

int32_t sys_setgroups(struct trap_frame *f)
{
	uint32_t count = ARG1(f), bytes = count * (uint32_t)sizeof(uint32_t);
	struct group_list *g;

	if (current->uid[1])
		return -EPERM;
	if (count > NGROUPS_MAX)
		return -EINVAL;
	g = kmalloc((uint32_t)sizeof(*g) + bytes);
	if (!g)
		return -ENOMEM;
	if (copy_from_user(g->id, ARG2(f), bytes)) {
		kmfree(g);
		return -EFAULT;
	}
	g->refs = 1;
	g->count = count;
	sort(g->id, count);
	groups_put(current->groups);
	current->groups = g;
	return 0;
}
