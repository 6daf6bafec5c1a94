/*
 * sealed: an input as the stash of a process before. Chance finds no sums, so
 * it is given those that are right.
 */
#ifndef CRIER_TESTS_FUZZ_SEALED_H
#define CRIER_TESTS_FUZZ_SEALED_H

#include "stash/stash.h"

/*
 * The time when it is read is its sequence behind the first of these, and 8
 * years further at the most: so an input has its times about it. The ticks of
 * the discovered table are counted for 13 years.
 */
enum { EARLIEST_MS = 1000000 };
#define LATEST_MS ((UINT64_C(1) << 38) - 1)

/* A memory file of these bytes; the caller's. */
int sealed_file(const void *data, size_t size);

/* Opens it as a stash of this version, whose records end with it. False: it is
 * too small for a header. */
bool sealed_open(struct stash_reader *ret, const uint8_t *data, size_t size);

#endif
