/*
 * decide: what becomes of one datagram on each segment of its channel.
 *
 * Pure: the group as seen from the arriving segment and the facts of the
 * datagram in, a verdict for each segment out. Real datagrams and those that
 * somebody describes to `explain` are judged by this same function.
 */
#ifndef CRIER_RELAY_DECIDE_H
#define CRIER_RELAY_DECIDE_H

#include "config/config.h"
#include "net/net.h"
#include "proto/proto.h"
#include "relay/relay.h"

#include <stdbool.h>
#include <stddef.h>

/* What a decision needs to know of a segment. */
struct decide_segment {
	unsigned role;      /* CONFIG_HEARS ... of struct config_use */
	int ttl;            /* as in struct config_use */
	bool usable;        /* the device is up and nothing failed */
	bool has_address;   /* there is one to send from, in this family */
	bool has_broadcast; /* the device has a broadcast address of its own */
	const struct config_filter *allow, *deny; /* of this use */
};

/* What it needs to know of the channel's group. */
struct decide_channel {
	bool standby; /* the group heeds standby, and standby is on */
	const struct config_filter *allow, *deny;
	const struct decide_segment *segments;
	size_t n_segments;
};

/* What it needs to know of the datagram. */
struct decide_facts {
	struct net_address source;
	uint16_t port; /* the source's */
	size_t size;   /* bytes */
	int ttl;       /* as heard */
	enum proto_kind kind;

	/* What the filters by name look at. */
	enum config_payload payload;
	struct ssdp_text target;     /* of SSDP */
	const char *const *services; /* of mDNS, where somebody described it:
					real messages are edited instead */
	size_t n_services;

	bool stranger;  /* the segment has peers, and the source is none */
	bool own;       /* from an address of this host */
	bool elsewhere; /* on-link on another segment of the group, not here */
	bool answer;    /* by unicast, to a searcher on the segment out */
	bool directed;  /* sent to the arriving segment's own broadcast address
			 */
};

struct decision {
	enum relay_verdict verdict;
	int ttl;          /* to leave with, where the verdict is RELAY_SENT */
	const char *rule; /* constant text */
};

/*
 * Decides about a datagram that came in on segment `in` of `c`.
 *
 * decisions: one for each segment. The one at `in` speaks of the datagram as a
 *   whole: where it is not RELAY_SENT, all others say the same.
 */
void decide(const struct decide_channel *c, size_t in,
	const struct decide_facts *f, struct decision *decisions);

/* The same for one segment out alone, as decisions[out] would say. */
struct decision decide_one(const struct decide_channel *c, size_t in,
	size_t out, const struct decide_facts *f);

#endif
