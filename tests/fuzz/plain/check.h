/*
 * What fixtures use of check, for programs without a runner of tests, such as
 * fuzz targets: what does not hold aborts.
 */
#ifndef CRIER_TESTS_FUZZ_PLAIN_CHECK_H
#define CRIER_TESTS_FUZZ_PLAIN_CHECK_H

#include "../fuzz.h"

/* Only pointed at. */
typedef struct Suite Suite;

#define ck_assert(a)             MUST(a)
#define ck_assert_msg(a, ...)    MUST(a)
#define ck_assert_int_eq(a, b)   MUST((a) == (b))
#define ck_assert_int_ge(a, b)   MUST((a) >= (b))
#define ck_assert_uint_eq(a, b)  MUST((a) == (b))
#define ck_assert_uint_le(a, b)  MUST((a) <= (b))
#define ck_assert_uint_lt(a, b)  MUST((a) < (b))
#define ck_assert_ptr_nonnull(a) MUST((a) != NULL)

#endif
