/*
 * fs/fs.h - the file system as a whole: a tree in memory, which archives that the loader brought fill.
 */
#ifndef FS_FS_H
#define FS_FS_H

#include <mm/boot_info.h>
#include <mm/container.h>

struct inode;

/* What files' pages are charged to. The root container until somebody else is named, before fs_init. */
extern struct container_id fs_container;

extern struct inode *fs_root;

/*
 * Makes the tree: /dev with its nodes, /proc, /tmp. 0 or -ENOMEM; on failure there is none, and nothing is held.
 */
int fs_init(void);

/*
 * Unpacks a module, if it is a cpio archive ("newc"), into the tree. A damaged one: a message on the console, and what
 * came before the damage stays. 0, -EINVAL (damaged) or -ENOMEM (what fits stays). The module's frames are not freed.
 */
int fs_unpack(const struct boot_module *m);

/* Takes the tree away; no file is open. For tests. */
void fs_exit(void);

#endif
