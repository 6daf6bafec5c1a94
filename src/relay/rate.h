/*
 * rate: a token bucket for each source on each segment.
 *
 * A bucket holds a second's worth and starts full. Pure state: no socket, no
 * clock; times are milliseconds on any monotonic scale. Memory is bounded: the
 * bucket that was idle longest gives way, and its source starts anew with a
 * full one.
 */
#ifndef CRIER_RELAY_RATE_H
#define CRIER_RELAY_RATE_H

#include "bounds/bounds.h"
#include "net/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rate_bucket;

struct rate {
	/* Private. */
	struct siphash_key key;
	struct pool pool;
	struct rate_bucket *buckets; /* uthash, the idlest first */
	size_t bound;
};

/* bound: how many buckets there may be, 1 or more. */
void rate_init(struct rate *r, size_t bound, const struct siphash_key *key);
void rate_done(struct rate *r);

/*
 * Takes a token from the bucket of `source` on `segment` (any number that
 * stands for it). per_second: 1 or more. Returns false where there is none
 * left. Without memory for a bucket everything passes: a limit is a courtesy.
 */
bool rate_take(struct rate *r, uint32_t per_second, uint64_t segment,
	const struct net_address *source, uint64_t now_ms);

/* What rate_take() would return, spending nothing. */
bool rate_has(const struct rate *r, uint32_t per_second, uint64_t segment,
	const struct net_address *source, uint64_t now_ms);

#endif
