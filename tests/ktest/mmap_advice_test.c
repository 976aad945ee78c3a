/* tests/ktest/mmap_advice_test.c */
#include <tests/ktest/space_fixture.h>
