/* mm/fork.h - a copy-on-write duplicate of an address space. */
#ifndef MM_FORK_H
#define MM_FORK_H

#include <mm/space.h>

/*
 * Makes child a space like its parent, which may be loaded: private pages are shared until one of the two writes.
 * Returns 0, -ENOMEM, -EDQUOT or -ESRCH; then there is no child, and the parent's content and rights are as before.
 */
int space_fork(struct space *child, struct space *parent);

#endif
