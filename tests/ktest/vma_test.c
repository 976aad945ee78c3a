/* tests/ktest/vma_test.c */
#include <tests/ktest/space_fixture.h>
