/* tests/ktest/eat_stack.h - a function that never comes back: for the cases of a kernel stack that overflows. */
#ifndef TESTS_EAT_STACK_H
#define TESTS_EAT_STACK_H

#include <lib/types.h>

/* The volatile sum keeps the call from becoming a jump. */
static inline uint32_t eat_stack(uint32_t depth)
{
	volatile uint32_t room[64];

	if (depth == UINT32_MAX)
		return 0;
	room[depth % ARRAY_SIZE(room)] = depth;
	return eat_stack(depth + 1) + room[depth % ARRAY_SIZE(room)];
}

#endif
