/* tests/ktest/mmap_test.c */
#include <tests/ktest/space_fixture.h>
