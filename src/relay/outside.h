/*
 * outside: other sites, as a channel sees them. Private to this folder.
 *
 * Each channel has a segment that stands for them, with neither interface nor
 * device, and in no list of segments: what leaves to it is told of, and what
 * comes from it is brought, by something that carries datagrams between sites.
 */
#ifndef CRIER_RELAY_OUTSIDE_H
#define CRIER_RELAY_OUTSIDE_H

#include "relay/internal.h"

/* From whom a datagram is that another site brings. */
struct outsider {
	const struct relay_origin *origin;
	struct net_address who; /* its address, or one that is made up for the
				   site */
	uint64_t site_id;       /* for the rate */
	enum proto_kind kind;   /* PROTO_UNKNOWN: to be found out */
};

/* Prepares the segment that stands for other sites. */
void outside_init(struct relay_channel *c);
/* Ends its flows. */
void outside_done(struct relay_channel *c);
/* Has it take part in the loop guard, which not every channel needs. Returns 0
 * or -ENOMEM. */
int outside_open(struct relay_channel *c);
/* Adds what was dropped on its way from and to other sites. */
void outside_add_drops(const struct relay *r, struct relay_counters *sum);
/* True if somebody takes what is heard on `in` to other sites. */
bool outside_is_carried(struct relay_segment *in);

/* By whom it counts: for the guard, the rate and flows. */
static inline const struct net_address *arrival_who(const struct arrival *a)
{
	return a->outsider ? &a->outsider->who : &a->source;
}

#endif
