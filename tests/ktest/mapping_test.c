/* tests/ktest/mapping_test.c */
#include <tests/ktest/space_fixture.h>
