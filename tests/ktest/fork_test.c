/* tests/ktest/fork_test.c */
#include <tests/ktest/space_fixture.h>
