/* tests/ktest/mremap_test.c */
#include <tests/ktest/space_fixture.h>
