/*
 * siphash: a keyed hash of bytes (SipHash-1-3, Aumasson and Bernstein 2012).
 *
 * Keyed by a secret, so that nobody on the network can make payloads or
 * addresses that collide.
 */
#ifndef CRIER_BOUNDS_SIPHASH_H
#define CRIER_BOUNDS_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

/* The hash of `size` bytes at `data`, which may be NULL where size is 0. */
uint64_t siphash(const struct siphash_key *key, const void *data, size_t size);

/* The hash of `first`, little-endian, and `data` behind it. */
uint64_t siphash_behind(const struct siphash_key *key, uint64_t first,
	const void *data, size_t size);

#endif
