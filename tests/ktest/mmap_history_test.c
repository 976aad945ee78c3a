/* tests/ktest/mmap_history_test.c */
#include <tests/ktest/space_fixture.h>
