/*
 * echo: who said a payload first, so that two relays that repeat what they
 * hear do not keep alive for each other what is long gone.
 *
 * In a group with `repeat`, only who said a payload first is believed: its
 * entry is repeated, and lives on, by what comes from the same source on the
 * same segment. What others say in the same words is a repetition of it, for as
 * long as it lives and twice as long after: by then a relay that took its own
 * copy for the first one has let go of it too.
 *
 * Pure state, bounded, shared fairly among sources; times are milliseconds.
 */
#ifndef CRIER_DISCOVERY_ECHO_H
#define CRIER_DISCOVERY_ECHO_H

#include "bounds/bounds.h"
#include "net/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Payloads that are known. */
enum { ECHO_BOUND = 16384 };

struct echo_voice;

struct echo {
	/* Private. */
	struct echo_voice **table; /* chains by digest */
	struct quota quota;
	struct pool pool;
};

/* Returns 0, or -ENOMEM. */
int echo_init(struct echo *e, const struct siphash_key *key);
void echo_done(struct echo *e);

/*
 * True if `source` on the segment that `place` stands for is who said the
 * payload of this digest first, which it is then until `until_ms` at least, and
 * in the words of others twice as long. Without memory everybody is.
 */
bool echo_is_first(struct echo *e, uint64_t digest, uint64_t place,
	const struct net_address *source, uint64_t now_ms, uint64_t until_ms);

#endif
