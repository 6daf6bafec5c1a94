/*
 * How a stash looks: a header, then records, each a head and its values. A
 * number is 8 bytes, all else its size as a number and then as many bytes.
 * Private to this folder.
 */
#ifndef CRIER_STASH_FORMAT_H
#define CRIER_STASH_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* "crier st" */
#define STASH_MAGIC UINT64_C(0x7473207265697263)

struct stash_header {
	uint64_t magic, version, sequence, records, size; /* in bytes, of all */
	uint64_t sum; /* of what stands before it */
};

struct stash_head {
	uint32_t tag, size; /* of the values, in bytes */
	uint64_t sum;       /* of the values, by place and tag */
};

uint64_t stash_sum_header(const struct stash_header *h);
/* `at` is where the head stands. */
uint64_t stash_sum(
	const struct stash_head *h, uint64_t at, const uint8_t *values);

#endif
