/* tests/ktest/space_test.c */
#include <tests/ktest/space_fixture.h>
