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
	bool open; /* they let everything pass: decide_is_open() */
};

/*
 * Other sites take part in a channel like segments of their own, which stand
 * behind those of this host: by what arrives from there, a search or anything
 * else; and as what leaves to there.
 */
enum {
	DECIDE_SEARCHERS_OUTSIDE,
	DECIDE_DEVICES_OUTSIDE,
	DECIDE_OUTSIDE,
	DECIDE_SITES /* how many there are */
};

/* What it needs to know of the channel's group. */
struct decide_channel {
	bool standby; /* the group heeds standby, and standby is on */
	const struct config_filter *allow, *deny;
	const struct decide_segment *segments; /* and DECIDE_SITES more */
	size_t n_segments;
	/* Set by decide_prepare(); NULL: decided anew each time. */
	const struct decision *rows;
	bool has_sides;     /* there are searchers and devices */
	bool has_varieties; /* some segment looks at each datagram */
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

/* True if the filters say nothing. */
bool decide_is_open(
	const struct config_filter *allow, const struct config_filter *deny);

/* What the filters say of a datagram as a whole: its source, size, target and
 * described services. Deny wins; an empty list says nothing. */
struct decision decide_filter(const struct config_filter *allow,
	const struct config_filter *deny, const struct decide_facts *f);

/* Makes the sites behind `n` segments, by the sides that those have. */
void decide_add_sites(struct decide_segment *segments, size_t n);

/* How many decisions decide_prepare() keeps for `n_segments`. */
size_t decide_prepared(size_t n_segments);

/*
 * Decides beforehand what no fact of a datagram changes but its kind, and on
 * which side it arrives: nearly all. To be called again when anything in `c`
 * has changed. `rows`, of decide_prepared() items, must live as long as `c`.
 */
void decide_prepare(struct decide_channel *c, struct decision *rows);

/* Decides about a datagram as a whole, that came in on segment `in` of `c`. */
struct decision decide_whole(const struct decide_channel *c, size_t in,
	const struct decide_facts *f);

/*
 * Decides about each segment out, of a datagram that may be sent as a whole.
 * Returns a decision for each segment, the one at `in` without a meaning: in
 * `scratch`, or made before and valid as long as `c`.
 */
const struct decision *decide_outs(const struct decide_channel *c, size_t in,
	const struct decide_facts *f, struct decision *scratch);

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
