/* tests/ktest/mmap_sweep_test.c */
#include <tests/ktest/space_fixture.h>
