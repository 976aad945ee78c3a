/*
 * arch/x86/boot/image.h - the way of an image that the loader put elsewhere to where it is linked. Pure: runs on a
 * host as well.
 */
#ifndef ARCH_X86_IMAGE_H
#define ARCH_X86_IMAGE_H

#include <lib/types.h>

/* Physical addresses and bytes. entry.S makes one on its stack. */
struct image_move {
	uint32_t from, to, size;
	uint32_t
		info; /* where the Multiboot2 information is; after the move, once image_move_plan was content */
};

/*
 * Finds out whether what lies in [to, from + size) can be turned round so that the image comes to stand first, and
 * all else, in the same order, behind it. Then puts the addresses that this changes into m->info and into the
 * modules' tags, and returns null. Otherwise returns why not, for a person, and has changed nothing. `info` is the
 * information itself. Runs where the image was loaded: all that it knows it gets as an argument.
 */
const char *image_move_plan(struct image_move *m, uint8_t *info);

#endif
